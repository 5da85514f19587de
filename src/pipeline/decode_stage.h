// DecodeStage: from captured packets to packets that a flow table can count, with the ledger kept.
#ifndef NTA_PIPELINE_DECODE_STAGE_H_
#define NTA_PIPELINE_DECODE_STAGE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "nta/flow/flow_clock.h"
#include "nta/pipeline/pipeline.h"
#include "pipeline/decode_counters.h"

namespace nta::internal {

class DecodeStage {
 public:
  explicit DecodeStage(const PipelineOptions& options);

  // Replaces what the accessors show.
  void Decode(std::span<const PacketView> packets);
  void Clear();

  // Every packet of the last Decode, in order.
  std::span<const DecodedPacket> decoded() const { return decoded_; }
  // Those that a flow table is to count (without later fragments, if those are to be left out), and
  // the time at each.
  std::span<const DecodedPacket> counted() const { return filtered_ ? counted_ : decoded_; }
  std::span<const Timestamp> clocks() const { return clocks_; }

  FlowClock& clock() { return clock_; }
  // The ledger, reasons, fragments and capture counters so far.
  PipelineStats Stats(const PacketSource& source) const;

 private:
  DecodeOptions options_;
  Defragment defragment_;
  FragmentTracker fragments_;
  FlowClock clock_;
  DecodeCounters counters_;
  std::vector<DecodedPacket> decoded_;
  std::vector<DecodedPacket> counted_;
  std::vector<Timestamp> clocks_;
  bool filtered_ = false;
};

}  // namespace nta::internal

#endif  // NTA_PIPELINE_DECODE_STAGE_H_
