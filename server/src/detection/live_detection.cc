#include "detection/live_detection.h"

#include <algorithm>

#include "base/status.h"
#include "nta/detect/rule_detector.h"

namespace nta::server {
namespace {

constexpr Duration kNotePause = std::chrono::seconds(2);

std::string TextOf(const AlertRule& rule) {
  return rule.id + "\n" + rule.title + "\n" + rule.condition.ToString() + "\n" +
         std::string(ToString(rule.severity)) + "\n" + std::to_string(rule.close_below) + "\n" +
         std::to_string(rule.hold.count());
}

}  // namespace

std::string WithoutContents(const absl::Status& status) {
  std::string message(status.message().data(), status.message().size());
  const std::size_t end = message.rfind("\" is no address");
  const std::size_t begin = end == std::string::npos ? end : message.find(": \"");
  if (begin != std::string::npos && begin < end) message.replace(begin, end + 1 - begin, ": this");
  return message;
}

LiveDetection::LiveDetection() {
  const absl::Status status = SetDetectors({});
  static_cast<void>(status);  // the defaults are valid
}
LiveDetection::~LiveDetection() = default;

// Each new detector counts its alerts from one; no two may give the same id.
std::string LiveDetection::NextPrefix(const std::string& name) {
  const int number = made_[name]++;
  return number == 0 ? "" : std::to_string(number) + "-";
}

void LiveDetection::SetBase(DetectionOptions base) {
  absl::MutexLock lock(&mutex_);
  base_ = std::move(base);
}

DetectionOptions LiveDetection::WithBase(DetectionOptions options) const {
  absl::MutexLock lock(&mutex_);
  options.disabled.insert(base_.disabled.begin(), base_.disabled.end());
  if (options.policy.block_lists.empty()) options.policy.block_lists = base_.policy.block_lists;
  return options;
}

absl::Status LiveDetection::SetDetectors(const DetectionOptions& options) {
  // Files are read without the lock, for which the thread that captures may wait.
  NTA_ASSIGN_OR_RETURN(DetectorList list, DefaultDetectors(WithBase(options)));
  absl::MutexLock lock(&mutex_);
  detectors_.clear();
  for (std::unique_ptr<Detector>& detector : list) {
    detectors_.push_back({.detector = std::move(detector)});
  }
  changed_ = true;
  return absl::OkStatus();
}

absl::Status LiveDetection::SetRules(const std::vector<AlertRule>& rules) {
  absl::MutexLock lock(&mutex_);
  std::vector<Running> wanted;
  for (const AlertRule& rule : rules) {
    const std::string text = TextOf(rule);
    const auto same = std::find_if(rules_.begin(), rules_.end(),
                                   [&](const Running& running) { return running.rule == text; });
    if (same != rules_.end()) {
      wanted.push_back(*same);
      continue;
    }
    NTA_ASSIGN_OR_RETURN(RuleDetector detector, RuleDetector::Create(rule));
    wanted.push_back(
        {.detector = std::make_shared<RuleDetector>(std::move(detector)), .rule = text});
  }
  rules_ = std::move(wanted);
  changed_ = true;
  return absl::OkStatus();
}

absl::Status LiveDetection::SetSuppressions(std::vector<Suppression> suppressions) {
  absl::MutexLock lock(&mutex_);
  return filter_.Replace(std::move(suppressions));
}
void LiveDetection::AddSuppressionCount(const std::string& id, const SuppressionCount& count) {
  absl::MutexLock lock(&mutex_);
  filter_.AddCount(id, count);
}
std::map<std::string, SuppressionCount> LiveDetection::SuppressionCounts() const {
  absl::MutexLock lock(&mutex_);
  return filter_.Counts();
}
void LiveDetection::Filter(std::vector<Alert>& alerts) {
  if (alerts.empty()) return;
  absl::MutexLock lock(&mutex_);
  filter_.Apply(alerts);
}

std::vector<DetectorStatus> LiveDetection::Status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

template <typename Act>
void LiveDetection::ForEach(std::vector<Alert>& alerts, const Act& act) {
  for (Running& running : running_) {
    const std::size_t before = alerts.size();
    act(*running.detector);
    running.alerts += alerts.size() - before;
    if (running.prefix.empty()) continue;
    for (std::size_t i = before; i < alerts.size(); ++i) alerts[i].id.insert(0, running.prefix);
  }
}

void LiveDetection::TakeOver(std::vector<Alert>& alerts) {
  if (!changed_.load(std::memory_order_relaxed)) return;
  std::vector<Running> wanted;
  {
    absl::MutexLock lock(&mutex_);
    changed_ = false;
    wanted = detectors_;
    wanted.insert(wanted.end(), rules_.begin(), rules_.end());
  }
  std::vector<Running> before = std::move(running_);
  running_.clear();
  for (Running& next : wanted) {
    const auto same = std::find_if(before.begin(), before.end(), [&](const Running& running) {
      return running.detector == next.detector;
    });
    if (same != before.end()) {
      running_.push_back(std::move(*same));
      before.erase(same);
      continue;
    }
    // Other options, the same detector: it goes on with what it knows, where that fits.
    const auto namesake = std::find_if(before.begin(), before.end(), [&](const Running& running) {
      return running.detector->name() == next.detector->name() && next.rule.empty();
    });
    if (namesake != before.end() && next.detector->Load(namesake->detector->Save()).ok()) {
      next.prefix = namesake->prefix;
      next.alerts = namesake->alerts;
      before.erase(namesake);
    } else {
      absl::MutexLock lock(&mutex_);
      next.prefix = NextPrefix(std::string(next.detector->name()));
    }
    running_.push_back(std::move(next));
  }
  // What is not wanted any more ends its alerts.
  std::swap(before, running_);
  ForEach(alerts, [&](Detector& detector) { detector.Finish(alerts); });
  std::swap(before, running_);
  Note();
}

void LiveDetection::Note() {
  std::vector<DetectorStatus> status;
  for (const Running& running : running_) {
    const Detector& detector = *running.detector;
    status.push_back({.name = std::string(detector.name()),
                      .memory_bytes = detector.memory_bytes(),
                      .memory_limit_bytes = detector.memory_limit_bytes(),
                      .evictions = detector.evictions(),
                      .alerts = running.alerts,
                      .block_entries = {},
                      .problem = {}});
    if (const auto* policy = dynamic_cast<const PolicyDetector*>(&detector)) {
      status.back().block_entries = policy->block_entries();
      const absl::Status error = policy->reload_error();
      if (!error.ok()) status.back().problem = WithoutContents(error);
    }
  }
  absl::MutexLock lock(&mutex_);
  status_ = std::move(status);
}

// By its last packet: one that began before the block goes on being cut.
bool LiveDetection::IsCut(const FlowEvent& event) const {
  return cut_.any && cut_.any() && cut_.is_cut(event.flow.five_tuple(), event.flow.last_seen);
}

void LiveDetection::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  TakeOver(alerts);
  if (IsCut(event)) return;
  ForEach(alerts, [&](Detector& detector) { detector.Observe(event, alerts); });
}
void LiveDetection::ObservePackets(std::span<const PacketView> packets,
                                   std::span<const DecodedPacket> decoded,
                                   std::vector<Alert>& alerts) {
  TakeOver(alerts);
  if (cut_.any && cut_.any()) {
    passed_packets_.clear();
    passed_decoded_.clear();
    for (std::size_t i = 0; i < packets.size(); ++i) {
      const DecodedPacket& packet = decoded[i];
      if (packet.ip_version != 0 && cut_.is_cut(packet.five_tuple(), packet.time)) continue;
      passed_packets_.push_back(packets[i]);
      passed_decoded_.push_back(packet);
    }
    packets = passed_packets_;
    decoded = passed_decoded_;
  }
  ForEach(alerts, [&](Detector& detector) { detector.ObservePackets(packets, decoded, alerts); });
}
void LiveDetection::ObserveEvent(const SecurityEvent& event, std::vector<Alert>& alerts) {
  ForEach(alerts, [&](Detector& detector) { detector.ObserveEvent(event, alerts); });
}
void LiveDetection::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  TakeOver(alerts);
  ForEach(alerts, [&](Detector& detector) { detector.AdvanceTo(now, alerts); });
  if (now - noted_ < kNotePause && now >= noted_) return;
  noted_ = now;
  Note();
}
void LiveDetection::Finish(std::vector<Alert>& alerts) {
  TakeOver(alerts);
  ForEach(alerts, [&](Detector& detector) { detector.Finish(alerts); });
  Note();
}

}  // namespace nta::server
