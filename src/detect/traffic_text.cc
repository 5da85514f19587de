#include "detect/traffic_text.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "absl/strings/str_format.h"

namespace nta::detect {

std::string BytesText(double bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 999.5 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  const std::string number =
      bytes < 9.95 && unit > 0 ? absl::StrFormat("%.1f", bytes) : absl::StrFormat("%.0f", bytes);
  return number + " " + std::string(kUnits[unit]);
}

std::string SpanText(double seconds) {
  if (seconds < 10) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 120) return absl::StrFormat("%.0f s", seconds);
  if (seconds < 7200) return absl::StrFormat("%.0f min", seconds / 60);
  if (seconds < 2 * 86400) return absl::StrFormat("%.1f h", seconds / 3600);
  return absl::StrFormat("%.0f days", seconds / 86400);
}

bool IsExternal(const IpAddress& address) {
  if (address.is_private() || address.is_multicast() || address.is_loopback()) return false;
  const auto bytes = address.bytes();
  const bool is_same = std::ranges::all_of(bytes, [&](std::uint8_t b) { return b == bytes[0]; });
  return !is_same || (bytes[0] != 0 && bytes[0] != 255);
}

}  // namespace nta::detect
