// The parts that the statistics of one flow are kept in: few flows need all of them.
#ifndef NTA_FLOW_STATISTICS_ENTRY_H_
#define NTA_FLOW_STATISTICS_ENTRY_H_

#include <cstddef>
#include <cstdint>

#include "flow/moments.h"
#include "flow/tcp_progress.h"
#include "nta/flow/flow_statistics.h"
#include "nta/packet/decode.h"

namespace nta::internal {

// All are trivial, because they live in zeroed memory.

// What every packet changes, whatever its direction. Numbers of other parts are indexes plus one;
// parts stay with their slot, so that nothing is allocated twice.
struct alignas(64) StatisticsHead {
  std::int64_t last_time;
  MomentSums<std::uint64_t> inter_arrival;
  std::uint32_t reverse;
  std::uint32_t rare;
  std::uint32_t more_samples;
  std::uint8_t sample_count;
  // A bit for each direction, the forward one the lowest.
  std::uint8_t initialised : 2;  // its part is that of this flow
  std::uint8_t active : 2;       // packets in this record
  std::uint8_t has_request : 2;  // a SYN without ACK was seen
  std::uint8_t has_mac : 2;      // of the first packet with MAC addresses
  std::uint8_t has_destination_round_trip : 1;
  std::uint8_t is_answered : 1;      // a SYN-ACK was seen
  std::uint8_t is_acknowledged : 1;  // and its ACK: the source's round trip is known
  std::uint8_t has_rare : 1;         // the part is initialised for this flow

  // A new record of the flow.
  void Continue();
  void SwapDirections();
};
static_assert(sizeof(StatisticsHead) == 64);

// What every packet of a direction changes. How many there were, and their bytes, the flow table
// counts.
struct alignas(64) StatisticsDirection {
  std::int64_t last_time;
  std::uint64_t fragments;
  MomentSquares<std::uint32_t> ip_length;
  TcpProgress tcp;
  std::uint32_t resets;         // up to 2^32 - 1
  std::uint16_t entropy_bytes;  // in the histogram
  std::uint16_t tunnels;
  MomentSums<std::uint64_t> inter_arrival;
  // Forward: of the latest SYN, then the destination's round trip. Reverse: of the latest SYN-ACK,
  // then the source's round trip.
  std::int64_t handshake_time;
  std::uint8_t source_mac[6];
  std::uint8_t destination_mac[6];
  std::uint8_t hop_limit_minimum;
  std::uint8_t hop_limit_maximum;
  std::uint8_t dscp;

  void Add(std::int64_t time, const DecodedPacket& packet, bool is_first);
  // Only what TCP has learnt stays.
  void Continue();
};
static_assert(sizeof(StatisticsDirection) == 128);

// Of TCP flows whose packets are lost or late.
struct alignas(64) StatisticsRare {
  struct Direction {
    TcpHoles holes;
    std::uint64_t retransmissions;
    std::uint64_t out_of_order;
    std::uint64_t zero_windows;
  };
  Direction directions[2];

  void Continue();
};
static_assert(sizeof(StatisticsRare) == 128);

// One of the first packets.
struct StoredSample {
  std::int64_t time;
  std::uint32_t ip_bytes;
  std::uint32_t payload_bytes : 31;
  std::uint32_t is_reverse : 1;
};

// What every flow takes, together because it is used together.
struct StatisticsSlot {
  static constexpr std::size_t kSamples = 4;

  StatisticsHead head;
  StatisticsDirection forward;
  StoredSample samples[kSamples];
};
static_assert(sizeof(StatisticsSlot) == 256);

// 0 when time stamps run backwards.
inline std::uint64_t Gap(std::int64_t from, std::int64_t to) {
  return to > from ? static_cast<std::uint64_t>(to) - static_cast<std::uint64_t>(from) : 0;
}

}  // namespace nta::internal

#endif  // NTA_FLOW_STATISTICS_ENTRY_H_
