// FlowHistory: a flow as a vector of features, some of which say what its source did lately.
#ifndef NTA_SRC_DETECT_FLOW_FEATURES_H_
#define NTA_SRC_DETECT_FLOW_FEATURES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "detect/number_archive.h"
#include "nta/flow/flow_record.h"

namespace nta::detect {

inline constexpr std::size_t kFlowFeatures = 28;
using FlowVector = std::array<double, kFlowFeatures>;

std::uint64_t HashOfAddress(const IpAddress& address);

// Counts that fade with time constants of 1, 10 and 100 seconds (AfterImage, Mirsky et al. 2018),
// of the source, of source and destination, and of these with the service. Slots are hashed: two
// that share one see each other's counts, and memory is fixed.
class FlowHistory {
 public:
  FlowHistory() : slots_(kSlots) {}

  FlowVector Vector(const FlowRecord& flow);
  std::size_t memory_bytes() const { return kSlots * sizeof(Fading); }

  template <typename Archive>
  void Fields(Archive& archive) {
    for (Fading& slot : slots_) {
      Reals(archive, slot.counts);
      archive(slot.last);
    }
  }

 private:
  static constexpr std::size_t kSlots = 16384;
  struct Fading {
    std::array<float, 3> counts{};
    Timestamp last{};
  };
  const Fading& Count(std::uint64_t hash, Timestamp time);

  std::vector<Fading> slots_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOW_FEATURES_H_
