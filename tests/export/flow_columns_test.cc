#include "nta/export/flow_columns.h"

#include <gtest/gtest.h>

#include <random>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

TEST(FlowColumns, EveryFieldComesBack) {
  std::mt19937_64 random(3);
  FlowColumns columns;
  std::vector<FlowRecord> flows;
  for (int i = 0; i < 500; ++i) {
    FlowRecord flow;
    flow.first_seen = Timestamp(Duration(static_cast<std::int64_t>(random())));
    flow.last_seen = Timestamp(Duration(static_cast<std::int64_t>(random())));
    flow.protocol = static_cast<std::uint8_t>(random());
    flow.source = {i % 2 == 0 ? Ip("10.1.2.3") : Ip("2001:db8::7"),
                   static_cast<std::uint16_t>(random())};
    flow.destination = {i % 2 == 0 ? Ip("0.0.0.0") : Ip("::ffff:10.1.2.3"),
                        static_cast<std::uint16_t>(random())};
    if (i % 3 == 0) flow.vlan = static_cast<std::uint16_t>(random() % 4096);
    if (i % 33 == 0) flow.vlan = 0;
    for (FlowDirection* direction : {&flow.forward, &flow.reverse}) {
      *direction = {random(), random(), random(), random(), static_cast<std::uint8_t>(random())};
    }
    flow.outcome = static_cast<ContactOutcome>(i % 5);
    flow.end_reason = static_cast<FlowEndReason>(i % 6);
    flow.tcp_state = static_cast<TcpState>(i % 8);
    if (i % 4 == 1) flow.icmp = IcmpMessage{static_cast<std::uint8_t>(random()), 255};
    flow.application = static_cast<Application>(i % 66);
    flow.category = static_cast<ApplicationCategory>(i % 22);
    flow.evidence = static_cast<ApplicationEvidence>(i % 4);
    if (i > 100 && i % 5 == 0) {
      FlowMetadata metadata;
      metadata.Set(MetadataField::kServerName, std::to_string(i));
      flow.metadata = std::make_shared<FlowMetadata>(metadata);
    }
    if (i > 200 && i % 2 == 0) {
      FlowStatistics statistics;
      statistics.reverse.retransmissions = random();
      statistics.first_packets.resize(static_cast<std::size_t>(i % 16));
      flow.statistics = std::make_shared<FlowStatistics>(statistics);
    }
    flows.push_back(flow);
    columns.Append(flow);
  }
  ASSERT_EQ(columns.size(), flows.size());
  for (std::size_t i = 0; i < flows.size(); ++i) EXPECT_EQ(columns.Row(i), flows[i]) << i;
}

TEST(FlowColumns, KeepIpv4AsMappedAddresses) {
  FlowColumns columns;
  FlowRecord flow;
  flow.source.address = Ip("192.0.2.1");
  columns.Append(flow);
  const std::array<std::uint8_t, 16> expected{0, 0, 0,    0,    0,   0, 0, 0,
                                              0, 0, 0xff, 0xff, 192, 0, 2, 1};
  EXPECT_EQ(columns.source_address[0], expected);
  EXPECT_EQ(columns.ip_version[0], 4);
  EXPECT_EQ(columns.vlan[0], -1);
}

TEST(FlowColumns, HaveStatisticsOnceAFlowHasOrTheyAreWanted) {
  FlowColumns columns;
  columns.Append({});
  EXPECT_TRUE(columns.statistics_columns.integers.empty());
  FlowRecord flow;
  FlowStatistics statistics;
  statistics.forward.ip_length.minimum = 7;
  statistics.reverse.ip_length.mean = 1.5;
  statistics.source_round_trip = Duration(9);
  flow.statistics = std::make_shared<FlowStatistics>(statistics);
  columns.Append(flow);
  columns.Append({});
  const auto column = [&](const auto& all, std::string_view name) {
    for (const auto& one : all) {
      if (one.name == name) return one.values;
    }
    return decltype(all[0].values){};
  };
  const auto& integers = columns.statistics_columns.integers;
  EXPECT_EQ(column(integers, "forward_ip_length_minimum"), (std::vector<std::int64_t>{0, 7, 0}));
  EXPECT_EQ(column(integers, "source_round_trip"), (std::vector<std::int64_t>{-1, 9, -1}));
  EXPECT_EQ(column(columns.statistics_columns.numbers, "reverse_ip_length_mean"),
            (std::vector<double>{0, 1.5, 0}));
  for (const auto& one : integers) EXPECT_EQ(one.values.size(), 3U) << one.name;
  FlowColumns wanted;
  wanted.EnableStatistics();
  EXPECT_EQ(wanted.statistics_columns.integers.size(), integers.size());
}

TEST(FlowColumns, CountTheirMemory) {
  FlowColumns columns;
  EXPECT_EQ(columns.memory_bytes(), 0U);
  columns.Reserve(1000);
  EXPECT_EQ(columns.size(), 0U);
  const std::size_t reserved = columns.memory_bytes();
  EXPECT_GE(reserved, 1000U * 100);
  for (int i = 0; i < 1000; ++i) columns.Append({});
  EXPECT_EQ(columns.memory_bytes(), reserved) << "what was reserved is enough";
}

}  // namespace
}  // namespace nta::test
