// SqliteTarget: one SQLite database as the target of backups, snapshots under load included.
//
//   nta::SqliteTarget target({.path = "nta.db", .application_id = 0x6e746131,
//                             .max_schema_version = 3, .check = OpensAsStore});
//   absl::Status recovered = nta::RecoverRestore("nta.db");   // before the database is opened
#ifndef NTA_BACKUP_SQLITE_TARGET_H_
#define NTA_BACKUP_SQLITE_TARGET_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/backup/backup_target.h"

namespace nta {

struct SqliteTargetOptions {
  std::string path{};
  // What the header of the file must say.
  std::int64_t application_id = 0;
  std::int64_t max_schema_version = 0;
  // Opens a snapshot as its program would, when everything else about it is right. Older schemas
  // may be raised by that.
  std::function<absl::Status(const std::string& path)> check{};
  // The last word on a staged file before it is swapped in; may change it.
  std::function<absl::Status(const std::string& staged)> prepare{};
  // Calls `swap` while this process has the database closed, and opens it again. When that fails,
  // calls `undo` and opens it once more. Absent: this process does not have it open.
  std::function<absl::Status(const std::function<absl::Status()>& swap,
                             const std::function<absl::Status()>& undo)>
      while_closed{};
  // Also a file that is no database of this application gives way to a restore: one of ours that is
  // damaged at its very beginning cannot be told from it. Nothing but a file ever does.
  bool replace_foreign = false;
  // The part of its time in which a snapshot works; it rests in the other part, so that those who
  // write to the database are hardly held up. 0.05 to 1.
  double duty = 0.25;
  // How long another process that has the database open is waited for.
  std::chrono::milliseconds lock_timeout{2000};
};

class SqliteTarget final : public BackupTarget {
 public:
  explicit SqliteTarget(SqliteTargetOptions options);

  std::string_view kind() const override { return "sqlite"; }
  absl::StatusOr<std::uint64_t> EstimateBytes() const override;
  // A snapshot holds a read transaction: the write-ahead log grows until it is done.
  absl::StatusOr<SnapshotSummary> Snapshot(const std::string& path,
                                           const BackupControl& control) const override;
  absl::StatusOr<SnapshotSummary> Check(const std::string& path,
                                        const BackupControl& control) const override;
  // FailedPrecondition for a directory, a device, a file that is no SQLite database, and a database
  // of another application. Nothing there, or an empty file, is replaceable.
  absl::Status CheckReplaceable() const override;
  std::string StagingPath(std::string_view token) const override;
  // The database that was there before is kept as "<path>-previous". Unavailable when another
  // process has it open.
  absl::StatusOr<std::string> Replace(const std::string& staged,
                                      const BackupControl& control) const override;

 private:
  const SqliteTargetOptions options_;
};

enum class RestoreRecovery : std::uint8_t {
  kNothing,     // no restore was interrupted
  kRolledBack,  // one was, before the swap: the database is the one from before
  kCompleted,   // one was, after the swap: the database is the restored one
};

// Ends what a killed restore of this database has begun, and removes what it left. Call it before
// the database is opened. Unavailable while a restore is running.
absl::StatusOr<RestoreRecovery> RecoverRestore(const std::string& database_path);

}  // namespace nta

#endif  // NTA_BACKUP_SQLITE_TARGET_H_
