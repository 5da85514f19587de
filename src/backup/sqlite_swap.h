// Swapping one database file for another, so that a kill at any moment leaves the one or the other.
#ifndef NTA_BACKUP_SQLITE_SWAP_H_
#define NTA_BACKUP_SQLITE_SWAP_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "backup/file.h"

namespace nta::backup {

// The names beside the database "DB":
//   DB-restore-TOKEN   staged, complete and checked; gone when it has become DB
//   DB-restoring       names the staged file while the swap goes on
//   DB-previous        what was DB before
struct SwapNames {
  explicit SwapNames(const std::string& database_path);
  std::string directory;  // path
  std::string database;   // the others are names in it
  std::string staged_prefix;
  std::string marker;
  std::string previous;
};

// Whether the database may give way to another: FailedPrecondition for what is no file, and for a
// file that is no database of this application.
absl::Status CheckOwned(const SwapNames& names, std::int64_t application_id);
// Only the first.
absl::Status CheckIsFile(const SwapNames& names);

// While it lives, nobody else restores or recovers databases of this directory.
absl::StatusOr<Descriptor> LockForRestore(const SwapNames& names);

// Makes one file of a database and its log, and makes sure that nobody else has it open. The answer
// is false when it is too damaged for that.
absl::StatusOr<bool> Settle(const std::string& path, std::chrono::milliseconds lock_timeout);

// The three steps, under the lock. `staged` is a name. Swap answers whether there was a database
// before; Undo puts that back.
absl::StatusOr<bool> Swap(int directory, const SwapNames& names, const std::string& staged,
                          std::chrono::milliseconds lock_timeout);
absl::Status Undo(int directory, const SwapNames& names);

}  // namespace nta::backup

#endif  // NTA_BACKUP_SQLITE_SWAP_H_
