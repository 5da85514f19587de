// FloodEntry: what is known of the traffic to one destination, or to one prefix.
#ifndef NTA_SRC_DETECT_FLOOD_ENTRY_H_
#define NTA_SRC_DETECT_FLOOD_ENTRY_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "detect/distinct_count.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta::detect {

// What packets are counted by. Numbers are persisted in saved states.
enum class FloodKind : std::uint8_t {
  kSyn = 0,
  kUdp = 1,
  kIcmp = 2,
  kReflected = 3,  // UDP from a port whose service amplifies
  kSynAck = 4,
  kTcp = 5,  // all other TCP
};
inline constexpr std::size_t kFloodKinds = 6;

inline constexpr Duration kFloodTick = std::chrono::milliseconds(250);
inline constexpr double kTicksPerSecond = 4;

// Whether a surprising value counts less when the baseline is learned, or is the first to make it.
enum class FloodLearning : std::uint8_t { kGated, kOpen };

// What is tested: the rate of one kind of packets. See docs/detection.md.
struct FloodMetric {
  // More than this in one tick counts no further: three ticks make an alarm. A surprise of this
  // size or less may be chance.
  static constexpr float kCap = 6;
  static constexpr float kDrift = 1;
  static constexpr float kExcitement = 2;  // a sum above this is the beginning of an episode

  float mean = 0;  // a tick, learned
  float variance = 0;
  float recent = 0;  // a tick, over the last second or so
  float sum = 0;     // of surprise: the CUSUM

  // Ends a tick with `count` packets. `prior` is the mean of destinations that nothing is known of;
  // from `burst` packets on a single tick is enough.
  void EndTick(std::uint32_t count, std::uint32_t ticks_known, float prior, float burst,
               float threshold, FloodLearning learning);
  // So many ticks without a packet have passed.
  void Rest(std::int64_t ticks);
  float Dispersion(float prior) const;
};

// Connection attempts, a few a second, and whether they went on: tells a flood from a crowd.
struct SynSample {
  static constexpr std::size_t kSize = 16;
  static constexpr std::int64_t kKeepTicks = 4;

  std::array<std::uint32_t, kSize> attempt{};  // fingerprints; 0: free
  std::array<std::uint32_t, kSize> tick{};     // of the attempt, the low bits of it
  std::uint16_t completed = 0;                 // bits
  // Derived, so that most packets need not look at each attempt: bits that those fingerprints
  // have set which may be in `attempt`, and the tick in which no place was free, the low bits of
  // it and one more.
  std::uint32_t may_hold = 0;
  std::uint32_t full_in = 0;

  void Attempt(std::uint32_t fingerprint, std::int64_t now);
  void Acknowledge(std::uint32_t fingerprint);
  // Share of attempts, at least a tick old, that went on; 0 when there are none.
  double Completion(std::int64_t now) const;
  void Clear() { *this = {}; }
  // The derived part, of a sample that was read from a saved state.
  void Derive();
  static std::uint32_t BitOf(std::uint32_t fingerprint) { return 1u << (fingerprint >> 27); }
};

// What each packet touches comes first: two lines of the cache.
struct alignas(64) FloodEntry {
  IpAddress address;  // of the destination, or the first of the prefix
  bool used = false;
  bool is_prefix = false;
  bool active = false;   // has counts of `tick`
  bool carpet = false;   // prefixes: bombed as a whole, so that alerts for each host are held back
  bool excited = false;  // the traffic has left what is usual
  bool sampled = false;  // `syns` holds an attempt
  bool dirty = false;    // what belongs to an episode, below, is not empty
  bool listed = false;   // among those with packets in this tick, perhaps as another address
  std::uint8_t quiet = 0;    // ticks in a row with hardly any packets
  std::int64_t tick = 0;     // of the counts
  std::uint32_t known = 0;   // ticks with packets
  std::uint32_t weight = 0;  // packets of this tick, less what was knocked off
  std::array<std::uint32_t, kFloodKinds> counts{};  // in this tick
  std::uint32_t bytes = 0;                          // to the destination in this tick
  std::uint32_t fragments = 0;                      // likewise
  std::uint32_t udp_sent = 0;                       // by the destination: answers
  std::uint32_t asked = 0;                          // by the destination to services that amplify
  std::uint32_t syn_sent = 0;                       // by the destination
  std::uint32_t tcp_sent = 0;                       // by the destination, from a sample
  std::array<FloodMetric, kFloodKinds> metrics;
  float bytes_recent = 0;  // a tick
  float udp_sent_recent = 0;
  float asked_recent = 0;
  float syn_sent_recent = 0;
  float tcp_sent_recent = 0;

  // Since the traffic left what is usual.
  bool high = false;  // in a pulse
  std::uint16_t pulses = 0;
  std::uint16_t low_ticks = 0;
  std::uint16_t host_packets = 0;        // prefixes: the first that the hosts are told by
  std::uint64_t ports = 0;               // linear count of destination ports
  std::array<std::uint64_t, 4> hosts{};  // prefixes: by the last byte (IPv4) or a hash of it
  DistinctCount sources;
  Majority<IpAddress> source;
  Majority<std::uint16_t> source_port;
  Majority<std::uint16_t> destination_port;
  Majority<std::uint16_t> reflector_port;
  // Prefixes, by kind: what those hosts explain that are flooded themselves, and how many they are.
  std::array<float, kFloodKinds> explained{};
  std::array<std::uint16_t, kFloodKinds> explainers{};
  std::uint32_t sampled_packets = 0;  // that the majorities above are made of
  // Prefixes, by the same byte as `hosts`: one host fewer than a carpet takes.
  HeavyBytes host;
  std::uint64_t packets_seen = 0;
  std::uint64_t bytes_seen = 0;
  std::uint64_t fragments_seen = 0;
  std::array<float, kFloodKinds> peak{};  // a tick
  Timestamp since{};
  SynSample syns;

  FloodMetric& metric(FloodKind kind) { return metrics[static_cast<std::size_t>(kind)]; }
  const FloodMetric& metric(FloodKind kind) const {
    return metrics[static_cast<std::size_t>(kind)];
  }
  // Brings everything from its last tick to the beginning of this one.
  void CatchUp(std::int64_t now);
  // Makes it an entry of another address, without touching what is empty anyway: in a table that
  // is too small for the traffic this happens for every other packet.
  void Renew(const IpAddress& new_address);
  // Forgets what belongs to an episode.
  void Calm(Timestamp now);
  // Of that, who takes part: addresses and ports.
  void ForgetShape();
  double distinct_ports() const;
  double distinct_hosts() const;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_ENTRY_H_
