#include "nta/detect/tail_calibrator.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace nta {
namespace {

constexpr double kBinsPerOctave = 8;
constexpr double kFirstOctave = -24;
constexpr std::uint32_t kFewest = 10;
constexpr std::uint32_t kHalveAt = 65535;  // no bin can overflow
constexpr double kTailShare = 0.02;
constexpr double kFewestPeaks = 8;
constexpr double kLeastShape = -0.3;
constexpr double kMostShape = 0.5;
constexpr double kMostBits = 100;

// Bin 0 holds everything too small to tell from 0.
double LowerEdge(std::size_t bin) {
  if (bin == 0) return 0;
  return std::exp2(static_cast<double>(bin) / kBinsPerOctave + kFirstOctave);
}

}  // namespace

std::size_t TailCalibrator::BinOf(double score) {
  if (!(score > 0)) return 0;
  const double position = (std::log2(score) - kFirstOctave) * kBinsPerOctave;
  if (!(position > 1)) return 1;
  return std::min(static_cast<std::size_t>(std::min(position, 1e6)), kBins - 1);
}

void TailCalibrator::Add(double score) {
  ++bins_[BinOf(score)];
  ++samples_;
  if (samples_ >= kHalveAt) Halve();
  if (--until_fit_ > 0) return;
  Fit();
  until_fit_ = std::clamp<std::uint32_t>(samples_ / 16, 1, 64);
}

// Rounds up, so that the rare large scores are not forgotten first.
void TailCalibrator::Halve() {
  samples_ = 0;
  for (std::uint16_t& count : bins_) {
    count = static_cast<std::uint16_t>((count + 1u) / 2);
    samples_ += count;
  }
}

void TailCalibrator::Fit() {
  double wanted = kTailShare * samples_;
  if (wanted < kFewestPeaks) wanted = std::min(kFewestPeaks, samples_ / 2.0);
  double peaks = 0;
  std::size_t bin = kBins - 1;
  for (; bin > 0; --bin) {
    if (peaks + bins_[bin] > wanted && peaks >= kFewestPeaks / 2) break;
    peaks += bins_[bin];
  }
  threshold_ = LowerEdge(bin + 1);
  exceeded_ = samples_ > 0 ? peaks / samples_ : 0;
  shape_ = 0;
  scale_ = 1;
  if (peaks < 1) return;
  double mean = 0;
  double square = 0;
  for (std::size_t i = bin + 1; i < kBins; ++i) {
    if (bins_[i] == 0) continue;
    const double excess = (LowerEdge(i) + LowerEdge(i + 1)) / 2 - threshold_;
    mean += bins_[i] * excess;
    square += bins_[i] * excess * excess;
  }
  mean /= peaks;
  const double variance = std::max(square / peaks - mean * mean, mean * mean * 0.1);
  shape_ = std::clamp(0.5 * (1 - mean * mean / variance), kLeastShape, kMostShape);
  scale_ = std::max(mean * (1 - shape_), 1e-300);
}

double TailCalibrator::Bits(double score) const {
  if (samples_ < kFewest) return 0;
  double bits = 0;
  if (!(score >= threshold_) || exceeded_ <= 0) {
    double above = 0;
    for (std::size_t i = BinOf(score); i < kBins; ++i) above += bins_[i];
    bits = -std::log2((above + 0.5) / (samples_ + 1.0));
  } else {
    const double excess = (score - threshold_) / scale_;
    double nats = kMostBits;
    if (std::abs(shape_) < 1e-6) {
      nats = excess;
    } else if (1 + shape_ * excess > 0) {
      nats = std::log1p(shape_ * excess) / shape_;
    }
    bits = std::min(nats / std::numbers::ln2 - std::log2(exceeded_), kMostBits);
  }
  const double supported = std::log2(samples_ + 2.0);
  if (bits > supported) bits = supported + 0.5 * std::log2(1 + bits - supported);
  return std::max(bits, 0.0);
}

double TailCalibrator::ScoreAt(double bits) const {
  if (samples_ < kFewest) return 0;
  if (exceeded_ > 0 && bits > -std::log2(exceeded_)) {
    const double nats = bits * std::numbers::ln2 + std::log(exceeded_);
    const double excess =
        std::abs(shape_) < 1e-6 ? nats : std::expm1(shape_ * std::min(nats, 700.0)) / shape_;
    return threshold_ + scale_ * excess;
  }
  const double wanted = std::exp2(-bits) * samples_;
  double above = 0;
  std::size_t bin = kBins - 1;
  for (; bin > 0; --bin) {
    above += bins_[bin];
    if (above >= wanted) break;
  }
  return LowerEdge(bin);
}

}  // namespace nta
