// StatisticsTable: the cold half of a flow table, what FlowStatistics is made of, slot by slot.
#ifndef NTA_FLOW_STATISTICS_TABLE_H_
#define NTA_FLOW_STATISTICS_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "base/lazy_array.h"
#include "flow/statistics_entry.h"
#include "nta/flow/flow_statistics.h"
#include "nta/packet/decode.h"

namespace nta::internal {

// What the flow table counts of a direction.
struct DirectionTotals {
  std::uint64_t packets = 0;
  std::uint64_t ip_bytes = 0;
};

// Never allocates but in Create and Take. Memory is taken as flows need it: a flow of few packets
// in one direction takes a third of BytesPerFlow. Times are nanoseconds since 1970.
class StatisticsTable {
 public:
  static absl::StatusOr<StatisticsTable> Create(const FlowStatisticsOptions& options,
                                                std::size_t slots);

  // At the most.
  static std::size_t BytesPerFlow(const FlowStatisticsOptions& options);
  // What `slots` flows have taken.
  std::size_t memory_bytes(std::size_t slots) const;

  // A new flow in this slot, or a new record of the same flow.
  void Start(std::uint32_t slot);
  void Continue(std::uint32_t slot);
  // First what any packet of the flow needs; then, when that has come, what its direction does.
  void Prefetch(std::uint32_t slot) const { __builtin_prefetch(&slots_[slot].head, 1); }
  void Prefetch(std::uint32_t slot, std::size_t direction) const {
    const StatisticsHead& head = slots_[slot].head;
    if (direction == 0 || head.reverse != 0) {
      const auto* const part = direction == 0 ? &slots_[slot].forward : &reverse_[head.reverse - 1];
      __builtin_prefetch(part, 1);
      __builtin_prefetch(reinterpret_cast<const char*>(part) + 64, 1);
    }
    const bool has_sample = head.sample_count < kSamplesAtOnce || head.more_samples != 0;
    if (head.sample_count < options_.first_packets && has_sample) {
      __builtin_prefetch(&Sample(slot, head.sample_count), 1);
    }
  }
  // `direction`: 0 forward, 1 reverse.
  void Add(std::uint32_t slot, std::size_t direction, std::int64_t time,
           const DecodedPacket& packet);
  // What was forward is reverse from now on.
  void SwapDirections(std::uint32_t slot);
  // `first_seen` of the record: what the offsets of its first packets count from.
  std::shared_ptr<const FlowStatistics> Take(std::uint32_t slot, std::int64_t first_seen,
                                             const DirectionTotals& forward,
                                             const DirectionTotals& reverse) const;

 private:
  // How often each byte occurs in the first payload of each direction.
  struct Histograms {
    std::uint16_t counts[2][256];
  };
  // Samples that every flow has memory for; the others come when they are needed.
  static constexpr std::size_t kSamplesAtOnce = StatisticsSlot::kSamples;

  StatisticsDirection& Direction(std::uint32_t slot, std::size_t direction);
  const StatisticsDirection* FindDirection(std::uint32_t slot, std::size_t direction) const;
  StatisticsRare& Rare(std::uint32_t slot);
  StoredSample& Sample(std::uint32_t slot, std::size_t index);
  const StoredSample& Sample(std::uint32_t slot, std::size_t index) const;
  void AddTcp(std::uint32_t slot, std::size_t direction, std::int64_t time,
              const DecodedPacket& packet);
  void AddHandshake(std::uint32_t slot, std::size_t direction, std::int64_t time,
                    const DecodedPacket& packet);
  void AddSample(std::uint32_t slot, std::size_t direction, std::int64_t time,
                 const DecodedPacket& packet);
  void AddPayload(std::uint32_t slot, std::size_t direction, const DecodedPacket& packet);
  void FillDirection(std::uint32_t slot, std::size_t direction, const DirectionTotals& totals,
                     FlowStatistics& out) const;
  void FillSamples(std::uint32_t slot, std::int64_t first_seen, FlowStatistics& out) const;

  FlowStatisticsOptions options_;
  std::size_t more_samples_ = 0;  // for each flow that has more
  base::LazyArray<StatisticsSlot> slots_;
  base::LazyArray<Histograms> histograms_;
  // Parts that flows take as they need them.
  base::LazyArray<StatisticsDirection> reverse_;
  base::LazyArray<StatisticsRare> rare_;
  base::LazyArray<StoredSample> later_samples_;
  std::uint32_t reverse_taken_ = 0;
  std::uint32_t rare_taken_ = 0;
  std::uint32_t more_samples_taken_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_FLOW_STATISTICS_TABLE_H_
