// EdgeScorer: how surprising is one more contact of this source with this destination.
//
//   nta::EdgeScorer scorer;
//   double score = scorer.Add(source, destination, minute);
#ifndef NTA_DETECT_EDGE_SCORER_H_
#define NTA_DETECT_EDGE_SCORER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace nta {

struct EdgeScorerOptions {
  // Counters of each of the nine arrays, rounded up to a power of two. 16 bytes each.
  std::size_t width = 1024;
  // How much of the recent count outlives a tick: 0 to 0.99.
  double decay = 0.85;
  // A tick whose chi-squared is above this does not teach the mean, so that a flood cannot become
  // normal.
  double merge_threshold = 1000;
  // Ticks after which the mean has forgotten two thirds of what it knew.
  std::uint32_t horizon = 65536;
  // Key of the hashes. Give a secret one where strangers choose the addresses.
  std::uint64_t hash_seed = 1;
};

// Counts contacts per pair, per source and per destination in sketches of fixed size and compares
// the recent count with the mean of all ticks before by chi-squared, as MIDAS-F does (Bhatia, Liu,
// Hooi, Yoon, Shin, Faloutsos 2020). Unlike it, three small sketches with one row each are averaged
// in the logarithm, which takes the luck of collisions out of the score, and a tick costs nothing:
// each counter catches up when it is next touched. Memory does not grow.
class EdgeScorer {
 public:
  enum class Part : std::uint8_t { kEdge = 0, kSource = 1, kDestination = 2 };
  struct Result {
    double score = 0;         // mean of log2(1 + chi-squared), 0 to about 100
    Part part = Part::kEdge;  // what was most surprising
    double observed = 0;      // the recent count of that part, decayed ...
    double expected = 0;      // ... and what its history says that it should be
  };

  explicit EdgeScorer(EdgeScorerOptions options = {});

  // Higher is more surprising. A tick is any span of time, e.g. a minute; a tick before the latest
  // one counts as the latest.
  double Add(std::uint64_t source, std::uint64_t destination, std::uint64_t tick) {
    return Observe(source, destination, tick).score;
  }
  Result Observe(std::uint64_t source, std::uint64_t destination, std::uint64_t tick);

  std::size_t memory_bytes() const { return cells_.size() * sizeof(Cell); }
  // Versioned, with a checksum.
  std::string Save() const;
  // InvalidArgument for a state of other options or another version, DataLoss for a damaged one;
  // then nothing has changed.
  absl::Status Load(std::string_view state);

 private:
  static constexpr std::size_t kReplicas = 3;
  static constexpr std::size_t kParts = 3;

  struct Cell {
    float recent = 0;
    float total = 0;
    float surprise = 0;      // chi-squared of the last contact
    std::uint32_t tick = 0;  // up to which the others are told; 0: never touched
  };
  struct Touch {
    float surprise;
    float recent;
    float mean;
  };

  void CatchUp(Cell& cell) const;
  Touch Count(std::size_t array, std::uint64_t key);

  EdgeScorerOptions options_;
  std::vector<Cell> cells_;
  std::array<std::uint64_t, kReplicas * kParts> keys_{};
  std::array<float, 64> powers_{};  // decay^k
  std::uint64_t first_tick_ = 0;
  std::uint32_t tick_ = 0;  // since the first, from 1; 0: none yet
};

}  // namespace nta

#endif  // NTA_DETECT_EDGE_SCORER_H_
