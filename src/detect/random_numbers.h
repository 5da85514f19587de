// Reproducible random numbers: the same on every platform, unlike std's distributions.
#ifndef NTA_SRC_DETECT_RANDOM_NUMBERS_H_
#define NTA_SRC_DETECT_RANDOM_NUMBERS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>

namespace nta::detect {

class RandomNumbers {  // splitmix64
 public:
  explicit RandomNumbers(std::uint64_t seed) : state_(seed) {}

  std::uint64_t Next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  std::uint64_t& state() { return state_; }  // to be saved
  std::size_t Below(std::size_t end) { return static_cast<std::size_t>(Next() % end); }
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }  // [0, 1)
  double Normal() {
    const double radius = std::sqrt(-2 * std::log(1 - Uniform()));
    return radius * std::cos(2 * std::numbers::pi * Uniform());
  }

 private:
  std::uint64_t state_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_RANDOM_NUMBERS_H_
