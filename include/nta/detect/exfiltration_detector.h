// ExfiltrationDetector: hosts that send far more out than they are used to.
//
//   nta::ExfiltrationDetector detector({.min_bytes = 500'000'000});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_EXFILTRATION_DETECTOR_H_
#define NTA_DETECT_EXFILTRATION_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nta/detect/alert_budget.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct ExfiltrationOptions {
  // Bytes that one host has to send to one host outside within an hour, ...
  std::uint64_t min_bytes = 100'000'000;
  // ... this many times what comes back, ...
  double min_ratio = 3;
  // ... and this many times what it is used to send there in its busiest hours. A host that is new
  // may send `newcomer` times min_bytes during its first day.
  double min_growth = 4;
  double newcomer = 3;
  // Pairs of host and peer outside that are watched at the most; beyond that the one that sent
  // longest ago is forgotten. About 200 bytes each.
  std::size_t max_pairs = 4096;
  std::size_t max_hosts = 512;  // whose usual hours are known, 1.2 KB each
  AlertBudgetOptions budget{};
  AlertTrackerOptions alerts{};
};

// Spreads the bytes of each flow record evenly over its time, and compares the last hour's upload
// of each pair of hosts with the hours before: by that pair's own habit, and in bits by the hours
// of all pairs of the same host (TailCalibrator).
class ExfiltrationDetector final : public Detector {
 public:
  explicit ExfiltrationDetector(ExfiltrationOptions options = {});
  ~ExfiltrationDetector() override;
  ExfiltrationDetector(ExfiltrationDetector&&) noexcept;
  ExfiltrationDetector& operator=(ExfiltrationDetector&&) noexcept;

  std::string_view name() const override { return "exfiltration"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override;
  std::size_t memory_limit_bytes() const override;
  std::uint64_t evictions() const override;
  std::string Save() const override;
  absl::Status Load(std::string_view state) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_EXFILTRATION_DETECTOR_H_
