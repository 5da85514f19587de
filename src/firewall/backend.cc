#include "nta/firewall/backend.h"

#include "base/status.h"

namespace nta {

absl::StatusOr<bool> FirewallBackend::InForce(const RuleSet& rules, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const RuleSet current, Current(now));
  return current == rules.WithoutExpired(now);
}

absl::StatusOr<std::vector<ElementCounters>> FirewallBackend::CountersOf(std::string_view,
                                                                         std::span<const IpAddress>,
                                                                         Timestamp) {
  return base::MakeStatus(
      absl::StatusCode::kUnimplemented,
      "the firewall backend " + std::string(name()) + " does not count the addresses of a set");
}

}  // namespace nta
