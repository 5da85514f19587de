#include "nta/schedule/job_timing.h"

#include <time.h>

#include <array>
#include <cstdio>

#include "base/status.h"

namespace nta {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr seconds kLongest = days(366);

// Wall-clock time of a zone, as if it were UTC.
using WallTime = ScheduleTime;

// The moment at which clocks of the zone show `wall`.
ScheduleTime MomentOf(WallTime wall, const ZoneOffset& offset) {
  // The offsets in force a day before and a day after enclose at most one change.
  const seconds before = offset(wall - days(1));
  const seconds after = offset(wall + days(1));
  const ScheduleTime by_old = wall - before;
  const ScheduleTime by_new = wall - after;
  // Of two moments that both show it the first is meant; where none does, the old offset gives the
  // time that the clocks would have shown.
  if (offset(by_old) == before || offset(by_new) != after) return by_old;
  return by_new;
}

ScheduleTime NextDaily(const Daily& daily, ScheduleTime after, const ZoneOffset& offset) {
  const bool is_utc = daily.zone == DayZone::kUtc;
  const ZoneOffset none = [](ScheduleTime) { return seconds(0); };
  const ZoneOffset& zone = is_utc ? none : offset;
  const auto today = std::chrono::floor<days>(after + zone(after));
  for (int day = -1; day <= 2; ++day) {
    const ScheduleTime moment = MomentOf(WallTime(today) + days(day) + daily.at, zone);
    if (moment > after) return moment;
  }
  return after + days(1);
}

std::string Interval(seconds interval) {
  if (interval % hours(24) == seconds(0)) return std::to_string(interval / hours(24)) + " d";
  if (interval % hours(1) == seconds(0)) return std::to_string(interval / hours(1)) + " h";
  if (interval % minutes(1) == seconds(0)) return std::to_string(interval / minutes(1)) + " min";
  return std::to_string(interval.count()) + " s";
}

}  // namespace

std::string ToString(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) return "every " + Interval(every->interval);
  const Daily& daily = std::get<Daily>(timing);
  const auto of_day = daily.at.count();
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "daily at %02d:%02d", static_cast<int>(of_day / 60),
                static_cast<int>(of_day % 60));
  return std::string(text.data()) + (daily.zone == DayZone::kUtc ? " UTC" : " local time");
}

absl::Status CheckTiming(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) {
    if (every->interval >= seconds(1) && every->interval <= kLongest) return absl::OkStatus();
    return base::InvalidArgument("an interval is 1 second to 366 days");
  }
  const minutes at = std::get<Daily>(timing).at;
  if (at >= minutes(0) && at < hours(24)) return absl::OkStatus();
  return base::InvalidArgument("a time of day is 00:00 to 23:59");
}

seconds SystemZoneOffset(ScheduleTime time) {
  const std::time_t moment = std::chrono::floor<seconds>(time).time_since_epoch().count();
  std::tm local{};
  if (localtime_r(&moment, &local) == nullptr) return seconds(0);
  return seconds(local.tm_gmtoff);
}

ScheduleTime NextTime(const JobTiming& timing, ScheduleTime after, const ZoneOffset& offset) {
  if (const auto* every = std::get_if<Every>(&timing)) return after + every->interval;
  return NextDaily(std::get<Daily>(timing), after, offset);
}

}  // namespace nta
