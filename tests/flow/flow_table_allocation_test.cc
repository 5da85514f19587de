#include <gtest/gtest.h>

#include "nta/flow/flow_table.h"
#include "support/counting_allocator.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

TEST(FlowTableAllocation, PacketsOfKnownFlowsAllocateNothing) {
  std::vector<Packet> packets;
  for (std::uint16_t port = 0; port < 500; ++port) {
    const Conversation conversation{.client = {Ip("10.0.0.1"), port},
                                    .server = {Ip("10.0.0.2"), 53}};
    for (Packet& packet : UdpExchange(conversation, 10, 20)) packets.push_back(std::move(packet));
  }
  FlowTable table = FlowTable::Create().value();
  std::vector<FlowEvent> events;
  table.Add(DecodeAll(packets), events);

  std::vector<DecodedPacket> decoded(packets.size());
  const AllocationCount count;
  for (int round = 0; round < 20; ++round) {
    for (std::size_t i = 0; i < packets.size(); ++i) decoded[i] = Decode(packets[i].view());
    table.Add(decoded, events);
    table.AdvanceTo(At(std::chrono::seconds(1)), events);
  }
  EXPECT_EQ(count.allocations(), 0U);
  EXPECT_EQ(table.Stats().packets, 21'000U);
}

TEST(FlowTableAllocation, StatisticsOfKnownFlowsAllocateNothing) {
  std::vector<DecodedPacket> packets;
  DecodedPacket packet =
      DecodeAll({PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Tcp(1, 80).Build()})[0];
  const Bytes payload(100, 7);
  packet.payload = payload;
  packet.payload_bytes = 100;
  // Each way, with loss, repetition and reordering.
  for (std::uint32_t i = 0; i < 4000; ++i) {
    packet.source_port = static_cast<std::uint16_t>(i % 100);
    packet.tcp_sequence = (i * 7919 % 64) * 100;
    packet.tcp_window = static_cast<std::uint16_t>(i % 5);
    packets.push_back(packet);
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
    packets.push_back(packet);
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
  }
  FlowTable table =
      FlowTable::Create({.statistics = FlowStatisticsOptions{.entropy_bytes = 1000}}).value();
  std::vector<FlowEvent> events;
  const AllocationCount count;
  table.Add(packets, events);
  EXPECT_EQ(count.allocations(), 0U) << "not even for new flows";
  EXPECT_TRUE(table.EndAll(events));
  ASSERT_EQ(events.size(), 100U);
  EXPECT_GT(events[0].flow.statistics->forward.retransmissions, 0U);
  EXPECT_GT(events[0].flow.statistics->forward.out_of_order, 0U);
}

TEST(FlowTableAllocation, NewFlowsAllocateOnlyForTheirEvents) {
  FlowTable table = FlowTable::Create({.max_flows = 1000}).value();
  std::vector<FlowEvent> events;
  events.reserve(200'000);
  DecodedPacket packet =
      DecodeAll({PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build()})[0];
  const AllocationCount count;
  for (std::uint32_t i = 0; i < 100'000; ++i) {
    packet.source = IpAddress::V4(10, static_cast<std::uint8_t>(i >> 16),
                                  static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    table.Add({&packet, 1}, events);
  }
  EXPECT_EQ(count.allocations(), 0U);
  EXPECT_EQ(table.Stats().evicted, 99'000U);
}

}  // namespace
}  // namespace nta::test
