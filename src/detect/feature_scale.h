// FeatureScale: brings features of any unit to mean 0 and deviation 1, cut at 8.
#ifndef NTA_SRC_DETECT_FEATURE_SCALE_H_
#define NTA_SRC_DETECT_FEATURE_SCALE_H_

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

#include "detect/number_archive.h"

namespace nta::detect {

class FeatureScale {
 public:
  static constexpr double kReach = 8;

  explicit FeatureScale(std::size_t dimensions) : mean_(dimensions), per_unit_(dimensions, 1) {}

  // From vectors one after another. What lies beyond the outer percents is cut first, so that a few
  // wild vectors do not make everybody else alike.
  void Fit(std::span<const float> vectors) {
    const std::size_t dimensions = mean_.size();
    const std::size_t count = vectors.size() / dimensions;
    std::vector<float> column(count);
    for (std::size_t d = 0; d < dimensions; ++d) {
      for (std::size_t i = 0; i < count; ++i) column[i] = vectors[i * dimensions + d];
      double deviation = Deviation(column, mean_[d]);
      // A feature that hardly ever differs: its differences count, but not without bound.
      deviation = std::max({deviation, kLeastDeviation, 0.01 * std::abs(mean_[d])});
      per_unit_[d] = 1 / deviation;
    }
  }
  void Apply(std::span<const double> features, std::span<float> scaled) const {
    for (std::size_t d = 0; d < mean_.size(); ++d) {
      const double value = std::isfinite(features[d]) ? features[d] : 0;
      scaled[d] =
          static_cast<float>(std::clamp((value - mean_[d]) * per_unit_[d], -kReach, kReach));
    }
  }

  template <typename Archive>
  void Fields(Archive& archive) {
    Reals(archive, mean_);
    Reals(archive, per_unit_);
  }

 private:
  static constexpr double kLeastDeviation = 0.1;

  static double Deviation(std::vector<float>& column, double& mean) {
    const std::size_t count = column.size();
    std::ranges::sort(column);
    const float low = column[count / 100];
    const float high = column[count - 1 - count / 100];
    double sum = 0;
    double square = 0;
    for (const float raw : column) {
      const double value = std::clamp(raw, low, high);
      sum += value;
      square += value * value;
    }
    mean = sum / static_cast<double>(count);
    return std::sqrt(std::max(0.0, square / static_cast<double>(count) - mean * mean));
  }

  std::vector<double> mean_;
  std::vector<double> per_unit_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FEATURE_SCALE_H_
