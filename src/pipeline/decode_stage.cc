#include "pipeline/decode_stage.h"

#include <algorithm>

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
    DecodedPacket& decoded = decoded_.emplace_back(nta::Decode(packet, options_));
    Enter(decoded);
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

// Every packet is entered in the ledger once, here.
void DecodeStage::Enter(const DecodedPacket& packet) {
  ++ledger_.received;
  switch (packet.outcome) {
    case DecodeOutcome::kDecoded:
      ++ledger_.decoded;
      break;
    case DecodeOutcome::kMalformed:
      ++ledger_.malformed;
      break;
    case DecodeOutcome::kUnsupported:
      ++ledger_.unsupported;
      break;
  }
  ++reasons_[static_cast<std::size_t>(packet.reason)];
}

PipelineStats DecodeStage::Stats(const PacketSource& source) const {
  PipelineStats stats;
  stats.capture = source.Stats();
  stats.ledger = ledger_;
  stats.ledger.filtered += stats.capture.filtered;
  stats.ledger.dropped += stats.capture.dropped();
  stats.ledger.received += stats.capture.filtered + stats.capture.dropped();
  stats.fragments = fragments_.Stats();
  for (std::size_t i = 1; i < kReasons; ++i) {
    if (reasons_[i] == 0) continue;
    stats.decode_reasons.emplace(ToString(static_cast<DecodeReason>(i)), reasons_[i]);
  }
  return stats;
}

}  // namespace nta::internal
