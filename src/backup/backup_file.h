// The steps that the operations of a repository share: packing, unpacking, names.
#ifndef NTA_BACKUP_BACKUP_FILE_H_
#define NTA_BACKUP_BACKUP_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backup/archive_reader.h"
#include "backup/file.h"
#include "backup/manifest.h"
#include "nta/backup/backup_repository.h"

namespace nta::backup {

// "20261122T080000Z-" and twelve random hexadecimal digits.
std::string MakeName(BackupTime time);
bool IsName(std::string_view name);

// What is packed: a snapshot, and what is known about it.
struct Contents {
  const Descriptor& data;
  std::string_view kind;
  const SnapshotSummary& summary;
};

// Writes a backup into the empty file `to`.
absl::Status Pack(int to, const Contents& contents, const CreateBackupOptions& options,
                  const BackupControl& control);

// Reads the backup that `from` stands at the contents of into the empty file `to`; everything in
// it is compared with its manifest but what only a target can tell.
struct Unpacked {
  Manifest manifest;
  std::vector<BackupExtra> extras;
};
absl::StatusOr<Unpacked> Unpack(int from, const Beginning& beginning, int to,
                                const ReadBackupOptions& options, const BackupControl& control);

absl::Status Cancelled();

}  // namespace nta::backup

#endif  // NTA_BACKUP_BACKUP_FILE_H_
