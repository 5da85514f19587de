#include <algorithm>

#include "base/status.h"
#include "store/blocks.h"
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

absl::Status WriteFlows(Connection& connection, std::span<const FlowRecord> flows) {
  // Ids are never used twice, even when the flows at the end were deleted.
  NTA_ASSIGN_OR_RETURN(const std::int64_t id, ReadMeta(connection, "next_flow_id"));
  NTA_RETURN_IF_ERROR(BlockWriter(connection).Write(flows, id));
  return WriteMeta(connection, "next_flow_id", id + static_cast<std::int64_t>(flows.size()));
}

}  // namespace

absl::Status CheckFlow(const FlowRecord& flow) {
  if (flow.last_seen < flow.first_seen) {
    return base::InvalidArgument("a flow must not end before it begins");
  }
  // Unsigned, because the difference of far times overflows.
  const auto duration = static_cast<std::uint64_t>(flow.last_seen.time_since_epoch().count()) -
                        static_cast<std::uint64_t>(flow.first_seen.time_since_epoch().count());
  if (duration > static_cast<std::uint64_t>(Duration(kLongestFlow).count())) {
    return base::InvalidArgument("a flow must not last longer than 7 days");
  }
  if (FloorMinute(flow.first_seen) < -kLastMinute || FloorMinute(flow.last_seen) >= kLastMinute) {
    return base::InvalidArgument("a flow must lie between the years 1678 and 2262");
  }
  for (const FlowDirection* direction : {&flow.forward, &flow.reverse}) {
    if (direction->packets > kMaxCount || direction->wire_bytes > kMaxCount ||
        direction->ip_bytes > kMaxCount || direction->payload_bytes > kMaxCount) {
      return base::InvalidArgument("a counter of a flow must not exceed 2^53");
    }
  }
  return absl::OkStatus();
}

absl::Status WriteBatch(Connection& connection, std::span<const FlowRecord> flows,
                        std::span<const Alert> alerts) {
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (const absl::Status status = CheckFlow(flows[i]); !status.ok()) {
      return base::InvalidArgument("flow " + std::to_string(i) + ": " +
                                   std::string(status.message()));
    }
  }
  if (flows.empty() && alerts.empty()) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginWrite(connection));
  if (!flows.empty()) NTA_RETURN_IF_ERROR(WriteFlows(connection, flows));
  NTA_RETURN_IF_ERROR(WriteAlerts(connection, alerts));
  return transaction.Commit();
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
  for (const std::uint64_t count :
       {counts.packets_seen, counts.packets_dropped, counts.flows_evicted, counts.flows_dropped}) {
    if (count > kMaxCount) return base::InvalidArgument("a count must not exceed 2^53");
  }
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
