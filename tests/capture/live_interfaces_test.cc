// Interfaces that come and go, and several at once, in a network namespace of its own.
#include <gtest/gtest.h>

#include <algorithm>

#include "capture/wide_counter.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/multi_source.h"
#include "nta/packet/decode.h"
#include "support/network_namespace.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

TEST(WideCounter, GoesOnWhereTheNarrowOneBeginsAnew) {
  internal::WideCounter counter;
  std::uint64_t expected = 0;
  for (int i = 0; i < 20; ++i) {
    expected += 0xf000'0000;
    counter.Follow(static_cast<std::uint32_t>(expected));
    EXPECT_EQ(counter.total(), expected);
  }
  counter.Follow(static_cast<std::uint32_t>(expected));
  EXPECT_EQ(counter.total(), expected) << "nothing new";
  counter.Restart();
  counter.Follow(5);
  EXPECT_EQ(counter.total(), expected + 5);
}

// Frames with one byte of payload each, which tells them apart.
Packet Numbered(int number) {
  return PacketBuilder()
      .Ethernet()
      .Ipv4("10.0.0.1", "10.0.0.2")
      .Udp(1, 9999)
      .Payload(Bytes{static_cast<std::uint8_t>(number)})
      .Build();
}
void Send(const std::string& interface, int number) {
  const Packet packet = Numbered(number);
  EXPECT_TRUE(RawSender(interface).Send(packet.view().bytes)) << number;
}

struct Seen {
  std::uint8_t number = 0;
  std::uint32_t interface = 0;
  Timestamp time{};
};
// Reads until `count` numbered frames came, or many times nothing did.
std::vector<Seen> ReadNumbered(PacketSource& source, std::size_t count) {
  std::vector<Seen> seen;
  PacketBatch batch;
  for (int timeouts = 0; seen.size() < count && timeouts < 100;) {
    const auto result = source.Read(batch);
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) return seen;
    timeouts += *result == ReadResult::kTimeout ? 1 : 0;
    for (const PacketView& packet : batch) {
      const DecodedPacket decoded = Decode(packet);
      if (decoded.destination_port != 9999) continue;
      seen.push_back({decoded.payload[0], packet.interface_id, packet.time});
    }
  }
  return seen;
}

constexpr std::chrono::milliseconds kQuick(20);

// Reads until the source knows that its interface is away.
void AwaitOutage(PacketSource& source, std::uint64_t outages) {
  PacketBatch batch;
  for (int i = 0; i < 200 && source.Stats().outages < outages; ++i) {
    EXPECT_TRUE(source.Read(batch).ok());
  }
  EXPECT_EQ(source.Stats().outages, outages);
}

TEST(LiveCaptureOutage, ReadFailsWhenTheInterfaceGoesDownOrAway) {
  InNamespace([] {
    for (const std::string command : {"ip link set right down", "ip link del right"}) {
      if (!MakeVethPair("left", "right")) GTEST_SKIP();
      auto capture = LiveCapture::Open("right", {.timeout = kQuick});
      ASSERT_TRUE(capture.ok()) << capture.status();
      Send("left", 1);
      EXPECT_EQ(ReadNumbered(**capture, 1).size(), 1U);
      ASSERT_TRUE(Shell(command));
      PacketBatch batch;
      absl::StatusOr<ReadResult> result = ReadResult::kTimeout;
      for (int i = 0; i < 100 && result.ok(); ++i) result = (*capture)->Read(batch);
      EXPECT_EQ(result.status().code(), absl::StatusCode::kUnavailable) << result.status();
      EXPECT_NE(std::string(result.status().message()).find("right"), std::string::npos);
      EXPECT_EQ((*capture)->Read(batch).status(), result.status()) << "it repeats";
      EXPECT_EQ((*capture)->Stats().outages, 1U);
      Shell("ip link del left");
    }
  });
}

TEST(LiveCaptureOutage, OpeningAnInterfaceThatIsDownSaysSo) {
  InNamespace([] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP();
    ASSERT_TRUE(Shell("ip link set right down"));
    const auto capture = LiveCapture::Open("right");
    EXPECT_EQ(capture.status().code(), absl::StatusCode::kUnavailable) << capture.status();
    EXPECT_NE(std::string(capture.status().message()).find("is down"), std::string::npos);
  });
}

TEST(LiveCaptureOutage, ReopenGoesOnWhenTheInterfaceIsUpAgain) {
  InNamespace([] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP();
    auto capture = LiveCapture::Open("right", {.timeout = kQuick, .outage = OutagePolicy::kReopen});
    ASSERT_TRUE(capture.ok()) << capture.status();
    Send("left", 1);
    EXPECT_EQ(ReadNumbered(**capture, 1).size(), 1U);
    EXPECT_EQ((*capture)->Stats().outages, 0U);

    ASSERT_TRUE(Shell("ip link set right down"));
    AwaitOutage(**capture, 1);
    PacketBatch batch;
    EXPECT_EQ(*(*capture)->Read(batch), ReadResult::kTimeout) << "time passes, nothing comes";
    const Duration while_down = (*capture)->Stats().outage_time;
    EXPECT_GT(while_down, Duration::zero());
    EXPECT_EQ(*(*capture)->Read(batch), ReadResult::kTimeout);
    EXPECT_GT((*capture)->Stats().outage_time, while_down) << "it counts while it lasts";

    ASSERT_TRUE(Shell("ip link set right up"));
    // Open again when time no longer counts.
    CaptureStats stats = (*capture)->Stats();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE((*capture)->Read(batch).ok());
      const CaptureStats now = (*capture)->Stats();
      if (now.outage_time == stats.outage_time) break;
      stats = now;
    }
    Send("left", 2);
    const std::vector<Seen> seen = ReadNumbered(**capture, 1);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].number, 2);
    EXPECT_EQ((*capture)->Stats().outages, 1U);
    EXPECT_EQ((*capture)->Stats().outage_time, stats.outage_time) << "no longer counts";
    EXPECT_GE((*capture)->Stats().received, 2U);
  });
}

TEST(LiveCaptureOutage, ReopenFindsTheInterfaceThatWasMadeAnew) {
  InNamespace([] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP();
    auto capture = LiveCapture::Open("right", {.timeout = kQuick, .outage = OutagePolicy::kReopen});
    ASSERT_TRUE(capture.ok()) << capture.status();
    ASSERT_TRUE(Shell("ip link del right"));
    AwaitOutage(**capture, 1);
    ASSERT_TRUE(MakeVethPair("left", "right"));
    PacketBatch batch;
    CaptureStats stats = (*capture)->Stats();
    for (int i = 0; i < 200; ++i) {
      ASSERT_TRUE((*capture)->Read(batch).ok());
      const CaptureStats now = (*capture)->Stats();
      if (now.outage_time == stats.outage_time) break;
      stats = now;
    }
    Send("left", 3);
    const std::vector<Seen> seen = ReadNumbered(**capture, 1);
    ASSERT_EQ(seen.size(), 1U);
    EXPECT_EQ(seen[0].number, 3);
  });
}

std::unique_ptr<PacketSource> Open(const std::string& interface, LiveCaptureOptions options = {}) {
  auto capture = LiveCapture::Open(interface, std::move(options));
  EXPECT_TRUE(capture.ok()) << capture.status();
  return capture.ok() ? *std::move(capture) : nullptr;
}

TEST(LiveMultiSource, ReadsSeveralInterfacesAndNamesThem) {
  InNamespace([] {
    if (!MakeVethPair("left1", "right1") || !MakeVethPair("left2", "right2")) GTEST_SKIP();
    std::vector<std::unique_ptr<PacketSource>> members;
    for (const char* name : {"right1", "right2"})
      members.push_back(Open(name, {.timeout = kQuick}));
    auto source = MultiSource::Create(std::move(members), {.timeout = kQuick});
    ASSERT_TRUE(source.ok()) << source.status();
    EXPECT_TRUE((*source)->is_live());
    EXPECT_EQ((*source)->name(), "right1, right2");
    const std::vector<CaptureInterface> interfaces = (*source)->Interfaces();
    ASSERT_EQ(interfaces.size(), 2U);
    EXPECT_EQ(interfaces[1].name, "right2");
    for (int i = 0; i < 10; ++i) Send(i % 2 == 0 ? "left1" : "left2", i);
    const std::vector<Seen> seen = ReadNumbered(**source, 10);
    ASSERT_EQ(seen.size(), 10U);
    for (const Seen& packet : seen) EXPECT_EQ(packet.interface, packet.number % 2U);
    EXPECT_EQ((*source)->MemberStats()[1].received, 5U);
    EXPECT_EQ((*source)->Stats().received, 10U);
    PacketBatch batch;
    EXPECT_EQ(*(*source)->Read(batch), ReadResult::kTimeout);
  });
}

TEST(LiveMultiSource, ReorderWindowPutsInterfacesIntoTheOrderOfTime) {
  InNamespace([] {
    if (!MakeVethPair("left1", "right1") || !MakeVethPair("left2", "right2")) GTEST_SKIP();
    std::vector<std::unique_ptr<PacketSource>> members;
    // The first delivers late, the second at once.
    members.push_back(Open("right1", {.timeout = std::chrono::milliseconds(100)}));
    members.push_back(Open("right2", {.delivery = CaptureDelivery::kImmediate, .timeout = kQuick}));
    auto source = MultiSource::Create(
        std::move(members), {.timeout = kQuick, .reorder_window = std::chrono::milliseconds(300)});
    ASSERT_TRUE(source.ok()) << source.status();
    for (int i = 0; i < 20; ++i) Send(i % 2 == 0 ? "left1" : "left2", i);
    const std::vector<Seen> seen = ReadNumbered(**source, 20);
    ASSERT_EQ(seen.size(), 20U);
    for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(seen[i].number, i);
  });
}

TEST(LiveMultiSource, ABusyInterfaceDoesNotKeepTheOthersOut) {
  InNamespace([] {
    if (!MakeVethPair("left1", "right1") || !MakeVethPair("left2", "right2")) GTEST_SKIP();
    std::vector<std::unique_ptr<PacketSource>> members;
    for (const char* name : {"right1", "right2"})
      members.push_back(Open(name, {.timeout = kQuick}));
    auto source = MultiSource::Create(std::move(members), {.timeout = kQuick});
    const RawSender busy("left1");
    const Packet packet = Numbered(0);
    Send("left2", 1);
    for (int i = 0; i < 5000; ++i) ASSERT_TRUE(busy.Send(packet.view().bytes));
    const std::vector<Seen> seen = ReadNumbered(**source, 5001);
    ASSERT_EQ(seen.size(), 5001U);
    const auto other =
        std::find_if(seen.begin(), seen.end(), [](const Seen& one) { return one.interface == 1; });
    EXPECT_LT(other - seen.begin(), 2500) << "it came while the other had more";
  });
}

TEST(LiveMultiSource, AnInterfaceThatGoesAwayIsAnErrorUnlessItIsReopened) {
  InNamespace([] {
    for (const OutagePolicy policy : {OutagePolicy::kFail, OutagePolicy::kReopen}) {
      if (!MakeVethPair("left1", "right1") || !MakeVethPair("left2", "right2")) GTEST_SKIP();
      std::vector<std::unique_ptr<PacketSource>> members;
      for (const char* name : {"right1", "right2"}) {
        members.push_back(Open(name, {.timeout = kQuick, .outage = policy}));
      }
      auto source = MultiSource::Create(std::move(members), {.timeout = kQuick});
      Send("left2", 7);
      EXPECT_EQ(ReadNumbered(**source, 1).size(), 1U);
      ASSERT_TRUE(Shell("ip link set right1 down"));
      PacketBatch batch;
      absl::StatusOr<ReadResult> result = ReadResult::kTimeout;
      for (int i = 0; i < 200 && result.ok() && (*source)->Stats().outages == 0; ++i) {
        result = (*source)->Read(batch);
      }
      EXPECT_EQ((*source)->Stats().outages, 1U);
      if (policy == OutagePolicy::kFail) {
        EXPECT_EQ((*source)->Read(batch).status().code(), absl::StatusCode::kUnavailable);
      } else {
        Send("left2", 8);
        const std::vector<Seen> seen = ReadNumbered(**source, 1);
        ASSERT_EQ(seen.size(), 1U);
        EXPECT_EQ(seen[0].number, 8) << "the others are read on";
        ASSERT_TRUE(Shell("ip link set right1 up"));
        bool is_back = false;
        for (int i = 0; i < 100 && !is_back; ++i) {
          Send("left1", 9);
          is_back = !ReadNumbered(**source, 1).empty();
        }
        EXPECT_TRUE(is_back);
      }
      Shell("ip link del left1");
      Shell("ip link del left2");
    }
  });
}

}  // namespace
}  // namespace nta::test
