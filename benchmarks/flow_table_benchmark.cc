// How fast decoded packets are counted into flows, beside the least that any flow table has to do.
#include <benchmark/benchmark.h>

#include <bit>
#include <cstring>
#include <utility>
#include <vector>

#include "nta/flow/flow_table.h"
#include "traffic_generator.h"

namespace nta::bench {
namespace {

constexpr std::uint64_t kPackets = 2'000'000;
constexpr std::size_t kBurst = 256;

std::vector<DecodedPacket> Generate(TrafficKind kind) {
  TrafficGenerator generator({.kind = kind, .packets = kPackets});
  std::vector<DecodedPacket> packets;
  packets.reserve(kPackets);
  PacketView packet;
  while (generator.Next(packet)) {
    packets.push_back(Decode(packet));
    packets.back().payload = {};
  }
  return packets;
}

// Open addressing, one direction-less counter per key, no time, no end, no limit: what every meter
// does at least.
class MinimalTable {
 public:
  MinimalTable() : entries_(std::size_t{1} << 22) {}

  void Add(const DecodedPacket& packet) {
    Entry key{};
    std::memcpy(key.a, packet.source.padded_bytes().data(), 16);
    std::memcpy(key.b, packet.destination.padded_bytes().data(), 16);
    key.a_port = packet.source_port;
    key.b_port = packet.destination_port;
    if (std::memcmp(key.a, key.b, 16) > 0) {
      std::swap(key.a, key.b);
      std::swap(key.a_port, key.b_port);
    }
    const std::uint64_t mixed =
        (key.a[0] ^ key.a[1] * 3) * 0x9e3779b97f4a7c15 ^
        (key.b[0] ^ key.b[1] * 5) * 0xbf58476d1ce4e5b9 ^
        (key.a_port | static_cast<std::uint64_t>(key.b_port) << 16) * 0x94d049bb133111eb;
    for (std::size_t i = mixed >> 42;; ++i) {
      Entry& entry = entries_[i & (entries_.size() - 1)];
      if (entry.packets == 0) entry = key;
      if (std::memcmp(entry.a, key.a, 36) != 0) continue;
      ++entry.packets;
      entry.bytes += packet.wire_bytes;
      return;
    }
  }

 private:
  struct alignas(64) Entry {
    std::uint64_t a[2];
    std::uint64_t b[2];
    std::uint16_t a_port;
    std::uint16_t b_port;
    std::uint32_t packets;
    std::uint64_t bytes;
  };
  std::vector<Entry> entries_;
};

void BM_MinimalTable(benchmark::State& state) {
  const auto packets = Generate(static_cast<TrafficKind>(state.range(0)));
  for (auto _ : state) {
    MinimalTable table;
    for (const DecodedPacket& packet : packets) table.Add(packet);
    benchmark::DoNotOptimize(table);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

void Measure(benchmark::State& state, const FlowTableOptions& options) {
  const auto packets = Generate(static_cast<TrafficKind>(state.range(0)));
  std::vector<FlowEvent> events;
  std::size_t memory = 0;
  for (auto _ : state) {
    auto table = FlowTable::Create(options);
    for (std::size_t i = 0; i < packets.size(); i += kBurst) {
      table->Add(std::span(packets).subspan(i, std::min(kBurst, packets.size() - i)), events);
      events.clear();
    }
    memory = table->Stats().memory_bytes;
    while (!table->EndAll(events)) events.clear();
    events.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
  state.counters["table_bytes"] = static_cast<double>(memory);
}

void BM_FlowTable(benchmark::State& state) { Measure(state, {}); }

// With everything that FlowStatistics has but the entropy.
void BM_FlowTableWithStatistics(benchmark::State& state) {
  Measure(state, {.statistics = FlowStatisticsOptions{}});
}

void Kinds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("kind")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_MinimalTable)->Apply(Kinds);
BENCHMARK(BM_FlowTable)->Apply(Kinds);
BENCHMARK(BM_FlowTableWithStatistics)->Apply(Kinds);

}  // namespace
}  // namespace nta::bench
