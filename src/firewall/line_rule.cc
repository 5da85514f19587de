#include "firewall/line_rule.h"

#include <algorithm>
#include <chrono>

#include "firewall/render.h"

namespace nta::firewall {
namespace {

void Add(const AddressMatch& match, RuleAddresses& addresses) {
  for (const IpPrefix& prefix : ToPrefixes(match.ranges)) {
    if (std::find(addresses.prefixes.begin(), addresses.prefixes.end(), prefix) ==
        addresses.prefixes.end()) {
      addresses.prefixes.push_back(prefix);
    }
  }
  if (match.set.empty()) return;
  const auto known = ParseKernelSetName(match.set);
  const std::string name = known ? known->name : match.set;
  if (std::find(addresses.sets.begin(), addresses.sets.end(), name) == addresses.sets.end()) {
    addresses.sets.push_back(name);
  }
}

}  // namespace

void AddConditions(const KernelLine& line, Rule& rule) {
  if (line.protocols.size() == 1) rule.protocol = line.protocols.front();
  rule.source_ports = line.source_ports;
  rule.destination_ports = line.destination_ports;
  rule.icmp_types = line.icmp_types;
  if (!line.in_interface.empty()) rule.in_interface = line.in_interface;
  if (!line.out_interface.empty()) rule.out_interface = line.out_interface;
  const auto add_state = [&](std::uint32_t bit, ConnectionState state) {
    if ((line.states & bit) != 0) rule.states.push_back(state);
  };
  add_state(kStateNew, ConnectionState::kNew);
  add_state(kStateEstablished, ConnectionState::kEstablished);
  add_state(kStateRelated, ConnectionState::kRelated);
  add_state(kStateInvalid, ConnectionState::kInvalid);
  if (line.before) rule.expires = Timestamp(std::chrono::seconds(*line.before));
}

void AddAddresses(const KernelLine& line, Rule& rule) {
  Add(line.source, rule.source);
  Add(line.destination, rule.destination);
}

bool AddVerdict(const KernelLine& line, Rule& rule) {
  switch (line.verdict) {
    case LineVerdict::kAccept:
      rule.verdict = RuleVerdict::kAccept;
      return true;
    case LineVerdict::kDrop:
      rule.verdict = rule.rate_limit ? RuleVerdict::kRateLimit : RuleVerdict::kDrop;
      return true;
    case LineVerdict::kRejectTcpReset:
    case LineVerdict::kRejectProhibited:
    case LineVerdict::kRejectOther:
      rule.verdict = RuleVerdict::kReject;
      return true;
    default:
      return false;
  }
}

}  // namespace nta::firewall
