#include "firewall/requests.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "base/status.h"

namespace nta::server {

absl::StatusOr<std::optional<std::int64_t>> ReadWhole(const Call& call, std::string_view name) {
  const std::string_view text = call.Body(name);
  if (text.empty()) return std::optional<std::int64_t>();
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    return base::InvalidArgument("field \"" + std::string(name) + "\" must be 0 or more");
  }
  return std::optional(value);
}

absl::StatusOr<std::vector<std::string>> TextsFromJson(std::string_view text) {
  const auto array = nlohmann::json::parse(text, nullptr, false);
  if (!array.is_array()) return base::InvalidArgument("not a list");
  std::vector<std::string> texts;
  for (const auto& item : array) {
    if (!item.is_string()) return base::InvalidArgument("not a list of strings");
    texts.push_back(item.get<std::string>());
  }
  return texts;
}

absl::StatusOr<std::vector<std::string>> ReadTexts(const Call& call, std::string_view name) {
  // The body was parsed before, so this is an array.
  auto texts = TextsFromJson(call.Body(name));
  if (texts.ok()) return texts;
  return base::InvalidArgument("field \"" + std::string(name) + "\" must hold strings");
}

Response FromFirewallStatus(const absl::Status& status) {
  const std::string message(status.message());
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
      return Problem(404, message);
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kAlreadyExists:
      return Problem(409, message);
    case absl::StatusCode::kPermissionDenied:
      return Problem(403, message);
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kResourceExhausted:
      return Problem(422, message);
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInternal:
      return Problem(503, "the firewall: " + message);
    default:
      return FromStatus(status);
  }
}

Response NoFirewall() { return Problem(404, "this server was told to leave the firewall alone"); }

FirewallCaller CallerOf(const Call& call) {
  return {.username = call.principal.account.username,
          .address = call.request->client,
          .connection = call.request->connection,
          .newest_connection = call.request->newest_connection};
}

Route ActingOnFirewall(std::string path, Handler handler, std::string summary,
                       std::vector<Field> fields, std::string audit) {
  return {.method = "POST",
          .path = std::move(path),
          .access = Access::kAdmin,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .success = 204,
          .audit = std::move(audit)};
}

}  // namespace nta::server
