// Rule, AddressSet: one line of a firewall and the named addresses it may speak of, as plain
// values.
//
//   nta::Rule rule{.id = "no-telnet", .verdict = nta::RuleVerdict::kDrop};
//   rule.protocol = nta::kProtocolTcp;
//   rule.destination_ports = {{23, 23}};
//
// A value may be anything; RuleSet::Create() says whether it is a rule.
#ifndef NTA_FIREWALL_RULE_H_
#define NTA_FIREWALL_RULE_H_

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/net/five_tuple.h"
#include "nta/net/port_range.h"
#include "nta/net/time.h"

namespace nta {

// As the machine with the firewall sees it. Numbers are persisted.
enum class RuleDirection : std::uint8_t {
  kIn = 0,       // to one of its own addresses
  kOut = 1,      // from the machine itself
  kForward = 2,  // through it
};
std::string_view ToString(RuleDirection direction);  // "in", "out", "forward"
absl::StatusOr<RuleDirection> ParseRuleDirection(std::string_view text);

// What becomes of a packet that a rule matches. Numbers are persisted.
enum class RuleVerdict : std::uint8_t {
  kAccept = 0,     // passes; no later rule is asked
  kDrop = 1,       // vanishes
  kReject = 2,     // TCP is answered with RST, everything else with "administratively prohibited"
  kRateLimit = 3,  // vanishes when above the rate; below it, the next rule is asked
};
std::string_view ToString(RuleVerdict verdict);  // "accept", "drop", "reject", "rate_limit"
absl::StatusOr<RuleVerdict> ParseRuleVerdict(std::string_view text);

// What connection tracking says of a packet. Numbers are persisted.
enum class ConnectionState : std::uint8_t {
  kNew = 0,
  kEstablished = 1,  // packets went both ways
  kRelated = 2,      // belongs to another connection: an ICMP error, a data channel
  kInvalid = 3,
};
std::string_view ToString(ConnectionState state);  // "new", "established", "related", "invalid"
absl::StatusOr<ConnectionState> ParseConnectionState(std::string_view text);

// A token bucket for all packets that the rule matches, together.
struct RateLimit {
  std::uint32_t packets_per_second = 0;  // 1 to 1,000,000
  std::uint32_t burst = 5;               // packets; 1 to 1,000,000

  friend bool operator==(const RateLimit&, const RateLimit&) = default;
};

// Any of the prefixes, or anything in one of the sets; nothing at all stands for any address.
struct RuleAddresses {
  std::vector<IpPrefix> prefixes{};
  std::vector<std::string> sets{};  // names of AddressSets of the same rule set

  bool is_any() const { return prefixes.empty() && sets.empty(); }
  friend bool operator==(const RuleAddresses&, const RuleAddresses&) = default;
};

// A packet matches when every condition that is given holds. The place among the rules is the
// order.
struct Rule {
  std::string id{};  // stays when the rule is edited or moved: 1 to 32 of a-z 0-9 _ -, a letter or
                     // digit first
  RuleDirection direction = RuleDirection::kIn;
  RuleVerdict verdict = RuleVerdict::kAccept;
  std::optional<RateLimit> rate_limit{};  // for kRateLimit, and only there
  RuleAddresses source{};
  RuleAddresses destination{};
  std::optional<std::uint8_t> protocol{};
  std::vector<PortRange> source_ports{};       // protocols with ports only; any of them
  std::vector<PortRange> destination_ports{};  // likewise
  std::vector<std::uint8_t> icmp_types{};      // ICMP and ICMPv6 only; any of them
  std::optional<std::string> in_interface{};   // kIn and kForward: 1 to 15 of A-Z a-z 0-9 . _ -
  std::optional<std::string> out_interface{};  // kOut and kForward: likewise
  std::vector<ConnectionState> states{};       // any of them
  bool log = false;                            // tell the kernel's log of every packet it matches
  std::optional<Timestamp> expires{};          // from then on it is as if it were not there
  std::string comment{};  // at most 120 of A-Z a-z 0-9 space . , : / ( ) @ + = _ -
  std::string author{};   // at most 64 of A-Z a-z 0-9 . _ @ + -
  // Insists on dropping networks wider than /8 (IPv4) or /16 (IPv6), or everything.
  bool allow_wide = false;

  friend bool operator==(const Rule&, const Rule&) = default;
};

// What an address set is made for. Numbers are persisted.
enum class AddressSetKind : std::uint8_t {
  kHosts = 0,     // single addresses, each with an expiry of its own if need be: any number, fast
  kPrefixes = 1,  // networks, without expiry
};
std::string_view ToString(AddressSetKind kind);  // "hosts", "prefixes"
absl::StatusOr<AddressSetKind> ParseAddressSetKind(std::string_view text);

struct SetElement {
  IpPrefix prefix{};                   // of full length in a set of hosts
  std::optional<Timestamp> expires{};  // from then on it is as if it were not there

  friend bool operator==(const SetElement&, const SetElement&) = default;
};

// Addresses by name, IPv4 and IPv6 together.
struct AddressSet {
  std::string name{};  // as Rule::id, at most 24 characters
  AddressSetKind kind = AddressSetKind::kHosts;
  std::vector<SetElement> elements{};  // a RuleSet holds them sorted by prefix, each once
  bool allow_wide = false;             // as Rule::allow_wide

  friend bool operator==(const AddressSet&, const AddressSet&) = default;
};

// Whether a protocol has ports that a rule can speak of: TCP, UDP, SCTP, DCCP, UDP-Lite.
bool HasPorts(std::uint8_t protocol);

// What RuleSet::Create() checks of one value alone; InvalidArgument names the field and the reason:
// `rule "web": comment holds ';' at 14, which is not allowed`.
absl::Status CheckRule(const Rule& rule);
absl::Status CheckAddressSet(const AddressSet& set);
// Whether an element may stand in a set: no wider than /8 (IPv4) or /16 (IPv6) unless
// `set.allow_wide`, never an IPv4-mapped IPv6 network, of full length in a set of hosts.
absl::Status CheckSetElement(const AddressSet& set, const SetElement& element);
absl::Status CheckInterfaceName(std::string_view name);

}  // namespace nta

#endif  // NTA_FIREWALL_RULE_H_
