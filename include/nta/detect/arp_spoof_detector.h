// ArpSpoofDetector: who claims addresses of others, and who asks for every address of a network.
//
//   nta::ArpSpoofDetector arp;
//   pipeline.AddDetector(arp);
#ifndef NTA_DETECT_ARP_SPOOF_DETECTOR_H_
#define NTA_DETECT_ARP_SPOOF_DETECTOR_H_

#include <chrono>
#include <cstddef>
#include <memory>

#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct ArpSpoofOptions {
  // Both owners of an address have been heard within this time: it did not simply change hands.
  Duration contested_within = std::chrono::minutes(10);
  // Addresses that nobody has, asked for by one host: that many are a sweep; one is forgiven in
  // each `forgive_one`.
  std::size_t min_silent_targets = 10;
  Duration forgive_one = std::chrono::minutes(2);
  Duration answer_timeout = std::chrono::seconds(2);
  // Addresses that are known, and hosts that ask, at the most; beyond that the one heard longest
  // ago is forgotten. About 250 bytes each.
  std::size_t max_addresses = 2048;
  AlertTrackerOptions alerts{};
};

// Classes: arp_spoof (ATT&CK T1557.002), and host_sweep for sweeps by ARP. IPv4 only.
class ArpSpoofDetector final : public Detector {
 public:
  explicit ArpSpoofDetector(ArpSpoofOptions options = {});
  ~ArpSpoofDetector() override;
  ArpSpoofDetector(ArpSpoofDetector&&) noexcept;
  ArpSpoofDetector& operator=(ArpSpoofDetector&&) noexcept;

  std::string_view name() const override { return "arp_spoof"; }
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

#endif  // NTA_DETECT_ARP_SPOOF_DETECTOR_H_
