#include "nta/backup/sqlite_target.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "backup/file.h"
#include "backup/sqlite_file.h"
#include "backup/sqlite_swap.h"
#include "backup/throttle.h"
#include "base/status.h"

namespace nta {
namespace {

using backup::Database;
using backup::Links;

// So much is copied between two rests: small enough that a writer hardly waits for a core.
constexpr int kStepBytes = 64 << 10;

absl::Status WithContext(const absl::Status& status, const std::string& context) {
  return base::MakeStatus(status.code(), context + ": " + std::string(status.message()));
}

absl::Status Refuse(absl::StatusCode code, std::string_view reason) {
  return base::MakeStatus(code, "the database in it " + std::string(reason));
}

absl::Status CheckOwner(const SqliteTargetOptions& options, const SnapshotSummary& found) {
  if (found.application_id != options.application_id) {
    return Refuse(absl::StatusCode::kFailedPrecondition, "belongs to another program");
  }
  if (found.schema_version > options.max_schema_version) {
    return Refuse(absl::StatusCode::kFailedPrecondition,
                  "was written by a newer version (schema " + std::to_string(found.schema_version) +
                      ", this one knows up to " + std::to_string(options.max_schema_version) + ")");
  }
  if (found.schema_version < 1) return Refuse(absl::StatusCode::kDataLoss, "has no version");
  return absl::OkStatus();
}

absl::StatusOr<SnapshotSummary> ReadOwner(Database& database) {
  SnapshotSummary summary;
  NTA_ASSIGN_OR_RETURN(summary.application_id, database.Integer("PRAGMA application_id"));
  NTA_ASSIGN_OR_RETURN(summary.schema_version, database.Integer("PRAGMA user_version"));
  return summary;
}

// Triggers and views could act on our behalf, virtual tables run code of others.
absl::Status RefuseActors(Database& database) {
  NTA_ASSIGN_OR_RETURN(
      const auto actors,
      database.Texts("SELECT type || ' \"' || name || '\"' FROM sqlite_schema WHERE type NOT IN "
                     "('table', 'index') OR sql LIKE 'create virtual%'",
                     1));
  if (actors.empty()) return absl::OkStatus();
  return Refuse(absl::StatusCode::kFailedPrecondition,
                "has a " + actors.front() + " that does not belong there");
}

absl::Status CheckIntegrity(Database& database) {
  NTA_ASSIGN_OR_RETURN(auto lines, database.Texts("PRAGMA integrity_check(1)", 1));
  if (!lines.empty() && lines.front() == "ok") return absl::OkStatus();
  std::string text = lines.empty() ? "nothing was answered" : lines.front();
  std::replace(text.begin(), text.end(), '\n', ' ');
  return Refuse(absl::StatusCode::kDataLoss, "is damaged: " + text);
}

// What SQLite bears with in a header, and we would never have written: a version that makes the
// database one that cannot be written to, for one.
absl::Status CheckHeader(const std::string& path) {
  constexpr std::size_t kHeaderBytes = 100;
  constexpr std::size_t kVersions = 18;
  constexpr std::size_t kSchemaFormat = 44;
  constexpr std::size_t kEncoding = 56;
  constexpr std::size_t kReserved = 72;
  constexpr std::size_t kReservedEnd = 92;
  NTA_ASSIGN_OR_RETURN(const backup::Descriptor file, backup::OpenFile(AT_FDCWD, path));
  std::array<std::uint8_t, kHeaderBytes> header{};
  NTA_ASSIGN_OR_RETURN(const std::size_t size, backup::ReadUpTo(file.get(), header));
  if (size < header.size()) return Refuse(absl::StatusCode::kDataLoss, "is too short to be one");
  const auto is_version = [&](std::size_t at) { return header[at] == 1 || header[at] == 2; };
  // Of four bytes, big-endian.
  const auto is_upto = [&](std::size_t at, std::uint8_t most) {
    return header[at] == 0 && header[at + 1] == 0 && header[at + 2] == 0 && header[at + 3] >= 1 &&
           header[at + 3] <= most;
  };
  const bool is_reserved = std::all_of(header.begin() + kReserved, header.begin() + kReservedEnd,
                                       [](std::uint8_t byte) { return byte == 0; });
  if (is_version(kVersions) && is_version(kVersions + 1) && is_upto(kSchemaFormat, 4) &&
      is_upto(kEncoding, 3) && is_reserved) {
    return absl::OkStatus();
  }
  return Refuse(absl::StatusCode::kDataLoss, "is damaged: its header is not a database's");
}

// SQLite takes a file that is longer than its header says for good.
absl::Status CheckSize(Database& database, const std::string& path) {
  NTA_ASSIGN_OR_RETURN(const std::int64_t page, database.Integer("PRAGMA page_size"));
  NTA_ASSIGN_OR_RETURN(const std::int64_t pages, database.Integer("PRAGMA page_count"));
  NTA_ASSIGN_OR_RETURN(const backup::Descriptor file, backup::OpenFile(AT_FDCWD, path));
  NTA_ASSIGN_OR_RETURN(const std::uint64_t size, backup::SizeOf(file.get()));
  if (pages > 0 && size == static_cast<std::uint64_t>(page * pages)) return absl::OkStatus();
  return Refuse(absl::StatusCode::kDataLoss, "has not the size that it says");
}

absl::Status CountRows(Database& database, SnapshotSummary& summary) {
  constexpr std::size_t kMostTables = 10'000;
  NTA_ASSIGN_OR_RETURN(
      const auto tables,
      database.Texts("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE "
                     "'sqlite\\_%' ESCAPE '\\'",
                     kMostTables + 1));
  if (tables.size() > kMostTables)
    return Refuse(absl::StatusCode::kDataLoss, "has too many tables");
  for (const std::string& table : tables) {
    std::string quoted = table;
    for (std::size_t at = 0; (at = quoted.find('"', at)) != std::string::npos; at += 2) {
      quoted.insert(at, 1, '"');
    }
    NTA_ASSIGN_OR_RETURN(const std::int64_t rows,
                         database.Integer("SELECT count(*) FROM \"" + quoted + '"'));
    summary.rows[table] = static_cast<std::uint64_t>(rows);
  }
  return absl::OkStatus();
}

class Copy {
 public:
  Copy(Database& to, Database& from)
      : to_(to), backup_(sqlite3_backup_init(to.get(), "main", from.get(), "main")) {}
  ~Copy() { sqlite3_backup_finish(backup_); }
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;

  // `file` is that of the copy.
  absl::Status Run(double duty, int page_bytes, int file, const BackupControl& control) {
    backup::WriteOut write_out(file);
    if (backup_ == nullptr) return to_.StatusOf(sqlite3_errcode(to_.get()));
    backup::Throttle throttle(duty, control.stop);
    while (true) {
      if (control.stop.stop_requested()) {
        return base::MakeStatus(absl::StatusCode::kCancelled, "the backup was cancelled");
      }
      const int result = sqlite3_backup_step(backup_, std::max(1, kStepBytes / page_bytes));
      const auto pages = static_cast<std::uint64_t>(sqlite3_backup_pagecount(backup_));
      const auto left = static_cast<std::uint64_t>(sqlite3_backup_remaining(backup_));
      const std::uint64_t bytes = static_cast<std::uint64_t>(page_bytes);
      const std::uint64_t done = (pages - left) * bytes;
      write_out.GrownTo(done);
      if (control.progress) control.progress({BackupPhase::kSnapshot, done, pages * bytes});
      if (result == SQLITE_DONE) return absl::OkStatus();
      if (result != SQLITE_OK && result != SQLITE_BUSY && result != SQLITE_LOCKED) {
        return to_.StatusOf(result);
      }
      throttle.Rest();
    }
  }

 private:
  Database& to_;
  sqlite3_backup* const backup_;
};

}  // namespace

SqliteTarget::SqliteTarget(SqliteTargetOptions options) : options_(std::move(options)) {}

absl::StatusOr<std::uint64_t> SqliteTarget::EstimateBytes() const {
  const std::string context = "cannot copy \"" + options_.path + "\"";
  // SQLite says of a file that is not there that it is unable to open it.
  if (access(options_.path.c_str(), F_OK) != 0) return base::ErrnoStatus(errno, context);
  const auto run = [&]() -> absl::StatusOr<std::uint64_t> {
    NTA_ASSIGN_OR_RETURN(Database live,
                         Database::Open(options_.path, SQLITE_OPEN_READWRITE, Links::kFollow));
    sqlite3_busy_timeout(live.get(), static_cast<int>(options_.lock_timeout.count()));
    NTA_ASSIGN_OR_RETURN(const std::int64_t page, live.Integer("PRAGMA page_size"));
    NTA_ASSIGN_OR_RETURN(const std::int64_t pages, live.Integer("PRAGMA page_count"));
    return static_cast<std::uint64_t>(page * pages);
  };
  absl::StatusOr<std::uint64_t> bytes = run();
  return bytes.ok() ? bytes : WithContext(bytes.status(), context);
}

absl::StatusOr<SnapshotSummary> SqliteTarget::Snapshot(const std::string& path,
                                                       const BackupControl& control) const {
  const auto run = [&]() -> absl::StatusOr<SnapshotSummary> {
    // Readers of a write-ahead log may have to make its index, so it is not opened read-only.
    NTA_ASSIGN_OR_RETURN(Database live,
                         Database::Open(options_.path, SQLITE_OPEN_READWRITE, Links::kFollow));
    sqlite3_busy_timeout(live.get(), static_cast<int>(options_.lock_timeout.count()));
    // One read transaction over all steps: without it, each write of others would begin the copy
    // anew.
    NTA_RETURN_IF_ERROR(live.Execute("PRAGMA query_only=ON; BEGIN"));
    NTA_ASSIGN_OR_RETURN(SnapshotSummary summary, ReadOwner(live));
    NTA_RETURN_IF_ERROR(CheckOwner(options_, summary));
    NTA_ASSIGN_OR_RETURN(const std::int64_t page, live.Integer("PRAGMA page_size"));
    NTA_ASSIGN_OR_RETURN(Database copy,
                         Database::Open(path, SQLITE_OPEN_READWRITE, Links::kRefuse));
    NTA_RETURN_IF_ERROR(copy.Execute("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF"));
    NTA_ASSIGN_OR_RETURN(const backup::Descriptor file, backup::OpenFile(AT_FDCWD, path));
    NTA_RETURN_IF_ERROR(
        Copy(copy, live).Run(options_.duty, static_cast<int>(page), file.get(), control));
    NTA_RETURN_IF_ERROR(live.Execute("COMMIT"));
    // A snapshot is one file: no log belongs to it.
    NTA_RETURN_IF_ERROR(copy.Execute("PRAGMA journal_mode=DELETE"));
    NTA_RETURN_IF_ERROR(CountRows(copy, summary));
    return summary;
  };
  absl::StatusOr<SnapshotSummary> summary = run();
  if (summary.ok() || absl::IsCancelled(summary.status())) return summary;
  return WithContext(summary.status(), "cannot copy \"" + options_.path + "\"");
}

absl::StatusOr<SnapshotSummary> SqliteTarget::Check(const std::string& path,
                                                    const BackupControl& control) const {
  SnapshotSummary summary;
  const auto look = [&]() -> absl::Status {
    NTA_RETURN_IF_ERROR(CheckHeader(path));
    NTA_ASSIGN_OR_RETURN(Database database,
                         Database::Open(path, SQLITE_OPEN_READONLY, Links::kRefuse));
    database.StopOn(control.stop);
    NTA_ASSIGN_OR_RETURN(summary, ReadOwner(database));
    NTA_RETURN_IF_ERROR(CheckOwner(options_, summary));
    NTA_RETURN_IF_ERROR(CheckSize(database, path));
    NTA_RETURN_IF_ERROR(RefuseActors(database));
    NTA_RETURN_IF_ERROR(CheckIntegrity(database));
    return CountRows(database, summary);
  };
  NTA_RETURN_IF_ERROR(look());
  if (options_.check) NTA_RETURN_IF_ERROR(options_.check(path));
  return summary;
}

absl::Status SqliteTarget::CheckReplaceable() const {
  const backup::SwapNames names(options_.path);
  return options_.replace_foreign ? backup::CheckIsFile(names)
                                  : backup::CheckOwned(names, options_.application_id);
}

std::string SqliteTarget::StagingPath(std::string_view token) const {
  const backup::SwapNames names(options_.path);
  return names.directory + "/" + names.staged_prefix + std::string(token);
}

absl::StatusOr<std::string> SqliteTarget::Replace(const std::string& staged,
                                                  const BackupControl& control) const {
  const backup::SwapNames names(options_.path);
  NTA_ASSIGN_OR_RETURN(const backup::Descriptor directory, backup::LockForRestore(names));
  NTA_RETURN_IF_ERROR(CheckReplaceable());
  if (options_.prepare) NTA_RETURN_IF_ERROR(options_.prepare(staged));
  // Opening it may have made a log, which would not move with it.
  NTA_ASSIGN_OR_RETURN(const bool settled, backup::Settle(staged, options_.lock_timeout));
  if (!settled) return Refuse(absl::StatusCode::kDataLoss, "is damaged");
  {
    NTA_ASSIGN_OR_RETURN(const backup::Descriptor file, backup::OpenFile(AT_FDCWD, staged));
    NTA_RETURN_IF_ERROR(backup::Sync(file.get(), staged));
  }
  if (control.stop.stop_requested()) {
    return base::MakeStatus(absl::StatusCode::kCancelled, "the restore was cancelled");
  }
  if (control.progress) control.progress({BackupPhase::kSwap, 0, 1});
  bool had_database = false;
  const std::string name = staged.substr(staged.rfind('/') + 1);
  const auto swap = [&]() -> absl::Status {
    NTA_ASSIGN_OR_RETURN(had_database,
                         backup::Swap(directory.get(), names, name, options_.lock_timeout));
    return absl::OkStatus();
  };
  const auto undo = [&] {
    if (!had_database) unlinkat(directory.get(), names.database.c_str(), 0);
    return backup::Undo(directory.get(), names);
  };
  NTA_RETURN_IF_ERROR(options_.while_closed ? options_.while_closed(swap, undo) : swap());
  unlinkat(directory.get(), names.marker.c_str(), 0);
  if (control.progress) control.progress({BackupPhase::kSwap, 1, 1});
  return had_database ? names.directory + "/" + names.previous : std::string();
}

}  // namespace nta
