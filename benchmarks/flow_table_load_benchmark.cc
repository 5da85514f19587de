// What a packet costs as the table fills, what growing costs, and how long the longest pause is.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <vector>

#include "nta/flow/flow_table.h"

namespace nta::bench {
namespace {

constexpr std::size_t kCapacity = 1'000'000;
constexpr std::size_t kBurst = 256;

// An established TCP flow of its own for each number.
DecodedPacket PacketOf(std::uint32_t flow, bool is_forward, Timestamp time) {
  DecodedPacket packet;
  packet.time = time;
  packet.wire_bytes = 60;
  packet.ip_version = 4;
  packet.ip_bytes = 46;
  packet.protocol = kProtocolTcp;
  packet.has_ports = true;
  packet.tcp_flags = kTcpAck;
  packet.source =
      IpAddress::V4(10, static_cast<std::uint8_t>(flow >> 16), static_cast<std::uint8_t>(flow >> 8),
                    static_cast<std::uint8_t>(flow));
  packet.destination = IpAddress::V4(192, 0, 2, 1);
  packet.source_port = 40'000;
  packet.destination_port = 443;
  if (!is_forward) {
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
  }
  return packet;
}

Timestamp At(std::int64_t nanoseconds) { return Timestamp(Duration(nanoseconds)); }

void Fill(FlowTable& table, std::size_t flows, std::vector<FlowEvent>& events) {
  for (std::uint32_t flow = 0; flow < flows; ++flow) {
    const DecodedPacket both[] = {PacketOf(flow, true, At(flow)), PacketOf(flow, false, At(flow))};
    table.Add(both, events);
  }
}

// Packets of flows that are there, in random order: the same number of flows talks at every load,
// so that only the table's load differs.
void BM_PacketAtLoad(benchmark::State& state) {
  const auto percent = static_cast<std::size_t>(state.range(0));
  FlowTable table = FlowTable::Create({.max_flows = kCapacity}).value();
  std::vector<FlowEvent> events;
  Fill(table, kCapacity * percent / 100, events);
  std::mt19937_64 random(1);
  std::vector<DecodedPacket> packets;
  for (std::size_t i = 0; i < 200'000; ++i) {
    const auto flow = static_cast<std::uint32_t>(random() % (kCapacity / 10));
    packets.push_back(PacketOf(flow, random() % 2 == 0, At(2'000'000)));
  }
  for (auto _ : state) {
    for (std::size_t i = 0; i < packets.size(); i += kBurst) {
      table.Add(std::span(packets).subspan(i, std::min(kBurst, packets.size() - i)), events);
    }
  }
  if (!events.empty()) state.SkipWithError("a flow ended");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

// A flood into a full table: each packet evicts one flow.
void BM_FloodAtCapacity(benchmark::State& state) {
  FlowTable table = FlowTable::Create({.max_flows = kCapacity}).value();
  std::vector<FlowEvent> events;
  std::uint32_t next = 0;
  std::vector<DecodedPacket> packets(kBurst);
  const auto flood = [&](std::size_t bursts) {
    for (std::size_t burst = 0; burst < bursts; ++burst) {
      for (DecodedPacket& packet : packets) {
        packet = PacketOf(next & 0xffffff, true, At(next));
        packet.source_port = static_cast<std::uint16_t>(next >> 24);
        ++next;
      }
      table.Add(packets, events);
      events.clear();
    }
  };
  flood(kCapacity / kBurst + 1);
  for (auto _ : state) flood(100);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 100 * kBurst));
}

// A million flows from an empty table (0), and in one whose memory was touched before (1).
void BM_Growth(benchmark::State& state) {
  std::vector<FlowEvent> events;
  for (auto _ : state) {
    state.PauseTiming();
    FlowTable table = FlowTable::Create({.max_flows = kCapacity}).value();
    if (state.range(0) == 1) {
      Fill(table, kCapacity, events);
      while (!table.EndAll(events)) events.clear();
    }
    events.clear();
    state.ResumeTiming();
    Fill(table, kCapacity, events);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * 2 * kCapacity));
}

// A million flows fall due at once: the longest call for one packet, and the longest AdvanceTo.
void BM_LongestPause(benchmark::State& state) {
  double packet_us = 0;
  double advance_us = 0;
  const auto micros = [](auto since) {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - since)
        .count();
  };
  for (auto _ : state) {
    FlowTable table = FlowTable::Create({.max_flows = kCapacity}).value();
    std::vector<FlowEvent> events;
    Fill(table, kCapacity, events);
    events.reserve(FlowTable::kMaxEndedPerCall);
    const Timestamp late = At(0) + std::chrono::hours(1);
    for (std::uint32_t i = 0; i < 1000; ++i) {
      const DecodedPacket packet = PacketOf(i, true, late);
      const auto start = std::chrono::steady_clock::now();
      table.Add({&packet, 1}, events);
      packet_us = std::max(packet_us, micros(start));
      events.clear();
    }
    for (bool done = false; !done;) {
      const auto start = std::chrono::steady_clock::now();
      done = table.AdvanceTo(late, events);
      advance_us = std::max(advance_us, micros(start));
      events.clear();
    }
  }
  state.counters["packet_us"] = packet_us;
  state.counters["advance_us"] = advance_us;
}

BENCHMARK(BM_PacketAtLoad)
    ->ArgName("percent")
    ->Arg(10)
    ->Arg(50)
    ->Arg(90)
    ->Arg(100)
    ->Unit(benchmark::kMillisecond);
BENCHMARK(BM_FloodAtCapacity)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_Growth)->ArgName("touched")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);
BENCHMARK(BM_LongestPause)->Iterations(3)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nta::bench
