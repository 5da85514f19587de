// BaselineDetector: traffic that is not what it usually is at this time.
//
//   nta::BaselineDetector detector({.max_hosts = 512});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_BASELINE_DETECTOR_H_
#define NTA_DETECT_BASELINE_DETECTOR_H_

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

struct BaselineOptions {
  // Bins of the series of an interface, and of a host or a service.
  Duration interface_bin = std::chrono::seconds(10);
  Duration host_bin = std::chrono::minutes(1);
  // How late a flow record may tell of its bytes: a bin of hosts and services closes so long after
  // its end. What comes later still is left out and counted as an eviction. Records of long flows
  // come with the flow table's active timeout.
  Duration max_delay = std::chrono::minutes(5);
  // Nothing is said before this has been learnt.
  Duration warm_up = std::chrono::hours(1);
  // A shift that lasts this long is the new normal.
  Duration regime_change = std::chrono::hours(6);
  std::size_t max_interfaces = 2;  // 500 KB each
  std::size_t max_hosts = 64;      // private addresses, the latest seen; 35 KB each
  std::size_t max_services = 32;   // 20 KB each
  AlertBudgetOptions budget{.alerts_per_day = 2, .min_bits = 12};
  AlertTrackerOptions alerts{};
};

// Series of each interface (bytes, packets, SYN, RST, ICMP, entropy of sources, destinations and
// ports, by packets; new flows), of each local host (bytes sent and received, flows, peers) and of
// each service (bytes, flows), each with a SeriesScorer of its own. An alert needs two bins in a
// row outside what is usual. What an interface does is told by packets; without any (stored flows)
// only hosts and services are watched.
class BaselineDetector final : public Detector {
 public:
  explicit BaselineDetector(BaselineOptions options = {});
  ~BaselineDetector() override;
  BaselineDetector(BaselineDetector&&) noexcept;
  BaselineDetector& operator=(BaselineDetector&&) noexcept;

  std::string_view name() const override { return "baseline"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void ObservePackets(std::span<const PacketView> packets, std::span<const DecodedPacket> decoded,
                      std::vector<Alert>& alerts) override;
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

#endif  // NTA_DETECT_BASELINE_DETECTOR_H_
