#include "firewall/rehearsal_tally.h"

#include <algorithm>
#include <string>

namespace nta::firewall {
namespace {

void AddTo(RehearsalCount& count, std::uint64_t bytes) {
  ++count.flows;
  count.bytes += bytes;
}

bool More(const RehearsalCount& a, const RehearsalCount& b) {
  return a.flows != b.flows ? a.flows > b.flows : a.bytes > b.bytes;
}

// The first `top` of `all`, the most first; equal ones by `before`.
template <typename T, typename Before>
std::vector<T> Greatest(std::vector<T> all, std::size_t top, Before before) {
  const auto better = [&](const T& a, const T& b) {
    if (a.cut != b.cut) return More(a.cut, b.cut);
    return before(a, b);
  };
  const std::size_t kept = std::min(top, all.size());
  std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(kept), all.end(),
                    better);
  all.resize(kept);
  return all;
}

}  // namespace

void RehearsalTally::Count(const JudgedFlow& flow, std::uint64_t bytes, std::uint8_t protocol,
                           std::uint16_t port) {
  AddTo(by_verdict_[static_cast<std::size_t>(flow.verdict)], bytes);
  ByRule& rule = by_rule_[std::min<std::size_t>(flow.rule, by_rule_.size() - 1)];
  if (flow.verdict == FlowVerdict::kCut) {
    AddTo(rule.cut, bytes);
    AddTo(services_[std::uint32_t{protocol} << 16 | port], bytes);
  } else if (flow.verdict == FlowVerdict::kUndecidable) {
    AddTo(rule.undecidable, bytes);
    for (std::size_t bit = 0; bit < kMissingFacts; ++bit) {
      if (Has(flow.missing, static_cast<MissingFact>(1 << bit))) AddTo(missing_[bit], bytes);
    }
  }
}

void RehearsalTally::CountDifference(FlowVerdict now, FlowVerdict then, std::uint64_t bytes) {
  if (now == then) return;
  const bool unclear = now == FlowVerdict::kUndecidable || then == FlowVerdict::kUndecidable;
  AddTo(unclear                    ? difference_.unclear
        : now == FlowVerdict::kCut ? difference_.newly_cut
                                   : difference_.newly_passed,
        bytes);
}

void RehearsalTally::AddHost(const IpAddress& address, const RehearsalCount& cut) {
  auto found = hosts_.find(address);
  if (found == hosts_.end()) {
    if (hosts_.size() >= max_hosts_) {
      hosts_complete_ = false;
      return;
    }
    found = hosts_.emplace(address, RehearsalCount()).first;
  }
  found->second.flows += cut.flows;
  found->second.bytes += cut.bytes;
}

void RehearsalTally::FillIn(const RuleSet& rules, std::size_t top, RehearsalResult& result) const {
  result.passed = by_verdict_[0];
  result.cut = by_verdict_[1];
  result.undecidable = by_verdict_[2];
  result.elsewhere = by_verdict_[3];
  for (const RehearsalCount& count : by_verdict_) {
    result.examined.flows += count.flows;
    result.examined.bytes += count.bytes;
  }
  result.missing = missing_;
  result.hosts_cut = hosts_.size();
  result.hosts_complete = hosts_complete_;
  std::vector<RehearsedHost> hosts;
  hosts.reserve(hosts_.size());
  for (const auto& [address, cut] : hosts_) hosts.push_back({address, cut});
  result.hosts = Greatest(
      std::move(hosts), top,
      [](const RehearsedHost& a, const RehearsedHost& b) { return a.address < b.address; });
  std::vector<RehearsedService> services;
  for (const auto& [key, cut] : services_) {
    services.push_back(
        {static_cast<std::uint8_t>(key >> 16), static_cast<std::uint16_t>(key & 0xffff), cut});
  }
  result.services =
      Greatest(std::move(services), top, [](const RehearsedService& a, const RehearsedService& b) {
        return std::pair(a.protocol, a.port) < std::pair(b.protocol, b.port);
      });
  for (std::size_t i = 0; i < by_rule_.size(); ++i) {
    const ByRule& one = by_rule_[i];
    if (one.cut.flows + one.undecidable.flows == 0) continue;
    result.rules.push_back(
        {i < rules.rules().size() ? rules.rules()[i].id : "", one.cut, one.undecidable});
  }
}

}  // namespace nta::firewall
