// The packets before an alert.
#include "nta/pipeline/packet_evidence.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "nta/capture/pcap_file_reader.h"
#include "support/packet_builder.h"

namespace nta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::At;
using test::PacketBuilder;

Packet Udp(int n, std::string_view from = "10.0.0.1", std::string_view to = "10.0.0.2",
           std::size_t payload = 20) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4(from, to)
      .Udp(static_cast<std::uint16_t>(1024 + n % 60000), 53)
      .Payload(payload)
      .Time(At(n * milliseconds(1)))
      .Build();
}

Alert About(std::string id, Timestamp time) {
  Alert alert;
  alert.id = std::move(id);
  alert.time = time;
  alert.entity.destination = test::Ip("10.0.0.2");
  return alert;
}

TEST(PacketRing, KeepsTheLatestPacketsInOrderWithinItsMemory) {
  std::mt19937 random(1);
  PacketRing ring({.max_bytes = 64 << 10, .snap_bytes = 2000});
  std::vector<Packet> all;
  for (int n = 0; n < 5000; ++n) {
    all.push_back(
        Udp(n, "10.0.0.1", "10.0.0.2", random() % 3 == 0 ? random() % 1900 : random() % 60));
    const PacketView view = all.back().view();
    ring.Add({&view, 1});
    if (n % 37 != 0) continue;
    std::size_t at = all.size() - ring.size();
    ring.Visit([&](const PacketView& packet) {
      const PacketView expected = all[at++].view();
      EXPECT_EQ(packet.time, expected.time);
      EXPECT_TRUE(std::equal(packet.bytes.begin(), packet.bytes.end(), expected.bytes.begin(),
                             expected.bytes.end()));
      return !::testing::Test::HasFailure();
    });
    ASSERT_EQ(at, all.size());
  }
  EXPECT_EQ(ring.dropped() + ring.size(), 5000u);
  EXPECT_GT(ring.size(), 60u);
  EXPECT_LT(ring.memory_bytes(), 66u << 10);
}

TEST(PacketEvidence, WritesThePacketsThatAnAlertIsAboutUpToItsTime) {
  PacketEvidence evidence({.max_packets = 10});
  for (int n = 0; n < 100; ++n) {
    const Packet mine = Udp(2 * n);
    const Packet other = Udp(2 * n + 1, "10.0.0.3", "10.0.0.4");
    for (const PacketView& view : {mine.view(), other.view()}) evidence.Observe({&view, 1});
  }
  evidence.Keep(About("flood-000001", At(milliseconds(101))));
  const auto packets = evidence.Packets("flood-000001");
  ASSERT_TRUE(packets.ok());
  ASSERT_EQ(packets->size(), 10u);
  EXPECT_EQ(packets->back().view().time, At(milliseconds(100)));
  EXPECT_EQ(packets->front().view().time, At(milliseconds(82)));

  const std::string path =
      std::filesystem::temp_directory_path() / ("nta_evidence_" + std::to_string(getpid()));
  ASSERT_TRUE(evidence.WritePcap("flood-000001", path).ok());
  auto reader = PcapFileReader::Open(path);
  ASSERT_TRUE(reader.ok());
  PacketBatch batch;
  ASSERT_EQ(*(*reader)->Read(batch), ReadResult::kPackets);
  EXPECT_EQ(batch.size(), 10u);
  std::filesystem::remove(path);
  EXPECT_EQ(evidence.WritePcap("flood-000002", path).code(), absl::StatusCode::kNotFound);
}

TEST(PacketEvidence, ForgetsTheOldestAlertsBeyondItsMemory) {
  PacketEvidence evidence({.max_kept_bytes = 64 << 10});
  for (int n = 0; n < 100; ++n) {
    const Packet packet = Udp(n);
    const PacketView view = packet.view();
    evidence.Observe({&view, 1});
  }
  for (int i = 0; i < 200; ++i) {
    evidence.Keep(About("a-" + std::to_string(i), At(seconds(1))));
  }
  EXPECT_LE(evidence.memory_bytes(), (5u << 20));
  EXPECT_GT(evidence.forgotten(), 150u);
  EXPECT_FALSE(evidence.Packets("a-0").ok());
  EXPECT_TRUE(evidence.Packets("a-199").ok());
}

}  // namespace
}  // namespace nta
