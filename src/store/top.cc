#include <algorithm>
#include <optional>

#include "base/status.h"
#include "store/minutes.h"
#include "store/operations.h"
#include "store/top_counter.h"
#include "store/traffic_source.h"

namespace nta::store {
namespace {

const FlowFilter kEverything;

absl::Status CountRollup(TrafficSource& source, const MinuteRange& range, TopCounter& counter) {
  // What is not in the totals is counted from the flows.
  NTA_RETURN_IF_ERROR(source.Scan(
      FlowsIn::kNoTotals, {StartOf(range.since), StartOf(range.until)}, kEverything,
      counter.needs(), [&counter](const CountedFlows& flows) { return counter.Add(flows); }));
  for (const LevelRange& part : SplitByLevel(range)) {
    NTA_RETURN_IF_ERROR(source.CheckDeadline());
    NTA_RETURN_IF_ERROR(source.rollups().ForEachTraffic(
        part, counter.section(), [&](Minute, const TrafficPart& traffic) {
          counter.AddTotal(traffic);
          return counter.counts_addresses() ? absl::OkStatus() : counter.AddKeys(traffic);
        }));
    if (!counter.counts_addresses()) continue;
    NTA_RETURN_IF_ERROR(source.rollups().ForEachAddresses(
        part, [&](Minute, const AddressPart& hosts) { return counter.AddKeys(hosts); }));
    if (part.level != RollupLevel::kMinute) continue;
    // Their totals have been counted, their addresses have not.
    NTA_RETURN_IF_ERROR(source.Scan(
        FlowsIn::kOnlyLongerAddresses, {StartOf(part.range.since), StartOf(part.range.until)},
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

absl::StatusOr<TopResult> TopFromRollup(TrafficSource& source, const TopQuery& query) {
  const MinuteRange range = Covering(query.interval);
  NTA_ASSIGN_OR_RETURN(const TopCounter counter,
                       CountTop(query.dimension, query.by, query.limit,
                                [&](TopCounter& to) { return CountRollup(source, range, to); }));
  TopResult result = ResultOf(counter, query);
  result.interval = {StartOf(range.since), StartOf(range.until)};
  result.source = QuerySource::kRollup;
  NTA_ASSIGN_OR_RETURN(result.capture, source.Counts(result.interval));
  return result;
}

absl::StatusOr<TopResult> TopFromFlows(TrafficSource& source, const TopQuery& query) {
  NTA_ASSIGN_OR_RETURN(const TopCounter counter,
                       CountTop(query.dimension, query.by, query.limit, [&](TopCounter& to) {
                         return source.Scan(
                             FlowsIn::kAny, query.interval, query.filter, to.needs(),
                             [&to](const CountedFlows& flows) { return to.Add(flows); });
                       }));
  TopResult result = ResultOf(counter, query);
  result.interval = query.interval;
  result.source = QuerySource::kRaw;
  NTA_ASSIGN_OR_RETURN(result.capture, source.Counts(result.interval));
  return result;
}

}  // namespace

absl::StatusOr<TopResult> QueryTop(TrafficSource& source, const TopQuery& query) {
  NTA_RETURN_IF_ERROR(CheckLimit(query.limit, 1'000));
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  return query.filter.matches_everything() && TopCounter(query.dimension).has_totals()
             ? TopFromRollup(source, query)
             : TopFromFlows(source, query);
}

absl::StatusOr<MinuteRange> KeptMinutes(TrafficSource& source) {
  NTA_ASSIGN_OR_RETURN(MinuteRange kept, source.rollups().Kept());
  NTA_ASSIGN_OR_RETURN(const std::optional<MinuteRange> captured, source.Captured());
  NTA_ASSIGN_OR_RETURN(const std::optional<MinuteRange> newest, source.MinutesWithoutTotals());
  for (const std::optional<MinuteRange>& more : {captured, newest}) {
    if (!more) continue;
    const bool is_first = kept.since == kept.until;
    kept = {is_first ? more->since : std::min(kept.since, more->since),
            is_first ? more->until : std::max(kept.until, more->until)};
  }
  return kept;
}

absl::StatusOr<MinuteRange> AskedMinutes(TrafficSource& source, const TimeInterval& interval) {
  MinuteRange range = Covering(interval);
  const bool open_start = interval.since == TimeInterval{}.since;
  const bool open_end = interval.until == TimeInterval{}.until;
  if (!open_start && !open_end) return range;
  NTA_ASSIGN_OR_RETURN(const MinuteRange kept, KeptMinutes(source));
  if (open_start && open_end) return kept;
  if (open_start) range.since = std::min(kept.since, range.until);
  if (open_end) range.until = std::max(kept.until, range.since);
  return range;
}

absl::StatusOr<TrafficSummary> QuerySummary(TrafficSource& source, const TimeInterval& asked) {
  constexpr std::size_t kRows = 5;
  NTA_RETURN_IF_ERROR(CheckInterval(asked));
  NTA_ASSIGN_OR_RETURN(const MinuteRange minutes, AskedMinutes(source, asked));
  const TimeInterval interval{StartOf(minutes.since), StartOf(minutes.until)};
  const auto top = [&](TopDimension dimension) {
    TopQuery query;
    query.interval = interval;
    query.dimension = dimension;
    query.limit = kRows;
    return TopFromRollup(source, query);
  };
  TrafficSummary summary;
  NTA_ASSIGN_OR_RETURN(TopResult protocols, top(TopDimension::kProtocol));
  NTA_ASSIGN_OR_RETURN(TopResult sources, top(TopDimension::kSourceAddress));
  NTA_ASSIGN_OR_RETURN(TopResult destinations, top(TopDimension::kDestinationAddress));
  NTA_ASSIGN_OR_RETURN(TopResult ports, top(TopDimension::kDestinationPort));
  // Alerts and what was lost may be older or newer than what is kept of the traffic.
  const MinuteRange whole = Covering(asked);
  const TimeInterval whole_minutes{StartOf(whole.since), StartOf(whole.until)};
  NTA_ASSIGN_OR_RETURN(summary.alerts, source.CountAlerts(whole_minutes));
  NTA_ASSIGN_OR_RETURN(summary.capture, source.Counts(whole_minutes));
  summary.interval = protocols.interval;
  summary.total = protocols.total;
  summary.protocols = std::move(protocols.rows);
  summary.top_sources = std::move(sources.rows);
  summary.top_destinations = std::move(destinations.rows);
  summary.top_destination_ports = std::move(ports.rows);
  return summary;
}

}  // namespace nta::store
