// What a single value must satisfy. The alphabets are narrow on purpose: nothing that passes here
// can end, quote or comment out a statement of a rule language, whatever is done with it later.
#include <algorithm>
#include <string>
#include <string_view>

#include "base/status.h"
#include "nta/firewall/protected_set.h"
#include "nta/firewall/rule.h"

namespace nta {
namespace {

constexpr int kNarrowestWideV4 = 8;
constexpr int kNarrowestWideV6 = 16;
constexpr std::size_t kMaxIdLength = 32;
constexpr std::size_t kMaxSetNameLength = 24;
constexpr std::size_t kMaxInterfaceLength = 15;  // IFNAMSIZ - 1
constexpr std::size_t kMaxListed = 1'000;        // prefixes, ports or types in one rule
constexpr std::uint32_t kMaxRate = 1'000'000;

bool IsLowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool IsAlphanumeric(char c) { return IsLowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

// How a wrong character is shown: never as itself unless it is plain.
std::string Shown(char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  if (byte > 0x20 && byte < 0x7f) return std::string("'") + c + "'";
  return std::string("byte 0x") + kHex[byte >> 4] + kHex[byte & 15];
}

// Texts come from anybody and may be of any length and content.
std::string Quoted(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text.substr(0, 40)) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte >= 0x20 && byte < 0x7f ? c : '?';
  }
  return quoted + (text.size() > 40 ? "...\"" : "\"");
}

absl::Status CheckText(std::string_view what, std::string_view text, std::size_t max_length,
                       std::string_view also_allowed) {
  if (text.size() > max_length) {
    return base::InvalidArgument(std::string(what) + " has " + std::to_string(text.size()) +
                                 " bytes; at most " + std::to_string(max_length) + " are allowed");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (IsAlphanumeric(text[i]) || also_allowed.find(text[i]) != std::string_view::npos) continue;
    return base::InvalidArgument(std::string(what) + " holds " + Shown(text[i]) + " at " +
                                 std::to_string(i) + ", which is not allowed");
  }
  return absl::OkStatus();
}

// Ids of rules and names of sets.
absl::Status CheckIdentifier(std::string_view what, std::string_view text, std::size_t max_length) {
  const bool right = !text.empty() && text.size() <= max_length && IsLowerOrDigit(text[0]) &&
                     std::all_of(text.begin(), text.end(),
                                 [](char c) { return IsLowerOrDigit(c) || c == '_' || c == '-'; });
  if (right) return absl::OkStatus();
  return base::InvalidArgument(std::string(what) + " " + Quoted(text) + " is not 1 to " +
                               std::to_string(max_length) +
                               " of a-z 0-9 _ - with a letter or digit first");
}

bool IsTooWide(const IpPrefix& prefix) {
  return prefix.length() < (prefix.address().is_v4() ? kNarrowestWideV4 : kNarrowestWideV6);
}

bool IsMapped(const IpPrefix& prefix) {
  static const IpPrefix kMapped = *IpPrefix::Parse("::ffff:0:0/96");
  return kMapped.Contains(prefix.address()) && prefix.length() >= kMapped.length();
}

absl::Status CheckPrefix(const std::string& what, const IpPrefix& prefix, bool may_be_wide) {
  if (IsMapped(prefix)) {
    return base::InvalidArgument(what + " " + prefix.ToString() +
                                 " is IPv4 written as IPv6; no packet carries it, name the IPv4 "
                                 "network instead");
  }
  if (may_be_wide || !IsTooWide(prefix)) return absl::OkStatus();
  return base::InvalidArgument(
      what + " " + prefix.ToString() + " is wider than /" +
      std::to_string(prefix.address().is_v4() ? kNarrowestWideV4 : kNarrowestWideV6) +
      "; set allow_wide to insist");
}

absl::Status CheckAddresses(const std::string& what, const RuleAddresses& addresses,
                            bool may_be_wide) {
  if (addresses.prefixes.size() + addresses.sets.size() > kMaxListed) {
    return base::InvalidArgument(what + " lists more than " + std::to_string(kMaxListed) +
                                 " networks; use a set");
  }
  for (const IpPrefix& prefix : addresses.prefixes) {
    NTA_RETURN_IF_ERROR(CheckPrefix(what, prefix, may_be_wide));
  }
  for (const std::string& name : addresses.sets) {
    NTA_RETURN_IF_ERROR(CheckIdentifier(what + " set", name, kMaxSetNameLength));
  }
  return absl::OkStatus();
}

absl::Status CheckPorts(const Rule& rule, const std::string& what,
                        const std::vector<PortRange>& ranges) {
  if (ranges.empty()) return absl::OkStatus();
  if (!rule.protocol || !HasPorts(*rule.protocol)) {
    return base::InvalidArgument(what + " need a protocol with ports (tcp, udp, sctp, ...)");
  }
  if (ranges.size() > kMaxListed) {
    return base::InvalidArgument(what + ": more than " + std::to_string(kMaxListed) + " ranges");
  }
  for (const PortRange& range : ranges) {
    if (range.first <= range.last) continue;
    return base::InvalidArgument(what + ": the range " + std::to_string(range.first) + "-" +
                                 std::to_string(range.last) + " is empty");
  }
  return absl::OkStatus();
}

absl::Status CheckVerdict(const Rule& rule) {
  if (rule.verdict > RuleVerdict::kRateLimit) return base::InvalidArgument("verdict is unknown");
  if (rule.direction > RuleDirection::kForward) {
    return base::InvalidArgument("direction is unknown");
  }
  if (rule.verdict == RuleVerdict::kRateLimit && !rule.rate_limit) {
    return base::InvalidArgument("verdict rate_limit needs a rate_limit");
  }
  if (rule.verdict != RuleVerdict::kRateLimit && rule.rate_limit) {
    return base::InvalidArgument("rate_limit is given, but the verdict is " +
                                 std::string(ToString(rule.verdict)));
  }
  if (!rule.rate_limit) return absl::OkStatus();
  const auto in_range = [](std::uint32_t value) { return value >= 1 && value <= kMaxRate; };
  if (in_range(rule.rate_limit->packets_per_second) && in_range(rule.rate_limit->burst)) {
    return absl::OkStatus();
  }
  return base::InvalidArgument("rate_limit: packets_per_second and burst must be 1 to 1000000");
}

absl::Status CheckInterfaces(const Rule& rule) {
  if (rule.in_interface) {
    if (rule.direction == RuleDirection::kOut) {
      return base::InvalidArgument("in_interface is given, but the direction is out");
    }
    NTA_RETURN_IF_ERROR(CheckInterfaceName(*rule.in_interface));
  }
  if (rule.out_interface) {
    if (rule.direction == RuleDirection::kIn) {
      return base::InvalidArgument("out_interface is given, but the direction is in");
    }
    NTA_RETURN_IF_ERROR(CheckInterfaceName(*rule.out_interface));
  }
  return absl::OkStatus();
}

absl::Status CheckIcmp(const Rule& rule) {
  if (rule.icmp_types.empty()) return absl::OkStatus();
  if (rule.protocol == kProtocolIcmp || rule.protocol == kProtocolIcmpV6) return absl::OkStatus();
  return base::InvalidArgument("icmp_types need protocol icmp or icmpv6");
}

// A rule that cuts and names nothing but a direction is a switch that turns the network off.
absl::Status CheckNotEverything(const Rule& rule) {
  if (rule.verdict == RuleVerdict::kAccept || rule.allow_wide) return absl::OkStatus();
  const bool narrowed = !rule.source.is_any() || !rule.destination.is_any() || rule.protocol ||
                        rule.in_interface || rule.out_interface || !rule.states.empty();
  if (narrowed) return absl::OkStatus();
  return base::InvalidArgument(
      "has no condition and so takes every packet; set allow_wide to "
      "insist");
}

absl::Status CheckRuleFields(const Rule& rule) {
  const bool may_be_wide = rule.verdict == RuleVerdict::kAccept || rule.allow_wide;
  NTA_RETURN_IF_ERROR(CheckVerdict(rule));
  NTA_RETURN_IF_ERROR(CheckAddresses("source", rule.source, may_be_wide));
  NTA_RETURN_IF_ERROR(CheckAddresses("destination", rule.destination, may_be_wide));
  NTA_RETURN_IF_ERROR(CheckPorts(rule, "source_ports", rule.source_ports));
  NTA_RETURN_IF_ERROR(CheckPorts(rule, "destination_ports", rule.destination_ports));
  NTA_RETURN_IF_ERROR(CheckIcmp(rule));
  NTA_RETURN_IF_ERROR(CheckInterfaces(rule));
  for (const ConnectionState state : rule.states) {
    if (state > ConnectionState::kInvalid) return base::InvalidArgument("state is unknown");
  }
  NTA_RETURN_IF_ERROR(CheckText("comment", rule.comment, 120, " .,:/()@+=_-"));
  NTA_RETURN_IF_ERROR(CheckText("author", rule.author, 64, "._@+-"));
  return CheckNotEverything(rule);
}

absl::Status InContext(const std::string& context, const absl::Status& status) {
  if (status.ok()) return status;
  return base::InvalidArgument(context + ": " + std::string(status.message()));
}

}  // namespace

bool HasPorts(std::uint8_t protocol) {
  return protocol == kProtocolTcp || protocol == kProtocolUdp || protocol == kProtocolSctp ||
         protocol == kProtocolDccp || protocol == kProtocolUdpLite;
}

absl::Status CheckInterfaceName(std::string_view name) {
  const bool right = !name.empty() && name.size() <= kMaxInterfaceLength && name != "." &&
                     name != ".." && std::all_of(name.begin(), name.end(), [](char c) {
                       return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-';
                     });
  if (right) return absl::OkStatus();
  return base::InvalidArgument("interface " + Quoted(name) +
                               " is not 1 to 15 of A-Z a-z 0-9 . _ -");
}

absl::Status CheckRule(const Rule& rule) {
  NTA_RETURN_IF_ERROR(CheckIdentifier("rule id", rule.id, kMaxIdLength));
  return InContext("rule \"" + rule.id + "\"", CheckRuleFields(rule));
}

absl::Status CheckSetElement(const AddressSet& set, const SetElement& element) {
  const std::string context = "set " + Quoted(set.name);
  const int full = element.prefix.address().is_v4() ? 32 : 128;
  if (set.kind == AddressSetKind::kHosts && element.prefix.length() != full) {
    return base::InvalidArgument(context + ": " + element.prefix.ToString() +
                                 " is a network, but the set is one of hosts");
  }
  if (set.kind == AddressSetKind::kPrefixes && element.expires) {
    return base::InvalidArgument(context + ": " + element.prefix.ToString() +
                                 " has an expiry, which a set of prefixes does not keep");
  }
  return InContext(context, CheckPrefix("element", element.prefix, set.allow_wide));
}

absl::Status CheckAddressSet(const AddressSet& set) {
  NTA_RETURN_IF_ERROR(CheckIdentifier("set name", set.name, kMaxSetNameLength));
  if (set.kind > AddressSetKind::kPrefixes) {
    return base::InvalidArgument("set \"" + set.name + "\": kind is unknown");
  }
  for (const SetElement& element : set.elements) {
    NTA_RETURN_IF_ERROR(CheckSetElement(set, element));
  }
  return absl::OkStatus();
}

absl::Status CheckProtectedSet(const ProtectedSet& protected_set) {
  if (protected_set.peers.size() > kMaxListed) {
    return base::InvalidArgument("protected set: more than " + std::to_string(kMaxListed) +
                                 " peers");
  }
  for (const ProtectedPeer& peer : protected_set.peers) {
    const std::string what = "protected set: " + std::string(ToString(peer.role));
    if (peer.role > ProtectedRole::kConfigured) return base::InvalidArgument(what + " role");
    NTA_RETURN_IF_ERROR(CheckPrefix(what, peer.prefix, false));
  }
  return absl::OkStatus();
}

}  // namespace nta
