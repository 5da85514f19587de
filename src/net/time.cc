#include "nta/net/time.h"

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <limits>

#include "base/status.h"

namespace nta {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

absl::Status Wrong(std::string_view text, std::string_view why) {
  return base::InvalidArgument("not an RFC 3339 time: \"" + std::string(text.substr(0, 64)) +
                               "\": " + std::string(why));
}

// Takes exactly `count` digits off the front.
bool TakeNumber(std::string_view& text, std::size_t count, int& value) {
  if (text.size() < count) return false;
  value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return true;
}

bool TakeChar(std::string_view& text, std::string_view allowed) {
  if (text.empty() || allowed.find(text[0]) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

bool TakeFraction(std::string_view& text, std::int64_t& nanoseconds) {
  nanoseconds = 0;
  if (!TakeChar(text, ".")) return true;
  std::int64_t scale = 100'000'000;
  std::size_t digits = 0;
  while (!text.empty() && text[0] >= '0' && text[0] <= '9') {
    if (++digits > 9) return false;
    nanoseconds += (text[0] - '0') * scale;
    scale /= 10;
    text.remove_prefix(1);
  }
  return digits > 0;
}

bool TakeOffset(std::string_view& text, std::chrono::minutes& offset) {
  if (TakeChar(text, "Zz")) return true;
  const bool negative = !text.empty() && text[0] == '-';
  int hours = 0;
  int minutes = 0;
  if (!TakeChar(text, "+-") || !TakeNumber(text, 2, hours) || !TakeChar(text, ":") ||
      !TakeNumber(text, 2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  offset = std::chrono::minutes((hours * 60 + minutes) * (negative ? -1 : 1));
  return true;
}

}  // namespace

std::string ToString(Timestamp time) {
<<<<<<< HEAD
  // Whole days and the rest apart, because the first nanosecond of the first day is out of range.
  constexpr std::int64_t kNanosecondsPerDay = std::chrono::nanoseconds(days(1)).count();
  const std::int64_t count = time.time_since_epoch().count();
  std::int64_t day = count / kNanosecondsPerDay;
  std::int64_t rest = count % kNanosecondsPerDay;
  if (rest < 0) {
    --day;
    rest += kNanosecondsPerDay;
  }
  const std::chrono::year_month_day date{sys_days(days(day))};
  const std::chrono::hh_mm_ss clock(Duration{rest});
=======
  // std::chrono::floor goes back to nanoseconds, which overflow on the first day of the range.
  constexpr std::int64_t kPerSecond = 1'000'000'000;
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t fraction = (count % kPerSecond + kPerSecond) % kPerSecond;
  const std::chrono::sys_seconds second(
      std::chrono::seconds(count / kPerSecond - (count % kPerSecond < 0 ? 1 : 0)));
  const auto day = std::chrono::floor<days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
>>>>>>> refs/heads/detect
  char text[48];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02uT%02d:%02d:%02d.%09lldZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<long long>(fraction));
  return text;
}

absl::StatusOr<Timestamp> ParseTimestamp(std::string_view text) {
  std::string_view rest = text;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (!TakeNumber(rest, 4, year) || !TakeChar(rest, "-") || !TakeNumber(rest, 2, month) ||
      !TakeChar(rest, "-") || !TakeNumber(rest, 2, day)) {
    return Wrong(text, "the date must be YYYY-MM-DD");
  }
  if (!TakeChar(rest, "Tt ") || !TakeNumber(rest, 2, hour) || !TakeChar(rest, ":") ||
      !TakeNumber(rest, 2, minute) || !TakeChar(rest, ":") || !TakeNumber(rest, 2, second)) {
    return Wrong(text, "the time must be THH:MM:SS");
  }
  std::int64_t nanoseconds = 0;
  std::chrono::minutes offset{0};
  if (!TakeFraction(rest, nanoseconds)) return Wrong(text, "the fraction must have 1 to 9 digits");
  if (!TakeOffset(rest, offset)) return Wrong(text, "the offset must be Z or +HH:MM");
  if (!rest.empty()) return Wrong(text, "text follows the offset");
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  // 60 is a leap second (RFC 3339 5.6); Unix time has no place for it, so it counts as the next
  // second.
  if (!date.ok() || hour > 23 || minute > 59 || second > 60)
    return Wrong(text, "no such date or time");
  // Nanoseconds in 64 bits reach from 1677 to 2262.
  if (year < 1678 || year > 2261) return Wrong(text, "the year must be within 1678 to 2261");
  return Timestamp(sys_days(date).time_since_epoch() + std::chrono::hours(hour) +
                   std::chrono::minutes(minute) - offset + std::chrono::seconds(second) +
                   Duration(nanoseconds));
}

}  // namespace nta
