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
    if (flow.record.packets() == 0) Begin(flow, packet);
    Count(flow, packet);
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

  void Begin(Flow& flow, const DecodedPacket& packet) {
    flow.record.first_seen = flow.record.last_seen = packet.time;
    if (flow.is_known) return;
    flow.is_known = true;
    flow.record.protocol = packet.protocol;
    flow.record.source = {packet.source, packet.source_port};
    flow.record.destination = {packet.destination, packet.destination_port};
    if (packet.has_vlan) flow.record.vlan = packet.vlan;
    const bool is_attempt =
        !packet.is_tcp() || (packet.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) == kTcpSyn;
    flow.record.outcome = is_attempt ? ContactOutcome::kPending : ContactOutcome::kUnknown;
  }

  static void Count(Flow& flow, const DecodedPacket& packet) {
    FlowRecord& record = flow.record;
    const bool is_forward = packet.five_tuple() == record.five_tuple();
    FlowDirection& direction = is_forward ? record.forward : record.reverse;
    ++direction.packets;
    direction.wire_bytes += packet.wire_bytes;
    direction.ip_bytes += packet.ip_bytes;
    direction.payload_bytes += packet.payload_bytes;
    direction.tcp_flags = static_cast<std::uint8_t>(direction.tcp_flags | packet.tcp_flags);
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
