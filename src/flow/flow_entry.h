// FlowKey and FlowEntry: how the table keeps a flow, in two cache lines.
#ifndef NTA_FLOW_FLOW_ENTRY_H_
#define NTA_FLOW_FLOW_ENTRY_H_

#include <bit>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/keyed_hash.h"
#include "nta/flow/flow_record.h"
#include "nta/packet/decode.h"

namespace nta::internal {

// Both endpoints in canonical order, so that the two directions of a flow have one key and one
// look-up finds it.
struct FlowKey {
  std::uint64_t address_a[2];
  std::uint64_t address_b[2];
  std::uint64_t rest;  // port a, port b, protocol, IP version, from the lowest bits up

  friend bool operator==(const FlowKey&, const FlowKey&) = default;

  std::uint64_t Hash(const base::KeyedHash& hash) const {
    return hash(address_a[0], address_a[1], address_b[0], address_b[1], rest);
  }
};

struct DirectedKey {
  FlowKey key;
  bool source_is_a;
};

inline void CopyAddress(const IpAddress& address, std::uint64_t out[2]) {
  std::memcpy(out, address.padded_bytes().data(), 16);
}

inline IpAddress ToAddress(const std::uint64_t words[2], int version) {
  std::uint8_t bytes[16];
  std::memcpy(bytes, words, 16);
  return version == 4 ? IpAddress::V4(std::span<const std::uint8_t, 4>(bytes, 4))
                      : IpAddress::V6(std::span<const std::uint8_t, 16>(bytes, 16));
}

// Whether the words of `a` come before those of `b`, in any total order of addresses and ports.
inline bool IsOrdered(const std::uint64_t a[2], std::uint64_t port_a, const std::uint64_t b[2],
                      std::uint64_t port_b) {
  if (a[0] != b[0]) return a[0] < b[0];
  if (a[1] != b[1]) return a[1] < b[1];
  return port_a <= port_b;
}

// Fills `out` word by word: a key that was copied as a whole right after its parts were written
// would wait for the stores.
inline void MakeKey(const IpAddress& source, std::uint16_t source_port,
                    const IpAddress& destination, std::uint16_t destination_port,
                    std::uint8_t protocol, DirectedKey& out) {
  std::uint64_t from[2];
  std::uint64_t to[2];
  CopyAddress(source, from);
  CopyAddress(destination, to);
  const bool source_is_a = IsOrdered(from, source_port, to, destination_port);
  FlowKey& key = out.key;
  key.address_a[0] = source_is_a ? from[0] : to[0];
  key.address_a[1] = source_is_a ? from[1] : to[1];
  key.address_b[0] = source_is_a ? to[0] : from[0];
  key.address_b[1] = source_is_a ? to[1] : from[1];
  const std::uint64_t port_a = source_is_a ? source_port : destination_port;
  const std::uint64_t port_b = source_is_a ? destination_port : source_port;
  key.rest = port_a | port_b << 16 | static_cast<std::uint64_t>(protocol) << 32 |
             static_cast<std::uint64_t>(source.version()) << 40;
  out.source_is_a = source_is_a;
}

struct DirectionCounters {
  std::uint64_t packets;
  std::uint64_t wire_bytes;
  std::uint64_t ip_bytes;
  std::uint64_t payload_bytes;
};

// Trivial, because it lives in zeroed memory. The first 64 bytes are what a look-up and every
// packet touch.
struct alignas(64) FlowEntry {
  static constexpr std::uint8_t kSourceIsA = 1 << 0;
  static constexpr std::uint8_t kAnswered = 1 << 1;  // in the list of flows seen both ways
  static constexpr std::uint8_t kClosed = 1 << 2;    // FIN both ways, or RST
  static constexpr std::uint8_t kHasVlan = 1 << 3;
  static constexpr std::uint8_t kContinuing =
      1 << 4;  // reported at the active timeout, no packet since
  static constexpr std::uint8_t kHasIcmp = 1 << 5;
  static constexpr std::uint8_t kInspected = 1 << 6;  // the inspector has seen some of it

  FlowKey key;
  std::int64_t first_seen;
  std::int64_t last_seen;
  std::uint16_t vlan;
  std::uint8_t tcp_flags[2];  // forward, reverse
  std::uint8_t state;
  ContactOutcome outcome;
  // TCP: flags of each direction over all records of the flow. ICMP: type and code of the first
  // packet.
  std::uint8_t extra[2];
  DirectionCounters counters[2];  // forward, reverse

  bool Is(std::uint8_t flag) const { return (state & flag) != 0; }
  void Set(std::uint8_t flag) { state = static_cast<std::uint8_t>(state | flag); }
  void Clear(std::uint8_t flag) { state = static_cast<std::uint8_t>(state & ~flag); }
  bool IsTcp() const { return (key.rest >> 32 & 0xff) == kProtocolTcp; }

  bool IsIcmp() const {
    const auto protocol = static_cast<std::uint8_t>(key.rest >> 32);
    return protocol == kProtocolIcmp || protocol == kProtocolIcmpV6;
  }

  // `record` is newly made.
  void FillRecord(FlowEndReason reason, FlowRecord& record) const;
};
static_assert(sizeof(FlowEntry) == 128);

}  // namespace nta::internal

#endif  // NTA_FLOW_FLOW_ENTRY_H_
