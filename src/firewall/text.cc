// Rules and differences in words.
#include <string>
#include <vector>

#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

// "a", "a or b", "a, b or 3 more".
std::string Either(const std::vector<std::string>& items) {
  constexpr std::size_t kShown = 3;
  std::string text;
  for (std::size_t i = 0; i < items.size() && i < kShown; ++i) {
    const bool last = i + 1 == items.size();
    text += i == 0 ? "" : last ? " or " : ", ";
    text += items[i];
  }
  if (items.size() > kShown) text += " or " + std::to_string(items.size() - kShown) + " more";
  return text;
}

std::string InWords(const RuleAddresses& addresses) {
  std::vector<std::string> items;
  for (const IpPrefix& prefix : addresses.prefixes) {
    const bool host = prefix.length() == (prefix.address().is_v4() ? 32 : 128);
    items.push_back(host ? prefix.address().ToString() : prefix.ToString());
  }
  for (const std::string& name : addresses.sets) items.push_back("set " + name);
  return Either(items);
}

std::string InWords(const std::vector<PortRange>& ranges) {
  std::vector<std::string> items;
  for (const PortRange& range : ranges) {
    items.push_back(range.first == range.last
                        ? std::to_string(range.first)
                        : std::to_string(range.first) + "-" + std::to_string(range.last));
  }
  return Either(items);
}

std::string InWords(const std::vector<ConnectionState>& states) {
  std::vector<std::string> items;
  for (const ConnectionState state : states) items.emplace_back(ToString(state));
  return Either(items);
}

std::string InWords(const std::vector<std::uint8_t>& types) {
  std::vector<std::string> items;
  for (const std::uint8_t type : types) items.push_back(std::to_string(type));
  return Either(items);
}

std::string InWords(const DefaultVerdicts& defaults) {
  return "in " + std::string(ToString(defaults.in)) + ", out " +
         std::string(ToString(defaults.out)) + ", forward " +
         std::string(ToString(defaults.forward));
}

std::string LineOf(const RuleChange& change) {
  const auto place = [](const std::optional<std::size_t>& at) {
    return std::to_string(at.value_or(0) + 1);
  };
  switch (change.kind) {
    case ChangeKind::kAdded:
      return "+ rule " + change.after->id + ": " + ToString(*change.after);
    case ChangeKind::kRemoved:
      return "- rule " + change.before->id + ": " + ToString(*change.before);
    case ChangeKind::kMoved:
      return "> rule " + change.after->id + " moves from place " + place(change.from) + " to " +
             place(change.to);
    case ChangeKind::kChanged:
      break;
  }
  return "~ rule " + change.after->id + ": " + ToString(*change.before) + " becomes " +
         ToString(*change.after);
}

std::string LineOf(const SetChange& change) {
  const std::string counts = " (+" + std::to_string(change.added.size()) + " -" +
                             std::to_string(change.removed.size()) + " elements)";
  if (change.kind == ChangeKind::kAdded) return "+ set " + change.name + counts;
  if (change.kind == ChangeKind::kRemoved) return "- set " + change.name + counts;
  return "~ set " + change.name + counts;
}

std::string LineOf(const ProtectedPeer& peer) {
  return "protected " + std::string(ToString(peer.role)) + " " + peer.prefix.ToString();
}

}  // namespace

std::string ToString(const Rule& rule) {
  std::string text(ToString(rule.verdict));
  if (rule.rate_limit) {
    text = "limit to " + std::to_string(rule.rate_limit->packets_per_second) +
           " packets/s (burst " + std::to_string(rule.rate_limit->burst) + ")";
  }
  text += " " + std::string(ToString(rule.direction));
  if (!rule.states.empty()) text += " " + InWords(rule.states);
  if (rule.protocol) text += " " + ProtocolName(*rule.protocol);
  if (!rule.icmp_types.empty()) text += " type " + InWords(rule.icmp_types);
  if (!rule.source.is_any()) text += " from " + InWords(rule.source);
  if (!rule.source_ports.empty()) text += " from port " + InWords(rule.source_ports);
  if (!rule.destination.is_any()) text += " to " + InWords(rule.destination);
  if (!rule.destination_ports.empty()) text += " to port " + InWords(rule.destination_ports);
  if (rule.in_interface) text += " arriving at " + *rule.in_interface;
  if (rule.out_interface) text += " leaving by " + *rule.out_interface;
  if (rule.expires) text += " until " + ToString(*rule.expires);
  if (rule.log) text += ", logged";
  return text;
}

std::string RuleSetDiff::ToString() const {
  std::string text;
  for (const RuleChange& change : rules) text += LineOf(change) + "\n";
  for (const SetChange& change : sets) text += LineOf(change) + "\n";
  if (defaults_before && defaults_after) {
    text +=
        "~ default: " + InWords(*defaults_before) + " becomes " + InWords(*defaults_after) + "\n";
  }
  for (const ProtectedPeer& peer : protected_removed) text += "- " + LineOf(peer) + "\n";
  for (const ProtectedPeer& peer : protected_added) text += "+ " + LineOf(peer) + "\n";
  if (protection_changed) text += "~ switches of the protected set\n";
  return text;
}

}  // namespace nta
