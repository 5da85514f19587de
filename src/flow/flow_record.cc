#include "nta/flow/flow_record.h"

#include <tuple>

#include "base/status.h"

namespace nta {

std::string_view ToString(FlowEndReason reason) {
  switch (reason) {
    case FlowEndReason::kNone:
      return "none";
    case FlowEndReason::kIdleTimeout:
      return "idle_timeout";
    case FlowEndReason::kActiveTimeout:
      return "active_timeout";
    case FlowEndReason::kEndOfFlow:
      return "end_of_flow";
    case FlowEndReason::kForcedEnd:
      return "forced_end";
    case FlowEndReason::kLackOfResources:
      return "lack_of_resources";
  }
  return "unknown";
}

absl::StatusOr<FlowEndReason> ParseFlowEndReason(std::string_view text) {
  for (const FlowEndReason reason :
       {FlowEndReason::kNone, FlowEndReason::kIdleTimeout, FlowEndReason::kActiveTimeout,
        FlowEndReason::kEndOfFlow, FlowEndReason::kForcedEnd, FlowEndReason::kLackOfResources}) {
    if (ToString(reason) == text) return reason;
  }
  return base::InvalidArgument("not a flow end reason: \"" + std::string(text.substr(0, 64)) + '"');
}

std::string_view ToString(ContactOutcome outcome) {
  switch (outcome) {
    case ContactOutcome::kUnknown:
      return "unknown";
    case ContactOutcome::kPending:
      return "pending";
    case ContactOutcome::kAnswered:
      return "answered";
    case ContactOutcome::kRefused:
      return "refused";
    case ContactOutcome::kUnreachable:
      return "unreachable";
  }
  return "unknown";
}

std::string_view ToString(TcpState state) {
  switch (state) {
    case TcpState::kNone:
      return "none";
    case TcpState::kMidstream:
      return "midstream";
    case TcpState::kSynSent:
      return "syn_sent";
    case TcpState::kSynReceived:
      return "syn_received";
    case TcpState::kEstablished:
      return "established";
    case TcpState::kClosing:
      return "closing";
    case TcpState::kClosed:
      return "closed";
    case TcpState::kReset:
      return "reset";
  }
  return "unknown";
}

absl::StatusOr<TcpState> ParseTcpState(std::string_view text) {
  for (int i = 0; i <= static_cast<int>(TcpState::kReset); ++i) {
    if (ToString(static_cast<TcpState>(i)) == text) return static_cast<TcpState>(i);
  }
  return base::InvalidArgument("not a TCP state: \"" + std::string(text.substr(0, 64)) + '"');
}

bool operator==(const FlowRecord& a, const FlowRecord& b) {
  const auto fields = [](const FlowRecord& flow) {
    return std::tie(flow.first_seen, flow.last_seen, flow.protocol, flow.source, flow.destination,
                    flow.vlan, flow.forward, flow.reverse, flow.outcome, flow.end_reason,
                    flow.tcp_state, flow.icmp, flow.application, flow.category, flow.evidence);
  };
  const auto same = [](const auto& x, const auto& y) {
    return x == y || (x != nullptr && y != nullptr && *x == *y);
  };
  return fields(a) == fields(b) && same(a.metadata, b.metadata) && same(a.statistics, b.statistics);
}

std::string_view ToString(FlowEventType type) {
  switch (type) {
    case FlowEventType::kStarted:
      return "started";
    case FlowEventType::kUpdated:
      return "updated";
    case FlowEventType::kEnded:
      return "ended";
  }
  return "unknown";
}

}  // namespace nta
