// Classifier: a rule set made ready to judge millions of flows.
//
// For each thing that a rule can ask of a packet (source, destination, service, source port,
// direction and state) there is a table that gives the set of rules which the packet satisfies in
// that respect, as bits in the order of the rules. The intersection of five such sets are the rules
// that match; its first bit decides. A rule that asks for something that is not known stays in the
// intersection and is marked as uncertain.
#ifndef NTA_FIREWALL_CLASSIFIER_H_
#define NTA_FIREWALL_CLASSIFIER_H_

#include <array>
#include <bit>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "firewall/address_classes.h"
#include "firewall/bit_sets.h"
#include "firewall/cover.h"
#include "nta/firewall/rule_set.h"

namespace nta::firewall {

// What an address is to a rule set.
struct AddressInfo {
  std::uint32_t source_class = 0;
  std::uint32_t destination_class = 0;
  bool is_v4 = true;
  bool loopback = false;
  bool own = false;   // of the protected set
  bool peer = false;  // protected
};

// Of the protocol, the destination port and the source port or the ICMP type.
struct Service {
  std::uint8_t protocol = 0;
  std::optional<std::uint16_t> source_port{};
  std::optional<std::uint16_t> destination_port{};
  std::optional<std::uint16_t> icmp_type{};
};

enum class StateKnown : std::uint8_t { kNew = 0, kEstablished = 1, kUnknown = 2 };

struct Question {
  RuleDirection direction = RuleDirection::kIn;
  const AddressInfo* source = nullptr;
  const AddressInfo* destination = nullptr;
  bool source_known = true;
  bool destination_known = true;
  Service service{};
  StateKnown state = StateKnown::kNew;
  std::optional<bool> is_reply{};
};

inline constexpr std::uint32_t kNoRule = 0xffffffff;

struct Answer {
  bool may_pass = false;
  bool may_cut = false;
  std::uint32_t rule = kNoRule;  // the first that cuts or might; kNoRule: the default
  MissingFact missing = MissingFact::kNothing;

  void Merge(const Answer& other) {
    may_pass |= other.may_pass;
    if (other.may_cut && !may_cut) rule = other.rule;
    may_cut |= other.may_cut;
    missing = missing | other.missing;
  }
};

class Classifier {
 public:
  // What expired by `now` is left out. `interface`: where all packets come or go, if known.
  Classifier(const RuleSet& rules, Timestamp now, const std::optional<std::string>& interface);

  AddressInfo Look(const IpAddress& address) const;
  Answer Ask(const Question& question) const;

  const RuleSet& rules() const { return rules_; }
  // Whether a rule tells the later packets of a connection from the first.
  bool tells_states() const { return tells_states_; }

 private:
  // One place for each port; absent when no rule asks for ports of that protocol.
  struct PortTable {
    std::vector<std::uint32_t> by_port;
    std::uint32_t unknown = 0;
  };
  struct ProtocolTables {
    std::uint32_t any = 0;                   // what rules say of the protocol alone
    std::unique_ptr<PortTable> destination;  // or ICMP type; includes `any`
    std::unique_ptr<PortTable> source;
  };
  // Rules that ask for something that may be unknown.
  enum Asking : std::size_t {
    kAskSource,
    kAskDestination,
    kAskPorts,
    kAskState,
    kAskInterface,
    kAskRate,
    kAskings
  };

  void CompileAddresses(const std::vector<ResolvedRule>& resolved);
  void CompileServices();
  void CompileStates(const std::optional<std::string>& interface);
  std::unique_ptr<PortTable> PortsOf(std::uint8_t protocol, bool destination, bool& used);
  std::unique_ptr<PortTable> TypesOf(std::uint8_t protocol);
  void MarkAsking(const std::optional<std::string>& interface);
  // For a set of unknowns: the rules that become uncertain.
  std::size_t UnknownsOf(const Question& question, bool service_known) const;
  bool ByProtection(const Question& question, Answer& answer) const;
  MissingFact Missing(std::uint32_t rule, const Question& question, bool service_known) const;

  RuleSet rules_;
  std::size_t bits_;
  BitSets sets_;
  std::uint32_t all_ = 0;  // the set of all rules
  std::optional<AddressClasses> sources_;
  std::optional<AddressClasses> destinations_;
  std::array<ProtocolTables, 256> protocols_;
  std::uint32_t no_protocol_ = 0;  // rules that ask for none
  // Rules that admit some source or destination of IPv6 [0] or IPv4 [1].
  std::array<std::uint32_t, 2> some_source_{};
  std::array<std::uint32_t, 2> some_destination_{};
  // By direction and state: those that hold or are uncertain.
  std::array<std::array<std::uint32_t, 3>, 3> directions_{};
  std::array<std::vector<Word>, kAskings> asking_;
  std::array<std::vector<Word>, 16> uncertain_;  // by UnknownsOf
  std::vector<Word> cutting_;                    // drop, reject
  Networks peers_;
  Networks own_;
  bool tells_states_ = false;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_CLASSIFIER_H_
