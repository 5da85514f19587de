#include "traffic_generator.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace nta::bench {
namespace {

constexpr std::size_t kEthernetBytes = 14;
constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kPushAck = 0x18;
constexpr std::uint8_t kFinAck = 0x11;
constexpr std::size_t kMixConcurrent = 20'000;
constexpr std::uint32_t kSmallFlows = 1'000'000;
// 2026-01-01T00:00:00Z
constexpr std::int64_t kStart = 1'767'225'600'000'000'000;

void Store16(std::uint8_t* p, std::size_t value) {
  p[0] = static_cast<std::uint8_t>(value >> 8);
  p[1] = static_cast<std::uint8_t>(value);
}

void Store32(std::uint8_t* p, std::uint32_t value) {
  Store16(p, value >> 16);
  Store16(p + 2, value & 0xffff);
}

std::size_t TransportBytes(std::uint8_t protocol) { return protocol == kTcp ? 20 : 8; }

}  // namespace

std::optional<TrafficKind> ParseTrafficKind(std::string_view text) {
  if (text == "mix") return TrafficKind::kMix;
  if (text == "small") return TrafficKind::kSmall;
  if (text == "flood") return TrafficKind::kFlood;
  return std::nullopt;
}

TrafficGenerator::TrafficGenerator(TrafficOptions options)
    : options_(options), random_(options.seed), time_(Duration(kStart)) {
  const std::size_t count = options.kind == TrafficKind::kMix     ? kMixConcurrent
                            : options.kind == TrafficKind::kSmall ? kSmallFlows
                                                                  : 0;
  conversations_.reserve(count);
  for (std::size_t i = 0; i < count; ++i) conversations_.push_back(NewConversation());
}

// Clients in 10.0.0.0/8 or 2001:db8:a::/48, servers in 100.64.0.0/10 or 2001:db8:b::/48, few of
// them busy.
TrafficGenerator::Conversation TrafficGenerator::NewConversation() {
  Conversation conversation;
  const bool is_mix = options_.kind == TrafficKind::kMix;
  conversation.is_v6 = is_mix && random_.Below(4) == 0;
  const auto client = static_cast<std::uint32_t>(random_.Below(60'000));
  const double skew = random_.Unit();
  const auto server = static_cast<std::uint32_t>(skew * skew * skew * 200'000);
  auto write = [&](std::array<std::uint8_t, 16>& address, std::uint8_t net, std::uint32_t host) {
    const std::array<std::uint8_t, 6> v6{0x20, 0x01, 0x0d,
                                         0xb8, 0x00, static_cast<std::uint8_t>(0xa0 + net)};
    if (conversation.is_v6) std::copy(v6.begin(), v6.end(), address.begin());
    std::uint8_t* const p = conversation.is_v6 ? address.data() + 12 : address.data();
    p[0] = net == 0 ? 10 : 100;
    p[1] = static_cast<std::uint8_t>(net == 0 ? host >> 16 : 64 | (host >> 16 & 0x3f));
    Store16(p + 2, host & 0xffff);
  };
  write(conversation.client, 0, client);
  write(conversation.server, 1, server);
  conversation.client_port = static_cast<std::uint16_t>(1024 + random_.Below(64'000));
  const std::uint32_t kind = is_mix ? random_.Below(100) : 0;
  conversation.protocol = kind < 65 ? kTcp : kUdp;
  static constexpr std::uint16_t kTcpPorts[] = {443, 443, 443, 443, 80, 22, 25, 993, 5432, 8080};
  static constexpr std::uint16_t kUdpPorts[] = {53, 53, 53, 53, 443, 123, 161, 514, 3478, 53};
  const std::uint32_t port = random_.Below(10);
  conversation.server_port = conversation.protocol == kTcp ? kTcpPorts[port] : kUdpPorts[port];
  if (conversation.protocol == kUdp) {
    conversation.packets = 2;
    return conversation;
  }
  // Heavy-tailed (Pareto, alpha 1.2), cut at 100,000 packets.
  const double packets = 7.0 / std::pow(1.0 - random_.Unit(), 1.0 / 1.2);
  conversation.packets = static_cast<std::uint32_t>(std::min(packets, 100'000.0));
  return conversation;
}

std::uint32_t TrafficGenerator::Emit(Conversation& conversation, bool is_forward,
                                     std::uint8_t tcp_flags, std::uint32_t payload_bytes) {
  std::uint8_t* const frame = frame_.data();
  static constexpr std::uint8_t kMacs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};
  std::memcpy(frame, kMacs, sizeof(kMacs));
  const std::size_t transport = TransportBytes(conversation.protocol);
  const std::size_t ip_header = conversation.is_v6 ? 40 : 20;
  std::uint8_t* const ip = frame + kEthernetBytes;
  std::memset(ip, 0, ip_header + transport);
  const auto& source = is_forward ? conversation.client : conversation.server;
  const auto& destination = is_forward ? conversation.server : conversation.client;
  Store16(frame + 12, conversation.is_v6 ? 0x86dd : 0x0800);
  if (conversation.is_v6) {
    ip[0] = 0x60;
    Store16(ip + 4, transport + payload_bytes);
    ip[6] = conversation.protocol;
    ip[7] = 64;
    std::memcpy(ip + 8, source.data(), 16);
    std::memcpy(ip + 24, destination.data(), 16);
  } else {
    ip[0] = 0x45;
    Store16(ip + 2, ip_header + transport + payload_bytes);
    ip[8] = 64;
    ip[9] = conversation.protocol;
    std::memcpy(ip + 12, source.data(), 4);
    std::memcpy(ip + 16, destination.data(), 4);
  }
  std::uint8_t* const header = ip + ip_header;
  Store16(header, is_forward ? conversation.client_port : conversation.server_port);
  Store16(header + 2, is_forward ? conversation.server_port : conversation.client_port);
  if (conversation.protocol == kTcp) {
    header[12] = 0x50;
    header[13] = tcp_flags;
    Store16(header + 14, 64240);
    std::uint32_t& next = conversation.next_sequence[is_forward ? 0 : 1];
    Store32(header + 4, next);
    if ((tcp_flags & kAck) != 0)
      Store32(header + 8, conversation.next_sequence[is_forward ? 1 : 0]);
    next += payload_bytes + ((tcp_flags & (kSyn | kFin)) != 0 ? 1 : 0);
  } else {
    Store16(header + 4, transport + payload_bytes);
  }
  return static_cast<std::uint32_t>(kEthernetBytes + ip_header + transport + payload_bytes);
}

std::uint32_t TrafficGenerator::NextMix() {
  Conversation& conversation =
      conversations_[random_.Below(static_cast<std::uint32_t>(conversations_.size()))];
  const std::uint32_t size = EmitMix(conversation);
  if (conversation.sent >= conversation.packets) conversation = NewConversation();
  return size;
}

std::uint32_t TrafficGenerator::EmitMix(Conversation& conversation) {
  const std::uint32_t step = conversation.sent++;
  if (conversation.protocol == kUdp) {
    return Emit(conversation, step % 2 == 0, 0, 40 + random_.Below(160));
  }
  if (step == 0) return Emit(conversation, true, kSyn, 0);
  if (step == 1) return Emit(conversation, false, kSyn | kAck, 0);
  if (step + 2 >= conversation.packets) return Emit(conversation, step % 2 == 0, kFinAck, 0);
  // Two thirds of the packets come from the server; half of its packets are full, the client mostly
  // acknowledges.
  if (random_.Below(3) == 0)
    return Emit(conversation, true, kAck, random_.Below(4) == 0 ? random_.Below(600) : 0);
  const std::uint32_t payload = random_.Below(5) < 2 ? 1400 : random_.Below(300);
  return Emit(conversation, false, kPushAck, payload);
}

// Rank k with a chance in proportion to 1/k, by the inverse of the integral.
std::uint32_t TrafficGenerator::ZipfRank() {
  const double rank = std::pow(static_cast<double>(kSmallFlows), random_.Unit());
  return std::min(static_cast<std::uint32_t>(rank), kSmallFlows) - 1;
}

std::uint32_t TrafficGenerator::NextSmall() {
  // The first packets make sure that all flows are there; then the busy ones dominate.
  const std::uint32_t index = emitted_ < kSmallFlows  ? static_cast<std::uint32_t>(emitted_)
                              : random_.Below(4) == 0 ? random_.Below(kSmallFlows)
                                                      : ZipfRank();
  return Emit(conversations_[index], emitted_ < kSmallFlows || random_.Below(2) == 0, kAck, 6);
}

std::uint32_t TrafficGenerator::NextFlood() {
  Conversation conversation;
  const std::uint64_t random = random_.Next();
  std::memcpy(conversation.client.data(), &random, 4);
  conversation.client[0] = static_cast<std::uint8_t>(11 + conversation.client[0] % 100);
  conversation.client_port = static_cast<std::uint16_t>(random >> 32);
  conversation.server = {100, 64, 0, static_cast<std::uint8_t>(random >> 48 & 15)};
  conversation.server_port = 80;
  return Emit(conversation, true, kSyn, 6);
}

bool TrafficGenerator::Next(PacketView& packet) {
  if (emitted_ == options_.packets) return false;
  std::uint32_t size = 0;
  switch (options_.kind) {
    case TrafficKind::kMix:
      size = NextMix();
      break;
    case TrafficKind::kSmall:
      size = NextSmall();
      break;
    case TrafficKind::kFlood:
      size = NextFlood();
      break;
  }
  ++emitted_;
  // About 200,000 packets a second.
  time_ += Duration(1 + random_.Below(10'000));
  packet = {.time = time_,
            .link_type = LinkType::kEthernet,
            .wire_bytes = std::max(size, 60U),
            .interface_id = 0,
            .bytes = std::span(frame_).first(std::max(size, 60U))};
  return true;
}

GeneratedSource::GeneratedSource(TrafficOptions options) : generator_(options) {}

absl::StatusOr<ReadResult> GeneratedSource::Read(PacketBatch& batch) {
  constexpr std::size_t kBatch = 256;
  batch.clear();
  packets_.clear();
  packets_.reserve(kBatch);
  PacketView packet;
  while (packets_.size() < kBatch && generator_.Next(packet)) packets_.emplace_back(packet);
  for (const Packet& kept : packets_) batch.push_back(kept.view());
  stats_.received += batch.size();
  return batch.empty() ? ReadResult::kEnd : ReadResult::kPackets;
}

}  // namespace nta::bench
