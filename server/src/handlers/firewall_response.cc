// Blocks and what leads to them: by hand, from alerts, by policy.
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

constexpr std::int64_t kLongestBlock = 366 * 86'400;
constexpr std::string_view kAnyProtocol = "any";

// What of a block was said; the rest is the alert's to say.
struct BlockWish {
  BlockRequest request;
  std::optional<IpAddress> address;
  std::optional<BlockScope> scope;
};

absl::StatusOr<std::optional<BlockScope>> ScopeOf(const Call& call) {
  NTA_ASSIGN_OR_RETURN(const auto port, ReadWhole(call, "port"));
  if (port && *port > 65'535) return base::InvalidArgument("port must be 0 to 65535");
  const std::string_view protocol = call.Body("protocol");
  if (protocol.empty() && !port) return std::optional<BlockScope>();
  BlockScope scope;
  if (protocol != kAnyProtocol) {
    if (protocol.empty()) return base::InvalidArgument("a port needs a protocol: tcp, udp, sctp");
    NTA_ASSIGN_OR_RETURN(scope.protocol, ParseProtocol(protocol));
  }
  if (port) scope.port = static_cast<std::uint16_t>(*port);
  return std::optional(scope);
}

absl::StatusOr<BlockWish> BlockOf(const Call& call) {
  BlockWish wish;
  if (!call.Body("address").empty()) {
    NTA_ASSIGN_OR_RETURN(wish.address, IpAddress::Parse(call.Body("address")));
  } else if (call.Body("alert_id").empty()) {
    return base::InvalidArgument("a block needs an address, or an alert that names one");
  }
  NTA_ASSIGN_OR_RETURN(wish.scope, ScopeOf(call));
  NTA_ASSIGN_OR_RETURN(const auto seconds, ReadWhole(call, "seconds"));
  wish.request.ttl.reset();
  if (seconds) {
    if (*seconds < 1 || *seconds > kLongestBlock) {
      return base::InvalidArgument("seconds must be 1 to 31622400; leave it out for good");
    }
    wish.request.ttl = std::chrono::seconds(*seconds);
  }
  wish.request.reason = std::string(call.Body("reason"));
  return wish;
}

std::string EndOf(const ActiveBlock& block) {
  return block.until ? nta::ToString(*block.until) : "lifted";
}

// The trail says of whom, and why. Who blocks again learns what stood there before: it may have
// lasted longer, or been for something else.
Response AnswerBlock(const absl::StatusOr<PlacedBlock>& block) {
  if (!block.ok()) return FromFirewallStatus(block.status());
  std::string body = nta::ToJson(*block);
  body.pop_back();
  body += ",\"replaced\":" + (block->replaced ? nta::ToJson(*block->replaced) : "null") + "}";
  Response response = Json(std::move(body), 201);
  response.audit = {{"target", block->id},
                    {"alert", block->alert_id},
                    {"until", EndOf(*block)},
                    {"reason", block->reason}};
  if (block->replaced) response.audit.emplace_back("replaces_until", EndOf(*block->replaced));
  return response;
}

Response NoSuchAlert(const absl::Status& status) {
  return absl::IsNotFound(status) ? Problem(404, "there is no such alert") : FromStatus(status);
}

// With a rehearsal on the last day, of the offender's flows only.
Response PostPropose(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto alert = services.store.GetAlert(call.Body("alert_id"));
  if (!alert.ok()) return NoSuchAlert(alert.status());
  const Timestamp now = services.clock.wall();
  const auto proposal = services.firewall->Propose(*alert, {now - std::chrono::hours(24), now}, {});
  if (!proposal.ok()) return FromFirewallStatus(proposal.status());
  return Json(nta::ToJson(*proposal));
}

Response PostAccept(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  return AnswerBlock(services.firewall->Accept(call.Body("alert_id"), CallerOf(call)));
}

Response PostDismiss(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const absl::Status status = services.firewall->Dismiss(call.Body("alert_id"));
  return status.ok() ? NoContent() : FromFirewallStatus(status);
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

// Which classes may lead to a block that nobody asked for, and why others may not.
std::string AutomaticClassesJson() {
  return JsonList(AnsweringClasses(), [](const ClassAnswer& one) {
    return JsonObject()
        .Add("class", one.alert_class)
        .AddJson("may_be_automatic", one.why_not.empty() ? "true" : "false")
        .Add("reason", one.why_not)
        .Take();
  });
}

Response GetPolicies(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto policies = services.firewall->Policies();
  if (!policies.ok()) return FromFirewallStatus(policies.status());
  return Json(JsonObject()
                  .AddJson("policies", ToJson(*policies))
                  .AddJson("classes", AutomaticClassesJson())
                  .Take());
}

Response GetAllowList(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto allowed = services.firewall->AllowList();
  if (!allowed.ok()) return FromFirewallStatus(allowed.status());
  return Json(JsonObject().AddJson("networks", ToJson(*allowed)).Take());
}

Response PutAllowList(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto networks = PrefixesFromJson(call.Body("networks"));
  if (!networks.ok()) return FromFirewallStatus(networks.status());
  const absl::Status status = services.firewall->SetAllowList(*networks);
  return status.ok() ? NoContent() : FromFirewallStatus(status);
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
  auto wish = BlockOf(call);
  if (!wish.ok()) return FromFirewallStatus(wish.status());
  const std::string_view alert_id = call.Body("alert_id");
  if (alert_id.empty()) {
    wish->request.address = *wish->address;
    wish->request.scope = wish->scope.value_or(BlockScope());
    return AnswerBlock(services.firewall->Block(wish->request, CallerOf(call)));
  }
  const auto alert = services.store.GetAlert(alert_id);
  if (!alert.ok()) return NoSuchAlert(alert.status());
  return AnswerBlock(services.firewall->BlockFor(*alert, wish->address, wish->scope, wish->request,
                                                 CallerOf(call)));
}

Response PostUnblock(Services& services, const Call& call) {
  if (services.firewall == nullptr) return NoFirewall();
  const auto address = IpAddress::Parse(call.Body("address"));
  if (!address.ok()) return FromFirewallStatus(address.status());
  const absl::Status status = services.firewall->Unblock(*address);
  Response response = status.ok() ? NoContent() : FromFirewallStatus(status);
  response.audit = {{"target", address->ToString()}};
  return response;
}

Response GetEffects(Services& services, const Call&) {
  if (services.firewall == nullptr) return NoFirewall();
  return Json(
      JsonObject()
          .AddJson("blocks", JsonList(services.firewall->Blocks(),
                                      [](const ActiveBlock& block) { return nta::ToJson(block); }))
          .Take());
}

}  // namespace

std::vector<Route> FirewallResponseRoutes() {
  const Field address{"address", "a single IPv4 or IPv6 address"};
  const std::string block =
      "id, address, scope, since, until, alert_id, alert_class, author, reason, effect; replaced: "
      "the block of the same address and scope that it took the place of, or null";
  const Field alert_id{"alert_id", "the alert that calls for it"};
  Field maybe_address = address;
  maybe_address.need = Need::kOptional;
  maybe_address.description = "a single IPv4 or IPv6 address; default: that of the alert";
  Route post_block = ActingOnFirewall(
      "/api/v1/firewall/block", PostBlock, "Block an address at once",
      {maybe_address,
       {"protocol",
        "tcp, udp, ...: only that, or any; default: the narrowest that covers the alert, or any",
        Need::kOptional},
       {"port", "to which; needs a protocol with ports", Need::kOptional, FieldType::kInteger},
       {"seconds", "how long; left out: until it is lifted, or as long as the alert calls for",
        Need::kOptional, FieldType::kInteger},
       {"reason", "for people", Need::kOptional},
       {"alert_id", "the alert that called for it", Need::kOptional}},
      "firewall.block");
  post_block.success = 201;
  post_block.answer = block;
  Route propose = ActingOnFirewall("/api/v1/firewall/propose", PostPropose,
                                   "What block an alert calls for, tried on the last day's flows",
                                   {alert_id}, "firewall.propose");
  propose.access = Access::kOperator;
  propose.success = 200;
  propose.answer = "subject, scope, ttl, may_be_automatic, reason, rehearsal";
  Route accept = ActingOnFirewall("/api/v1/firewall/accept", PostAccept, "Take a proposed block up",
                                  {alert_id}, "firewall.accept");
  accept.success = 201;
  accept.answer = block;
  Route dismiss = ActingOnFirewall("/api/v1/firewall/dismiss", PostDismiss,
                                   "Turn a proposed block down", {alert_id}, "firewall.dismiss");
  dismiss.access = Access::kOperator;
  Route allow =
      ActingOnFirewall("/api/v1/firewall/allow-list", PutAllowList,
                       "Say who is never blocked; blocks of them are lifted",
                       {{"networks", "addresses and networks", Need::kRequired, FieldType::kArray}},
                       "firewall.allow_list");
  allow.method = "PUT";
  Route policies = ActingOnFirewall(
      "/api/v1/firewall/policies", PutPolicies, "Say what alerts of each class lead to",
      {{"policies", "by class: off, propose or automatic", Need::kRequired, FieldType::kObject}},
      "firewall.policies");
  policies.method = "PUT";
  return {
      post_block,
      ActingOnFirewall("/api/v1/firewall/unblock", PostUnblock, "Lift a block", {address},
                       "firewall.unblock"),
      Reading("/api/v1/firewall/effect", GetEffects, "The blocks and what each of them did", {},
              "blocks: " + block),
      propose,
      accept,
      dismiss,
      Reading("/api/v1/firewall/proposals", GetProposals, "Blocks that alerts call for", {},
              "proposals"),
      Reading("/api/v1/firewall/policies", GetPolicies,
              "What alerts of each class lead to: off, propose or automatic", {},
              "policies, classes: class, may_be_automatic, reason"),
      policies,
      Reading("/api/v1/firewall/allow-list", GetAllowList, "Who is never blocked", {}, "networks"),
      allow,
  };
}

}  // namespace nta::server
