// What a table takes: as it says, and never more than its cap.
#include <gtest/gtest.h>

#include "nta/flow/flow_table.h"
#include "support/packet_builder.h"
#include "support/resident_memory.h"

namespace nta::test {
namespace {

constexpr std::size_t kMebibyte = std::size_t{1} << 20;

// Flow number `index`: packets forth and back, so that all parts of its statistics are needed.
void Talk(FlowTable& table, std::uint32_t index, int packets, Timestamp time,
          std::vector<FlowEvent>& events) {
  DecodedPacket packet;
  packet.time = time;
  packet.wire_bytes = 60;
  packet.ip_bytes = 46;
  packet.ip_version = 4;
  packet.protocol = kProtocolTcp;
  packet.has_ports = packet.has_tcp_header = true;
  packet.tcp_flags = kTcpAck;
  packet.payload_bytes = 6;
  packet.tcp_sequence = 1;  // all but the first repeat it
  packet.tcp_window = 100;
  const std::uint8_t payload[] = {1, 2, 3};
  packet.payload = payload;
  packet.source =
      IpAddress::V4(10, static_cast<std::uint8_t>(index >> 16),
                    static_cast<std::uint8_t>(index >> 8), static_cast<std::uint8_t>(index));
  packet.destination = IpAddress::V4(192, 0, 2, 1);
  packet.source_port = 5000;
  packet.destination_port = 443;
  for (int i = 0; i < packets; ++i) {
    table.Add({&packet, 1}, events);
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
  }
}

struct Case {
  FlowTableOptions options;
  int packets;
  std::string_view name;
};

class FlowTableMemory : public testing::TestWithParam<Case> {};

TEST_P(FlowTableMemory, StaysWithinTheCapUnderTenTimesAsManyFlows) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer's shadow memory counts as resident";
  FlowTableOptions options = GetParam().options;
  options.max_memory_bytes = 24 * kMebibyte;
  const std::size_t before = ResidentBytes();
  FlowTable table = FlowTable::Create(options).value();
  const std::size_t capacity = table.Stats().capacity;
  std::vector<FlowEvent> events;
  std::size_t most = 0;
  Timestamp time = At({});
  for (std::uint32_t index = 0; index < 10 * capacity; ++index) {
    Talk(table, index, GetParam().packets, time, events);
    time += Duration(1000);
    events.clear();
    if (index % 4096 == 0) most = std::max(most, ResidentBytes());
  }
  EXPECT_EQ(table.Stats().active, capacity);
  EXPECT_LE(table.Stats().memory_bytes, options.max_memory_bytes);
  EXPECT_LE(most, before + options.max_memory_bytes * 11 / 10 + 32 * kMebibyte);
}

TEST_P(FlowTableMemory, IsWhatStatsSay) {
  if (kIsSanitized) GTEST_SKIP() << "a sanitizer's shadow memory counts as resident";
  FlowTableOptions options = GetParam().options;
  // Large, so that whole pages do not matter; the index has 2 million buckets, of which half the
  // pages would stay untouched if it were not as full as this.
  options.max_flows = 500'000;
  const std::size_t before = ResidentBytes();
  FlowTable table = FlowTable::Create(options).value();
  std::vector<FlowEvent> events;
  for (std::uint32_t index = 0; index < options.max_flows; ++index) {
    Talk(table, index, GetParam().packets, At(Duration(index)), events);
  }
  ASSERT_TRUE(events.empty());
  const auto taken = static_cast<double>(ResidentBytes() - before);
  const auto stated = static_cast<double>(table.Stats().memory_bytes);
  EXPECT_NEAR(stated / taken, 1, 0.05) << GetParam().name << ": " << stated << " of " << taken;
}

INSTANTIATE_TEST_SUITE_P(
    Options, FlowTableMemory,
    testing::Values(Case{{}, 1, "plain"},
                    Case{{.statistics = FlowStatisticsOptions{}}, 1, "statistics"},
                    Case{{.statistics = FlowStatisticsOptions{}}, 6, "long"},
                    Case{{.statistics = FlowStatisticsOptions{.entropy_bytes = 64}}, 6, "entropy"}),
    [](const auto& parameters) { return std::string(parameters.param.name); });

TEST(FlowTableMemoryCap, LeavesRoomForFewerFlowsWithStatistics) {
  const auto capacity = [](FlowTableOptions options) {
    options.max_memory_bytes = 8 * kMebibyte;
    return FlowTable::Create(options).value().Stats().capacity;
  };
  const std::size_t plain = capacity({});
  const std::size_t with = capacity({.statistics = FlowStatisticsOptions{}});
  EXPECT_GT(plain, 40'000U);
  EXPECT_LT(with, plain / 3);
  EXPECT_GT(with, 8'000U);
  EXPECT_EQ(capacity({.max_flows = 10}), 10U);
}

}  // namespace
}  // namespace nta::test
