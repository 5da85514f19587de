// FloodDetector: who is being flooded, with what, and by how many.
//
//   nta::FloodDetector floods;
//   pipeline.AddDetector(floods);
#ifndef NTA_DETECT_FLOOD_DETECTOR_H_
#define NTA_DETECT_FLOOD_DETECTOR_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "nta/detect/alert_tracker.h"
#include "nta/detect/detector.h"

namespace nta {

struct FloodOptions {
  // Below these rates, in packets a second to one destination or one prefix, nothing is a flood,
  // however unusual: a host stands them without noticing.
  double min_syn_rate = 25;   // connection attempts that nobody completes
  double min_udp_rate = 500;  // datagrams that nobody answers
  double min_icmp_rate = 100;
  double min_amplification_rate = 100;  // answers from reflectors that nobody asked
  double min_crowd_rate = 200;          // completed connections: a flash crowd
  // False alarms a day, over all destinations, that the test may give by chance.
  double alerts_per_day = 5;
  // Destinations, and prefixes (/24, /48), that are watched at the most; beyond that those with
  // fewest packets give way. About 450 bytes each.
  std::size_t max_destinations = 8192;
  std::size_t max_prefixes = 2048;
  // Key of the hash tables; random when absent.
  std::optional<std::uint64_t> hash_seed{};
  AlertTrackerOptions alerts{};
};

// Looks at packets: flow events come too late and too few for a flood. Each quarter of a second the
// rates to each destination are held against what it is used to; it takes three of them in a row,
// or one that is beyond all measure, to raise an alert. Classes: syn_flood, udp_flood, icmp_flood,
// amplification (also SYN-ACK reflection), and flash_crowd when the new connections are real.
// docs/detection.md has the formulas.
class FloodDetector final : public Detector {
 public:
  explicit FloodDetector(FloodOptions options = {});
  ~FloodDetector() override;
  FloodDetector(FloodDetector&&) noexcept;
  FloodDetector& operator=(FloodDetector&&) noexcept;

  std::string_view name() const override { return "flood"; }
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

#endif  // NTA_DETECT_FLOOD_DETECTOR_H_
