// DnsTunnelDetector: data that leaves or comes in the names of DNS queries.
//
//   nta::DnsTunnelDetector detector({.allowed_domains = {"example.net"}});
//   pipeline.AddDetector(detector);
#ifndef NTA_DETECT_DNS_TUNNEL_DETECTOR_H_
#define NTA_DETECT_DNS_TUNNEL_DETECTOR_H_

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

struct DnsTunnelOptions {
  // A client that asks for so many different names of one registered domain within `window`, ...
  std::size_t min_names = 40;
  // ... which together carry at least this many bytes before the domain, ...
  std::size_t min_bytes = 600;
  // ... and on average look like data this much (DnsTunnelScore), tunnels.
  double min_score = 0.35;
  Duration window = std::chrono::minutes(30);
  // An alert closes after this long without a further name.
  Duration quiet_close = std::chrono::minutes(5);
  // Registered domains (or any domain) whose names are data by design, beside a list of the
  // library's: content networks, block lists and virus scanners that are asked by DNS.
  std::vector<std::string> allowed_domains{};
  // Pairs of client and domain that are watched at the most; beyond that the one asked longest ago
  // is forgotten. About 1 KB each.
  std::size_t max_pairs = 1024;
  AlertTrackerOptions alerts{};
};

// Reads the question of each DNS query packet. Without packets (stored flows) it takes the one name
// that a flow's metadata has as often as the flow has packets. docs/detection.md has the rule.
class DnsTunnelDetector final : public Detector {
 public:
  explicit DnsTunnelDetector(DnsTunnelOptions options = {});
  ~DnsTunnelDetector() override;
  DnsTunnelDetector(DnsTunnelDetector&&) noexcept;
  DnsTunnelDetector& operator=(DnsTunnelDetector&&) noexcept;

  std::string_view name() const override { return "dns_tunnel"; }
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

#endif  // NTA_DETECT_DNS_TUNNEL_DETECTOR_H_
