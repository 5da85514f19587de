// A rehearsal's result in sentences and as JSON.
#include <array>
#include <cstdio>
#include <string>

#include "firewall/json_fields.h"
#include "nta/firewall/rehearse.h"

namespace nta {
namespace {

using firewall::Json;

std::string Number(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::ptrdiff_t at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > 0; at -= 3) {
    text.insert(static_cast<std::size_t>(at), ",");
  }
  return text;
}

std::string Bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1'000;
    ++unit;
  }
  char text[32];
  std::snprintf(text, sizeof(text), value < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", value,
                kUnits[unit]);
  return text;
}

std::string Flows(const RehearsalCount& count) {
  return Number(count.flows) + (count.flows == 1 ? " flow (" : " flows (") + Bytes(count.bytes) +
         ")";
}

std::string Reasons(const RehearsalResult& result) {
  std::string text;
  for (std::size_t bit = 0; bit < kMissingFacts; ++bit) {
    if (result.missing[bit].flows == 0) continue;
    if (!text.empty()) text += ", ";
    text +=
        ToString(static_cast<MissingFact>(1 << bit)) + " of " + Number(result.missing[bit].flows);
  }
  return text;
}

std::string Sentence(const RehearsedSession& session) {
  const std::string who = "Your session from " + session.session.peer.ToString() + " to " +
                          session.session.server.ToString();
  switch (session.decision) {
    case Decision::kAccept:
      return who + (session.by_protected_set ? " is protected and goes on.\n" : " goes on.\n");
    case Decision::kUndecidable:
      return who + ": cannot be told.\n";
    default:
      return who + " WOULD BE CUT OFF" +
             (session.rule_id.empty() ? " by the default verdict.\n"
                                      : " by rule " + session.rule_id + ".\n");
  }
}

Json CountValue(const RehearsalCount& count) {
  return {{"flows", count.flows}, {"bytes", count.bytes}};
}

}  // namespace

std::string_view ToString(MachineRole role) {
  return role == MachineRole::kHost ? "host" : role == MachineRole::kRouter ? "router" : "unknown";
}

absl::StatusOr<MachineRole> ParseMachineRole(std::string_view text) {
  for (const MachineRole role : {MachineRole::kUnknown, MachineRole::kHost, MachineRole::kRouter}) {
    if (ToString(role) == text) return role;
  }
  return base::InvalidArgument("a machine's role is unknown, host or router");
}

std::string ToString(const RehearsalResult& result) {
  if (result.examined.flows == 0) {
    std::string text = "There are no flows to try the rules on.\n";
    for (const RehearsedSession& session : result.sessions) text += Sentence(session);
    return text;
  }
  std::string text =
      "Of " + Flows(result.examined) + ", " + Flows(result.cut) + " would have been cut";
  if (result.cut.flows > 0) {
    text += ", of " + std::string(result.hosts_complete ? "" : "at least ") +
            Number(result.hosts_cut) + (result.hosts_cut == 1 ? " host" : " hosts");
  }
  text += ".\n";
  if (result.undecidable.flows > 0) {
    text += Flows(result.undecidable) + " cannot be decided; not known: " + Reasons(result) + ".\n";
  }
  if (result.elsewhere.flows > 0) {
    text += Flows(result.elsewhere) + " did not pass this machine.\n";
  }
  if (result.difference) {
    text += "Against the rules in force: " + Flows(result.difference->newly_cut) + " newly cut, " +
            Flows(result.difference->newly_passed) + " newly let through.\n";
  }
  for (const RehearsedHost& host : result.hosts) {
    text += "  cut: " + host.address.ToString() + ", " + Flows(host.cut) + "\n";
  }
  for (const RehearsedSession& session : result.sessions) text += Sentence(session);
  return text;
}

std::string ToJson(const RehearsalResult& result) {
  Json json;
  json["examined"] = CountValue(result.examined);
  json["passed"] = CountValue(result.passed);
  json["cut"] = CountValue(result.cut);
  json["undecidable"] = CountValue(result.undecidable);
  json["elsewhere"] = CountValue(result.elsewhere);
  json["missing"] = Json::array();
  for (std::size_t bit = 0; bit < kMissingFacts; ++bit) {
    if (result.missing[bit].flows == 0) continue;
    json["missing"].push_back({{"fact", ToString(static_cast<MissingFact>(1 << bit))},
                               {"flows", result.missing[bit].flows},
                               {"bytes", result.missing[bit].bytes}});
  }
  json["hosts_cut"] = result.hosts_cut;
  json["hosts_complete"] = result.hosts_complete;
  json["hosts"] = Json::array();
  for (const RehearsedHost& host : result.hosts) {
    json["hosts"].push_back({{"address", host.address.ToString()},
                             {"flows", host.cut.flows},
                             {"bytes", host.cut.bytes}});
  }
  json["services"] = Json::array();
  for (const RehearsedService& service : result.services) {
    json["services"].push_back({{"protocol", ProtocolName(service.protocol)},
                                {"port", service.port},
                                {"flows", service.cut.flows},
                                {"bytes", service.cut.bytes}});
  }
  json["rules"] = Json::array();
  for (const RehearsedRule& rule : result.rules) {
    json["rules"].push_back({{"rule_id", rule.rule_id},
                             {"cut", CountValue(rule.cut)},
                             {"undecidable", CountValue(rule.undecidable)}});
  }
  json["difference"] = Json();
  if (result.difference) {
    json["difference"] = {{"newly_cut", CountValue(result.difference->newly_cut)},
                          {"newly_passed", CountValue(result.difference->newly_passed)},
                          {"unclear", CountValue(result.difference->unclear)}};
  }
  json["sessions"] = Json::array();
  for (const RehearsedSession& session : result.sessions) {
    json["sessions"].push_back({{"peer", session.session.peer.ToString()},
                                {"server", session.session.server.ToString()},
                                {"decision", ToString(session.decision)},
                                {"rule_id", session.rule_id},
                                {"by_protected_set", session.by_protected_set}});
  }
  json["summary"] = ToString(result);
  return firewall::Dump(json);
}

}  // namespace nta
