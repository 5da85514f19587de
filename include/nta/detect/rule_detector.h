// RuleDetector: runs one of the user's alert rules.
//
//   auto detector = nta::RuleDetector::Create(rule);
//   pipeline.AddDetector(*detector);
#ifndef NTA_DETECT_RULE_DETECTOR_H_
#define NTA_DETECT_RULE_DETECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert_rule.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct RuleDetectorOptions {
  // Groups ("per") that are counted at the same time at the most; beyond that the one that was
  // silent for longest is forgotten.
  std::size_t max_groups = 16'384;
  // Of all groups, their windows and different values; beyond that likewise. At least 1 MiB.
  std::size_t max_memory_bytes = 16 << 20;
  AlertTrackerOptions alerts{};
};

struct RuleDetectorStats {
  std::uint64_t flows = 0;           // that the rule's filter let through and that counted
  std::uint64_t evicted_groups = 0;  // forgotten for lack of room
  std::uint64_t evicted_values = 0;  // of distinct(), not counted for lack of room
  std::uint64_t late_flows = 0;      // that lay, wholly or in part, before what is remembered
  std::size_t groups = 0;

  friend bool operator==(const RuleDetectorStats&, const RuleDetectorStats&) = default;
};

// Groups of a rule that was told to count flows when they begin count each flow once, however many
// records it has; others count each record, bytes and packets spread evenly from its first_seen to
// its last_seen. Windows lie on the time of flows, so it does not matter in which order records
// close; up to 1,000 twentieths of the window back, they still count. An alert opens at once when a
// window exceeds the threshold. docs/alert_rules.md.
class RuleDetector final : public Detector {
 public:
  // InvalidArgument as Validate(rule) has it, or for options out of range.
  static absl::StatusOr<RuleDetector> Create(AlertRule rule, RuleDetectorOptions options = {});
  ~RuleDetector() override;
  RuleDetector(RuleDetector&&) noexcept;
  RuleDetector& operator=(RuleDetector&&) noexcept;

  std::string_view name() const override;  // "rule:<id>"
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override;
  std::size_t memory_limit_bytes() const override;
  std::uint64_t evictions() const override;
  std::string Save() const override;
  // InvalidArgument also for the state of a rule with another condition.
  absl::Status Load(std::string_view state) override;

  const AlertRule& rule() const;
  RuleDetectorStats Stats() const;
  // The greatest values that windows of different groups reached, greatest first: what a threshold
  // has to be compared with.
  std::vector<double> Peaks() const;

 private:
  class Impl;
  explicit RuleDetector(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_RULE_DETECTOR_H_
