#include "store/postgres/connection.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <functional>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

// The types of PostgreSQL's catalogue that we send.
constexpr Oid kBytea = 17;
constexpr Oid kInt8 = 20;
constexpr Oid kText = 25;
constexpr Oid kFloat8 = 701;
constexpr Oid kInet = 869;
constexpr int kBinary = 1;

// inet's own numbers for the families.
constexpr char kFamilyV4 = 2;
constexpr char kFamilyV6 = 3;

// Other writers of one store wait for this lock: "nta1" in ASCII.
constexpr std::string_view kWriteLock = "SELECT pg_advisory_xact_lock(1853120817)";

std::string OneLine(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  return line.starts_with("ERROR:  ") ? line.substr(8) : line;
}

struct KnownState {
  std::string_view state;  // SQLSTATE, or its class of two characters
  absl::StatusCode code;
};
constexpr KnownState kStates[] = {
    {"57014", absl::StatusCode::kDeadlineExceeded},    // query_canceled
    {"23505", absl::StatusCode::kAlreadyExists},       // unique_violation
    {"22", absl::StatusCode::kInvalidArgument},        // data exception
    {"28", absl::StatusCode::kPermissionDenied},       // authorization
    {"42501", absl::StatusCode::kPermissionDenied},    // insufficient_privilege
    {"3D000", absl::StatusCode::kNotFound},            // no such database
    {"53", absl::StatusCode::kResourceExhausted},      // disk full, out of memory
    {"40", absl::StatusCode::kAborted},                // serialization failure
    {"25006", absl::StatusCode::kFailedPrecondition},  // read-only transaction
    {"XX001", absl::StatusCode::kDataLoss},            // data corrupted
    {"XX002", absl::StatusCode::kDataLoss},            // index corrupted
    {"58", absl::StatusCode::kUnavailable},            // I/O error
    {"57", absl::StatusCode::kUnavailable},            // shutdown
    {"08", absl::StatusCode::kUnavailable},            // connection
};

absl::StatusCode CodeOf(std::string_view state) {
  for (const KnownState& known : kStates) {
    if (state.starts_with(known.state)) return known.code;
  }
  return absl::StatusCode::kInternal;
}

// What libpq says when a connection fails has no state.
absl::StatusCode CodeOfConnectFailure(std::string_view text) {
  if (text.find("does not exist") != std::string_view::npos &&
      text.find("database") != std::string_view::npos) {
    return absl::StatusCode::kNotFound;
  }
  if (text.find("authentication failed") != std::string_view::npos ||
      text.find("no password supplied") != std::string_view::npos) {
    return absl::StatusCode::kPermissionDenied;
  }
  return absl::StatusCode::kUnavailable;
}

}  // namespace

std::string EncodeInteger(std::uint64_t value, std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t i = bytes; i > 0; --i, value >>= 8) text[i - 1] = static_cast<char>(value);
  return text;
}

std::uint64_t DecodeInteger(std::string_view bytes) {
  // Sign-extended: smallint and integer may be negative.
  std::uint64_t value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string EncodeInet(const IpAddress& address) {
  const auto bytes = address.bytes();
  std::string text;
  text.push_back(bytes.size() == 4 ? kFamilyV4 : kFamilyV6);
  text.push_back(static_cast<char>(bytes.size() * 8));
  text.push_back(0);  // inet, not cidr
  text.push_back(static_cast<char>(bytes.size()));
  text.append(bytes.begin(), bytes.end());
  return text;
}

std::optional<IpAddress> DecodeInet(std::string_view bytes) {
  if (bytes.size() != 8 && bytes.size() != 20) return std::nullopt;
  const std::size_t size = bytes.size() - 4;
  if (static_cast<unsigned char>(bytes[1]) != size * 8) return std::nullopt;
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data()) + 4;
  return size == 4 ? IpAddress::V4(std::span<const std::uint8_t, 4>(data, 4))
                   : IpAddress::V6(std::span<const std::uint8_t, 16>(data, 16));
}

PgValues& PgValues::AddAs(Oid type, std::string bytes) {
  types_.push_back(type);
  bytes_.push_back(std::move(bytes));
  null_.push_back(false);
  return *this;
}
PgValues& PgValues::Add(std::int64_t value) {
  return AddAs(kInt8, EncodeInteger(static_cast<std::uint64_t>(value), 8));
}
PgValues& PgValues::Add(double value) {
  return AddAs(kFloat8, EncodeInteger(std::bit_cast<std::uint64_t>(value), 8));
}
PgValues& PgValues::Add(std::string_view text) { return AddAs(kText, std::string(text)); }
PgValues& PgValues::Add(std::span<const std::uint8_t> bytes) {
  return AddAs(kBytea, std::string(bytes.begin(), bytes.end()));
}
PgValues& PgValues::Add(const IpAddress& address) { return AddAs(kInet, EncodeInet(address)); }
PgValues& PgValues::Add(std::nullptr_t) {
  AddAs(0, {});
  null_.back() = true;
  return *this;
}

std::string_view PgRows::Bytes(int row, int column) const {
  return {PQgetvalue(result_.get(), row, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}
std::int64_t PgRows::Integer(int row, int column) const {
  return static_cast<std::int64_t>(DecodeInteger(Bytes(row, column)));
}
double PgRows::Real(int row, int column) const {
  return std::bit_cast<double>(DecodeInteger(Bytes(row, column)));
}
std::uint64_t PgRows::touched() const {
  return std::strtoull(PQcmdTuples(result_.get()), nullptr, 10);
}

absl::StatusOr<std::unique_ptr<PgConnection>> PgConnection::Open(const std::string& url) {
  std::unique_ptr<PgConnection> connection(new PgConnection(PQconnectdb(url.c_str())));
  PGconn* raw = connection->connection_.get();
  if (raw == nullptr) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted, "PostgreSQL: out of memory");
  }
  if (!connection->IsAlive()) {
    const std::string reason = OneLine(PQerrorMessage(raw));
    return base::MakeStatus(CodeOfConnectFailure(reason), "PostgreSQL: " + reason);
  }
  // Notices about tables that are there already are for nobody.
  PQsetNoticeProcessor(
      raw, [](void*, const char*) {}, nullptr);
  NTA_RETURN_IF_ERROR(connection->Greet());
  return connection;
}

absl::Status PgConnection::Greet() {
  return Execute("SET client_encoding = 'UTF8'; SET search_path TO nta");
}

absl::Status PgConnection::Failure(const PGresult* result) const {
  const char* state = result == nullptr ? nullptr : PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const std::string reason =
      OneLine(result == nullptr ? PQerrorMessage(connection_.get()) : PQresultErrorMessage(result));
  if (!IsAlive() || state == nullptr) {
    return base::MakeStatus(absl::StatusCode::kUnavailable, "PostgreSQL: " + reason);
  }
  if (CodeOf(state) == absl::StatusCode::kDeadlineExceeded) {
    if (limits_ && limits_->stop.stop_requested()) {
      return base::MakeStatus(absl::StatusCode::kCancelled, "store: the query was cancelled");
    }
    return base::MakeStatus(absl::StatusCode::kDeadlineExceeded, "store: the query took too long");
  }
  return base::MakeStatus(CodeOf(state), "PostgreSQL: " + reason);
}

absl::Status PgConnection::CheckLimits() const {
  if (!limits_) return absl::OkStatus();
  if (limits_->stop.stop_requested()) {
    return base::MakeStatus(absl::StatusCode::kCancelled, "store: the query was cancelled");
  }
  if (std::chrono::steady_clock::now() >= limits_->deadline) {
    return base::MakeStatus(absl::StatusCode::kDeadlineExceeded, "store: the query took too long");
  }
  return absl::OkStatus();
}

void PgConnection::SetLimits(std::chrono::steady_clock::time_point deadline, std::stop_token stop) {
  limits_ = Limits{deadline, std::move(stop)};
}
void PgConnection::ClearLimits() { limits_.reset(); }

absl::Status PgConnection::Execute(const std::string& sql) {
  const PgRows rows(PQexec(connection_.get(), sql.c_str()));
  const ExecStatusType status = PQresultStatus(rows.result_.get());
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? absl::OkStatus()
                                                                 : Failure(rows.result_.get());
}

namespace {

// Cancels what `connection` is doing when a stop is requested.
class Canceller {
 public:
  Canceller(PGconn* connection, const std::stop_token& stop)
      : cancel_(PQgetCancel(connection), PQfreeCancel), callback_(stop, Cancel{cancel_.get()}) {}

 private:
  struct Cancel {
    PGcancel* cancel;
    void operator()() const {
      char ignored[256];
      if (cancel != nullptr) PQcancel(cancel, ignored, sizeof(ignored));
    }
  };
  std::unique_ptr<PGcancel, void (*)(PGcancel*)> cancel_;
  std::stop_callback<Cancel> callback_;
};

}  // namespace

// The server itself ends a statement that goes on for too long.
absl::Status PgConnection::ArmTimeout() {
  if (!limits_) return absl::OkStatus();
  NTA_RETURN_IF_ERROR(CheckLimits());
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      limits_->deadline - std::chrono::steady_clock::now());
  return Execute("SET statement_timeout = " + std::to_string(std::max<std::int64_t>(
                                                  1, static_cast<std::int64_t>(left.count()))));
}

absl::StatusOr<PgRows> PgConnection::Query(const std::string& sql, const PgValues& values) {
  NTA_RETURN_IF_ERROR(ArmTimeout());
  std::vector<const char*> pointers;
  std::vector<int> lengths;
  const std::vector<int> formats(values.bytes_.size(), kBinary);
  for (std::size_t i = 0; i < values.bytes_.size(); ++i) {
    pointers.push_back(values.null_[i] ? nullptr : values.bytes_[i].data());
    lengths.push_back(static_cast<int>(values.bytes_[i].size()));
  }
  const auto run = [&] {
    return PgRows(PQexecParams(connection_.get(), sql.c_str(),
                               static_cast<int>(values.bytes_.size()), values.types_.data(),
                               pointers.data(), lengths.data(), formats.data(), kBinary));
  };
  PgRows rows = [&] {
    if (!limits_ || !limits_->stop.stop_possible()) return run();
    const Canceller canceller(connection_.get(), limits_->stop);
    return run();
  }();
  const ExecStatusType status = PQresultStatus(rows.result_.get());
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return rows;
  return Failure(rows.result_.get());
}

absl::Status PgConnection::Run(const std::string& sql, const PgValues& values) {
  return Query(sql, values).status();
}

absl::StatusOr<std::int64_t> PgConnection::QueryInteger(const std::string& sql,
                                                        const PgValues& values) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows, Query(sql, values));
  return rows.size() > 0 ? rows.Integer(0, 0) : 0;
}

// What the server says at the end of a copy, unless we had a reason of our own to end it.
absl::Status PgConnection::FinishCopy(absl::Status status) {
  while (PGresult* result = PQgetResult(connection_.get())) {
    const PgRows rows(result);
    if (status.ok() && PQresultStatus(result) != PGRES_COMMAND_OK) status = Failure(result);
  }
  return status;
}

absl::Status PgConnection::CopyIn(const std::string& sql,
                                  absl::FunctionRef<void(std::string&)> next) {
  {
    const PgRows begun(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(begun.result_.get()) != PGRES_COPY_IN) return Failure(begun.result_.get());
  }
  std::string buffer;
  bool sent = true;
  while (sent) {
    buffer.clear();
    next(buffer);
    if (buffer.empty()) break;
    sent = PQputCopyData(connection_.get(), buffer.data(), static_cast<int>(buffer.size())) == 1;
  }
  sent = sent && PQputCopyEnd(connection_.get(), nullptr) == 1;
  return FinishCopy(sent ? absl::OkStatus() : Failure(nullptr));
}

absl::Status PgConnection::CopyOut(const std::string& sql,
                                   absl::FunctionRef<absl::Status(std::string_view)> visit) {
  NTA_RETURN_IF_ERROR(ArmTimeout());
  {
    const PgRows begun(PQexec(connection_.get(), sql.c_str()));
    if (PQresultStatus(begun.result_.get()) != PGRES_COPY_OUT) return Failure(begun.result_.get());
  }
  absl::Status status;
  while (true) {
    char* raw = nullptr;
    const int size = PQgetCopyData(connection_.get(), &raw, 0);
    if (size < 0) break;
    const std::unique_ptr<char, void (*)(void*)> message(raw, PQfreemem);
    status = visit({raw, static_cast<std::size_t>(size)});
    if (status.ok()) continue;
    // The rest would have to be read, and a request to stop may reach a later statement: a new
    // connection is cheaper and certain.
    PQreset(connection_.get());
    Greet().IgnoreError();
    return status;
  }
  return FinishCopy(std::move(status));
}

void PgConnection::RollBack() {
  limits_.reset();
  if (!IsAlive()) {
    PQreset(connection_.get());
    Greet().IgnoreError();
    return;
  }
  if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) Execute("ROLLBACK").IgnoreError();
  Execute("SET statement_timeout = 0").IgnoreError();
}

absl::StatusOr<PgTransaction> PgTransaction::BeginRead(PgConnection& connection) {
  NTA_RETURN_IF_ERROR(
      connection.Execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  return PgTransaction(connection);
}

absl::StatusOr<PgTransaction> PgTransaction::BeginWrite(PgConnection& connection) {
  NTA_RETURN_IF_ERROR(connection.Execute("BEGIN TRANSACTION ISOLATION LEVEL READ COMMITTED"));
  PgTransaction transaction(connection);
  NTA_RETURN_IF_ERROR(connection.Run(std::string(kWriteLock)));
  return transaction;
}

PgTransaction::~PgTransaction() {
  if (connection_ != nullptr && connection_->IsAlive()) {
    connection_->Execute("ROLLBACK").IgnoreError();
  }
}

absl::Status PgTransaction::Commit() {
  return std::exchange(connection_, nullptr)->Execute("COMMIT");
}

}  // namespace nta::store
