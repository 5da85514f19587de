// What a BackupRepository is made of: making, taking in and removing backups (repository_write.cc),
// reading and proving them (repository_read.cc).
#ifndef NTA_BACKUP_REPOSITORY_IMPL_H_
#define NTA_BACKUP_REPOSITORY_IMPL_H_

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backup/backup_file.h"
#include "backup/file.h"
#include "nta/backup/backup_repository.h"

namespace nta {
namespace backup {

absl::Status CheckName(std::string_view name);
std::string FileOf(std::string_view name);
std::string VerdictOf(std::string_view name);
// ResourceExhausted where so much, and what goes with it, does not fit.
absl::Status CheckSpace(int directory, std::uint64_t bytes);

// Where data is unpacked to: a descriptor to write to and its path.
struct Place {
  int directory;
  int file;
  const std::string& path;
};

}  // namespace backup

class BackupRepository::Impl {
 public:
  Impl(backup::Descriptor directory, std::string path)
      : directory_(std::move(directory)), path_(std::move(path)) {}

  absl::StatusOr<BackupInfo> Create(const BackupTarget& target, const CreateBackupOptions& options,
                                    const BackupControl& control) const;
  absl::StatusOr<BackupInfo> Info(std::string_view name) const;
  std::vector<BackupInfo> List() const;
  absl::StatusOr<BackupContents> Verify(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control) const;
  absl::StatusOr<RestoreResult> Restore(std::string_view name, const BackupTarget& target,
                                        const ReadBackupOptions& options,
                                        const BackupControl& control) const;
  absl::StatusOr<BackupInfo> Import(int from, const BackupControl& control) const;
  absl::Status Remove(std::string_view name) const;
  const std::string& path() const { return path_; }

 private:
  absl::StatusOr<backup::Descriptor> OpenBackup(std::string_view name) const;
  absl::StatusOr<BackupContents> Prove(std::string_view name, const BackupTarget& target,
                                       const ReadBackupOptions& options,
                                       const BackupControl& control,
                                       const backup::Place& place) const;
  absl::StatusOr<BackupContents> Examine(int file, const backup::Beginning& beginning,
                                         const BackupTarget& target,
                                         const ReadBackupOptions& options,
                                         const BackupControl& control,
                                         const backup::Place& place) const;
  void Note(std::string_view name, const backup::Beginning& beginning, std::uint64_t stored_bytes,
            BackupTime time, const absl::Status& found) const;
  // The name under which the file is known, from now on.
  absl::StatusOr<std::string> Publish(const backup::ScratchDirectory& work, const std::string& file,
                                      BackupTime time) const;
  // A sound backup whose every byte is that of the file with these digests.
  std::optional<std::string> FindSame(const backup::Beginning& beginning,
                                      const backup::Digest& digest,
                                      const std::stop_token& stop) const;

  backup::Descriptor directory_;
  std::string path_;
};

}  // namespace nta

#endif  // NTA_BACKUP_REPOSITORY_IMPL_H_
