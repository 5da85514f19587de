// DhcpDetector: floods of DHCP requests, and servers that appear beside the known ones.
//
//   nta::DhcpDetector dhcp({.min_messages = 500});
//   pipeline.AddDetector(dhcp);
#ifndef NTA_DETECT_DHCP_DETECTOR_H_
#define NTA_DETECT_DHCP_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct DhcpOptions {
  // So many requests within ten seconds are a flood, whoever sends them.
  std::size_t min_messages = 250;
  // A server that is first heard later than this after the first one is new.
  Duration learn_servers = std::chrono::hours(1);
  // Servers that are known at the most.
  std::size_t max_servers = 64;
  AlertTrackerOptions alerts{};
};

// Classes: udp_flood (T1499.002: leases run out), policy for a new server (T1557.003). DHCPv4.
class DhcpDetector final : public Detector {
 public:
  explicit DhcpDetector(DhcpOptions options = {});
  ~DhcpDetector() override;
  DhcpDetector(DhcpDetector&&) noexcept;
  DhcpDetector& operator=(DhcpDetector&&) noexcept;

  std::string_view name() const override { return "dhcp"; }
  void Observe(const FlowEvent&, std::vector<Alert>&) override {}
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

#endif  // NTA_DETECT_DHCP_DETECTOR_H_
