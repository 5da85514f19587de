// What changes the firewall itself: applying, confirming, taking back, blocking.
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "firewall/desk_json.h"
#include "firewall/requests.h"
#include "json_text.h"

namespace nta::server {
namespace {

constexpr std::int64_t kConfirmDefault = 60;
constexpr std::int64_t kConfirmLeast = 5;
constexpr std::int64_t kConfirmMost = 3600;
constexpr std::int64_t kLongestBlock = 366 * 86'400;

FirewallCaller CallerOf(const Call& call) {
  return {.username = call.principal.account.username,
          .address = call.request->client,
          .connection = call.request->connection,
          .newest_connection = call.request->newest_connection};
}

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

absl::StatusOr<BlockRequest> BlockOf(const Call& call) {
  BlockRequest request;
  NTA_ASSIGN_OR_RETURN(request.address, IpAddress::Parse(call.Body("address")));
  NTA_ASSIGN_OR_RETURN(const auto seconds, ReadWhole(call, "seconds"));
  request.ttl.reset();
  if (seconds) {
    if (*seconds < 1 || *seconds > kLongestBlock) {
      return base::InvalidArgument("seconds must be 1 to 31622400; leave it out for good");
    }
    request.ttl = std::chrono::seconds(*seconds);
  }
  if (call.body.contains("protocol")) {
    NTA_ASSIGN_OR_RETURN(request.scope.protocol, ParseProtocol(call.Body("protocol")));
  }
  NTA_ASSIGN_OR_RETURN(const auto port, ReadWhole(call, "port"));
  if (port) {
    if (*port > 65'535) return base::InvalidArgument("port must be 0 to 65535");
    request.scope.port = static_cast<std::uint16_t>(*port);
  }
  request.reason = std::string(call.Body("reason"));
  return request;
}

// With a rehearsal on the last day, of the offender's flows only.
Response PostPropose(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto alert = services.store.GetAlert(call.Body("alert_id"));
  if (absl::IsNotFound(alert.status())) return Problem(404, "there is no such alert");
  if (!alert.ok()) return FromStatus(alert.status());
  const Timestamp now = services.clock.wall();
  const auto proposal = services.firewall->Propose(*alert, {now - std::chrono::hours(24), now}, {});
  if (!proposal.ok()) return FromFirewallStatus(proposal.status());
  return Json(nta::ToJson(*proposal));
}

Response PostAccept(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto block = services.firewall->Accept(call.Body("alert_id"), CallerOf(call));
  if (!block.ok()) return FromFirewallStatus(block.status());
  return Json(nta::ToJson(*block), 201);
}

Response GetProposals(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  return Json(JsonObject()
                  .AddJson("proposals", JsonList(services.firewall->Proposals(),
                                                 [](const BlockProposal& proposal) {
                                                   return nta::ToJson(proposal);
                                                 }))
                  .Take());
}

Response GetPolicies(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto policies = services.firewall->Policies();
  if (!policies.ok()) return FromFirewallStatus(policies.status());
  return Json(JsonObject().AddJson("policies", ToJson(*policies)).Take());
}

Response PutPolicies(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto policies = PoliciesFromJson(call.Body("policies"));
  if (!policies.ok()) return FromFirewallStatus(policies.status());
  const absl::Status status = services.firewall->SetPolicies(*policies);
  return status.ok() ? NoContent() : FromFirewallStatus(status);
}

Response PostBlock(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto request = BlockOf(call);
  if (!request.ok()) return FromFirewallStatus(request.status());
  const auto block = services.firewall->Block(*request, CallerOf(call));
  if (!block.ok()) return FromFirewallStatus(block.status());
  return Json(nta::ToJson(*block), 201);
}

Response PostUnblock(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto address = IpAddress::Parse(call.Body("address"));
  if (!address.ok()) return FromFirewallStatus(address.status());
  const absl::Status status = services.firewall->Unblock(*address);
  return status.ok() ? NoContent() : FromFirewallStatus(status);
}

Response GetEffects(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  return Json(
      JsonObject()
          .AddJson("blocks", JsonList(services.firewall->Blocks(),
                                      [](const ActiveBlock& block) { return nta::ToJson(block); }))
          .Take());
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

Route Acting(std::string path, Handler handler, std::string summary, std::vector<Field> fields,
             std::string audit) {
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

}  // namespace

std::vector<Route> FirewallActRoutes() {
  const Field token{"token", "what applying answered", Need::kRequired, FieldType::kSecret};
  const Field address{"address", "a single IPv4 or IPv6 address"};
  const std::string block =
      "id, address, scope, since, until, alert_id, alert_class, author, reason, effect";
  const Field alert_id{"alert_id", "the alert that calls for it"};
  Route apply = Acting(
      "/api/v1/firewall/apply", PostApply,
      "Put the draft into force; it is taken back unless it is confirmed",
      {{"password", "the caller's own, once more", Need::kRequired, FieldType::kSecret},
       {"confirm_within_seconds", "5 to 3600; default: 60", Need::kOptional, FieldType::kInteger}},
      "firewall.apply");
  apply.work = Work::kHash;
  apply.gate = GuardPassword;
  apply.success = 200;
  apply.answer = "token, deadline, seconds_left";
  Route post_block = Acting(
      "/api/v1/firewall/block", PostBlock, "Block an address at once",
      {address,
       {"seconds", "how long; left out: until it is lifted", Need::kOptional, FieldType::kInteger},
       {"reason", "for people; as the comment of a rule", Need::kOptional},
       {"alert_id", "the alert that called for it", Need::kOptional}},
      "firewall.block");
  post_block.success = 201;
  post_block.answer = block;
  Route import = Acting("/api/v1/firewall/import", PostImport,
                        "Read a table of nftables as rules; nothing is changed",
                        {{"family", "inet, ip or ip6"}, {"table", "its name"}}, "firewall.import");
  import.success = 200;
  import.answer = "rules, unmapped";
  Route propose = Acting("/api/v1/firewall/propose", PostPropose,
                         "What block an alert calls for, tried on the last day's flows", {alert_id},
                         "firewall.propose");
  propose.access = Access::kOperator;
  propose.success = 200;
  propose.answer = "subject, scope, ttl, may_be_automatic, reason, rehearsal";
  Route accept = Acting("/api/v1/firewall/accept", PostAccept, "Take a proposed block up",
                        {alert_id}, "firewall.accept");
  accept.success = 201;
  accept.answer = block;
  Route policies = Acting(
      "/api/v1/firewall/policies", PutPolicies, "Say what alerts of each class lead to",
      {{"policies", "by class: off, propose or automatic", Need::kRequired, FieldType::kObject}},
      "firewall.policies");
  policies.method = "PUT";
  return {
      apply,
      Acting("/api/v1/firewall/confirm", PostConfirm,
             "Keep the change; over a connection that was opened after it", {token},
             "firewall.confirm"),
      Acting("/api/v1/firewall/rollback", PostRollback, "Take the change back now", {token},
             "firewall.rollback"),
      post_block,
      Acting("/api/v1/firewall/unblock", PostUnblock, "Lift a block", {address},
             "firewall.unblock"),
      Reading("/api/v1/firewall/effect", GetEffects, "The blocks and what each of them did", {},
              "blocks: " + block),
      import,
      propose,
      accept,
      Reading("/api/v1/firewall/proposals", GetProposals, "Blocks that alerts call for", {},
              "proposals"),
      Reading("/api/v1/firewall/policies", GetPolicies,
              "What alerts of each class lead to: off, propose or automatic", {}, "policies"),
      policies,
  };
}

}  // namespace nta::server
