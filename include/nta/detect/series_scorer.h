// SeriesScorer: how unusual is the latest value of a measurement that has daily and weekly rhythms.
//
//   nta::SeriesScorer bytes;
//   nta::SeriesScore now = bytes.Add(time, value);
//   if (now.score > 12) std::cout << now.expected << " was expected\n";
#ifndef NTA_DETECT_SERIES_SCORER_H_
#define NTA_DETECT_SERIES_SCORER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "nta/net/time.h"

namespace nta {

// What about the value is unusual.
enum class SeriesAspect : std::uint8_t {
  kStep = 0,         // the change since the last value
  kSeason = 1,       // against the same time of other weeks or days
  kSeasonShift = 2,  // the same, over hours
  kLevel = 3,        // the mean of the last 48 values against that of the long run
  kVolatility = 4,   // the spread of the last 24 values: restless, or strangely flat
  kShape = 5,        // the course of the last 24 values resembles none before
  kPattern = 6,      // likewise the last 96
  kRange = 7,        // larger or smaller than ever
};
std::string_view ToString(SeriesAspect aspect);  // "step", "season", "season_shift", ...

struct SeriesScore {
  // What is new: `bits`, held down for a day after a surprise unless a clearly larger one comes, so
  // that one incident gives one peak.
  double score = 0;
  double bits = 0;      // surprise of this value: -log2 of the chance, by its own history
  double expected = 0;  // by season and level
  double band_low = 0;  // where 99.9 % of the values lie
  double band_high = 0;
  SeriesAspect aspect = SeriesAspect::kStep;  // the most unusual one
  bool is_warm = false;  // false for the first values, of which nothing can be said
};

struct SeriesScorerOptions {
  enum class Detail : std::uint8_t {
    kFull,     // all aspects, on the values and on their logarithm: about 60 KB, 5 us a value
    kCompact,  // on the logarithm, without shape and week: about 8 KB, 1 us a value
  };
  Detail detail = Detail::kFull;
  // How long a surprise holds the next one down.
  Duration refractory = std::chrono::hours(24);
  // ... unless it has this many bits more.
  double refractory_bits = 2.5;
  // A surprise of at least this many bits starts it.
  double surprise_bits = 8;
  // Bits for a value outside of all values before.
  double range_bits = 4.5;
  // Values before anything is said.
  std::uint32_t warm_up = 100;
  // Values that surprise by more than this teach a tenth, so that an attack does not become normal;
  // 0: every value teaches alike. A shift that lasts for `regime_change` is then taken for the new
  // normal.
  double gate_bits = 0;
  Duration regime_change = std::chrono::hours(6);
};

// Online: the score of a value uses no later one. Each aspect is a residual whose own distribution
// is learnt (TailCalibrator); a value's bits are those of its most unusual aspect, plus a tenth of
// what the others have above six bits, averaged over up to four views (values and their logarithms,
// both tails together and apart). Times may be irregular; a time before the latest one counts as
// the latest. Values that are not finite are left out and score 0.
class SeriesScorer {
 public:
  explicit SeriesScorer(SeriesScorerOptions options = {});
  ~SeriesScorer();
  SeriesScorer(SeriesScorer&&) noexcept;
  SeriesScorer& operator=(SeriesScorer&&) noexcept;

  SeriesScore Add(Timestamp time, double value);
  // What a value at `time` would be expected to be.
  double Expected(Timestamp time) const;

  std::uint64_t values() const;
  std::size_t memory_bytes() const;
  // Versioned, with a checksum.
  std::string Save() const;
  // InvalidArgument for a state of another detail or version, DataLoss for a damaged one; then
  // nothing has changed.
  absl::Status Load(std::string_view state);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_SERIES_SCORER_H_
