// ChangeControl: a change of the firewall that undoes itself unless somebody confirms it.
#ifndef NTA_SERVER_FIREWALL_CHANGE_CONTROL_H_
#define NTA_SERVER_FIREWALL_CHANGE_CONTROL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "clock.h"
#include "nta/firewall/backend.h"

namespace nta::server {

// One change at a time. The caller serialises.
class ChangeControl {
 public:
  virtual ~ChangeControl() = default;
  // Puts `rules` into force; a token to confirm or take them back with.
  virtual absl::StatusOr<std::string> Apply(const RuleSet& rules, Duration confirm_within) = 0;
  virtual absl::Status Confirm(std::string_view token) = 0;
  virtual absl::Status RollBack(std::string_view token) = 0;
  // False when the change was rolled back because its time was over, or there is none. Looks at the
  // clock, so whoever has no watchdog must ask often.
  virtual absl::StatusOr<bool> IsPending() = 0;
};

// Rolls back by itself while this process lives, on any backend. A restart puts the confirmed rules
// into force, so a change that nobody confirmed is gone then, too.
std::unique_ptr<ChangeControl> LocalChangeControl(FirewallBackend& backend, Clock clock);

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_CHANGE_CONTROL_H_
