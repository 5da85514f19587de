// Connection, Statement, Transaction: SQLite with absl::Status.
#ifndef NTA_STORE_SQLITE_H_
#define NTA_STORE_SQLITE_H_

#include <chrono>
#include <concepts>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "store/sqlite_api.h"

namespace nta::store {

// How long a connection waits for the locks of others.
inline constexpr int kBusyMilliseconds = 5'000;

// A prepared statement. Binding errors show in the next Step. Lives no longer than its connection.
class Statement {
 public:
  static absl::StatusOr<Statement> Prepare(sqlite3* database, std::string_view sql);

  // Binds to the next parameter, from the first on after Prepare and Reset. Texts and blobs must
  // live until Reset.
  template <std::integral Integer>
  Statement& Bind(Integer value) {
    return Bound(sqlite3_bind_int64(get(), ++next_, static_cast<sqlite3_int64>(value)));
  }
  Statement& Bind(double value) { return Bound(sqlite3_bind_double(get(), ++next_, value)); }
  Statement& Bind(std::nullptr_t) { return Bound(sqlite3_bind_null(get(), ++next_)); }
  Statement& Bind(std::string_view text);
  Statement& Bind(std::span<const std::uint8_t> blob);
  template <typename... Values>
  Statement& BindAll(const Values&... values) {
    (Bind(values), ...);
    return *this;
  }

  // The next Bind is for parameter `position`.
  Statement& From(int position) {
    next_ = position - 1;
    return *this;
  }

  // True when there is a row to read.
  absl::StatusOr<bool> Step();
  // Runs to the end and resets: for statements without rows.
  absl::Status Run();
  void Reset();

  std::int64_t Integer(int column) { return sqlite3_column_int64(get(), column); }
  std::uint64_t Count(int column) { return static_cast<std::uint64_t>(Integer(column)); }
  double Real(int column) { return sqlite3_column_double(get(), column); }
  bool IsBlob(int column) { return sqlite3_column_type(get(), column) == SQLITE_BLOB; }
  bool IsNull(int column) { return sqlite3_column_type(get(), column) == SQLITE_NULL; }
  // Valid until the next Step or Reset.
  std::string_view Text(int column);
  std::span<const std::uint8_t> Blob(int column);

 private:
  struct Finalizer {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* get() const { return statement_.get(); }
  Statement& Bound(int result) {
    if (result != SQLITE_OK && error_ == SQLITE_OK) error_ = result;
    return *this;
  }

  std::unique_ptr<sqlite3_stmt, Finalizer> statement_;
  int next_ = 0;
  int error_ = SQLITE_OK;
};

// The status for what just failed on `database`, with the path in its text.
absl::Status SqliteStatus(sqlite3* database, int result);

// One connection. One thread at a time.
class Connection {
 public:
  // `flags` as for sqlite3_open_v2.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(const std::string& path, int flags);
  // Somebody else's, who closes it after this.
  static std::unique_ptr<Connection> Borrow(sqlite3* database);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  absl::Status Execute(const std::string& sql);
  // The one integer that `sql` gives.
  absl::StatusOr<std::int64_t> QueryInteger(std::string_view sql);
  // A statement that is kept for the next use; reset and without values. `sql` must be a literal.
  absl::StatusOr<Statement*> Cached(const char* sql);
  void ResetCached();
  absl::StatusOr<Statement> Prepare(const std::string& sql) {
    return Statement::Prepare(database_.get(), sql);
  }
  sqlite3* get() const { return database_.get(); }

  // StoreOptions::flows_per_block; only of the connection that writes.
  std::size_t flows_per_block = 32'768;
  // Free pages wait for readers to end before they can be given back; of the same one.
  bool owes_space = false;

  // Statements give up with DeadlineExceeded from `deadline` on, and with Cancelled when a stop is
  // requested.
  void SetDeadline(std::chrono::steady_clock::time_point deadline, std::stop_token stop = {});
  void ClearDeadline();
  // The same for work between statements.
  absl::Status CheckDeadline() const;

  // Whom ReportProgress tells; borrowed until the next call. Null: nobody.
  void SetProgress(const std::function<void(double)>* progress) { progress_ = progress; }
  void ReportProgress(std::size_t done, std::size_t all) const {
    if (progress_ != nullptr && *progress_ && all > 0) {
      (*progress_)(static_cast<double>(done) / static_cast<double>(all));
    }
  }

 private:
  struct Closer {
    bool is_owner = true;
    void operator()(sqlite3* database) const {
      if (is_owner) sqlite3_close_v2(database);
    }
  };
  Connection(sqlite3* database, Closer closer) : database_(database, closer) {}

  std::unique_ptr<sqlite3, Closer> database_;  // outlives the statements below
  std::unordered_map<const char*, Statement> cached_;
  struct Limits {
    std::chrono::steady_clock::time_point deadline{};
    std::stop_token stop;
    bool Reached() const {
      return stop.stop_requested() || std::chrono::steady_clock::now() >= deadline;
    }
  };
  bool is_limited_ = false;
  Limits limits_;
  const std::function<void(double)>* progress_ = nullptr;
};

// Rolled back unless committed.
class Transaction {
 public:
  static absl::StatusOr<Transaction> BeginRead(Connection& connection);
  static absl::StatusOr<Transaction> BeginWrite(Connection& connection);
  Transaction(Transaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  absl::Status Commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace nta::store

#endif  // NTA_STORE_SQLITE_H_
