#include "detect/shape_memory.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace nta::detect {

double ShapeMemory::Learn(const Shape& shape, double radius) {
  if (prototypes_.empty()) {
    prototypes_.push_back({shape, 1});
    return 0;
  }
  Prototype* nearest = nullptr;
  float least = std::numeric_limits<float>::max();
  for (Prototype& prototype : prototypes_) {
    float square = 0;
    for (std::size_t i = 0; i < kMeans; ++i) {
      const float difference = shape[i] - prototype.shape[i];
      square += difference * difference;
    }
    if (square < least || nearest == nullptr) {
      least = square;
      nearest = &prototype;
    }
  }
  const double distance = std::sqrt(static_cast<double>(least) / kMeans);
  if (distance > radius && prototypes_.size() < kMost) {
    prototypes_.push_back({shape, 1});
    return distance;
  }
  ++nearest->uses;
  const float rate = std::max(0.02f, 1 / static_cast<float>(nearest->uses));
  for (std::size_t i = 0; i < kMeans; ++i) {
    nearest->shape[i] += rate * (shape[i] - nearest->shape[i]);
  }
  if (distance > radius) {
    *std::ranges::min_element(prototypes_, {}, &Prototype::uses) = {shape, 1};
  }
  return distance;
}

}  // namespace nta::detect
