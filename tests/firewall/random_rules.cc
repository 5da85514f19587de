#include "firewall/random_rules.h"

#include <array>

namespace nta::test {
namespace {

constexpr std::array<std::uint8_t, 5> kProtocols = {kProtocolTcp, kProtocolUdp, kProtocolIcmp,
                                                    kProtocolIcmpV6, kProtocolGre};
constexpr std::array<std::string_view, 3> kSets = {"nets", "two", "two-6"};
constexpr std::array<std::string_view, 3> kInterfaces = {"eth0", "wan", "lo"};

}  // namespace

IpAddress RandomFirewall::Address(bool v4) {
  const auto a = static_cast<std::uint8_t>(Below(3));
  const auto b = static_cast<std::uint8_t>(Below(4));
  if (v4) return IpAddress::V4(10, a, 0, b);
  std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
  bytes[5] = a;
  bytes[15] = b;
  return IpAddress::V6(bytes);
}

IpAddress RandomFirewall::Address() { return Address(Chance(50)); }

IpPrefix RandomFirewall::Prefix() {
  const IpAddress address = Address();
  constexpr std::array<int, 4> kV4 = {8, 16, 30, 32};
  constexpr std::array<int, 4> kV6 = {32, 48, 126, 128};
  return *IpPrefix::Create(address, (address.is_v4() ? kV4 : kV6)[Below(4)]);
}

RuleAddresses RandomFirewall::Addresses() {
  RuleAddresses addresses;
  if (Chance(45)) return addresses;
  for (std::size_t i = Below(3); i > 0; --i) addresses.prefixes.push_back(Prefix());
  if (Chance(25)) addresses.sets.emplace_back(kSets[Below(kSets.size())]);
  return addresses;
}

std::vector<PortRange> RandomFirewall::Ports() {
  std::vector<PortRange> ports;
  if (Chance(50)) return ports;
  for (std::size_t i = 1 + Below(2); i > 0; --i) {
    const auto first = static_cast<std::uint16_t>(Below(8));
    ports.push_back({first, static_cast<std::uint16_t>(first + Below(4))});
  }
  return ports;
}

Rule RandomFirewall::OneRule(std::size_t number) {
  Rule rule{.id = "r" + std::to_string(number)};
  rule.direction = static_cast<RuleDirection>(Below(3));
  rule.verdict = static_cast<RuleVerdict>(Below(4));
  if (rule.verdict == RuleVerdict::kRateLimit) rule.rate_limit = {.packets_per_second = 10};
  rule.source = Addresses();
  rule.destination = Addresses();
  if (Chance(60)) rule.protocol = kProtocols[Below(kProtocols.size())];
  if (rule.protocol && HasPorts(*rule.protocol)) {
    rule.source_ports = Ports();
    rule.destination_ports = Ports();
  }
  if ((rule.protocol == kProtocolIcmp || rule.protocol == kProtocolIcmpV6) && Chance(50)) {
    rule.icmp_types = {static_cast<std::uint8_t>(Below(4)), 135};
  }
  const std::string interface(kInterfaces[Below(kInterfaces.size())]);
  if (rule.direction != RuleDirection::kOut && Chance(15)) rule.in_interface = interface;
  if (rule.direction != RuleDirection::kIn && Chance(15)) rule.out_interface = interface;
  for (std::size_t i = Chance(25) ? 1 + Below(2) : 0; i > 0; --i) {
    rule.states.push_back(static_cast<ConnectionState>(Below(4)));
  }
  if (Chance(10)) rule.expires = Timestamp(std::chrono::seconds(Below(20)));
  rule.allow_wide = true;
  return rule;
}

RuleSetParts RandomFirewall::Parts(std::size_t max_rules) {
  RuleSetParts parts;
  for (const std::string_view name : kSets) {
    AddressSet set{.name = std::string(name)};
    if (name == "nets") set.kind = AddressSetKind::kPrefixes;
    for (std::size_t i = Below(4); i > 0; --i) {
      const IpAddress address = Address();
      if (set.kind == AddressSetKind::kPrefixes) {
        set.elements.push_back({.prefix = Prefix()});
        continue;
      }
      SetElement element{.prefix = *IpPrefix::Create(address, address.is_v4() ? 32 : 128)};
      if (Chance(40)) element.expires = Timestamp(std::chrono::seconds(Below(20)));
      set.elements.push_back(element);
    }
    parts.sets.push_back(std::move(set));
  }
  for (std::size_t i = Below(max_rules + 1); i > 0; --i) parts.rules.push_back(OneRule(i));
  ProtectedSet& safe = parts.protected_set;
  safe.loopback = Chance(80);
  safe.neighbour_discovery = Chance(80);
  safe.replies = Chance(60);
  for (std::size_t i = Below(3); i > 0; --i) {
    const IpAddress address = Address();
    safe.peers.push_back({*IpPrefix::Create(address, address.is_v4() ? 32 : 128),
                          static_cast<ProtectedRole>(Below(5))});
  }
  const auto verdict = [this] { return Chance(50) ? RuleVerdict::kAccept : RuleVerdict::kDrop; };
  parts.defaults = {.in = verdict(), .out = verdict(), .forward = verdict()};
  return parts;
}

PacketFacts RandomFirewall::Packet() {
  const bool v4 = Chance(50);
  PacketFacts packet{.direction = static_cast<RuleDirection>(Below(3)),
                     .source = Address(v4),
                     .destination = Address(v4),
                     .protocol = kProtocols[Below(kProtocols.size())]};
  if (packet.protocol == kProtocolIcmp && !v4) packet.protocol = kProtocolIcmpV6;
  if (packet.protocol == kProtocolIcmpV6 && v4) packet.protocol = kProtocolIcmp;
  if (HasPorts(packet.protocol)) {
    packet.source_port = static_cast<std::uint16_t>(Below(12));
    packet.destination_port = static_cast<std::uint16_t>(Below(12));
  }
  if (packet.protocol == kProtocolIcmp || packet.protocol == kProtocolIcmpV6) {
    packet.icmp_type = Chance(20) ? std::uint8_t{135} : static_cast<std::uint8_t>(Below(5));
  }
  const auto interface = [this] { return std::string(kInterfaces[Below(kInterfaces.size())]); };
  // A packet has the interface of its direction and knows that it has no other.
  packet.in_interface = packet.direction == RuleDirection::kOut ? "" : interface();
  packet.out_interface = packet.direction == RuleDirection::kIn ? "" : interface();
  packet.state = static_cast<ConnectionState>(Below(4));
  packet.is_reply = packet.state != ConnectionState::kNew && Chance(50);
  packet.time = Timestamp(std::chrono::seconds(Below(20)));
  return packet;
}

PacketFacts RandomFirewall::Forget(PacketFacts packet) {
  if (Chance(20)) packet.direction.reset();
  if (Chance(20)) packet.source.reset();
  if (Chance(20)) packet.destination.reset();
  if (Chance(20)) packet.source_port.reset();
  if (Chance(20)) packet.destination_port.reset();
  if (Chance(20)) packet.icmp_type.reset();
  // That a packet stays on the machine is known, by its addresses.
  if (Chance(40) && packet.in_interface != "lo") packet.in_interface.reset();
  if (Chance(40) && packet.out_interface != "lo") packet.out_interface.reset();
  if (Chance(30)) packet.state.reset();
  if (Chance(30)) packet.is_reply.reset();
  return packet;
}

}  // namespace nta::test
