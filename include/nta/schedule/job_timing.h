// When a job runs: every so often, or once a day at a time of the clock on the wall.
//
//   nta::JobTiming nightly = nta::Daily{.at = std::chrono::hours(3), .zone = nta::DayZone::kLocal};
#ifndef NTA_SCHEDULE_JOB_TIMING_H_
#define NTA_SCHEDULE_JOB_TIMING_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "absl/status/status.h"

namespace nta {

// The type of nta::Timestamp.
using ScheduleTime = std::chrono::sys_time<std::chrono::nanoseconds>;

struct Every {
  std::chrono::seconds interval{};  // 1 second to 366 days

  friend bool operator==(const Every&, const Every&) = default;
};

enum class DayZone : std::uint8_t { kUtc = 0, kLocal = 1 };

// Exactly once each calendar day of the zone. A local time that a day does not have (clocks go
// forward) is taken as much later as the clocks were moved; of one that it has twice, the first.
struct Daily {
  std::chrono::minutes at{};  // since midnight, 0 to 1,439
  DayZone zone = DayZone::kUtc;

  friend bool operator==(const Daily&, const Daily&) = default;
};

using JobTiming = std::variant<Every, Daily>;

// "every 30 s", "every 2 h", "daily at 03:30 local time"
std::string ToString(const JobTiming& timing);
// InvalidArgument when an interval or a time of day is out of range.
absl::Status CheckTiming(const JobTiming& timing);

// Local time minus UTC at a moment.
using ZoneOffset = std::function<std::chrono::seconds(ScheduleTime)>;
// Of the system's time zone (TZ, /etc/localtime).
std::chrono::seconds SystemZoneOffset(ScheduleTime time);

// The first time after `after`. Intervals count from `after`.
ScheduleTime NextTime(const JobTiming& timing, ScheduleTime after, const ZoneOffset& offset);

}  // namespace nta

#endif  // NTA_SCHEDULE_JOB_TIMING_H_
