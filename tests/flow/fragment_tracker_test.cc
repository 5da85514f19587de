#include "nta/flow/fragment_tracker.h"

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::seconds;

DecodedPacket DecodeOne(const PacketBuilder& builder) {
  const Packet packet = builder.Build();
  DecodedPacket decoded = Decode(packet.view());
  decoded.payload = {};
  return decoded;
}
DecodedPacket First(std::uint16_t id, Timestamp time = At({}), std::uint16_t port = 53) {
  return DecodeOne(PacketBuilder()
                       .Ipv4("10.0.0.1", "10.0.0.2", {.id = id, .more_fragments = true})
                       .Udp(port, 999, 4000)
                       .Payload(64)
                       .Time(time));
}
DecodedPacket Later(std::uint16_t id, Timestamp time = At({}),
                    std::string_view destination = "10.0.0.2") {
  return DecodeOne(PacketBuilder()
                       .Ipv4("10.0.0.1", destination,
                             {.id = id, .fragment_offset = 72, .protocol = kProtocolUdp})
                       .Payload(64)
                       .Time(time));
}
bool Resolves(FragmentTracker& tracker, DecodedPacket packet) {
  tracker.Resolve(packet);
  return packet.has_ports;
}

TEST(FragmentTracker, LaterFragmentGetsThePortsOfItsFirst) {
  FragmentTracker tracker;
  DecodedPacket first = First(1);
  DecodedPacket later = Later(1);
  tracker.Resolve(first);
  tracker.Resolve(later);
  EXPECT_TRUE(later.has_ports);
  EXPECT_EQ(later.five_tuple(), first.five_tuple());
  EXPECT_EQ(tracker.Stats().first_fragments, 1U);
  EXPECT_EQ(tracker.Stats().attributed, 1U);
}

TEST(FragmentTracker, LaterFragmentOfAnotherDatagramStaysWithout) {
  FragmentTracker tracker;
  DecodedPacket first = First(1);
  tracker.Resolve(first);
  EXPECT_FALSE(Resolves(tracker, Later(2)));
  EXPECT_FALSE(Resolves(tracker, Later(1, At({}), "10.0.0.3")));
  DecodedPacket other_protocol = Later(1);
  other_protocol.protocol = kProtocolTcp;
  EXPECT_FALSE(Resolves(tracker, other_protocol));
  EXPECT_EQ(tracker.Stats().unattributed, 3U);
}

TEST(FragmentTracker, FragmentBeforeItsFirstStaysWithout) {
  FragmentTracker tracker;
  EXPECT_FALSE(Resolves(tracker, Later(1)));
  DecodedPacket first = First(1);
  tracker.Resolve(first);
  EXPECT_TRUE(Resolves(tracker, Later(1)));
}

TEST(FragmentTracker, ForgetsAfterTheTimeout) {
  FragmentTracker tracker({.timeout = seconds(30)});
  DecodedPacket first = First(1);
  tracker.Resolve(first);
  EXPECT_TRUE(Resolves(tracker, Later(1, At(seconds(30)))));
  EXPECT_FALSE(Resolves(tracker, Later(1, At(seconds(30) + Duration(1)))));
}

TEST(FragmentTracker, ReusedIdentificationMeansTheLatestDatagram) {
  FragmentTracker tracker;
  DecodedPacket first = First(1, At({}), 53);
  DecodedPacket again = First(1, At(seconds(1)), 5353);
  tracker.Resolve(first);
  tracker.Resolve(again);
  DecodedPacket later = Later(1, At(seconds(2)));
  tracker.Resolve(later);
  EXPECT_EQ(later.source_port, 5353);
}

TEST(FragmentTracker, ForgetsTheOldestAtTheCap) {
  FragmentTracker tracker({.max_datagrams = 3});
  for (std::uint16_t id = 1; id <= 4; ++id) {
    DecodedPacket first = First(id);
    tracker.Resolve(first);
  }
  EXPECT_FALSE(Resolves(tracker, Later(1)));
  for (std::uint16_t id = 2; id <= 4; ++id) EXPECT_TRUE(Resolves(tracker, Later(id)));
  EXPECT_EQ(tracker.Stats().evicted, 1U);
}

TEST(FragmentTracker, DatagramSeenAgainIsNotTheOldest) {
  FragmentTracker tracker({.max_datagrams = 2});
  for (const std::uint16_t id : std::initializer_list<std::uint16_t>{1, 2, 1, 3}) {
    DecodedPacket first = First(id);
    tracker.Resolve(first);
  }
  EXPECT_TRUE(Resolves(tracker, Later(1)));
  EXPECT_FALSE(Resolves(tracker, Later(2)));
  EXPECT_TRUE(Resolves(tracker, Later(3)));
}

TEST(FragmentTracker, FloodOfFirstFragmentsStaysWithinTheCap) {
  FragmentTracker tracker({.max_datagrams = 100});
  for (std::uint32_t i = 0; i < 50'000; ++i) {
    DecodedPacket first = First(static_cast<std::uint16_t>(i));
    first.fragment_id = i;
    tracker.Resolve(first);
  }
  EXPECT_EQ(tracker.Stats().first_fragments, 50'000U);
  EXPECT_EQ(tracker.Stats().evicted, 49'900U);
}

TEST(FragmentTracker, WholePacketsPassUntouched) {
  FragmentTracker tracker;
  DecodedPacket whole = DecodeOne(PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2));
  tracker.Resolve(whole);
  EXPECT_EQ(whole.source_port, 1);
  EXPECT_EQ(tracker.Stats().first_fragments, 0U);
  EXPECT_EQ(tracker.Stats().unattributed, 0U);
}

TEST(FragmentTracker, FirstFragmentWithoutReadablePortsIsNoHelp) {
  FragmentTracker tracker;
  DecodedPacket tiny = DecodeOne(
      PacketBuilder()
          .Ipv4("10.0.0.1", "10.0.0.2", {.id = 5, .more_fragments = true, .protocol = kProtocolTcp})
          .Payload(2));
  tracker.Resolve(tiny);
  EXPECT_FALSE(Resolves(tracker, Later(5)));
}

TEST(FragmentTracker, Ipv6FragmentsBelongTogetherWhateverHeadersFollow) {
  // The fragment header names destination options; only the first fragment shows the UDP behind.
  DecodedPacket first = DecodeOne(PacketBuilder()
                                      .Ipv6("::1", "::2")
                                      .Fragment(9, 0, true)
                                      .Extension(60)
                                      .Udp(53, 999, 4000)
                                      .Payload(48));
  DecodedPacket later =
      DecodeOne(PacketBuilder().Ipv6("::1", "::2").Fragment(9, 64, false, 60).Payload(64));
  ASSERT_TRUE(first.has_ports);
  FragmentTracker tracker;
  tracker.Resolve(first);
  tracker.Resolve(later);
  EXPECT_TRUE(later.has_ports);
  EXPECT_EQ(later.five_tuple(), first.five_tuple());
}

}  // namespace
}  // namespace nta::test
