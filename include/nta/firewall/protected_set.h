// ProtectedSet: what no rule may ever cut off, as a value.
//
//   nta::ProtectedSet safe;
//   safe.peers.push_back({*nta::IpPrefix::Parse("192.0.2.1"), nta::ProtectedRole::kGateway});
//
// It is a part of every RuleSet. A backend enforces it ahead of the first rule, and Evaluate()
// answers by it first.
#ifndef NTA_FIREWALL_PROTECTED_SET_H_
#define NTA_FIREWALL_PROTECTED_SET_H_

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"

namespace nta {

// Why a peer is protected. Numbers are persisted.
enum class ProtectedRole : std::uint8_t {
  kOwn = 0,            // an address of this machine: what it says to itself
  kGateway = 1,        // the next hop
  kResolver = 2,       // a DNS server of this machine
  kAdministrator = 3,  // from where the administrator is connected now
  kConfigured = 4,     // a network that the configuration names
};
std::string_view ToString(ProtectedRole role);  // "own", "gateway", "resolver", ...
absl::StatusOr<ProtectedRole> ParseProtectedRole(std::string_view text);

// kOwn protects traffic that has an own address on both sides; every other role protects traffic
// between the peer and this machine, both ways and whatever its protocol, and nothing that is
// forwarded.
struct ProtectedPeer {
  IpPrefix prefix{};
  ProtectedRole role = ProtectedRole::kConfigured;

  friend auto operator<=>(const ProtectedPeer&, const ProtectedPeer&) = default;
};

// Enforced in this order, ahead of every rule, for IPv4 and IPv6 alike.
struct ProtectedSet {
  // What passes over the loopback interface, or has loopback addresses on both sides.
  bool loopback = true;
  // ICMPv6 neighbour discovery (types 133 to 136) to and from this machine: without it IPv6 stops.
  bool neighbour_discovery = true;
  std::vector<ProtectedPeer> peers{};  // a RuleSet holds them sorted, each once
  // Answers: packets of the reply direction of a connection (established, or related to one). So a
  // rule decides by who began, and answers to what was let through pass by themselves; a
  // connection that a rule cuts stops, because its first direction stops.
  bool replies = true;

  friend bool operator==(const ProtectedSet&, const ProtectedSet&) = default;
};

// The widest network that may be protected as a peer: /8 (IPv4), /16 (IPv6). InvalidArgument names
// the peer.
absl::Status CheckProtectedSet(const ProtectedSet& protected_set);

}  // namespace nta

#endif  // NTA_FIREWALL_PROTECTED_SET_H_
