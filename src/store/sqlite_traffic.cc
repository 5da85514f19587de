#include "store/sqlite_traffic.h"

#include <algorithm>

#include "base/status.h"
#include "store/operations.h"
#include "store/rollup.h"

namespace nta::store {
namespace {

bool IsWanted(const BlockInfo& block, FlowsIn which) {
  switch (which) {
    case FlowsIn::kAny:
      return true;
    case FlowsIn::kNoTotals:
      return (block.rollups & kRolledUp) == 0;
    case FlowsIn::kNotAddressesMinute:
      return (block.rollups & kAddressesPerMinute) == 0;
    case FlowsIn::kOnlyLongerAddresses:
      return block.rollups == kRolledUp;
  }
  return true;
}

}  // namespace

absl::StatusOr<std::unique_ptr<SqliteTraffic>> SqliteTraffic::Begin(Connection& connection) {
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  NTA_ASSIGN_OR_RETURN(std::vector<BlockInfo> blocks, BlockReader(connection).List());
  return std::unique_ptr<SqliteTraffic>(
      new SqliteTraffic(connection, std::move(transaction), std::move(blocks)));
}

absl::Status SqliteTraffic::Scan(FlowsIn which, const TimeInterval& interval,
                                 const FlowFilter& filter, TrafficNeeds needs,
                                 absl::FunctionRef<absl::Status(const CountedFlows&)> visit) {
  if (which == FlowsIn::kAny) {
    return ScanTraffic(connection_, blocks_, interval, filter, needs, visit);
  }
  std::vector<BlockInfo> wanted;
  for (const BlockInfo& block : blocks_) {
    if (IsWanted(block, which)) wanted.push_back(block);
  }
  return ScanTraffic(connection_, wanted, interval, filter, needs, visit);
}

absl::StatusOr<std::optional<MinuteRange>> SqliteTraffic::MinutesWithoutTotals() {
  std::optional<MinuteRange> range;
  for (const BlockInfo& block : blocks_) {
    if (!IsWanted(block, FlowsIn::kNoTotals)) continue;
    const MinuteRange minutes{FloorMinute(block.min_first_seen),
                              FloorMinute(block.max_last_seen) + 1};
    range = range ? MinuteRange{std::min(range->since, minutes.since),
                                std::max(range->until, minutes.until)}
                  : minutes;
  }
  return range;
}

absl::Status SqliteTraffic::ForEachCaptured(const MinuteRange& range,
                                            absl::FunctionRef<void(const MinuteRange&)> visit) {
  NTA_ASSIGN_OR_RETURN(Statement marked,
                       connection_.Prepare("SELECT since_minute, until_minute FROM captured "
                                           "WHERE since_minute < ?2 AND until_minute > ?1"));
  marked.BindAll(range.since, range.until);
  while (true) {
    NTA_ASSIGN_OR_RETURN(const bool row, marked.Step());
    if (!row) return absl::OkStatus();
    visit({marked.Integer(0), marked.Integer(1)});
  }
}

absl::StatusOr<std::optional<MinuteRange>> SqliteTraffic::Captured() {
  NTA_ASSIGN_OR_RETURN(
      Statement statement,
      connection_.Prepare("SELECT min(since_minute), max(until_minute) FROM captured"));
  NTA_RETURN_IF_ERROR(statement.Step().status());
  if (statement.IsNull(0)) return std::optional<MinuteRange>();
  return std::optional(MinuteRange{statement.Integer(0), statement.Integer(1)});
}

absl::StatusOr<CaptureCounts> SqliteTraffic::Counts(const TimeInterval& interval) {
  return SumCaptureCounts(connection_, interval);
}

absl::StatusOr<std::uint64_t> SqliteTraffic::CountAlerts(const TimeInterval& interval) {
  return store::CountAlerts(connection_, interval);
}

}  // namespace nta::store
