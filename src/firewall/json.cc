#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "firewall/json_fields.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace firewall {

namespace {

constexpr int kMaxDepth = 8;

Json TimeValue(const std::optional<Timestamp>& time) {
  return time ? Json(ToString(*time)) : Json();
}

// "192.0.2.0/24" for networks, "@name" for sets.
Json ToValue(const RuleAddresses& addresses) {
  Json list = Json::array();
  for (const IpPrefix& prefix : addresses.prefixes) list.push_back(prefix.ToString());
  for (const std::string& name : addresses.sets) list.push_back("@" + name);
  return list;
}

Json ToValue(const std::vector<PortRange>& ranges) {
  Json list = Json::array();
  for (const PortRange& range : ranges) {
    const std::string first = std::to_string(range.first);
    list.push_back(range.first == range.last ? first : first + "-" + std::to_string(range.last));
  }
  return list;
}

Json ToValue(const Rule& rule) {
  Json json;
  json["id"] = rule.id;
  json["direction"] = ToString(rule.direction);
  json["verdict"] = ToString(rule.verdict);
  json["rate_limit"] = Json();
  if (rule.rate_limit) {
    json["rate_limit"] = {{"packets_per_second", rule.rate_limit->packets_per_second},
                          {"burst", rule.rate_limit->burst}};
  }
  json["source"] = ToValue(rule.source);
  json["destination"] = ToValue(rule.destination);
  json["protocol"] = rule.protocol ? Json(ProtocolName(*rule.protocol)) : Json();
  json["source_ports"] = ToValue(rule.source_ports);
  json["destination_ports"] = ToValue(rule.destination_ports);
  json["icmp_types"] = rule.icmp_types;
  json["in_interface"] = rule.in_interface ? Json(*rule.in_interface) : Json();
  json["out_interface"] = rule.out_interface ? Json(*rule.out_interface) : Json();
  json["states"] = Json::array();
  for (const ConnectionState state : rule.states) json["states"].push_back(ToString(state));
  json["log"] = rule.log;
  json["expires"] = TimeValue(rule.expires);
  json["comment"] = rule.comment;
  json["author"] = rule.author;
  json["allow_wide"] = rule.allow_wide;
  return json;
}

Json ToValue(const SetElement& element) {
  return {{"prefix", element.prefix.ToString()}, {"expires", TimeValue(element.expires)}};
}

Json ToValue(const std::vector<SetElement>& elements) {
  Json list = Json::array();
  for (const SetElement& element : elements) list.push_back(ToValue(element));
  return list;
}

Json ToValue(const ProtectedPeer& peer) {
  return {{"prefix", peer.prefix.ToString()}, {"role", ToString(peer.role)}};
}

Json ToValue(const std::vector<ProtectedPeer>& peers) {
  Json list = Json::array();
  for (const ProtectedPeer& peer : peers) list.push_back(ToValue(peer));
  return list;
}

Json ToValue(const DefaultVerdicts& defaults) {
  return {{"in", ToString(defaults.in)},
          {"out", ToString(defaults.out)},
          {"forward", ToString(defaults.forward)}};
}

Json ToValue(const RuleSet& rules) {
  Json json;
  json["rules"] = Json::array();
  for (const Rule& rule : rules.rules()) json["rules"].push_back(ToValue(rule));
  json["sets"] = Json::array();
  for (const AddressSet& set : rules.sets()) {
    json["sets"].push_back({{"name", set.name},
                            {"kind", ToString(set.kind)},
                            {"elements", ToValue(set.elements)},
                            {"allow_wide", set.allow_wide}});
  }
  const ProtectedSet& protected_set = rules.protected_set();
  json["protected_set"] = {{"loopback", protected_set.loopback},
                           {"neighbour_discovery", protected_set.neighbour_discovery},
                           {"peers", ToValue(protected_set.peers)},
                           {"replies", protected_set.replies}};
  json["defaults"] = ToValue(rules.defaults());
  return json;
}

Json PlaceValue(const std::optional<std::size_t>& place) { return place ? Json(*place) : Json(); }

Json ToValue(const RuleSetDiff& diff) {
  Json json;
  json["rules"] = Json::array();
  for (const RuleChange& change : diff.rules) {
    json["rules"].push_back({{"kind", ToString(change.kind)},
                             {"before", change.before ? ToValue(*change.before) : Json()},
                             {"after", change.after ? ToValue(*change.after) : Json()},
                             {"from", PlaceValue(change.from)},
                             {"to", PlaceValue(change.to)}});
  }
  json["sets"] = Json::array();
  for (const SetChange& change : diff.sets) {
    json["sets"].push_back({{"kind", ToString(change.kind)},
                            {"name", change.name},
                            {"added", ToValue(change.added)},
                            {"removed", ToValue(change.removed)}});
  }
  json["defaults_before"] = diff.defaults_before ? ToValue(*diff.defaults_before) : Json();
  json["defaults_after"] = diff.defaults_after ? ToValue(*diff.defaults_after) : Json();
  json["protected_added"] = ToValue(diff.protected_added);
  json["protected_removed"] = ToValue(diff.protected_removed);
  json["protection_changed"] = diff.protection_changed;
  return json;
}

absl::StatusOr<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return base::InvalidArgument("not a port or a range like 80-90");
  }
  return port;
}

absl::Status ReadPorts(const Json& item, std::vector<PortRange>& ranges) {
  std::uint16_t port = 0;
  if (JsonFields::ReadInteger(item, port)) {
    ranges.push_back({port, port});
    return absl::OkStatus();
  }
  if (!item.is_string()) return base::InvalidArgument("not a port or a range like 80-90");
  const std::string_view text = item.get_ref<const std::string&>();
  const std::size_t dash = text.find('-');
  NTA_ASSIGN_OR_RETURN(const std::uint16_t first, ParsePort(text.substr(0, dash)));
  std::uint16_t last = first;
  if (dash != std::string_view::npos) {
    NTA_ASSIGN_OR_RETURN(last, ParsePort(text.substr(dash + 1)));
  }
  ranges.push_back({first, last});
  return absl::OkStatus();
}

absl::Status ReadAddress(const Json& item, RuleAddresses& addresses) {
  if (!item.is_string()) return base::InvalidArgument("must hold networks and @sets");
  const std::string& text = item.get_ref<const std::string&>();
  if (text.starts_with('@')) {
    addresses.sets.push_back(text.substr(1));
    return absl::OkStatus();
  }
  NTA_ASSIGN_OR_RETURN(const IpPrefix prefix, IpPrefix::Parse(text));
  addresses.prefixes.push_back(prefix);
  return absl::OkStatus();
}

absl::Status ReadState(const Json& item, std::vector<ConnectionState>& states) {
  if (!item.is_string()) return base::InvalidArgument("must hold connection states");
  NTA_ASSIGN_OR_RETURN(const ConnectionState state,
                       ParseConnectionState(item.get_ref<const std::string&>()));
  states.push_back(state);
  return absl::OkStatus();
}

absl::Status ReadIcmpType(const Json& item, std::vector<std::uint8_t>& types) {
  std::uint8_t type = 0;
  if (!JsonFields::ReadInteger(item, type)) {
    return base::InvalidArgument("must hold integers from 0 to 255");
  }
  types.push_back(type);
  return absl::OkStatus();
}

absl::StatusOr<std::optional<std::string>> AsText(const std::string& text) {
  return std::optional<std::string>(text);
}

void ReadRateLimit(JsonFields& fields, Rule& rule) {
  const Json* value = fields.Find("rate_limit");
  if (value == nullptr) return;
  RateLimit limit;
  JsonFields parts(*value, "rate_limit.");
  parts.Number("packets_per_second", limit.packets_per_second);
  parts.Number("burst", limit.burst);
  if (const absl::Status status = parts.Finish(); !status.ok()) {
    fields.Fail("rate_limit", std::string(status.message()));
  }
  rule.rate_limit = limit;
}

absl::StatusOr<Rule> ReadRule(const Json& json) {
  Rule rule;
  JsonFields fields(json, "");
  fields.Require("id");
  fields.Text("id", rule.id);
  fields.Require("direction");
  fields.Parsed("direction", rule.direction, ParseRuleDirection);
  fields.Require("verdict");
  fields.Parsed("verdict", rule.verdict, ParseRuleVerdict);
  ReadRateLimit(fields, rule);
  fields.List("source", [&](const Json& item) { return ReadAddress(item, rule.source); });
  fields.List("destination", [&](const Json& item) { return ReadAddress(item, rule.destination); });
  fields.Parsed("protocol", rule.protocol, ParseProtocol);
  fields.List("source_ports", [&](const Json& item) { return ReadPorts(item, rule.source_ports); });
  fields.List("destination_ports",
              [&](const Json& item) { return ReadPorts(item, rule.destination_ports); });
  fields.List("icmp_types", [&](const Json& item) { return ReadIcmpType(item, rule.icmp_types); });
  fields.Parsed("in_interface", rule.in_interface, AsText);
  fields.Parsed("out_interface", rule.out_interface, AsText);
  fields.List("states", [&](const Json& item) { return ReadState(item, rule.states); });
  fields.Bool("log", rule.log);
  fields.Parsed("expires", rule.expires, ParseTimestamp);
  fields.Text("comment", rule.comment);
  fields.Text("author", rule.author);
  fields.Bool("allow_wide", rule.allow_wide);
  NTA_RETURN_IF_ERROR(fields.Finish());
  NTA_RETURN_IF_ERROR(CheckRule(rule));
  return rule;
}

absl::StatusOr<SetElement> ReadElement(const Json& json) {
  SetElement element;
  // A bare address is an element without expiry.
  if (json.is_string()) {
    NTA_ASSIGN_OR_RETURN(element.prefix, IpPrefix::Parse(json.get_ref<const std::string&>()));
    return element;
  }
  JsonFields fields(json, "");
  fields.Require("prefix");
  fields.Parsed("prefix", element.prefix, IpPrefix::Parse);
  fields.Parsed("expires", element.expires, ParseTimestamp);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return element;
}

absl::StatusOr<AddressSet> ReadSet(const Json& json) {
  AddressSet set;
  JsonFields fields(json, "");
  fields.Require("name");
  fields.Text("name", set.name);
  fields.Parsed("kind", set.kind, ParseAddressSetKind);
  fields.List("elements", [&](const Json& item) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(const SetElement element, ReadElement(item));
    set.elements.push_back(element);
    return absl::OkStatus();
  });
  fields.Bool("allow_wide", set.allow_wide);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return set;
}

absl::StatusOr<ProtectedSet> ReadProtectedSet(const Json& json) {
  ProtectedSet protected_set;
  JsonFields fields(json, "");
  fields.Bool("loopback", protected_set.loopback);
  fields.Bool("neighbour_discovery", protected_set.neighbour_discovery);
  fields.List("peers", [&](const Json& item) -> absl::Status {
    ProtectedPeer peer;
    JsonFields parts(item, "");
    parts.Require("prefix");
    parts.Parsed("prefix", peer.prefix, IpPrefix::Parse);
    parts.Parsed("role", peer.role, ParseProtectedRole);
    NTA_RETURN_IF_ERROR(parts.Finish());
    protected_set.peers.push_back(peer);
    return absl::OkStatus();
  });
  fields.Bool("replies", protected_set.replies);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return protected_set;
}

absl::StatusOr<DefaultVerdicts> ReadDefaults(const Json& json) {
  DefaultVerdicts defaults;
  JsonFields fields(json, "");
  fields.Parsed("in", defaults.in, ParseRuleVerdict);
  fields.Parsed("out", defaults.out, ParseRuleVerdict);
  fields.Parsed("forward", defaults.forward, ParseRuleVerdict);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return defaults;
}

template <typename T, typename Read>
void ReadPart(JsonFields& fields, const std::string& name, T& out, Read read) {
  const Json* value = fields.Find(name);
  if (value == nullptr) return;
  auto result = read(*value);
  if (!result.ok()) return fields.Fail(name, std::string(result.status().message()));
  out = *std::move(result);
}

absl::StatusOr<RuleSet> ReadRuleSet(const Json& json) {
  RuleSetParts parts;
  JsonFields fields(json, "");
  fields.List("rules", [&](const Json& item) -> absl::Status {
    auto rule = ReadRule(item);
    if (!rule.ok()) {
      // Which one of them, as far as it says who it is; what is wrong with a whole rule names it.
      const std::string what(rule.status().message());
      if (what.starts_with("rule ")) return rule.status();
      const auto id = item.is_object() ? item.find("id") : item.end();
      constexpr std::size_t kMostQuoted = 32;
      const bool has_id = id != item.end() && id->is_string() &&
                          id->get_ref<const std::string&>().size() <= kMostQuoted;
      const std::string which = has_id ? Dump(*id) : std::to_string(parts.rules.size() + 1);
      return base::InvalidArgument("rule " + which + ": " + what);
    }
    parts.rules.push_back(*std::move(rule));
    return absl::OkStatus();
  });
  fields.List("sets", [&](const Json& item) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(AddressSet set, ReadSet(item));
    parts.sets.push_back(std::move(set));
    return absl::OkStatus();
  });
  ReadPart(fields, "protected_set", parts.protected_set, ReadProtectedSet);
  ReadPart(fields, "defaults", parts.defaults, ReadDefaults);
  NTA_RETURN_IF_ERROR(fields.Finish());
  return RuleSet::Create(std::move(parts));
}

}  // namespace

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Json> ParseJson(std::string_view text) {
  std::vector<std::set<std::string>> names;  // of the objects that are open
  std::string repeated;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    too_deep = too_deep || depth > kMaxDepth;
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    // Which of two equal names counts is where programs disagree.
    if (event == Json::parse_event_t::key &&
        !names.back().insert(value.get_ref<const std::string&>()).second) {
      repeated = value.get<std::string>().substr(0, 60);
    }
    return !too_deep;
  };
  try {
    Json json = Json::parse(text, watch);
    if (too_deep) return base::InvalidArgument("JSON is nested too deep");
    if (!repeated.empty())
      return base::InvalidArgument("field \"" + repeated + "\" is there twice");
    return json;
  } catch (const Json::parse_error& error) {
    return base::InvalidArgument("not JSON: wrong at byte " + std::to_string(error.byte));
  } catch (const Json::out_of_range&) {
    return base::InvalidArgument("not JSON: a number is too large");
  }
}

}  // namespace firewall

std::string ToJson(const Rule& rule) { return firewall::Dump(firewall::ToValue(rule)); }
std::string ToJson(const RuleSet& rules) { return firewall::Dump(firewall::ToValue(rules)); }
std::string ToJson(const RuleSetDiff& diff) { return firewall::Dump(firewall::ToValue(diff)); }

absl::StatusOr<Rule> RuleFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const firewall::Json json, firewall::ParseJson(text));
  return firewall::ReadRule(json);
}

absl::StatusOr<RuleSet> RuleSetFromJson(std::string_view text) {
  NTA_ASSIGN_OR_RETURN(const firewall::Json json, firewall::ParseJson(text));
  return firewall::ReadRuleSet(json);
}

}  // namespace nta
