// ScoreBeacon(): how much a series of connections looks like a program calling home.
//
//   nta::BeaconScore score = nta::ScoreBeacon(intervals_in_seconds, bytes_sent);
#ifndef NTA_DETECT_BEACON_SCORE_H_
#define NTA_DETECT_BEACON_SCORE_H_

#include <span>

namespace nta {

struct BeaconScore {
  double intervals = 0;       // regularity of the pauses, 0 to 1
  double sizes = 0;           // of the bytes sent, 0 to 1; 0 without any
  double score = 0;           // both together, 0 to 1
  double bits = 0;            // -log2 of the chance of such pauses if connections came at random
  double period_seconds = 0;  // the median pause
  double jitter = 0;          // median deviation from it, as a part of it
};

// `intervals` are seconds between the starts of successive connections, in any order; `sizes` the
// bytes that each sent. 0 with fewer than four intervals. Jitter of any distribution lowers the
// regularity in proportion; two alternating periods, and pauses left out now and then, do not fool
// it.
BeaconScore ScoreBeacon(std::span<const float> intervals, std::span<const float> sizes);

}  // namespace nta

#endif  // NTA_DETECT_BEACON_SCORE_H_
