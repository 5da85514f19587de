#include "http/parameters.h"

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/status.h"

namespace nta::server {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kMaxPoints = 10'000;
constexpr std::int64_t kWantedPoints = 240;
constexpr std::array<std::int64_t, 12> kSteps = {60,   120,  300,   600,   900,   1800,
                                                 3600, 7200, 10800, 21600, 43200, 86400};

std::optional<std::int64_t> ParseNumber(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<seconds> UnitOf(char unit) {
  switch (unit) {
    case 's':
      return seconds(1);
    case 'm':
      return seconds(60);
    case 'h':
      return seconds(3600);
    case 'd':
      return seconds(86400);
    default:
      return std::nullopt;
  }
}

absl::StatusOr<Timestamp> ReadMoment(const Call& call, std::string_view name, Timestamp fallback,
                                     Timestamp now) {
  const std::string_view text = call.Query(name);
  if (text.empty()) return fallback;
  absl::StatusOr<Timestamp> moment = ParseMoment(text, now);
  if (moment.ok()) return moment;
  return base::InvalidArgument("parameter \"" + std::string(name) +
                               "\": " + std::string(moment.status().message()));
}

}  // namespace

absl::StatusOr<Timestamp> ParseMoment(std::string_view text, Timestamp now) {
  constexpr seconds kLongestAgo(100LL * 366 * 86400);
  if (text == "now") return now;
  if (!text.starts_with('-')) return ParseTimestamp(text);
  const auto unit = text.size() > 2 ? UnitOf(text.back()) : std::nullopt;
  const auto count = unit ? ParseNumber(text.substr(1, text.size() - 2)) : std::nullopt;
  if (!count || *count < 0 || *count > kLongestAgo / *unit) {
    return base::InvalidArgument(
        "expected RFC 3339, now, or a number with s, m, h or d as in -15m");
  }
  return now - *count * *unit;
}

absl::StatusOr<TimeInterval> ReadInterval(const Call& call, Timestamp now) {
  TimeInterval interval;
  NTA_ASSIGN_OR_RETURN(interval.until, ReadMoment(call, "until", now, now));
  NTA_ASSIGN_OR_RETURN(interval.since,
                       ReadMoment(call, "since", interval.until - std::chrono::hours(1), now));
  if (interval.since >= interval.until) {
    return base::InvalidArgument("parameter \"since\" is not before \"until\"");
  }
  return interval;
}

absl::StatusOr<std::size_t> ReadLimit(const Call& call, LimitRange range) {
  const std::string_view text = call.Query("limit");
  if (text.empty()) return range.default_value;
  const auto value = ParseNumber(text);
  if (!value || *value < 1 || static_cast<std::size_t>(*value) > range.max) {
    return base::InvalidArgument("parameter \"limit\" is a number from 1 to " +
                                 std::to_string(range.max));
  }
  return static_cast<std::size_t>(*value);
}

absl::StatusOr<Measure> ReadMeasure(const Call& call, std::string_view name) {
  const std::string_view text = call.Query(name);
  return text.empty() ? Measure::kBytes : ParseMeasure(text);
}

std::optional<Response> ReadFilter(const Call& call, FlowFilter& filter) {
  FilterError error;
  absl::StatusOr<FlowFilter> parsed = FlowFilter::Parse(call.Query("where"), &error);
  if (!parsed.ok()) {
    return Problem(400, "parameter \"where\": " + error.message,
                   ",\"position\":" + std::to_string(error.position));
  }
  filter = *std::move(parsed);
  return std::nullopt;
}

absl::StatusOr<seconds> ReadStep(const Call& call, const TimeInterval& interval) {
  const auto length = std::chrono::ceil<seconds>(interval.until - interval.since).count();
  const std::string_view text = call.Query("step");
  if (text.empty()) {
    for (const std::int64_t step : kSteps) {
      if (length / step <= kWantedPoints) return seconds(step);
    }
    constexpr std::int64_t kDay = 86400;
    return seconds((length / kWantedPoints / kDay + 1) * kDay);
  }
  const auto step = ParseNumber(text);
  if (!step || *step < 60 || *step % 60 != 0) {
    return base::InvalidArgument("parameter \"step\" is a multiple of 60 seconds");
  }
  if (length / *step > kMaxPoints) {
    return base::InvalidArgument(
        "parameter \"step\" gives more than 10000 points; take a longer one");
  }
  return seconds(*step);
}

}  // namespace nta::server
