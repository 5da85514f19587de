// LearningShare: how much a vector may teach, given how often its like and its source came.
#ifndef NTA_SRC_DETECT_LEARNING_SHARE_H_
#define NTA_SRC_DETECT_LEARNING_SHARE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "detect/state_archive.h"

namespace nta::detect {

// Counters in hashed slots: two that share one share their limit, which errs on the safe side.
class LearningShare {
 public:
  static constexpr std::size_t kSlots = 4096;

  LearningShare(std::size_t window, double source_share, std::size_t free_duplicates)
      : window_(std::max<std::size_t>(window, 16)),
        source_limit_(std::max(1.0, source_share * static_cast<double>(window_))),
        free_duplicates_(static_cast<double>(std::max<std::size_t>(free_duplicates, 1))),
        sources_(kSlots),
        duplicates_(kSlots) {}

  // Counts one vector. The sum over n of the same source grows as limit (1 + ln(n / limit)).
  double Next(std::uint64_t source, std::uint64_t vector_hash) {
    if (++in_window_ >= window_) Turn();
    double weight = 1;
    const double alike = Count(duplicates_, vector_hash);
    if (alike > free_duplicates_) weight = free_duplicates_ / alike;
    if (source != 0) {
      const double from_source = Count(sources_, source * 0x9e3779b97f4a7c15);
      if (from_source > source_limit_) weight = std::min(weight, source_limit_ / from_source);
    }
    return weight;
  }
  std::size_t memory_bytes() const { return 2 * kSlots * sizeof(std::uint16_t); }

  template <typename Archive>
  void Fields(Archive& archive) {
    archive(in_window_);
    for (auto* counts : {&sources_, &duplicates_}) {
      for (std::uint16_t& count : *counts) archive(count);
    }
  }

 private:
  static double Count(std::vector<std::uint16_t>& counts, std::uint64_t hash) {
    std::uint16_t& count = counts[(hash >> 40) % kSlots];
    if (count < 65535) ++count;
    return count;
  }
  // Halves rather than forgets, so that a window's border is no fresh start for anybody.
  void Turn() {
    in_window_ = 0;
    for (auto* counts : {&sources_, &duplicates_}) {
      for (std::uint16_t& count : *counts) count = static_cast<std::uint16_t>(count / 2);
    }
  }

  std::uint64_t window_;
  double source_limit_;
  double free_duplicates_;
  std::uint64_t in_window_ = 0;
  std::vector<std::uint16_t> sources_;
  std::vector<std::uint16_t> duplicates_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_LEARNING_SHARE_H_
