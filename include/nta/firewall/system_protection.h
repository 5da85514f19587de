// GatherProtectedSet: what this machine cannot do without, asked of the machine.
//
//   auto safe = nta::GatherProtectedSet({.administrators = {*peer}});
//   if (safe.ok()) parts.protected_set = *safe;
#ifndef NTA_FIREWALL_SYSTEM_PROTECTION_H_
#define NTA_FIREWALL_SYSTEM_PROTECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/firewall/protected_set.h"
#include "nta/net/ip_address.h"

namespace nta {

struct SystemProtectionOptions {
  std::vector<IpAddress> administrators{};  // from where they are connected now
  std::vector<IpPrefix> networks{};         // that the configuration names
  std::string resolv_conf = "/etc/resolv.conf";
};

// The addresses of the interfaces, the next hops of the default routes and the name servers, as the
// kernel and resolv.conf have them at this moment, in this network namespace. A missing resolv.conf
// means no name server. Errors as CheckProtectedSet(), and those of the kernel.
absl::StatusOr<ProtectedSet> GatherProtectedSet(const SystemProtectionOptions& options);

}  // namespace nta

#endif  // NTA_FIREWALL_SYSTEM_PROTECTION_H_
