#include "nta/flow/flow_record.h"

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
