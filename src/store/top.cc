#include <string>

#include "base/status.h"
#include "store/minutes.h"
#include "store/operations.h"
#include "store/rollup.h"
#include "store/rollup_table.h"
#include "store/scan.h"
#include "store/top_counter.h"

namespace nta::store {
namespace {

const FlowFilter kEverything;

absl::Status CountRollup(Connection& connection, const MinuteRange& range, TopCounter& counter) {
  RollupTable table(connection);
  BlockReader reader(connection);
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, reader.List());
  // What is not in the totals is counted from the flows.
  const auto count_flows = [&](std::int64_t bits, const MinuteRange& minutes) {
    return ScanTraffic(connection, NotRolledUp(blocks, bits),
                       {StartOf(minutes.since), StartOf(minutes.until)}, kEverything,
                       counter.needs(),
                       [&counter](const CountedFlows& flows) { return counter.Add(flows); });
  };
  NTA_RETURN_IF_ERROR(count_flows(kRolledUp, range));
  for (const LevelRange& part : SplitByLevel(range)) {
    NTA_RETURN_IF_ERROR(connection.CheckDeadline());
    NTA_RETURN_IF_ERROR(
        table.ForEachTraffic(part, counter.section(), [&](Minute, const TrafficPart& traffic) {
          counter.AddTotal(traffic);
          return counter.counts_addresses() ? absl::OkStatus() : counter.AddKeys(traffic);
        }));
    if (!counter.counts_addresses()) continue;
    NTA_RETURN_IF_ERROR(table.ForEachAddresses(
        part, [&](Minute, const AddressPart& hosts) { return counter.AddKeys(hosts); }));
    if (part.level != RollupLevel::kMinute) continue;
    // Their totals have been counted, their addresses have not.
    std::vector<BlockInfo> rest;
    for (const BlockInfo& block : blocks) {
      if (block.rollups == kRolledUp) rest.push_back(block);
    }
    NTA_RETURN_IF_ERROR(
        ScanTraffic(connection, rest, {StartOf(part.range.since), StartOf(part.range.until)},
                    kEverything, counter.needs(),
                    [&counter](const CountedFlows& flows) { return counter.AddKeysOnly(flows); }));
  }
  return absl::OkStatus();
}

TopResult ResultOf(const TopCounter& counter, const TopQuery& query) {
  TopResult result;
  result.total = counter.total();
  result.other = counter.Other();
  result.rows = counter.Rows(query.by, query.limit);
  return result;
}

absl::StatusOr<TopResult> TopFromRollup(Connection& connection, const TopQuery& query) {
  const MinuteRange range = Covering(query.interval);
  TopCounter counter(query.dimension);
  NTA_RETURN_IF_ERROR(CountRollup(connection, range, counter));
  TopResult result = ResultOf(counter, query);
  result.interval = {StartOf(range.since), StartOf(range.until)};
  result.source = QuerySource::kRollup;
  NTA_ASSIGN_OR_RETURN(result.capture, SumCaptureCounts(connection, result.interval));
  return result;
}

absl::StatusOr<TopResult> TopFromFlows(Connection& connection, const TopQuery& query) {
  BlockReader reader(connection);
  NTA_ASSIGN_OR_RETURN(const std::vector<BlockInfo> blocks, reader.List());
  TopCounter counter(query.dimension);
  NTA_RETURN_IF_ERROR(
      ScanTraffic(connection, blocks, query.interval, query.filter, counter.needs(),
                  [&counter](const CountedFlows& flows) { return counter.Add(flows); }));
  TopResult result = ResultOf(counter, query);
  result.interval = query.interval;
  result.source = QuerySource::kRaw;
  NTA_ASSIGN_OR_RETURN(result.capture, SumCaptureCounts(connection, result.interval));
  return result;
}

}  // namespace

absl::StatusOr<TopResult> QueryTop(Connection& connection, const TopQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 1'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  // Total and rows are of one moment.
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  return query.filter.matches_everything() ? TopFromRollup(connection, query)
                                           : TopFromFlows(connection, query);
}

absl::StatusOr<TrafficSummary> QuerySummary(Connection& connection, const TimeInterval& interval) {
  constexpr std::size_t kRows = 5;
  NTA_RETURN_IF_ERROR(CheckInterval(interval));
  NTA_ASSIGN_OR_RETURN(Transaction transaction, Transaction::BeginRead(connection));
  const auto top = [&](TopDimension dimension) {
    TopQuery query;
    query.interval = interval;
    query.dimension = dimension;
    query.limit = kRows;
    return TopFromRollup(connection, query);
  };
  TrafficSummary summary;
  NTA_ASSIGN_OR_RETURN(TopResult protocols, top(TopDimension::kProtocol));
  NTA_ASSIGN_OR_RETURN(TopResult sources, top(TopDimension::kSourceAddress));
  NTA_ASSIGN_OR_RETURN(TopResult destinations, top(TopDimension::kDestinationAddress));
  NTA_ASSIGN_OR_RETURN(TopResult ports, top(TopDimension::kDestinationPort));
  NTA_ASSIGN_OR_RETURN(summary.alerts, CountAlerts(connection, protocols.interval));
  summary.interval = protocols.interval;
  summary.capture = protocols.capture;
  summary.total = protocols.total;
  summary.protocols = std::move(protocols.rows);
  summary.top_sources = std::move(sources.rows);
  summary.top_destinations = std::move(destinations.rows);
  summary.top_destination_ports = std::move(ports.rows);
  return summary;
}

}  // namespace nta::store
