#include "counted_traffic.h"

#include <utility>

#include "base/status.h"
#include "json_text.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

// Flows end after the minutes that they counted in; longer ones are reported in parts by the
// active timeout, whose default is a minute.
constexpr auto kLongestTail = std::chrono::minutes(5);

std::string TotalsToJson(const TrafficTotals& totals) {
  return JsonObject()
      .Add("bytes", totals.bytes)
      .Add("packets", totals.packets)
      .Add("flows", totals.flows)
      .Take();
}

FlowQuery FlowsOf(const TimeInterval& interval, const FlowFilter& filter) {
  FlowQuery query;
  query.interval = interval;
  query.filter = filter;
  return query;
}

bool HasSide(const FlowRecord& flow, const std::optional<IpAddress>& address) {
  return !address || flow.source.address == *address || flow.destination.address == *address;
}

absl::StatusOr<FlowFilter> WithAddress(const SeriesQuery& query) {
  if (!query.address) return query.filter;
  const std::string host = "host=" + query.address->ToString();
  const std::string filter = query.filter.ToString();
  return FlowFilter::Parse(filter.empty() ? host : host + " and (" + filter + ")");
}

}  // namespace

absl::StatusOr<SeriesResult> CountSeries(const Store& store, const SeriesQuery& query, FlowKey key,
                                         const QueryControl& control) {
  // The store knows the steps, and when nothing was captured.
  SeriesQuery frame = query;
  frame.by = SeriesBy::kNone;
  NTA_ASSIGN_OR_RETURN(SeriesResult result, store.Series(frame, control));
  if (result.times.empty()) return result;
  SeriesTally tally(result.times.front(), result.step, result.times.size(), query.measure);
  TimeInterval interval = result.interval;
  if (interval.until < Timestamp::max() - kLongestTail) interval.until += kLongestTail;
  NTA_ASSIGN_OR_RETURN(const FlowFilter filter, WithAddress(query));
  const auto add = [&](const StoredFlow& flow) {
    if (!HasSide(flow.flow, query.address)) return;
    const std::string_view name = key(flow.flow);
    tally.Add(name.empty() ? "unknown" : name, flow.flow);
  };
  NTA_ASSIGN_OR_RETURN(const FlowScan scan,
                       ScanFlows(store, FlowsOf(interval, filter), add, {.control = control}));
  if (!scan.complete) {
    return base::InvalidArgument(
        "more flows than are counted by this at once; narrow the interval or the filter");
  }
  result.source = QuerySource::kRaw;
  const std::vector<std::optional<std::uint64_t>> known =
      result.lines.empty() ? std::vector<std::optional<std::uint64_t>>()
                           : std::move(result.lines.front().values);
  result.lines.clear();
  for (const auto& [name, values] : tally.lines()) {
    SeriesLine line{.key = name, .values = {}};
    for (std::size_t i = 0; i < values.size(); ++i) {
      const bool captured = values[i] > 0 || (i < known.size() && known[i].has_value());
      line.values.push_back(captured ? std::optional(values[i]) : std::nullopt);
    }
    result.lines.push_back(std::move(line));
  }
  return result;
}

absl::StatusOr<CountedTop> CountTop(const Store& store, const TopQuery& query, FlowKey key,
                                    const QueryControl& control) {
  KeyTally tally;
  CountedTop top;
  NTA_ASSIGN_OR_RETURN(
      top.scan, ScanFlows(store, FlowsOf(query.interval, query.filter),
                          [&](const StoredFlow& flow) { tally.Add(key(flow.flow), flow.flow); },
                          {.control = control}));
  top.total = tally.total();
  top.other = tally.without_key();
  top.rows = tally.Rows(query.by, query.limit);
  return top;
}

std::string ToJson(const CountedTop& top, const TopQuery& query, std::string_view dimension) {
  const std::string rows = JsonList(top.rows, [](const KeyTotals& row) {
    return JsonObject()
        .Add("key", row.key)
        .Add("bytes", row.totals.bytes)
        .Add("packets", row.totals.packets)
        .Add("flows", row.totals.flows)
        .Take();
  });
  return JsonObject()
      .Add("since", nta::ToString(query.interval.since))
      .Add("until", nta::ToString(query.interval.until))
      .Add("dimension", dimension)
      .Add("by", nta::ToString(query.by))
      .Add("source", "raw")
      .Add("examined_flows", std::uint64_t{top.scan.examined})
      .AddJson("complete", top.scan.complete ? "true" : "false")
      .AddJson("capture", nta::ToJson(top.scan.capture))
      .AddJson("total", TotalsToJson(top.total))
      .AddJson("other", TotalsToJson(top.other))
      .AddJson("rows", rows)
      .Take();
}

}  // namespace nta::server
