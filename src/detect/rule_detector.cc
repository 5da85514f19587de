#include "nta/detect/rule_detector.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <list>
#include <queue>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_format.h"
#include "base/status.h"
#include "detect/rule_group.h"
#include "detect/rule_value.h"
#include "detect/state_archive.h"

namespace nta {
namespace {

using detect::RuleGroup;
using detect::RuleKey;
using detect::RuleSteps;
using detect::WindowValue;

constexpr std::uint16_t kStateVersion = 1;
constexpr std::size_t kMostPeaks = 256;
// A flow that goes on is told of every half hour, and its bytes lie as far back.
constexpr Duration kLongestRecord = std::chrono::minutes(35);
constexpr std::int64_t kMostSteps = 1000;
constexpr std::int64_t kStepsOfWindow = 20;

RuleSteps StepsOf(const RuleCondition& condition) {
  const bool slides = condition.window_kind() == RuleWindow::kSliding;
  RuleSteps steps;
  steps.window = slides ? kStepsOfWindow : 1;
  steps.step = condition.window() / steps.window;
  const std::int64_t back = kLongestRecord / steps.step + 1;
  steps.kept =
      steps.window + (condition.counts_at_start() ? steps.window : std::min(back, kMostSteps));
  return steps;
}

std::string Pretty(double number) {
  if (number == std::floor(number) && std::abs(number) < 1e15) {
    std::string digits = absl::StrFormat("%.0f", number);
    for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
    return digits;
  }
  return absl::StrFormat("%.3g", number);
}

std::string TimeText(Duration time) {
  const double seconds = std::chrono::duration<double>(time).count();
  if (seconds >= 86400) return absl::StrFormat("%g days", seconds / 86400);
  if (seconds >= 3600) return absl::StrFormat("%g h", seconds / 3600);
  if (seconds >= 60) return absl::StrFormat("%g min", seconds / 60);
  return absl::StrFormat("%g s", seconds);
}

std::string FlowText(const FiveTuple& flow) {
  return absl::StrFormat("%s %s %d > %s %d", ProtocolName(flow.protocol),
                         flow.source.address.ToString(), flow.source.port,
                         flow.destination.address.ToString(), flow.destination.port);
}

}  // namespace

class RuleDetector::Impl {
 public:
  Impl(AlertRule rule, RuleDetectorOptions options)
      : rule_(std::move(rule)),
        options_(options),
        name_("rule:" + rule_.id),
        steps_(StepsOf(rule_.condition)),
        tracker_(name_, options.alerts) {}

  const std::string& name() const { return name_; }
  const AlertRule& rule() const { return rule_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  AlertTracker& tracker() { return tracker_; }
  const AlertTracker& tracker() const { return tracker_; }
  std::size_t memory_bytes() const {
    return memory_ + groups_.capacity() * (sizeof(RuleKey) + sizeof(void*) + 1) +
           tracker_.memory_bytes();
  }
  std::size_t memory_limit_bytes() const {
    const std::size_t index = 2 * options_.max_groups * (sizeof(RuleKey) + sizeof(void*) + 1);
    return options_.max_memory_bytes + index + tracker_.memory_limit_bytes();
  }
  RuleDetectorStats Stats() const {
    RuleDetectorStats stats = stats_;
    stats.groups = order_.size();
    return stats;
  }
  std::vector<double> Peaks() const;
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  using Order = std::list<RuleGroup>;  // the one touched last comes first

  bool Counts(const FlowEvent& event) const;
  RuleGroup& GroupOf(const FlowRecord& flow);
  // The steps that changed; nothing when the flow came too late.
  std::optional<std::pair<std::int64_t, std::int64_t>> Count(RuleGroup& group,
                                                             const FlowRecord& flow);
  void Judge(RuleGroup& group, WindowValue best, Timestamp now, std::vector<Alert>& alerts);
  AlertEntity EntityOf(const RuleGroup& group) const;
  void Fill(const RuleGroup& group, const WindowValue& best, Alert& alert) const;
  double MeasureOf(const FlowRecord& flow) const;
  void MakeRoom();
  void Forget(Order::iterator group);
  static void OfferPeak(std::vector<double>& peaks, double peak);

  const AlertRule rule_;
  const RuleDetectorOptions options_;
  const std::string name_;
  const RuleSteps steps_;
  AlertTracker tracker_;
  Order order_;
  absl::flat_hash_map<RuleKey, Order::iterator> groups_;
  std::size_t memory_ = 0;
  RuleDetectorStats stats_;
  std::vector<double> peaks_;  // of forgotten groups; a heap, the least on top
};

bool RuleDetector::Impl::Counts(const FlowEvent& event) const {
  if (rule_.condition.counts_at_start()) {
    if (event.type != FlowEventType::kStarted) return false;
  } else if (!event.closes_record()) {
    return false;
  }
  return rule_.condition.filter().Matches(event.flow);
}

double RuleDetector::Impl::MeasureOf(const FlowRecord& flow) const {
  switch (rule_.condition.measure()) {
    case RuleMeasure::kFlows:
      return 1;
    case RuleMeasure::kBytes:
      return static_cast<double>(flow.wire_bytes());
    case RuleMeasure::kPackets:
      return static_cast<double>(flow.packets());
  }
  return 0;
}

RuleGroup& RuleDetector::Impl::GroupOf(const FlowRecord& flow) {
  RuleKey key;
  const auto per = rule_.condition.per();
  for (std::size_t i = 0; i < per.size(); ++i) key[i] = detect::ValueOf(per[i], flow);
  const auto found = groups_.find(key);
  if (found != groups_.end()) {
    order_.splice(order_.begin(), order_, found->second);
    return order_.front();
  }
  order_.emplace_front(key);
  memory_ += order_.front().memory_bytes();
  groups_.emplace(std::move(key), order_.begin());
  return order_.front();
}

std::optional<std::pair<std::int64_t, std::int64_t>> RuleDetector::Impl::Count(
    RuleGroup& group, const FlowRecord& flow) {
  const RuleCondition& condition = rule_.condition;
  const std::int64_t first = steps_.IndexOf(flow.first_seen);
  if (condition.aggregate() == RuleAggregate::kDistinct) {
    detect::RuleValue value = detect::ValueOf(condition.distinct_field(), flow);
    if (std::holds_alternative<std::monostate>(value)) return std::nullopt;
    switch (group.AddValue(steps_, first, std::move(value))) {
      case RuleGroup::Counted::kYes:
        return std::pair(first, first);
      case RuleGroup::Counted::kLate:
        ++stats_.late_flows;
        return std::nullopt;
      case RuleGroup::Counted::kFull:
        ++stats_.evicted_values;
        return std::nullopt;
    }
  }
  if (condition.measure() == RuleMeasure::kFlows) {
    if (group.Add(steps_, first, 1)) return std::pair(first, first);
    ++stats_.late_flows;
    return std::nullopt;
  }
  if (!group.Spread(steps_, flow.first_seen, flow.last_seen, MeasureOf(flow))) {
    ++stats_.late_flows;
  }
  return std::pair(first, std::max(first, steps_.IndexOf(flow.last_seen)));
}

void RuleDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  tracker_.AdvanceTo(event.time, alerts);
  if (!Counts(event)) return;
  ++stats_.flows;
  RuleGroup& group = GroupOf(event.flow);
  memory_ -= group.memory_bytes();
  const auto changed = Count(group, event.flow);
  if (changed) {
    // The other side of what the group is about.
    const auto per = rule_.condition.per();
    const bool by_source =
        std::find(per.begin(), per.end(), RuleField::kSourceAddress) != per.end();
    group.NotePeer(by_source ? event.flow.destination.address : event.flow.source.address,
                   MeasureOf(event.flow));
    group.NoteSample(event.flow.five_tuple());
  }
  memory_ += group.memory_bytes();
  if (changed)
    Judge(group, group.Greatest(steps_, changed->first, changed->second), event.time, alerts);
  MakeRoom();
}

void RuleDetector::Impl::Judge(RuleGroup& group, WindowValue best, Timestamp now,
                               std::vector<Alert>& alerts) {
  if (rule_.condition.aggregate() == RuleAggregate::kRate) {
    best.value /= std::chrono::duration<double>(rule_.condition.window()).count();
  }
  group.peak = std::max(group.peak, best.value);
  const bool exceeded = rule_.condition.IsExceededBy(best.value);
  if (!exceeded) {
    // While an alert is open, all above the lower threshold keeps it open.
    if (!group.raised || best.value < rule_.condition.threshold() * rule_.close_below) return;
    if (!tracker_.IsOpen(AlertClass::kPolicy, EntityOf(group))) {
      group.raised = false;
      return;
    }
  }
  // A finding a step, or when it has grown by a tenth, is enough.
  if (group.raised && best.last_step == group.raised_step && best.value < 1.1 * group.raised_value)
    return;
  const AlertFinding finding{.alert_class = AlertClass::kPolicy,
                             .entity = EntityOf(group),
                             .severity = rule_.severity,
                             .magnitude = best.value,
                             .hold = rule_.hold};
  // What only keeps the alert open does not change what it says.
  const auto fill = [&](Alert& alert) {
    if (exceeded) Fill(group, best, alert);
  };
  tracker_.Raise(finding, now, fill, alerts);
  group.raised = true;
  group.raised_value = best.value;
  group.raised_step = best.last_step;
}

AlertEntity RuleDetector::Impl::EntityOf(const RuleGroup& group) const {
  AlertEntity entity;
  std::string service;
  const auto per = rule_.condition.per();
  for (std::size_t i = 0; i < per.size(); ++i) {
    const auto* address = std::get_if<IpAddress>(&group.key[i]);
    if (address != nullptr && per[i] == RuleField::kSourceAddress) {
      entity.source = *address;
    } else if (address != nullptr) {
      entity.destination = *address;
    } else {
      service += (service.empty() ? "" : ", ") + std::string(ToString(per[i])) + " " +
                 detect::ToText(per[i], group.key[i]);
    }
  }
  if (!service.empty()) entity.service = service;
  return entity;
}

void RuleDetector::Impl::Fill(const RuleGroup& group, const WindowValue& best, Alert& alert) const {
  const RuleCondition& condition = rule_.condition;
  alert.observed = best.value;
  alert.expected = condition.threshold();
  alert.band_high = condition.threshold();
  alert.unit = condition.unit();
  alert.window = condition.window();
  const Timestamp begin = steps_.Begin(best.last_step - steps_.window + 1);
  alert.first_seen = std::min(alert.first_seen == Timestamp{} ? begin : alert.first_seen, begin);
  alert.evidence["rule"] = condition.ToString();
  alert.evidence["title"] = rule_.title;
  alert.evidence["threshold"] = condition.threshold();
  alert.evidence["window_start"] = ToString(begin);
  std::vector<std::string> flows;
  for (const FiveTuple& sample : group.samples) flows.push_back(FlowText(sample));
  alert.evidence["sample_flows"] = std::move(flows);
  std::vector<detect::RulePeer> peers = group.peers;
  std::sort(peers.begin(), peers.end(), [](const auto& a, const auto& b) {
    return a.amount != b.amount ? a.amount > b.amount : a.address < b.address;
  });
  double total = 0;
  for (const detect::RulePeer& peer : peers) total += peer.amount;
  alert.peers.clear();
  for (std::size_t i = 0; i < std::min(peers.size(), kMaxAlertPeers); ++i) {
    alert.peers.push_back({peers[i].address.ToString(), peers[i].amount / std::max(total, 1e-9)});
  }
  std::string who;
  const auto per = condition.per();
  for (std::size_t i = 0; i < per.size(); ++i) {
    who += (i == 0 ? " for " : ", ") + std::string(ToString(per[i])) + " " +
           detect::ToText(per[i], group.key[i]);
  }
  alert.summary = absl::StrFormat("%s: %s %s in %s%s, where the rule allows %s.", rule_.title,
                                  Pretty(best.value), condition.unit(),
                                  TimeText(condition.window()), who, Pretty(condition.threshold()));
}

void RuleDetector::Impl::OfferPeak(std::vector<double>& peaks, double peak) {
  if (peak <= 0) return;
  peaks.push_back(peak);
  std::push_heap(peaks.begin(), peaks.end(), std::greater<>());
  if (peaks.size() <= kMostPeaks) return;
  std::pop_heap(peaks.begin(), peaks.end(), std::greater<>());
  peaks.pop_back();
}

void RuleDetector::Impl::Forget(Order::iterator group) {
  OfferPeak(peaks_, group->peak);
  memory_ -= group->memory_bytes();
  groups_.erase(group->key);
  order_.erase(group);
}

void RuleDetector::Impl::MakeRoom() {
  while (order_.size() > 1 &&
         (order_.size() > options_.max_groups || memory_ > options_.max_memory_bytes)) {
    // A group that is silent for all that is remembered holds nothing to miss.
    const auto last = std::prev(order_.end());
    if (last->newest() + steps_.kept > order_.front().newest()) ++stats_.evicted_groups;
    Forget(last);
  }
}

std::vector<double> RuleDetector::Impl::Peaks() const {
  std::vector<double> peaks = peaks_;
  for (const RuleGroup& group : order_) OfferPeak(peaks, group.peak);
  std::sort(peaks.begin(), peaks.end(), std::greater<>());
  return peaks;
}

std::string RuleDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer(std::string_view(rule_.condition.ToString()));
  writer(std::string_view(tracker_.Save()));
  writer(stats_.flows);
  writer(stats_.evicted_groups);
  writer(stats_.evicted_values);
  writer(stats_.late_flows);
  writer.Size(order_.size(), order_.size());
  for (auto group = order_.rbegin(); group != order_.rend(); ++group) group->Write(writer);
  return detect::SealState(name_, kStateVersion, std::move(writer).bytes());
}

absl::Status RuleDetector::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(name_, kStateVersion, state));
  detect::StateReader reader(payload);
  std::string condition;
  std::string tracker;
  reader(condition);
  reader(tracker);
  if (reader.ok() && condition != rule_.condition.ToString()) {
    return base::InvalidArgument("the state is that of another condition: " + condition);
  }
  RuleDetectorStats stats;
  reader(stats.flows);
  reader(stats.evicted_groups);
  reader(stats.evicted_values);
  reader(stats.late_flows);
  std::size_t size = 0;
  reader.Size(size, options_.max_groups);
  Order order;
  absl::flat_hash_map<RuleKey, Order::iterator> groups;
  std::size_t memory = 0;
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    RuleGroup group{RuleKey{}};
    group.Read(reader);
    if (!reader.ok()) break;
    order.push_front(std::move(group));
    if (!groups.emplace(order.front().key, order.begin()).second) reader.Fail();
    memory += order.front().memory_bytes();
  }
  if (!reader.ok() || reader.remaining() != 0) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "the state of " + name_ + " is damaged");
  }
  NTA_RETURN_IF_ERROR(tracker_.Load(tracker));
  order_ = std::move(order);
  groups_ = std::move(groups);
  memory_ = memory;
  stats_ = stats;
  peaks_.clear();
  return absl::OkStatus();
}

absl::StatusOr<RuleDetector> RuleDetector::Create(AlertRule rule, RuleDetectorOptions options) {
  NTA_RETURN_IF_ERROR(Validate(rule));
  if (options.max_groups < 1 || options.max_groups > 10'000'000) {
    return base::InvalidArgument("max_groups is 1 to 10,000,000");
  }
  if (options.max_memory_bytes < 1 << 20) {
    return base::InvalidArgument("max_memory_bytes is at least 1 MiB");
  }
  return RuleDetector(std::make_unique<Impl>(std::move(rule), options));
}

RuleDetector::RuleDetector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RuleDetector::~RuleDetector() = default;
RuleDetector::RuleDetector(RuleDetector&&) noexcept = default;
RuleDetector& RuleDetector::operator=(RuleDetector&&) noexcept = default;

std::string_view RuleDetector::name() const { return impl_->name(); }
void RuleDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void RuleDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->tracker().AdvanceTo(now, alerts);
}
void RuleDetector::Finish(std::vector<Alert>& alerts) { impl_->tracker().Finish(alerts); }
std::size_t RuleDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t RuleDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t RuleDetector::evictions() const {
  const RuleDetectorStats stats = impl_->Stats();
  return stats.evicted_groups + stats.evicted_values;
}
std::string RuleDetector::Save() const { return impl_->Save(); }
absl::Status RuleDetector::Load(std::string_view state) { return impl_->Load(state); }
const AlertRule& RuleDetector::rule() const { return impl_->rule(); }
RuleDetectorStats RuleDetector::Stats() const { return impl_->Stats(); }
std::vector<double> RuleDetector::Peaks() const { return impl_->Peaks(); }

}  // namespace nta
