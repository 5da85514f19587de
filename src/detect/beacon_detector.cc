#include "nta/detect/beacon_detector.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/distinct_count.h"
#include "detect/load_anew.h"
#include "detect/login.h"
#include "detect/number_archive.h"
#include "detect/recent_table.h"
#include "detect/saturating_time.h"
#include "detect/traffic_text.h"
#include "nta/detect/beacon_score.h"
#include "nta/packet/decode.h"

namespace nta {
namespace {

constexpr std::string_view kName = "beacon";
constexpr std::uint16_t kVersion = 2;
constexpr std::size_t kRing = 64;
// DNS, DHCP, NTP, SSDP, mDNS, LLMNR, DHCPv6.
constexpr std::array<std::uint16_t, 9> kRegularPorts = {53,   67,   68,  123, 1900,
                                                        5353, 5355, 546, 547};

struct PairKey {
  IpAddress source;
  IpAddress destination;
  std::uint16_t port = 0;
  std::uint8_t protocol = 0;

  friend bool operator==(const PairKey&, const PairKey&) = default;
  template <typename H>
  friend H AbslHashValue(H state, const PairKey& key) {
    return H::combine(std::move(state), key.source, key.destination, key.port, key.protocol);
  }
};

// The latest values, at most kRing of them.
struct Ring {
  std::array<float, kRing> values{};
  std::uint32_t count = 0;  // ever

  void Add(double value) { values[count++ % kRing] = static_cast<float>(value); }
  std::span<const float> view() const {
    return std::span(values).first(std::min<std::size_t>(count, kRing));
  }
};

struct Pair {
  Timestamp first{};
  Timestamp last{};
  std::uint64_t calls = 0;
  double bytes = 0;
  Ring pauses;
  Ring sizes;
  bool is_allowed = false;
  std::uint64_t refused = 0;  // calls that were failed log-ins
};

std::uint64_t AddressHash(const IpAddress& address) {
  std::uint64_t words[2];
  std::memcpy(words, address.padded_bytes().data(), sizeof words);
  return base::KeyedHash(0x626561636f6e)(words[0], words[1]);
}

}  // namespace

class BeaconDetector::Impl {
 public:
  explicit Impl(const BeaconOptions& options)
      : options_(options),
        pairs_(std::max<std::size_t>(options.max_pairs, 16)),
        callers_(std::max<std::size_t>(options.max_destinations, 16)),
        tracker_(std::string(kName), options.alerts) {
    options_.min_calls = std::clamp<std::size_t>(options.min_calls, 5, kRing);
  }

  const BeaconOptions& options() const { return options_; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) { tracker_.AdvanceTo(now, alerts); }
  void Finish(std::vector<Alert>& alerts) { tracker_.Finish(alerts); }
  std::size_t memory_bytes() const {
    return sizeof(*this) + pairs_.memory_bytes() + callers_.memory_bytes() +
           tracker_.memory_bytes();
  }
  std::size_t memory_limit_bytes() const {
    return sizeof(*this) + pairs_.memory_limit_bytes() + callers_.memory_limit_bytes() +
           tracker_.memory_limit_bytes();
  }
  std::uint64_t evictions() const { return pairs_.evicted() + callers_.evicted(); }
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  bool IsWatched(const FlowRecord& flow) const;
  bool IsAllowed(const FlowRecord& flow) const;
  void Call(const PairKey& key, Pair& pair, Timestamp start);
  bool IsPopular(const IpAddress& destination);
  void Judge(const PairKey& key, const Pair& pair, Timestamp now, std::vector<Alert>& alerts);
  template <typename Archive>
  static void PairFields(Archive& archive, PairKey& key, Pair& pair);

  BeaconOptions options_;
  detect::RecentTable<PairKey, Pair> pairs_;
  detect::RecentTable<IpAddress, detect::DistinctCount> callers_;
  detect::DistinctCount hosts_;
  AlertTracker tracker_;
};

bool BeaconDetector::Impl::IsWatched(const FlowRecord& flow) const {
  if (flow.protocol != kProtocolTcp && flow.protocol != kProtocolUdp) return false;
  if (!detect::IsExternal(flow.destination.address)) return false;
  const std::uint16_t port = flow.destination.port;
  return std::ranges::find(kRegularPorts, port) == kRegularPorts.end() &&
         std::ranges::find(options_.allowed_ports, port) == options_.allowed_ports.end();
}

bool BeaconDetector::Impl::IsAllowed(const FlowRecord& flow) const {
  if (flow.metadata == nullptr || options_.allowed_domains.empty()) return false;
  const std::string_view name = flow.metadata->Get(MetadataField::kServerName);
  return std::ranges::any_of(options_.allowed_domains, [name](std::string_view allowed) {
    return !allowed.empty() && name.ends_with(allowed) &&
           (name.size() == allowed.size() || name[name.size() - allowed.size() - 1] == '.');
  });
}

void BeaconDetector::Impl::Call(const PairKey& key, Pair& pair, Timestamp start) {
  const Duration pause = detect::Since(pair.last, start);
  if (pair.calls > 0 && pause < options_.min_pause) return;  // the same call, or a late packet
  if (pair.calls > 0 && pause > options_.max_pause) pair = {};
  if (pair.calls == 0) {
    pair.first = start;
    callers_.FindOrAdd(key.destination).Add(AddressHash(key.source));
    hosts_.Add(AddressHash(key.source));
  } else {
    pair.pauses.Add(std::chrono::duration<double>(pause).count());
  }
  pair.last = start;
  ++pair.calls;
}

bool BeaconDetector::Impl::IsPopular(const IpAddress& destination) {
  const detect::DistinctCount* callers = callers_.Find(destination);
  if (callers == nullptr) return false;
  return callers->Estimate() > std::max(2.5, options_.max_prevalence * hosts_.Estimate());
}

void BeaconDetector::Impl::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  tracker_.AdvanceTo(event.time, alerts);
  const FlowRecord& flow = event.flow;
  const bool starts = event.type == FlowEventType::kStarted;
  if ((!starts && !event.closes_record()) || !IsWatched(flow)) return;
  const PairKey key{flow.source.address, flow.destination.address, flow.destination.port,
                    flow.protocol};
  if (starts) {
    Pair& pair = pairs_.FindOrAdd(key);
    Call(key, pair, flow.first_seen);
    Judge(key, pair, event.time, alerts);
    return;
  }
  Pair* pair = pairs_.Find(key);
  if (pair == nullptr) return;
  pair->is_allowed = pair->is_allowed || IsAllowed(flow);
  const bool is_over = event.type == FlowEventType::kEnded;
  if (const auto logins = detect::LoginsOf(flow, is_over); logins && logins->failed > 0) {
    ++pair->refused;
  }
  pair->bytes += static_cast<double>(flow.forward.payload_bytes);
  if (flow.forward.payload_bytes > 0) {
    pair->sizes.Add(static_cast<double>(flow.forward.payload_bytes));
  }
}

void BeaconDetector::Impl::Judge(const PairKey& key, const Pair& pair, Timestamp now,
                                 std::vector<Alert>& alerts) {
  if (pair.calls < options_.min_calls || pair.is_allowed) return;
  // Who guesses passwords does so at a steady pace; `brute_force` tells of it.
  if (pair.refused > pair.calls / 2) return;
  const Duration span = detect::Since(pair.first, pair.last);
  if (span < options_.min_span) return;
  const BeaconScore score = ScoreBeacon(pair.pauses.view(), pair.sizes.view());
  if (score.score < options_.min_score || score.bits < options_.min_bits) return;
  if (IsPopular(key.destination)) return;
  const double hours = std::chrono::duration<double, std::ratio<3600>>(span).count();
  const AlertFinding finding{
      .alert_class = AlertClass::kBeacon,
      .entity = {key.source, key.destination, detect::ServiceText(key.protocol, key.port)},
      .severity = hours >= 12 ? Severity::kHigh : Severity::kMedium,
      .magnitude = static_cast<double>(pair.calls),
      .hold = std::max<Duration>(
          std::chrono::minutes(5),
          std::chrono::seconds(static_cast<std::int64_t>(5 * score.period_seconds)))};
  tracker_.Raise(
      finding, now,
      [&](Alert& alert) {
        alert.score = score.bits;
        alert.observed = static_cast<double>(pair.calls);
        // As many of so many random calls would be within this jitter of each other.
        alert.expected = std::round(static_cast<double>(pair.calls) * score.jitter);
        alert.unit = "regular calls";
        alert.window = span;
        alert.confidence = std::clamp(0.5 * score.score + 0.1 * std::log2(1 + hours), 0.3, 0.95);
        alert.technique = key.protocol == kProtocolTcp && key.port == 443 ? "T1573" : "T1071";
        alert.first_seen = pair.first;
        alert.evidence = {{"period_seconds", score.period_seconds},
                          {"jitter", score.jitter},
                          {"pause_regularity", score.intervals},
                          {"size_regularity", score.sizes},
                          {"calls", static_cast<std::int64_t>(pair.calls)},
                          {"bytes_sent", static_cast<std::int64_t>(pair.bytes)}};
        alert.peers = {{key.destination.ToString(), 1.0}};
        alert.summary = absl::StrFormat(
            "%s has called %s %s %d times in %s, every %s give or take %.0f %%: beacon",
            key.source.ToString(), key.destination.ToString(),
            detect::ServiceText(key.protocol, key.port), pair.calls,
            detect::SpanText(std::chrono::duration<double>(span).count()),
            detect::SpanText(score.period_seconds), 100 * score.jitter);
        alert.advice = absl::StrFormat(
            "Find the program on %s that keeps calling %s. If it is an updater or a monitor, "
            "allow its server name; if nobody knows it, isolate the host.",
            key.source.ToString(), key.destination.ToString());
      },
      alerts);
}

template <typename Archive>
void BeaconDetector::Impl::PairFields(Archive& archive, PairKey& key, Pair& pair) {
  archive(key.source);
  archive(key.destination);
  archive(key.port);
  archive(key.protocol);
  archive(pair.first);
  archive(pair.last);
  archive(pair.calls);
  detect::Real(archive, pair.bytes);
  for (Ring* ring : {&pair.pauses, &pair.sizes}) {
    archive(ring->count);
    detect::Reals(archive, ring->values);
  }
  archive(pair.is_allowed);
  archive(pair.refused);
}

std::string BeaconDetector::Impl::Save() const {
  detect::StateWriter writer;
  writer.Size(pairs_.size(), options_.max_pairs);
  for (auto [key, pair] : pairs_.entries()) PairFields(writer, key, pair);
  writer.Size(callers_.size(), options_.max_destinations);
  for (const auto& [address, count] : callers_.entries()) {
    writer(address);
    writer(count.registers());
  }
  writer(hosts_.registers());
  writer(tracker_.Save());
  return detect::SealState(kName, kVersion, std::move(writer).bytes());
}

absl::Status BeaconDetector::Impl::Load(std::string_view state) {
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
    reader(callers_.FindOrAdd(address).registers());
  }
  reader(hosts_.registers());
  std::string alerts;
  reader(alerts);
  return detect::FinishLoad(reader, tracker_, alerts);
}

BeaconDetector::BeaconDetector(BeaconOptions options) : impl_(std::make_unique<Impl>(options)) {}
BeaconDetector::~BeaconDetector() = default;
BeaconDetector::BeaconDetector(BeaconDetector&&) noexcept = default;
BeaconDetector& BeaconDetector::operator=(BeaconDetector&&) noexcept = default;

void BeaconDetector::Observe(const FlowEvent& event, std::vector<Alert>& alerts) {
  impl_->Observe(event, alerts);
}
void BeaconDetector::AdvanceTo(Timestamp now, std::vector<Alert>& alerts) {
  impl_->AdvanceTo(now, alerts);
}
void BeaconDetector::Finish(std::vector<Alert>& alerts) { impl_->Finish(alerts); }
std::size_t BeaconDetector::memory_bytes() const { return impl_->memory_bytes(); }
std::size_t BeaconDetector::memory_limit_bytes() const { return impl_->memory_limit_bytes(); }
std::uint64_t BeaconDetector::evictions() const { return impl_->evictions(); }
std::string BeaconDetector::Save() const { return impl_->Save(); }
absl::Status BeaconDetector::Load(std::string_view state) { return detect::LoadAnew(impl_, state); }

}  // namespace nta
