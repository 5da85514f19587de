// RuleSet: a whole firewall, valid by construction. Diff(), Evaluate(), FindProblems(): what can be
// said of it without applying it.
//
//   auto rules = nta::RuleSet::Create({.rules = {no_telnet}});
//   nta::Evaluation answer = nta::Evaluate(*rules, packet);
//   if (answer.decision == nta::Decision::kDrop) std::cout << answer.rule_id << '\n';
#ifndef NTA_FIREWALL_RULE_SET_H_
#define NTA_FIREWALL_RULE_SET_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/firewall/protected_set.h"
#include "nta/firewall/rule.h"
#include "nta/flow/flow_record.h"
#include "nta/net/time.h"

namespace nta {

// What becomes of packets that no rule takes: kAccept or kDrop.
struct DefaultVerdicts {
  RuleVerdict in = RuleVerdict::kAccept;
  RuleVerdict out = RuleVerdict::kAccept;
  RuleVerdict forward = RuleVerdict::kAccept;

  RuleVerdict of(RuleDirection direction) const {
    return direction == RuleDirection::kIn ? in : direction == RuleDirection::kOut ? out : forward;
  }
  friend bool operator==(const DefaultVerdicts&, const DefaultVerdicts&) = default;
};

struct RuleSetParts {
  std::vector<Rule> rules{};  // the first that matches decides
  std::vector<AddressSet> sets{};
  ProtectedSet protected_set{};
  DefaultVerdicts defaults{};

  friend bool operator==(const RuleSetParts&, const RuleSetParts&) = default;
};

inline constexpr std::size_t kMaxRules = 10'000;
inline constexpr std::size_t kMaxAddressSets = 256;
inline constexpr std::size_t kMaxSetElements = 1'000'000;  // in all sets together

// An immutable value: it exists, so it is valid. Sets are sorted by name and their elements by
// prefix, lists inside a rule are sorted and have no doubles, so that equal meanings compare equal
// as far as that goes.
class RuleSet {
 public:
  RuleSet() = default;  // no rules: everything passes

  // InvalidArgument names the rule, the field and the reason: `rule "web": destination port range
  // 90-80 is empty`; likewise doubled ids, a set that no one declared, too many of anything.
  static absl::StatusOr<RuleSet> Create(RuleSetParts parts);

  const std::vector<Rule>& rules() const { return parts_.rules; }
  const std::vector<AddressSet>& sets() const { return parts_.sets; }
  const ProtectedSet& protected_set() const { return parts_.protected_set; }
  const DefaultVerdicts& defaults() const { return parts_.defaults; }
  const RuleSetParts& parts() const { return parts_; }  // to edit a copy and create anew

  // Null when there is none.
  const Rule* FindRule(std::string_view id) const;
  const AddressSet* FindSet(std::string_view name) const;
  // Without the rules and elements that expired by `now`.
  RuleSet WithoutExpired(Timestamp now) const;
  // The earliest expiry of a rule or an element; absent when nothing expires.
  std::optional<Timestamp> NextExpiry() const;

  friend bool operator==(const RuleSet&, const RuleSet&) = default;

 private:
  explicit RuleSet(RuleSetParts parts) : parts_(std::move(parts)) {}
  RuleSetParts parts_;
};

// `rules` with the elements added to (a known one takes the new expiry) or taken out of the set.
// NotFound: no set of that name. InvalidArgument as Create().
absl::StatusOr<RuleSet> WithElements(const RuleSet& rules, std::string_view set,
                                     std::span<const SetElement> elements);
absl::StatusOr<RuleSet> WithoutElements(const RuleSet& rules, std::string_view set,
                                        std::span<const IpPrefix> prefixes);

// What a rule did so far: how many packets got its verdict. A rate limit counts what it dropped.
struct RuleCounters {
  std::string rule_id{};
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;  // IP bytes

  friend bool operator==(const RuleCounters&, const RuleCounters&) = default;
};

// What is known of a packet. Absent: not known, and Evaluate() guesses nothing.
struct PacketFacts {
  std::optional<RuleDirection> direction{};
  std::optional<IpAddress> source{};
  std::optional<IpAddress> destination{};
  std::uint8_t protocol = 0;
  std::optional<std::uint16_t> source_port{};  // of protocols with ports
  std::optional<std::uint16_t> destination_port{};
  std::optional<std::uint8_t> icmp_type{};
  std::optional<std::string> in_interface{};
  std::optional<std::string> out_interface{};
  std::optional<ConnectionState> state{};
  std::optional<bool> is_reply{};   // whether it goes against the direction of the first packet
  std::optional<Timestamp> time{};  // what expired by then is not there; absent: nothing expired
};

enum class Decision : std::uint8_t { kAccept = 0, kDrop = 1, kReject = 2, kUndecidable = 3 };
std::string_view ToString(Decision decision);  // "accept", "drop", "reject", "undecidable"

// Which fact would have been needed. Bits.
enum class MissingFact : std::uint16_t {
  kNothing = 0,
  kDirection = 1 << 0,
  kSource = 1 << 1,  // addresses: unknown behind a translation (NAT)
  kDestination = 1 << 2,
  kPorts = 1 << 3,
  kIcmpType = 1 << 4,
  kInterface = 1 << 5,
  kState = 1 << 6,  // connection state, or which side began
  kRate = 1 << 7,   // a rate limit: single packets do not tell
};
constexpr MissingFact operator|(MissingFact a, MissingFact b) {
  return static_cast<MissingFact>(static_cast<std::uint16_t>(a) | static_cast<std::uint16_t>(b));
}
constexpr bool Has(MissingFact set, MissingFact bit) {
  return (static_cast<std::uint16_t>(set) & static_cast<std::uint16_t>(bit)) != 0;
}
// "connection state, interface"
std::string ToString(MissingFact missing);

struct Evaluation {
  Decision decision = Decision::kAccept;
  // Which rule decided, or the first that might have; empty: the protected set or the default.
  // Valid while the rule set lives.
  std::string_view rule_id{};
  bool by_protected_set = false;
  MissingFact missing = MissingFact::kNothing;  // for kUndecidable: why
};

// The verdict on one packet: the protected set first, then the rules in order, then the default.
// When a fact is missing that matters, the answer is kUndecidable; when every possible answer is
// the same, it is that one.
Evaluation Evaluate(const RuleSet& rules, const PacketFacts& packet);

enum class RuleFindingKind : std::uint8_t {
  kShadowed = 0,     // an earlier rule with another verdict takes all its packets
  kRedundant = 1,    // an earlier rule with the same verdict takes all its packets
  kUnreachable = 2,  // no packet can match it: an empty set, an IPv4 source with an IPv6
                     // destination, an expiry that is over
  kNeverHit = 3,     // it counted no packet so far
};
std::string_view ToString(RuleFindingKind kind);  // "shadowed", "redundant", ...

struct RuleFinding {
  RuleFindingKind kind = RuleFindingKind::kShadowed;
  std::string rule_id{};
  std::optional<std::string> because_of{};  // the earlier rule
  std::string text{};                       // one sentence

  friend bool operator==(const RuleFinding&, const RuleFinding&) = default;
};

// What is wrong with a rule set that is valid, in the order of its rules. Sound: what is reported
// is so; a rule that only several earlier rules together take may go unreported.
std::vector<RuleFinding> FindProblems(const RuleSet& rules, Timestamp now);
// kNeverHit for the rules whose counters stand at 0.
std::vector<RuleFinding> FindNeverHit(const RuleSet& rules, std::span<const RuleCounters> counters);

// Whether the protected set holds: every kind of protected packet is accepted, by model. Internal
// names the packet that is not; only a defect of ours can cause it.
absl::Status CheckProtection(const RuleSet& rules);

enum class ChangeKind : std::uint8_t { kAdded = 0, kRemoved = 1, kChanged = 2, kMoved = 3 };
std::string_view ToString(ChangeKind kind);  // "added", "removed", "changed", "moved"

struct RuleChange {
  ChangeKind kind = ChangeKind::kAdded;
  std::optional<Rule> before{};       // absent for kAdded
  std::optional<Rule> after{};        // absent for kRemoved
  std::optional<std::size_t> from{};  // place among the rules, from 0
  std::optional<std::size_t> to{};

  friend bool operator==(const RuleChange&, const RuleChange&) = default;
};

struct SetChange {
  ChangeKind kind = ChangeKind::kChanged;  // never kMoved
  std::string name{};
  std::vector<SetElement> added{};
  std::vector<SetElement> removed{};

  friend bool operator==(const SetChange&, const SetChange&) = default;
};

struct RuleSetDiff {
  std::vector<RuleChange> rules{};  // removed ones first, then in the order of the new rules
  std::vector<SetChange> sets{};
  std::optional<DefaultVerdicts> defaults_before{};  // both present when they differ
  std::optional<DefaultVerdicts> defaults_after{};
  std::vector<ProtectedPeer> protected_added{};
  std::vector<ProtectedPeer> protected_removed{};
  bool protection_changed = false;  // one of the switches of the protected set

  bool empty() const;
  // A line for each change: "+ rule no-telnet: drop in tcp to port 23".
  std::string ToString() const;
  friend bool operator==(const RuleSetDiff&, const RuleSetDiff&) = default;
};

// What leads from one to the other. A rule that only changed places because others came or went has
// not moved.
RuleSetDiff Diff(const RuleSet& before, const RuleSet& after);

// One line in words: "drop in tcp from 192.0.2.0/24 to port 23".
std::string ToString(const Rule& rule);

// JSON, with the field names of the structs; docs/firewall.md describes it. FromJson refuses
// unknown fields and whatever Create() refuses.
std::string ToJson(const Rule& rule);
std::string ToJson(const RuleSet& rules);
std::string ToJson(const RuleSetDiff& diff);
absl::StatusOr<Rule> RuleFromJson(std::string_view text);
absl::StatusOr<RuleSet> RuleSetFromJson(std::string_view text);

}  // namespace nta

#endif  // NTA_FIREWALL_RULE_SET_H_
