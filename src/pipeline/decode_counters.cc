#include "pipeline/decode_counters.h"

namespace nta::internal {

void DecodeCounters::Enter(const DecodedPacket& packet) {
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

void DecodeCounters::AddTo(PipelineStats& stats) const {
  stats.ledger.received += ledger_.received;
  stats.ledger.decoded += ledger_.decoded;
  stats.ledger.malformed += ledger_.malformed;
  stats.ledger.unsupported += ledger_.unsupported;
  for (std::size_t i = 1; i < kReasons; ++i) {
    if (reasons_[i] == 0) continue;
    stats.decode_reasons[std::string(ToString(static_cast<DecodeReason>(i)))] += reasons_[i];
  }
}

void AddSource(const PacketSource& source, PipelineStats& stats) {
  stats.capture = source.Stats();
  stats.ledger.filtered += stats.capture.filtered;
  stats.ledger.dropped += stats.capture.dropped();
  stats.ledger.received += stats.capture.filtered + stats.capture.dropped();
}

}  // namespace nta::internal
