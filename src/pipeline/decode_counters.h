// DecodeCounters: where decoded packets went.
#ifndef NTA_PIPELINE_DECODE_COUNTERS_H_
#define NTA_PIPELINE_DECODE_COUNTERS_H_

#include <array>
#include <cstdint>

#include "nta/pipeline/pipeline.h"

namespace nta::internal {

class DecodeCounters {
 public:
  // Every packet is entered once.
  void Enter(const DecodedPacket& packet);
  // The ledger and the reasons.
  void AddTo(PipelineStats& stats) const;

 private:
  static constexpr std::size_t kReasons = static_cast<std::size_t>(DecodeReason::kNonDataFrame) + 1;

  PacketLedger ledger_;
  std::array<std::uint64_t, kReasons> reasons_{};
};

// What the source itself says, into the ledger, too.
void AddSource(const PacketSource& source, PipelineStats& stats);

}  // namespace nta::internal

#endif  // NTA_PIPELINE_DECODE_COUNTERS_H_
