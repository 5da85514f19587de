// FlowTalk: one conversation before an inspector, as a flow table would show it.
//
//   FlowTalk talk({.server_port = 80});
//   talk.Client("GET / HTTP/1.1\r\n\r\n");
//   EXPECT_EQ(talk.Record().application, Application::kHttp);
#ifndef NTA_TESTS_APP_FLOW_TALK_H_
#define NTA_TESTS_APP_FLOW_TALK_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nta/app/application_inspector.h"
#include "nta/app/name_table.h"

namespace nta::test {

using Bytes = std::vector<std::uint8_t>;

inline Bytes ToBytes(std::string_view text) { return Bytes(text.begin(), text.end()); }

// Bytes of a hexadecimal text; other characters separate.
inline Bytes FromHex(std::string_view text) {
  Bytes bytes;
  int high = -1;
  for (const char c : text) {
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) continue;
    if (high < 0) {
      high = digit;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high << 4 | digit));
      high = -1;
    }
  }
  return bytes;
}

struct TalkOptions {
  std::uint8_t protocol = kProtocolTcp;
  std::uint16_t client_port = 50000;
  std::uint16_t server_port = 80;
  IpAddress client = IpAddress::V4(10, 0, 0, 1);
  IpAddress server = IpAddress::V4(192, 0, 2, 1);
  ApplicationInspectorOptions inspector{};
};

class FlowTalk {
 public:
  explicit FlowTalk(TalkOptions options = {})
      : options_(options),
        inspector_(ApplicationInspector::Create(options.inspector, &names_).value()) {}

  // The SYN-ACK, before anything else.
  void Establish() {
    DecodedPacket packet;
    packet.time = now_;
    packet.ip_version = options_.client.is_v4() ? 4 : 6;
    packet.protocol = kProtocolTcp;
    packet.tcp_flags = kTcpSyn | kTcpAck;
    packet.tcp_sequence = kFirstNumber - 1;
    packet.tcp_acknowledgment = kFirstNumber;
    inspector_.Establish(kSlot, false, packet);
    was_shown_ = true;
  }

  // The next bytes of one side, in one packet. False once the inspector wants no more.
  bool Client(std::span<const std::uint8_t> bytes) { return Next(true, bytes); }
  bool Client(std::string_view text) { return Client(ToBytes(text)); }
  bool Server(std::span<const std::uint8_t> bytes) { return Next(false, bytes); }
  bool Server(std::string_view text) { return Server(ToBytes(text)); }

  // The bytes at this place of the stream: TCP segments out of order. Does not move the place of
  // Client() and Server().
  bool SegmentAt(bool is_client, std::uint32_t offset, std::span<const std::uint8_t> bytes) {
    return Show(is_client, offset, bytes, static_cast<std::uint32_t>(bytes.size()));
  }
  // A packet that was captured in part.
  bool Cut(bool is_client, std::span<const std::uint8_t> bytes, std::uint32_t wire_bytes) {
    return Show(is_client, 0, bytes, wire_bytes);
  }

  bool wants_more() const { return wants_more_; }
  int news() const { return news_; }
  void AdvanceTo(Timestamp now) { now_ = now; }
  NameTable& names() { return names_; }
  ApplicationInspector& inspector() { return inspector_; }

  FlowRecord Record() {
    FlowRecord record;
    record.protocol = options_.protocol;
    record.source = {options_.client, options_.client_port};
    record.destination = {options_.server, options_.server_port};
    record.first_seen = record.last_seen = now_;
    inspector_.Describe(kSlot, was_shown_, record);
    return record;
  }
  std::string Get(MetadataField field) {
    const FlowRecord record = Record();
    return record.metadata == nullptr ? "" : std::string(record.metadata->Get(field));
  }
  void End() {
    if (was_shown_) inspector_.Finish(kSlot);
    was_shown_ = false;
  }

 private:
  static constexpr FlowSlot kSlot = 3;
  // Close to the end of the numbers, so that they wrap.
  static constexpr std::uint32_t kFirstNumber = 0xFFFFFFF0;

  bool Next(bool is_client, std::span<const std::uint8_t> bytes) {
    std::uint32_t& place = is_client ? client_place_ : server_place_;
    const std::uint32_t offset = place;
    place += static_cast<std::uint32_t>(bytes.size());
    return Show(is_client, offset, bytes, static_cast<std::uint32_t>(bytes.size()));
  }

  bool Show(bool is_client, std::uint32_t offset, std::span<const std::uint8_t> bytes,
            std::uint32_t wire_bytes) {
    if (!wants_more_ || bytes.empty()) return wants_more_;
    // Its own heap block, so that a sanitizer sees a read beyond it.
    const Bytes copy(bytes.begin(), bytes.end());
    DecodedPacket packet;
    packet.time = now_;
    packet.ip_version = options_.client.is_v4() ? 4 : 6;
    packet.protocol = options_.protocol;
    packet.has_ports = true;
    packet.source = is_client ? options_.client : options_.server;
    packet.destination = is_client ? options_.server : options_.client;
    packet.source_port = is_client ? options_.client_port : options_.server_port;
    packet.destination_port = is_client ? options_.server_port : options_.client_port;
    packet.tcp_flags = kTcpAck;
    packet.tcp_sequence = kFirstNumber + offset;
    packet.payload = copy;
    packet.payload_bytes = wire_bytes;
    was_shown_ = true;
    const InspectResult result = inspector_.Inspect(kSlot, is_client, packet);
    wants_more_ = result.wants_more;
    news_ += result.has_news ? 1 : 0;
    return wants_more_;
  }

  TalkOptions options_;
  NameTable names_;
  ApplicationInspector inspector_;
  Timestamp now_{std::chrono::hours(24 * 365 * 50)};
  std::uint32_t client_place_ = 0;
  std::uint32_t server_place_ = 0;
  bool wants_more_ = true;
  bool was_shown_ = false;
  int news_ = 0;
};

}  // namespace nta::test

#endif  // NTA_TESTS_APP_FLOW_TALK_H_
