// DecodeCounters: where decoded packets went.
#ifndef NTA_PIPELINE_DECODE_COUNTERS_H_
#define NTA_PIPELINE_DECODE_COUNTERS_H_

#include <array>
#include <cstddef>
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

  // A packet whose number is not read.
  struct Unsupported {
    DecodeReason reason;
    std::uint16_t number;
    std::uint64_t packets;
  };
  // Numbers come from strangers: beyond so many they are counted together.
  static constexpr std::size_t kMaxUnsupported = 64;

  void EnterUnsupported(const DecodedPacket& packet);
  void AddUnsupported(PipelineStats& stats) const;

  std::array<Unsupported, kMaxUnsupported> unsupported_{};
  std::size_t unsupported_size_ = 0;
  std::uint64_t other_unsupported_ = 0;
  std::array<std::uint64_t, 256> portless_{};  // by IP protocol
  PacketLedger ledger_;
  std::array<std::uint64_t, kReasons> reasons_{};
};

// What the source itself says, into the ledger, too.
void AddSource(const PacketSource& source, PipelineStats& stats);

}  // namespace nta::internal

#endif  // NTA_PIPELINE_DECODE_COUNTERS_H_
