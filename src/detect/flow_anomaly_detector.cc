#include "nta/detect/flow_anomaly_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/distinct_count.h"
#include "detect/flow_features.h"
#include "detect/number_archive.h"
#include "detect/recent_table.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/detect/vector_scorer.h"

namespace nta {
namespace {

constexpr std::string_view kName = "flow_anomaly";
constexpr std::uint16_t kVersion = 2;
// So many sources that do the same unusual thing at the same time are one alert.
constexpr std::size_t kGroup = 3;

// A service of a host.
struct Target {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;

  friend auto operator<=>(const Target&, const Target&) = default;
};

// Of one source, in the window that runs.
struct Window {
  std::uint64_t flows = 0;
  std::uint64_t unusual = 0;
  double most_bits = 0;
  detect::FlowVector vector{};  // of the most unusual flow
  FiveTuple flow{};
  detect::Majority<Target> target;  // of the unusual flows
  Timestamp first{};
  Timestamp last{};
};

double Seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

VectorScorer CreateScorer(const FlowAnomalyOptions& options,
                          std::vector<std::unique_ptr<VectorModel>> own) {
  VectorScorerOptions scorer{.dimensions = detect::kFlowFeatures,
                             .loda = options.loda,
                             .half_space_trees = options.half_space_trees,
                             .autoencoders = options.autoencoders,
                             .warm_up = options.warm_up_flows};
  std::erase(own, nullptr);
  if (!scorer.half_space_trees && !scorer.autoencoders && own.empty()) scorer.loda = true;
  return *VectorScorer::Create(scorer, std::move(own));  // has dimensions and a model
}

}  // namespace

class FlowAnomalyDetector::Impl {
 public:
  Impl(const FlowAnomalyOptions& options, std::vector<std::unique_ptr<VectorModel>> own)
      : options_(options),
        scorer_(CreateScorer(options, std::move(own))),
        windows_(std::max<std::size_t>(options.max_sources, 16)),
        budget_(options.budget),
        tracker_(std::string(kName), options.alerts) {
    options_.window = std::max<Duration>(options.window, std::chrono::seconds(1));
  }

  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts) {
    CloseWindow(window_end_, alerts);
    tracker_.Finish(alerts);
  }
  std::size_t memory_bytes() const {
    return sizeof(*this) + scorer_.memory_bytes() + history_.memory_bytes() +
           windows_.memory_bytes() + tracker_.memory_bytes();
  }
  // The models' own part is what they use now: it does not grow after the warm-up, during which
  // the vectors are kept.
  std::size_t memory_limit_bytes() const {
    return sizeof(*this) + scorer_.memory_bytes() +
           options_.warm_up_flows * detect::kFlowFeatures * 2 * sizeof(float) + kQuarantineBytes +
           history_.memory_bytes() + windows_.memory_limit_bytes() + tracker_.memory_limit_bytes();
  }
  std::uint64_t evictions() const { return evicted_ + windows_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  static constexpr std::size_t kQuarantineBytes =
      256 * (64 + detect::kFlowFeatures * sizeof(float));

  struct Suspect {
    const IpAddress* source = nullptr;
    const Window* window = nullptr;
    double bits = 0;
  };

  void CloseWindow(Timestamp end, std::vector<Alert>& alerts);
  void Raise(const Suspect& suspect, Timestamp end, std::vector<Alert>& alerts);
  void RaiseGroup(const Target& target, std::vector<Suspect>& suspects, Timestamp end,
                  std::vector<Alert>& alerts);
  void Fill(const Window& window, double bits, Alert& alert);
  template <typename Archive>
  static void WindowFields(Archive& archive, Window& window);

  FlowAnomalyOptions options_;
  VectorScorer scorer_;
  detect::FlowHistory history_;
  detect::RecentTable<IpAddress, Window> windows_;
  AlertBudget budget_;
  AlertTracker tracker_;
  std::uint64_t evicted_ = 0;
  bool started_ = false;
  Timestamp since_{};
  Timestamp window_end_{};
};

void FlowAnomalyDetector::Impl::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  if (started_ && now >= window_end_) {
    CloseWindow(window_end_, alerts);
    const auto passed = detect::Since(window_end_, now) / options_.window + 1;
    window_end_ = detect::After(window_end_, passed * options_.window);
  }
  tracker_.AdvanceTo(now, alerts);
}

void FlowAnomalyDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  if (!started_) {
    started_ = true;
    since_ = event.time;
    window_end_ = detect::After(event.time, options_.window);
  }
  AdvanceTo(event.time, alerts);
  if (!event.closes_record()) return;
  const FlowRecord& flow = event.flow;
  const detect::FlowVector vector = history_.Vector(flow);
  const VectorScore score =
      scorer_.Add(vector, detect::HashOfAddress(flow.source.address) | 1, event.time,
                  base::KeyedHash(flow.destination.port)(
                      detect::HashOfAddress(flow.destination.address), flow.protocol) |
                      1);
  if (!score.is_warm || detect::Since(since_, event.time) < options_.warm_up) return;
  Window& window = windows_.FindOrAdd(flow.source.address);
  if (window.flows == 0) window.first = flow.first_seen;
  ++window.flows;
  window.last = flow.last_seen;
  if (score.bits >= options_.unusual_bits) {
    ++window.unusual;
    window.target.Add({flow.destination.address, flow.destination.port, flow.protocol});
  }
  if (score.bits <= window.most_bits) return;
  window.most_bits = score.bits;
  window.vector = vector;
  window.flow = flow.five_tuple();
}

void FlowAnomalyDetector::Impl::CloseWindow(Timestamp end, std::vector<Alert>& alerts) {
  std::map<Target, std::vector<Suspect>> by_target;
  std::uint64_t suspects = 0;
  for (const auto& [source, window] : windows_.entries()) {
    if (window.unusual < options_.min_flows) continue;
    // The largest of n has log2(n) bits by chance alone.
    const double bits = window.most_bits - std::log2(static_cast<double>(window.flows));
    by_target[window.target.value].push_back({&source, &window, bits});
    ++suspects;
  }
  budget_.Test(end, windows_.size() - suspects);
  for (auto& [target, group] : by_target) {
    if (group.size() >= kGroup) {
      RaiseGroup(target, group, end, alerts);
      continue;
    }
    for (const Suspect& suspect : group) {
      if (suspect.bits >= budget_.Test(end)) Raise(suspect, end, alerts);
    }
  }
  evicted_ += windows_.evicted();
  windows_ = detect::RecentTable<IpAddress, Window>(windows_.capacity());
}

// What alerts of one source and of many have in common.
void FlowAnomalyDetector::Impl::Fill(const Window& window, double bits, Alert& alert) {
  alert.score = bits;
  alert.unit = "unusual flows";
  alert.window = options_.window;
  alert.confidence = 0.4;
  std::vector<std::string> reasons;
  const std::vector<std::string> names = FlowFeatureNames();
  for (const auto& [index, share] : scorer_.Explain(window.vector)) {
    reasons.push_back(absl::StrFormat("%s (%.0f %%)", names[index], 100 * share));
  }
  const std::string flow = window.flow.source.address.ToString() + " to " +
                           window.flow.destination.address.ToString() + " " +
                           detect::ServiceText(window.flow.protocol, window.flow.destination.port);
  alert.summary = absl::StrFormat(" in %s look like none before, most of all %s: by its %s",
                                  detect::SpanText(Seconds(options_.window)), flow,
                                  reasons.empty() ? "shape" : reasons.front());
  alert.evidence = {{"most_unusual_flow", flow}, {"top_features", reasons}};
  alert.advice =
      "Look at the flow named; if it is wanted, do nothing: its like is learnt within a day.";
}

void FlowAnomalyDetector::Impl::Raise(const Suspect& suspect, Timestamp end,
                                      std::vector<Alert>& alerts) {
  const Window& window = *suspect.window;
  const AlertFinding finding{.alert_class = AlertClass::kTrafficAnomaly,
                             .entity = {*suspect.source, std::nullopt, std::nullopt},
                             .severity = Severity::kLow,
                             .magnitude = static_cast<double>(window.unusual),
                             .hold = options_.quiet_close};
  tracker_.Raise(
      finding, end,
      [&](Alert& alert) {
        Fill(window, suspect.bits, alert);
        alert.observed = static_cast<double>(window.unusual);
        alert.expected = static_cast<double>(window.flows) * std::exp2(-options_.unusual_bits);
        alert.first_seen = window.first;
        alert.last_seen = window.last;
        alert.evidence["flows"] = static_cast<std::int64_t>(window.flows);
        alert.evidence["unusual_flows"] = static_cast<std::int64_t>(window.unusual);
        alert.peers = {{window.flow.destination.address.ToString(),
                        1.0 / static_cast<double>(window.unusual)}};
        alert.summary = absl::StrFormat("%d of %d flows of %s", window.unusual, window.flows,
                                        suspect.source->ToString()) +
                        alert.summary;
      },
      alerts);
}

// One test, one alert: about what all of them turned to.
void FlowAnomalyDetector::Impl::RaiseGroup(const Target& target, std::vector<Suspect>& suspects,
                                           Timestamp end, std::vector<Alert>& alerts) {
  std::ranges::stable_sort(suspects, std::ranges::greater{}, &Suspect::bits);
  const Suspect& first = suspects.front();
  if (first.bits < budget_.Test(end)) return;
  const std::string service = detect::ServiceText(target.protocol, target.port);
  Window all = *first.window;
  all.flows = all.unusual = 0;
  for (const Suspect& suspect : suspects) {
    all.flows += suspect.window->flows;
    all.unusual += suspect.window->unusual;
    all.first = std::min(all.first, suspect.window->first);
    all.last = std::max(all.last, suspect.window->last);
  }
  const AlertFinding finding{.alert_class = AlertClass::kTrafficAnomaly,
                             .entity = {std::nullopt, target.address, service},
                             .severity = Severity::kLow,
                             .magnitude = static_cast<double>(all.unusual),
                             .hold = options_.quiet_close};
  tracker_.Raise(
      finding, end,
      [&](Alert& alert) {
        Fill(*first.window, first.bits, alert);
        alert.observed = static_cast<double>(all.unusual);
        alert.expected = static_cast<double>(all.flows) * std::exp2(-options_.unusual_bits);
        alert.first_seen = all.first;
        alert.last_seen = all.last;
        alert.evidence["flows"] = static_cast<std::int64_t>(all.flows);
        alert.evidence["unusual_flows"] = static_cast<std::int64_t>(all.unusual);
        alert.evidence["sources"] = static_cast<std::int64_t>(suspects.size());
        alert.peers.clear();
        for (const Suspect& suspect :
             std::span(suspects).first(std::min(suspects.size(), kMaxAlertPeers))) {
          alert.peers.push_back(
              {suspect.source->ToString(),
               static_cast<double>(suspect.window->unusual) / static_cast<double>(all.unusual)});
        }
        std::ranges::stable_sort(alert.peers, std::ranges::greater{}, &AlertPeer::share);
        alert.summary =
            absl::StrFormat(
                "%d hosts did something new at the same time, most of it to %s %s: %d "
                "of their %d flows",
                suspects.size(), target.address.ToString(), service, all.unusual, all.flows) +
            alert.summary;
        alert.advice =
            "See what they fetched or sent there: an update, a new program, or something that "
            "spreads. If it is wanted, do nothing: its like is learnt within a day.";
      },
      alerts);
}

template <typename Archive>
void FlowAnomalyDetector::Impl::WindowFields(Archive& archive, Window& window) {
  archive(window.flows);
  archive(window.unusual);
  detect::Real(archive, window.most_bits);
  detect::Reals(archive, window.vector);
  archive(window.first);
  archive(window.last);
  for (Endpoint* endpoint : {&window.flow.source, &window.flow.destination}) {
    archive(endpoint->address);
    archive(endpoint->port);
  }
  archive(window.flow.protocol);
  archive(window.target.value.address);
  archive(window.target.value.port);
  archive(window.target.value.protocol);
  archive(window.target.lead);
}

std::string FlowAnomalyDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer(started_);
  writer(since_);
  writer(window_end_);
  const_cast<detect::FlowHistory&>(history_).Fields(writer);
  writer.Size(windows_.size(), options_.max_sources);
  for (auto [source, window] : windows_.entries()) {
    writer(source);
    WindowFields(writer, window);
  }
  AlertBudget budget = budget_;
  AlertBudget::Fields(writer, budget);
  writer(scorer_.Save());
  writer(tracker_.Save());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status FlowAnomalyDetector::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  bool started = false;
  Timestamp since{};
  Timestamp window_end{};
  detect::FlowHistory history;
  detect::RecentTable<IpAddress, Window> windows(windows_.capacity());
  reader(started);
  reader(since);
  reader(window_end);
  history.Fields(reader);
  std::size_t size = 0;
  reader.Size(size, std::size_t{1} << 24);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    IpAddress source;
    reader(source);
    Window& window = windows.FindOrAdd(source);
    WindowFields(reader, window);
    if (window.flows == 0) reader.Fail();
  }
  AlertBudget budget(options_.budget);
  AlertBudget::Fields(reader, budget);
  std::string scorer;
  std::string tracker_state;
  reader(scorer);
  reader(tracker_state);
  AlertTracker tracker(std::string(kName), options_.alerts);
  NTA_RETURN_IF_ERROR(detect::FinishLoad(reader, tracker, tracker_state));
  NTA_RETURN_IF_ERROR(scorer_.Load(scorer));
  started_ = started;
  since_ = since;
  window_end_ = window_end;
  history_ = std::move(history);
  windows_ = std::move(windows);
  budget_ = budget;
  tracker_ = std::move(tracker);
  return absl::OkStatus();
}

FlowAnomalyDetector::FlowAnomalyDetector(FlowAnomalyOptions options,
                                         std::vector<std::unique_ptr<VectorModel>> own)
    : impl_(std::make_unique<Impl>(options, std::move(own))) {}
FlowAnomalyDetector::~FlowAnomalyDetector() = default;
FlowAnomalyDetector::FlowAnomalyDetector(FlowAnomalyDetector&&) noexcept = default;
FlowAnomalyDetector& FlowAnomalyDetector::operator=(FlowAnomalyDetector&&) noexcept = default;

void FlowAnomalyDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void FlowAnomalyDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void FlowAnomalyDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t FlowAnomalyDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t FlowAnomalyDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t FlowAnomalyDetector::evictions() const { return impl_->evictions(); }
std::string FlowAnomalyDetector::Save() const { return impl_->Save(); }
absl::Status FlowAnomalyDetector::Load(std::string_view state) { return impl_->Load(state); }

}  // namespace nta
