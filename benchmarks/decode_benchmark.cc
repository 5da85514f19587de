// How fast packets are decoded, beside the least that any decoder has to do.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "nta/packet/decode.h"
#include "traffic_generator.h"

namespace nta::bench {
namespace {

constexpr std::uint64_t kPackets = 200'000;

std::vector<Packet> Generate(TrafficKind kind) {
  TrafficGenerator generator({.kind = kind, .packets = kPackets});
  std::vector<Packet> packets;
  PacketView packet;
  while (generator.Next(packet)) packets.emplace_back(packet);
  return packets;
}

// Addresses, ports, protocol and length of Ethernet, IPv4 and IPv6, TCP and UDP; nothing is checked
// but bounds.
struct MinimalPacket {
  std::uint8_t addresses[32];
  std::uint16_t ports[2];
  std::uint16_t length;
  std::uint8_t protocol;
  std::uint8_t flags;
};

bool MinimalDecode(std::span<const std::uint8_t> bytes, MinimalPacket& out) {
  if (bytes.size() < 54) return false;
  const std::uint8_t* const ip = bytes.data() + 14;
  const std::uint8_t* transport = nullptr;
  if ((ip[0] >> 4) == 4) {
    std::memcpy(out.addresses, ip + 12, 8);
    out.length = static_cast<std::uint16_t>(ip[2] << 8 | ip[3]);
    out.protocol = ip[9];
    transport = ip + (ip[0] & 15) * 4;
  } else {
    std::memcpy(out.addresses, ip + 8, 32);
    out.length = static_cast<std::uint16_t>(ip[4] << 8 | ip[5]);
    out.protocol = ip[6];
    transport = ip + 40;
  }
  if (transport + 20 > bytes.data() + bytes.size()) return false;
  std::memcpy(out.ports, transport, 4);
  out.flags = transport[13];
  return true;
}

void BM_MinimalDecode(benchmark::State& state) {
  const auto packets = Generate(static_cast<TrafficKind>(state.range(0)));
  for (auto _ : state) {
    for (const Packet& packet : packets) {
      MinimalPacket decoded;
      benchmark::DoNotOptimize(MinimalDecode(packet.view().bytes, decoded));
      benchmark::DoNotOptimize(decoded);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

void BM_Decode(benchmark::State& state) {
  const auto packets = Generate(static_cast<TrafficKind>(state.range(0)));
  for (auto _ : state) {
    for (const Packet& packet : packets) {
      DecodedPacket decoded = Decode(packet.view());
      benchmark::DoNotOptimize(decoded);
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}

void Kinds(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("kind")->Arg(0)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
}

BENCHMARK(BM_MinimalDecode)->Apply(Kinds);
BENCHMARK(BM_Decode)->Apply(Kinds);

}  // namespace
}  // namespace nta::bench
