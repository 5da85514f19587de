#include "store/postgres/usage.h"

#include <string>

#include "base/status.h"
#include "store/postgres/schema.h"
#include "store/rows.h"

namespace nta::store {

absl::StatusOr<StoreUsage> MeasurePgUsage(PgConnection& connection) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query(
          "SELECT (CASE WHEN relname IN ('alerts', 'alert_evidence') THEN 1 "
          "WHEN relname = 'sample' THEN 2 "
          "WHEN relname LIKE 'flows%' OR relname LIKE 'rollup\\_%' OR "
          "relname IN ('captured', 'capture_counts') THEN 0 ELSE 3 END)::bigint AS kind, "
          "sum(pg_total_relation_size(oid))::bigint FROM pg_class "
          "WHERE relnamespace = 'nta'::regnamespace AND relkind = 'r' GROUP BY 1"));
  StoreUsage usage;
  for (int i = 0; i < rows.size(); ++i) {
    std::uint64_t* const bytes[] = {&usage.flows.bytes, &usage.alerts.bytes, &usage.samples.bytes,
                                    &usage.other_bytes};
    *bytes[rows.Integer(i, 0)] = rows.Count(i, 1);
  }
  NTA_ASSIGN_OR_RETURN(
      const PgRows counts,
      connection.Query("SELECT (SELECT value FROM meta WHERE name = 'flows'), "
                       "(SELECT count(*) FROM alerts), (SELECT count(*) FROM sample)"));
  usage.flows.count = counts.Count(0, 0);
  usage.alerts.count = counts.Count(0, 1);
  usage.samples.count = counts.Count(0, 2);
  return usage;
}

absl::StatusOr<std::uint64_t> CountPgRowsBefore(PgConnection& connection, RowKind kind,
                                                Timestamp time) {
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t count,
      connection.QueryInteger(kind == RowKind::kAlerts
                                  ? "SELECT count(*) FROM alerts WHERE \"time\" < $1"
                                  : "SELECT count(*) FROM sample WHERE \"time\" < $1",
                              PgList(ToInteger(time))));
  return static_cast<std::uint64_t>(count);
}

absl::StatusOr<std::optional<Timestamp>> EndOfOldestPgRows(PgConnection& connection, RowKind kind,
                                                           std::uint64_t count) {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query(kind == RowKind::kAlerts
                           ? "SELECT \"time\" FROM alerts ORDER BY \"time\" OFFSET $1 LIMIT 1"
                           : "SELECT \"time\" FROM sample ORDER BY \"time\" OFFSET $1 LIMIT 1",
                       PgList(count - 1)));
  if (rows.size() == 0) return std::optional<Timestamp>();
  return std::optional(ToTimestamp(rows.Integer(0, 0)) + Duration(1));
}

absl::StatusOr<std::uint64_t> DeletePgRowsBefore(PgConnection& connection, RowKind kind,
                                                 Timestamp time) {
  const PgValues before = PgList(ToInteger(time));
  if (kind == RowKind::kSamples) {
    NTA_ASSIGN_OR_RETURN(const PgRows rows,
                         connection.Query("DELETE FROM sample WHERE \"time\" < $1", before));
    return rows.touched();
  }
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginWrite(connection));
  NTA_RETURN_IF_ERROR(connection.Run(
      "DELETE FROM alert_evidence WHERE alert_id IN (SELECT id FROM alerts WHERE \"time\" < $1)",
      before));
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection.Query("DELETE FROM alerts WHERE \"time\" < $1", before));
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return rows.touched();
}

namespace {

absl::Status Compact(PgConnection& connection, const std::string& tables) {
  // Each alone, because VACUUM takes no part in a transaction of others.
  NTA_RETURN_IF_ERROR(connection.Execute("SET lock_timeout = '10s'"));
  absl::Status compacted = connection.Execute("VACUUM (FULL) " + tables);
  // Makes the maps of free space anew, which count as well.
  if (compacted.ok()) compacted = connection.Execute("VACUUM " + tables);
  NTA_RETURN_IF_ERROR(connection.Execute("SET lock_timeout = 0"));
  return compacted;
}

}  // namespace

absl::Status CompactPgRows(PgConnection& connection, RowKind kind) {
  return Compact(connection, kind == RowKind::kAlerts ? "alerts, alert_evidence" : "sample");
}

absl::Status CompactPgTotals(PgConnection& connection) {
  return Compact(connection, "rollup_minute, rollup_hour, rollup_quarter, rollup_day");
}

}  // namespace nta::store
