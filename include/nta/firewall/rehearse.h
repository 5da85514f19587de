// Rehearse(): a rule set tried on flows that were recorded, before it is applied.
//
//   auto result = nta::Rehearse(*rules, flows, {.own_addresses = {*server}});
//   std::cout << nta::ToString(*result) << '\n';   // "would have cut 12 of 4,096 flows ..."
//
// A flow tells neither an interface nor what connection tracking said of each packet, and what
// stands behind a translation (NAT) is another address than the one that was recorded. Where the
// verdict hangs on such a thing it is "undecidable", and counted as such.
#ifndef NTA_FIREWALL_REHEARSE_H_
#define NTA_FIREWALL_REHEARSE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/rule_set.h"
#include "nta/flow/flow_record.h"

namespace nta {

// What the machine with the firewall does with traffic that is not its own.
enum class MachineRole : std::uint8_t {
  kUnknown = 0,
  kHost = 1,    // it only sees it: such flows do not concern the firewall
  kRouter = 2,  // it forwards it
};
std::string_view ToString(MachineRole role);  // "unknown", "host", "router"
absl::StatusOr<MachineRole> ParseMachineRole(std::string_view text);

// A connection by which somebody administers this machine.
struct AdministratorSession {
  IpAddress peer{};
  Endpoint server{};  // the address and port that answer

  friend bool operator==(const AdministratorSession&, const AdministratorSession&) = default;
};

struct RehearsalOptions {
  // Of the machine with the firewall. Without them no flow has a direction.
  std::vector<IpAddress> own_addresses{};
  MachineRole role = MachineRole::kUnknown;
  // Addresses that stand for others (NAT): who is behind them is not known.
  std::vector<IpPrefix> translated{};
  // Through which all of the flows came or went; absent: not known.
  std::optional<std::string> interface {};
  // What expired by then is not there.
  Timestamp now{};
  // The rules in force, to tell the difference.
  std::optional<RuleSet> in_force{};
  std::vector<AdministratorSession> sessions{};
  std::size_t top = 10;             // so many hosts, services and rules are named; at most 1,000
  std::size_t max_hosts = 1 << 20;  // so many are told apart; more are only counted together
};

struct RehearsalCount {
  std::uint64_t flows = 0;
  std::uint64_t bytes = 0;  // wire bytes, both directions

  friend bool operator==(const RehearsalCount&, const RehearsalCount&) = default;
};

struct RehearsedHost {
  IpAddress address;  // not one of this machine
  RehearsalCount cut;
};

struct RehearsedService {
  std::uint8_t protocol = 0;
  std::uint16_t port = 0;  // of the destination; 0 where the protocol has none
  RehearsalCount cut;
};

struct RehearsedRule {
  std::string rule_id;  // empty: the default verdict
  RehearsalCount cut;
  RehearsalCount undecidable;  // it might have cut them
};

struct RehearsedSession {
  AdministratorSession session;
  Decision decision = Decision::kAccept;  // kDrop, kReject: it would be cut off
  std::string rule_id{};
  bool by_protected_set = false;
};

struct RehearsalDifference {
  RehearsalCount newly_cut;  // that the rules in force let through
  RehearsalCount newly_passed;
  RehearsalCount unclear;  // one of the two is undecidable
};

inline constexpr std::size_t kMissingFacts = 8;  // bits of MissingFact

struct RehearsalResult {
  RehearsalCount examined;  // the sum of the next four
  RehearsalCount passed;
  RehearsalCount cut;  // all of it, or from some packet on
  RehearsalCount undecidable;
  RehearsalCount elsewhere;  // does not pass the machine
  // Of the undecidable: how many lacked the fact of each bit of MissingFact. A flow can lack two.
  std::array<RehearsalCount, kMissingFacts> missing{};
  std::uint64_t hosts_cut = 0;
  bool hosts_complete = true;              // false: more than max_hosts, and hosts_cut is a least
  std::vector<RehearsedHost> hosts;        // most flows first
  std::vector<RehearsedService> services;  // likewise
  std::vector<RehearsedRule> rules;        // in their order; only those that took something
  std::optional<RehearsalDifference> difference;
  std::vector<RehearsedSession> sessions;
};

// What was found, in sentences.
std::string ToString(const RehearsalResult& result);
std::string ToJson(const RehearsalResult& result);

// Flows in columns of equal length, as a store holds them. Borrowed for the call.
struct RehearsalColumns {
  std::span<const IpAddress> source_addresses{};  // each that occurs, in any order
  std::span<const std::uint32_t> source{};        // a place in source_addresses
  std::span<const IpAddress> destination_addresses{};
  std::span<const std::uint32_t> destination{};
  std::span<const std::uint64_t> protocol{};
  std::span<const std::uint64_t> source_port{};
  std::span<const std::uint64_t> destination_port{};
  std::span<const std::uint64_t> icmp_type{};  // one more than the type; 0: absent
  std::span<const std::uint64_t> tcp_state{};
  std::span<const std::uint64_t> forward_packets{};
  std::span<const std::uint64_t> reverse_packets{};
  std::span<const std::uint64_t> forward_bytes{};
  std::span<const std::uint64_t> reverse_bytes{};
  std::span<const std::uint8_t> selected{};  // empty: all; else those with 1
};

// A rehearsal that is fed piece by piece; memory grows with the hosts that would be cut, up to
// max_hosts. One thread.
class Rehearsal {
 public:
  // InvalidArgument: an option out of range.
  static absl::StatusOr<Rehearsal> Create(const RuleSet& rules, RehearsalOptions options);
  ~Rehearsal();
  Rehearsal(Rehearsal&&) noexcept;
  Rehearsal& operator=(Rehearsal&&) noexcept;

  void Add(std::span<const FlowRecord> flows);
  // InvalidArgument: columns of unequal length, or a place beyond its addresses.
  absl::Status Add(const RehearsalColumns& flows);
  RehearsalResult Finish() const;

 private:
  class Impl;
  explicit Rehearsal(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

absl::StatusOr<RehearsalResult> Rehearse(const RuleSet& rules, std::span<const FlowRecord> flows,
                                         RehearsalOptions options = {});

}  // namespace nta

#endif  // NTA_FIREWALL_REHEARSE_H_
