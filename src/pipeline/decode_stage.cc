#include "pipeline/decode_stage.h"

namespace nta::internal {

DecodeStage::DecodeStage(const PipelineOptions& options)
    : options_(options.decode), defragment_(options.defragment), fragments_(options.fragments) {}

void DecodeStage::Clear() {
  decoded_.clear();
  counted_.clear();
  clocks_.clear();
  filtered_ = false;
}

void DecodeStage::Decode(std::span<const PacketView> packets) {
  Clear();
  for (const PacketView& packet : packets) {
    DecodedPacket& decoded = decoded_.emplace_back();
    nta::Decode(packet, options_, decoded);
    counters_.Enter(decoded);
    const Timestamp now = clock_.Pass(decoded.time);
    if (decoded.is_fragment && defragment_ == Defragment::kPorts) fragments_.Resolve(decoded);
    if (decoded.is_later_fragment && defragment_ == Defragment::kOff && !filtered_) {
      // The first packet to leave out: from here on there are two lists.
      filtered_ = true;
      counted_.assign(decoded_.begin(), decoded_.end() - 1);
      continue;
    }
    if (filtered_) {
      if (decoded.is_later_fragment) continue;
      counted_.push_back(decoded);
    }
    clocks_.push_back(now);
  }
}

PipelineStats DecodeStage::Stats(const PacketSource& source) const {
  PipelineStats stats;
  AddSource(source, stats);
  counters_.AddTo(stats);
  stats.fragments = fragments_.Stats();
  return stats;
}

}  // namespace nta::internal
