// ScanTest: the numbers of the sequential hypothesis test, ready for use. docs/detection.md derives
// them.
#ifndef NTA_SRC_DETECT_SCAN_TEST_H_
#define NTA_SRC_DETECT_SCAN_TEST_H_

#include <cstddef>

#include "nta/detect/port_scan_detector.h"

namespace nta::detect {

// In bits, that is log2 of likelihood ratios.
struct ScanTest {
  double failure_bits = 0;    // a failed first contact adds this
  double success_bits = 0;    // a successful one takes this away
  double threshold_bits = 0;  // the alert is raised here

  static ScanTest From(const PortScanOptions& options);
};

// More evidence than this says nothing further, and a source has to be able to come back from it.
inline constexpr double kMaxScoreBits = 64;
// One failure is forgiven in this time, so that a dead host a day never adds up to a scan.
inline constexpr Duration kForgiveOneFailure = std::chrono::hours(24);
// A datagram without an answer, where half of the first ones have none and a scanner's have none:
// log2(0.95 / 0.5). One is forgiven an hour, and the sum has to be half as large again as that of
// other failures: what is slower than the fan-out limits is not urgent.
inline constexpr double kSilentFailureBits = 0.93;
inline constexpr Duration kForgiveOneSilence = std::chrono::hours(1);
inline constexpr double kSilentThreshold = 1.5;
// Weight in the score of a contact that only the fan-out limits count: half of all unanswered
// datagrams are no scan.
inline constexpr double kWeakFailureBits = 0.8;

// The options with every value moved into the range in which it makes sense.
PortScanOptions Sane(PortScanOptions options);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SCAN_TEST_H_
