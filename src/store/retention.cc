#include <algorithm>

#include "base/status.h"
#include "store/operations.h"
#include "store/rollup.h"
#include "store/rows.h"
#include "store/scan.h"

namespace nta::store {
namespace {

// Flows of one transaction: writers wait a fraction of a second at the most.
constexpr std::int64_t kFlowsPerStep = 50'000;

// Up to which time at the most kFlowsPerStep flows go, those that ended at one and the same time
// excepted.
absl::StatusOr<Timestamp> EndOfStep(Connection& connection, Timestamp time) {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection.Prepare("SELECT last_seen FROM flows WHERE last_seen < ?1 ORDER BY last_seen "
                         "LIMIT 1 OFFSET ?2"));
  statement.BindAll(ToInteger(time), kFlowsPerStep);
  NTA_ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? ToTimestamp(statement.Integer(0)) + Duration(1) : time;
}

absl::StatusOr<std::uint64_t> DeleteFlows(Connection& connection, Timestamp time) {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection.Cached("DELETE FROM flows WHERE last_seen < ?"));
  NTA_RETURN_IF_ERROR(statement->Bind(ToInteger(time)).Run());
  return static_cast<std::uint64_t>(sqlite3_changes64(connection.get()));
}

// Flows that stay have shares in minutes that go: totals are always those of the flows that are
// there, so they are made anew for these minutes.
absl::Status RebuildRollups(Connection& connection, Timestamp time) {
  const Minute before = CeilMinute(time);
  for (const char* sql : {"DELETE FROM rollup_protocol WHERE minute < ?",
                          "DELETE FROM rollup_address WHERE minute < ?",
                          "DELETE FROM rollup_port WHERE minute < ?"}) {
    NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(sql));
    NTA_RETURN_IF_ERROR(statement->Bind(before).Run());
  }
  Rollup rollup;
  NTA_RETURN_IF_ERROR(ScanFlows(connection, {Timestamp::min(), StartOf(before)}, FlowFilter(),
                                [&](const FlowRecord& flow) {
                                  rollup.Add(flow, before);
                                  return rollup.FlushIfLarge(connection);
                                }));
  return rollup.Flush(connection);
}

// What is gone must not look like silence.
absl::Status TrimCaptured(Connection& connection, Timestamp time) {
  const Minute before = FloorMinute(time);
  for (const char* sql : {"INSERT OR REPLACE INTO captured SELECT ?1, until_minute FROM captured "
                          "WHERE since_minute < ?1 AND until_minute > ?1",
                          "DELETE FROM captured WHERE since_minute < ?1"}) {
    NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(sql));
    NTA_RETURN_IF_ERROR(statement->Bind(before).Run());
  }
  return absl::OkStatus();
}

absl::Status DeleteAlerts(Connection& connection, Timestamp time) {
  for (const char* sql : {"DELETE FROM alert_evidence WHERE alert_id IN "
                          "(SELECT id FROM alerts WHERE time < ?1)",
                          "DELETE FROM alerts WHERE time < ?1"}) {
    NTA_ASSIGN_OR_RETURN(Statement * statement, connection.Cached(sql));
    NTA_RETURN_IF_ERROR(statement->Bind(ToInteger(time)).Run());
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<DeletionStep> DeleteSome(Connection& connection, Timestamp time) {
  DeletionStep step;
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const Timestamp until, EndOfStep(connection, time));
  step.done = until == time;
  NTA_ASSIGN_OR_RETURN(step.flows, DeleteFlows(connection, until));
  NTA_RETURN_IF_ERROR(RebuildRollups(connection, until));
  if (step.done) {
    NTA_RETURN_IF_ERROR(TrimCaptured(connection, time));
    NTA_RETURN_IF_ERROR(DeleteAlerts(connection, time));
  }
  NTA_RETURN_IF_ERROR(transaction.Commit());
  // Gives the space back to the file system.
  NTA_RETURN_IF_ERROR(connection.Execute("PRAGMA incremental_vacuum(10000)"));
  return step;
}

}  // namespace nta::store
