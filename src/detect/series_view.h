// SeriesView: one way to look at a series (its values, or their logarithms): what it expects and
// how the latest value differs from that, aspect by aspect.
#ifndef NTA_SRC_DETECT_SERIES_VIEW_H_
#define NTA_SRC_DETECT_SERIES_VIEW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "detect/number_archive.h"
#include "detect/shape_memory.h"
#include "nta/detect/series_scorer.h"
#include "nta/detect/tail_calibrator.h"

namespace nta::detect {

inline constexpr std::size_t kAspects = 8;

// Bits of each aspect; 0 where nothing can be said.
using AspectBits = std::array<double, kAspects>;

// Where in the day and week a moment is, and how long after the value before.
struct SeriesMoment {
  std::size_t hour_slot = 0;  // 0 to 47: hours of work days, then of weekends (UTC)
  std::size_t week_slot = 0;  // 0 to 335: half hours of the week
  double step_seconds = 300;
};
SeriesMoment MomentOf(Timestamp time, double step_seconds);

class SeriesView {
 public:
  SeriesView(bool logarithmic, SeriesScorerOptions::Detail detail);

  // Bits with both tails together, and with the upper and the lower tail apart.
  struct Bits {
    AspectBits together{};
    AspectBits apart{};
  };
  // `weight` of what is learnt, 0 to 1; `calibrate` says whether the distributions learn, too.
  struct Lesson {
    double weight = 1;
    bool calibrate = true;
  };
  // What the value would score ...
  Bits Score(double value, const SeriesMoment& moment);
  // ... and, after that, the learning of the same value.
  void Learn(const Lesson& lesson);

  // In the units of the values.
  double Expected(const SeriesMoment& moment) const;
  // Half the width of the band, in the units of the view.
  double BandAt(double bits) const;
  double Forward(double value) const;
  double Backward(double value) const;
  std::size_t memory_bytes() const;

  template <typename Archive>
  void Fields(Archive& archive);

 private:
  static constexpr std::size_t kHours = 48;
  static constexpr std::size_t kHalfHours = 336;
  static constexpr std::size_t kRing = 96;
  static constexpr std::size_t kSigned = 5;  // aspects whose residual has a sign: the first five

  struct Slot {
    float mean = 0;
    float count = 0;
  };
  struct Tails {
    TailCalibrator together;
    TailCalibrator above;
    TailCalibrator below;
  };

  bool is_full() const { return !week_.empty(); }
  // Absent when the slots have seen too little.
  bool SeasonAt(const SeriesMoment& moment, double& mean) const;
  double MeanOfLast(std::size_t values) const;
  double VolatilityOfLast(std::size_t values) const;
  ShapeMemory::Shape ShapeOfLast(std::size_t values) const;
  void Push(double y);
  void Residuals(const SeriesMoment& moment, double y);
  void CountResidual(std::size_t aspect, double residual);
  void Calibrate();
  void Advance(double weight);

  bool logarithmic_;
  std::uint64_t seen_ = 0;
  double slow_ = 0;
  double previous_ = 0;
  double spread_ = 0;  // mean distance from slow_
  double shift_ = 0;   // recent mean of the seasonal residual
  double volatility_ = 0;
  std::vector<float> ring_;
  std::size_t ring_next_ = 0;
  std::vector<Slot> hours_;
  std::vector<Slot> week_;  // empty when compact
  ShapeMemory shapes_;
  ShapeMemory patterns_;
  std::vector<TailCalibrator> together_;  // one for each aspect but range
  std::vector<TailCalibrator> above_;     // signed aspects, when full
  std::vector<TailCalibrator> below_;

  // Of the value in hand, between Score and Learn.
  double y_ = 0;
  double floor_ = 0;
  SeriesMoment moment_{};
  std::array<double, kAspects> residuals_{};
  std::array<bool, kAspects> known_{};
};

template <typename Archive>
void SeriesView::Fields(Archive& archive) {
  archive(seen_);
  for (double* value : {&slow_, &previous_, &spread_, &shift_, &volatility_}) Real(archive, *value);
  Reals(archive, ring_);
  archive(ring_next_);
  for (std::vector<Slot>* slots : {&hours_, &week_}) {
    for (Slot& slot : *slots) {
      Real(archive, slot.mean);
      Real(archive, slot.count);
    }
  }
  if constexpr (Archive::kReads) {
    if (ring_next_ >= kRing) archive.Fail();
  }
  if (is_full()) {
    shapes_.Fields(archive);
    patterns_.Fields(archive);
  }
  for (std::vector<TailCalibrator>* tails : {&together_, &above_, &below_}) {
    for (TailCalibrator& tail : *tails) {
      const bool is_sound = tail.Fields(archive);
      if constexpr (Archive::kReads) {
        if (!is_sound) archive.Fail();
      }
    }
  }
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SERIES_VIEW_H_
