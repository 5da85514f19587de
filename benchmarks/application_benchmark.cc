// What looking into payloads adds to the meter, per packet of the mixed traffic.
//
// The generator's packets are given first messages as their ports promise: TLS and HTTP handshakes
// with names that differ, SSH and mail greetings, DNS questions and answers; what follows is
// opaque. One TCP flow in twenty speaks nothing that is known.
#include <benchmark/benchmark.h>

#include <array>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nta/app/application_inspector.h"
#include "nta/flow/flow_table.h"
#include "traffic_generator.h"

namespace nta::bench {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t kPackets = 1'000'000;
constexpr std::size_t kBurst = 256;
constexpr std::size_t kNames = 200;

void Append(Bytes& out, std::string_view text) { out.insert(out.end(), text.begin(), text.end()); }

void AppendNumber(Bytes& out, std::size_t value, int bytes) {
  for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>(value >> shift));
  }
}

void AppendExtension(Bytes& out, std::size_t type, const Bytes& data) {
  AppendNumber(out, type, 2);
  AppendNumber(out, data.size(), 2);
  out.insert(out.end(), data.begin(), data.end());
}

Bytes Record(std::uint8_t message_type, const Bytes& body) {
  Bytes out = {22, 3, 1};
  AppendNumber(out, body.size() + 4, 2);
  out.push_back(message_type);
  AppendNumber(out, body.size(), 3);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

// As a browser sends it: 16 ciphers, a dozen extensions, 500 bytes.
Bytes ClientHello(const std::string& name) {
  Bytes extensions;
  Bytes server_name;
  AppendNumber(server_name, name.size() + 3, 2);
  server_name.push_back(0);
  AppendNumber(server_name, name.size(), 2);
  Append(server_name, name);
  AppendExtension(extensions, 0, server_name);
  AppendExtension(extensions, 23, {});
  AppendExtension(extensions, 10, {0, 8, 0x6A, 0x6A, 0, 29, 0, 23, 0, 24});
  AppendExtension(extensions, 11, {1, 0});
  AppendExtension(extensions, 16, {0, 12, 2, 'h', '2', 8, 'h', 't', 't', 'p', '/', '1', '.', '1'});
  AppendExtension(extensions, 13, {0, 8, 4, 3, 8, 4, 4, 1, 5, 3});
  AppendExtension(extensions, 43, {4, 3, 4, 3, 3});
  for (const std::size_t type : {5, 18, 27, 35, 45, 51})
    AppendExtension(extensions, type, Bytes(32));
  Bytes body = {3, 3};
  body.resize(34, 0x11);
  body.push_back(32);
  body.resize(body.size() + 32, 0x22);
  AppendNumber(body, 32, 2);
  for (std::size_t i = 0; i < 16; ++i) AppendNumber(body, 0xC02B + i, 2);
  body.push_back(1);
  body.push_back(0);
  AppendNumber(body, extensions.size(), 2);
  body.insert(body.end(), extensions.begin(), extensions.end());
  return Record(1, body);
}

Bytes ServerHello() {
  Bytes body = {3, 3};
  body.resize(34, 0x33);
  body.push_back(0);
  AppendNumber(body, 0x1301, 2);
  body.push_back(0);
  AppendNumber(body, 6, 2);
  AppendExtension(body, 43, {3, 4});
  return Record(2, body);
}

Bytes DnsMessage(const std::string& name, bool is_answer, std::uint8_t host) {
  Bytes out = {0, 1, static_cast<std::uint8_t>(is_answer ? 0x81 : 1), 0x80, 0, 1};
  out[3] = is_answer ? 0x80 : 0;
  AppendNumber(out, is_answer ? 1 : 0, 2);
  AppendNumber(out, 0, 4);
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t dot = std::min(name.find('.', at), name.size());
    out.push_back(static_cast<std::uint8_t>(dot - at));
    Append(out, std::string_view(name).substr(at, dot - at));
    at = dot + 1;
  }
  const std::array<std::uint8_t, 5> question_end = {0, 0, 1, 0, 1};
  out.insert(out.end(), question_end.begin(), question_end.end());
  if (!is_answer) return out;
  const std::array<std::uint8_t, 15> record = {0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 0, 0, 4, 100, 64, 0};
  out.insert(out.end(), record.begin(), record.end());
  out.push_back(host);
  return out;
}

// The first messages of both sides of a protocol, for one name.
struct Exchange {
  Bytes client;
  Bytes server;
};

struct Exchanges {
  std::vector<Exchange> tls;
  std::vector<Exchange> http;
  std::vector<Exchange> dns;
  Exchange ssh{.client = {}, .server = {}};
  Exchange smtp{.client = {}, .server = {}};
  Bytes opaque = Bytes(1500, 0xA5);
  Bytes application_data;

  Exchanges() {
    for (std::size_t i = 0; i < kNames; ++i) {
      const std::string name = "host" + std::to_string(i) + ".some.example.com";
      tls.push_back({ClientHello(name), ServerHello()});
      http.emplace_back();
      Append(http.back().client, "GET /some/path/" + std::to_string(i) +
                                     " HTTP/1.1\r\nHost: " + name +
                                     "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
                                     "Accept: */*\r\nAccept-Language: en\r\n\r\n");
      Append(http.back().server,
             "HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n");
      dns.push_back(
          {DnsMessage(name, false, 0), DnsMessage(name, true, static_cast<std::uint8_t>(i))});
    }
    Append(ssh.client, "SSH-2.0-OpenSSH_9.2\r\n");
    Append(ssh.server, "SSH-2.0-OpenSSH_9.2\r\n");
    Append(smtp.client, "EHLO client.example.com\r\n");
    Append(smtp.server, "220 mail.example.com ESMTP\r\n");
    application_data = {23, 3, 3, 5, 0x73};
    application_data.resize(1400, 0x5C);
  }

  // Null: nothing that is known.
  const Exchange* Of(std::uint8_t protocol, std::uint16_t port, std::size_t number) const {
    if (protocol == kProtocolUdp) return port == 53 ? &dns[number % kNames] : nullptr;
    if (number % 20 == 0) return nullptr;
    switch (port) {
      case 22:
        return &ssh;
      case 25:
        return &smtp;
      case 80:
      case 8080:
        return &http[number % kNames];
      default:
        return &tls[number % kNames];
    }
  }
};

struct FlowProgress {
  std::size_t number = 0;
  std::array<std::uint32_t, 2> sequence{};
  std::array<bool, 2> has_spoken{};
};

// Borrows `exchanges`.
std::vector<DecodedPacket> Generate(const Exchanges& exchanges) {
  TrafficGenerator generator({.kind = TrafficKind::kMix, .packets = kPackets});
  absl::flat_hash_map<FiveTuple, FlowProgress> flows;
  std::vector<DecodedPacket> packets;
  packets.reserve(kPackets);
  PacketView view;
  while (generator.Next(view)) {
    DecodedPacket packet = Decode(view);
    // Clients use ports of their own; a server's port is below 1024 or one of few.
    const auto destination = packet.destination.bytes();
    const bool is_forward =
        packet.destination.is_v4() ? destination[0] == 100 : destination[5] == 0xA1;
    const FiveTuple tuple = is_forward ? packet.five_tuple() : packet.five_tuple().Reversed();
    FlowProgress& flow = flows[tuple];
    if (flow.number == 0) flow.number = flows.size();
    const std::size_t side = is_forward ? 0 : 1;
    packet.tcp_sequence = flow.sequence[side];
    if (!packet.payload.empty()) {
      const Exchange* exchange = exchanges.Of(packet.protocol, tuple.destination.port, flow.number);
      const Bytes& first = is_forward ? exchange == nullptr ? exchanges.opaque : exchange->client
                           : exchange == nullptr ? exchanges.opaque
                                                 : exchange->server;
      const bool speaks =
          exchange != nullptr && (packet.protocol == kProtocolUdp || !flow.has_spoken[side]);
      const Bytes& bytes = speaks ? first : exchanges.opaque;
      packet.payload = std::span(bytes).first(speaks ? bytes.size() : packet.payload.size());
      packet.payload_bytes = static_cast<std::uint32_t>(packet.payload.size());
      flow.has_spoken[side] = true;
      flow.sequence[side] += packet.payload_bytes;
    }
    packets.push_back(packet);
  }
  return packets;
}

const std::vector<DecodedPacket>& Packets() {
  static const Exchanges exchanges;
  static const std::vector<DecodedPacket> packets = Generate(exchanges);
  return packets;
}

enum class Inspects : int { kNo, kYes };

void BM_Meter(benchmark::State& state) {
  const auto& packets = Packets();
  const bool inspects = static_cast<Inspects>(state.range(0)) == Inspects::kYes;
  std::vector<FlowEvent> events;
  ApplicationInspectorStats stats;
  for (auto _ : state) {
    NameTable names;
    auto inspector = ApplicationInspector::Create({}, &names);
    auto table = FlowTable::Create();
    if (inspects) table->SetInspector(&*inspector);
    for (std::size_t i = 0; i < packets.size(); i += kBurst) {
      table->Add(std::span(packets).subspan(i, std::min(kBurst, packets.size() - i)), events);
      events.clear();
    }
    stats = inspector->Stats();
    while (!table->EndAll(events)) events.clear();
    events.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
  state.counters["flows"] = static_cast<double>(stats.flows);
  state.counters["inspected_packets"] = static_cast<double>(stats.packets);
  state.counters["identified"] = static_cast<double>(stats.identified);
  state.counters["memory_bytes"] = static_cast<double>(stats.memory_bytes);
}
BENCHMARK(BM_Meter)->ArgName("inspects")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

// Packets of flows that want no more.
void BM_MeterAfterTheBound(benchmark::State& state) {
  const bool inspects = static_cast<Inspects>(state.range(0)) == Inspects::kYes;
  std::vector<DecodedPacket> packets(Packets().begin(), Packets().begin() + kBurst);
  std::vector<FlowEvent> events;
  auto inspector = ApplicationInspector::Create();
  auto table = FlowTable::Create();
  if (inspects) table->SetInspector(&*inspector);
  for (int i = 0; i < 30; ++i) table->Add(packets, events);
  for (auto _ : state) {
    table->Add(packets, events);
    events.clear();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * packets.size()));
}
BENCHMARK(BM_MeterAfterTheBound)->ArgName("inspects")->Arg(0)->Arg(1);

}  // namespace
}  // namespace nta::bench
