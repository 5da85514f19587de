#include "nta/pipeline/backtest.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/status.h"
#include "pipeline/flow_replay.h"

namespace nta {
namespace {

constexpr std::size_t kMostScores = 100'000;
constexpr Duration kTick = std::chrono::seconds(1);
constexpr Duration kSlack = std::chrono::minutes(10);
constexpr std::uint64_t kFlowsBetweenLooks = 4096;

// Alert states in, a report out.
class Collector {
 public:
  static absl::StatusOr<Collector> Create(const BacktestOptions& options) {
    NTA_ASSIGN_OR_RETURN(AlertFilter filter, AlertFilter::Create(options.suppressions));
    return Collector(std::move(filter), options.max_alerts);
  }

  // What falls due after the traffic, such as the closing of an alert, happens at its end.
  void Add(std::vector<Alert>& alerts, Timestamp end) {
    filter_.Apply(alerts);
    for (Alert& alert : alerts) {
      alert.time = std::min(alert.time, end);
      Add(alert);
    }
    alerts.clear();
  }
  void Count(const FlowRecord& flow) {
    Extend(flow.first_seen, flow.last_seen);
    ++report_.flows;
  }
  void Count(std::span<const PacketView> packets) {
    for (const PacketView& packet : packets) {
      Extend(packet.time, packet.time);
      ++report_.packets;
    }
  }
  BacktestReport Take() && { return std::move(report_); }
  BacktestReport& report() { return report_; }

 private:
  Collector(AlertFilter filter, std::size_t max_alerts)
      : filter_(std::move(filter)), max_alerts_(max_alerts) {}

  void Extend(Timestamp first, Timestamp last) {
    if (report_.is_empty()) {
      report_.since = first;
      report_.until = last;
    }
    report_.since = std::min(report_.since, first);
    report_.until = std::max(report_.until, last);
  }

  void Add(Alert& alert) {
    // One that is opened again is not a new one, one that is shown from an update on is.
    const bool known = place_.contains(alert.id);
    if (!alert.suppressed_by.empty()) {
      if (!known && hidden_.size() < kMostScores && hidden_.insert(alert.id).second) {
        ++report_.hidden;
      }
      return;
    }
    if (known) {
      const std::size_t at = place_[alert.id];
      if (at < report_.kept.size()) report_.kept[at] = std::move(alert);
      return;
    }
    ++report_.alerts;
    ++report_.by_class[std::string(ToString(alert.alert_class))];
    ++report_.by_severity[std::string(ToString(alert.severity))];
    ++report_.by_detector[alert.detector];
    ++report_.by_day[ToString(alert.time).substr(0, 10)];
    if (report_.scores.size() < kMostScores) report_.scores.push_back(alert.score);
    if (place_.size() < kMostScores) place_.emplace(alert.id, report_.kept.size());
    if (report_.kept.size() >= max_alerts_) {
      if (const auto found = place_.find(alert.id); found != place_.end()) {
        found->second = std::numeric_limits<std::size_t>::max();
      }
      return;
    }
    report_.opened.push_back(alert.time);
    report_.kept.push_back(std::move(alert));
  }

  AlertFilter filter_;
  std::size_t max_alerts_;
  BacktestReport report_;
  absl::flat_hash_map<std::string, std::size_t> place_;  // in `kept`
  std::set<std::string> hidden_;
};

absl::Status Cancelled() {
  return base::MakeStatus(absl::StatusCode::kCancelled, "the backtest was stopped");
}

absl::Status CheckOptions(const BacktestOptions& options) {
  const auto is_time = [](Duration time) {
    return time > Duration::zero() && time <= std::chrono::days(1);
  };
  if (!is_time(options.idle_timeout) || !is_time(options.active_timeout) ||
      !is_time(options.closed_timeout)) {
    return base::InvalidArgument("a timeout of the backtest is not within 0 and 1 day");
  }
  if (options.max_flows_held < 1 || options.max_flows_held > 100'000'000) {
    return base::InvalidArgument("max_flows_held is 1 to 100,000,000");
  }
  return absl::OkStatus();
}

// Gives the feed's flows, as events, to `observe`, and the passing of time to `advance`.
absl::Status Replay(const FlowFeed& feed, const BacktestOptions& options,
                    const std::function<void(const FlowRecord&)>& count,
                    const std::function<void(const FlowEvent&)>& observe,
                    std::uint64_t& late_flows) {
  internal::FlowReplay replay(options, observe);
  std::uint64_t flows = 0;
  NTA_RETURN_IF_ERROR(feed([&](const FlowRecord& flow) -> absl::Status {
    count(flow);
    replay.Add(flow);
    if (++flows % kFlowsBetweenLooks != 0) return absl::OkStatus();
    if (options.progress) options.progress(flow.last_seen);
    return options.stop.stop_requested() ? Cancelled() : absl::OkStatus();
  }));
  replay.Finish();
  late_flows = replay.late_flows();
  return absl::OkStatus();
}

bool IsSame(const Alert& a, Timestamp a_opened, const Alert& b, Timestamp b_opened) {
  return a.alert_class == b.alert_class && a.entity == b.entity && a_opened <= b.time + kSlack &&
         b_opened <= a.time + kSlack;
}

}  // namespace

double BacktestReport::days() const {
  const double span = std::chrono::duration<double>(until - since).count() / 86400;
  return std::max(span, 1.0);
}

double BacktestReport::ScoreFor(double wanted) const {
  std::vector<double> sorted = scores;
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const auto place = static_cast<std::size_t>(std::max(0.0, wanted * days()));
  return place < sorted.size() ? sorted[place] : 0;
}

absl::StatusOr<BacktestReport> BacktestFlows(std::span<Detector* const> detectors,
                                             const FlowFeed& feed, const BacktestOptions& options) {
  NTA_RETURN_IF_ERROR(CheckOptions(options));
  NTA_ASSIGN_OR_RETURN(Collector collector, Collector::Create(options));
  std::vector<Alert> alerts;
  Timestamp told = Timestamp::min();
  std::uint64_t late = 0;
  const auto observe = [&](const FlowEvent& event) {
    const bool tick = told == Timestamp::min() || event.time - told >= kTick;
    for (Detector* detector : detectors) {
      if (tick) detector->AdvanceTo(event.time, alerts);
      detector->Observe(event, alerts);
    }
    if (tick) told = event.time;
    if (!alerts.empty()) collector.Add(alerts, collector.report().until);
  };
  NTA_RETURN_IF_ERROR(Replay(
      feed, options, [&](const FlowRecord& flow) { collector.Count(flow); }, observe, late));
  for (Detector* detector : detectors) detector->Finish(alerts);
  collector.Add(alerts, collector.report().until);
  collector.report().late_flows = late;
  return std::move(collector).Take();
}

absl::StatusOr<BacktestReport> BacktestCapture(std::span<Detector* const> detectors,
                                               PacketSource& source, const PipelineOptions& options,
                                               const BacktestOptions& backtest) {
  NTA_ASSIGN_OR_RETURN(Collector collector, Collector::Create(backtest));
  Pipeline pipeline(source, options);
  for (Detector* detector : detectors) pipeline.AddDetector(*detector);
  NTA_RETURN_IF_ERROR(pipeline.Run([&](const Batch& batch) -> absl::Status {
    collector.Count(batch.packets);
    for (const FlowRecord& flow : batch.flows) collector.Count(flow);
    std::vector<Alert> alerts = batch.alerts;
    collector.Add(alerts, batch.time);
    if (backtest.progress) backtest.progress(batch.time);
    return backtest.stop.stop_requested() ? Cancelled() : absl::OkStatus();
  }));
  return std::move(collector).Take();
}

BacktestDifference Compare(const BacktestReport& before, const BacktestReport& after) {
  BacktestDifference difference;
  std::vector<bool> found(after.kept.size(), false);
  for (std::size_t i = 0; i < before.kept.size(); ++i) {
    bool same = false;
    for (std::size_t j = 0; j < after.kept.size(); ++j) {
      if (!IsSame(before.kept[i], before.opened[i], after.kept[j], after.opened[j])) continue;
      same = true;
      found[j] = true;
    }
    if (same) {
      ++difference.same;
    } else {
      difference.vanish.push_back(before.kept[i]);
    }
  }
  for (std::size_t j = 0; j < after.kept.size(); ++j) {
    if (!found[j]) difference.appear.push_back(after.kept[j]);
  }
  return difference;
}

}  // namespace nta
