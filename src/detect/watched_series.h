// WatchedSeries: one series of a baseline, from binned values to "this is not usual".
#ifndef NTA_SRC_DETECT_WATCHED_SERIES_H_
#define NTA_SRC_DETECT_WATCHED_SERIES_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "detect/number_archive.h"
#include "nta/detect/series_scorer.h"

namespace nta::detect {

// What a bin's value turned out to be.
struct SeriesFinding {
  bool is_unusual = false;  // for the second bin in a row
  SeriesScore score;
  double value = 0;
};

class WatchedSeries {
 public:
  explicit WatchedSeries(const SeriesScorerOptions& options) : scorer_(options) {}

  // `needed` bits make the first bin; the second only has to lie outside the band, on the same
  // side, with half of them. So a single odd bin never alerts, and a lasting one stays.
  SeriesFinding Add(Timestamp time, double value, double needed) {
    SeriesFinding finding{false, scorer_.Add(time, value), value};
    const SeriesScore& score = finding.score;
    const int side = value > score.band_high ? 1 : (value < score.band_low ? -1 : 0);
    if (value > 0 && active_ < kFewestActive) ++active_;
    // Of what has hardly ever shown any traffic, "usually nothing" is all that is known.
    const bool is_known = score.is_warm && active_ >= kFewestActive;
    const bool is_first = is_known && side != 0 && score.score >= needed;
    const bool goes_on = is_known && side != 0 && side == side_ && score.bits >= needed / 2;
    finding.is_unusual = goes_on;
    side_ = is_first || goes_on ? side : 0;
    return finding;
  }
  std::size_t memory_bytes() const { return sizeof(*this) + scorer_.memory_bytes(); }

  template <typename Archive>
  void Fields(Archive& archive) {
    std::uint8_t side = static_cast<std::uint8_t>(side_ + 1);
    archive(side);
    archive(active_);
    if (side > 2) side = 1;
    side_ = side - 1;
    if constexpr (Archive::kReads) {
      std::string state;
      archive(state);
      if (!scorer_.Load(state).ok()) archive.Fail();
    } else {
      archive(scorer_.Save());
    }
  }

 private:
  static constexpr std::uint32_t kFewestActive = 60;

  SeriesScorer scorer_;
  std::uint32_t active_ = 0;  // bins with anything in them, up to kFewestActive
  int side_ = 0;              // of the band on which the last bins lay; 0: within
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_WATCHED_SERIES_H_
