// OpenFirewall: the desk with the backend that the options name.
#ifndef NTA_SERVER_FIREWALL_OPEN_FIREWALL_H_
#define NTA_SERVER_FIREWALL_OPEN_FIREWALL_H_

#include <memory>

#include "absl/status/statusor.h"
#include "firewall/desk.h"
#include "options.h"

namespace nta::server {

// Null for "off". "nftables" and "audit" fail where nftables cannot be used; "auto" takes the
// memory then, and says so.
absl::StatusOr<std::unique_ptr<FirewallDesk>> OpenFirewall(
    const ServerOptions& options, Store& store, const Clock& clock,
    decltype(FirewallDeskOptions::audit) audit);

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_OPEN_FIREWALL_H_
