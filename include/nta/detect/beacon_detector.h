// BeaconDetector: programs that call home at regular intervals.
//
//   nta::BeaconDetector detector({.min_calls = 30});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_BEACON_DETECTOR_H_
#define NTA_DETECT_BEACON_DETECTOR_H_

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

struct BeaconOptions {
  // Calls (connections that start at least `min_pause` after the one before) that have to be seen.
  std::size_t min_calls = 20;
  Duration min_pause = std::chrono::milliseconds(500);
  Duration max_pause = std::chrono::hours(12);  // after that a series begins anew
  // Calls that span less than this are no evidence yet.
  Duration min_span = std::chrono::minutes(1);
  // Regularity of pauses and sizes (ScoreBeacon) that opens an alert, and how sure it has to be.
  double min_score = 0.8;
  double min_bits = 16;
  // A destination that more than this share of the hosts calls is a service, not a secret.
  double max_prevalence = 0.05;
  // Ports that are regular by design are left out: DNS, DHCP, NTP, SSDP, mDNS, and these.
  std::vector<std::uint16_t> allowed_ports{};
  // Server names (TLS, HTTP), or domains above them, that may be called regularly.
  std::vector<std::string> allowed_domains{};
  // Pairs of host and service that are watched at the most; beyond that the one that called longest
  // ago is forgotten. About 700 bytes each.
  std::size_t max_pairs = 2048;
  std::size_t max_destinations = 4096;  // whose callers are counted, 150 bytes each
  AlertTrackerOptions alerts{};
};

// Looks at when flows to hosts outside start and at what they send. One alert per source,
// destination and service; it closes after five missed calls.
class BeaconDetector final : public Detector {
 public:
  explicit BeaconDetector(BeaconOptions options = {});
  ~BeaconDetector() override;
  BeaconDetector(BeaconDetector&&) noexcept;
  BeaconDetector& operator=(BeaconDetector&&) noexcept;

  std::string_view name() const override { return "beacon"; }
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

#endif  // NTA_DETECT_BEACON_DETECTOR_H_
