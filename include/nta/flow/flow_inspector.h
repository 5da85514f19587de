// FlowInspector: looks into the first payload of flows and says what they are.
//
//   table.SetInspector(&inspector);       // nta/app has one: ApplicationInspector
#ifndef NTA_FLOW_FLOW_INSPECTOR_H_
#define NTA_FLOW_FLOW_INSPECTOR_H_

#include <cstdint>
#include <span>

#include "nta/flow/flow_record.h"
#include "nta/packet/decode.h"

namespace nta {

// A flow while it is in its table: 0 to max_flows - 1. Given to another flow after Finish.
using FlowSlot = std::uint32_t;

struct InspectResult {
  bool wants_more = false;  // show the next packet with payload, too
  bool has_news = false;    // what Describe says has changed: detectors get a kUpdated
};

// Called by a FlowTable, on its thread. A table never shows a packet again and never shows one of a
// flow that wants no more, so an inspector that has enough costs nothing.
class FlowInspector {
 public:
  virtual ~FlowInspector() = default;

  // A packet with captured payload, after it was counted, in the order of capture. The first call
  // after Finish (or ever) for a slot is a new flow. `is_forward`: sent by the flow's source.
  virtual InspectResult Inspect(FlowSlot slot, bool is_forward, const DecodedPacket& packet) = 0;
  // The SYN-ACK of a TCP flow that was not shown yet, when it carries no payload: it has the first
  // sequence numbers of both sides. May never come. Counts as a call for `slot`.
  virtual void Establish(FlowSlot /*slot*/, bool /*is_forward*/, const DecodedPacket& /*packet*/) {}
  // Writes application, evidence, category and metadata into a record of the flow; `flow` has all
  // other fields as of now. For flows that were never shown, too (no payload): the port is all
  // there is then.
  virtual void Describe(FlowSlot slot, bool was_inspected, FlowRecord& flow) = 0;
  // The flow is over: after the last Describe. Only for slots that Inspect or Establish was called
  // for.
  virtual void Finish(FlowSlot slot) = 0;
  // Flows that are about to be shown or to end, at most some dozens: a chance to have their memory
  // fetched side by side. Changes nothing.
  virtual void Prefetch(std::span<const FlowSlot> /*slots*/) const {}
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_INSPECTOR_H_
