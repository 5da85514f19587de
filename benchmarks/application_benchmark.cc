// What looking into payloads adds to the meter, per packet of the mixed traffic.
//
// The generator's packets are given first messages as their ports promise: TLS and HTTP handshakes
// with names that differ, SSH's algorithms, mail up to its DATA, DNS questions and answers, each
// side in its turn; what follows is opaque. One TCP flow in twenty speaks nothing that is known,
// and so do the UDP ports other than DNS's.
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

// docs/benchmarks.md: 389,000 flows. Its first million has nearly half as many again for each
// packet, because flows that begin are more than flows that end.
constexpr int kMixedCapture = 5'670'000;
constexpr int kBeginning = 1'000'000;
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

// What both sides say first, in their order.
struct Message {
  bool is_from_client = false;
  Bytes bytes{};
};
using Dialogue = std::vector<Message>;

Message FromClient(std::string_view text) { return {true, Bytes(text.begin(), text.end())}; }
Message FromServer(std::string_view text) { return {false, Bytes(text.begin(), text.end())}; }

// The version and, in the same segment, the algorithms.
Bytes SshGreeting() {
  constexpr std::array<std::string_view, 10> kLists = {
      "curve25519-sha256,ecdh-sha2-nistp256,diffie-hellman-group14-sha256",
      "ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
      "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
      "chacha20-poly1305@openssh.com,aes128-ctr,aes256-gcm@openssh.com",
      "umac-64-etm@openssh.com,hmac-sha2-256",
      "umac-64-etm@openssh.com,hmac-sha2-256",
      "none,zlib@openssh.com",
      "none,zlib@openssh.com",
      "",
      ""};
  Bytes body = {20};
  body.resize(17, 0x44);
  for (const std::string_view list : kLists) {
    AppendNumber(body, list.size(), 4);
    Append(body, list);
  }
  body.resize(body.size() + 5);  // no guess follows; reserved
  Bytes out;
  out.reserve(1000);
  Append(out, "SSH-2.0-OpenSSH_9.2\r\n");
  AppendNumber(out, body.size() + 1 + 4, 4);
  out.push_back(4);
  body.resize(body.size() + 4);
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

struct Dialogues {
  std::vector<Dialogue> tls;
  std::vector<Dialogue> http;
  std::vector<Dialogue> dns;
  Dialogue ssh{{false, SshGreeting()}, {true, SshGreeting()}};
  Dialogue smtp{FromServer("220 mail.example.com ESMTP\r\n"),
                FromClient("EHLO client.example.com\r\n"),
                FromServer("250-mail.example.com\r\n250-SIZE 52428800\r\n250 8BITMIME\r\n"),
                FromClient("MAIL FROM:<a@example.com>\r\n"),
                FromServer("250 2.1.0 Ok\r\n"),
                FromClient("RCPT TO:<b@example.com>\r\n"),
                FromServer("250 2.1.5 Ok\r\n"),
                FromClient("DATA\r\n"),
                FromServer("354 End data with <CR><LF>.<CR><LF>\r\n")};
  Bytes opaque = Bytes(1500, 0xA5);

  Dialogues() {
    for (std::size_t i = 0; i < kNames; ++i) {
      const std::string name = "host" + std::to_string(i) + ".some.example.com";
      tls.push_back({{true, ClientHello(name)}, {false, ServerHello()}});
      http.push_back(
          {FromClient("GET /some/path/" + std::to_string(i) + " HTTP/1.1\r\nHost: " + name +
                      "\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
                      "Accept: */*\r\nAccept-Language: en\r\n\r\n"),
           FromServer("HTTP/1.1 200 OK\r\nServer: nginx\r\nContent-Type: text/html\r\n\r\n")});
      dns.push_back({{true, DnsMessage(name, false, 0)},
                     {false, DnsMessage(name, true, static_cast<std::uint8_t>(i))}});
    }
  }

  // Null: nothing that is known.
  const Dialogue* Of(std::uint8_t protocol, std::uint16_t port, std::size_t number) const {
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
  std::size_t said = 0;  // messages of the dialogue
  std::array<std::uint32_t, 2> sequence{};
};

// Borrows `dialogues`.
class MixWithPayload {
 public:
  explicit MixWithPayload(const Dialogues& dialogues) : dialogues_(dialogues) {}

  DecodedPacket Next(DecodedPacket packet) {
    // Clients use ports of their own; a server's port is below 1024 or one of few.
    const auto destination = packet.destination.bytes();
    bool is_forward = packet.destination.is_v4() ? destination[0] == 100 : destination[5] == 0xA1;
    const FiveTuple tuple = is_forward ? packet.five_tuple() : packet.five_tuple().Reversed();
    FlowProgress& flow = flows_[tuple];
    if (flow.number == 0) flow.number = flows_.size();
    if (!packet.payload.empty()) {
      const Dialogue* dialogue =
          dialogues_.Of(packet.protocol, tuple.destination.port, flow.number);
      if (dialogue != nullptr && flow.said < dialogue->size()) {
        const Message& message = (*dialogue)[flow.said++];
        packet.payload = message.bytes;
        // Who has to speak first does.
        if (message.is_from_client != is_forward) Turn(packet);
        is_forward = message.is_from_client;
      } else {
        packet.payload = std::span(dialogues_.opaque).first(packet.payload.size());
      }
      packet.payload_bytes = static_cast<std::uint32_t>(packet.payload.size());
    }
    std::uint32_t& sequence = flow.sequence[is_forward ? 0 : 1];
    packet.tcp_sequence = sequence;
    packet.tcp_acknowledgment = flow.sequence[is_forward ? 1 : 0];
    sequence += packet.payload_bytes + ((packet.tcp_flags & (kTcpSyn | kTcpFin)) != 0 ? 1 : 0);
    return packet;
  }

 private:
  static void Turn(DecodedPacket& packet) {
    std::swap(packet.source, packet.destination);
    std::swap(packet.source_port, packet.destination_port);
  }

  const Dialogues& dialogues_;
  absl::flat_hash_map<FiveTuple, FlowProgress> flows_;
};

// The first `count` packets of the mixed capture, which has kMixedCapture of them.
const std::vector<DecodedPacket>& Packets(std::uint64_t count) {
  static const Dialogues dialogues;
  static std::vector<DecodedPacket> packets;
  if (packets.size() == count) return packets;
  packets = {};
  packets.reserve(count);
  TrafficGenerator generator({.kind = TrafficKind::kMix, .packets = count});
  MixWithPayload mix(dialogues);
  PacketView view;
  while (generator.Next(view)) packets.push_back(mix.Next(Decode(view)));
  return packets;
}

enum class Inspects : int { kNo, kYes };

void BM_Meter(benchmark::State& state) {
  const auto& packets = Packets(static_cast<std::uint64_t>(state.range(1)));
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
  state.counters["evicted"] = static_cast<double>(stats.evicted);
  state.counters["active"] = static_cast<double>(stats.active);
  state.counters["memory_bytes"] = static_cast<double>(stats.memory_bytes);
}
BENCHMARK(BM_Meter)
    ->ArgNames({"inspects", "packets"})
    ->Args({0, kBeginning})
    ->Args({1, kBeginning})
    ->Args({0, kMixedCapture})
    ->Args({1, kMixedCapture})
    ->Unit(benchmark::kMillisecond);

// Packets of flows that want no more.
void BM_MeterAfterTheBound(benchmark::State& state) {
  const bool inspects = static_cast<Inspects>(state.range(0)) == Inspects::kYes;
  const auto& all = Packets(kBeginning);
  const std::vector<DecodedPacket> packets(all.begin(), all.begin() + kBurst);
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
