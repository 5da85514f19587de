// What the desk answers, as the store and the API have it.
#ifndef NTA_SERVER_FIREWALL_DESK_JSON_H_
#define NTA_SERVER_FIREWALL_DESK_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "firewall/desk.h"

namespace nta::server {

std::string ToJson(const Block& block);
std::string ToJson(const BlockEffect& effect);
std::string ToJson(const PendingChange& change);
std::string ToJson(const FirewallState& state);
absl::StatusOr<Block> BlockFromJson(std::string_view text);

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_DESK_JSON_H_
