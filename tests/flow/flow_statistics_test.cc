// What a FlowTable with statistics says of flows; docs/flow_features.md has the definitions.
#include "nta/flow/flow_statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "flow/moments.h"
#include "nta/flow/flow_table.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kClient = "10.0.0.1";
constexpr std::string_view kServer = "10.0.0.2";

PacketBuilder Client(Duration time, Ipv4Fields ip = {}) {
  return std::move(PacketBuilder().Time(At(time)).Ethernet().Ipv4(kClient, kServer, ip));
}
PacketBuilder Server(Duration time, Ipv4Fields ip = {}) {
  return std::move(PacketBuilder()
                       .Time(At(time))
                       .Ethernet("02:00:00:00:00:02", "02:00:00:00:00:01")
                       .Ipv4(kServer, kClient, ip));
}
Packet FromClient(Duration time, TcpFields tcp, std::size_t payload = 0) {
  return Client(time).Tcp(50000, 80, std::move(tcp)).Payload(payload).Build();
}
Packet FromServer(Duration time, TcpFields tcp, std::size_t payload = 0) {
  return Server(time).Tcp(80, 50000, std::move(tcp)).Payload(payload).Build();
}

std::vector<FlowRecord> Records(const std::vector<Packet>& packets, FlowTableOptions options = {}) {
  if (!options.statistics) options.statistics.emplace();
  FlowTable table = FlowTable::Create(options).value();
  std::vector<FlowEvent> events;
  table.Add(DecodeAll(packets), events);
  table.EndAll(events);
  std::vector<FlowRecord> records;
  for (const FlowEvent& event : events) {
    if (event.closes_record()) records.push_back(event.flow);
  }
  return records;
}

FlowStatistics Statistics(const std::vector<Packet>& packets, FlowTableOptions options = {}) {
  const std::vector<FlowRecord> records = Records(packets, options);
  EXPECT_EQ(records.size(), 1U);
  EXPECT_NE(records.at(0).statistics, nullptr);
  return *records.at(0).statistics;
}

TEST(FlowStatistics, AreAbsentUnlessAskedFor) {
  FlowTable table = FlowTable::Create().value();
  std::vector<FlowEvent> events;
  table.Add(DecodeAll({Client({}).Udp(1, 2).Build()}), events);
  table.EndAll(events);
  EXPECT_EQ(events.at(0).flow.statistics, nullptr);
}

TEST(FlowStatistics, LengthsAndGapsOfEachDirection) {
  const FlowStatistics statistics = Statistics({
      Client(milliseconds(0)).Udp(1000, 53).Payload(10).Build(),
      Server(milliseconds(2)).Udp(53, 1000).Payload(100).Build(),
      Client(milliseconds(10)).Udp(1000, 53).Payload(30).Build(),
      Client(milliseconds(16)).Udp(1000, 53).Payload(20).Build(),
  });
  EXPECT_EQ(statistics.forward.ip_length,
            (Moments{3, 38, 58, 48, std::sqrt((100.0 + 100.0) * 3) / 3}));
  EXPECT_EQ(statistics.reverse.ip_length, (Moments{1, 128, 128, 128, 0}));
  EXPECT_EQ(statistics.forward.inter_arrival, (Moments{2, 6'000'000, 10'000'000, 8e6, 2e6}));
  EXPECT_EQ(statistics.reverse.inter_arrival, Moments{});
  EXPECT_EQ(statistics.inter_arrival.count, 3U);
  EXPECT_EQ(statistics.inter_arrival.minimum, 2'000'000U);
  EXPECT_EQ(statistics.inter_arrival.maximum, 8'000'000U);
  EXPECT_EQ(statistics.forward.retransmissions + statistics.forward.out_of_order, 0U);
}

TEST(FlowStatistics, TimeThatRunsBackwardsIsAGapOfZero) {
  const FlowStatistics statistics = Statistics({
      Client(milliseconds(10)).Udp(1, 2).Build(),
      Client(milliseconds(4)).Udp(1, 2).Build(),
      Client(milliseconds(7)).Udp(1, 2).Build(),
  });
  EXPECT_EQ(statistics.forward.inter_arrival.minimum, 0U);
  EXPECT_EQ(statistics.forward.inter_arrival.maximum, 3'000'000U);
  ASSERT_EQ(statistics.first_packets.size(), 3U);
  EXPECT_EQ(statistics.first_packets[0].offset, milliseconds(6)) << "first_seen is the earliest";
  EXPECT_EQ(statistics.first_packets[1].offset, milliseconds(0));
}

TEST(FlowStatistics, FirstPacketsAreKeptUpToTheNumberAskedFor) {
  std::vector<Packet> packets;
  for (int i = 0; i < 30; ++i) {
    packets.push_back(
        i % 3 == 0
            ? Server(milliseconds(i)).Udp(53, 9).Payload(static_cast<std::size_t>(i)).Build()
            : Client(milliseconds(i)).Udp(9, 53).Payload(static_cast<std::size_t>(i)).Build());
  }
  for (const std::size_t count : {0U, 1U, 4U, 5U, 16U, 255U}) {
    const FlowStatistics statistics =
        Statistics(packets, {.statistics = FlowStatisticsOptions{.first_packets = count}});
    ASSERT_EQ(statistics.first_packets.size(), std::min<std::size_t>(count, 30));
    for (std::size_t i = 0; i < statistics.first_packets.size(); ++i) {
      const PacketSample expected{.offset = milliseconds(i),
                                  .ip_bytes = static_cast<std::uint32_t>(28 + i),
                                  .payload_bytes = static_cast<std::uint32_t>(i),
                                  .is_forward = i % 3 == 0};
      EXPECT_EQ(statistics.first_packets[i], expected) << i << " of " << count;
    }
  }
}

TEST(FlowStatistics, HandshakeRoundTripsAndMacAddresses) {
  const FlowStatistics statistics = Statistics({
      FromClient(milliseconds(0), {.flags = kTcpSyn, .sequence = 100}),
      FromServer(milliseconds(30),
                 {.flags = kTcpSyn | kTcpAck, .sequence = 900, .acknowledgment = 101}),
      FromClient(milliseconds(31), {.sequence = 101, .acknowledgment = 901}),
      FromClient(milliseconds(90), {.sequence = 101, .acknowledgment = 901}, 10),
  });
  EXPECT_EQ(statistics.destination_round_trip, Duration(milliseconds(30)));
  EXPECT_EQ(statistics.source_round_trip, Duration(milliseconds(1)));
  EXPECT_EQ(statistics.source_mac, Mac("02:00:00:00:00:01"));
  EXPECT_EQ(statistics.destination_mac, Mac("02:00:00:00:00:02"));
}

TEST(FlowStatistics, RepeatedSynsAndSynAcksCountFromTheLatest) {
  const FlowStatistics statistics = Statistics({
      FromClient(seconds(0), {.flags = kTcpSyn, .sequence = 100}),
      FromClient(seconds(1), {.flags = kTcpSyn, .sequence = 100}),
      FromServer(milliseconds(1030),
                 {.flags = kTcpSyn | kTcpAck, .sequence = 900, .acknowledgment = 101}),
      FromServer(milliseconds(2000),
                 {.flags = kTcpSyn | kTcpAck, .sequence = 900, .acknowledgment = 101}),
      FromClient(milliseconds(2004), {.sequence = 101, .acknowledgment = 901}),
  });
  EXPECT_EQ(statistics.destination_round_trip, Duration(milliseconds(30)));
  EXPECT_EQ(statistics.source_round_trip, Duration(milliseconds(4)));
  EXPECT_EQ(statistics.forward.retransmissions, 1U);
  EXPECT_EQ(statistics.reverse.retransmissions, 1U);
}

TEST(FlowStatistics, AnswerToAnotherSynIsNoRoundTrip) {
  const FlowStatistics statistics = Statistics({
      FromClient(seconds(0), {.flags = kTcpSyn, .sequence = 100}),
      FromServer(seconds(1), {.flags = kTcpSyn | kTcpAck, .sequence = 900, .acknowledgment = 77}),
      FromClient(seconds(2), {.sequence = 101, .acknowledgment = 901}),
  });
  EXPECT_EQ(statistics.destination_round_trip, std::nullopt);
  EXPECT_EQ(statistics.source_round_trip, std::nullopt);
}

TEST(FlowStatistics, RetransmissionsReorderingZeroWindowsAndResets) {
  const FlowStatistics statistics = Statistics({
      FromClient(milliseconds(0), {.sequence = 1000}, 100),
      FromClient(milliseconds(1), {.sequence = 1200}, 100),
      FromClient(milliseconds(2), {.sequence = 1100}, 100),  // late
      FromClient(milliseconds(3), {.sequence = 1000}, 100),  // again
      FromServer(milliseconds(4), {.sequence = 5, .acknowledgment = 1300, .window = 0}),
      FromClient(milliseconds(5), {.sequence = 1299}),  // keep-alive
      FromServer(milliseconds(6), {.flags = kTcpAck | kTcpFin, .sequence = 5, .window = 0}),
      FromServer(milliseconds(7), {.flags = kTcpAck | kTcpFin, .sequence = 5, .window = 0}),
      FromServer(milliseconds(8), {.flags = kTcpRst, .sequence = 0, .window = 0}),
  });
  EXPECT_EQ(statistics.forward.out_of_order, 1U);
  EXPECT_EQ(statistics.forward.retransmissions, 1U);
  EXPECT_EQ(statistics.forward.zero_windows, 0U);
  EXPECT_EQ(statistics.reverse.zero_windows, 1U);
  EXPECT_EQ(statistics.reverse.retransmissions, 1U) << "FIN takes one number";
  EXPECT_EQ(statistics.reverse.resets, 1U);
}

TEST(FlowStatistics, CutHeadersSayNothingOfWindowsAndNumbers) {
  std::vector<Packet> packets;
  for (int i = 0; i < 3; ++i) packets.push_back(FromClient(milliseconds(i), {.sequence = 7}, 50));
  for (Packet& packet : packets) packet = Cut(packet, 14 + 20 + 15);
  const FlowStatistics statistics = Statistics(packets);
  EXPECT_EQ(statistics.forward.zero_windows, 0U);
  EXPECT_EQ(statistics.forward.retransmissions, 0U);
  EXPECT_EQ(statistics.forward.ip_length.count, 3U);
}

TEST(FlowStatistics, FragmentsHopLimitsAndDscp) {
  const FlowStatistics statistics = Statistics({
      Client(milliseconds(0), {.tos = 0xb9, .ttl = 60}).Udp(1, 2).Build(),
      Client(milliseconds(1), {.tos = 0, .ttl = 64, .more_fragments = true}).Udp(1, 2, 600).Build(),
      Client(milliseconds(2), {.ttl = 62}).Udp(1, 2).Build(),
  });
  EXPECT_EQ(statistics.forward.hop_limit_minimum, 60);
  EXPECT_EQ(statistics.forward.hop_limit_maximum, 64);
  EXPECT_EQ(statistics.forward.dscp, 46);
  EXPECT_EQ(statistics.forward.fragments, 1U);
  EXPECT_EQ(statistics.reverse.hop_limit_maximum, 0);
}

TEST(FlowStatistics, EntropyOfTheFirstPayloadBytes) {
  const auto entropy = [](std::size_t bytes, const Bytes& payload) {
    return Statistics({Client({}).Udp(1, 2).Payload(payload).Build()},
                      {.statistics = FlowStatisticsOptions{.entropy_bytes = bytes}})
        .forward.payload_entropy;
  };
  EXPECT_EQ(entropy(64, {}), std::nullopt);
  EXPECT_EQ(entropy(0, {1, 2}), std::nullopt);
  EXPECT_EQ(entropy(64, {7, 7, 7, 7}), 0.0);
  EXPECT_EQ(entropy(64, {1, 2, 3, 4}), 2.0);
  EXPECT_EQ(entropy(2, {1, 2, 3, 4}), 1.0) << "the first two";
}

TEST(FlowStatistics, EachRecordOfALongFlowHasItsOwnButTcpIsRemembered) {
  std::vector<Packet> packets = {
      FromClient(seconds(0), {.flags = kTcpSyn, .sequence = 100}),
      FromServer(seconds(1), {.flags = kTcpSyn | kTcpAck, .sequence = 900, .acknowledgment = 101}),
      FromClient(seconds(2), {.sequence = 101, .acknowledgment = 901}),
      FromClient(seconds(3), {.sequence = 101, .acknowledgment = 901}, 10),
      FromClient(seconds(12), {.sequence = 101, .acknowledgment = 901}, 10),
      FromClient(seconds(13), {.sequence = 111, .acknowledgment = 901}, 10),
  };
  const auto records = Records(packets, {.active_timeout = seconds(10)});
  ASSERT_EQ(records.size(), 2U);
  const FlowStatistics& second = *records[1].statistics;
  EXPECT_EQ(second.forward.ip_length.count, 2U);
  EXPECT_EQ(second.inter_arrival.count, 1U);
  EXPECT_EQ(second.forward.retransmissions, 1U) << "of a byte of the record before";
  EXPECT_EQ(second.destination_round_trip, Duration(seconds(1)));
  EXPECT_EQ(second.source_round_trip, Duration(seconds(1)));
  ASSERT_EQ(second.first_packets.size(), 2U);
  EXPECT_EQ(second.first_packets[0].offset, Duration{});
  EXPECT_EQ(second.source_mac, Mac("02:00:00:00:00:01"));
}

TEST(FlowStatistics, FollowTheDirectionThatASynAckMends) {
  const auto records = Records({
      FromServer(milliseconds(0), {.sequence = 900, .window = 0}),  // of a connection before
      FromServer(milliseconds(1),
                 {.flags = kTcpSyn | kTcpAck, .sequence = 4000, .acknowledgment = 101}),
      FromClient(milliseconds(3), {.sequence = 101, .acknowledgment = 4001}),
      FromServer(milliseconds(4), {.sequence = 4001}, 20),
      FromServer(milliseconds(5), {.sequence = 4001}, 20),
  });
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].source, (Endpoint{Ip(kClient), 50000}));
  EXPECT_EQ(records[0].forward.packets, 1U);
  const FlowStatistics& statistics = *records[0].statistics;
  EXPECT_EQ(statistics.reverse.ip_length.count, 4U);
  EXPECT_EQ(statistics.forward.ip_length.count, 1U);
  EXPECT_EQ(statistics.reverse.zero_windows, 1U);
  EXPECT_EQ(statistics.reverse.retransmissions, 1U);
  EXPECT_EQ(statistics.source_mac, Mac("02:00:00:00:00:01"));
  EXPECT_FALSE(statistics.first_packets.at(0).is_forward);
  EXPECT_TRUE(statistics.first_packets.at(2).is_forward);
}

TEST(FlowStatistics, SlotsAreCleanWhenAnotherFlowTakesThem) {
  FlowTableOptions options{.max_flows = 1, .statistics = FlowStatisticsOptions{.entropy_bytes = 9}};
  std::vector<Packet> packets;
  for (int i = 0; i < 20; ++i) {
    packets.push_back(FromClient(milliseconds(i), {.sequence = 1000, .window = 0}, 50));
    packets.push_back(FromServer(milliseconds(i), {.sequence = 1000, .window = 0}, 50));
  }
  packets.push_back(Client(seconds(1)).Udp(1, 2).Build());
  const auto records = Records(packets, options);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(records[0].statistics->forward.zero_windows, 20U);
  FlowTableOptions alone{.statistics = options.statistics};
  EXPECT_EQ(*records[1].statistics, Statistics({Client(seconds(1)).Udp(1, 2).Build()}, alone));
}

TEST(Moments, AgreeWithPlainSumsOfRandomNumbers) {
  std::mt19937_64 random(3);
  for (int round = 0; round < 200; ++round) {
    internal::MomentSums<std::uint64_t> sums;
    sums.Clear();
    const int count = 1 + static_cast<int>(random() % 50);
    const int shift = static_cast<int>(16 + random() % 44);
    std::vector<long double> numbers;
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = random() >> shift;
      sums.Add(number);
      numbers.push_back(static_cast<long double>(number));
    }
    long double mean = 0;
    for (const long double number : numbers) mean += number / count;
    long double variance = 0;
    for (const long double number : numbers) variance += (number - mean) * (number - mean) / count;
    const Moments moments = sums.ToMoments(static_cast<std::uint64_t>(count));
    EXPECT_NEAR(moments.mean, static_cast<double>(mean), moments.mean * 1e-14);
    const auto deviation = static_cast<double>(std::sqrt(variance));
    EXPECT_NEAR(moments.deviation, deviation, deviation * 1e-12);
  }
}

TEST(Moments, ToDoubleRoundsToTheNearest) {
  constexpr std::uint64_t kTop = std::uint64_t{1} << 63;
  EXPECT_EQ(internal::ToDouble(0, 0, 12345), 12345.0);
  EXPECT_EQ(internal::ToDouble(0, 1, 0), std::ldexp(1.0, 64));
  EXPECT_EQ(internal::ToDouble(0, kTop, 0), std::ldexp(1.0, 127));
  EXPECT_EQ(internal::ToDouble(1, 0, 0), std::ldexp(1.0, 128));
  // A tie, and a hair more than a tie.
  const std::uint64_t tie = kTop | std::uint64_t{1} << 10;
  EXPECT_EQ(internal::ToDouble(tie, 0, 0), std::ldexp(1.0, 191));
  EXPECT_EQ(internal::ToDouble(tie, 0, 1),
            std::ldexp(static_cast<double>(kTop | std::uint64_t{1} << 11), 128));
}

}  // namespace
}  // namespace nta::test
