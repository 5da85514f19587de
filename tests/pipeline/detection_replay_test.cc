// The same packets give the same alerts: live with pauses, replayed, or in any bursts.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "nta/detect/default_detectors.h"
#include "nta/pipeline/pipeline.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Packets in bursts of a given size; a live one answers kTimeout in between.
class BurstSource final : public PacketSource {
 public:
  BurstSource(const std::vector<Packet>& packets, std::size_t burst, bool live)
      : packets_(packets), burst_(burst), live_(live) {}

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    if (live_ && (turn_++ % 2 == 1)) return ReadResult::kTimeout;
    if (next_ == packets_.size()) return ReadResult::kEnd;
    for (std::size_t i = 0; i < burst_ && next_ < packets_.size(); ++i) {
      batch.push_back(packets_[next_++].view());
    }
    return ReadResult::kPackets;
  }
  CaptureStats Stats() const override { return {}; }
  bool is_live() const override { return live_; }
  std::string name() const override { return "bursts"; }
  // A second after the last packet, as a capture that keeps up would be told.
  Timestamp Now() const {
    return next_ == 0 ? Timestamp{} : packets_[next_ - 1].view().time + seconds(1);
  }

 private:
  const std::vector<Packet>& packets_;
  const std::size_t burst_;
  const bool live_;
  std::size_t next_ = 0;
  int turn_ = 0;
};

std::vector<Packet> Traffic() {
  std::vector<Packet> packets;
  for (int i = 0; i < 3000; ++i) {
    const std::string source = "198.51." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    packets.push_back(PacketBuilder()
                          .Ethernet()
                          .Ipv4(source, "10.0.0.2")
                          .Tcp(static_cast<std::uint16_t>(1024 + i), 443, {.flags = kTcpSyn})
                          .Time(At(seconds(3) + i * milliseconds(2)))
                          .Build());
  }
  for (int port = 1; port < 120; ++port) {
    packets.push_back(PacketBuilder()
                          .Ethernet()
                          .Ipv4("10.0.0.9", "10.0.0.3")
                          .Tcp(50000, static_cast<std::uint16_t>(port), {.flags = kTcpSyn})
                          .Time(At(seconds(1) + port * milliseconds(70)))
                          .Build());
  }
  for (int host = 1; host < 100; ++host) {
    packets.push_back(PacketBuilder()
                          .Ethernet("02:00:00:00:00:77", "ff:ff:ff:ff:ff:ff")
                          .Arp(1, "10.0.0.77", "10.0.0." + std::to_string(host))
                          .Time(At(seconds(2) + host * milliseconds(40)))
                          .Build());
  }
  std::stable_sort(packets.begin(), packets.end(),
                   [](const Packet& a, const Packet& b) { return a.view().time < b.view().time; });
  return packets;
}

std::vector<Alert> AlertsOf(const std::vector<Packet>& packets, std::size_t burst, bool live) {
  BurstSource source(packets, burst, live);
  auto detectors = DefaultDetectors();
  EXPECT_TRUE(detectors.ok());
  PipelineOptions options;
  options.clock = [&source] { return source.Now(); };
  Pipeline pipeline(source, options);
  for (const auto& detector : *detectors) pipeline.AddDetector(*detector);
  std::vector<Alert> alerts;
  EXPECT_TRUE(pipeline
                  .Run([&](const Batch& batch) {
                    alerts.insert(alerts.end(), batch.alerts.begin(), batch.alerts.end());
                    return absl::OkStatus();
                  })
                  .ok());
  // Those of one burst come detector by detector.
  std::stable_sort(alerts.begin(), alerts.end(), [](const Alert& a, const Alert& b) {
    return std::tie(a.detector, a.time) < std::tie(b.detector, b.time);
  });
  return alerts;
}

TEST(DetectionReplay, GivesTheSameAlertsInAnyBurstsAndLive) {
  const std::vector<Packet> packets = Traffic();
  const std::vector<Alert> expected = AlertsOf(packets, 256, false);
  ASSERT_GE(expected.size(), 6u) << "a flood, a port scan and a sweep that open and close";
  for (const std::size_t burst : {1u, 17u, 100000u}) {
    EXPECT_EQ(AlertsOf(packets, burst, false), expected) << burst;
    EXPECT_EQ(AlertsOf(packets, burst, true), expected) << burst << " live";
  }
}

}  // namespace
}  // namespace nta::test
