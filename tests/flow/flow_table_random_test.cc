// FlowTable against a plain reference on random traffic, and what must hold for any traffic.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "reference_meter.h"
#include "support/packet_builder.h"
#include "support/resident_memory.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// Few hosts and ports, so that flows meet again after all kinds of silence.
std::vector<DecodedPacket> RandomTraffic(std::uint64_t seed, std::size_t count) {
  std::mt19937_64 random(seed);
  std::vector<DecodedPacket> packets;
  Timestamp time = At({});
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t dice = random() % 1000;
    if (dice < 5) {
      time += milliseconds(random() % 30'000);
    } else if (dice < 600) {
      time += Duration(random() % 3'000'000);
    }
    DecodedPacket packet;
    packet.time = time;
    packet.ip_version = 4;
    packet.protocol = random() % 2 == 0   ? kProtocolTcp
                      : random() % 4 == 0 ? kProtocolGre
                      : random() % 4 == 0 ? kProtocolIcmp
                                          : kProtocolUdp;
    packet.source = IpAddress::V4(10, 0, 0, static_cast<std::uint8_t>(random() % 6));
    packet.destination = IpAddress::V4(10, 0, 0, static_cast<std::uint8_t>(random() % 6));
    packet.has_ports = packet.protocol != kProtocolGre && packet.protocol != kProtocolIcmp;
    if (packet.has_ports) {
      packet.source_port = static_cast<std::uint16_t>(random() % 6);
      packet.destination_port = static_cast<std::uint16_t>(random() % 6);
    }
    if (packet.protocol == kProtocolTcp) {
      constexpr std::uint8_t kFlags[] = {kTcpSyn,           kTcpSyn | kTcpAck, kTcpAck, kTcpAck,
                                         kTcpAck | kTcpPsh, kTcpFin | kTcpAck, kTcpRst, kTcpFin};
      packet.tcp_flags = kFlags[random() % 8];
    }
    if (packet.protocol == kProtocolIcmp) {
      constexpr std::uint8_t kTypes[] = {0, 3, 8, 13};
      packet.has_icmp = true;
      packet.icmp_type = kTypes[random() % 4];
      packet.icmp_code = static_cast<std::uint8_t>(random() % 4);
    }
    packet.wire_bytes = static_cast<std::uint32_t>(60 + random() % 1400);
    packet.ip_bytes = packet.wire_bytes - 14;
    if (random() % 2 == 0) packet.payload_bytes = packet.wire_bytes - 54;
    packet.has_vlan = random() % 10 == 0;
    packet.vlan = static_cast<std::uint16_t>(random() % 4096);
    packets.push_back(packet);
  }
  return packets;
}

auto Sorted(std::vector<FlowRecord> records) {
  const auto key = [](const FlowRecord& r) {
    return std::tuple(r.five_tuple(), r.first_seen, r.last_seen, r.packets(), r.end_reason);
  };
  std::sort(records.begin(), records.end(),
            [&](const FlowRecord& a, const FlowRecord& b) { return key(a) < key(b); });
  return records;
}

// How packets reach the table.
struct Feeding {
  std::uint64_t hash_seed = 1;
  std::size_t burst = 1;
  bool advances_between = false;
};

std::vector<FlowRecord> Measure(FlowTableOptions options, const std::vector<DecodedPacket>& packets,
                                const Feeding& feeding) {
  options.hash_seed = feeding.hash_seed;
  FlowTable table = FlowTable::Create(options).value();
  std::vector<FlowEvent> events;
  std::mt19937_64 random(feeding.hash_seed);
  for (std::size_t i = 0; i < packets.size();) {
    const std::size_t count = std::min(packets.size() - i, 1 + random() % feeding.burst);
    table.Add(std::span(packets).subspan(i, count), events);
    i += count;
    if (feeding.advances_between && i < packets.size() && random() % 3 == 0) {
      const Duration gap = packets[i].time - packets[i - 1].time;
      table.AdvanceTo(
          packets[i - 1].time + Duration(gap.count() * static_cast<int>(random() % 5) / 4), events);
    }
  }
  while (!table.EndAll(events)) {
  }
  const FlowTableStats stats = table.Stats();
  EXPECT_EQ(stats.started, stats.ended);
  EXPECT_EQ(stats.ended, events.size());
  EXPECT_EQ(stats.packets, packets.size());
  EXPECT_EQ(stats.ended, stats.ended_idle + stats.ended_active + stats.ended_tcp +
                             stats.ended_forced + stats.evicted);
  std::vector<FlowRecord> records;
  for (const FlowEvent& event : events) records.push_back(event.flow);
  return records;
}

TEST(FlowTableReference, ReportsTheSameRecordsHoweverItIsFed) {
  const FlowTableOptions variants[] = {
      {},
      {.idle_timeout = seconds(5), .active_timeout = seconds(20)},
      {.idle_timeout = seconds(20), .active_timeout = seconds(5), .closed_timeout = seconds(10)},
      {.idle_timeout = milliseconds(100),
       .active_timeout = milliseconds(100),
       .closed_timeout = milliseconds(1)},
      {.idle_timeout = seconds(2), .active_timeout = seconds(86400)},
  };
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    const std::vector<DecodedPacket> packets = RandomTraffic(seed, 8'000);
    for (const FlowTableOptions& options : variants) {
      ReferenceMeter reference(options);
      for (const DecodedPacket& packet : packets) reference.Add(packet);
      const std::vector<FlowRecord> expected = Sorted(reference.End(packets.back().time));
      for (const Feeding& feeding :
           {Feeding{1, 1, false}, Feeding{2, 300, false}, Feeding{3, 7, true}}) {
        const std::vector<FlowRecord> actual = Sorted(Measure(options, packets, feeding));
        ASSERT_EQ(actual.size(), expected.size())
            << "traffic " << seed << ", idle " << options.idle_timeout.count() << ", burst "
            << feeding.burst;
        for (std::size_t i = 0; i < actual.size(); ++i) {
          ASSERT_EQ(actual[i], expected[i])
              << "traffic " << seed << ", idle " << options.idle_timeout.count() << ", burst "
              << feeding.burst << ": " << actual[i].five_tuple().ToString() << ' '
              << ToString(actual[i].end_reason) << " at " << ToString(actual[i].last_seen)
              << ", expected " << ToString(expected[i].end_reason);
        }
      }
    }
  }
}

TEST(FlowTableReference, OrderOfEventsDoesNotDependOnTheSeed) {
  const std::vector<DecodedPacket> packets = RandomTraffic(9, 20'000);
  const FlowTableOptions options{.idle_timeout = seconds(1), .max_flows = 50};
  const auto records = Measure(options, packets, {1, 1, false});
  EXPECT_GT(records.size(), 1000U);
  for (const std::uint64_t seed : {2U, 3U, 4U}) {
    EXPECT_EQ(Measure(options, packets, {seed, 1, false}), records);
  }
}

TEST(FlowTableProperty, EveryStartedFlowEndsOnceAndNoPacketIsLostWhateverTheTimes) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    std::vector<DecodedPacket> packets = RandomTraffic(seed, 10'000);
    std::mt19937_64 random(seed);
    for (DecodedPacket& packet : packets) {
      switch (random() % 200) {
        case 0:
          packet.time += std::chrono::years(10);
          break;
        case 1:
          packet.time -= std::chrono::years(10);
          break;
        case 2:
          packet.time = Timestamp(Duration(static_cast<std::int64_t>(random())));
          break;
        default:
          packet.time += milliseconds(random() % 5000);
      }
    }
    for (const std::size_t max_flows : {1U, 3U, 64U, 100'000U}) {
      FlowTable table = FlowTable::Create({.idle_timeout = seconds(3),
                                           .max_flows = max_flows,
                                           .events = FlowEventSelection::kAll})
                            .value();
      std::vector<FlowEvent> events;
      table.Add(packets, events);
      while (!table.EndAll(events)) {
      }
      std::uint64_t starts = 0;
      std::uint64_t ends = 0;
      FlowDirection sum;
      for (const FlowEvent& event : events) {
        if (event.type == FlowEventType::kStarted) ++starts;
        if (!event.closes_record()) continue;
        ++ends;
        EXPECT_GE(event.flow.last_seen, event.flow.first_seen);
        EXPECT_NE(event.flow.end_reason, FlowEndReason::kNone);
        EXPECT_GT(event.flow.packets(), 0U);
        sum.packets += event.flow.packets();
        sum.wire_bytes += event.flow.wire_bytes();
      }
      EXPECT_EQ(starts, ends);
      EXPECT_EQ(sum.packets, packets.size());
      std::uint64_t wire_bytes = 0;
      for (const DecodedPacket& packet : packets) wire_bytes += packet.wire_bytes;
      EXPECT_EQ(sum.wire_bytes, wire_bytes);
      EXPECT_EQ(table.Stats().active, 0U);
      EXPECT_EQ(table.Stats().ended, ends);
    }
  }
}

TEST(FlowTableFlood, EstablishedFlowsSurviveTenTimesTheCapacity) {
  constexpr std::size_t kCap = 20'000;
  constexpr std::uint32_t kEstablished = 1000;
  const std::size_t before = ResidentBytes();
  FlowTable table = FlowTable::Create({.max_flows = kCap}).value();
  std::vector<FlowEvent> events;
  const auto packet = [](std::uint32_t host, Timestamp time, std::uint8_t first = 10) {
    DecodedPacket decoded;
    decoded.time = time;
    decoded.wire_bytes = 60;
    decoded.ip_version = 4;
    decoded.protocol = kProtocolTcp;
    decoded.has_ports = true;
    decoded.tcp_flags = kTcpAck;
    decoded.source =
        IpAddress::V4(first, static_cast<std::uint8_t>(host >> 16),
                      static_cast<std::uint8_t>(host >> 8), static_cast<std::uint8_t>(host));
    decoded.destination = IpAddress::V4(192, 0, 2, 1);
    decoded.source_port = 5000;
    decoded.destination_port = 443;
    return decoded;
  };
  const auto talk = [&](std::uint32_t host, Timestamp time) {
    DecodedPacket pair[2] = {packet(host, time, 172), packet(host, time, 172)};
    std::swap(pair[1].source, pair[1].destination);
    std::swap(pair[1].source_port, pair[1].destination_port);
    table.Add(pair, events);
  };
  Timestamp time = At({});
  for (std::uint32_t host = 0; host < kEstablished; ++host) talk(host, time);
  std::uint32_t attacker = 0;
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < kCap; ++i) {
      DecodedPacket syn = packet(attacker++, time);
      syn.tcp_flags = kTcpSyn;
      table.Add({&syn, 1}, events);
      time += Duration(20'000);
    }
    // One host speaks rarely: once in all.
    for (std::uint32_t host = 1; host < kEstablished; ++host) talk(host, time);
    for (const FlowEvent& event : events) ASSERT_NE(event.flow.source.address.bytes()[0], 172);
    events.clear();
  }
  talk(0, time);
  const FlowTableStats stats = table.Stats();
  EXPECT_EQ(stats.active, kCap);
  EXPECT_EQ(stats.evicted_answered, 0U);
  EXPECT_EQ(stats.evicted, kCap * kRounds + kEstablished - kCap);
  EXPECT_LE(stats.memory_bytes, kCap * 200);
  // 128 bytes an entry, 18 of links, an index of 2^17 buckets; the rest is the events of one round.
  const std::size_t events_bytes = events.capacity() * sizeof(FlowEvent);
  if (!kIsSanitized) {
    EXPECT_LE(ResidentBytes(),
              before + stats.memory_bytes * 11 / 10 + events_bytes + (std::size_t{32} << 20));
  }
  while (!table.EndAll(events)) {
  }
  std::size_t established = 0;
  for (const FlowEvent& event : events) {
    if (event.flow.source.address.bytes()[0] != 172) continue;
    ++established;
    const bool is_quiet = event.flow.source.address == packet(0, time, 172).source;
    EXPECT_EQ(event.flow.forward.packets, is_quiet ? 2U : 1U + kRounds);
    EXPECT_EQ(event.flow.reverse.packets, is_quiet ? 2U : 1U + kRounds);
  }
  EXPECT_EQ(established, kEstablished);
}

}  // namespace
}  // namespace nta::test
