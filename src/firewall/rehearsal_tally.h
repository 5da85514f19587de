// What a rehearsal counts.
#ifndef NTA_FIREWALL_REHEARSAL_TALLY_H_
#define NTA_FIREWALL_REHEARSAL_TALLY_H_

#include <array>
#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "firewall/classifier.h"
#include "nta/firewall/rehearse.h"

namespace nta::firewall {

enum class FlowVerdict : std::uint8_t { kPassed, kCut, kUndecidable, kElsewhere };

struct JudgedFlow {
  FlowVerdict verdict = FlowVerdict::kPassed;
  std::uint32_t rule = kNoRule;
  MissingFact missing = MissingFact::kNothing;
};

class RehearsalTally {
 public:
  RehearsalTally(std::size_t rules, std::size_t max_hosts)
      : by_rule_(rules + 1), max_hosts_(max_hosts) {}

  void Count(const JudgedFlow& flow, std::uint64_t bytes, std::uint8_t protocol,
             std::uint16_t port);
  void CountDifference(FlowVerdict now, FlowVerdict then, std::uint64_t bytes);
  void AddHost(const IpAddress& address, const RehearsalCount& cut);
  // Everything but the difference and the sessions.
  void FillIn(const RuleSet& rules, std::size_t top, RehearsalResult& result) const;
  const RehearsalDifference& difference() const { return difference_; }

 private:
  struct ByRule {
    RehearsalCount cut;
    RehearsalCount undecidable;
  };

  std::array<RehearsalCount, 4> by_verdict_{};
  std::array<RehearsalCount, kMissingFacts> missing_{};
  std::vector<ByRule> by_rule_;  // the last one: the default
  absl::flat_hash_map<std::uint32_t, RehearsalCount> services_;
  absl::flat_hash_map<IpAddress, RehearsalCount> hosts_;
  bool hosts_complete_ = true;
  std::size_t max_hosts_;
  RehearsalDifference difference_;
};

}  // namespace nta::firewall

#endif  // NTA_FIREWALL_REHEARSAL_TALLY_H_
