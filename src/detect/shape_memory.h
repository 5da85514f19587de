// ShapeMemory: how far the latest stretch of a series is from every stretch seen before.
#ifndef NTA_SRC_DETECT_SHAPE_MEMORY_H_
#define NTA_SRC_DETECT_SHAPE_MEMORY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "detect/number_archive.h"

namespace nta::detect {

// Stretches are cut to twelve means each and kept as at most 64 prototypes: one that is further
// than `radius` from all of them becomes a new one, in place of the least used; another one moves
// the nearest.
class ShapeMemory {
 public:
  static constexpr std::size_t kMeans = 12;
  using Shape = std::array<float, kMeans>;

  // Root mean square distance to the nearest prototype; 0 for the first shape.
  double Learn(const Shape& shape, double radius);

  std::size_t memory_bytes() const { return prototypes_.capacity() * sizeof(Prototype); }

  template <typename Archive>
  void Fields(Archive& archive) {
    std::size_t size = prototypes_.size();
    archive.Size(size, kMost);
    if constexpr (Archive::kReads) prototypes_.assign(size, {});
    for (Prototype& prototype : prototypes_) {
      Reals(archive, prototype.shape);
      archive(prototype.uses);
      if (prototype.uses == 0) prototype.uses = 1;
    }
  }

 private:
  static constexpr std::size_t kMost = 64;
  struct Prototype {
    Shape shape{};
    std::uint32_t uses = 1;
  };

  std::vector<Prototype> prototypes_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SHAPE_MEMORY_H_
