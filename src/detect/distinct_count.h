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

// The seven bytes that make up most, if so few do (Misra and Gries 1982): a lead is what its byte
// has at the least. Asked for each packet of a flood, with bytes that nobody can predict: all
// places are looked at in one word, because a branch for each costs more than everything else.
class HeavyBytes {
 public:
  static constexpr std::size_t kPlaces = 7;

  void Add(std::uint8_t byte) {
    const std::uint64_t taken = (taken_ * kSpread & kOnes) << 7;
    const std::uint64_t difference = bytes_ ^ (byte * kOnes);
    // The highest bit of each byte that is 0; exact for every byte.
    const std::uint64_t same =
        ~(((difference & ~kHighest) + ~kHighest) | difference | ~kHighest) & taken;
    // Its own place, or the last one that is free.
    const std::uint64_t mark = same != 0 ? same : std::bit_floor(taken ^ kHighest);
    if (mark != 0) {
      bytes_ = (bytes_ & ~((mark << 1) - (mark >> 7))) | (mark >> 7) * byte;
      const std::size_t place = static_cast<std::size_t>(std::countr_zero(mark)) / 8;
      taken_ |= static_cast<std::uint8_t>(1u << place);
      ++leads_[place];
      return;
    }
    for (std::size_t i = 0; i < kPlaces; ++i) {
      const unsigned is_over = --leads_[i] == 0 ? 1 : 0;
      taken_ &= static_cast<std::uint8_t>(~(is_over << i));
    }
  }
  std::uint32_t Sum() const {
    std::uint32_t sum = 0;
    for (const std::uint16_t lead : leads_) sum += lead;
    return sum;
  }

  // For saved states: bytes, then leads.
  template <typename Archive, typename Bytes>
  static void Fields(Archive& archive, Bytes& bytes) {
    std::array<std::uint8_t, kPlaces> values{};
    for (std::size_t i = 0; i < kPlaces; ++i) values[i] = bytes.ByteAt(i);
    archive(values);
    archive(bytes.leads_);
    if constexpr (Archive::kReads) {
      for (std::size_t i = 0; i < kPlaces; ++i) bytes.Set(i, values[i], bytes.leads_[i]);
    }
  }

 private:
  static constexpr std::uint64_t kOnes = 0x0001010101010101;  // the eighth byte is nobody's
  static constexpr std::uint64_t kHighest = kOnes << 7;
  static constexpr std::uint64_t kSpread = 0x0002040810204081;  // bit i to the first of byte i

  std::uint8_t ByteAt(std::size_t place) const {
    return static_cast<std::uint8_t>(bytes_ >> (8 * place));
  }
  void Set(std::size_t place, std::uint8_t byte, std::uint32_t lead) {
    const std::size_t shift = 8 * place;
    bytes_ = (bytes_ & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{byte} << shift;
    const unsigned mark = 1u << place;
    taken_ = static_cast<std::uint8_t>(lead == 0 ? taken_ & ~mark : taken_ | mark);
    leads_[place] = static_cast<std::uint16_t>(lead);
  }

  std::uint64_t bytes_ = 0;
  std::array<std::uint16_t, kPlaces> leads_{};  // of at most 65,535 bytes
  std::uint8_t taken_ = 0;                      // a bit for each place with a lead
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_DISTINCT_COUNT_H_
