// From captured bytes to flows: once everything has been seen, no packet allocates.
#include <gtest/gtest.h>

#include "nta/flow/flow_table.h"
#include "pipeline/decode_stage.h"
#include "support/counting_allocator.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

std::vector<Packet> Traffic() {
  std::vector<Packet> packets;
  for (std::uint16_t port = 1; port <= 200; ++port) {
    const Conversation conversation{.client = {Ip("10.0.0.1"), port},
                                    .server = {Ip("10.0.0.2"), 80}};
    for (Packet& packet : TcpSession(conversation, 100, 1000)) packets.push_back(std::move(packet));
    for (Packet& packet : UdpExchange(conversation, 10, 20)) packets.push_back(std::move(packet));
  }
  for (const NamedPacket& kind : EveryKindOfPacket()) packets.push_back(kind.packet);
  return packets;
}

TEST(MeteringAllocation, PacketsOfKnownFlowsAllocateNothing) {
  const std::vector<Packet> packets = Traffic();
  std::vector<PacketView> views;
  for (const Packet& packet : packets) views.push_back(packet.view());
  for (const bool with_statistics : {false, true}) {
    PipelineOptions options;
    options.flow_table.active_timeout = std::chrono::hours(1);
    if (with_statistics) {
      options.flow_table.statistics = FlowStatisticsOptions{.entropy_bytes = 256};
    }
    internal::DecodeStage stage(options);
    FlowTable table = FlowTable::Create(options.flow_table).value();
    std::vector<FlowEvent> events;
    events.reserve(100'000);
    const auto meter = [&] {
      stage.Decode(views);
      table.Add(stage.counted(), stage.clocks(), events);
    };
    meter();
    meter();
    const std::uint64_t counted = table.Stats().packets;
    const std::size_t before = events.size();
    const AllocationCount count;
    // The handshakes come again: by rule each begins a new flow, whose record is closed first.
    // Those allocate; what they allocate is known.
    for (int round = 0; round < 10; ++round) meter();
    const std::size_t records = events.size() - before;
    const std::size_t for_records = with_statistics ? 2 * records : 0;  // numbers, first packets
    EXPECT_LE(count.allocations(), for_records) << records << " records";
    EXPECT_GT(table.Stats().packets, counted + 10 * 1800);
  }
}

}  // namespace
}  // namespace nta::test
