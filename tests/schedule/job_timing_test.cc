#include "nta/schedule/job_timing.h"

#include <gtest/gtest.h>

namespace nta {
namespace {

using namespace std::chrono_literals;
using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;

// Middle Europe in 2027: clocks go forward on March 28 at 01:00 UTC, back on October 31 at 01:00.
seconds Berlin(ScheduleTime time) {
  const ScheduleTime forward = sys_days(std::chrono::year(2027) / 3 / 28) + 1h;
  const ScheduleTime back = sys_days(std::chrono::year(2027) / 10 / 31) + 1h;
  return time >= forward && time < back ? seconds(2h) : seconds(1h);
}

ScheduleTime At(int month, unsigned day, std::chrono::minutes time) {
  return sys_days(std::chrono::year(2027) / month / day) + time;
}

ScheduleTime Next(std::chrono::minutes at, DayZone zone, ScheduleTime after) {
  return NextTime(Daily{at, zone}, after, &Berlin);
}

TEST(JobTiming, DailyInUtcIgnoresTheZone) {
  EXPECT_EQ(Next(3h, DayZone::kUtc, At(3, 28, 0min)), At(3, 28, 3h));
  EXPECT_EQ(Next(3h, DayZone::kUtc, At(3, 28, 3h)), At(3, 29, 3h));
  EXPECT_EQ(Next(0min, DayZone::kUtc, At(3, 28, 0min)), At(3, 29, 0min));
}

TEST(JobTiming, DailyInLocalTimeFollowsTheClockOnTheWall) {
  EXPECT_EQ(Next(12h, DayZone::kLocal, At(3, 27, 0min)), At(3, 27, 11h));
  EXPECT_EQ(Next(12h, DayZone::kLocal, At(3, 28, 0min)), At(3, 28, 10h));
  EXPECT_EQ(Next(30min, DayZone::kLocal, At(3, 27, 23h)), At(3, 27, 23h + 30min));
}

TEST(JobTiming, ATimeThatADayDoesNotHaveIsTakenLater) {
  // 02:30 does not come on March 28: clocks then show 03:30.
  EXPECT_EQ(Next(2h + 30min, DayZone::kLocal, At(3, 28, 0min)), At(3, 28, 1h + 30min));
  EXPECT_EQ(Next(2h + 30min, DayZone::kLocal, At(3, 28, 1h + 30min)), At(3, 29, 30min));
}

TEST(JobTiming, ATimeThatADayHasTwiceIsTakenOnce) {
  // 02:30 comes at 00:30 and at 01:30 UTC on October 31.
  EXPECT_EQ(Next(2h + 30min, DayZone::kLocal, At(10, 31, 0min)), At(10, 31, 30min));
  EXPECT_EQ(Next(2h + 30min, DayZone::kLocal, At(10, 31, 30min)), At(11, 1, 1h + 30min));
}

// Whatever the time of day and the offsets, each day has its run.
TEST(JobTiming, ComesExactlyOnceEachCalendarDay) {
  for (int at = 0; at < 24 * 60; at += 7) {
    ScheduleTime time = At(1, 1, 0min) - 1h - 1s;  // local midnight, all but a second
    const auto first = std::chrono::floor<days>(time + 1s + 1h);
    for (int day = 0; day < 365; ++day) {
      time = Next(std::chrono::minutes(at), DayZone::kLocal, time);
      ASSERT_EQ(std::chrono::floor<days>(time + Berlin(time)), first + days(day)) << at;
    }
  }
}

TEST(JobTiming, SaysItselfInWords) {
  EXPECT_EQ(ToString(Every{30s}), "every 30 s");
  EXPECT_EQ(ToString(Every{90s}), "every 90 s");
  EXPECT_EQ(ToString(Every{300s}), "every 5 min");
  EXPECT_EQ(ToString(Every{48h}), "every 2 d");
  EXPECT_EQ(ToString(Daily{3h + 5min, DayZone::kLocal}), "daily at 03:05 local time");
  EXPECT_EQ(ToString(Daily{0min}), "daily at 00:00 UTC");
}

TEST(JobTiming, TheSystemsZoneIsWithinADay) {
  const seconds offset = SystemZoneOffset(At(6, 1, 0min));
  EXPECT_LT(offset, seconds(24h));
  EXPECT_GT(offset, seconds(-24h));
}

}  // namespace
}  // namespace nta
