// What changes the firewall's rules: applying, confirming, taking back; and reading others'.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "firewall/alert_subject.h"
#include "firewall/desk_json.h"
#include "firewall/requests.h"
#include "http/json_text.h"

namespace nta::server {
namespace {

constexpr std::int64_t kConfirmDefault = 60;
constexpr std::int64_t kConfirmLeast = 5;
constexpr std::int64_t kConfirmMost = 3600;

std::optional<Response> GuardPassword(Services& services, const Call& call) {
  const auto wait = services.sign_ins.Take(call.request->client, call.principal.account.username,
                                           services.clock.monotonic());
  return wait ? std::optional(TooManyRequests(*wait)) : std::nullopt;
}

// A stolen token is not enough to change the firewall.
std::optional<Response> CheckFreshPassword(Services& services, const Call& call) {
  const auto user = services.store.GetUser(call.principal.account.username);
  if (!user.ok()) return FromStatus(user.status());
  const std::string_view password = call.Body("password");
  if (password.size() > 1'024 || !services.passwords.Verify(user->password_hash, password)) {
    return Problem(403, "the password is wrong");
  }
  services.sign_ins.NoteSuccess(call.request->client, user->username);
  return std::nullopt;
}

Response PostApply(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto seconds = ReadWhole(call, "confirm_within_seconds");
  if (!seconds.ok()) return FromFirewallStatus(seconds.status());
  const std::int64_t within = seconds->value_or(kConfirmDefault);
  if (within < kConfirmLeast || within > kConfirmMost) {
    return Problem(400, "confirm_within_seconds must be 5 to 3600");
  }
  if (auto refused = CheckFreshPassword(services, call)) return *std::move(refused);
  const auto change = services.firewall->Apply(CallerOf(call), std::chrono::seconds(within));
  if (!change.ok()) return FromFirewallStatus(change.status());
  Response response = Json(JsonObject()
                               .Add("token", change->token)
                               .Add("deadline", nta::ToString(change->deadline))
                               .AddJson("seconds_left", std::to_string(within))
                               .Take());
  // What confirms must come over a connection that the new rules let through.
  response.headers.emplace_back("Connection", "close");
  return response;
}

Response PostConfirm(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const absl::Status status = services.firewall->Confirm(call.Body("token"), CallerOf(call));
  if (status.ok()) return NoContent();
  // With its connection closed, a client that tries again comes over another one.
  Response response = absl::IsOutOfRange(status)
                          ? Problem(409, std::string(status.message()), R"(,"old_connection":true)")
                          : FromFirewallStatus(status);
  response.headers.emplace_back("Connection", "close");
  return response;
}

Response PostRollback(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const absl::Status status = services.firewall->RollBack(call.Body("token"), CallerOf(call));
  return status.ok() ? NoContent() : FromFirewallStatus(status);
}

Response PostImport(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto import = services.firewall->Import(call.Body("family"), call.Body("table"));
  if (!import.ok()) return FromFirewallStatus(import.status());
  return Json(JsonObject()
                  .AddJson("rules", nta::ToJson(import->rules))
                  .AddJson("unmapped", JsonList(import->unmapped, JsonQuote))
                  .Take());
}

}  // namespace

std::vector<Route> FirewallActRoutes() {
  const Field token{"token", "what applying answered", Need::kRequired, FieldType::kSecret};
  Route apply = ActingOnFirewall(
      "/api/v1/firewall/apply", PostApply,
      "Put the draft into force; it is taken back unless it is confirmed",
      {{"password", "the caller's own, once more", Need::kRequired, FieldType::kSecret},
       {"confirm_within_seconds", "5 to 3600; default: 60", Need::kOptional, FieldType::kInteger}},
      "firewall.apply");
  apply.work = Work::kHash;
  apply.gate = GuardPassword;
  apply.success = 200;
  apply.answer = "token, deadline, seconds_left";
  Route import =
      ActingOnFirewall("/api/v1/firewall/import", PostImport,
                       "Read a table of nftables as rules; nothing is changed",
                       {{"family", "inet, ip or ip6"}, {"table", "its name"}}, "firewall.import");
  import.success = 200;
  import.answer = "rules, unmapped";
  return {
      apply,
      ActingOnFirewall("/api/v1/firewall/confirm", PostConfirm,
                       "Keep the change; over a connection that was opened after it", {token},
                       "firewall.confirm"),
      ActingOnFirewall("/api/v1/firewall/rollback", PostRollback, "Take the change back now",
                       {token}, "firewall.rollback"),
      import,
  };
}

}  // namespace nta::server
