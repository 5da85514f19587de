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
