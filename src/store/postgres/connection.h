// PgConnection: one connection to PostgreSQL, with values in binary both ways.
#ifndef NTA_STORE_POSTGRES_CONNECTION_H_
#define NTA_STORE_POSTGRES_CONNECTION_H_

#include <libpq-fe.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"

namespace nta::store {

// The values of a statement's parameters $1, $2, ... in their order.
class PgValues {
 public:
  PgValues& Add(std::int64_t value);
  PgValues& Add(std::uint64_t value) { return Add(static_cast<std::int64_t>(value)); }
  PgValues& Add(int value) { return Add(std::int64_t{value}); }
  PgValues& Add(double value);
  PgValues& Add(std::string_view text);
  PgValues& Add(const std::string& text) { return Add(std::string_view(text)); }
  PgValues& Add(const char* text) { return Add(std::string_view(text)); }
  PgValues& Add(std::span<const std::uint8_t> bytes);
  PgValues& Add(const IpAddress& address);
  PgValues& Add(std::nullptr_t);
  template <typename Value>
  PgValues& Add(const std::optional<Value>& value) {
    return value ? Add(*value) : Add(nullptr);
  }

 private:
  friend class PgConnection;
  PgValues& AddAs(Oid type, std::string bytes);

  std::vector<Oid> types_;
  std::vector<std::string> bytes_;
  std::vector<bool> null_;
};
template <typename... Values>
PgValues PgList(const Values&... values) {
  PgValues list;
  (list.Add(values), ...);
  return list;
}

// A text that may hold what PostgreSQL's texts may not (NUL, bytes that are not UTF-8): for columns
// of type bytea.
inline std::span<const std::uint8_t> AsBytea(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// inet as PostgreSQL sends and takes it.
std::string EncodeInet(const IpAddress& address);
// Absent when this is not a single address.
std::optional<IpAddress> DecodeInet(std::string_view bytes);
// Big-endian, as all numbers are.
std::string EncodeInteger(std::uint64_t value, std::size_t bytes);
std::uint64_t DecodeInteger(std::string_view bytes);

// The rows of an answer.
class PgRows {
 public:
  int size() const { return PQntuples(result_.get()); }
  bool IsNull(int row, int column) const { return PQgetisnull(result_.get(), row, column) != 0; }
  std::int64_t Integer(int row, int column) const;  // of any width; 0 when absent
  std::uint64_t Count(int row, int column) const {
    return static_cast<std::uint64_t>(Integer(row, column));
  }
  double Real(int row, int column) const;
  std::string_view Text(int row, int column) const { return Bytes(row, column); }
  std::string_view Bytes(int row, int column) const;
  // How many rows a command has touched.
  std::uint64_t touched() const;

 private:
  friend class PgConnection;
  struct Clearer {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  explicit PgRows(PGresult* result) : result_(result) {}
  std::unique_ptr<PGresult, Clearer> result_;
};

// One thread at a time.
class PgConnection {
 public:
  // Unavailable when nobody answers there, PermissionDenied, NotFound when there is no such
  // database.
  static absl::StatusOr<std::unique_ptr<PgConnection>> Open(const std::string& url);

  absl::Status Execute(const std::string& sql);  // one or more statements without parameters
  absl::StatusOr<PgRows> Query(const std::string& sql, const PgValues& values = {});
  absl::Status Run(const std::string& sql, const PgValues& values = {});
  // The one integer that the statement gives.
  absl::StatusOr<std::int64_t> QueryInteger(const std::string& sql, const PgValues& values = {});

  // COPY ... FROM STDIN: calls next until it appends nothing.
  absl::Status CopyIn(const std::string& sql, absl::FunctionRef<void(std::string&)> next);
  // COPY ... TO STDOUT: each message in turn, until visit fails.
  absl::Status CopyOut(const std::string& sql,
                       absl::FunctionRef<absl::Status(std::string_view)> visit);

  // From now on statements give up with DeadlineExceeded at `deadline` and with Cancelled when a
  // stop is requested.
  void SetLimits(std::chrono::steady_clock::time_point deadline, std::stop_token stop);
  void ClearLimits();
  absl::Status CheckLimits() const;
  // False after the connection was lost.
  bool IsAlive() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  // Ends whatever a failed operation left open.
  void RollBack();

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct Limits {
    std::chrono::steady_clock::time_point deadline;
    std::stop_token stop;
  };
  explicit PgConnection(PGconn* connection) : connection_(connection) {}
  // What every new connection is told.
  absl::Status Greet();
  absl::Status Failure(const PGresult* result) const;
  absl::Status ArmTimeout();
  absl::Status FinishCopy(absl::Status status);

  std::unique_ptr<PGconn, Closer> connection_;
  std::optional<Limits> limits_;
};

// Rolled back unless committed.
class PgTransaction {
 public:
  // Reads one moment.
  static absl::StatusOr<PgTransaction> BeginRead(PgConnection& connection);
  // Waits for other writers of the store, in whatever process they are.
  static absl::StatusOr<PgTransaction> BeginWrite(PgConnection& connection);
  PgTransaction(PgTransaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  PgTransaction& operator=(PgTransaction&&) = delete;
  ~PgTransaction();
  absl::Status Commit();

 private:
  explicit PgTransaction(PgConnection& connection) : connection_(&connection) {}
  PgConnection* connection_;
};

}  // namespace nta::store

#endif  // NTA_STORE_POSTGRES_CONNECTION_H_
