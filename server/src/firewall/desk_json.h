// What the desk answers, as the store and the API have it.
#ifndef NTA_SERVER_FIREWALL_DESK_JSON_H_
#define NTA_SERVER_FIREWALL_DESK_JSON_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "firewall/desk.h"

namespace nta::server {

inline constexpr std::string_view kBlockKind = "firewall_block";  // of documents

std::string ToJson(const WaitingChange& change);
std::string ToJson(const FirewallState& state);
// An object: the policy of each class of alerts.
std::string ToJson(const std::map<std::string, ResponsePolicy>& policies);
absl::StatusOr<std::map<std::string, ResponsePolicy>> PoliciesFromJson(std::string_view text);
// A list of networks.
std::string ToJson(const std::vector<IpPrefix>& prefixes);
absl::StatusOr<std::vector<IpPrefix>> PrefixesFromJson(std::string_view text);

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_DESK_JSON_H_
