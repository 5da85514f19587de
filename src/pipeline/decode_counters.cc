#include "pipeline/decode_counters.h"

namespace nta::internal {

void DecodeCounters::Enter(const DecodedPacket& packet) {
  ++ledger_.received;
  switch (packet.outcome) {
    case DecodeOutcome::kDecoded:
      ++ledger_.decoded;
      if (packet.has_ip() && !packet.has_ports && !packet.has_icmp && !packet.is_later_fragment) {
        ++portless_[packet.protocol];
      }
      break;
    case DecodeOutcome::kMalformed:
      ++ledger_.malformed;
      break;
    case DecodeOutcome::kUnsupported:
      ++ledger_.unsupported;
      EnterUnsupported(packet);
      break;
  }
  ++reasons_[static_cast<std::size_t>(packet.reason)];
}

void DecodeCounters::EnterUnsupported(const DecodedPacket& packet) {
  for (std::size_t i = 0; i < unsupported_size_; ++i) {
    Unsupported& known = unsupported_[i];
    if (known.reason != packet.reason || known.number != packet.unsupported) continue;
    ++known.packets;
    return;
  }
  if (unsupported_size_ == kMaxUnsupported) {
    ++other_unsupported_;
  } else {
    unsupported_[unsupported_size_++] = {packet.reason, packet.unsupported, 1};
  }
}

void DecodeCounters::AddUnsupported(PipelineStats& stats) const {
  for (std::size_t i = 0; i < unsupported_size_; ++i) {
    DecodedPacket packet;
    packet.reason = unsupported_[i].reason;
    packet.unsupported = unsupported_[i].number;
    stats.unsupported[UnsupportedName(packet)] += unsupported_[i].packets;
  }
  if (other_unsupported_ != 0) stats.unsupported["other"] += other_unsupported_;
  for (std::size_t i = 0; i < portless_.size(); ++i) {
    if (portless_[i] == 0) continue;
    std::string name = "ip protocol " + std::to_string(i);
    const std::string known = ProtocolName(static_cast<std::uint8_t>(i));
    if (known != std::to_string(i)) name += " (" + known + ")";
    stats.unsupported[name] += portless_[i];
  }
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
  AddUnsupported(stats);
}

void AddSource(const PacketSource& source, PipelineStats& stats) {
  stats.capture = source.Stats();
  stats.ledger.filtered += stats.capture.filtered;
  stats.ledger.dropped += stats.capture.dropped();
  stats.ledger.received += stats.capture.filtered + stats.capture.dropped();
}

}  // namespace nta::internal
