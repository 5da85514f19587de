#include "store/postgres/schema.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/status.h"
#include "store/flow_columns.h"
#include "store/postgres/traffic.h"

namespace nta::store {
namespace {

// 2: totals by category; columns of flows that came later.
constexpr std::int64_t kPgSchemaVersion = 2;
// Of hostile time stamps flows could have any of 200,000 days; those beyond share one table.
constexpr std::size_t kMostDays = 2'000;
constexpr std::string_view kDayPrefix = "flows_day_";

constexpr const char* kTables = R"sql(
CREATE TABLE meta(name text PRIMARY KEY, value bigint NOT NULL);
CREATE TABLE captured(since_minute bigint PRIMARY KEY, until_minute bigint NOT NULL);
CREATE TABLE capture_counts(
  minute bigint PRIMARY KEY,
  packets_seen bigint NOT NULL,
  packets_dropped bigint NOT NULL,
  flows_evicted bigint NOT NULL,
  flows_dropped bigint NOT NULL);
CREATE TABLE rollup_minute(id bigint PRIMARY KEY, traffic bytea NOT NULL, addresses bytea);
CREATE TABLE rollup_hour(id bigint PRIMARY KEY, traffic bytea NOT NULL, addresses bytea);
CREATE TABLE rollup_quarter(id bigint PRIMARY KEY, traffic bytea NOT NULL, addresses bytea);
CREATE TABLE rollup_day(id bigint PRIMARY KEY, traffic bytea NOT NULL, addresses bytea);
CREATE TABLE alerts(
  id text PRIMARY KEY,
  "time" bigint NOT NULL,
  detector text NOT NULL,
  class text NOT NULL,
  severity integer NOT NULL,
  score double precision NOT NULL,
  observed double precision NOT NULL,
  expected double precision NOT NULL,
  unit text NOT NULL,
  source inet,
  destination inet,
  service text,
  "window" bigint NOT NULL,
  technique text NOT NULL,
  state integer NOT NULL,
  count bigint NOT NULL,
  summary text NOT NULL);
CREATE INDEX alerts_by_time ON alerts("time", id);
CREATE TABLE alert_evidence(
  alert_id text NOT NULL,
  name text NOT NULL,
  position integer NOT NULL,
  kind text NOT NULL,
  integer_value bigint,
  real_value double precision,
  text_value bytea,
  PRIMARY KEY(alert_id, name, position));
CREATE TABLE users(
  username bytea PRIMARY KEY,
  password_hash bytea NOT NULL,
  role text NOT NULL,
  created bigint NOT NULL,
  generation bigint NOT NULL);
CREATE TABLE settings(name bytea PRIMARY KEY, value bytea NOT NULL);
CREATE TABLE document(
  kind text NOT NULL,
  id text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  updated bigint NOT NULL,
  body text NOT NULL,
  PRIMARY KEY(kind, id));
CREATE TABLE sample(
  name text COLLATE "C" NOT NULL,
  "time" bigint NOT NULL,
  value double precision NOT NULL,
  PRIMARY KEY(name, "time"));
)sql";

std::string_view TypeOf(const FlowColumn& column) {
  switch (column.type) {
    case ColumnType::kInteger:
      return "bigint NOT NULL";
    case ColumnType::kOptional:
      return "integer";
    case ColumnType::kAddress:
      return "inet NOT NULL";
    case ColumnType::kText:
      return "text";
    case ColumnType::kBytes:
      return "bytea";
  }
  return "";
}

std::string FlowsTable() {
  std::string sql = "CREATE TABLE flows(";
  for (const FlowColumn& column : FlowColumns()) {
    if (sql.back() != '(') sql += ", ";
    sql.append(column.name).append(" ").append(TypeOf(column));
  }
  sql += ") PARTITION BY RANGE(last_seen);";
  // Newest first; and those that are in no totals yet, which lie together.
  sql += "CREATE INDEX flows_by_time ON flows(last_seen, id);";
  sql += "CREATE INDEX flows_by_id ON flows USING brin(id);";
  return sql + "CREATE TABLE flows_other PARTITION OF flows DEFAULT;";
}

std::string TableOf(Day day) {
  std::string name(kDayPrefix);
  if (day < 0) name += 'm';
  return name + std::to_string(day < 0 ? -day : day);
}

absl::Status AddMissingColumns(PgConnection& connection) {
  std::string sql = "ALTER TABLE flows";
  for (const FlowColumn& column : FlowColumns()) {
    // Those of the first version are there; of these none is missing that may not be absent.
    if (!column.is_text()) continue;
    sql += sql.ends_with("flows") ? " " : ", ";
    sql.append("ADD COLUMN IF NOT EXISTS ").append(column.name).append(" ").append(TypeOf(column));
  }
  return connection.Execute(sql);
}

absl::Status Migrate(PgConnection& connection) {
  NTA_RETURN_IF_ERROR(AddMissingColumns(connection));
  NTA_RETURN_IF_ERROR(RebuildPgRollups(connection, Timestamp::max()));
  return WritePgMeta(connection, "schema_version", kPgSchemaVersion);
}

absl::Status MakeTables(PgConnection& connection) {
  NTA_RETURN_IF_ERROR(connection.Execute("CREATE SCHEMA nta"));
  NTA_RETURN_IF_ERROR(connection.Execute(std::string(kTables) + FlowsTable()));
  for (const auto& [name, value] :
       {std::pair{"schema_version", kPgSchemaVersion}, std::pair{"next_flow_id", std::int64_t{1}},
        std::pair{"first_id_without_totals", std::int64_t{1}},
        std::pair{"flows", std::int64_t{0}}}) {
    NTA_RETURN_IF_ERROR(connection.Run("INSERT INTO meta VALUES($1, $2)", PgList(name, value)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status PreparePgSchema(PgConnection& connection) {
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t schemas,
      connection.QueryInteger("SELECT count(*) FROM pg_namespace WHERE nspname = 'nta'"));
  if (schemas == 0) {
    NTA_RETURN_IF_ERROR(MakeTables(connection));
    return transaction.Commit();
  }
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t tables,
      connection.QueryInteger("SELECT count(*) FROM pg_tables WHERE schemaname = 'nta' AND "
                              "tablename IN ('meta', 'flows', 'document')"));
  if (tables != 3) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "the database has a schema \"nta\" of another program");
  }
  NTA_ASSIGN_OR_RETURN(const std::int64_t version, ReadPgMeta(connection, "schema_version"));
  if (version == kPgSchemaVersion) return absl::OkStatus();
  if (version < kPgSchemaVersion) {
    NTA_RETURN_IF_ERROR(Migrate(connection));
    return transaction.Commit();
  }
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          "the database was written by a newer libnta (format " +
                              std::to_string(version) + ", this one knows up to " +
                              std::to_string(kPgSchemaVersion) + "); it was left as it is");
}

Day DayOf(Timestamp time) {
  return std::chrono::floor<std::chrono::days>(time.time_since_epoch()).count();
}

Timestamp StartOfDay(Day day) {
  constexpr Day kLast = std::chrono::floor<std::chrono::days>(Duration::max()).count();
  if (day > kLast) return Timestamp::max();
  if (day < -kLast) return Timestamp::min();
  return Timestamp(std::chrono::days(day));
}

absl::Status AddDay(PgConnection& connection, Day day) {
  const std::string name = TableOf(day);
  NTA_ASSIGN_OR_RETURN(
      const PgRows found,
      connection.Query("SELECT count(*) FILTER (WHERE tablename = $1), count(*) FROM pg_tables "
                       "WHERE schemaname = 'nta' AND tablename LIKE 'flows\\_day\\_%'",
                       PgList(name)));
  if (found.Integer(0, 0) > 0 || found.Count(0, 1) >= kMostDays) return absl::OkStatus();
  // What would belong here may have gone to the table of the others.
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t others,
      connection.QueryInteger("SELECT count(*) FROM (SELECT 1 FROM flows_other WHERE "
                              "last_seen >= $1 AND last_seen < $2 LIMIT 1) AS found",
                              PgList(StartOfDay(day).time_since_epoch().count(),
                                     StartOfDay(day + 1).time_since_epoch().count())));
  if (others > 0) return absl::OkStatus();
  // Making a partition waits for everybody who reads flows, and whoever comes later waits for it:
  // when that takes too long, the flows of this batch go to the table of the others.
  NTA_RETURN_IF_ERROR(connection.Execute("SAVEPOINT new_day; SET LOCAL lock_timeout = '1s'"));
  const absl::Status made =
      connection.Execute("CREATE TABLE " + name + " PARTITION OF flows FOR VALUES FROM (" +
                         std::to_string(StartOfDay(day).time_since_epoch().count()) + ") TO (" +
                         std::to_string(StartOfDay(day + 1).time_since_epoch().count()) + ")");
  if (made.ok()) return connection.Execute("SET LOCAL lock_timeout = 0");
  return connection.Execute("ROLLBACK TO SAVEPOINT new_day");
}

absl::StatusOr<std::vector<Day>> ListDays(PgConnection& connection) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("SELECT tablename::text FROM pg_tables WHERE schemaname = "
                                        "'nta' AND tablename LIKE 'flows\\_day\\_%'"));
  std::vector<Day> days;
  for (int i = 0; i < rows.size(); ++i) {
    std::string_view number = rows.Text(i, 0).substr(kDayPrefix.size());
    const bool negative = number.starts_with('m');
    if (negative) number.remove_prefix(1);
    Day day = 0;
    std::from_chars(number.data(), number.data() + number.size(), day);
    days.push_back(negative ? -day : day);
  }
  std::sort(days.begin(), days.end());
  return days;
}

absl::Status DropDay(PgConnection& connection, Day day) {
  return connection.Execute("SET LOCAL lock_timeout = '10s'; DROP TABLE " + TableOf(day) +
                            "; SET LOCAL lock_timeout = 0");
}

absl::StatusOr<std::int64_t> ReadPgMeta(PgConnection& connection, std::string_view name) {
  return connection.QueryInteger("SELECT value FROM meta WHERE name = $1", PgList(name));
}

absl::Status WritePgMeta(PgConnection& connection, std::string_view name, std::int64_t value) {
  return connection.Run(
      "INSERT INTO meta VALUES($1, $2) ON CONFLICT(name) DO UPDATE SET value = excluded.value",
      PgList(name, value));
}

}  // namespace nta::store
