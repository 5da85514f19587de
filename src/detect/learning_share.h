// LearningShare: how much a vector may teach, given how often its like, its source and its target
// came.
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

  LearningShare(std::size_t window, double source_share, double target_share,
                std::size_t free_duplicates)
      : window_(std::max<std::size_t>(window, 16)),
        source_limit_(std::max(1.0, source_share * static_cast<double>(window_))),
        target_limit_(std::max(1.0, target_share * static_cast<double>(window_))),
        free_duplicates_(static_cast<double>(std::max<std::size_t>(free_duplicates, 1))),
        sources_(kSlots),
        targets_(kSlots),
        duplicates_(kSlots) {}

  // Counts one vector. The sum over n of the same source grows as limit (1 + ln(n / limit)).
  double Next(std::uint64_t source, std::uint64_t target, std::uint64_t vector_hash) {
    if (++in_window_ >= window_) Turn();
    double weight = Weight(duplicates_, vector_hash, free_duplicates_);
    if (source != 0) weight = std::min(weight, Weight(sources_, source * kMixer, source_limit_));
    if (target != 0) weight = std::min(weight, Weight(targets_, target * kMixer, target_limit_));
    return weight;
  }
  std::size_t memory_bytes() const { return 3 * kSlots * sizeof(std::uint16_t); }

  template <typename Archive>
  void Fields(Archive& archive) {
    archive(in_window_);
    for (auto* counts : {&sources_, &targets_, &duplicates_}) {
      for (std::uint16_t& count : *counts) archive(count);
    }
  }

 private:
  static constexpr std::uint64_t kMixer = 0x9e3779b97f4a7c15;

  static double Weight(std::vector<std::uint16_t>& counts, std::uint64_t hash, double limit) {
    std::uint16_t& count = counts[(hash >> 40) % kSlots];
    if (count < 65535) ++count;
    return count > limit ? limit / count : 1;
  }
  // Halves rather than forgets, so that a window's border is no fresh start for anybody.
  void Turn() {
    in_window_ = 0;
    for (auto* counts : {&sources_, &targets_, &duplicates_}) {
      for (std::uint16_t& count : *counts) count = static_cast<std::uint16_t>(count / 2);
    }
  }

  std::uint64_t window_;
  double source_limit_;
  double target_limit_;
  double free_duplicates_;
  std::uint64_t in_window_ = 0;
  std::vector<std::uint16_t> sources_;
  std::vector<std::uint16_t> targets_;
  std::vector<std::uint16_t> duplicates_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_LEARNING_SHARE_H_
