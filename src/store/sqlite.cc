#include "store/sqlite.h"

#include <cerrno>

#include "base/status.h"

namespace nta::store {
namespace {

using Code = absl::StatusCode;

Code CodeOfErrno(int error) { return base::ErrnoStatus(error, "").code(); }

Code CodeOf(sqlite3* database, int result) {
  const int error = database == nullptr ? 0 : sqlite3_system_errno(database);
  switch (result & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Code::kDataLoss;
    case SQLITE_FULL:
    case SQLITE_NOMEM:
      return Code::kResourceExhausted;
    case SQLITE_IOERR: {
      if (result == SQLITE_IOERR_NOMEM) return Code::kResourceExhausted;
      if (result == SQLITE_IOERR_SHORT_READ || result == SQLITE_IOERR_CORRUPTFS) {
        return Code::kDataLoss;
      }
      // A full disk shows here, too, when the shared memory beside the log cannot grow. A disk that
      // cannot be read is not yet a damaged file.
      const Code code = CodeOfErrno(error);
      return code == Code::kUnknown ? Code::kUnavailable : code;
    }
    case SQLITE_CANTOPEN: {
      const Code code = CodeOfErrno(error);
      return code == Code::kUnknown ? Code::kUnavailable : code;
    }
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return Code::kPermissionDenied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return Code::kUnavailable;
    case SQLITE_INTERRUPT:
      return Code::kDeadlineExceeded;
    case SQLITE_CONSTRAINT:
      return result == SQLITE_CONSTRAINT_PRIMARYKEY || result == SQLITE_CONSTRAINT_UNIQUE
                 ? Code::kAlreadyExists
                 : Code::kInvalidArgument;
    case SQLITE_TOOBIG:
      return Code::kInvalidArgument;
    default:
      return Code::kInternal;
  }
}

}  // namespace

absl::Status SqliteStatus(sqlite3* database, int result) {
  if (result == SQLITE_OK || result == SQLITE_ROW || result == SQLITE_DONE) {
    return absl::OkStatus();
  }
  const int extended =
      database != nullptr && (sqlite3_extended_errcode(database) & 0xff) == (result & 0xff)
          ? sqlite3_extended_errcode(database)
          : result;
  const char* path = database == nullptr ? nullptr : sqlite3_db_filename(database, "main");
  std::string text = "store";
  if (path != nullptr && *path != '\0') text += " \"" + std::string(path) + "\"";
  text += ": ";
  if ((result & 0xff) == SQLITE_INTERRUPT) {
    text += "the query took longer than its time limit";
  } else {
    text += database == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(database);
  }
  return base::MakeStatus(CodeOf(database, extended), text);
}

absl::StatusOr<Statement> Statement::Prepare(sqlite3* database, std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  const int result = sqlite3_prepare_v3(database, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return SqliteStatus(database, result);
  return Statement(statement);
}

Statement& Statement::Bind(std::string_view text) {
  // A null pointer would bind NULL.
  const char* data = text.data() == nullptr ? "" : text.data();
  return Bound(sqlite3_bind_text64(get(), ++next_, data, text.size(), SQLITE_STATIC, SQLITE_UTF8));
}

Statement& Statement::Bind(std::span<const std::uint8_t> blob) {
  return Bound(sqlite3_bind_blob64(get(), ++next_, blob.data(), blob.size(), SQLITE_STATIC));
}

absl::StatusOr<bool> Statement::Step() {
  if (error_ != SQLITE_OK) return SqliteStatus(sqlite3_db_handle(get()), error_);
  const int result = sqlite3_step(get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return SqliteStatus(sqlite3_db_handle(get()), result);
}

absl::Status Statement::Run() {
  absl::Status status;
  while (true) {
    const absl::StatusOr<bool> row = Step();
    if (!row.ok()) status = row.status();
    if (!row.ok() || !*row) break;
  }
  Reset();
  return status;
}

void Statement::Reset() {
  // Its result repeats the error of the last Step.
  static_cast<void>(sqlite3_reset(get()));
  sqlite3_clear_bindings(get());
  next_ = 0;
  error_ = SQLITE_OK;
}

std::string_view Statement::Text(int column) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
}

std::span<const std::uint8_t> Statement::Blob(int column) {
  const auto* blob = static_cast<const std::uint8_t*>(sqlite3_column_blob(get(), column));
  if (blob == nullptr) return {};
  return {blob, static_cast<std::size_t>(sqlite3_column_bytes(get(), column))};
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const std::string& path, int flags) {
  // One thread at a time is the contract, so SQLite need not lock.
  sqlite3* database = nullptr;
  const int result = sqlite3_open_v2(path.c_str(), &database, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<Connection> connection(new Connection(database, Closer()));
  if (result != SQLITE_OK) return SqliteStatus(database, result);
  sqlite3_extended_result_codes(database, 1);
  return connection;
}

std::unique_ptr<Connection> Connection::Borrow(sqlite3* database) {
  return std::unique_ptr<Connection>(new Connection(database, Closer{.is_owner = false}));
}

absl::Status Connection::Execute(const std::string& sql) {
  return SqliteStatus(get(), sqlite3_exec(get(), sql.c_str(), nullptr, nullptr, nullptr));
}

absl::StatusOr<std::int64_t> Connection::QueryInteger(std::string_view sql) {
  NTA_ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(get(), sql));
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Integer(0) : 0;
}

absl::StatusOr<Statement*> Connection::Cached(const char* sql) {
  auto found = cached_.find(sql);
  if (found == cached_.end()) {
    NTA_ASSIGN_OR_RETURN(Statement statement, Statement::Prepare(get(), sql));
    found = cached_.emplace(sql, std::move(statement)).first;
  }
  found->second.Reset();
  return &found->second;
}

void Connection::ResetCached() {
  for (auto& [sql, statement] : cached_) statement.Reset();
}

void Connection::SetDeadline(std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  // About 0.1 ms of work between two looks at the clock.
  constexpr int kInstructions = 2000;
  is_limited_ = true;
  limits_ = {deadline, std::move(stop)};
  sqlite3_progress_handler(
      get(), kInstructions,
      [](void* limits) { return static_cast<const Limits*>(limits)->Reached() ? 1 : 0; }, &limits_);
}

void Connection::ClearDeadline() {
  is_limited_ = false;
  progress_ = nullptr;
  limits_ = {};
  sqlite3_progress_handler(get(), 0, nullptr, nullptr);
}

absl::Status Connection::CheckDeadline() const {
  if (!is_limited_ || !limits_.Reached()) return absl::OkStatus();
  if (limits_.stop.stop_requested()) {
    return base::MakeStatus(absl::StatusCode::kCancelled, "store: the query was cancelled");
  }
  return SqliteStatus(get(), SQLITE_INTERRUPT);
}

absl::StatusOr<Transaction> Transaction::BeginRead(Connection& connection) {
  NTA_RETURN_IF_ERROR(connection.Execute("BEGIN"));
  return Transaction(connection);
}

absl::StatusOr<Transaction> Transaction::BeginWrite(Connection& connection) {
  NTA_RETURN_IF_ERROR(connection.Execute("BEGIN IMMEDIATE"));
  return Transaction(connection);
}

Transaction::~Transaction() {
  // SQLite has already rolled back by itself after some errors, a full disk among them.
  if (connection_ == nullptr || sqlite3_get_autocommit(connection_->get()) != 0) return;
  sqlite3_exec(connection_->get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

absl::Status Transaction::Commit() {
  NTA_RETURN_IF_ERROR(connection_->Execute("COMMIT"));
  connection_ = nullptr;
  return absl::OkStatus();
}

}  // namespace nta::store
