// AlertLife: one alert from its opening to the time when it can no longer be opened again.
#ifndef NTA_SRC_DETECT_ALERT_LIFE_H_
#define NTA_SRC_DETECT_ALERT_LIFE_H_

#include <cstdint>
#include <vector>

#include "nta/detect/alert.h"
#include "nta/detect/alert_tracker.h"
#include "nta/net/time.h"

namespace nta::detect {

struct AlertLife {
  std::uint64_t number = 0;  // in the id; orders what falls due at the same time
  Alert alert;               // as last filled
  bool open = false;
  bool pending = false;  // there is news that waits for the update interval
  double reported_magnitude = 0;
  Severity reported_severity = Severity::kInfo;
  Timestamp last_report{};
  Timestamp last_raised{};
  Duration hold{};
  Timestamp closed{};

  // The detector has found it again, or for the first time; `alert` has been filled.
  void Raise(double magnitude, Duration hold_for, Timestamp now, const AlertTrackerOptions& options,
             AlertTrackerStats& stats, std::vector<Alert>& alerts);
  void Close(Timestamp now, AlertTrackerStats& stats, std::vector<Alert>& alerts);
  // What happens next if nothing else does: a report, the closing, or being forgotten.
  Timestamp Due(const AlertTrackerOptions& options) const;
  // Lets that happen. True when the alert can be forgotten.
  bool Happen(const AlertTrackerOptions& options, AlertTrackerStats& stats,
              std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;

 private:
  void Report(AlertState state, Timestamp time, std::vector<Alert>& alerts);
};

// Bytes of an alert on the heap, roughly.
std::size_t HeapBytes(const Alert& alert);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_ALERT_LIFE_H_
