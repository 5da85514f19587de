// DistinctCount: how many different values, in 64 bytes.
#ifndef NTA_SRC_DETECT_DISTINCT_COUNT_H_
#define NTA_SRC_DETECT_DISTINCT_COUNT_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace nta::detect {

// HyperLogLog (Flajolet, Fusy, Gandouet, Meunier 2007) with 64 registers: 13 % standard error, with
// linear counting for small numbers. Values are hashes.
class DistinctCount {
 public:
  static constexpr std::size_t kRegisters = 64;

  void Add(std::uint64_t hash) {
    const auto rank = static_cast<std::uint8_t>(std::countl_zero(hash | 63) + 1);
    std::uint8_t& slot = registers_[hash & 63];
    if (rank > slot) slot = rank;
  }
  void Clear() { registers_.fill(0); }

  double Estimate() const {
    constexpr double kAlpha = 0.709;  // of the paper, for 64 registers
    double sum = 0;
    int zeros = 0;
    for (const std::uint8_t rank : registers_) {
      sum += std::ldexp(1.0, -rank);
      zeros += rank == 0 ? 1 : 0;
    }
    const double raw = kAlpha * kRegisters * kRegisters / sum;
    if (raw > 2.5 * kRegisters || zeros == 0) return raw;
    return kRegisters * std::log(static_cast<double>(kRegisters) / zeros);
  }

  const std::array<std::uint8_t, kRegisters>& registers() const { return registers_; }
  std::array<std::uint8_t, kRegisters>& registers() { return registers_; }

 private:
  std::array<std::uint8_t, kRegisters> registers_{};
};

// The value that more than half of all are, if there is one (Boyer and Moore 1981), and how sure.
template <typename T>
struct Majority {
  T value{};
  std::uint32_t lead = 0;

  // `weight`: how many packets this one stands for.
  void Add(const T& other, std::uint32_t weight = 1) {
    if (value == other) {
      lead += weight;
    } else if (lead >= weight) {
      lead -= weight;
    } else {
      lead = weight - lead;
      value = other;
    }
  }
};

// The values that make up most, if so few do (Misra and Gries 1982): a lead is what its value has
// at the least.
template <typename T, std::size_t kValues>
struct HeavyHitters {
  std::array<T, kValues> values{};
  std::array<std::uint16_t, kValues> leads{};  // of at most 65,535 values

  void Add(const T& value) {
    std::size_t free = kValues;
    for (std::size_t i = 0; i < kValues; ++i) {
      if (leads[i] == 0) {
        free = i;
      } else if (values[i] == value) {
        ++leads[i];
        return;
      }
    }
    if (free == kValues) {
      for (std::uint16_t& lead : leads) --lead;
      return;
    }
    values[free] = value;
    leads[free] = 1;
  }
  std::uint32_t Sum() const {
    std::uint32_t sum = 0;
    for (const std::uint16_t lead : leads) sum += lead;
    return sum;
  }
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_DISTINCT_COUNT_H_
