// Backups: the server's store and configuration as the target of backups, and a restore under
// everybody's feet.
#ifndef NTA_SERVER_BACKUPS_H_
#define NTA_SERVER_BACKUPS_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/backup/backup_repository.h"
#include "nta/backup/sqlite_target.h"

namespace nta::server {

struct Services;

struct BackupsOptions {
  std::string directory{};
  std::string database{};
  // Used when a request names no other. Empty: backups are not encrypted unless one asks for it.
  std::string passphrase{};
  std::vector<BackupExtra> extras{};  // the configuration
};

// The first line of a file that only its owner may read. FailedPrecondition when others may.
absl::StatusOr<std::string> ReadPassphraseFile(const std::string& path);

// What a store's file must be to be restored: that of a libnta, not newer, opened by it.
SqliteTargetOptions StoreTargetOptions(std::string database);

// Restores where there is no database yet: before anything is opened. `what` is the name of a
// backup or the path of a file. FailedPrecondition when there is a database.
absl::StatusOr<RestoreResult> RestoreAtStart(const BackupsOptions& options, std::string_view what,
                                             BackupTime now);

// Thread-safe.
class Backups {
 public:
  // The directory is made when it is missing.
  static absl::StatusOr<std::unique_ptr<Backups>> Open(BackupsOptions options);

  const BackupRepository& repository() const { return repository_; }

  // `passphrase` empty: that of the options.
  absl::StatusOr<BackupInfo> Create(CreateBackupOptions options,
                                    const BackupControl& control) const;
  absl::StatusOr<BackupContents> Verify(std::string_view name, ReadBackupOptions options,
                                        const BackupControl& control) const;
  // Sessions go on whose user is the same before and after; all others end. Capture goes on: what
  // ends meanwhile is written to the restored store. Refused when it has no administrator.
  absl::StatusOr<RestoreResult> Restore(Services& services, std::string_view name,
                                        ReadBackupOptions options,
                                        const BackupControl& control) const;

  // What to prune by after each backup; kept in the store.
  static absl::StatusOr<PrunePolicy> LoadPolicy(Services& services);
  static absl::Status SavePolicy(Services& services, const PrunePolicy& policy);

 private:
  Backups(BackupRepository repository, BackupsOptions options)
      : repository_(std::move(repository)), options_(std::move(options)) {}
  std::string Passphrase(std::string_view name, std::string given) const;

  const BackupRepository repository_;
  const BackupsOptions options_;
};

// "2026-11-22 08:00:00 UTC", for people.
std::string Moment(BackupTime time);

std::string ToJson(const BackupInfo& info);
std::string ToJson(const PrunePolicy& policy);
// Members as ToJson writes them; absent ones are 0. InvalidArgument.
absl::StatusOr<PrunePolicy> ParsePolicy(std::string_view json);

}  // namespace nta::server

#endif  // NTA_SERVER_BACKUPS_H_
