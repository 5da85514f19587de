// Exact sums of whole numbers, from which Moments come without rounding on the way.
#ifndef NTA_FLOW_MOMENTS_H_
#define NTA_FLOW_MOMENTS_H_

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "nta/flow/flow_statistics.h"

namespace nta::internal {

__extension__ typedef unsigned __int128 UInt128;

// The nearest double to high * 2^128 + middle * 2^64 + low; ties to even.
inline double ToDouble(std::uint64_t high, std::uint64_t middle, std::uint64_t low) {
  if (high == 0) {
    return middle == 0 ? static_cast<double>(low) : std::ldexp(ToDouble(middle, low, 0), -64);
  }
  // The upper 64 bits, and whether anything stands below them, round as the whole number does.
  const int zeros = std::countl_zero(high);
  const std::uint64_t top = zeros == 0 ? high : high << zeros | middle >> (64 - zeros);
  const bool has_rest = (middle << zeros | low) != 0;
  return std::ldexp(static_cast<double>(top | (has_rest ? 1 : 0)), 128 - zeros);
}

// Extremes and the sum of squares; count and sum are somebody else's. Numbers are at most 2^48.
template <typename Number>
struct MomentSquares {
  std::uint64_t squares_low;
  std::uint64_t squares_high;
  Number minimum;
  Number maximum;

  void Clear() {
    squares_low = squares_high = 0;
    minimum = std::numeric_limits<Number>::max();
    maximum = 0;
  }

  void Add(Number number) {
    const UInt128 square = static_cast<UInt128>(number) * number;
    squares_high +=
        static_cast<std::uint64_t>(square >> 64) +
        (__builtin_add_overflow(squares_low, static_cast<std::uint64_t>(square), &squares_low) ? 1
                                                                                               : 0);
    minimum = std::min(minimum, number);
    maximum = std::max(maximum, number);
  }

  Moments ToMoments(std::uint64_t count, std::uint64_t sum) const {
    if (count == 0) return {};
    Moments moments{.count = count, .minimum = minimum, .maximum = maximum};
    const auto n = static_cast<double>(count);
    moments.mean = static_cast<double>(sum) / n;
    if (minimum == maximum) return moments;
    // count * squares - sum^2, which is never negative, in 192 bits.
    const UInt128 low_product = static_cast<UInt128>(count) * squares_low;
    const UInt128 high_product = static_cast<UInt128>(count) * squares_high + (low_product >> 64);
    const UInt128 square = static_cast<UInt128>(sum) * sum;
    const UInt128 low = high_product << 64 | static_cast<std::uint64_t>(low_product);
    const auto high = static_cast<std::uint64_t>(high_product >> 64) - (low < square ? 1 : 0);
    const UInt128 difference = low - square;
    const double variance = ToDouble(high, static_cast<std::uint64_t>(difference >> 64),
                                     static_cast<std::uint64_t>(difference));
    moments.deviation = std::sqrt(variance) / n;
    return moments;
  }
};

// With the sum, exact until it reaches 2^64 - 1, where it stays.
template <typename Number>
struct MomentSums {
  static constexpr std::uint64_t kMaxNumber = (std::uint64_t{1} << 48) - 1;

  std::uint64_t sum;
  MomentSquares<Number> squares;

  void Clear() {
    sum = 0;
    squares.Clear();
  }
  void Add(std::uint64_t number) {
    number = std::min(number, kMaxNumber);
    if (__builtin_add_overflow(sum, number, &sum)) sum = ~std::uint64_t{0};
    squares.Add(static_cast<Number>(number));
  }
  Moments ToMoments(std::uint64_t count) const { return squares.ToMoments(count, sum); }
};

}  // namespace nta::internal

#endif  // NTA_FLOW_MOMENTS_H_
