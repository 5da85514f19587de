#include <array>
#include <utility>

#include "firewall/json_fields.h"
#include "nta/firewall/response.h"

namespace nta {

using firewall::Json;
using firewall::JsonFields;

namespace {

Json Optional(const std::optional<Timestamp>& time) {
  return time ? Json(ToString(*time)) : Json();
}

Json ToValue(const BlockScope& scope) {
  Json json;
  json["protocol"] = scope.protocol ? Json(ProtocolName(*scope.protocol)) : Json();
  json["port"] = scope.port ? Json(*scope.port) : Json();
  return json;
}

Json ToValue(const BlockEffect& effect) {
  Json json;
  json["packets"] = effect.packets;
  json["bytes"] = effect.bytes;
  json["packets_per_second_before"] = effect.packets_per_second_before;
  json["packets_per_second_now"] = effect.packets_per_second_now;
  json["last_hit"] = Optional(effect.last_hit);
  return json;
}

Json ToValue(const ActiveBlock& block) {
  Json json;
  json["id"] = block.id;
  json["address"] = block.address.ToString();
  json["scope"] = ToValue(block.scope);
  json["since"] = ToString(block.since);
  json["until"] = Optional(block.until);
  json["alert_id"] = block.alert_id;
  json["alert_class"] = block.alert_class;
  json["author"] = block.author;
  json["reason"] = block.reason;
  json["ends_when_over"] = block.ends_when_over;
  json["effect"] = ToValue(block.effect);
  return json;
}

void ReadNumber(const Json& json, const char* name, double& out) {
  const auto found = json.find(name);
  if (found != json.end() && found->is_number()) out = found->get<double>();
}

template <typename T, typename Parse>
void ReadOptional(JsonFields& fields, const char* name, std::optional<T>& out, Parse parse) {
  if (fields.Find(name) == nullptr) return;
  T value{};
  fields.Parsed(name, value, parse);
  out = value;
}

absl::Status ReadScope(const Json& json, BlockScope& scope) {
  JsonFields fields(json, "scope.");
  ReadOptional(fields, "protocol", scope.protocol, ParseProtocol);
  if (fields.Find("port") != nullptr) fields.Number("port", scope.port.emplace());
  NTA_RETURN_IF_ERROR(fields.Finish());
  if (!scope.port || (scope.protocol && HasPorts(*scope.protocol))) return absl::OkStatus();
  return base::InvalidArgument("a scope with a port needs a protocol with ports");
}

absl::Status ReadEffect(const Json& json, BlockEffect& effect) {
  JsonFields fields(json, "effect.");
  fields.Number("packets", effect.packets);
  fields.Number("bytes", effect.bytes);
  for (const char* const name : {"packets_per_second_before", "packets_per_second_now"}) {
    fields.Find(name);
  }
  ReadOptional(fields, "last_hit", effect.last_hit, ParseTimestamp);
  NTA_RETURN_IF_ERROR(fields.Finish());
  ReadNumber(json, "packets_per_second_before", effect.packets_per_second_before);
  ReadNumber(json, "packets_per_second_now", effect.packets_per_second_now);
  return absl::OkStatus();
}

template <typename T, std::size_t N>
absl::StatusOr<T> ParseName(std::string_view text, const std::array<T, N>& all,
                            std::string_view what) {
  for (const T value : all) {
    if (ToString(value) == text) return value;
  }
  return base::InvalidArgument("\"" + std::string(text.substr(0, 40)) + "\" is no " +
                               std::string(what));
}

}  // namespace

std::string_view ToString(ResponsePolicy policy) {
  constexpr std::string_view kNames[] = {"off", "propose", "automatic"};
  return kNames[static_cast<std::size_t>(policy)];
}
absl::StatusOr<ResponsePolicy> ParseResponsePolicy(std::string_view text) {
  return ParseName(
      text, std::array{ResponsePolicy::kOff, ResponsePolicy::kPropose, ResponsePolicy::kAutomatic},
      "response policy (off, propose, automatic)");
}
std::string_view ToString(BlockEnd end) {
  constexpr std::string_view kNames[] = {"expired", "unblocked", "over"};
  return kNames[static_cast<std::size_t>(end)];
}
std::string_view ToString(ResponseAct act) {
  constexpr std::string_view kNames[] = {"nothing", "proposed", "blocked"};
  return kNames[static_cast<std::size_t>(act)];
}

std::string ToJson(const ActiveBlock& block) { return firewall::Dump(ToValue(block)); }

std::string ToJson(const BlockProposal& proposal) {
  const ResponseSubject& subject = proposal.subject;
  Json json;
  json["alert_id"] = subject.alert_id;
  json["alert_class"] = subject.alert_class;
  json["address"] = subject.offender.ToString();
  json["scope"] = ToValue(proposal.scope);
  json["ttl_seconds"] = std::chrono::duration<double>(proposal.ttl).count();
  json["may_be_automatic"] = proposal.may_be_automatic;
  json["reason"] = proposal.reason;
  json["packets_per_second"] = subject.packets_per_second;
  const Json rehearsal = Json::parse(proposal.rehearsal, nullptr, false);
  json["rehearsal"] = rehearsal.is_discarded() ? Json() : rehearsal;
  return firewall::Dump(json);
}

absl::StatusOr<ActiveBlock> ActiveBlockFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const Json json, firewall::ParseJson(text));
  ActiveBlock block;
  JsonFields fields(json, "");
  fields.Text("id", block.id);
  fields.Require("address");
  fields.Parsed("address", block.address, IpAddress::Parse);
  const Json* const scope = fields.Find("scope");
  fields.Parsed("since", block.since, ParseTimestamp);
  ReadOptional(fields, "until", block.until, ParseTimestamp);
  fields.Text("alert_id", block.alert_id);
  fields.Text("alert_class", block.alert_class);
  fields.Text("author", block.author);
  fields.Text("reason", block.reason);
  // Those that were kept before this was said came from proposals.
  block.ends_when_over = !block.alert_id.empty();
  fields.Bool("ends_when_over", block.ends_when_over);
  const Json* const effect = fields.Find("effect");
  NTA_RETURN_IF_ERROR(fields.Finish());
  if (scope != nullptr) NTA_RETURN_IF_ERROR(ReadScope(*scope, block.scope));
  if (effect != nullptr) NTA_RETURN_IF_ERROR(ReadEffect(*effect, block.effect));
  return block;
}

}  // namespace nta
