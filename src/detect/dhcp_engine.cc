#include "detect/dhcp_engine.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/byte_cursor.h"
#include "base/keyed_hash.h"
#include "base/status.h"
#include "detect/saturating_time.h"
#include "detect/scan_alert.h"
#include "detect/state_archive.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "dhcp";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint16_t kServerPort = 67;
constexpr std::uint16_t kClientPort = 68;
constexpr base::KeyedHash kClientHash(0xd4c9);
constexpr Duration kHold = std::chrono::seconds(30);

DhcpOptions Sane(DhcpOptions options) {
  options.min_messages = std::max<std::size_t>(options.min_messages, 2);
  options.max_servers = std::clamp<std::size_t>(options.max_servers, 1, 65536);
  options.learn_servers = std::max(options.learn_servers, Duration(0));
  return options;
}

}  // namespace

//  op(1) htype(1) hlen(1) hops(1) xid(4) secs(2) flags(2) ciaddr(4) yiaddr(4) siaddr(4) giaddr(4)
//  chaddr(16) sname(64) file(128) cookie(4) options
std::optional<DhcpMessage> ReadDhcp(std::span<const std::uint8_t> payload) {
  constexpr std::uint32_t kCookie = 0x63825363;
  constexpr std::uint8_t kPad = 0;
  constexpr std::uint8_t kServerId = 54;
  constexpr std::uint8_t kEnd = 255;
  base::ByteCursor cursor(payload);
  DhcpMessage message;
  const std::uint8_t op = cursor.U8();
  cursor.Skip(27);
  const auto client = cursor.Fixed<6>();
  cursor.Skip(10 + 64 + 128);
  const std::uint32_t cookie = cursor.U32();
  if (!cursor.ok() || cookie != kCookie || (op != 1 && op != 2)) return std::nullopt;
  message.is_request = op == 1;
  std::copy(client.begin(), client.end(), message.client.bytes.begin());
  while (cursor.remaining() > 0) {
    const std::uint8_t option = cursor.U8();
    if (option == kPad) continue;
    if (option == kEnd) break;
    const std::uint8_t length = cursor.U8();
    if (option == kServerId && length == 4) {
      message.server = IpAddress::V4(cursor.Fixed<4>());
    } else {
      cursor.Skip(length);
    }
  }
  return message;
}

DhcpEngine::DhcpEngine(const DhcpOptions& options)
    : options_(Sane(options)), servers_(options_.max_servers), tracker_("dhcp", options_.alerts) {}

void DhcpEngine::ObservePackets(std::span<const PacketView>, std::span<const DecodedPacket> decoded,
                                Alerts& alerts) {
  for (const DecodedPacket& packet : decoded) {
    if (packet.protocol != kProtocolUdp || !packet.has_ports) continue;
    const bool to_server = packet.destination_port == kServerPort;
    if (!to_server && packet.destination_port != kClientPort) continue;
    AdvanceTo(clock_.Pass(packet.time), alerts);
    const std::optional<DhcpMessage> message = ReadDhcp(packet.payload);
    if (!message) continue;
    if (message->is_request && to_server) Request(packet, *message, alerts);
    if (!message->is_request) Reply(packet, *message, alerts);
  }
}

// Empties the seconds that have passed out of the window.
void DhcpEngine::Turn(std::int64_t second) {
  const std::int64_t passed = second - second_;
  if (passed == 0) return;
  if (passed < 0 || passed >= static_cast<std::int64_t>(kSeconds)) {
    counts_.fill(0);
  } else {
    for (std::int64_t i = 1; i <= passed; ++i) {
      counts_[static_cast<std::size_t>((second_ + i) % static_cast<std::int64_t>(kSeconds))] = 0;
    }
  }
  second_ = second;
}

void DhcpEngine::Request(const DecodedPacket& packet, const DhcpMessage& message, Alerts& alerts) {
  const Timestamp now = clock_.now();
  const auto second = std::max<std::int64_t>(
      std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count(), 0);
  Turn(second);
  ++counts_[static_cast<std::size_t>(second % static_cast<std::int64_t>(kSeconds))];
  const std::uint64_t sum = std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
  const AlertEntity entity{.source = {}, .destination = packet.destination, .service = "udp/67"};
  const bool is_open = tracker_.IsOpen(AlertClass::kUdpFlood, entity);
  if (!is_open && sum * 4 < options_.min_messages) {
    usual_ += 0.01 * (static_cast<double>(sum) - usual_);
    clients_.Clear();
    in_flood_ = 0;
    flood_start_ = now;
  }
  ++in_flood_;
  clients_.Add(kClientHash.Bytes(message.client.bytes.data(), message.client.bytes.size()));
  const double limit = std::max(static_cast<double>(options_.min_messages), 8 * usual_);
  if (static_cast<double>(sum) < (is_open ? limit / 2 : limit)) return;
  const auto clients = static_cast<std::int64_t>(std::llround(clients_.Estimate()));
  tracker_.Raise(
      {.alert_class = AlertClass::kUdpFlood,
       .entity = entity,
       .severity = clients > 50 ? Severity::kHigh : Severity::kMedium,
       .magnitude = static_cast<double>(in_flood_),
       .hold = kHold},
      now,
      [&](Alert& alert) {
        // Surprise of a Poisson count against what is usual, bounded as others are.
        const double x = static_cast<double>(sum);
        const double z = 2 * (std::sqrt(x) - std::sqrt(std::max(usual_, 1.0)));
        alert.score = std::min(0.7213 * z * z, 64.0);
        alert.observed = x;
        alert.expected = usual_;
        alert.band_low = 0;
        alert.band_high = limit;
        alert.unit = "DHCP requests in 10 s";
        if (clients <= 1) alert.entity.source = packet.source;
        alert.window = std::max(now - flood_start_, Duration(0));
        alert.first_seen = flood_start_;
        alert.evidence = {{"requests", static_cast<std::int64_t>(in_flood_)},
                          {"requests_in_10_s", static_cast<std::int64_t>(sum)},
                          {"distinct_clients", clients},
                          {"sample_client", message.client.ToString()}};
        if (packet.has_mac) alert.evidence["sender_mac"] = packet.source_mac.ToString();
        alert.technique = "T1499.002";
        alert.confidence = 0.9;
        alert.advice =
            "Limit DHCP by switch port (DHCP snooping); check that the server still has leases.";
        alert.summary = absl::StrFormat(
            "%d DHCP requests in 10 s from about %d client %s, where %.0f are usual: DHCP flood",
            sum, clients, clients == 1 ? "address" : "addresses", usual_);
      },
      alerts);
}

void DhcpEngine::Reply(const DecodedPacket& packet, const DhcpMessage& message, Alerts& alerts) {
  const Timestamp now = clock_.now();
  const IpAddress server = message.server.value_or(packet.source);
  Timestamp* known = servers_.Find(server);
  const bool is_new = known == nullptr;
  if (servers_.size() == 0) first_server_ = now;
  Timestamp& first_heard = servers_.FindOrAdd(server);
  if (is_new) first_heard = now;
  // A server that was new when it appeared stays so for a day.
  const bool was_late = Since(first_server_, first_heard) > options_.learn_servers;
  if (!was_late || Since(first_heard, now) > std::chrono::hours(24)) return;
  tracker_.Raise(
      {.alert_class = AlertClass::kPolicy,
       .entity = {.source = server, .destination = {}, .service = "udp/67"},
       .severity = Severity::kHigh,
       .hold = std::chrono::hours(1)},
      now,
      [&](Alert& alert) {
        alert.observed = static_cast<double>(servers_.size());
        alert.expected = static_cast<double>(servers_.size()) - 1;
        alert.score = 20;
        alert.unit = "DHCP servers";
        alert.first_seen = first_heard;
        alert.evidence = {{"rule", std::string("new_dhcp_server")},
                          {"server", server.ToString()},
                          {"client", message.client.ToString()}};
        if (packet.has_mac) alert.evidence["mac"] = packet.source_mac.ToString();
        alert.technique = "T1557.003";
        alert.confidence = 0.8;
        alert.advice =
            "If this server is not yours, take it off the network: it can "
            "send clients to a gateway of its own.";
        alert.summary =
            server.ToString() + " answers DHCP requests and never did before: new DHCP server";
      },
      alerts);
}

void DhcpEngine::AdvanceTo(Timestamp now, Alerts& alerts) {
  clock_.AdvanceTo(now);
  tracker_.AdvanceTo(clock_.now(), alerts);
}

void DhcpEngine::Finish(Alerts& alerts) { tracker_.Finish(alerts); }

std::size_t DhcpEngine::memory_bytes() const {
  return sizeof(*this) + servers_.memory_bytes() + tracker_.memory_bytes();
}

std::size_t DhcpEngine::memory_limit_bytes() const {
  return sizeof(*this) + servers_.memory_limit_bytes() + tracker_.memory_limit_bytes();
}

std::string DhcpEngine::Save() const {
  StateWriter writer;
  writer(clock_.now());
  writer(counts_);
  writer(second_);
  writer(clients_.registers());
  writer(in_flood_);
  writer(flood_start_);
  writer(usual_);
  writer(first_server_);
  writer.Size(servers_.size(), 65536);
  for (const auto& [address, first_heard] : servers_.entries()) {
    writer(address);
    writer(first_heard);
  }
  writer(tracker_.Save());
  return SealState(kName, kVersion, std::move(writer).bytes());
}

absl::StatusOr<DhcpEngine> DhcpEngine::Load(const DhcpOptions& options, std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, kVersion, state));
  StateReader reader(payload);
  DhcpEngine engine(options);
  Timestamp now{};
  reader(now);
  engine.clock_.AdvanceTo(now);
  reader(engine.counts_);
  reader(engine.second_);
  engine.second_ = std::max<std::int64_t>(engine.second_, 0);
  reader(engine.clients_.registers());
  reader(engine.in_flood_);
  reader(engine.flood_start_);
  reader(engine.usual_);
  reader(engine.first_server_);
  std::size_t size = 0;
  reader.Size(size, 65536);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    IpAddress address;
    reader(address);
    reader(engine.servers_.FindOrAdd(address));
  }
  std::string tracker;
  reader(tracker);
  if (!reader.ok() || reader.remaining() != 0 || !engine.tracker_.Load(tracker).ok()) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

}  // namespace nta::detect
