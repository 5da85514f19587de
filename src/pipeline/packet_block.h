// PacketBlock: the packets that one worker of a ParallelMeter reads at a time, on their way.
#ifndef NTA_PIPELINE_PACKET_BLOCK_H_
#define NTA_PIPELINE_PACKET_BLOCK_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "nta/capture/packet_source.h"
#include "nta/flow/flow_clock.h"
#include "nta/flow/flow_table.h"

namespace nta::internal {

// The time of a stream of packets, and how often one of them was older than one before it.
struct StreamClock {
  FlowClock flows;
  Timestamp latest = Timestamp::min();
  std::uint64_t time_backwards = 0;
};

class PacketBlock {
 public:
  // The stream's clock was set back at this packet, from this time.
  struct SetBack {
    std::uint32_t index = 0;
    Timestamp before{};
  };

  explicit PacketBlock(std::size_t shards) : chosen_(shards) {}

  void Clear();
  // Takes what `source` has just read into `batch`; its packets stay valid until Clear.
  void Take(PacketSource& source, const PacketBatch& batch, StreamClock& clock);

  std::span<const PacketView> packets() const { return packets_; }
  std::span<const Timestamp> clocks() const { return clocks_; }
  std::span<const SetBack> set_backs() const { return set_backs_; }
  // In the order of packets(), once they are decoded.
  std::vector<DecodedPacket>& decoded() { return decoded_; }
  std::span<const DecodedPacket> decoded() const { return decoded_; }
  // What falls to a shard.
  std::vector<PacketChoice>& chosen(std::size_t shard) { return chosen_[shard]; }

  Timestamp end{};  // the stream's time after the last packet
  bool has_fragments = false;
  bool is_decoded = false;
  bool is_ready = false;        // shared out among the shards
  std::size_t shards_left = 0;  // that have not counted it

 private:
  void Copy(const PacketBatch& batch);

  std::vector<PacketView> packets_;
  std::vector<Timestamp> clocks_;
  std::vector<SetBack> set_backs_;
  std::vector<DecodedPacket> decoded_;
  std::vector<std::vector<PacketChoice>> chosen_;
  std::vector<std::shared_ptr<const void>> retained_;
  std::vector<std::unique_ptr<std::uint8_t[]>> copies_;
};

}  // namespace nta::internal

#endif  // NTA_PIPELINE_PACKET_BLOCK_H_
