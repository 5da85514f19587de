#include <limits>
#include <string>

#include "base/status.h"
#include "store/checks.h"
#include "store/cursor.h"
#include "store/operations.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr char kCursorKind = 'a';

void BindAddress(Statement& statement, const std::optional<IpAddress>& address) {
  if (address) {
    statement.Bind(address->bytes());
  } else {
    statement.Bind(nullptr);
  }
}

absl::Status WriteEvidence(Connection& connection, const Alert& alert) {
  NTA_ASSIGN_OR_RETURN(Statement * remove,
                       connection.Cached("DELETE FROM alert_evidence WHERE alert_id = ?"));
  NTA_RETURN_IF_ERROR(remove->Bind(std::string_view(alert.id)).Run());
  NTA_ASSIGN_OR_RETURN(Statement * insert,
                       connection.Cached("INSERT INTO alert_evidence VALUES(?, ?, ?, ?, ?)"));
  for (const auto& [name, value] : alert.evidence) {
    const auto write = [&, &key = name](int position, std::string_view kind, const auto& v) {
      insert->BindAll(std::string_view(alert.id), std::string_view(key), position, kind, v);
      return insert->Run();
    };
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "integer", *integer));
    } else if (const auto* real = std::get_if<double>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "real", *real));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "text", std::string_view(*text)));
    } else {
      // A row without a value says that there is a list, which may be empty.
      NTA_RETURN_IF_ERROR(write(-1, "list", nullptr));
      int position = 0;
      for (const std::string& item : std::get<std::vector<std::string>>(value)) {
        NTA_RETURN_IF_ERROR(write(position++, "list", std::string_view(item)));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status WriteAlert(Connection& connection, const Alert& alert) {
  NTA_ASSIGN_OR_RETURN(Statement * insert,
                       connection.Cached("INSERT OR REPLACE INTO alerts VALUES(?, ?, ?, ?, ?, ?, "
                                         "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert->BindAll(std::string_view(alert.id), ToInteger(alert.time),
                  std::string_view(alert.detector), ToString(alert.alert_class),
                  static_cast<int>(alert.severity), alert.score, alert.observed, alert.expected,
                  std::string_view(alert.unit));
  BindAddress(*insert, alert.entity.source);
  BindAddress(*insert, alert.entity.destination);
  if (alert.entity.service) {
    insert->Bind(std::string_view(*alert.entity.service));
  } else {
    insert->Bind(nullptr);
  }
  const auto count = std::min<std::uint64_t>(alert.count, std::numeric_limits<std::int64_t>::max());
  insert->BindAll(alert.window.count(), std::string_view(alert.technique),
                  static_cast<int>(alert.state), count, std::string_view(alert.summary));
  NTA_RETURN_IF_ERROR(insert->Run());
  return WriteEvidence(connection, alert);
}

absl::Status Damaged(const std::string& id) {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the store is damaged: alert \"" + id + "\" cannot be read");
}

// SQLite keeps a NaN as NULL.
double ReadReal(Statement& statement, int column) {
  return statement.IsNull(column) ? std::numeric_limits<double>::quiet_NaN()
                                  : statement.Real(column);
}

absl::Status ReadEvidence(Connection& connection, Alert& alert) {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection.Cached("SELECT name, position, kind, value FROM alert_evidence "
                                         "WHERE alert_id = ? ORDER BY name, position"));
  statement->Bind(std::string_view(alert.id));
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
    if (!row) return absl::OkStatus();
    EvidenceValue& value = alert.evidence[std::string(statement->Text(0))];
    const std::string_view kind = statement->Text(2);
    if (kind == "integer") {
      value = statement->Integer(3);
    } else if (kind == "real") {
      value = ReadReal(*statement, 3);
    } else if (kind == "text") {
      value = std::string(statement->Text(3));
    } else if (kind == "list" && statement->Integer(1) < 0) {
      value = std::vector<std::string>();
    } else if (kind == "list" && std::holds_alternative<std::vector<std::string>>(value)) {
      std::get<std::vector<std::string>>(value).emplace_back(statement->Text(3));
    } else {
      return Damaged(alert.id);
    }
  }
}

absl::Status ReadEntity(Statement& statement, int column, AlertEntity& entity) {
  if (!statement.IsNull(column)) {
    NTA_ASSIGN_OR_RETURN(entity.source, ReadAddress(statement, column));
  }
  if (!statement.IsNull(column + 1)) {
    NTA_ASSIGN_OR_RETURN(entity.destination, ReadAddress(statement, column + 1));
  }
  if (!statement.IsNull(column + 2)) entity.service = std::string(statement.Text(column + 2));
  return absl::OkStatus();
}

absl::StatusOr<Alert> ReadAlert(Statement& statement) {
  Alert alert;
  alert.id = statement.Text(0);
  alert.time = ToTimestamp(statement.Integer(1));
  alert.detector = statement.Text(2);
  const absl::StatusOr<AlertClass> alert_class = ParseAlertClass(statement.Text(3));
  const std::int64_t severity = statement.Integer(4);
  const std::int64_t state = statement.Integer(14);
  if (!alert_class.ok() || severity < 0 || severity > static_cast<int>(Severity::kCritical) ||
      state < 0 || state > static_cast<int>(AlertState::kClosed)) {
    return Damaged(alert.id);
  }
  alert.alert_class = *alert_class;
  alert.severity = static_cast<Severity>(severity);
  alert.score = ReadReal(statement, 5);
  alert.observed = ReadReal(statement, 6);
  alert.expected = ReadReal(statement, 7);
  alert.unit = statement.Text(8);
  NTA_RETURN_IF_ERROR(ReadEntity(statement, 9, alert.entity));
  alert.window = Duration(statement.Integer(12));
  alert.technique = statement.Text(13);
  alert.state = static_cast<AlertState>(state);
  alert.count = static_cast<std::uint64_t>(statement.Integer(15));
  alert.summary = statement.Text(16);
  return alert;
}

constexpr std::string_view kSelectAlerts =
    "SELECT id, time, detector, class, severity, score, observed, expected, unit, source, "
    "destination, service, window, technique, state, count, summary FROM alerts ";

absl::StatusOr<Statement> PrepareAlerts(Connection& connection, const AlertQuery& query) {
  std::string sql = std::string(kSelectAlerts) + "WHERE time >= ?1 AND time < ?2";
  if (query.alert_class) sql += " AND class = ?4";
  if (query.min_severity) sql += " AND severity >= ?5";
  if (!query.cursor.empty()) sql += " AND (time, id) < (?6, ?7)";
  sql += " ORDER BY time DESC, id DESC LIMIT ?3";
  return connection.Prepare(sql);
}

}  // namespace

absl::Status WriteAlerts(Connection& connection, std::span<const Alert> alerts) {
  for (const Alert& alert : alerts) NTA_RETURN_IF_ERROR(WriteAlert(connection, alert));
  return absl::OkStatus();
}

absl::StatusOr<AlertPage> QueryAlerts(Connection& connection, const AlertQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  Cursor cursor;
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(cursor, DecodeCursor(kCursorKind, query.cursor));
  }
  // Alerts and their evidence are of one moment.
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(Statement statement, PrepareAlerts(connection, query));
  statement.BindAll(ToInteger(query.interval.since), ToInteger(query.interval.until),
                    query.limit + 1);
  if (query.alert_class) statement.From(4).Bind(ToString(*query.alert_class));
  if (query.min_severity) statement.From(5).Bind(static_cast<int>(*query.min_severity));
  if (!query.cursor.empty()) statement.From(6).BindAll(cursor.value, std::string_view(cursor.id));
  AlertPage page;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
    if (!row) return page;
    if (page.alerts.size() == query.limit) break;
    NTA_ASSIGN_OR_RETURN(Alert alert, ReadAlert(statement));
    NTA_RETURN_IF_ERROR(ReadEvidence(connection, alert));
    page.alerts.push_back(std::move(alert));
  }
  const Alert& last = page.alerts.back();
  page.next_cursor = EncodeCursor(kCursorKind, {ToInteger(last.time), last.id});
  return page;
}

absl::StatusOr<Alert> FindAlert(Connection& connection, std::string_view id) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(Statement statement,
                       connection.Prepare(std::string(kSelectAlerts) + "WHERE id = ?1"));
  statement.Bind(id);
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) {
    return NoAlert(id);
  }
  NTA_ASSIGN_OR_RETURN(Alert alert, ReadAlert(statement));
  NTA_RETURN_IF_ERROR(ReadEvidence(connection, alert));
  return alert;
}

absl::StatusOr<std::uint64_t> CountAlerts(Connection& connection, const TimeInterval& interval) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare("SELECT count(*) FROM alerts WHERE time >= ?1 AND time < ?2"));
  statement.BindAll(ToInteger(interval.since), ToInteger(interval.until));
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? static_cast<std::uint64_t>(statement.Integer(0)) : 0;
}

}  // namespace nta::store
