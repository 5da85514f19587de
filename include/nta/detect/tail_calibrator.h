// TailCalibrator: turns any score into bits of surprise by what the same score was before.
//
//   double bits = calibrator.Bits(score);  // -log2 of the chance of such a score
//   calibrator.Add(score);
#ifndef NTA_DETECT_TAIL_CALIBRATOR_H_
#define NTA_DETECT_TAIL_CALIBRATOR_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace nta {

// A histogram of logarithmic bins (eight an octave) for the body of the distribution, and above its
// 98 % quantile a generalised Pareto tail fitted to the excesses by the method of moments (Hosking
// and Wallis 1987), as the peaks-over-threshold scheme of SPOT does (Siffer, Fouque, Termier,
// Largouet 2017), with the histogram in place of the list of peaks. Beyond what the number of
// samples can support, bits grow only with the logarithm. 1 KB; Add and Bits take about 0.1 us.
//
// Old samples count half each time 32,768 new ones have come, so it follows what drifts.
class TailCalibrator {
 public:
  // Scores are 0 or more; negative ones and NaN count as 0.
  void Add(double score);
  // 0 until ten samples have come.
  double Bits(double score) const;
  // The score that has this many bits, within the tail's model; 0 until ten samples have come.
  double ScoreAt(double bits) const;
  std::uint32_t samples() const { return samples_; }

  // For Save and Load of what contains one: Archive is called with each number, both ways.
  template <typename Archive>
  bool Fields(Archive& archive) {
    archive(bins_);
    archive(samples_);
    archive(until_fit_);
    for (double* number : {&threshold_, &exceeded_, &shape_, &scale_}) archive.Real(*number);
    std::uint32_t sum = 0;
    for (const std::uint16_t count : bins_) sum += count;
    return sum == samples_ && until_fit_ > 0 && threshold_ >= 0 && exceeded_ >= 0 &&
           exceeded_ <= 1 && shape_ >= -1 && shape_ <= 1 && scale_ > 0;
  }

 private:
  static constexpr std::size_t kBins = 512;

  static std::size_t BinOf(double score);
  void Fit();
  void Halve();

  std::array<std::uint16_t, kBins> bins_{};
  std::uint32_t samples_ = 0;
  std::uint32_t until_fit_ = 1;  // samples until the tail is fitted again
  // The tail: the chance to exceed `threshold_`, and the shape and scale of the excess.
  double threshold_ = 0;
  double exceeded_ = 0;
  double shape_ = 0;
  double scale_ = 1;
};

}  // namespace nta

#endif  // NTA_DETECT_TAIL_CALIBRATOR_H_
