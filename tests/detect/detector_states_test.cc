// What holds for the state of every detector, whatever it detects.
#include <gtest/gtest.h>
#include <malloc.h>

#include <string>
#include <vector>

#include "detect/packets.h"
#include "detect/state_archive.h"
#include "nta/detect/default_detectors.h"
#include "nta/flow/flow_table.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of packets.h
using std::chrono::milliseconds;

IpAddress Inside(std::uint64_t n) {
  return IpAddress::V4(10, 0, static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n));
}
IpAddress Outside(std::uint64_t n) {
  const std::uint64_t mixed = n * 0x9e3779b97f4a7c15;
  return IpAddress::V4(
      static_cast<std::uint8_t>(20 + (mixed >> 56) % 150), static_cast<std::uint8_t>(mixed >> 48),
      static_cast<std::uint8_t>(mixed >> 40), static_cast<std::uint8_t>(mixed >> 32));
}

// Connections, attempts that fail, names and claims of addresses, from `n` on.
std::vector<DecodedPacket> Traffic(std::uint64_t n, std::uint64_t count) {
  std::vector<DecodedPacket> packets;
  for (const std::uint64_t end = n + count; n < end; ++n) {
    const Duration at = n * milliseconds(3);
    const auto port = static_cast<std::uint16_t>(1024 + n % 60000);
    packets.push_back(Tcp(at, Inside(n % 500), port, Outside(n % 7000), 443, kTcpSyn));
    packets.push_back(Tcp(at + milliseconds(1), Outside(n % 7000), 443, Inside(n % 500), port,
                          kTcpSyn | kTcpAck));
    packets.push_back(Tcp(at, Outside(n), port, Inside(n % 50), 22, kTcpSyn));
    packets.push_back(Udp(at, Inside(n % 50), port, Outside(n % 900), 53));
    DecodedPacket arp;
    arp.time = PacketTime(at);
    arp.arp.emplace();
    arp.arp->operation = 1;
    arp.arp->sender = Inside(n % 3000);
    arp.arp->sender_mac.bytes = {
        2, 0, 0, 0, static_cast<std::uint8_t>(n % 3000 >> 8), static_cast<std::uint8_t>(n % 3000)};
    arp.arp->target = Inside((n + 1) % 3000);
    packets.push_back(arp);
  }
  SortByTime(packets);
  return packets;
}

void Feed(const DetectorList& detectors, std::uint64_t flows) {
  auto table = FlowTable::Create({.events = FlowEventSelection::kAll});
  ASSERT_TRUE(table.ok());
  constexpr std::uint64_t kStep = 100;
  const std::vector<PacketView> views(5 * kStep);
  std::vector<FlowEvent> events;
  std::vector<Alert> alerts;
  for (std::uint64_t n = 0; n < flows; n += kStep) {
    const std::vector<DecodedPacket> packets = Traffic(n, kStep);
    events.clear();
    table->Add(packets, events);
    for (const auto& detector : detectors) {
      detector->ObservePackets(views, packets, alerts);
      for (const FlowEvent& event : events) detector->Observe(event, alerts);
    }
    alerts.clear();
  }
}

TEST(DetectorStates, DamagedForeignAndNewerOnesAreRefusedAndChangeNothing) {
  const auto detectors = DefaultDetectors();
  ASSERT_TRUE(detectors.ok());
  Feed(*detectors, 3000);
  const auto others = DefaultDetectors();
  for (std::size_t d = 0; d < detectors->size(); ++d) {
    const std::string state = (*detectors)[d]->Save();
    Detector& other = *(*others)[d];
    const std::string name(other.name());
    ASSERT_TRUE(other.Load(state).ok()) << name;
    const std::string kept = other.Save();
    const std::size_t step = 1 + state.size() / 60;
    for (std::size_t at = 40; at < state.size(); at += step) {
      EXPECT_EQ(other.Load(state.substr(0, at)).code(), absl::StatusCode::kDataLoss)
          << name << " cut at " << at;
    }
    for (std::size_t at = 40; at < state.size(); at += step) {
      std::string flipped = state;
      flipped[at] = static_cast<char>(flipped[at] ^ 4);
      EXPECT_EQ(other.Load(flipped).code(), absl::StatusCode::kDataLoss) << name << " at " << at;
    }
    const std::string newer = detect::SealState(name, 60000, "anything");
    EXPECT_EQ(other.Load(newer).code(), absl::StatusCode::kInvalidArgument) << name;
    const std::string foreign = detect::SealState("somebody_else", 1, "anything");
    EXPECT_EQ(other.Load(foreign).code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_EQ(other.Save(), kept) << name;
  }
}

// Declared, counted and asked of the allocator, where nothing else allocates in between.
TEST(DetectorStates, MemoryOfAllStaysBelowSixtyFourMegabytes) {
  constexpr std::size_t kMost = 64'000'000;
  const auto in_use = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const std::size_t before = in_use();
  const auto detectors = DefaultDetectors();
  ASSERT_TRUE(detectors.ok());
  Feed(*detectors, 30'000);
  const std::size_t heap = in_use() - before;
  std::size_t declared = 0;
  std::size_t counted = 0;
  for (const auto& detector : *detectors) {
    EXPECT_LE(detector->memory_bytes(), detector->memory_limit_bytes()) << detector->name();
    declared += detector->memory_limit_bytes();
    counted += detector->memory_bytes();
  }
  std::printf("declared %.1f MB, counted %.1f MB, heap %.1f MB\n",
              static_cast<double>(declared) / 1e6, static_cast<double>(counted) / 1e6,
              static_cast<double>(heap) / 1e6);
  EXPECT_LE(declared, kMost);
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_GT(heap, std::size_t{1} << 20) << "the allocator is not the one asked";
  EXPECT_LE(heap, kMost);
  EXPECT_LE(static_cast<double>(heap), 1.15 * static_cast<double>(counted))
      << "more is in use than the detectors say";
#endif
}

}  // namespace
}  // namespace nta
