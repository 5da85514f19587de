// RollupPart: totals of one minute, hour or day as they are kept: rows sorted by key, a column for
// each count (docs/store_format.md).
#ifndef NTA_STORE_ROLLUP_PART_H_
#define NTA_STORE_ROLLUP_PART_H_

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/application.h"
#include "nta/net/ip_address.h"
#include "store/numbers.h"

namespace nta::store {

// Keys in ascending order, each once; counts[c][i] belongs to keys[i].
template <typename KeyType, std::size_t kCounts>
struct RollupRows {
  using Key = KeyType;
  static constexpr std::size_t kCountColumns = kCounts;

  std::vector<Key> keys;
  std::array<std::vector<std::uint64_t>, kCounts> counts;

  bool empty() const { return keys.empty(); }
  // `key` is above all others.
  void Append(const Key& key, const std::array<std::uint64_t, kCounts>& values) {
    keys.push_back(key);
    for (std::size_t c = 0; c < kCounts; ++c) counts[c].push_back(values[c]);
  }
};

struct AddressKey {
  IpAddress address;
  std::uint8_t protocol = 0;
  friend auto operator<=>(const AddressKey&, const AddressKey&) = default;
};

// What is counted for an address. "To itself": flows from an address to itself count on both sides,
// and here, so that they can be taken off once.
enum AddressCount : std::size_t {
  kSentAsSource,
  kReceivedAsSource,
  kPacketsAsSource,
  kFlowsAsSource,
  kSentAsDestination,
  kReceivedAsDestination,
  kPacketsAsDestination,
  kFlowsAsDestination,
  kBytesToItself,
  kPacketsToItself,
  kFlowsToItself,
  kAddressCounts,
};
// Of a port on the source's and on the destination's side.
enum PortCount : std::size_t {
  kBytesAtSource,
  kPacketsAtSource,
  kFlowsAtSource,
  kBytesAtDestination,
  kPacketsAtDestination,
  kFlowsAtDestination,
  kPortCounts,
};
enum TotalCount : std::size_t { kBytes, kPackets, kFlows, kTotalCounts };

// protocol * 65,536 + port.
constexpr std::uint64_t PortKey(std::uint64_t protocol, std::uint64_t port) {
  return protocol << 16 | port;
}

// What a flow carries and how that is known: application + 65,536 * category + 2^24 * evidence. 0:
// nothing is known.
constexpr std::uint64_t ApplicationKey(std::uint64_t application, std::uint64_t category,
                                       std::uint64_t evidence) {
  return (application & 0xffff) | (category & 0xff) << 16 | (evidence & 0xff) << 24;
}
// 0 for numbers of a newer library, too, for which there is no name here.
std::uint32_t ApplicationOf(std::uint64_t key);
std::uint32_t CategoryOf(std::uint64_t key);
constexpr bool IsGuessed(std::uint64_t key) {
  return (key >> 24 & 0xff) == static_cast<std::uint64_t>(ApplicationEvidence::kPort);
}

struct TrafficPart {
  RollupRows<std::uint64_t, kTotalCounts> protocols;
  RollupRows<std::uint64_t, kPortCounts> ports;
  RollupRows<std::uint64_t, kTotalCounts> applications;
};
using AddressPart = RollupRows<AddressKey, kAddressCounts>;

Bytes EncodePart(const TrafficPart& part, Compressor& compressor);
Bytes EncodePart(const AddressPart& part, Compressor& compressor);

// Up to which section is wanted; those behind it stay empty.
enum class TrafficSection : std::uint8_t { kProtocols, kApplications, kPorts, kAll };
// DataLoss when the bytes are damaged.
absl::StatusOr<TrafficPart> DecodeTrafficPart(std::span<const std::uint8_t> bytes,
                                              TrafficSection section, Decompressor& decompressor);
// Empty when `only` is given and not in it.
absl::StatusOr<AddressPart> DecodeAddressPart(std::span<const std::uint8_t> bytes,
                                              Decompressor& decompressor,
                                              const IpAddress* only = nullptr);

// The sums of both.
TrafficPart MergeParts(const TrafficPart& a, const TrafficPart& b);
AddressPart MergeParts(const AddressPart& a, const AddressPart& b);

}  // namespace nta::store

#endif  // NTA_STORE_ROLLUP_PART_H_
