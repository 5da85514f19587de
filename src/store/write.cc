#include <algorithm>

#include "base/status.h"
#include "store/blocks.h"
#include "store/checks.h"
#include "store/minutes.h"
#include "store/operations.h"

namespace nta::store {
namespace {

absl::StatusOr<std::int64_t> ReadMeta(Connection& connection, std::string_view name) {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection.Cached("SELECT value FROM meta WHERE name = ?"));
  statement->Bind(name);
  NTA_ASSIGN_OR_RETURN(const bool row, statement->Step());
  const std::int64_t value = row ? statement->Integer(0) : 0;
  statement->Reset();
  return value;
}

absl::Status WriteMeta(Connection& connection, std::string_view name, std::int64_t value) {
  NTA_ASSIGN_OR_RETURN(Statement * statement,
                       connection.Cached("UPDATE meta SET value = ?2 WHERE name = ?1"));
  statement->BindAll(name, value);
  return statement->Run();
}

}  // namespace

absl::Status WriteFlows(Connection& connection, std::span<const FlowRecord> flows) {
  // Ids are never used twice, even when the flows at the end were deleted.
  NTA_ASSIGN_OR_RETURN(const std::int64_t id, ReadMeta(connection, "next_flow_id"));
  NTA_RETURN_IF_ERROR(BlockWriter(connection).Write(flows, id));
  return WriteMeta(connection, "next_flow_id", id + static_cast<std::int64_t>(flows.size()));
}

absl::Status WriteBatch(Connection& connection, std::span<const FlowRecord> flows,
                        std::span<const Alert> alerts) {
  NTA_RETURN_IF_ERROR(CheckFlows(flows));
  if (flows.empty() && alerts.empty()) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  if (!flows.empty()) NTA_RETURN_IF_ERROR(WriteFlows(connection, flows));
  NTA_RETURN_IF_ERROR(WriteAlerts(connection, alerts));
  return transaction.Commit();
}

absl::StatusOr<std::int64_t> ReserveFlowIds(Connection& connection, std::size_t count) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  NTA_ASSIGN_OR_RETURN(const std::int64_t id, ReadMeta(connection, "next_flow_id"));
  NTA_RETURN_IF_ERROR(WriteMeta(connection, "next_flow_id", id + static_cast<std::int64_t>(count)));
  NTA_RETURN_IF_ERROR(transaction.Commit());
  return id;
}

absl::Status MarkCaptured(Connection& connection, const TimeInterval& interval) {
  NTA_RETURN_IF_ERROR(CheckInterval(interval));
  MinuteRange range = Covering(interval);
  if (range.since == range.until) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  // Ranges are kept apart by at least one minute: those that touch the new one become part of it.
  NTA_ASSIGN_OR_RETURN(
      Statement * touching,
      connection.Cached("SELECT min(since_minute), max(until_minute), count(*) FROM captured "
                        "WHERE since_minute <= ?2 AND until_minute >= ?1"));
  touching->BindAll(range.since, range.until);
  NTA_RETURN_IF_ERROR(touching->Step().status());
  if (touching->Integer(2) > 0) {
    const MinuteRange found{touching->Integer(0), touching->Integer(1)};
    if (touching->Integer(2) == 1 && found.since <= range.since && found.until >= range.until) {
      touching->Reset();
      return absl::OkStatus();
    }
    range = {std::min(range.since, found.since), std::max(range.until, found.until)};
  }
  touching->Reset();
  NTA_ASSIGN_OR_RETURN(
      Statement * remove,
      connection.Cached("DELETE FROM captured WHERE since_minute >= ?1 AND since_minute <= ?2"));
  NTA_RETURN_IF_ERROR(remove->BindAll(range.since, range.until).Run());
  NTA_ASSIGN_OR_RETURN(Statement * insert, connection.Cached("INSERT INTO captured VALUES(?, ?)"));
  NTA_RETURN_IF_ERROR(insert->BindAll(range.since, range.until).Run());
  return transaction.Commit();
}

absl::Status AddCaptureCounts(Connection& connection, Timestamp time, const CaptureCounts& counts) {
  NTA_RETURN_IF_ERROR(CheckCounts(counts));
  if (counts == CaptureCounts()) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(Statement * add, connection.Cached(R"sql(
      INSERT INTO capture_counts VALUES(?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET packets_seen = packets_seen + excluded.packets_seen,
        packets_dropped = packets_dropped + excluded.packets_dropped,
        flows_evicted = flows_evicted + excluded.flows_evicted,
        flows_dropped = flows_dropped + excluded.flows_dropped)sql"));
  add->BindAll(FloorMinute(time), counts.packets_seen, counts.packets_dropped, counts.flows_evicted,
               counts.flows_dropped);
  return add->Run();
}

absl::StatusOr<CaptureCounts> SumCaptureCounts(Connection& connection,
                                               const TimeInterval& interval) {
  NTA_ASSIGN_OR_RETURN(Statement * sum,
                       connection.Cached("SELECT sum(packets_seen), sum(packets_dropped), "
                                         "sum(flows_evicted), sum(flows_dropped) "
                                         "FROM capture_counts WHERE minute >= ?1 AND minute < ?2"));
  const MinuteRange range = Covering(interval);
  sum->BindAll(range.since, range.until);
  NTA_RETURN_IF_ERROR(sum->Step().status());
  const CaptureCounts counts{sum->Count(0), sum->Count(1), sum->Count(2), sum->Count(3)};
  sum->Reset();
  return counts;
}

}  // namespace nta::store
