#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "base/status.h"
#include "store/checks.h"
#include "store/cursor.h"
#include "store/postgres/records.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr char kCursorKind = 'a';
constexpr std::string_view kSelect =
    "SELECT id, \"time\", detector, class, severity, score, observed, expected, unit, source, "
    "destination, service, \"window\", technique, state, count, summary FROM alerts ";

absl::Status WriteEvidence(PgConnection& connection, const Alert& alert) {
  NTA_RETURN_IF_ERROR(
      connection.Run("DELETE FROM alert_evidence WHERE alert_id = $1", PgList(alert.id)));
  for (const auto& [name, value] : alert.evidence) {
    const auto write = [&, &key = name](
                           int position, std::string_view kind, std::optional<std::int64_t> integer,
                           std::optional<double> real, std::optional<std::string_view> text) {
      PgValues values = PgList(alert.id, key, position, kind, integer, real);
      text ? values.Add(AsBytea(*text)) : values.Add(nullptr);
      return connection.Run("INSERT INTO alert_evidence VALUES($1, $2, $3, $4, $5, $6, $7)",
                            values);
    };
    if (const auto* integer = std::get_if<std::int64_t>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "integer", *integer, std::nullopt, std::nullopt));
    } else if (const auto* real = std::get_if<double>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "real", std::nullopt, *real, std::nullopt));
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      NTA_RETURN_IF_ERROR(write(0, "text", std::nullopt, std::nullopt, *text));
    } else {
      // A row without a value says that there is a list, which may be empty.
      NTA_RETURN_IF_ERROR(write(-1, "list", std::nullopt, std::nullopt, std::nullopt));
      int position = 0;
      for (const std::string& item : std::get<std::vector<std::string>>(value)) {
        NTA_RETURN_IF_ERROR(write(position++, "list", std::nullopt, std::nullopt, item));
      }
    }
  }
  return absl::OkStatus();
}

absl::Status WriteAlert(PgConnection& connection, const Alert& alert) {
  const auto count = std::min<std::uint64_t>(alert.count, std::numeric_limits<std::int64_t>::max());
  NTA_RETURN_IF_ERROR(connection.Run("DELETE FROM alerts WHERE id = $1", PgList(alert.id)));
  NTA_RETURN_IF_ERROR(connection.Run(
      "INSERT INTO alerts VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, "
      "$16, $17)",
      PgList(alert.id, ToInteger(alert.time), alert.detector, ToString(alert.alert_class),
             static_cast<int>(alert.severity), alert.score, alert.observed, alert.expected,
             alert.unit, alert.entity.source, alert.entity.destination, alert.entity.service,
             static_cast<std::int64_t>(alert.window.count()), alert.technique,
             static_cast<int>(alert.state), count, alert.summary)));
  return WriteEvidence(connection, alert);
}

absl::Status Damaged(std::string_view id) {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the store is damaged: alert \"" + std::string(id) + "\" cannot be read");
}

absl::Status ReadAddress(const PgRows& rows, int row, int column,
                         std::optional<IpAddress>& address) {
  if (rows.IsNull(row, column)) return absl::OkStatus();
  address = DecodeInet(rows.Bytes(row, column));
  return address ? absl::OkStatus() : Damaged(rows.Text(row, 0));
}

absl::StatusOr<Alert> ReadAlert(const PgRows& rows, int row) {
  const absl::StatusOr<AlertClass> alert_class = ParseAlertClass(rows.Text(row, 3));
  const std::int64_t severity = rows.Integer(row, 4);
  const std::int64_t state = rows.Integer(row, 14);
  if (!alert_class.ok() || severity < 0 || severity > static_cast<int>(Severity::kCritical) ||
      state < 0 || state > static_cast<int>(AlertState::kClosed)) {
    return Damaged(rows.Text(row, 0));
  }
  Alert alert;
  alert.id = rows.Text(row, 0);
  alert.time = ToTimestamp(rows.Integer(row, 1));
  alert.detector = rows.Text(row, 2);
  alert.alert_class = *alert_class;
  alert.severity = static_cast<Severity>(severity);
  alert.score = rows.Real(row, 5);
  alert.observed = rows.Real(row, 6);
  alert.expected = rows.Real(row, 7);
  alert.unit = rows.Text(row, 8);
  NTA_RETURN_IF_ERROR(ReadAddress(rows, row, 9, alert.entity.source));
  NTA_RETURN_IF_ERROR(ReadAddress(rows, row, 10, alert.entity.destination));
  if (!rows.IsNull(row, 11)) alert.entity.service = std::string(rows.Text(row, 11));
  alert.window = Duration(rows.Integer(row, 12));
  alert.technique = rows.Text(row, 13);
  alert.state = static_cast<AlertState>(state);
  alert.count = rows.Count(row, 15);
  alert.summary = rows.Text(row, 16);
  return alert;
}

absl::Status ReadEvidence(PgConnection& connection, Alert& alert) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query("SELECT name, position, kind, integer_value, real_value, text_value "
                       "FROM alert_evidence WHERE alert_id = $1 ORDER BY name, position",
                       PgList(alert.id)));
  for (int i = 0; i < rows.size(); ++i) {
    EvidenceValue& value = alert.evidence[std::string(rows.Text(i, 0))];
    const std::string_view kind = rows.Text(i, 2);
    if (kind == "integer") {
      value = rows.Integer(i, 3);
    } else if (kind == "real") {
      value = rows.Real(i, 4);
    } else if (kind == "text") {
      value = std::string(rows.Text(i, 5));
    } else if (kind == "list" && rows.Integer(i, 1) < 0) {
      value = std::vector<std::string>();
    } else if (kind == "list" && std::holds_alternative<std::vector<std::string>>(value)) {
      std::get<std::vector<std::string>>(value).emplace_back(rows.Text(i, 5));
    } else {
      return Damaged(alert.id);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status WritePgAlerts(PgConnection& connection, std::span<const Alert> alerts) {
  for (const Alert& alert : alerts) NTA_RETURN_IF_ERROR(WriteAlert(connection, alert));
  return absl::OkStatus();
}

absl::StatusOr<AlertPage> QueryPgAlerts(PgConnection& connection, const AlertQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 10'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  Cursor cursor{std::numeric_limits<std::int64_t>::max(), {}};
  if (!query.cursor.empty()) {
    NTA_ASSIGN_OR_RETURN(cursor, DecodeCursor(kCursorKind, query.cursor));
  }
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginRead(connection));
  std::string sql = std::string(kSelect) + "WHERE \"time\" >= $1 AND \"time\" < $2";
  PgValues values =
      PgList(ToInteger(query.interval.since), ToInteger(query.interval.until), query.limit + 1);
  int next = 4;
  const auto place = [&next] { return "$" + std::to_string(next++); };
  if (query.alert_class) {
    sql += " AND class = " + place();
    values.Add(ToString(*query.alert_class));
  }
  if (query.min_severity) {
    sql += " AND severity >= " + place();
    values.Add(static_cast<int>(*query.min_severity));
  }
  if (!query.cursor.empty()) {
    const std::string time = place();
    sql += " AND (\"time\", id COLLATE \"C\") < (" + time + ", " + place() + ")";
    values.Add(cursor.value).Add(cursor.id);
  }
  sql += " ORDER BY \"time\" DESC, id COLLATE \"C\" DESC LIMIT $3";
  NTA_ASSIGN_OR_RETURN(const PgRows rows, connection.Query(sql, values));
  AlertPage page;
  for (int i = 0; i < rows.size(); ++i) {
    if (page.alerts.size() == query.limit) {
      const Alert& last = page.alerts.back();
      page.next_cursor = EncodeCursor(kCursorKind, {ToInteger(last.time), last.id});
      break;
    }
    NTA_ASSIGN_OR_RETURN(Alert alert, ReadAlert(rows, i));
    NTA_RETURN_IF_ERROR(ReadEvidence(connection, alert));
    page.alerts.push_back(std::move(alert));
  }
  return page;
}

absl::StatusOr<Alert> FindPgAlert(PgConnection& connection, std::string_view id) {
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query(std::string(kSelect) + "WHERE id = $1", PgList(id)));
  if (rows.size() == 0) return NoAlert(id);
  NTA_ASSIGN_OR_RETURN(Alert alert, ReadAlert(rows, 0));
  NTA_RETURN_IF_ERROR(ReadEvidence(connection, alert));
  return alert;
}

}  // namespace nta::store
