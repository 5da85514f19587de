#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "base/status.h"
#include "store/operations.h"
#include "store/ranking.h"
#include "store/traffic_source.h"

namespace nta::store {
namespace {

constexpr std::int64_t kMaxSteps = 20'000;
constexpr int kAllProtocols = -1;

class SeriesBuilder {
 public:
  SeriesBuilder(TrafficSource& traffic, const SeriesQuery& query)
      : traffic_(traffic), query_(query), step_minutes_(query.step / std::chrono::minutes(1)) {}

  absl::StatusOr<SeriesResult> Build() {
    NTA_RETURN_IF_ERROR(ChooseSteps());
    captured_.assign(Steps(), false);
    NTA_RETURN_IF_ERROR(FindCaptured());
    if (query_.by == SeriesBy::kNone) values_[kAllProtocols].assign(Steps(), 0);
    if (query_.filter.matches_everything()) {
      NTA_RETURN_IF_ERROR(AddRollup());
    } else {
      source_ = QuerySource::kRaw;
      NTA_RETURN_IF_ERROR(AddFlows(FlowsIn::kAny, query_.filter));
    }
    SeriesResult result = Result();
    NTA_ASSIGN_OR_RETURN(result.capture, traffic_.Counts(result.interval));
    return result;
  }

 private:
  std::size_t Steps() const {
    return static_cast<std::size_t>((range_.until - range_.since) / step_minutes_);
  }
  std::size_t StepOf(Minute minute) const {
    return static_cast<std::size_t>((minute - range_.since) / step_minutes_);
  }
  Timestamp StartOfStep(std::size_t step) const {
    return StartOf(range_.since + static_cast<std::int64_t>(step) * step_minutes_);
  }

  absl::Status ChooseSteps() {
    range_ = Covering(query_.interval);
    const bool open_start = query_.interval.since == TimeInterval{}.since;
    const bool open_end = query_.interval.until == TimeInterval{}.until;
    if (open_start || open_end) {
      NTA_ASSIGN_OR_RETURN(const MinuteRange kept, KeptMinutes());
      if (open_start) range_.since = kept.since;
      if (open_end) range_.until = std::max(range_.since, kept.until);
    }
    range_.since = FloorDivide(range_.since, step_minutes_) * step_minutes_;
    range_.until = -FloorDivide(-range_.until, step_minutes_) * step_minutes_;
    range_.until = std::max(range_.until, range_.since);
    if ((range_.until - range_.since) / step_minutes_ <= kMaxSteps) return absl::OkStatus();
    return base::InvalidArgument("step is too short for the interval: at most " +
                                 std::to_string(kMaxSteps) + " steps");
  }

  // The first minute of traffic or capture that is kept, and the one after the last.
  absl::StatusOr<MinuteRange> KeptMinutes() {
    NTA_ASSIGN_OR_RETURN(MinuteRange kept, traffic_.rollups().Kept());
    NTA_ASSIGN_OR_RETURN(const std::optional<MinuteRange> captured, traffic_.Captured());
    NTA_ASSIGN_OR_RETURN(const std::optional<MinuteRange> newest, traffic_.MinutesWithoutTotals());
    for (const std::optional<MinuteRange>& more : {captured, newest}) {
      if (!more) continue;
      const bool is_first = kept.since == kept.until;
      kept = {is_first ? more->since : std::min(kept.since, more->since),
              is_first ? more->until : std::max(kept.until, more->until)};
    }
    return kept;
  }

  TimeInterval Interval() const { return {StartOf(range_.since), StartOf(range_.until)}; }

  // The longest buckets that steps are made of.
  RollupLevel LevelOfSteps() const {
    for (const RollupLevel level : {RollupLevel::kDay, RollupLevel::kQuarter, RollupLevel::kHour}) {
      if (step_minutes_ % MinutesOf(level) == 0) return level;
    }
    return RollupLevel::kMinute;
  }

  // A minute was captured when it was marked so, or when it has traffic of whatever kind.
  absl::Status FindCaptured() {
    NTA_RETURN_IF_ERROR(traffic_.ForEachCaptured(range_, [this](const MinuteRange& minutes) {
      const std::size_t first = StepOf(std::max(minutes.since, range_.since));
      const std::size_t last = StepOf(std::min(minutes.until, range_.until) - 1);
      for (std::size_t step = first; step <= last; ++step) captured_[step] = true;
    }));
    NTA_RETURN_IF_ERROR(traffic_.rollups().ForEachBucket(
        {LevelOfSteps(), range_}, [this](Minute start) { captured_[StepOf(start)] = true; }));
    return traffic_.Scan(FlowsIn::kNoTotals, Interval(), FlowFilter(), {.times = true},
                         [this](const CountedFlows& flows) {
                           flows.ForEach([&](std::size_t i, const Share&) {
                             ForEachMinute(flows.FlowSpan(i), [this](Minute minute, const Share&) {
                               if (minute >= range_.since && minute < range_.until)
                                 captured_[StepOf(minute)] = true;
                             });
                           });
                           return absl::OkStatus();
                         });
  }

  void Add(std::uint64_t protocol, std::size_t step, const TrafficTotals& totals) {
    const std::uint64_t value = Measured(totals, query_.measure);
    if (value == 0) return;
    auto& values =
        values_[query_.by == SeriesBy::kNone ? kAllProtocols : static_cast<int>(protocol & 0xff)];
    values.resize(Steps());
    values[step] += value;
  }

  absl::Status AddRollup() {
    const LevelRange range{LevelOfSteps(), range_};
    if (!query_.address) {
      NTA_RETURN_IF_ERROR(traffic_.rollups().ForEachTraffic(
          range, TrafficSection::kProtocols, [this](Minute start, const TrafficPart& part) {
            const auto& rows = part.protocols;
            for (std::size_t i = 0; i < rows.keys.size(); ++i) {
              Add(rows.keys[i], StepOf(start),
                  {rows.counts[kBytes][i], rows.counts[kPackets][i], rows.counts[kFlows][i]});
            }
            return absl::OkStatus();
          }));
      return AddFlows(FlowsIn::kNoTotals, FlowFilter());
    }
    NTA_RETURN_IF_ERROR(traffic_.rollups().ForEachAddresses(
        range,
        [this](Minute start, const AddressPart& part) {
          AddAddress(StepOf(start), part);
          return absl::OkStatus();
        },
        &*query_.address));
    return AddFlows(
        range.level == RollupLevel::kMinute ? FlowsIn::kNotAddressesMinute : FlowsIn::kNoTotals,
        FlowFilter());
  }

  void AddAddress(std::size_t step, const AddressPart& part) {
    const auto& c = part.counts;
    const auto first =
        std::lower_bound(part.keys.begin(), part.keys.end(), AddressKey{*query_.address, 0});
    for (auto i = static_cast<std::size_t>(first - part.keys.begin());
         i < part.keys.size() && part.keys[i].address == *query_.address; ++i) {
      Add(part.keys[i].protocol, step,
          {c[kSentAsSource][i] + c[kReceivedAsSource][i] + c[kSentAsDestination][i] +
               c[kReceivedAsDestination][i] - c[kBytesToItself][i],
           c[kPacketsAsSource][i] + c[kPacketsAsDestination][i] - c[kPacketsToItself][i],
           c[kFlowsAsSource][i] + c[kFlowsAsDestination][i] - c[kFlowsToItself][i]});
    }
  }

  // `filter` and the address of the query.
  absl::Status AddFlows(FlowsIn which, const FlowFilter& filter) {
    FlowFilter of_address;
    if (query_.address) {
      NTA_ASSIGN_OR_RETURN(of_address, FlowFilter::Parse("host=" + query_.address->ToString()));
    }
    const TrafficNeeds needs{.times = true,
                             .protocol = true,
                             .source = query_.address.has_value(),
                             .destination = query_.address.has_value()};
    // Of the two conditions the address has the summaries to skip blocks by more often.
    const bool by_address = query_.address.has_value() && filter.matches_everything();
    return traffic_.Scan(
        which, Interval(), by_address ? of_address : filter, needs, [&](const CountedFlows& flows) {
          const TrafficColumns& columns = flows.columns();
          for (std::size_t i = 0; i < flows.size(); ++i) {
            if (!flows.selected(i)) continue;
            if (query_.address &&
                columns.source->dictionary[columns.source->index[i]] != *query_.address &&
                columns.destination->dictionary[columns.destination->index[i]] != *query_.address) {
              continue;
            }
            AddFlow(flows.FlowSpan(i), columns.protocol[i]);
          }
          return absl::OkStatus();
        });
  }

  void AddFlow(const Span& flow, std::uint64_t protocol) {
    const Minute first = std::max(FloorMinute(flow.first_seen), range_.since);
    const Minute last = std::min(FloorMinute(flow.last_seen), range_.until - 1);
    if (first > last) return;
    Share before = ShareBefore(flow, StartOfStep(StepOf(first)));
    for (std::size_t step = StepOf(first); step <= StepOf(last); ++step) {
      const Share after = ShareBefore(flow, StartOfStep(step + 1));
      const Share share = ShareBetween(before, after);
      Add(protocol, step, {share.bytes(), share.packets, share.flows});
      before = after;
    }
  }

  SeriesResult Result() const {
    SeriesResult result;
    result.interval = {StartOf(range_.since), StartOf(range_.until)};
    result.step = query_.step;
    result.source = source_;
    for (std::size_t step = 0; step < Steps(); ++step) result.times.push_back(StartOfStep(step));
    std::vector<std::pair<std::uint64_t, SeriesLine>> lines;
    for (const auto& [protocol, values] : values_) {
      SeriesLine line;
      line.key =
          protocol == kAllProtocols ? "all" : ProtocolName(static_cast<std::uint8_t>(protocol));
      for (std::size_t step = 0; step < Steps(); ++step) {
        line.values.push_back(captured_[step] ? std::optional(values[step]) : std::nullopt);
      }
      lines.emplace_back(std::accumulate(values.begin(), values.end(), std::uint64_t{0}),
                         std::move(line));
    }
    // The line that matters most comes first.
    std::stable_sort(lines.begin(), lines.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (auto& [sum, line] : lines) result.lines.push_back(std::move(line));
    return result;
  }

  TrafficSource& traffic_;
  const SeriesQuery& query_;
  const std::int64_t step_minutes_;
  MinuteRange range_;
  QuerySource source_ = QuerySource::kRollup;
  std::vector<bool> captured_;
  std::map<int, std::vector<std::uint64_t>> values_;  // by protocol
};

}  // namespace

absl::StatusOr<SeriesResult> QuerySeries(TrafficSource& source, const SeriesQuery& query) {
  constexpr std::chrono::seconds kMaxStep = std::chrono::hours(24 * 366);
  if (query.step < std::chrono::minutes(1) || query.step > kMaxStep ||
      query.step % std::chrono::minutes(1) != std::chrono::seconds(0)) {
    return base::InvalidArgument("step must be a multiple of 60 seconds, up to 366 days");
  }
  NTA_RETURN_IF_ERROR(CheckInterval(query.interval));
  return SeriesBuilder(source, query).Build();
}

}  // namespace nta::store
