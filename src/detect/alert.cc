#include "nta/detect/alert.h"

#include <array>
#include <cstddef>
#include <span>

#include "base/status.h"

namespace nta {
namespace {

// Indexed by the enumerator's number.
constexpr std::array<std::string_view, 16> kClassNames = {
    "port_scan",  "host_sweep",    "syn_flood",           "udp_flood",
    "icmp_flood", "amplification", "brute_force",         "beacon",
    "dns_tunnel", "exfiltration",  "arp_spoof",           "traffic_anomaly",
    "rare_peer",  "policy",        "unauthorised_access", "flash_crowd"};
static_assert(static_cast<std::size_t>(AlertClass::kFlashCrowd) + 1 == kClassNames.size());
constexpr std::array<std::string_view, 5> kSeverityNames = {"info", "low", "medium", "high",
                                                            "critical"};
static_assert(static_cast<std::size_t>(Severity::kCritical) + 1 == kSeverityNames.size());
constexpr std::array<std::string_view, 3> kStateNames = {"open", "updated", "closed"};
static_assert(static_cast<std::size_t>(AlertState::kClosed) + 1 == kStateNames.size());

// A number outside the enumeration can only come from a cast of foreign data.
template <typename Enum>
std::string_view NameOf(Enum value, std::span<const std::string_view> names) {
  const auto index = static_cast<std::size_t>(value);
  return index < names.size() ? names[index] : "unknown";
}

template <typename Enum>
absl::StatusOr<Enum> ParseName(std::string_view text, std::string_view kind,
                               std::span<const std::string_view> names) {
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  // The text may be of any length and come from anybody.
  std::string message = "no " + std::string(kind) + " \"" + std::string(text.substr(0, 40)) +
                        (text.size() > 40 ? "...\" (have: " : "\" (have: ");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) message += ", ";
    message += names[i];
  }
  return base::InvalidArgument(message + ")");
}

}  // namespace

std::string_view ToString(AlertClass alert_class) { return NameOf(alert_class, kClassNames); }
absl::StatusOr<AlertClass> ParseAlertClass(std::string_view text) {
  return ParseName<AlertClass>(text, "alert class", kClassNames);
}

std::string_view ToString(Severity severity) { return NameOf(severity, kSeverityNames); }
absl::StatusOr<Severity> ParseSeverity(std::string_view text) {
  return ParseName<Severity>(text, "severity", kSeverityNames);
}

std::string_view ToString(AlertState state) { return NameOf(state, kStateNames); }
absl::StatusOr<AlertState> ParseAlertState(std::string_view text) {
  return ParseName<AlertState>(text, "alert state", kStateNames);
}

}  // namespace nta
