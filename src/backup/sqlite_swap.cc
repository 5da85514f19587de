#include "backup/sqlite_swap.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "backup/sqlite_file.h"
#include "base/status.h"
#include "nta/backup/sqlite_target.h"

namespace nta::backup {
namespace {

constexpr std::size_t kMaxMarkerBytes = 4096;

void Remove(int directory, const std::string& name) { unlinkat(directory, name.c_str(), 0); }

// NotFound is no error: there may be no log.
absl::Status Move(int directory, const std::string& from, const std::string& to) {
  if (renameat(directory, from.c_str(), directory, to.c_str()) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  return base::ErrnoStatus(errno, "cannot rename \"" + from + "\"");
}

bool AreOneFile(int directory, const std::string& a, const std::string& b) {
  struct stat one {};
  struct stat other {};
  return fstatat(directory, a.c_str(), &one, AT_SYMLINK_NOFOLLOW) == 0 &&
         fstatat(directory, b.c_str(), &other, AT_SYMLINK_NOFOLLOW) == 0 &&
         one.st_ino == other.st_ino && one.st_dev == other.st_dev;
}

// Lets DB be known as DB-previous, too. Where the file system knows no links it is DB no more,
// until the staged file is; the marker guards that moment.
absl::Status KeepPrevious(int directory, const SwapNames& names) {
  if (linkat(directory, names.database.c_str(), directory, names.previous.c_str(), 0) == 0) {
    return absl::OkStatus();
  }
  return Move(directory, names.database, names.previous);
}

// What killed restores have staged. One that goes on holds a lock on its file.
void RemoveAbandoned(int directory, const SwapNames& names) {
  for (const std::string& name : NamesIn(directory)) {
    if (!name.starts_with(names.staged_prefix)) continue;
    // The file that "DB-restore-TOKEN-wal" belongs to.
    const std::size_t end = name.find('-', names.staged_prefix.size());
    const Descriptor staged(openat(directory, name.substr(0, end).c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!staged.valid() || flock(staged.get(), LOCK_EX | LOCK_NB) == 0) Remove(directory, name);
  }
}

}  // namespace

SwapNames::SwapNames(const std::string& database_path) {
  // Where a link leads is where the files beside it are.
  std::error_code missing;
  const std::filesystem::path resolved = std::filesystem::weakly_canonical(database_path, missing);
  const std::filesystem::path path = missing ? std::filesystem::path(database_path) : resolved;
  directory = path.has_parent_path() ? path.parent_path().string() : ".";
  database = path.filename().string();
  staged_prefix = database + "-restore-";
  marker = database + "-restoring";
  previous = database + "-previous";
}

absl::StatusOr<Descriptor> LockForRestore(const SwapNames& names) {
  NTA_ASSIGN_OR_RETURN(Descriptor directory, OpenDirectory(names.directory));
  if (flock(directory.get(), LOCK_EX | LOCK_NB) == 0) return directory;
  return base::MakeStatus(absl::StatusCode::kUnavailable,
                          "another restore is going on in \"" + names.directory + "\"");
}

absl::StatusOr<bool> Settle(const std::string& path, std::chrono::milliseconds lock_timeout) {
  absl::StatusOr<Database> database = Database::Open(path, SQLITE_OPEN_READWRITE, Links::kRefuse);
  if (!database.ok())
    return absl::IsDataLoss(database.status()) ? absl::StatusOr<bool>(false)
                                               : absl::StatusOr<bool>(database.status());
  sqlite3_busy_timeout(database->get(), static_cast<int>(lock_timeout.count()));
  // The log of a file that cannot be read may be worth more than the file.
  sqlite3_db_config(database->get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // Leaving the write-ahead log works only for one who is alone; the log is emptied into the file
  // and removed.
  absl::Status status = database->Execute("PRAGMA locking_mode=EXCLUSIVE");
  if (status.ok()) {
    const auto mode = database->Texts("PRAGMA journal_mode=DELETE", 1);
    status = mode.status();
    if (status.ok() && (mode->empty() || mode->front() != "delete")) {
      status = base::MakeStatus(absl::StatusCode::kUnavailable, "the log could not be left");
    }
  }
  if (status.ok()) status = database->Execute("BEGIN EXCLUSIVE; COMMIT");
  if (status.ok()) return true;
  if (absl::IsUnavailable(status)) {
    return base::MakeStatus(absl::StatusCode::kUnavailable,
                            "another process has \"" + path + "\" open");
  }
  if (absl::IsDataLoss(status)) return false;
  return status;
}

absl::StatusOr<bool> Swap(int directory, const SwapNames& names, const std::string& staged,
                          std::chrono::milliseconds lock_timeout) {
  const bool has_database = Exists(directory, names.database);
  if (has_database) {
    NTA_RETURN_IF_ERROR(Settle(names.directory + "/" + names.database, lock_timeout).status());
  }
  for (const char* suffix : {"", "-wal", "-shm", "-journal"}) {
    Remove(directory, names.previous + suffix);
  }
  NTA_RETURN_IF_ERROR(ReplaceText(directory, names.marker, staged));
  if (has_database) NTA_RETURN_IF_ERROR(KeepPrevious(directory, names));
  // Of a database that is too damaged to be settled, or was removed without its log. A log that is
  // not of the new file would be written into it.
  for (const char* suffix : {"-wal", "-journal"}) {
    NTA_RETURN_IF_ERROR(Move(directory, names.database + suffix, names.previous + suffix));
  }
  Remove(directory, names.database + "-shm");
  NTA_RETURN_IF_ERROR(Sync(directory, names.directory));
  if (renameat(directory, staged.c_str(), directory, names.database.c_str()) != 0) {
    const absl::Status status = base::ErrnoStatus(errno, "cannot put the restored data in place");
    NTA_RETURN_IF_ERROR(Undo(directory, names));
    return status;
  }
  NTA_RETURN_IF_ERROR(Sync(directory, names.directory));
  return has_database;
}

absl::Status Undo(int directory, const SwapNames& names) {
  if (Exists(directory, names.previous)) {
    // A log beside it is that of the restored data, unless nothing was moved yet.
    if (Exists(directory, names.database) &&
        !AreOneFile(directory, names.database, names.previous)) {
      for (const char* suffix : {"-wal", "-shm", "-journal"}) {
        Remove(directory, names.database + suffix);
      }
    }
    NTA_RETURN_IF_ERROR(Move(directory, names.previous, names.database));
    // rename() between two names of one file does nothing.
    Remove(directory, names.previous);
  }
  for (const char* suffix : {"-wal", "-journal"}) {
    NTA_RETURN_IF_ERROR(Move(directory, names.previous + suffix, names.database + suffix));
  }
  Remove(directory, names.marker);
  return Sync(directory, names.directory);
}

}  // namespace nta::backup

namespace nta {

absl::StatusOr<RestoreRecovery> RecoverRestore(const std::string& database_path) {
  const backup::SwapNames names(database_path);
  absl::StatusOr<backup::Descriptor> directory = backup::LockForRestore(names);
  // Without the directory there is nothing to recover; opening will tell.
  if (absl::IsNotFound(directory.status())) return RestoreRecovery::kNothing;
  NTA_RETURN_IF_ERROR(directory.status());
  RestoreRecovery recovery = RestoreRecovery::kNothing;
  absl::StatusOr<std::string> staged =
      backup::ReadText(directory->get(), names.marker, backup::kMaxMarkerBytes);
  if (staged.ok()) {
    // The rename of the staged file is the one moment that decides.
    const bool swapped = !backup::Exists(directory->get(), *staged);
    recovery = swapped ? RestoreRecovery::kCompleted : RestoreRecovery::kRolledBack;
    if (!swapped) NTA_RETURN_IF_ERROR(backup::Undo(directory->get(), names));
    backup::Remove(directory->get(), names.marker);
  } else if (!absl::IsNotFound(staged.status())) {
    return staged.status();
  }
  backup::RemoveAbandoned(directory->get(), names);
  return recovery;
}

}  // namespace nta
