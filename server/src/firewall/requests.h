// What the firewall's handlers share: reading bodies, and telling what went wrong.
#ifndef NTA_SERVER_FIREWALL_REQUESTS_H_
#define NTA_SERVER_FIREWALL_REQUESTS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "firewall/desk.h"
#include "http/http.h"
#include "http/routes.h"

namespace nta::server {

// Absent when the field was left out; InvalidArgument when it is negative.
absl::StatusOr<std::optional<std::int64_t>> ReadWhole(const Call& call, std::string_view name);
absl::StatusOr<std::vector<std::string>> TextsFromJson(std::string_view array);
// A list of strings. InvalidArgument otherwise.
absl::StatusOr<std::vector<std::string>> ReadTexts(const Call& call, std::string_view name);

// As FromStatus, in the words of the firewall: its errors are the caller's to know.
Response FromFirewallStatus(const absl::Status& status);
Response NoFirewall();
FirewallCaller CallerOf(const Call& call);
// A POST for administrators that answers nothing.
Route ActingOnFirewall(std::string path, Handler handler, std::string summary,
                       std::vector<Field> fields, std::string audit);

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_REQUESTS_H_
