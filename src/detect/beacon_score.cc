#include "nta/detect/beacon_score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace nta {
namespace {

// Of exponential pauses (connections at random): median deviation over median.
constexpr double kRandomDeviation = 0.694;
constexpr double kMostBits = 64;
constexpr std::size_t kFewest = 4;

double MedianOf(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

// Median absolute deviation as a part of the median.
double Deviation(std::span<const float> values, double& median) {
  std::vector<float> sorted(values.begin(), values.end());
  median = MedianOf(sorted);
  for (float& value : sorted) value = std::abs(value - static_cast<float>(median));
  return median > 0 ? MedianOf(sorted) / median : 1;
}

// How few of the bins (an eighth of an octave wide) the pauses fill: sees alternating periods,
// which have a large deviation but little entropy.
double Concentration(std::span<const float> values) {
  std::array<double, 256> counts{};
  for (const float value : values) {
    const double bin = 8 * std::log2(std::max(value, 1e-3f)) + 80;
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0.0, 255.0))];
  }
  double entropy = 0;
  const auto all = static_cast<double>(values.size());
  for (const double count : counts) {
    if (count > 0) entropy -= count / all * std::log2(count / all);
  }
  // Random pauses of this number fill about so many bits of bins.
  const double random = std::min(std::log2(all), 4.2);
  return std::clamp(1 - entropy / random, 0.0, 1.0);
}

// Pauses that are a small multiple of the period are calls that were missed.
std::vector<float> Folded(std::span<const float> values, double period) {
  std::vector<float> folded;
  for (const float value : values) {
    const double times = std::round(value / std::max(period, 1e-9));
    folded.push_back(times >= 2 && times <= 4 ? static_cast<float>(value / times) : value);
  }
  return folded;
}

}  // namespace

BeaconScore ScoreBeacon(std::span<const float> intervals, std::span<const float> sizes) {
  BeaconScore result;
  if (intervals.size() < kFewest) return result;
  double median = 0;
  double deviation = Deviation(intervals, median);
  if (deviation < 0.5) {
    const std::vector<float> folded = Folded(intervals, median);
    deviation = std::min(deviation, Deviation(folded, median));
  }
  result.period_seconds = median;
  result.jitter = deviation;
  const double steady = std::max(0.0, 1 - deviation);
  // Half of the pauses far off is not regular, however small the median deviation.
  double far_off = 0;
  for (const float interval : intervals) far_off += interval > 10 * median;
  const double kept = 1 - far_off / static_cast<double>(intervals.size());
  result.intervals = std::max(steady * kept, Concentration(intervals));
  const double gain = std::log2(kRandomDeviation / std::clamp(deviation, 0.005, kRandomDeviation));
  result.bits = std::min(kMostBits, 0.5 * gain * kept * static_cast<double>(intervals.size()));
  if (sizes.size() < kFewest) {
    result.score = 0.7 * result.intervals;
    return result;
  }
  double typical = 0;
  result.sizes = std::max(0.0, 1 - Deviation(sizes, typical));
  result.score = 0.65 * result.intervals + 0.35 * result.sizes;
  return result;
}

}  // namespace nta
