// FlowAnomalyDetector: hosts whose flows look like none before, by machine learning.
//
//   nta::FlowAnomalyDetector detector({.autoencoders = true});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_FLOW_ANOMALY_DETECTOR_H_
#define NTA_DETECT_FLOW_ANOMALY_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "nta/detect/alert_budget.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"
#include "nta/detect/vector_model.h"

namespace nta {

struct FlowAnomalyOptions {
  // Models beside LODA, which is always on unless there is another one.
  bool loda = true;
  bool half_space_trees = false;
  bool autoencoders = false;
  // Flows that are only learnt, and the least time that this takes.
  std::size_t warm_up_flows = 4096;
  Duration warm_up = std::chrono::hours(1);
  // Flows of a source are judged together in windows of this length, ...
  Duration window = std::chrono::minutes(5);
  // ... in which so many have to be unusual.
  std::size_t min_flows = 3;
  double unusual_bits = 8;
  std::size_t max_sources = 1024;  // in one window, 200 bytes each
  Duration quiet_close = std::chrono::minutes(15);
  AlertBudgetOptions budget{};
  AlertTrackerOptions alerts{};
};

// What the models see of a flow, in this order.
std::vector<std::string> FlowFeatureNames();

// Every ended flow becomes a vector of FlowFeatureNames(); VectorScorer says how unusual it is and
// guards what is learnt. Alerts are per source, never per flow: the most unusual flow of a window
// has to stand out by more than the number of flows explains. Three sources or more whose unusual
// flows go to the same service in the same window are one alert, about that service. Models of your
// own (vector_model.h) are used beside the library's.
class FlowAnomalyDetector final : public Detector {
 public:
  explicit FlowAnomalyDetector(FlowAnomalyOptions options = {},
                               std::vector<std::unique_ptr<VectorModel>> own = {});
  ~FlowAnomalyDetector() override;
  FlowAnomalyDetector(FlowAnomalyDetector&&) noexcept;
  FlowAnomalyDetector& operator=(FlowAnomalyDetector&&) noexcept;

  std::string_view name() const override { return "flow_anomaly"; }
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

#endif  // NTA_DETECT_FLOW_ANOMALY_DETECTOR_H_
