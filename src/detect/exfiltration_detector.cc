#include "nta/detect/exfiltration_detector.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status.h"
#include "detect/load_anew.h"
#include "detect/number_archive.h"
#include "detect/recent_table.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/detect/tail_calibrator.h"

namespace nta {
namespace {

constexpr std::string_view kName = "exfiltration";
constexpr std::uint16_t kVersion = 1;
constexpr double kHour = 3600;
// What a pair's busiest hour still counts a day later.
constexpr double kHabitPerDay = 0.8;
constexpr std::uint32_t kEnoughHours = 24;

struct PairKey {
  IpAddress host;
  IpAddress peer;

  friend bool operator==(const PairKey&, const PairKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const PairKey& key) {
    return H::combine(std::move(state), key.host, key.peer);
  }
};

// Bytes of the hour that runs and of the one before.
struct Hours {
  double latest = 0;
  double previous = 0;

  // Over the last 60 minutes, as if the previous hour's bytes had come evenly.
  double Rolling(double into_hour) const { return latest + previous * (1 - into_hour); }
};

struct Pair {
  std::int64_t hour = 0;  // that `latest` is of
  Hours sent;
  Hours received;
  double habit = 0;  // busiest hour, fading
  Timestamp since{};
};

struct Host {
  Timestamp first{};
  TailCalibrator hours;  // bytes sent per pair and hour in which it sent
};

double Seconds(Timestamp time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

}  // namespace

class ExfiltrationDetector::Impl {
 public:
  explicit Impl(const ExfiltrationOptions& options)
      : options_(options),
        pairs_(std::max<std::size_t>(options.max_pairs, 16)),
        hosts_(std::max<std::size_t>(options.max_hosts, 16)),
        budget_(options.budget),
        tracker_(std::string(kName), options.alerts) {}

  const ExfiltrationOptions& options() const { return options_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) { tracker_.AdvanceTo(now, alerts); }
  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const {
    return sizeof(*this) + pairs_.memory_bytes() + hosts_.memory_bytes() + tracker_.memory_bytes();
  }
  std::size_t memory_limit_bytes() const {
    return sizeof(*this) + pairs_.memory_limit_bytes() + hosts_.memory_limit_bytes() +
           tracker_.memory_limit_bytes();
  }
  std::uint64_t evictions() const { return pairs_.evicted() + hosts_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  void Turn(const PairKey& key, Pair& pair, std::int64_t hour);
  static void Spread(const FlowRecord& flow, double bytes, std::int64_t hour, Hours& hours);
  void Judge(const PairKey& key, const Pair& pair, const FlowRecord& flow, Timestamp now,
             std::vector<Alert>& alerts);
  template <typename Archive>
  static void PairFields(Archive& archive, PairKey& key, Pair& pair);

  ExfiltrationOptions options_;
  detect::RecentTable<PairKey, Pair> pairs_;
  detect::RecentTable<IpAddress, Host> hosts_;
  AlertBudget budget_;
  AlertTracker tracker_;
};

// A full hour becomes habit.
void ExfiltrationDetector::Impl::Turn(const PairKey& key, Pair& pair, std::int64_t hour) {
  if (hour <= pair.hour) return;
  if (pair.sent.latest > 0) hosts_.FindOrAdd(key.host).hours.Add(pair.sent.latest);
  const auto passed = static_cast<double>(hour - pair.hour);
  pair.habit = std::max(pair.habit * std::pow(kHabitPerDay, passed / 24), pair.sent.latest);
  const bool is_next = hour == pair.hour + 1;
  pair.sent = {0, is_next ? pair.sent.latest : 0};
  pair.received = {0, is_next ? pair.received.latest : 0};
  pair.hour = hour;
}

// What lies before the previous hour has been too long ago to count.
void ExfiltrationDetector::Impl::Spread(const FlowRecord& flow, double bytes, std::int64_t hour,
                                        Hours& hours) {
  const double begin = Seconds(flow.first_seen);
  const double end = std::max(Seconds(flow.last_seen), begin);
  const double border = static_cast<double>(hour) * kHour;
  if (end - begin < 1e-9) {
    (end >= border ? hours.latest : hours.previous) += bytes;
    return;
  }
  const double per_second = bytes / (end - begin);
  hours.latest += per_second * std::max(0.0, end - std::max(begin, border));
  hours.previous +=
      per_second * std::max(0.0, std::min(end, border) - std::max(begin, border - kHour));
}

void ExfiltrationDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  tracker_.AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  if (!event.closes_record()) return;
  const bool out = flow.source.address.is_private() && detect::IsExternal(flow.destination.address);
  const bool in = flow.destination.address.is_private() && detect::IsExternal(flow.source.address);
  if (!out && !in) return;
  const PairKey key = out ? PairKey{flow.source.address, flow.destination.address}
                          : PairKey{flow.destination.address, flow.source.address};
  const FlowDirection& sent = out ? flow.forward : flow.reverse;
  const FlowDirection& received = out ? flow.reverse : flow.forward;
  Host& host = hosts_.FindOrAdd(key.host);
  if (host.first == Timestamp{}) host.first = flow.first_seen;
  Pair& pair = pairs_.FindOrAdd(key);
  const auto hour = static_cast<std::int64_t>(std::floor(Seconds(event.time) / kHour));
  if (pair.hour == 0) {
    pair.hour = hour;
    pair.since = flow.first_seen;
  }
  Turn(key, pair, hour);
  Spread(flow, static_cast<double>(sent.ip_bytes), pair.hour, pair.sent);
  Spread(flow, static_cast<double>(received.ip_bytes), pair.hour, pair.received);
  Judge(key, pair, flow, event.time, alerts);
}

void ExfiltrationDetector::Impl::Judge(const PairKey& key, const Pair& pair, const FlowRecord& flow,
                                       Timestamp now, std::vector<Alert>& alerts) {
  const double into_hour =
      std::clamp(Seconds(now) / kHour - static_cast<double>(pair.hour), 0.0, 1.0);
  const double sent = pair.sent.Rolling(into_hour);
  if (sent < static_cast<double>(options_.min_bytes)) return;
  const double received = pair.received.Rolling(into_hour);
  if (sent < options_.min_ratio * received || sent < options_.min_growth * pair.habit) return;
  const Host& host = hosts_.FindOrAdd(key.host);
  const bool is_known = host.hours.samples() >= kEnoughHours;
  double bits = host.hours.Bits(sent);
  if (is_known) {
    if (bits < budget_.Test(now)) return;
  } else {
    if (sent < options_.newcomer * static_cast<double>(options_.min_bytes)) return;
    bits = std::max(bits, std::log2(sent / static_cast<double>(options_.min_bytes)) + 10);
  }
  const AlertFinding finding{.alert_class = AlertClass::kExfiltration,
                             .entity = {key.host, key.peer, std::nullopt},
                             .severity = sent > 1e10 ? Severity::kCritical : Severity::kHigh,
                             .magnitude = sent,
                             .hold = std::chrono::hours(1)};
  tracker_.Raise(
      finding, now,
      [&](Alert& alert) {
        const std::string service = detect::ServiceText(flow.protocol, flow.destination.port);
        alert.score = bits;
        alert.observed = sent;
        alert.expected = pair.habit;
        alert.unit = "bytes";
        alert.band_low = 0;
        alert.band_high = std::max(pair.habit, host.hours.ScoreAt(10));
        alert.window = std::chrono::hours(1);
        alert.confidence = is_known ? 0.8 : 0.5;
        alert.technique = "T1048";
        alert.evidence = {{"bytes_sent", static_cast<std::int64_t>(sent)},
                          {"bytes_received", static_cast<std::int64_t>(received)},
                          {"usual_bytes_to_this_peer", pair.habit},
                          {"hours_known", static_cast<std::int64_t>(host.hours.samples())},
                          {"last_service", service}};
        alert.peers = {{key.peer.ToString(), 1.0}};
        const std::string usual = pair.habit < 1e6
                                      ? "which it hardly sent anything to before"
                                      : "where " + detect::BytesText(pair.habit) + " is usual";
        alert.summary = absl::StrFormat(
            "%s sent %s to %s within an hour (%s came back), %s: possible exfiltration",
            key.host.ToString(), detect::BytesText(sent), key.peer.ToString(),
            detect::BytesText(received), usual);
        alert.advice = absl::StrFormat(
            "Ask who uses %s whether this upload (last seen on %s) is theirs; if not, block %s and "
            "isolate the host. A new backup goes quiet by itself after its first run.",
            key.host.ToString(), service, key.peer.ToString());
      },
      alerts);
}

template <typename Archive>
void ExfiltrationDetector::Impl::PairFields(Archive& archive, PairKey& key, Pair& pair) {
  archive(key.host);
  archive(key.peer);
  archive(pair.hour);
  for (Hours* hours : {&pair.sent, &pair.received}) {
    detect::Real(archive, hours->latest);
    detect::Real(archive, hours->previous);
  }
  detect::Real(archive, pair.habit);
  archive(pair.since);
}

std::string ExfiltrationDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer.Size(pairs_.size(), options_.max_pairs);
  for (auto [key, pair] : pairs_.entries()) PairFields(writer, key, pair);
  writer.Size(hosts_.size(), options_.max_hosts);
  for (auto [address, host] : hosts_.entries()) {
    writer(address);
    writer(host.first);
    host.hours.Fields(writer);
  }
  AlertBudget::Fields(writer, budget_);
  writer(tracker_.Save());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status ExfiltrationDetector::Impl::Load(std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, detect::OpenState(kName, kVersion, state));
  detect::StateReader reader(payload);
  std::size_t size = 0;
  reader.Size(size, std::size_t{1} << 24);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    PairKey key;
    Pair pair;
    PairFields(reader, key, pair);
    pairs_.FindOrAdd(key) = pair;
  }
  reader.Size(size, std::size_t{1} << 24);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    IpAddress address;
    reader(address);
    Host& host = hosts_.FindOrAdd(address);
    reader(host.first);
    if (!host.hours.Fields(reader)) reader.Fail();
  }
  AlertBudget::Fields(reader, budget_);
  std::string alerts;
  reader(alerts);
  return detect::FinishLoad(reader, tracker_, alerts);
}

ExfiltrationDetector::ExfiltrationDetector(ExfiltrationOptions options)
    : impl_(std::make_unique<Impl>(options)) {}
ExfiltrationDetector::~ExfiltrationDetector() = default;
ExfiltrationDetector::ExfiltrationDetector(ExfiltrationDetector&&) noexcept = default;
ExfiltrationDetector& ExfiltrationDetector::operator=(ExfiltrationDetector&&) noexcept = default;

void ExfiltrationDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void ExfiltrationDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void ExfiltrationDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t ExfiltrationDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t ExfiltrationDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t ExfiltrationDetector::evictions() const { return impl_->evictions(); }
std::string ExfiltrationDetector::Save() const { return impl_->Save(); }
absl::Status ExfiltrationDetector::Load(std::string_view state) {
  return detect::LoadAnew(impl_, state);
}

}  // namespace nta
