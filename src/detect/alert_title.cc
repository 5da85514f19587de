#include "nta/detect/alert_title.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <variant>

namespace nta {
namespace {

// Indexed by the class's number.
constexpr std::array<std::string_view, 16> kClassTitles = {
    "Port scan",  "Host sweep",       "SYN flood",           "UDP flood",
    "ICMP flood", "Amplification",    "Brute force",         "Beacon",
    "DNS tunnel", "Exfiltration",     "ARP spoofing",        "Unusual traffic",
    "Rare peer",  "Policy violation", "Unauthorised access", "Flash crowd"};
static_assert(static_cast<std::size_t>(AlertClass::kFlashCrowd) + 1 == kClassTitles.size());

// A text of the evidence; empty when there is none.
std::string_view TextOf(const Alert& alert, const char* name) {
  const auto found = alert.evidence.find(name);
  const auto* text =
      found == alert.evidence.end() ? nullptr : std::get_if<std::string>(&found->second);
  return text == nullptr ? std::string_view() : std::string_view(*text);
}

}  // namespace

std::string AlertTitle(const Alert& alert) {
  // A rule's class says nothing, its author's words do.
  if (const auto title = TextOf(alert, "title");
      alert.detector.starts_with("rule:") && !title.empty()) {
    return std::string(title);
  }
  // Nobody broke a rule where a disk is full.
  if (alert.detector == "health") return "Health";
  if (alert.alert_class == AlertClass::kPolicy) {
    const std::string_view rule = TextOf(alert, "rule");
    if (rule == "internal_service") return "Internal service reached from outside";
    if (rule == "block_list") return "Contact with a blocked address or name";
    if (rule == "new_dhcp_server") return "New DHCP server";
  }
  const auto index = static_cast<std::size_t>(alert.alert_class);
  return std::string(index < kClassTitles.size() ? kClassTitles[index] : "Alert");
}

}  // namespace nta
