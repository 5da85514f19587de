#include "pipeline/flow_replay.h"

#include <algorithm>
#include <utility>

namespace nta::internal {
namespace {

constexpr std::size_t kMostGoingOn = 100'000;

// Before anything was known of what came back.
FlowRecord AtStart(const FlowRecord& flow) {
  FlowRecord start = flow;
  start.last_seen = flow.first_seen;
  if (flow.outcome != ContactOutcome::kUnknown) start.outcome = ContactOutcome::kPending;
  start.end_reason = FlowEndReason::kNone;
  start.forward = {};
  start.forward.packets = 1;
  start.forward.tcp_flags = flow.forward.tcp_flags;
  start.reverse = {};
  start.application = Application::kUnknown;
  start.category = ApplicationCategory::kUnknown;
  start.metadata = nullptr;
  start.statistics = nullptr;
  if (flow.tcp_state != TcpState::kNone && flow.tcp_state != TcpState::kMidstream) {
    start.tcp_state = TcpState::kSynSent;
  }
  return start;
}

}  // namespace

FlowReplay::FlowReplay(const BacktestOptions& options, Sink sink)
    : idle_timeout_(options.idle_timeout),
      active_timeout_(options.active_timeout),
      closed_timeout_(options.closed_timeout),
      // A flow has three events at the most.
      max_events_(3 * options.max_flows_held),
      sink_(std::move(sink)) {}

Timestamp FlowReplay::CloseTime(const FlowRecord& flow) const {
  switch (flow.end_reason) {
    case FlowEndReason::kIdleTimeout:
      return flow.last_seen + idle_timeout_;
    case FlowEndReason::kActiveTimeout:
      return std::max(flow.last_seen, flow.first_seen + active_timeout_);
    case FlowEndReason::kEndOfFlow:
      return flow.last_seen + closed_timeout_;
    case FlowEndReason::kForcedEnd:
    case FlowEndReason::kLackOfResources:
    case FlowEndReason::kNone:
      return flow.last_seen;
  }
  return flow.last_seen;
}

bool FlowReplay::GoesOn(const FlowRecord& flow) {
  const auto found = going_on_.find(flow.five_tuple());
  if (found == going_on_.end()) return false;
  const bool goes_on = flow.first_seen - found->second <= idle_timeout_;
  going_on_.erase(found);
  return goes_on;
}

void FlowReplay::Push(Timestamp time, FlowEventType type, bool closes,
                      const std::shared_ptr<const FlowRecord>& flow) {
  pending_.push({time, number_++, type, closes, flow});
}

void FlowReplay::Add(const FlowRecord& record) {
  const auto flow = std::make_shared<const FlowRecord>(record);
  const bool continues = GoesOn(record);
  if (!continues) {
    if (record.first_seen < emitted_) ++late_flows_;
    Push(record.first_seen, FlowEventType::kStarted, false, flow);
    if (record.outcome != ContactOutcome::kPending && record.outcome != ContactOutcome::kUnknown) {
      Push(record.first_seen, FlowEventType::kUpdated, false, flow);
    }
  }
  if (record.end_reason == FlowEndReason::kActiveTimeout) {
    if (going_on_.size() >= kMostGoingOn) going_on_.clear();
    going_on_[record.five_tuple()] = record.last_seen;
    Push(CloseTime(record), FlowEventType::kUpdated, true, flow);
  } else {
    Push(CloseTime(record), FlowEventType::kEnded, true, flow);
  }
  // Whatever comes ends later than this one, so it began no more than a record's length before.
  EmitUntil(record.last_seen - active_timeout_);
  while (pending_.size() > max_events_) EmitFirst();
}

void FlowReplay::EmitUntil(Timestamp time) {
  while (!pending_.empty() && pending_.top().time < time) EmitFirst();
}

void FlowReplay::EmitFirst() {
  const Pending next = pending_.top();
  pending_.pop();
  emitted_ = std::max(emitted_, next.time);
  FlowEvent event{next.type, next.time, {}};
  if (next.closes) {
    event.flow = *next.flow;
    if (event.flow.end_reason == FlowEndReason::kNone) {
      event.flow.end_reason = FlowEndReason::kForcedEnd;
    }
  } else {
    event.flow = AtStart(*next.flow);
    if (next.type == FlowEventType::kUpdated) event.flow.outcome = next.flow->outcome;
  }
  sink_(event);
}

void FlowReplay::Finish() {
  while (!pending_.empty()) EmitFirst();
}

}  // namespace nta::internal
