#include "firewall/match.h"

#include <algorithm>

namespace nta::firewall {
namespace {

// Collects the conditions of one rule: one that fails settles it, one that is not known makes the
// rule a perhaps.
class Conditions {
 public:
  void Require(bool holds) {
    if (!holds) truth_ = Truth::kNo;
  }
  void NotKnown(MissingFact fact) {
    if (truth_ == Truth::kNo) return;
    truth_ = Truth::kMaybe;
    missing_ = missing_ | fact;
  }
  bool failed() const { return truth_ == Truth::kNo; }
  Match result() const {
    return {truth_, truth_ == Truth::kMaybe ? missing_ : MissingFact::kNothing};
  }

 private:
  Truth truth_ = Truth::kYes;
  MissingFact missing_ = MissingFact::kNothing;
};

bool AddressesContain(const RuleSet& rules, const RuleAddresses& addresses,
                      const IpAddress& address, const std::optional<Timestamp>& now) {
  const auto holds = [&](const IpPrefix& prefix) { return prefix.Contains(address); };
  if (std::any_of(addresses.prefixes.begin(), addresses.prefixes.end(), holds)) return true;
  return std::any_of(addresses.sets.begin(), addresses.sets.end(), [&](const std::string& name) {
    const AddressSet* set = rules.FindSet(name);
    return set != nullptr && SetContains(*set, address, now);
  });
}

// Whether any address of that version could be meant.
bool AddressesHold(const RuleSet& rules, const RuleAddresses& addresses, int version,
                   const std::optional<Timestamp>& now) {
  const auto fits = [version](const IpPrefix& prefix) {
    return prefix.address().version() == version;
  };
  if (std::any_of(addresses.prefixes.begin(), addresses.prefixes.end(), fits)) return true;
  return std::any_of(addresses.sets.begin(), addresses.sets.end(), [&](const std::string& name) {
    const AddressSet* set = rules.FindSet(name);
    return set != nullptr &&
           std::any_of(set->elements.begin(), set->elements.end(), [&](const SetElement& element) {
             return fits(element.prefix) && !Expired(element.expires, now);
           });
  });
}

void RequireAddress(const RuleSet& rules, const RuleAddresses& wanted,
                    const std::optional<IpAddress>& address, const std::optional<IpAddress>& other,
                    const PacketFacts& packet, MissingFact fact, Conditions& conditions) {
  if (wanted.is_any() || conditions.failed()) return;
  if (address) {
    conditions.Require(AddressesContain(rules, wanted, *address, packet.time));
  } else if (other && !AddressesHold(rules, wanted, other->version(), packet.time)) {
    conditions.Require(false);
  } else {
    conditions.NotKnown(fact);
  }
}

void RequirePort(const std::vector<PortRange>& wanted, const std::optional<std::uint16_t>& port,
                 Conditions& conditions) {
  if (wanted.empty()) return;
  if (!port) return conditions.NotKnown(MissingFact::kPorts);
  conditions.Require(std::any_of(wanted.begin(), wanted.end(), [&](const PortRange& range) {
    return *port >= range.first && *port <= range.last;
  }));
}

void RequireInterface(const std::optional<std::string>& wanted,
                      const std::optional<std::string>& interface, Conditions& conditions) {
  if (!wanted) return;
  if (!interface) return conditions.NotKnown(MissingFact::kInterface);
  conditions.Require(*wanted == *interface);
}

// ICMP exists in IPv4 only, ICMPv6 in IPv6 only.
bool ProtocolFits(std::uint8_t protocol, const PacketFacts& packet) {
  if (protocol != packet.protocol) return false;
  const std::optional<IpAddress>& known = packet.source ? packet.source : packet.destination;
  if (!known) return true;
  if (protocol == kProtocolIcmp) return known->is_v4();
  return protocol != kProtocolIcmpV6 || !known->is_v4();
}

Truth InPeer(const ProtectedPeer& peer, const std::optional<IpAddress>& address) {
  if (!address) return Truth::kMaybe;
  return peer.prefix.Contains(*address) ? Truth::kYes : Truth::kNo;
}

Truth AmongOwn(const ProtectedSet& protected_set, const std::optional<IpAddress>& address) {
  Truth best = Truth::kNo;
  for (const ProtectedPeer& peer : protected_set.peers) {
    if (peer.role == ProtectedRole::kOwn) best = std::max(best, InPeer(peer, address));
  }
  return best;
}

Match Perhaps(Truth truth, MissingFact fact) {
  return {truth, truth == Truth::kMaybe ? fact : MissingFact::kNothing};
}

Match MatchLoopback(const ProtectedSet& protected_set, const PacketFacts& packet) {
  if (!protected_set.loopback) return {Truth::kNo};
  // What passes over the loopback interface has addresses of this machine on both sides; an
  // interface that is not known is not it.
  const bool over_loopback = packet.in_interface == "lo" || packet.out_interface == "lo";
  const bool to_itself = packet.source && packet.destination && packet.source->is_loopback() &&
                         packet.destination->is_loopback();
  return {over_loopback || to_itself ? Truth::kYes : Truth::kNo};
}

Match MatchNeighbourDiscovery(const ProtectedSet& protected_set, RuleDirection direction,
                              const PacketFacts& packet) {
  if (!protected_set.neighbour_discovery || direction == RuleDirection::kForward ||
      !ProtocolFits(kProtocolIcmpV6, packet)) {
    return {Truth::kNo};
  }
  if (!packet.icmp_type) return Perhaps(Truth::kMaybe, MissingFact::kIcmpType);
  return {*packet.icmp_type >= 133 && *packet.icmp_type <= 136 ? Truth::kYes : Truth::kNo};
}

Match MatchPeers(const ProtectedSet& protected_set, RuleDirection direction,
                 const PacketFacts& packet) {
  if (direction == RuleDirection::kForward) return {Truth::kNo};
  const bool in = direction == RuleDirection::kIn;
  const std::optional<IpAddress>& far = in ? packet.source : packet.destination;
  Truth best =
      std::min(AmongOwn(protected_set, packet.source), AmongOwn(protected_set, packet.destination));
  for (const ProtectedPeer& peer : protected_set.peers) {
    if (peer.role != ProtectedRole::kOwn) best = std::max(best, InPeer(peer, far));
  }
  return Perhaps(best, in ? MissingFact::kSource : MissingFact::kDestination);
}

Match MatchReply(const ProtectedSet& protected_set, const PacketFacts& packet) {
  if (!protected_set.replies || packet.is_reply == false) return {Truth::kNo};
  if (packet.state == ConnectionState::kNew || packet.state == ConnectionState::kInvalid) {
    return {Truth::kNo};
  }
  if (!packet.state || !packet.is_reply) return Perhaps(Truth::kMaybe, MissingFact::kState);
  return {Truth::kYes};
}

}  // namespace

bool Expired(const std::optional<Timestamp>& expires, const std::optional<Timestamp>& now) {
  return expires && now && *expires <= *now;
}

bool SetContains(const AddressSet& set, const IpAddress& address,
                 const std::optional<Timestamp>& now) {
  const int full = address.is_v4() ? 32 : 128;
  const int first = set.kind == AddressSetKind::kHosts ? full : 0;
  // One search a length: elements are sorted by prefix.
  for (int length = first; length <= full; ++length) {
    const IpPrefix prefix = *IpPrefix::Create(address, length);
    const auto found = std::lower_bound(
        set.elements.begin(), set.elements.end(), prefix,
        [](const SetElement& element, const IpPrefix& value) { return element.prefix < value; });
    if (found != set.elements.end() && found->prefix == prefix && !Expired(found->expires, now)) {
      return true;
    }
  }
  return false;
}

Match MatchRule(const RuleSet& rules, const Rule& rule, RuleDirection direction,
                const PacketFacts& packet) {
  Conditions conditions;
  conditions.Require(rule.direction == direction && !Expired(rule.expires, packet.time));
  if (rule.protocol) conditions.Require(ProtocolFits(*rule.protocol, packet));
  if (conditions.failed()) return conditions.result();
  RequirePort(rule.destination_ports, packet.destination_port, conditions);
  RequirePort(rule.source_ports, packet.source_port, conditions);
  if (!rule.icmp_types.empty()) {
    if (packet.icmp_type) {
      conditions.Require(
          std::binary_search(rule.icmp_types.begin(), rule.icmp_types.end(), *packet.icmp_type));
    } else {
      conditions.NotKnown(MissingFact::kIcmpType);
    }
  }
  RequireInterface(rule.in_interface, packet.in_interface, conditions);
  RequireInterface(rule.out_interface, packet.out_interface, conditions);
  if (!rule.states.empty()) {
    if (packet.state) {
      conditions.Require(std::binary_search(rule.states.begin(), rule.states.end(), *packet.state));
    } else {
      conditions.NotKnown(MissingFact::kState);
    }
  }
  RequireAddress(rules, rule.source, packet.source, packet.destination, packet,
                 MissingFact::kSource, conditions);
  RequireAddress(rules, rule.destination, packet.destination, packet.source, packet,
                 MissingFact::kDestination, conditions);
  return conditions.result();
}

Match MatchProtected(const ProtectedSet& protected_set, RuleDirection direction,
                     const PacketFacts& packet) {
  Match best{Truth::kNo};
  for (const Match& match :
       {MatchLoopback(protected_set, packet),
        MatchNeighbourDiscovery(protected_set, direction, packet),
        MatchPeers(protected_set, direction, packet), MatchReply(protected_set, packet)}) {
    if (match.truth == Truth::kYes) return match;
    if (match.truth == Truth::kMaybe) {
      best = {Truth::kMaybe, best.missing | match.missing};
    }
  }
  return best;
}

}  // namespace nta::firewall
