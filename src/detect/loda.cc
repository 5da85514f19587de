#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/status.h"
#include "detect/number_archive.h"
#include "detect/random_numbers.h"
#include "nta/detect/vector_model.h"

namespace nta {

void VectorModel::Explain(std::span<const float>, std::span<double>) {}

namespace {

constexpr std::size_t kBins = 32;
// Beyond the histogram of the warm-up, further out is less likely.
constexpr double kOutside = 0.3;

class Loda final : public VectorModel {
 public:
  explicit Loda(const LodaOptions& options) : options_(options) {
    options_.projections = std::clamp<std::size_t>(options_.projections, 1, 1000);
    options_.memory = std::max(options_.memory, 1000.0);
  }

  std::string_view name() const override { return "loda"; }
  void Begin(std::span<const float> vectors, std::size_t dimensions) override;
  double Score(std::span<const float> vector) override;
  void Learn(std::span<const float> vector, double weight) override;
  void Explain(std::span<const float> vector, std::span<double> contributions) override;
  std::size_t memory_bytes() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state, std::size_t dimensions) override;

 private:
  struct Projection {
    double low = 0;
    double bins_per_unit = 1;
    std::array<float, kBins> counts{};
  };

  void DrawProjections(std::size_t dimensions);
  double Project(std::size_t projection, std::span<const float> vector) const;
  // The bin, or kBins when the value is outside.
  static std::size_t BinOf(const Projection& projection, double value);
  // The bins of all projections into bins_. What is scored is learnt next, as a rule, so the last
  // vector's stay.
  void Locate(std::span<const float> vector);
  double Probability(const Projection& projection, std::size_t bin) const;
  template <typename Archive>
  void Fields(Archive& archive);

  LodaOptions options_;
  std::size_t chosen_ = 0;  // features in a projection
  std::vector<std::uint32_t> features_;
  std::vector<float> weights_;
  std::vector<Projection> projections_;
  std::vector<float> located_;
  std::vector<std::uint8_t> bins_;
  double total_ = 0;
  // Old counts shrink against new ones, which are worth more and more: no sweep over the bins.
  double worth_ = 1;
};

void Loda::DrawProjections(std::size_t dimensions) {
  detect::RandomNumbers random(options_.seed);
  chosen_ = std::clamp<std::size_t>(
      static_cast<std::size_t>(std::sqrt(static_cast<double>(dimensions))), 2, dimensions);
  projections_.assign(options_.projections, {});
  located_.clear();
  features_.clear();
  weights_.clear();
  std::vector<std::uint32_t> order(dimensions);
  for (std::uint32_t i = 0; i < dimensions; ++i) order[i] = i;
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    for (std::size_t i = 0; i < chosen_; ++i) {
      std::swap(order[i], order[i + random.Below(dimensions - i)]);
      features_.push_back(order[i]);
      weights_.push_back(static_cast<float>(random.Normal()));
    }
  }
}

double Loda::Project(std::size_t projection, std::span<const float> vector) const {
  const std::uint32_t* features = &features_[projection * chosen_];
  const float* weights = &weights_[projection * chosen_];
  float sum = 0;
  for (std::size_t i = 0; i < chosen_; ++i) sum += weights[i] * vector[features[i]];
  return sum;
}

std::size_t Loda::BinOf(const Projection& projection, double value) {
  const double position = (value - projection.low) * projection.bins_per_unit;
  if (!(position >= 0) || position >= static_cast<double>(kBins)) return kBins;
  return static_cast<std::size_t>(position);
}

double Loda::Probability(const Projection& projection, std::size_t bin) const {
  const double all = total_ / worth_ + kBins * 0.5;
  if (bin == kBins) return kOutside / all;
  return (projection.counts[bin] / worth_ + 0.5) / all;
}

void Loda::Begin(std::span<const float> vectors, std::size_t dimensions) {
  DrawProjections(dimensions);
  const std::size_t count = vectors.size() / dimensions;
  std::vector<double> values(count);
  total_ = 0;
  worth_ = 1;
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    for (std::size_t i = 0; i < count; ++i) {
      values[i] = Project(p, vectors.subspan(i * dimensions, dimensions));
    }
    std::ranges::sort(values);
    double low = count > 0 ? values[count / 200] : -1;
    double high = count > 0 ? values[count - 1 - count / 200] : 1;
    if (high - low < 1e-6) {
      low -= 0.5;
      high += 0.5;
    }
    const double margin = 0.1 * (high - low);
    projections_[p].low = low - margin;
    projections_[p].bins_per_unit = kBins / (high - low + 2 * margin);
  }
  located_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    Learn(vectors.subspan(i * dimensions, dimensions), 1);
  }
}

void Loda::Locate(std::span<const float> vector) {
  if (std::ranges::equal(located_, vector)) return;
  located_.assign(vector.begin(), vector.end());
  bins_.resize(projections_.size());
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    bins_[p] = static_cast<std::uint8_t>(BinOf(projections_[p], Project(p, vector)));
  }
}

double Loda::Score(std::span<const float> vector) {
  Locate(vector);
  const double per_worth = 1 / worth_;
  double bits = 0;
  double product = 1;  // of at most 16 counts below 1e18 each
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    const std::size_t bin = bins_[p];
    product *= bin == kBins ? kOutside : projections_[p].counts[bin] * per_worth + 0.5;
    if (p % 16 != 15) continue;
    bits -= std::log2(product);
    product = 1;
  }
  const double all = total_ * per_worth + kBins * 0.5;
  return (bits - std::log2(product)) / static_cast<double>(projections_.size()) + std::log2(all);
}

void Loda::Learn(std::span<const float> vector, double weight) {
  Locate(vector);
  const auto added = static_cast<float>(weight * worth_);
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    if (bins_[p] < kBins) projections_[p].counts[bins_[p]] += added;
  }
  total_ += weight * worth_;
  worth_ *= 1 + weight / options_.memory;
  if (worth_ < 1e6) return;
  for (Projection& projection : projections_) {
    for (float& count : projection.counts) count /= static_cast<float>(worth_);
  }
  total_ /= worth_;
  worth_ = 1;
}

// Mean bits of the projections that look at a feature less that of those that do not.
void Loda::Explain(std::span<const float> vector, std::span<double> contributions) {
  std::vector<double> with(contributions.size());
  std::vector<double> uses(contributions.size());
  double all = 0;
  for (std::size_t p = 0; p < projections_.size(); ++p) {
    const double bits =
        -std::log2(Probability(projections_[p], BinOf(projections_[p], Project(p, vector))));
    all += bits;
    for (std::size_t i = 0; i < chosen_; ++i) {
      const std::uint32_t feature = features_[p * chosen_ + i];
      if (feature >= with.size()) continue;
      with[feature] += bits;
      ++uses[feature];
    }
  }
  const auto count = static_cast<double>(projections_.size());
  for (std::size_t i = 0; i < contributions.size(); ++i) {
    if (uses[i] == 0 || uses[i] == count) continue;
    const double inside = with[i] / uses[i];
    const double outside = (all - with[i]) / (count - uses[i]);
    contributions[i] = std::max(0.0, inside - outside) * std::abs(vector[i]);
  }
}

std::size_t Loda::memory_bytes() const {
  return sizeof(*this) + features_.capacity() * sizeof(features_[0]) +
         weights_.capacity() * sizeof(weights_[0]) + projections_.capacity() * sizeof(Projection) +
         located_.capacity() * sizeof(float) + bins_.capacity();
}

template <typename Archive>
void Loda::Fields(Archive& archive) {
  detect::Real(archive, total_);
  detect::Real(archive, worth_);
  for (Projection& projection : projections_) {
    detect::Real(archive, projection.low);
    detect::Real(archive, projection.bins_per_unit);
    detect::Reals(archive, projection.counts);
  }
}

std::string Loda::Save() const {
  detect::StateWriter writer;
  const_cast<Loda*>(this)->Fields(writer);
  return std::move(writer).bytes();
}

absl::Status Loda::Load(std::string_view state, std::size_t dimensions) {
  DrawProjections(dimensions);
  detect::StateReader reader({reinterpret_cast<const std::uint8_t*>(state.data()), state.size()});
  Fields(reader);
  if (!reader.ok() || reader.remaining() != 0 || !(worth_ >= 1)) {
    return base::MakeStatus(absl::StatusCode::kDataLoss, "the saved LODA model is damaged");
  }
  return absl::OkStatus();
}

}  // namespace

std::unique_ptr<VectorModel> MakeLoda(const LodaOptions& options) {
  return std::make_unique<Loda>(options);
}

}  // namespace nta
