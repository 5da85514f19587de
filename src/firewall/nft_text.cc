#include <algorithm>
#include <chrono>
#include <string>

#include "firewall/render.h"
#include "nta/net/time.h"

namespace nta::firewall {
namespace {

std::string RangeText(const AddressRange& range) {
  if (range.first == range.last) return range.first.ToString();
  const std::vector<IpPrefix> prefixes = ToPrefixes(range);
  if (prefixes.size() == 1) return prefixes.front().ToString();
  return range.first.ToString() + "-" + range.last.ToString();
}
std::string RangeText(const PortRange& range) {
  if (range.first == range.last) return std::to_string(range.first);
  return std::to_string(range.first) + "-" + std::to_string(range.last);
}
std::string RangeText(std::uint8_t number) { return std::to_string(number); }

// "x", or "{ x, y }".
template <typename T>
std::string Choice(const std::vector<T>& values) {
  if (values.size() == 1) return RangeText(values.front());
  std::string text = "{ ";
  for (const T& value : values) {
    if (text.size() > 2) text += ", ";
    text += RangeText(value);
  }
  return text + " }";
}

std::string AddressText(int version, const char* side, const AddressMatch& match) {
  if (match.is_any()) return "";
  const std::string what = match.set.empty() ? Choice(match.ranges) : "@" + match.set;
  return std::string(version == 4 ? "ip " : "ip6 ") + side + " " + what + " ";
}

// Names that were checked hold no quote.
std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

std::string StateText(std::uint32_t states) {
  std::string text;
  const auto add = [&](std::uint32_t bit, const char* name) {
    if ((states & bit) == 0) return;
    if (!text.empty()) text += ",";
    text += name;
  };
  add(kStateInvalid, "invalid");
  add(kStateEstablished, "established");
  add(kStateRelated, "related");
  add(kStateNew, "new");
  return "ct state " + text + " ";
}

std::string TimeText(std::int64_t seconds) {
  // "2026-11-22T08:00:00.000000000Z"; nft is run with TZ=UTC0.
  const std::string text = ToString(Timestamp(std::chrono::seconds(seconds)));
  return text.substr(0, 10) + " " + text.substr(11, 8);
}

std::string VerdictText(const KernelLine& line) {
  switch (line.verdict) {
    case LineVerdict::kAccept:
      return "accept ";
    case LineVerdict::kDrop:
      return "drop ";
    case LineVerdict::kRejectTcpReset:
      return "reject with tcp reset ";
    case LineVerdict::kRejectProhibited:
      return "reject with icmpx type admin-prohibited ";
    case LineVerdict::kJump:
      return "jump " + line.target + " ";
    case LineVerdict::kGoto:
      return "goto " + line.target + " ";
    case LineVerdict::kReturn:
      return "return ";
    case LineVerdict::kNone:
    case LineVerdict::kRejectOther:
      break;
  }
  return "";
}

}  // namespace

std::string LineText(const KernelLine& line) {
  std::string text;
  if (!line.in_interface.empty()) text += "iifname " + Quoted(line.in_interface) + " ";
  if (!line.out_interface.empty()) text += "oifname " + Quoted(line.out_interface) + " ";
  if (line.version != 0 && line.source.is_any() && line.destination.is_any()) {
    text += line.version == 4 ? "meta nfproto ipv4 " : "meta nfproto ipv6 ";
  }
  text += AddressText(line.version, "saddr", line.source);
  text += AddressText(line.version, "daddr", line.destination);
  if (!line.protocols.empty()) text += "meta l4proto " + Choice(line.protocols) + " ";
  if (!line.source_ports.empty()) text += "th sport " + Choice(line.source_ports) + " ";
  if (!line.destination_ports.empty()) text += "th dport " + Choice(line.destination_ports) + " ";
  // By its place, because "icmp type" brings conditions of its own.
  if (!line.icmp_types.empty()) text += "@th,0,8 " + Choice(line.icmp_types) + " ";
  if (line.is_reply) text += "ct direction reply ";
  if (line.states != 0) text += StateText(line.states);
  if (line.before) text += "meta time < " + Quoted(TimeText(*line.before)) + " ";
  if (line.log_prefix) text += "log prefix " + Quoted(*line.log_prefix) + " ";
  if (!line.limit.empty()) text += "limit name " + Quoted(line.limit) + " ";
  if (!line.counter.empty()) text += "counter name " + Quoted(line.counter) + " ";
  text += VerdictText(line);
  if (!line.comment.empty()) text += "comment " + Quoted(line.comment);
  return text;
}

std::string SetText(std::string_view table, std::string_view name, const KernelSet& set) {
  std::string text = "add set inet " + std::string(table) + " " + std::string(name);
  text += set.version == 4 ? " { type ipv4_addr; " : " { type ipv6_addr; ";
  // A hash, each element with a time and a count of its own; or a tree of intervals.
  return text + (set.kind == AddressSetKind::kHosts ? "flags timeout; counter; }\n"
                                                    : "flags interval; }\n");
}

std::string ReplaceScript(std::string_view table, const KernelTable& old, const KernelTable& wanted,
                          const std::vector<std::string>& fresh_counters) {
  const std::string in = " inet " + std::string(table) + " ";
  std::string text = "add table inet " + std::string(table) + "\n";
  const auto is_wanted_counter = [&](const std::string& name) {
    return std::binary_search(wanted.counters.begin(), wanted.counters.end(), name) &&
           std::find(fresh_counters.begin(), fresh_counters.end(), name) == fresh_counters.end();
  };
  // Rules go first, so that nothing is in use any more.
  text += "flush table inet " + std::string(table) + "\n";
  for (const auto& [name, chain] : old.chains) {
    const auto kept = wanted.chains.find(name);
    const bool same = kept != wanted.chains.end() && kept->second.hook == chain.hook &&
                      kept->second.type == chain.type && kept->second.priority == chain.priority;
    if (!same) text += "delete chain" + in + name + "\n";
  }
  for (const auto& [name, set] : old.sets) {
    const auto kept = wanted.sets.find(name);
    if (kept == wanted.sets.end() || kept->second != set) text += "delete set" + in + name + "\n";
  }
  for (const auto& [name, limit] : old.limits) {
    const auto kept = wanted.limits.find(name);
    if (kept == wanted.limits.end() || kept->second != limit) {
      text += "delete limit" + in + name + "\n";
    }
  }
  for (const std::string& name : old.counters) {
    if (!is_wanted_counter(name)) text += "delete counter" + in + name + "\n";
  }
  for (const std::string& name : wanted.counters) text += "add counter" + in + name + "\n";
  for (const auto& [name, limit] : wanted.limits) {
    text += "add limit" + in + name + " { rate over " + std::to_string(limit.packets_per_second) +
            "/second burst " + std::to_string(limit.burst) + " packets; }\n";
  }
  for (const auto& [name, set] : wanted.sets) text += SetText(table, name, set);
  for (const auto& [name, chain] : wanted.chains) {
    text += "add chain" + in + name;
    if (!chain.hook.empty()) {
      text += " { type filter hook " + chain.hook + " priority " + std::to_string(chain.priority) +
              "; policy " + (chain.drops_by_default ? "drop" : "accept") + "; }";
    }
    text += "\n";
  }
  for (const auto& [name, chain] : wanted.chains) {
    for (const KernelLine& line : chain.lines) {
      text += "add rule" + in + name + " " + LineText(line) + "\n";
    }
  }
  return text;
}

}  // namespace nta::firewall
