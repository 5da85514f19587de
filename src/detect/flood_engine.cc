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
// An entry is given up after so many ticks with packets, but with a quarter at the most of what
// opens the gate.
constexpr std::uint8_t kQuietTicks = 240;
constexpr std::uint32_t kAllOfTick = 256;
constexpr std::uint32_t kSampleInFlood = 8;
constexpr std::uint16_t kForgetTicks = 4;

// Fixed, so that counts do not depend on the key: who makes sources collide only makes their number
// look smaller.
constexpr base::KeyedHash kSourceHash(0xf100d);

bool IsOneHost(const IpAddress& address) {
  const std::uint8_t first = address.padded_bytes()[0];
  // Multicast, 255.255.255.255 and what nobody has.
  return address.is_v4() ? first < 224 && first != 0 : first != 0xff;
}

// The same for both directions of a connection.
std::uint64_t ConnectionHash(const DecodedPacket& packet) {
  const AddressWords source = WordsOf(packet.source);
  const AddressWords destination = WordsOf(packet.destination);
  const std::uint64_t ports = std::uint64_t{packet.source_port} + packet.destination_port;
  return kSourceHash(source.high + destination.high, source.low + destination.low + ports);
}
std::uint64_t SourceHashOf(const DecodedPacket& packet) {
  const AddressWords words = WordsOf(packet.source);
  return kSourceHash(words.high, words.low);
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

// What a packet of a kind is worth at a gate that opens at this share of the least rate of a flood.
std::array<std::uint8_t, kFloodKinds> Loads(const std::array<double, kFloodKinds>& floors,
                                            double share) {
  std::array<std::uint8_t, kFloodKinds> loads{};
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    const bool is_sample = static_cast<FloodKind>(i) == FloodKind::kTcp;
    const double opening = share * floors[i] / kTicksPerSecond / (is_sample ? kSampleOneIn : 1);
    loads[i] = static_cast<std::uint8_t>(
        std::clamp(std::round(FloodGate::kOpen / opening), 1.0, double{FloodGate::kOpen}));
  }
  return loads;
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
  std::array<double, kFloodKinds> floors{};
  for (std::size_t i = 0; i < kFloodKinds; ++i) floors[i] = FloorOf(static_cast<FloodKind>(i));
  destinations_.loads = Loads(floors, 0.25);
  for (double& floor : floors) floor *= kPrefixFactor;
  prefixes_.loads = Loads(floors, 0.5);
}

void FloodEngine::ObservePackets(std::span<const DecodedPacket> packets, Alerts& alerts) {
  std::array<Place, kBurst> places;
  while (!packets.empty()) {
    const auto burst = packets.first(std::min(packets.size(), kBurst));
    packets = packets.subspan(burst.size());
    std::size_t counted = 0;
    for (std::size_t i = 0; i < burst.size(); ++i) {
      Place& place = places[counted];
      place.packet = static_cast<std::uint32_t>(i);
      if (PlaceOf(burst[i], place)) ++counted;
    }
    const auto found = std::span(places).first(counted);
    for (Place& place : found) {
      if (place.counts) {
        place.destination.hint = destinations_.table.Prefetch(place.destination.hash);
        place.prefix.hint = prefixes_.table.Prefetch(place.prefix.hash);
      }
      if (place.has_sender) {
        place.source.hint = destinations_.table.Prefetch(place.source.hash);
      }
    }
    if (IsWithinTick(burst)) {
      for (const Place& place : found) Count(burst[place.packet], place);
      clock_.Pass(burst.back().time);
      continue;
    }
    std::size_t next = 0;
    for (std::size_t i = 0; i < burst.size(); ++i) {
      PassTime(clock_.Pass(burst[i].time), alerts);
      if (next == counted || found[next].packet != i) continue;
      Count(burst[i], found[next++]);
    }
  }
}

// Whether the packets come in order and none of them ends the tick: nearly every burst.
bool FloodEngine::IsWithinTick(std::span<const DecodedPacket> burst) const {
  Timestamp last = std::max(clock_.now(), tick_begin_);
  for (const DecodedPacket& packet : burst) {
    if (packet.time < last) return false;
    last = packet.time;
  }
  return started_ && last < tick_end_;
}

// False for packets that count nowhere.
bool FloodEngine::PlaceOf(const DecodedPacket& packet, Place& place) const {
  if (!packet.has_ip() || !KindOf(packet, place.kind)) return false;
  place.connection = 0;
  if (packet.protocol == kProtocolTcp) {
    place.connection = ConnectionHash(packet);
    // Ordinary TCP is nearly all traffic: one connection in four shows well enough what goes on.
    if (place.kind == FloodKind::kTcp && !IsSampled(place.connection)) return false;
  }
  place.has_sender = IsOneHost(packet.source);
  place.counts = IsOneHost(packet.destination);
  if (place.has_sender) {
    place.source.key = FloodKey::Of(packet.source);
    place.source.hash = place.source.key.Hash(hash_);
    destinations_.gate.Prefetch(place.source.hash);
  }
  if (place.counts) {
    place.destination.key = FloodKey::Of(packet.destination);
    place.destination.hash = place.destination.key.Hash(hash_);
    place.prefix = PrefixOf(place.destination.key);
    destinations_.gate.Prefetch(place.destination.hash);
    prefixes_.gate.Prefetch(place.prefix.hash);
  }
  return place.has_sender || place.counts;
}

FloodEngine::Spot FloodEngine::PrefixOf(const FloodKey& host) const {
  const FloodKey prefix = host.Prefix();
  return {.key = prefix, .hash = prefix.PrefixHash(hash_)};
}

void FloodEngine::Count(const DecodedPacket& packet, const Place& place) {
  if (place.has_sender) CountSent(packet, place);
  if (!place.counts) return;
  FloodEntry* host = Touch(destinations_, place.destination, place.kind);
  FloodEntry* network = Touch(prefixes_, place.prefix, place.kind);
  if (host == nullptr && network == nullptr) return;
  // Once for both.
  const std::uint64_t source_hash = SourceHashOf(packet);
  if (host != nullptr) CountReceived(*host, packet, place, source_hash);
  if (network != nullptr) CountInNetwork(*network, packet, place, source_hash);
}

void FloodEngine::CountInNetwork(FloodEntry& entry, const DecodedPacket& packet, const Place& place,
                                 std::uint64_t source_hash) {
  entry.is_prefix = true;
  CountReceived(entry, packet, place, source_hash);
  if (place.kind == FloodKind::kTcp && !entry.excited) return;
  // By the last byte, or a hash of what follows the prefix.
  const std::uint64_t host = packet.destination.is_v4() ? packet.destination.padded_bytes()[3]
                                                        : place.destination.hash >> 56;
  entry.hosts[host / 64] |= std::uint64_t{1} << (host % 64);  // dirty by now
  if (entry.host_packets == UINT16_MAX) return;
  entry.host.Add(static_cast<std::uint8_t>(host));
  ++entry.host_packets;
}

[[gnu::always_inline]] inline FloodEntry* FloodEngine::Touch(Level& level, const Spot& spot,
                                                             FloodKind kind) {
  FloodEntry* entry = level.table.Find(spot.key, spot.hash, spot.hint);
  if (entry == nullptr) {
    if (!level.gate.Pass(spot.hash, level.loads[static_cast<std::size_t>(kind)], tick_)) {
      return nullptr;
    }
    entry = level.table.Add(spot.key, spot.hash, tick_);
    if (entry == nullptr) return nullptr;
    entry->tick = tick_;
  }
  ++entry->weight;
  if (!entry->active) Activate(level, *entry);
  return entry;
}

// The first packet of a tick.
void FloodEngine::Activate(Level& level, FloodEntry& entry) {
  entry.CatchUp(tick_);
  entry.active = true;
  if (std::exchange(entry.listed, true)) return;
  level.touched.push_back(static_cast<std::uint32_t>(level.table.IndexOf(entry)));
}

void FloodEngine::CountReceived(FloodEntry& entry, const DecodedPacket& packet, const Place& place,
                                std::uint64_t source_hash) {
  const FloodKind kind = place.kind;
  const std::uint32_t weight = kind == FloodKind::kTcp ? kSampleOneIn : 1;
  entry.counts[static_cast<std::size_t>(kind)] += weight;
  entry.bytes += weight * packet.wire_bytes;
  if (packet.is_fragment) ++entry.fragments;
  if (kind == FloodKind::kTcp && !entry.excited && !entry.sampled) return;
  if (kind == FloodKind::kSyn || kind == FloodKind::kTcp) {
    const auto fingerprint = static_cast<std::uint32_t>(place.connection);
    if (kind == FloodKind::kSyn && IsSampled(place.connection)) {
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
  entry.sources.Add(source_hash);
  // In a flood one packet in eight tells as much as all of them.
  const std::uint32_t so_far = entry.counts[static_cast<std::size_t>(kind)];
  const std::uint32_t stands_for = so_far > kAllOfTick ? kSampleInFlood : 1;
  if ((so_far & (stands_for - 1)) != 0) return;  // a power of two, without a division
  entry.sampled_packets += stands_for;
  entry.source.Add(packet.source, stands_for);
  if (!packet.has_ports) return;
  entry.ports |= std::uint64_t{1} << (kSourceHash(packet.destination_port, 1) >> 58);
  entry.source_port.Add(packet.source_port, stands_for);
  entry.destination_port.Add(packet.destination_port, stands_for);
  if (kind == FloodKind::kReflected) entry.reflector_port.Add(packet.source_port, stands_for);
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
  if (FloodEntry* entry =
          destinations_.table.Find(place.source.key, place.source.hash, place.source.hint)) {
    answered_ += weight;
    count(*entry);
  } else if (destinations_.gate.Knows(place.source.hash)) {
    answered_ += weight;
  }
  // The acknowledgements of a whole network are asked for only while something goes on in one.
  if (is_ordinary && excited_prefixes_ == 0) return;
  if (FloodEntry* entry = EntryOfPrefix(place.source.key)) count(*entry);
}

FloodEntry* FloodEngine::EntryOfPrefix(const FloodKey& host) {
  const Spot prefix = PrefixOf(host);
  return prefixes_.table.Find(prefix.key, prefix.hash);
}

void FloodEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  clock_.AdvanceTo(now);
  PassTime(clock_.now(), alerts);
  tracker_.AdvanceTo(clock_.now(), alerts);
}

void FloodEngine::PassTime(Timestamp now, Alerts& alerts) {
  // Asked for each packet.
  if (now >= tick_begin_ && now < tick_end_) return;
  const std::int64_t tick = TickOf(now);
  if (tick == tick_ && started_) return;
  if (started_) {
    EndTick(alerts);
  } else {
    start_ = now;
  }
  started_ = true;
  BeginTick(tick);
}

void FloodEngine::BeginTick(std::int64_t tick) {
  tick_ = tick;
  std::int64_t begin = 0;
  if (__builtin_mul_overflow(tick, kFloodTick.count(), &begin)) {
    begin = tick < 0 ? Duration::min().count() : Duration::max().count();
  }
  tick_begin_ = Timestamp(Duration(begin));
  tick_end_ = After(tick_begin_, kFloodTick);
}

void FloodEngine::Finish(Alerts& alerts) {
  if (started_) EndTick(alerts);
  tracker_.Finish(alerts);
}

void FloodEngine::EndTick(Alerts& alerts) {
  const std::uint64_t tests = destinations_.touched.size() + prefixes_.touched.size();
  if (tests == 0) return;
  const Timestamp end(kFloodTick * (tick_ + 1));
  // P(S >= h) = exp(-2 k h) for a random walk with the drift -k and steps of variance 1.
  const double bits = budget_.Test(end, tests * kFloodKinds);
  threshold_ = static_cast<float>(std::max(kMinThreshold, bits * std::log(2.0) / 2));
  std::vector<FloodAlarm> alarms;
  excited_prefixes_ = 0;
  EndTickOf(destinations_, alarms);
  EndTickOf(prefixes_, alarms);
  received_ *= 0.999;
  answered_ *= 0.999;
  // In an order that does not depend on where the tables keep them.
  std::sort(alarms.begin(), alarms.end(), [](const FloodAlarm& a, const FloodAlarm& b) {
    return std::tuple(!a.entry->is_prefix, a.entry->address, a.kind) <
           std::tuple(!b.entry->is_prefix, b.entry->address, b.kind);
  });
  for (const FloodAlarm& alarm : alarms) Raise(alarm, alerts);
}

void FloodEngine::EndTickOf(Level& level, std::vector<FloodAlarm>& alarms) {
  for (const std::uint32_t index : level.touched) {
    FloodEntry& entry = level.table.at(index);
    entry.listed = false;
    if (!entry.active) continue;
    entry.active = false;
    level.table.Weigh(index, tick_);
    EndTickOf(entry, alarms);
    if (entry.is_prefix && entry.excited) ++excited_prefixes_;
    if (entry.quiet >= kQuietTicks && !entry.dirty) level.table.Remove(index);
  }
  level.touched.clear();
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
  std::uint32_t load = 0;
  bool excited = false;
  bool high = false;
  const auto& loads = (entry.is_prefix ? prefixes_ : destinations_).loads;
  // At the start each busy prefix is new; floods of single hosts are not held up by that.
  const auto learning =
      entry.is_prefix && Since(start_, Timestamp(kFloodTick * tick_)) < kPrefixWarmUp
          ? FloodLearning::kOpen
          : FloodLearning::kGated;
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    FloodMetric& metric = entry.metrics[i];
    const std::uint32_t count = std::exchange(entry.counts[i], 0);
    packets += count;
    // Those of a sample count for more than one packet.
    load += count * loads[i] / (static_cast<FloodKind>(i) == FloodKind::kTcp ? kSampleOneIn : 1);
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
  const bool is_quiet = load <= FloodGate::kOpen / 4;
  entry.quiet = is_quiet ? static_cast<std::uint8_t>(std::min(entry.quiet + 1, 255)) : 0;
  entry.tick = tick_ + 1;
  entry.excited = excited;
  // A pulse begins when the rate comes over the floor again.
  if (excited && high && !entry.high) ++entry.pulses;
  entry.high = excited && high;
  if (excited) entry.dirty = true;
  // Networks and busy hosts are never quiet: who took part a second ago, below the floors, has
  // nothing to do with this.
  entry.low_ticks = high ? std::uint16_t{0} : static_cast<std::uint16_t>(entry.low_ticks + 1);
  if (entry.low_ticks % kForgetTicks == kForgetTicks - 1) entry.ForgetShape();
}

// Tells the prefix of a destination what is out of the ordinary there.
void FloodEngine::Explain(const FloodEntry& destination) {
  FloodEntry* prefix = nullptr;
  for (std::size_t i = 0; i < kFloodKinds; ++i) {
    const FloodMetric& metric = destination.metrics[i];
    const double least = kExplainingShare * FloorOf(static_cast<FloodKind>(i)) / kTicksPerSecond;
    if (metric.sum <= FloodMetric::kExcitement || metric.recent < least) continue;
    if (prefix == nullptr) {
      prefix = EntryOfPrefix(FloodKey::Of(destination.address));
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
    // The downloads of a few are no carpet, however many hosts there are beside them.
    const bool is_few_hosts = entry.host.Sum() > entry.host_packets / 2u;
    if (entry.distinct_hosts() < kCarpetHosts || is_explained || is_few_hosts) {
      return FloodVerdict::kNothing;
    }
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
  // Three quarters of the packets come from one host, whatever a busy client gets beside them.
  const bool is_led = entry.source.lead > entry.sampled_packets / 2;
  if (sources < 4 * kFewSources || is_led) {
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
  const FloodEntry* found = EntryOfPrefix(FloodKey::Of(entry.address));
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
         tracker_.memory_bytes();
}

std::size_t FloodEngine::memory_limit_bytes() const {
  return sizeof(*this) + destinations_.memory_limit_bytes() + prefixes_.memory_limit_bytes() +
         tracker_.memory_limit_bytes();
}

std::uint64_t FloodEngine::evictions() const {
  return destinations_.table.evicted() + prefixes_.table.evicted();
}

}  // namespace nta::detect
