#include "pipeline/packet_block.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nta::internal {

void PacketBlock::Clear() {
  packets_.clear();
  clocks_.clear();
  set_backs_.clear();
  decoded_.clear();
  for (std::vector<PacketChoice>& chosen : chosen_) chosen.clear();
  retained_.clear();
  copies_.clear();
  has_fragments = false;
  is_decoded = false;
  is_ready = false;
}

void PacketBlock::Take(PacketSource& source, const PacketBatch& batch, StreamClock& clock) {
  for (const PacketView& packet : batch) {
    const Timestamp time = std::clamp(packet.time, kMinPacketTime, kMaxPacketTime);
    if (time < clock.latest) ++clock.time_backwards;
    clock.latest = std::max(clock.latest, time);
    const Timestamp before = clock.flows.now();
    clocks_.push_back(clock.flows.Pass(time));
    if (clock.flows.now() < before) {
      set_backs_.push_back({static_cast<std::uint32_t>(clocks_.size() - 1), before});
    }
  }
  if (std::shared_ptr<const void> retained = source.Retain()) {
    packets_.insert(packets_.end(), batch.begin(), batch.end());
    if (retained_.empty() || retained_.back() != retained) {
      retained_.push_back(std::move(retained));
    }
  } else {
    Copy(batch);
  }
}

void PacketBlock::Copy(const PacketBatch& batch) {
  std::size_t size = 0;
  for (const PacketView& packet : batch) size += packet.bytes.size();
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(size);
  std::uint8_t* next = bytes.get();
  for (const PacketView& packet : batch) {
    PacketView& copy = packets_.emplace_back(packet);
    if (!packet.bytes.empty()) std::memcpy(next, packet.bytes.data(), packet.bytes.size());
    copy.bytes = {next, packet.bytes.size()};
    next += packet.bytes.size();
  }
  copies_.push_back(std::move(bytes));
}

}  // namespace nta::internal
