// VectorModel: what is normal among vectors of numbers. Implement it to plug in a model of your
// own.
//
//   class Mine final : public nta::VectorModel { ... };
//   options.models.push_back(std::make_unique<Mine>());
#ifndef NTA_DETECT_VECTOR_MODEL_H_
#define NTA_DETECT_VECTOR_MODEL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace nta {

// Vectors come scaled: each feature has median 0 and deviation 1 over the warm-up and is cut at 8
// deviations. Contract: reads no clock, keeps bounded memory, gives the same scores for the same
// calls.
class VectorModel {
 public:
  virtual ~VectorModel() = default;

  virtual std::string_view name() const = 0;
  // Once, before anything else: the vectors of the warm-up, one after another.
  virtual void Begin(std::span<const float> vectors, std::size_t dimensions) = 0;
  // Higher is more anomalous; 0 or more.
  virtual double Score(std::span<const float> vector) = 0;
  // Learns a vector that counts `weight`, 0 to 1.
  virtual void Learn(std::span<const float> vector, double weight) = 0;
  // How much each feature has to do with the score, in any unit; nothing when the model cannot say.
  virtual void Explain(std::span<const float> vector, std::span<double> contributions);
  virtual std::size_t memory_bytes() const = 0;
  // The state as bytes. Load gets what Save gave, intact, in place of Begin.
  virtual std::string Save() const = 0;
  virtual absl::Status Load(std::string_view state, std::size_t dimensions) = 0;
};

struct LodaOptions {
  std::size_t projections = 100;
  // Vectors after which a bin has forgotten two thirds of its count.
  double memory = 200000;
  std::uint64_t seed = 1;
};
// Sparse random projections with a histogram each (Pevny, "LODA: Lightweight on-line detector of
// anomalies", 2016). Says which features are to blame by comparing the projections with and without
// each. 100 projections of 24 features: about 30 KB, 1 us.
std::unique_ptr<VectorModel> MakeLoda(const LodaOptions& options = {});

struct HalfSpaceTreesOptions {
  std::size_t trees = 25;
  std::size_t depth = 8;
  double window = 1024;  // weight after which the masses of the last window take over
  std::uint64_t seed = 1;
};
// Trees of random half-spaces and the mass in each (Tan, Ting, Liu 2011), between leaves of two
// windows.
std::unique_ptr<VectorModel> MakeHalfSpaceTrees(const HalfSpaceTreesOptions& options = {});

struct AutoencodersOptions {
  std::size_t largest_group = 10;  // features that one autoencoder sees
  double hidden_share = 0.75;
  double learning_rate = 0.05;
  std::uint64_t seed = 1;
};
// An ensemble of small autoencoders over groups of correlated features, and one over their errors
// (Mirsky, Doitshman, Elovici, Shabtai, "Kitsune", 2018).
std::unique_ptr<VectorModel> MakeAutoencoders(const AutoencodersOptions& options = {});

}  // namespace nta

#endif  // NTA_DETECT_VECTOR_MODEL_H_
