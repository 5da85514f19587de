// VectorScorer: how unusual is a vector of features, by models that learn while they watch and do
// not let an attacker teach them.
//
//   auto scorer = nta::VectorScorer::Create({.dimensions = 24});
//   nta::VectorScore score = scorer->Add(features, source_hash, time);
#ifndef NTA_DETECT_VECTOR_SCORER_H_
#define NTA_DETECT_VECTOR_SCORER_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/detect/vector_model.h"
#include "nta/net/time.h"

namespace nta {

struct VectorScorerOptions {
  std::size_t dimensions = 0;  // 1 to 1024
  // Which of the library's models look.
  bool loda = true;
  bool half_space_trees = false;
  bool autoencoders = false;
  // Vectors that are only kept, to learn the scales and to begin the models with.
  std::size_t warm_up = 1024;
  // A vector that surprises by this much is not learnt but quarantined, ...
  double gate_bits = 8;
  // ... and learnt after this time, unless somebody objected (Reject).
  Duration quarantine_time = std::chrono::hours(24);
  std::size_t max_quarantined = 256;  // beyond that a random one of them gives way
  // In each window of so many vectors, a source that has had its share of them counts less and
  // less. Source 0 is nobody and has no share.
  std::size_t window = 4096;
  double source_share = 0.01;
  // Likewise for what vectors are about: a crowd at one server is many sources. Target 0 is
  // nothing.
  double target_share = 0.1;
  // Identical vectors (to a quarter of a deviation) beyond so many in a window count
  // logarithmically: packed anomalies do not become dense.
  std::size_t free_duplicates = 16;
  std::uint64_t seed = 1;
};

struct VectorScore {
  static constexpr std::size_t kTop = 3;
  struct Feature {
    std::size_t index = 0;
    double share = 0;  // of the blame, 0 to 1
  };

  // Surprise: -log2 of the chance, by the scores before; 0 during the warm-up. With several models
  // the mean of the two highest.
  double bits = 0;
  bool is_warm = false;
  bool is_learnt = false;  // not quarantined
};

// Scores come before learning. Same calls, same scores. Memory is bounded by the options.
class VectorScorer {
 public:
  // InvalidArgument without dimensions or without any model. `own`: models of yours, used beside
  // those that the options ask for.
  static absl::StatusOr<VectorScorer> Create(const VectorScorerOptions& options,
                                             std::vector<std::unique_ptr<VectorModel>> own = {});
  ~VectorScorer();
  VectorScorer(VectorScorer&&) noexcept;
  VectorScorer& operator=(VectorScorer&&) noexcept;

  // Scores the vector, then learns it as far as the rules above let it. `features` has `dimensions`
  // numbers; what is not finite counts as 0.
  VectorScore Add(std::span<const double> features, std::uint64_t source, Timestamp time,
                  std::uint64_t target = 0);
  // Scores without learning.
  VectorScore Score(std::span<const double> features);
  // Which features are to blame, largest share first; nothing during the warm-up.
  std::vector<VectorScore::Feature> Explain(std::span<const double> features);
  // Drops what is quarantined from this source: it was an attack.
  void Reject(std::uint64_t source);
  // Learns nothing any more, until thawed.
  void Freeze(bool frozen);

  std::size_t dimensions() const;
  std::size_t quarantined() const;
  std::size_t memory_bytes() const;
  // Versioned, with a checksum and the names of the models.
  std::string Save() const;
  // InvalidArgument for a state of other dimensions, models or version, DataLoss for a damaged one.
  // When a model of yours refuses its part, the scorer is as new.
  absl::Status Load(std::string_view state);

 private:
  class Impl;
  explicit VectorScorer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_VECTOR_SCORER_H_
