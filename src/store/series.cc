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
// Of lines that are of no number.
constexpr int kAll = -1;
// What has no application or category.
constexpr int kUnknown = 0;

// The values of a line, and what of them is guessed; both empty while they are zero.
struct Line {
  std::vector<std::uint64_t> values;
  std::vector<std::uint64_t> guessed;
};

std::string NameOf(SeriesBy by, int number) {
  switch (by) {
    case SeriesBy::kNone:
      break;
    case SeriesBy::kProtocol:
      return ProtocolName(static_cast<std::uint8_t>(number));
    case SeriesBy::kApplication:
      return std::string(ToString(static_cast<Application>(number)));
    case SeriesBy::kCategory:
      return std::string(ToString(static_cast<ApplicationCategory>(number)));
  }
  return "all";
}

class SeriesBuilder {
 public:
  SeriesBuilder(TrafficSource& traffic, const SeriesQuery& query)
      : traffic_(traffic), query_(query), step_minutes_(query.step / std::chrono::minutes(1)) {}

  absl::StatusOr<SeriesResult> Build() {
    NTA_RETURN_IF_ERROR(ChooseSteps());
    captured_.assign(Steps(), false);
    NTA_RETURN_IF_ERROR(FindCaptured());
    if (query_.by == SeriesBy::kNone) lines_[kAll].values.assign(Steps(), 0);
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
    NTA_ASSIGN_OR_RETURN(range_, AskedMinutes(traffic_, query_.interval));
    range_.since = FloorDivide(range_.since, step_minutes_) * step_minutes_;
    range_.until = -FloorDivide(-range_.until, step_minutes_) * step_minutes_;
    range_.until = std::max(range_.until, range_.since);
    if ((range_.until - range_.since) / step_minutes_ <= kMaxSteps) return absl::OkStatus();
    return base::InvalidArgument("step is too short for the interval: at most " +
                                 std::to_string(kMaxSteps) + " steps");
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

  bool ByApplication() const {
    return query_.by == SeriesBy::kApplication || query_.by == SeriesBy::kCategory;
  }

  // Which line a key of rollups counts for.
  int LineOf(std::uint64_t application_key) const {
    return static_cast<int>(query_.by == SeriesBy::kApplication ? ApplicationOf(application_key)
                                                                : CategoryOf(application_key));
  }

  void AddTo(std::vector<std::uint64_t>& values, std::size_t step, std::uint64_t value) {
    values.resize(Steps());
    values[step] += value;
  }
  void Add(int line, std::size_t step, const TrafficTotals& totals) {
    const std::uint64_t value = Measured(totals, query_.measure);
    if (value != 0) AddTo(lines_[line].values, step, value);
  }
  void AddProtocol(std::uint64_t protocol, std::size_t step, const TrafficTotals& totals) {
    Add(query_.by == SeriesBy::kNone ? kAll : static_cast<int>(protocol & 0xff), step, totals);
  }
  void AddApplication(std::uint64_t key, std::size_t step, const TrafficTotals& totals) {
    const std::uint64_t value = Measured(totals, query_.measure);
    if (value == 0) return;
    const int number = LineOf(key);
    Line& line = lines_[number];
    AddTo(line.values, step, value);
    if (number != kUnknown && IsGuessed(key)) AddTo(line.guessed, step, value);
  }

  void AddPart(Minute start, const TrafficPart& part) {
    const std::size_t step = StepOf(start);
    const auto totals = [](const auto& rows, std::size_t i) {
      return TrafficTotals{rows.counts[kBytes][i], rows.counts[kPackets][i],
                           rows.counts[kFlows][i]};
    };
    for (std::size_t i = 0; i < part.protocols.keys.size(); ++i) {
      if (ByApplication()) {
        Add(kUnknown, step, totals(part.protocols, i));
      } else {
        AddProtocol(part.protocols.keys[i], step, totals(part.protocols, i));
      }
    }
    if (!ByApplication()) return;
    for (std::size_t i = 0; i < part.applications.keys.size(); ++i) {
      const std::uint64_t key = part.applications.keys[i];
      if (LineOf(key) == kUnknown) continue;
      const TrafficTotals known = totals(part.applications, i);
      AddApplication(key, step, known);
      // What is known is part of what was added to what is not.
      lines_[kUnknown].values[step] -= Measured(known, query_.measure);
    }
  }

  absl::Status AddRollup() {
    const LevelRange range{LevelOfSteps(), range_};
    if (!query_.address) {
      NTA_RETURN_IF_ERROR(traffic_.rollups().ForEachTraffic(
          range, ByApplication() ? TrafficSection::kApplications : TrafficSection::kProtocols,
          [this](Minute start, const TrafficPart& part) {
            AddPart(start, part);
            return absl::OkStatus();
          }));
      return AddFlows(FlowsIn::kNoTotals, FlowFilter());
    }
    if (ByApplication()) {
      // Totals of addresses do not say what they were of.
      source_ = QuerySource::kRaw;
      return AddFlows(FlowsIn::kAny, FlowFilter());
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
      AddProtocol(part.keys[i].protocol, step,
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
                             .protocol = query_.by == SeriesBy::kProtocol,
                             .application = ByApplication(),
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
            AddFlow(flows.FlowSpan(i), columns, i);
          }
          return absl::OkStatus();
        });
  }

  void AddFlow(const Span& flow, const TrafficColumns& columns, std::size_t row) {
    const Minute first = std::max(FloorMinute(flow.first_seen), range_.since);
    const Minute last = std::min(FloorMinute(flow.last_seen), range_.until - 1);
    if (first > last) return;
    Share before = ShareBefore(flow, StartOfStep(StepOf(first)));
    for (std::size_t step = StepOf(first); step <= StepOf(last); ++step) {
      const Share after = ShareBefore(flow, StartOfStep(step + 1));
      const Share share = ShareBetween(before, after);
      const TrafficTotals totals{share.bytes(), share.packets, share.flows};
      if (ByApplication()) {
        AddApplication(
            ApplicationKey(columns.application[row], columns.category[row], columns.evidence[row]),
            step, totals);
      } else {
        AddProtocol(query_.by == SeriesBy::kNone ? 0 : columns.protocol[row], step, totals);
      }
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
    for (const auto& [number, counted] : lines_) {
      const auto& values = counted.values;
      const std::uint64_t sum = std::accumulate(values.begin(), values.end(), std::uint64_t{0});
      if (sum == 0 && ByApplication()) continue;
      SeriesLine line;
      line.key = NameOf(query_.by, number);
      for (std::size_t step = 0; step < Steps(); ++step) {
        line.values.push_back(captured_[step] ? std::optional(values[step]) : std::nullopt);
      }
      line.guessed = counted.guessed;
      lines.emplace_back(sum, std::move(line));
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
  std::map<int, Line> lines_;  // by protocol, application or category
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
