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

// Never allocates but in Create and Take. Times are nanoseconds since 1970.
class StatisticsTable {
 public:
  static absl::StatusOr<StatisticsTable> Create(const FlowStatisticsOptions& options,
                                                std::size_t slots);

  static std::size_t BytesPerFlow(const FlowStatisticsOptions& options);

  // A new flow in this slot, or a new record of the same flow.
  void Start(std::uint32_t slot);
  void Continue(std::uint32_t slot);
  void Prefetch(std::uint32_t slot) const {
    const char* const entry = reinterpret_cast<const char*>(&entries_[slot]);
    for (std::size_t line = 0; line < sizeof(StatisticsEntry); line += 64) {
      __builtin_prefetch(entry + line, 1);
    }
  }
  // `direction`: 0 forward, 1 reverse.
  void Add(std::uint32_t slot, std::size_t direction, std::int64_t time,
           const DecodedPacket& packet);
  // What was forward is reverse from now on.
  void SwapDirections(std::uint32_t slot);
  // `first_seen` of the record: what the offsets of its first packets count from.
  std::shared_ptr<const FlowStatistics> Take(std::uint32_t slot, std::int64_t first_seen) const;

 private:
  // How often each byte occurs in the first payload of each direction.
  struct Histograms {
    std::uint16_t counts[2][256];
  };

  void AddSample(std::uint32_t slot, std::size_t direction, std::int64_t time,
                 const DecodedPacket& packet);
  void AddPayload(std::uint32_t slot, std::size_t direction, const DecodedPacket& packet);
  void FillSamples(std::uint32_t slot, std::int64_t first_seen, FlowStatistics& out) const;

  FlowStatisticsOptions options_;
  base::LazyArray<StatisticsEntry> entries_;
  base::LazyArray<StoredSample> samples_;  // options_.first_packets for each slot
  base::LazyArray<Histograms> histograms_;
};

}  // namespace nta::internal

#endif  // NTA_FLOW_STATISTICS_TABLE_H_
