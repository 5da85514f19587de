// StatisticsEntry: the sums that the statistics of one flow are made of.
#ifndef NTA_FLOW_STATISTICS_ENTRY_H_
#define NTA_FLOW_STATISTICS_ENTRY_H_

#include <cstdint>

#include "flow/moments.h"
#include "flow/tcp_progress.h"
#include "nta/flow/flow_statistics.h"
#include "nta/packet/decode.h"

namespace nta::internal {

// What every packet of a direction changes.
struct DirectionSums {
  std::uint64_t packets;
  std::int64_t last_time;
  MomentSums<std::uint32_t> ip_length;
  MomentSums<std::uint64_t> inter_arrival;
  std::uint8_t hop_limit_minimum;
  std::uint8_t hop_limit_maximum;
  std::uint8_t dscp;
  std::uint8_t reserved;
  std::uint32_t entropy_bytes;  // payload bytes in the histogram

  void Add(std::int64_t time, const DecodedPacket& packet);
};

struct TcpSums {
  TcpProgress progress;
  std::uint32_t resets;       // up to 2^32 - 1
  std::int64_t request_time;  // of the latest SYN without ACK
  std::uint64_t retransmissions;
  std::uint64_t out_of_order;
  std::uint64_t zero_windows;

  void Add(const DecodedPacket& packet);
};

// One of the first packets. `offset` counts from the first packet of the record; its lowest bit
// says whether the packet is one of the reverse direction.
struct StoredSample {
  std::int64_t offset_and_direction;
  std::uint32_t ip_bytes;
  std::uint32_t payload_bytes;
};

// Trivial, because it lives in zeroed memory. In the order in which packets touch its cache lines.
struct alignas(64) StatisticsEntry {
  enum class Handshake : std::uint8_t {
    kOpen = 0,
    kAnswered = 1,      // a SYN-ACK was seen: answer_time is that of the latest
    kAcknowledged = 2,  // source_round_trip is known
  };

  std::int64_t first_time;
  MomentSums<std::uint64_t> inter_arrival;
  std::uint16_t tunnels;
  std::uint8_t sample_count;
  std::uint8_t last_direction : 1;
  std::uint8_t has_mac : 1;
  std::uint8_t has_destination_round_trip : 1;
  std::uint8_t has_request : 2;  // a bit for each direction
  Handshake handshake : 2;
  std::uint8_t source_mac[6];
  std::uint8_t destination_mac[6];
  DirectionSums directions[2];
  TcpSums tcp[2];
  std::int64_t destination_round_trip;
  union {
    std::int64_t answer_time;
    std::int64_t source_round_trip;
  };
  std::uint64_t fragments[2];

  std::uint64_t packets() const { return directions[0].packets + directions[1].packets; }
  void Add(std::size_t direction, std::int64_t time, const DecodedPacket& packet);
  void AddHandshake(std::size_t direction, std::int64_t time, const DecodedPacket& packet);
  // A new record: only what TCP has learnt of the flow stays.
  void Continue();
  void SwapDirections();
  // All but the entropy and the first packets.
  void Fill(FlowStatistics& out) const;
};
static_assert(sizeof(StatisticsEntry) == 448);

}  // namespace nta::internal

#endif  // NTA_FLOW_STATISTICS_ENTRY_H_
