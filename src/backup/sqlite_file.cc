#include "backup/sqlite_file.h"

#include "base/status.h"

namespace nta::backup {
namespace {

using Code = absl::StatusCode;

Code CodeOf(sqlite3* database, int result) {
  const int error = database == nullptr ? 0 : sqlite3_system_errno(database);
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_ERROR:  // a schema or a statement about it that makes no sense
      return Code::kDataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Code::kResourceExhausted;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR:
      return error == 0 ? Code::kUnavailable : base::ErrnoStatus(error, "").code();
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::kUnavailable;
    case SQLITE_READONLY:
    case SQLITE_PERM:
      return Code::kPermissionDenied;
    case SQLITE_INTERRUPT:
      return Code::kCancelled;
    default:
      return Code::kInternal;
  }
}

struct Finalizer {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};

}  // namespace

absl::StatusOr<Database> Database::Open(const std::string& path, int flags, Links links) {
  // Names like "file:x?mode=memory" are URIs to SQLite.
  const std::string name = path.starts_with('/') ? path : "./" + path;
  if (links == Links::kRefuse) flags |= SQLITE_OPEN_NOFOLLOW;
  sqlite3* opened = nullptr;
  const int result = sqlite3_open_v2(name.c_str(), &opened, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(opened);
  NTA_RETURN_IF_ERROR(database.StatusOf(result));
  sqlite3_extended_result_codes(opened, 1);
  sqlite3_db_config(opened, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  for (const int option : {SQLITE_DBCONFIG_TRUSTED_SCHEMA, SQLITE_DBCONFIG_ENABLE_TRIGGER,
                           SQLITE_DBCONFIG_ENABLE_VIEW}) {
    sqlite3_db_config(opened, option, 0, nullptr);
  }
  sqlite3_limit(opened, SQLITE_LIMIT_ATTACHED, 0);
  NTA_RETURN_IF_ERROR(database.Execute("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0"));
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  return StatusOf(sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr));
}

absl::StatusOr<std::vector<std::string>> Database::Texts(const std::string& sql, std::size_t most) {
  sqlite3_stmt* prepared = nullptr;
  NTA_RETURN_IF_ERROR(StatusOf(sqlite3_prepare_v2(get(), sql.c_str(), -1, &prepared, nullptr)));
  const std::unique_ptr<sqlite3_stmt, Finalizer> statement(prepared);
  std::vector<std::string> texts;
  while (texts.size() < most) {
    const int result = sqlite3_step(prepared);
    if (result == SQLITE_DONE) break;
    if (result != SQLITE_ROW) return StatusOf(result);
    const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(prepared, 0));
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(prepared, 0));
    texts.push_back(text == nullptr ? std::string() : std::string(text, size));
  }
  return texts;
}

absl::StatusOr<std::int64_t> Database::Integer(const std::string& sql) {
  sqlite3_stmt* prepared = nullptr;
  NTA_RETURN_IF_ERROR(StatusOf(sqlite3_prepare_v2(get(), sql.c_str(), -1, &prepared, nullptr)));
  const std::unique_ptr<sqlite3_stmt, Finalizer> statement(prepared);
  const int result = sqlite3_step(prepared);
  if (result == SQLITE_ROW) return sqlite3_column_int64(prepared, 0);
  return result == SQLITE_DONE ? absl::StatusOr<std::int64_t>(0) : StatusOf(result);
}

absl::Status Database::StatusOf(int result) const {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) {
    return absl::OkStatus();
  }
  const bool has_text = get() != nullptr && (sqlite3_errcode(get()) & 0xff) == (result & 0xff);
  return base::MakeStatus(CodeOf(get(), result),
                          has_text ? sqlite3_errmsg(get()) : sqlite3_errstr(result));
}

void Database::StopOn(std::stop_token stop) {
  *stop_ = std::move(stop);
  sqlite3_progress_handler(
      get(), 10'000,
      [](void* token) { return static_cast<std::stop_token*>(token)->stop_requested() ? 1 : 0; },
      stop_.get());
}

}  // namespace nta::backup
