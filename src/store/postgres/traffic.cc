#include "store/postgres/traffic.h"

#include <algorithm>
#include <string>

#include "base/status.h"
#include "store/block_builder.h"
#include "store/postgres/flows.h"
#include "store/postgres/schema.h"
#include "store/rows.h"

namespace nta::store {
namespace {

constexpr std::size_t kFlowsPerBatch = 32'768;
constexpr std::int64_t kFlowsPerReport = 256;

}  // namespace

std::string OverlapCondition(const TimeInterval& interval) {
  std::string sql = "last_seen >= " + std::to_string(ToInteger(interval.since)) +
                    " AND first_seen < " + std::to_string(ToInteger(interval.until));
  // A flow that begins before the end cannot end much later: lets whole days be left out.
  if (interval.until < Timestamp::max() - kLongestFlow) {
    sql += " AND last_seen <= " + std::to_string(ToInteger(interval.until + kLongestFlow));
  }
  return sql;
}

absl::StatusOr<std::unique_ptr<PgTraffic>> PgTraffic::Begin(PgConnection& connection,
                                                            const QueryControl& control) {
  NTA_ASSIGN_OR_RETURN(PgTransaction transaction, PgTransaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(const std::int64_t first, ReadPgMeta(connection, "first_id_without_totals"));
  return std::unique_ptr<PgTraffic>(
      new PgTraffic(connection, std::move(transaction), first, control));
}

absl::Status PgTraffic::Scan(FlowsIn which, const TimeInterval& interval, const FlowFilter& filter,
                             TrafficNeeds needs,
                             absl::FunctionRef<absl::Status(const CountedFlows&)> visit) {
  std::string where = OverlapCondition(interval) + " AND " + SqlCondition(filter);
  const std::string first = std::to_string(first_without_totals_);
  // Nobody's addresses are in totals per minute here: rows of an hour are read soon enough.
  if (which == FlowsIn::kNoTotals) where += " AND id >= " + first;
  if (which == FlowsIn::kOnlyLongerAddresses) where += " AND id < " + first;
  std::int64_t expected = 0;
  if (which == FlowsIn::kAny && control_.progress) {
    NTA_ASSIGN_OR_RETURN(expected, ReadPgMeta(connection_, "flows"));
  }
  std::int64_t seen = 0;
  BlockBuilder batch;
  const auto flush = [&]() -> absl::Status {
    if (batch.size() == 0) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(CheckDeadline());
    batch.Finish();
    TrafficColumns columns = batch.Traffic();
    // Whoever counts goes by what there is.
    if (!needs.source) columns.source = nullptr;
    if (!needs.destination) columns.destination = nullptr;
    const std::vector<std::uint8_t> all(columns.size(), 1);
    const BlockInfo info = batch.Info();
    const bool inside =
        info.min_first_seen >= interval.since && info.max_last_seen < interval.until;
    NTA_RETURN_IF_ERROR(visit(CountedFlows(columns, all, interval, inside)));
    batch = BlockBuilder();
    return absl::OkStatus();
  };
  const auto take = [&](StoredFlow flow) -> absl::Status {
    if (seen++ % kFlowsPerReport == 0) {
      NTA_RETURN_IF_ERROR(CheckDeadline());
      Report(seen, expected);
    }
    if (!filter.Matches(flow.flow)) return absl::OkStatus();
    batch.Add({&flow.flow, 1}, flow.id);
    return batch.size() < kFlowsPerBatch ? absl::OkStatus() : flush();
  };
  const bool texts = needs.names || needs.server_name || NeedsTexts(filter);
  NTA_RETURN_IF_ERROR(CopyFlowsOut(connection_, FlowSelection(texts), where, take));
  return flush();
}

void PgTraffic::Report(std::int64_t seen, std::int64_t expected) const {
  if (expected == 0) return;
  control_.progress(static_cast<double>(seen) / static_cast<double>(std::max(expected, seen) + 1));
}

absl::StatusOr<std::optional<MinuteRange>> PgTraffic::MinutesWithoutTotals() {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection_.Query("SELECT min(first_seen), max(last_seen) FROM flows WHERE id >= $1",
                        PgList(first_without_totals_)));
  if (rows.IsNull(0, 0)) return std::optional<MinuteRange>();
  return std::optional(MinuteRange{FloorMinute(ToTimestamp(rows.Integer(0, 0))),
                                   FloorMinute(ToTimestamp(rows.Integer(0, 1))) + 1});
}

absl::Status PgTraffic::ForEachCaptured(const MinuteRange& range,
                                        absl::FunctionRef<void(const MinuteRange&)> visit) {
  NTA_ASSIGN_OR_RETURN(const PgRows rows,
                       connection_.Query("SELECT since_minute, until_minute FROM captured "
                                         "WHERE since_minute < $2 AND until_minute > $1",
                                         PgList(range.since, range.until)));
  for (int i = 0; i < rows.size(); ++i) visit({rows.Integer(i, 0), rows.Integer(i, 1)});
  return absl::OkStatus();
}

absl::StatusOr<std::optional<MinuteRange>> PgTraffic::Captured() {
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection_.Query("SELECT min(since_minute), max(until_minute) FROM captured"));
  if (rows.IsNull(0, 0)) return std::optional<MinuteRange>();
  return std::optional(MinuteRange{rows.Integer(0, 0), rows.Integer(0, 1)});
}

absl::StatusOr<CaptureCounts> PgTraffic::Counts(const TimeInterval& interval) {
  return SumPgCaptureCounts(connection_, interval);
}

absl::StatusOr<std::uint64_t> PgTraffic::CountAlerts(const TimeInterval& interval) {
  NTA_ASSIGN_OR_RETURN(
      const std::int64_t count,
      connection_.QueryInteger("SELECT count(*) FROM alerts WHERE \"time\" >= $1 AND \"time\" < $2",
                               PgList(ToInteger(interval.since), ToInteger(interval.until))));
  return static_cast<std::uint64_t>(count);
}

absl::StatusOr<CaptureCounts> SumPgCaptureCounts(PgConnection& connection,
                                                 const TimeInterval& interval) {
  const MinuteRange range = Covering(interval);
  NTA_ASSIGN_OR_RETURN(
      const PgRows rows,
      connection.Query("SELECT sum(packets_seen)::bigint, sum(packets_dropped)::bigint, "
                       "sum(flows_evicted)::bigint, sum(flows_dropped)::bigint "
                       "FROM capture_counts WHERE minute >= $1 AND minute < $2",
                       PgList(range.since, range.until)));
  return CaptureCounts{rows.Count(0, 0), rows.Count(0, 1), rows.Count(0, 2), rows.Count(0, 3)};
}

}  // namespace nta::store
