#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/status.h"
#include "nta/firewall/protected_set.h"
#include "nta/firewall/rule.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

// The name of the value that stands at its own number.
template <typename Enum, std::size_t N>
std::string_view NameOf(const std::array<std::string_view, N>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < N ? names[index] : std::string_view("unknown");
}

template <typename Enum, std::size_t N>
absl::StatusOr<Enum> ValueOf(const std::array<std::string_view, N>& names, std::string_view what,
                             std::string_view text) {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  std::string message = "\"" + std::string(text.substr(0, 32)) + "\" is not a " + std::string(what);
  message += " (one of: ";
  for (std::size_t i = 0; i < N; ++i) message += (i == 0 ? "" : ", ") + std::string(names[i]);
  return base::InvalidArgument(message + ")");
}

constexpr std::array<std::string_view, 3> kDirections = {"in", "out", "forward"};
constexpr std::array<std::string_view, 4> kVerdicts = {"accept", "drop", "reject", "rate_limit"};
constexpr std::array<std::string_view, 4> kStates = {"new", "established", "related", "invalid"};
constexpr std::array<std::string_view, 2> kSetKinds = {"hosts", "prefixes"};
constexpr std::array<std::string_view, 5> kRoles = {"own", "gateway", "resolver", "administrator",
                                                    "configured"};
constexpr std::array<std::string_view, 4> kDecisions = {"accept", "drop", "reject", "undecidable"};
constexpr std::array<std::string_view, 4> kFindings = {"shadowed", "redundant", "unreachable",
                                                       "never_hit"};
constexpr std::array<std::string_view, 4> kChanges = {"added", "removed", "changed", "moved"};

}  // namespace

std::string_view ToString(RuleDirection direction) { return NameOf(kDirections, direction); }
absl::StatusOr<RuleDirection> ParseRuleDirection(std::string_view text) {
  return ValueOf<RuleDirection>(kDirections, "direction", text);
}
std::string_view ToString(RuleVerdict verdict) { return NameOf(kVerdicts, verdict); }
absl::StatusOr<RuleVerdict> ParseRuleVerdict(std::string_view text) {
  return ValueOf<RuleVerdict>(kVerdicts, "verdict", text);
}
std::string_view ToString(ConnectionState state) { return NameOf(kStates, state); }
absl::StatusOr<ConnectionState> ParseConnectionState(std::string_view text) {
  return ValueOf<ConnectionState>(kStates, "connection state", text);
}
std::string_view ToString(AddressSetKind kind) { return NameOf(kSetKinds, kind); }
absl::StatusOr<AddressSetKind> ParseAddressSetKind(std::string_view text) {
  return ValueOf<AddressSetKind>(kSetKinds, "kind of address set", text);
}
std::string_view ToString(ProtectedRole role) { return NameOf(kRoles, role); }
absl::StatusOr<ProtectedRole> ParseProtectedRole(std::string_view text) {
  return ValueOf<ProtectedRole>(kRoles, "role of a protected peer", text);
}
std::string_view ToString(Decision decision) { return NameOf(kDecisions, decision); }
std::string_view ToString(RuleFindingKind kind) { return NameOf(kFindings, kind); }
std::string_view ToString(ChangeKind kind) { return NameOf(kChanges, kind); }

std::string ToString(MissingFact missing) {
  constexpr std::array<std::pair<MissingFact, std::string_view>, 8> kNames = {{
      {MissingFact::kDirection, "direction"},
      {MissingFact::kSource, "source address"},
      {MissingFact::kDestination, "destination address"},
      {MissingFact::kPorts, "ports"},
      {MissingFact::kIcmpType, "ICMP type"},
      {MissingFact::kInterface, "interface"},
      {MissingFact::kState, "connection state"},
      {MissingFact::kRate, "rate"},
  }};
  std::string text;
  for (const auto& [bit, name] : kNames) {
    if (!Has(missing, bit)) continue;
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

}  // namespace nta
