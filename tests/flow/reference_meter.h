// ReferenceMeter: what FlowTable must report, written for plainness: a std::map, no timers, no cap.
//
// Flows are judged when their next packet comes or at the end; because records do not depend on
// when a table looks at its timers, the results must be the same.
#ifndef NTA_TESTS_FLOW_REFERENCE_METER_H_
#define NTA_TESTS_FLOW_REFERENCE_METER_H_

#include <map>
#include <vector>

#include "nta/flow/flow_table.h"

namespace nta::test {

class ReferenceMeter {
 public:
  explicit ReferenceMeter(const FlowTableOptions& options) : options_(options) {}

  // Packets must come in order of time.
  void Add(const DecodedPacket& packet) {
    const FiveTuple tuple = packet.five_tuple();
    const FiveTuple key = std::min(tuple, tuple.Reversed());
    const auto found = flows_.find(key);
    if (found != flows_.end() && IsOver(found->second, packet)) flows_.erase(found);
    Flow& flow = flows_[key];
    if (flow.record.packets() == 0) Begin(flow, packet, tuple == key);
    Count(flow, packet, tuple == key);
  }

  std::vector<FlowRecord> End(Timestamp now) {
    for (auto& [key, flow] : flows_) {
      if (!Expire(flow, now)) Report(flow, FlowEndReason::kForcedEnd);
    }
    flows_.clear();
    return std::move(records_);
  }

 private:
  struct Flow {
    FlowRecord record;  // without packets: reported at the active timeout, silent since
    bool is_known = false;
    bool is_closed = false;
    // Whether the source is the side that the key names first: an end that speaks to itself cannot
    // be told from its peer by its address.
    bool source_is_first = false;
    std::uint8_t all_flags[2] = {};  // TCP, source and destination, over all records
    Timestamp last{};
  };

  Duration Patience(const Flow& flow) const {
    return flow.is_closed ? options_.closed_timeout : options_.idle_timeout;
  }

  // Reports what ended until `now`; true when nothing of the flow is left.
  bool Expire(Flow& flow, Timestamp now) {
    const Timestamp silent = flow.last + Patience(flow);
    const Timestamp active = flow.record.first_seen + options_.active_timeout;
    if (flow.record.packets() > 0 && active < silent && active <= now) {
      Report(flow, FlowEndReason::kActiveTimeout);
      flow.record.forward = flow.record.reverse = {};
      if (flow.record.outcome == ContactOutcome::kPending) {
        flow.record.outcome = ContactOutcome::kUnknown;
      }
    }
    if (silent > now) return flow.record.packets() == 0 && now == Timestamp::max();
    Report(flow, flow.is_closed ? FlowEndReason::kEndOfFlow : FlowEndReason::kIdleTimeout);
    return true;
  }

  bool IsOver(Flow& flow, const DecodedPacket& packet) {
    if (Expire(flow, packet.time)) return true;
    const bool reopens = flow.is_closed && packet.is_tcp() && (packet.tcp_flags & kTcpSyn) != 0 &&
                         (packet.tcp_flags & kTcpAck) == 0;
    if (reopens) Report(flow, FlowEndReason::kEndOfFlow);
    return reopens;
  }

  static bool IsSynAck(const DecodedPacket& packet) {
    return packet.is_tcp() && (packet.tcp_flags & kTcpRst) == 0 &&
           (packet.tcp_flags & kTcpSyn) != 0 && (packet.tcp_flags & kTcpAck) != 0;
  }

  static ContactOutcome FirstOutcome(const DecodedPacket& packet) {
    bool asks = true;
    if (packet.is_tcp()) {
      asks = (packet.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) == kTcpSyn;
    } else if (packet.protocol == kProtocolIcmp) {
      asks = packet.icmp_type == 8 || packet.icmp_type == 13;
    } else if (packet.protocol == kProtocolIcmpV6) {
      asks = packet.icmp_type == 128 || packet.icmp_type == 135;
    }
    return asks ? ContactOutcome::kPending : ContactOutcome::kUnknown;
  }

  void Begin(Flow& flow, const DecodedPacket& packet, bool sender_is_first) {
    flow.record.first_seen = flow.record.last_seen = packet.time;
    if (flow.is_known) return;
    flow.is_known = true;
    flow.record.protocol = packet.protocol;
    flow.record.source = {packet.source, packet.source_port};
    flow.record.destination = {packet.destination, packet.destination_port};
    flow.source_is_first = sender_is_first;
    // It answers somebody who spoke before.
    if (IsSynAck(packet)) Turn(flow);
    if (packet.has_vlan) flow.record.vlan = packet.vlan;
    if (packet.has_icmp) flow.record.icmp = IcmpMessage{packet.icmp_type, packet.icmp_code};
    flow.record.outcome = FirstOutcome(packet);
  }

  static void Turn(Flow& flow) {
    std::swap(flow.record.source, flow.record.destination);
    std::swap(flow.record.forward, flow.record.reverse);
    std::swap(flow.all_flags[0], flow.all_flags[1]);
    flow.source_is_first = !flow.source_is_first;
  }

  // A SYN-ACK of the source: the other side spoke first, unless what was seen says otherwise.
  static void Mend(Flow& flow, const DecodedPacket& packet, bool sender_is_first) {
    if (!IsSynAck(packet) || sender_is_first != flow.source_is_first) return;
    if (flow.record.forward.packets == 0) return;
    if (flow.record.forward.payload_bytes + flow.record.reverse.payload_bytes > 0) return;
    if ((flow.all_flags[0] & kTcpSyn) == 0) Turn(flow);
  }

  static TcpState StateOf(const Flow& flow) {
    if (flow.record.protocol != kProtocolTcp) return TcpState::kNone;
    const std::uint8_t source = flow.all_flags[0];
    const std::uint8_t destination = flow.all_flags[1];
    const auto has = [](std::uint8_t flags, int wanted) { return (flags & wanted) == wanted; };
    const int finished = (has(source, kTcpFin) ? 1 : 0) + (has(destination, kTcpFin) ? 1 : 0);
    if (has(source, kTcpRst) || has(destination, kTcpRst)) return TcpState::kReset;
    if (finished == 2) return TcpState::kClosed;
    if (finished == 1) return TcpState::kClosing;
    const bool answered = has(destination, kTcpSyn | kTcpAck);
    if (answered && has(source, kTcpAck)) return TcpState::kEstablished;
    if (answered) return TcpState::kSynReceived;
    if (!has(source, kTcpSyn)) return TcpState::kMidstream;
    return destination == 0 ? TcpState::kSynSent : TcpState::kEstablished;
  }

  static void Count(Flow& flow, const DecodedPacket& packet, bool sender_is_first) {
    Mend(flow, packet, sender_is_first);
    FlowRecord& record = flow.record;
    const bool is_forward = sender_is_first == flow.source_is_first;
    FlowDirection& direction = is_forward ? record.forward : record.reverse;
    ++direction.packets;
    direction.wire_bytes += packet.wire_bytes;
    direction.ip_bytes += packet.ip_bytes;
    direction.payload_bytes += packet.payload_bytes;
    direction.tcp_flags = static_cast<std::uint8_t>(direction.tcp_flags | packet.tcp_flags);
    std::uint8_t& all_flags = flow.all_flags[is_forward ? 0 : 1];
    all_flags = static_cast<std::uint8_t>(all_flags | packet.tcp_flags);
    record.tcp_state = StateOf(flow);
    record.last_seen = flow.last = packet.time;
    const bool resets = packet.is_tcp() && (packet.tcp_flags & kTcpRst) != 0;
    if (!is_forward && record.outcome == ContactOutcome::kPending) {
      record.outcome = resets ? ContactOutcome::kRefused : ContactOutcome::kAnswered;
    }
    const bool finished = (record.forward.tcp_flags & record.reverse.tcp_flags & kTcpFin) != 0;
    if (packet.is_tcp() && (resets || finished)) flow.is_closed = true;
  }

  void Report(const Flow& flow, FlowEndReason reason) {
    if (flow.record.packets() == 0) return;
    records_.push_back(flow.record);
    records_.back().end_reason = reason;
  }

  FlowTableOptions options_;
  std::map<FiveTuple, Flow> flows_;
  std::vector<FlowRecord> records_;
};

}  // namespace nta::test

#endif  // NTA_TESTS_FLOW_REFERENCE_METER_H_
