// The model check: a packet of each protected kind, with every protocol and state that a rule set
// can tell apart, is accepted.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/status.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

constexpr std::array kStates = {ConnectionState::kNew, ConnectionState::kEstablished,
                                ConnectionState::kRelated, ConnectionState::kInvalid};

// The protocols that rules name, and one that none does.
std::vector<std::uint8_t> ProtocolsOf(const RuleSet& rules) {
  std::vector<std::uint8_t> protocols = {kProtocolTcp, kProtocolUdp, kProtocolIcmp, kProtocolIcmpV6,
                                         253};
  for (const Rule& rule : rules.rules()) {
    if (rule.protocol) protocols.push_back(*rule.protocol);
  }
  std::sort(protocols.begin(), protocols.end());
  protocols.erase(std::unique(protocols.begin(), protocols.end()), protocols.end());
  return protocols;
}

absl::Status Accepted(const RuleSet& rules, const PacketFacts& packet, const std::string& what) {
  const Evaluation answer = Evaluate(rules, packet);
  if (answer.decision == Decision::kAccept && answer.by_protected_set) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kInternal,
                          "protected traffic is not accepted: " + what + ", " +
                              ProtocolName(packet.protocol) + ", decided by rule \"" +
                              std::string(answer.rule_id) + "\"");
}

absl::Status CheckAll(const RuleSet& rules, PacketFacts packet,
                      const std::vector<std::uint8_t>& protocols, const std::string& what) {
  for (const std::uint8_t protocol : protocols) {
    packet.protocol = protocol;
    for (const ConnectionState state : kStates) {
      packet.state = state;
      packet.is_reply = false;
      NTA_RETURN_IF_ERROR(Accepted(rules, packet, what));
    }
  }
  return absl::OkStatus();
}

IpAddress SomeAddress(bool v4) {
  return v4 ? IpAddress::V4(203, 0, 113, 77) : *IpAddress::Parse("2001:db8::77");
}

absl::Status CheckPeer(const RuleSet& rules, const ProtectedPeer& peer,
                       const std::vector<std::uint8_t>& protocols) {
  const std::string what = std::string(ToString(peer.role)) + " " + peer.prefix.ToString();
  for (const IpAddress& address : {peer.prefix.address(), peer.prefix.Last()}) {
    const IpAddress other =
        peer.role == ProtectedRole::kOwn ? address : SomeAddress(address.is_v4());
    PacketFacts packet{.direction = RuleDirection::kIn, .source = address, .destination = other};
    NTA_RETURN_IF_ERROR(CheckAll(rules, packet, protocols, what + " in"));
    packet = {.direction = RuleDirection::kOut, .source = other, .destination = address};
    NTA_RETURN_IF_ERROR(CheckAll(rules, packet, protocols, what + " out"));
  }
  return absl::OkStatus();
}

absl::Status CheckReplies(const RuleSet& rules, const std::vector<std::uint8_t>& protocols) {
  for (const RuleDirection direction :
       {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
    for (const bool v4 : {true, false}) {
      for (const std::uint8_t protocol : protocols) {
        PacketFacts packet{.direction = direction,
                           .source = SomeAddress(v4),
                           .destination = SomeAddress(v4),
                           .protocol = protocol};
        packet.is_reply = true;
        for (const ConnectionState state :
             {ConnectionState::kEstablished, ConnectionState::kRelated}) {
          packet.state = state;
          NTA_RETURN_IF_ERROR(Accepted(rules, packet, "a reply"));
        }
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckProtection(const RuleSet& rules) {
  const ProtectedSet& protected_set = rules.protected_set();
  const std::vector<std::uint8_t> protocols = ProtocolsOf(rules);
  for (const ProtectedPeer& peer : protected_set.peers) {
    NTA_RETURN_IF_ERROR(CheckPeer(rules, peer, protocols));
  }
  if (protected_set.loopback) {
    PacketFacts packet{.direction = RuleDirection::kIn,
                       .source = SomeAddress(true),
                       .destination = SomeAddress(true)};
    packet.in_interface = "lo";
    NTA_RETURN_IF_ERROR(CheckAll(rules, packet, protocols, "loopback in"));
    packet = {.direction = RuleDirection::kOut,
              .source = *IpAddress::Parse("::1"),
              .destination = *IpAddress::Parse("::1")};
    NTA_RETURN_IF_ERROR(CheckAll(rules, packet, protocols, "loopback out"));
  }
  if (protected_set.neighbour_discovery) {
    for (std::uint8_t type = 133; type <= 136; ++type) {
      PacketFacts packet{.direction = RuleDirection::kIn,
                         .source = SomeAddress(false),
                         .destination = SomeAddress(false)};
      packet.icmp_type = type;
      NTA_RETURN_IF_ERROR(CheckAll(rules, packet, {kProtocolIcmpV6}, "neighbour discovery"));
    }
  }
  return protected_set.replies ? CheckReplies(rules, protocols) : absl::OkStatus();
}

}  // namespace nta
