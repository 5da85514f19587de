#include "detect/flood_engine.h"

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include "detect/contact.h"
#include "detect/reflectors.h"
#include "detect/saturating_time.h"

namespace nta::detect {
namespace {

// The least that a sum has to reach: 35 bits by FloodBits.
constexpr double kMinThreshold = 12;
// Means, a tick, of a destination that nothing is known of.
constexpr std::array<float, kFloodKinds> kPrior = {0.5f, 1, 0.25f, 0.25f, 0.25f, 4};
// So many packets in a tick are enough by themselves.
constexpr std::array<float, kFloodKinds> kBurstPackets = {2000, 8000, 8000, 2000, 2000, 16000};
constexpr double kPrefixFactor = 4;  // floors of prefixes
constexpr double kFewSources = 4;
constexpr double kManyPorts = 16;
// From few sources to many ports or hosts is a scan, unless it is this many times the floor.
constexpr double kScanFactor = 50;
constexpr double kFewSourcesFactor = 5;
constexpr double kCarpetHosts = 8;
// A host explains what its prefix gets when it gets this share of a flood's least rate.
constexpr double kExplainingShare = 0.25;
constexpr double kCrowdSources = 200;
constexpr Duration kPrefixWarmUp = std::chrono::seconds(30);
constexpr Duration kWarmUp = std::chrono::minutes(10);
constexpr std::uint32_t kSampleOneIn = 4;

// Fixed, so that counts do not depend on the key: who makes sources collide only makes their number
// look smaller.
constexpr base::KeyedHash kSourceHash(0xf100d);

bool IsOneHost(const IpAddress& address) {
  const std::uint8_t first = address.padded_bytes()[0];
  // Multicast, 255.255.255.255 and what nobody has.
  return address.is_v4() ? first < 224 && first != 0 : first != 0xff;
}

IpAddress PrefixOf(const IpAddress& address) {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t kept = address.is_v4() ? 3 : 6;
  std::copy_n(address.padded_bytes().begin(), kept, bytes.begin());
  return address.is_v4() ? IpAddress::V4(std::span<const std::uint8_t, 16>(bytes).first<4>())
                         : IpAddress::V6(bytes);
}

// The same for both directions of a connection.
std::uint64_t ConnectionHash(const DecodedPacket& packet) {
  const AddressWords source = WordsOf(packet.source);
  const AddressWords destination = WordsOf(packet.destination);
  const std::uint64_t from = kSourceHash(source.high, source.low ^ packet.source_port);
  const std::uint64_t to = kSourceHash(destination.high, destination.low ^ packet.destination_port);
  return kSourceHash(from ^ to, from + to);
}
bool IsSampled(std::uint64_t connection) { return connection >> 62 == 0; }

bool IsNeighbourDiscovery(const DecodedPacket& packet) {
  return packet.protocol == kProtocolIcmpV6 && packet.icmp_type >= 130 && packet.icmp_type <= 137;
}

// Nothing for packets that no kind of flood is made of.
bool KindOf(const DecodedPacket& packet, FloodKind& kind) {
  switch (packet.protocol) {
    case kProtocolTcp: {
      if (!packet.has_ports) return false;
      const int flags = packet.tcp_flags & (kTcpSyn | kTcpAck);
      kind = flags == kTcpSyn               ? FloodKind::kSyn
             : flags == (kTcpSyn | kTcpAck) ? FloodKind::kSynAck
                                            : FloodKind::kTcp;
      return true;
    }
    case kProtocolUdp:
      kind = packet.has_ports && IsReflectorPort(packet.source_port) ? FloodKind::kReflected
                                                                     : FloodKind::kUdp;
      return true;
    case kProtocolIcmp:
    case kProtocolIcmpV6:
      kind = FloodKind::kIcmp;
      return !IsNeighbourDiscovery(packet);
    default:
      return false;
  }
}

FloodOptions Sane(FloodOptions options) {
  const FloodOptions defaults;
  const auto rate = [](double& value, double fallback) {
    value = value > 0 && value < 1e12 ? std::max(value, 0.1) : fallback;
  };
  rate(options.min_syn_rate, defaults.min_syn_rate);
  rate(options.min_udp_rate, defaults.min_udp_rate);
  rate(options.min_icmp_rate, defaults.min_icmp_rate);
  rate(options.min_amplification_rate, defaults.min_amplification_rate);
  rate(options.min_crowd_rate, defaults.min_crowd_rate);
  if (!(options.alerts_per_day > 0)) options.alerts_per_day = defaults.alerts_per_day;
  constexpr std::size_t kMost = std::size_t{1} << 22;
  options.max_destinations = std::clamp<std::size_t>(options.max_destinations, 8, kMost);
  options.max_prefixes = std::clamp<std::size_t>(options.max_prefixes, 8, kMost);
  return options;
}

std::int64_t TickOf(Timestamp time) {
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t length = kFloodTick.count();
  return count / length - (count % length < 0 ? 1 : 0);
}

void Fade(float& recent, std::uint32_t& count) {
  recent += 0.5f * (static_cast<float>(count) - recent);
  count = 0;
}

}  // namespace

FloodEngine::FloodEngine(const FloodOptions& options, std::uint64_t hash_seed)
    : options_(Sane(options)),
      hash_seed_(hash_seed),
      hash_(hash_seed),
      threshold_(static_cast<float>(kMinThreshold)),
      budget_({.alerts_per_day = options_.alerts_per_day, .min_bits = 0}),
      destinations_(options_.max_destinations),
      prefixes_(options_.max_prefixes),
      tracker_("flood", options_.alerts) {
  touched_destinations_.listed.resize(destinations_.size());
  touched_prefixes_.listed.resize(prefixes_.size());
}

void FloodEngine::ObservePackets(std::span<const DecodedPacket> packets, Alerts& alerts) {
  std::array<Place, kBurst> places;
  while (!packets.empty()) {
    const auto burst = packets.first(std::min(packets.size(), kBurst));
    packets = packets.subspan(burst.size());
    for (std::size_t i = 0; i < burst.size(); ++i) {
      places[i] = PlaceOf(burst[i]);
      if (places[i].counts) destinations_.PrefetchSet(places[i].destination_hash);
      if (places[i].in_prefix) prefixes_.PrefetchSet(places[i].prefix_hash);
      if (places[i].has_sender) destinations_.PrefetchSet(places[i].source_hash);
    }
    for (std::size_t i = 0; i < burst.size(); ++i) {
      if (places[i].counts) destinations_.PrefetchEntry(places[i].destination_hash);
      if (places[i].in_prefix) prefixes_.PrefetchEntry(places[i].prefix_hash);
      if (places[i].has_sender) destinations_.PrefetchEntry(places[i].source_hash);
    }
    for (std::size_t i = 0; i < burst.size(); ++i) {
      PassTime(clock_.Pass(burst[i].time), alerts);
      Count(burst[i], places[i]);
    }
  }
}

FloodEngine::Place FloodEngine::PlaceOf(const DecodedPacket& packet) const {
  Place place;
  if (!packet.has_ip() || !KindOf(packet, place.kind)) return place;
  // Ordinary TCP is nearly all traffic: one connection in four shows well enough what goes on.
  const bool is_ordinary = place.kind == FloodKind::kTcp;
  if (is_ordinary && !IsSampled(ConnectionHash(packet))) return place;
  place.has_sender = IsOneHost(packet.source);
  if (place.has_sender) {
    const AddressWords source = WordsOf(packet.source);
    place.source_hash = hash_(source.high, source.low);
  }
  if (!IsOneHost(packet.destination)) return place;
  place.counts = true;
  const AddressWords destination = WordsOf(packet.destination);
  place.destination_hash = hash_(destination.high, destination.low);
  place.in_prefix = true;
  place.prefix = PrefixOf(packet.destination);
  const AddressWords prefix = WordsOf(place.prefix);
  place.prefix_hash = hash_(prefix.high, ~prefix.low);
  return place;
}

void FloodEngine::Count(const DecodedPacket& packet, const Place& place) {
  if (place.has_sender) CountSent(packet, place);
  if (!place.counts) return;
  if (FloodEntry* entry =
          Touch(destinations_, touched_destinations_, packet.destination, place.destination_hash)) {
    CountReceived(*entry, packet, place.kind);
  }
  if (!place.in_prefix) return;
  if (FloodEntry* entry = Touch(prefixes_, touched_prefixes_, place.prefix, place.prefix_hash)) {
    entry->is_prefix = true;
    CountReceived(*entry, packet, place.kind);
    if (place.kind == FloodKind::kTcp && !entry->excited) return;
    // By the last byte, or a hash of what follows the prefix.
    const std::uint64_t host = packet.destination.is_v4() ? packet.destination.padded_bytes()[3]
                                                          : place.destination_hash >> 56;
    entry->hosts[host / 64] |= std::uint64_t{1} << (host % 64);  // dirty by now
  }
}

FloodEntry* FloodEngine::Touch(FloodTable& table, Touched& touched, const IpAddress& address,
                               std::uint64_t hash) {
  FloodEntry* entry = table.Find(address, hash);
  if (entry == nullptr) {
    entry = table.Add(address, hash, tick_);
    if (entry == nullptr) return nullptr;
    entry->tick = tick_;
  }
  table.Weigh(*entry, tick_);
  if (!entry->active) {
    entry->CatchUp(tick_);
    entry->active = true;
    const std::size_t index = table.IndexOf(*entry);
    if (!touched.listed[index]) {
      touched.listed[index] = true;
      touched.order.push_back(static_cast<std::uint32_t>(index));
    }
  }
  return entry;
}

void FloodEngine::CountReceived(FloodEntry& entry, const DecodedPacket& packet, FloodKind kind) {
  const std::uint32_t weight = kind == FloodKind::kTcp ? kSampleOneIn : 1;
  entry.counts[static_cast<std::size_t>(kind)] += weight;
  entry.bytes += weight * packet.wire_bytes;
  if (packet.is_fragment) ++entry.fragments;
  if (kind == FloodKind::kTcp && !entry.excited && !entry.sampled) return;
  if (kind == FloodKind::kSyn || kind == FloodKind::kTcp) {
    const std::uint64_t connection = ConnectionHash(packet);
    const auto fingerprint = static_cast<std::uint32_t>(connection);
    if (kind == FloodKind::kSyn && IsSampled(connection)) {
      entry.syns.Attempt(fingerprint, tick_);
      entry.sampled = true;
    } else if (kind == FloodKind::kTcp && (packet.tcp_flags & kTcpRst) == 0) {
      entry.syns.Acknowledge(fingerprint);
    }
  }
  if (kind == FloodKind::kTcp && !entry.excited) return;
  if (!entry.dirty) {
    entry.dirty = true;
    entry.since = Timestamp(kFloodTick * tick_);
  }
  const AddressWords words = WordsOf(packet.source);
  entry.sources.Add(kSourceHash(words.high, words.low));
  entry.source.Add(packet.source);
  if (!packet.has_ports) return;
  entry.ports |= std::uint64_t{1} << (kSourceHash(packet.destination_port, 1) >> 58);
  entry.source_port.Add(packet.source_port);
  entry.destination_port.Add(packet.destination_port);
  if (kind == FloodKind::kReflected) entry.reflector_port.Add(packet.source_port);
}

// What a destination sends shows whether it answers, and what it asked for.
void FloodEngine::CountSent(const DecodedPacket& packet, const Place& place) {
  const bool is_ordinary = place.kind == FloodKind::kTcp;
  const std::uint32_t weight = is_ordinary ? kSampleOneIn : 1;
  received_ += weight;
  const auto count = [&](FloodEntry& entry) {
    if (packet.protocol == kProtocolUdp) {
      ++entry.udp_sent;
      if (packet.has_ports && IsReflectorPort(packet.destination_port)) ++entry.asked;
    } else if (place.kind == FloodKind::kSyn) {
      ++entry.syn_sent;
    }
    if (packet.protocol == kProtocolTcp) entry.tcp_sent += weight;
  };
  if (FloodEntry* entry = destinations_.Find(packet.source, place.source_hash)) {
    answered_ += weight;
    count(*entry);
  }
  if (is_ordinary) return;
  const IpAddress prefix = PrefixOf(packet.source);
  const AddressWords words = WordsOf(prefix);
  if (FloodEntry* entry = prefixes_.Find(prefix, hash_(words.high, ~words.low))) count(*entry);
}

void FloodEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  clock_.AdvanceTo(now);
  PassTime(clock_.now(), alerts);
  tracker_.AdvanceTo(clock_.now(), alerts);
}

void FloodEngine::PassTime(Timestamp now, Alerts& alerts) {
  const std::int64_t tick = TickOf(now);
  if (tick == tick_ && started_) return;
  if (started_) {
    EndTick(alerts);
  } else {
    start_ = now;
  }
  started_ = true;
  tick_ = tick;
}

void FloodEngine::Finish(Alerts& alerts) {
  if (started_) EndTick(alerts);
  tracker_.Finish(alerts);
}

void FloodEngine::EndTick(Alerts& alerts) {
  const std::uint64_t tests = touched_destinations_.order.size() + touched_prefixes_.order.size();
  if (tests == 0) return;
  const Timestamp end(kFloodTick * (tick_ + 1));
  // P(S >= h) = exp(-2 k h) for a random walk with the drift -k and steps of variance 1.
  const double bits = budget_.Test(end, tests * kFloodKinds);
  threshold_ = static_cast<float>(std::max(kMinThreshold, bits * std::log(2.0) / 2));
  std::vector<FloodAlarm> alarms;
  EndTickOf(destinations_, touched_destinations_, alarms);
  EndTickOf(prefixes_, touched_prefixes_, alarms);
  received_ *= 0.999;
  answered_ *= 0.999;
  // In an order that does not depend on where the tables keep them.
  std::sort(alarms.begin(), alarms.end(), [](const FloodAlarm& a, const FloodAlarm& b) {
    return std::tuple(!a.entry->is_prefix, a.entry->address, a.kind) <
           std::tuple(!b.entry->is_prefix, b.entry->address, b.kind);
  });
  for (const FloodAlarm& alarm : alarms) Raise(alarm, alerts);
}

void FloodEngine::EndTickOf(FloodTable& table, Touched& touched, std::vector<FloodAlarm>& alarms) {
  for (const std::uint32_t index : touched.order) {
    touched.listed[index] = false;
    FloodEntry& entry = table.at(index);
    if (!entry.active) continue;
    entry.active = false;
    EndTickOf(entry, alarms);
  }
  touched.order.clear();
}

void FloodEngine::EndTickOf(FloodEntry& entry, std::vector<FloodAlarm>& alarms) {
  Measure(entry);
  if (!entry.excited) {
    entry.carpet = false;
    if (entry.dirty) entry.Calm(Timestamp(kFloodTick * entry.tick));
    return;
  }
  if (!entry.is_prefix) Explain(entry);
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    const auto kind = static_cast<FloodKind>(i);
    if (entry.metrics[i].sum <= threshold_ / 2) continue;
    const FloodVerdict verdict = Judge(entry, kind);
    if (verdict != FloodVerdict::kNothing) alarms.push_back({&entry, kind, verdict});
  }
  entry.explained.fill(0);
  entry.explainers.fill(0);
}

// Ends the tick of one entry.
void FloodEngine::Measure(FloodEntry& entry) {
  std::uint32_t packets = 0;
  bool excited = false;
  bool high = false;
  // At the start each busy prefix is new; floods of single hosts are not held up by that.
  const auto learning =
      entry.is_prefix && Since(start_, Timestamp(kFloodTick * tick_)) < kPrefixWarmUp
          ? FloodLearning::kOpen
          : FloodLearning::kGated;
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    FloodMetric& metric = entry.metrics[i];
    const std::uint32_t count = std::exchange(entry.counts[i], 0);
    packets += count;
    if (entry.dirty) entry.peak[i] = std::max(entry.peak[i], static_cast<float>(count));
    high = high || count * kTicksPerSecond >= FloorOf(static_cast<FloodKind>(i));
    metric.EndTick(count, entry.known, kPrior[i], kBurstPackets[i], threshold_, learning);
    excited = excited || metric.sum > FloodMetric::kExcitement;
  }
  if (entry.dirty) {
    entry.packets_seen += packets;
    entry.bytes_seen += entry.bytes;
    entry.fragments_seen += entry.fragments;
  }
  entry.fragments = 0;
  Fade(entry.bytes_recent, entry.bytes);
  Fade(entry.udp_sent_recent, entry.udp_sent);
  Fade(entry.asked_recent, entry.asked);
  Fade(entry.syn_sent_recent, entry.syn_sent);
  Fade(entry.tcp_sent_recent, entry.tcp_sent);
  ++entry.known;
  entry.tick = tick_ + 1;
  entry.excited = excited;
  // A pulse begins when the rate comes over the floor again.
  if (excited && high && !entry.high) ++entry.pulses;
  entry.high = excited && high;
  if (excited) entry.dirty = true;
}

// Tells the prefix of a destination what is out of the ordinary there.
void FloodEngine::Explain(const FloodEntry& destination) {
  FloodEntry* prefix = nullptr;
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    const FloodMetric& metric = destination.metrics[i];
    const double least = kExplainingShare * FloorOf(static_cast<FloodKind>(i)) / kTicksPerSecond;
    if (metric.sum <= FloodMetric::kExcitement || metric.recent < least) continue;
    if (prefix == nullptr) {
      const IpAddress address = PrefixOf(destination.address);
      const AddressWords words = WordsOf(address);
      prefix = prefixes_.Find(address, hash_(words.high, ~words.low));
      if (prefix == nullptr) return;
    }
    prefix->explained[i] += std::max(metric.recent - metric.mean, 0.0f);
    ++prefix->explainers[i];
  }
}

double FloodEngine::FloorOf(FloodKind kind) const {
  switch (kind) {
    case FloodKind::kSyn:
      return options_.min_syn_rate;
    case FloodKind::kUdp:
    case FloodKind::kTcp:
      return options_.min_udp_rate;
    case FloodKind::kIcmp:
      return options_.min_icmp_rate;
    case FloodKind::kReflected:
      return options_.min_amplification_rate;
    case FloodKind::kSynAck:
      return kFewSourcesFactor * options_.min_syn_rate;
  }
  return options_.min_udp_rate;
}

FloodVerdict FloodEngine::Judge(const FloodEntry& entry, FloodKind kind) const {
  const double floor = FloorOf(kind) * (entry.is_prefix ? kPrefixFactor : 1);
  const double recent = entry.metric(kind).recent;
  const double rate = kTicksPerSecond * recent / floor;  // in floors
  if (rate < 1) return FloodVerdict::kNothing;
  const double sources = entry.sources.Estimate();
  const bool is_few = sources < kFewSources;
  if (entry.is_prefix) {
    // One host is flooded, or one source looks at all of them.
    const auto index = static_cast<std::size_t>(kind);
    const double excess = recent - entry.metric(kind).mean;
    const bool is_explained =
        entry.explained[index] > excess / 2 && entry.explainers[index] < kCarpetHosts;
    if (entry.distinct_hosts() < kCarpetHosts || is_explained) return FloodVerdict::kNothing;
    if (is_few && rate < kScanFactor) return FloodVerdict::kNothing;
  }
  if (is_few && entry.distinct_ports() >= kManyPorts && rate < kScanFactor) {
    return FloodVerdict::kNothing;
  }
  const bool sees_answers = SeesAnswers();
  switch (kind) {
    case FloodKind::kSyn:
      return JudgeSyn(entry, rate, sources);
    case FloodKind::kUdp:
      return JudgeUdp(entry, rate, sources);
    case FloodKind::kIcmp:
      return FloodVerdict::kFlood;
    case FloodKind::kReflected:
      if (entry.asked_recent > 0.2 * recent) return FloodVerdict::kNothing;
      if (is_few && rate < 2 * kFewSourcesFactor) return FloodVerdict::kNothing;
      return FloodVerdict::kFlood;
    case FloodKind::kSynAck:
      return entry.syn_sent_recent > 0.5 * recent ? FloodVerdict::kNothing : FloodVerdict::kFlood;
    case FloodKind::kTcp:
      if (!sees_answers || sources < 4 * kFewSources) return FloodVerdict::kNothing;
      return entry.tcp_sent_recent > 0.02 * recent ? FloodVerdict::kNothing : FloodVerdict::kFlood;
  }
  return FloodVerdict::kNothing;
}

// A tap for one direction never sees a host send that it saw receive.
bool FloodEngine::SeesAnswers() const {
  constexpr double kEnough = 100;
  return answered_ > kEnough || answered_ > received_ / 100;
}

// A crowd is one by comparison only. A prefix has crowds all day, at one host or another.
bool FloodEngine::KnowsWhatIsUsual(const FloodEntry& entry) const {
  return !entry.is_prefix && Since(start_, Timestamp(kFloodTick * tick_)) >= kWarmUp;
}

FloodVerdict FloodEngine::JudgeSyn(const FloodEntry& entry, double rate, double sources) const {
  if (entry.syns.Completion(tick_) >= 0.5) {
    const bool is_crowd =
        KnowsWhatIsUsual(entry) &&
        kTicksPerSecond * entry.metric(FloodKind::kSyn).recent >= options_.min_crowd_rate &&
        sources >= 4 * kFewSources;
    return is_crowd ? FloodVerdict::kCrowd : FloodVerdict::kNothing;
  }
  if (sources < kFewSources && rate < kFewSourcesFactor) return FloodVerdict::kNothing;
  return FloodVerdict::kFlood;
}

FloodVerdict FloodEngine::JudgeUdp(const FloodEntry& entry, double rate, double sources) const {
  const double answers =
      entry.udp_sent_recent / std::max(entry.metric(FloodKind::kUdp).recent, 1e-3f);
  if (sources < 4 * kFewSources) {
    // A download, a call, a tunnel: one direction is busy and the other acknowledges.
    const bool sees_answers = SeesAnswers();
    if (answers > 0.02 || (!sees_answers && rate < kScanFactor)) return FloodVerdict::kNothing;
    if (sources < kFewSources && rate < 2) return FloodVerdict::kNothing;
    return FloodVerdict::kFlood;
  }
  if (answers < 0.3) return FloodVerdict::kFlood;
  return sources >= kCrowdSources && KnowsWhatIsUsual(entry) ? FloodVerdict::kCrowd
                                                             : FloodVerdict::kNothing;
}

bool FloodEngine::IsCovered(const FloodEntry& entry) {
  const IpAddress prefix = PrefixOf(entry.address);
  const AddressWords words = WordsOf(prefix);
  const FloodEntry* found = prefixes_.Find(prefix, hash_(words.high, ~words.low));
  return found != nullptr && found->carpet;
}

void FloodEngine::Raise(const FloodAlarm& alarm, Alerts& alerts) {
  FloodEntry& entry = *alarm.entry;
  const FloodMetric& metric = entry.metric(alarm.kind);
  const AlertClass alert_class = FloodClass(alarm.kind, alarm.verdict);
  const AlertEntity entity{
      .source = {},
      .destination = entry.address,
      .service = entry.is_prefix ? std::optional<std::string>("prefix") : std::nullopt};
  const bool is_open = tracker_.IsOpen(alert_class, entity);
  if (!is_open && metric.sum <= threshold_) return;
  if (!is_open && !entry.is_prefix && IsCovered(entry)) return;
  if (entry.is_prefix) entry.carpet = true;
  const Timestamp now(kFloodTick * (tick_ + 1));
  const double floors = kTicksPerSecond * metric.recent / FloorOf(alarm.kind);
  const Severity severity = alarm.verdict == FloodVerdict::kCrowd ? Severity::kInfo
                            : floors < 4                          ? Severity::kMedium
                            : floors < 50                         ? Severity::kHigh
                                                                  : Severity::kCritical;
  const double peak = kTicksPerSecond * entry.peak[static_cast<std::size_t>(alarm.kind)];
  tracker_.Raise(
      {.alert_class = alert_class,
       .entity = entity,
       .severity = severity,
       .magnitude = peak,
       .hold = std::chrono::seconds(30)},
      now, [&](Alert& alert) { FillFloodAlert(entry, alarm.kind, alarm.verdict, now, alert); },
      alerts);
}

std::size_t FloodEngine::memory_bytes() const {
  return sizeof(*this) + destinations_.memory_bytes() + prefixes_.memory_bytes() +
         (touched_destinations_.order.capacity() + touched_prefixes_.order.capacity()) * 4 +
         (destinations_.size() + prefixes_.size()) / 8 + tracker_.memory_bytes();
}

std::size_t FloodEngine::memory_limit_bytes() const {
  const std::size_t entries = destinations_.size() + prefixes_.size();
  return sizeof(*this) + destinations_.memory_bytes() + prefixes_.memory_bytes() + entries * 9 +
         tracker_.memory_limit_bytes();
}

std::uint64_t FloodEngine::evictions() const {
  return destinations_.evicted() + prefixes_.evicted();
}

}  // namespace nta::detect
