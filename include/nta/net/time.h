// Points in time and spans of time, as every nta value uses them.
//
//   nta::Timestamp seen = packet.time;
//   if (seen - flow.first_seen > std::chrono::seconds(30)) ...
#ifndef NTA_NET_TIME_H_
#define NTA_NET_TIME_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta {

using Duration = std::chrono::nanoseconds;

// Nanoseconds since 1970-01-01T00:00:00 UTC, leap seconds not counted (Unix time); 1677 to 2262.
using Timestamp = std::chrono::sys_time<Duration>;

// The range in which the library keeps the times of packets, 1823 to 2116: less than 2^62 ns either
// way, so that the difference of any two fits a Duration.
inline constexpr Timestamp kMinPacketTime{Duration(1 - (std::int64_t{1} << 62))};
inline constexpr Timestamp kMaxPacketTime{Duration((std::int64_t{1} << 62) - 1)};

// RFC 3339 in UTC with nine fractional digits: "2026-11-22T08:00:00.000000000Z".
std::string ToString(Timestamp time);

// Reads RFC 3339 with any offset and 0 to 9 fractional digits. InvalidArgument names what is wrong.
absl::StatusOr<Timestamp> ParseTimestamp(std::string_view text);

}  // namespace nta

#endif  // NTA_NET_TIME_H_
