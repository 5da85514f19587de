#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  RTP (RFC 3550, section 5.1)              RTCP (section 6): packets one after the other
//  +--+-+-+----+-+-------+-----------+      +--+-+-----+---------+-----------+
//  |2 |P|X| CC |M|  PT   | sequence  |      |2 |P|count| type    | words - 1 |
//  +--+-+-+----+-+-------+-----------+      +--+-+-----+---------+-----------+
//  | time stamp                      |      | SSRC of the sender            |
//  | SSRC, CC contributors           |
constexpr std::size_t kRtpHeaderBytes = 12;

// RTCP's types share the second byte with RTP's marker and types 64 to 95 (RFC 5761).
bool IsRtcpType(std::uint8_t type) { return type >= 192 && type <= 223; }

struct RtpHeader {
  std::uint8_t type = 0;
  std::uint16_t sequence = 0;
  std::uint32_t ssrc = 0;
};

bool ReadRtp(Bytes bytes, RtpHeader& header) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t first = cursor.U8();
  const std::uint8_t second = cursor.U8();
  header.type = second & 0x7F;
  header.sequence = cursor.U16();
  cursor.Skip(4);
  header.ssrc = cursor.U32();
  return cursor.ok() && first >> 6 == 2 && !IsRtcpType(second);
}

// Nothing in one packet is constant but two bits, so two must agree.
bool IsRtp(const Payload& payload) {
  RtpHeader now;
  RtpHeader before;
  if (!ReadRtp(payload.bytes, now) || !ReadRtp(payload.previous, before)) return false;
  if (payload.wire_size() < kRtpHeaderBytes + (payload.bytes[0] & 15u) * 4) return false;
  const auto step = static_cast<std::uint16_t>(now.sequence - before.sequence);
  return now.ssrc == before.ssrc && step >= 1 && step <= 2;
}

bool MayBeRtp(const Payload& payload) {
  RtpHeader header;
  return ReadRtp(payload.bytes, header);
}

void ReadRtp(const Payload& payload, Findings& findings) {
  RtpHeader header;
  if (!ReadRtp(payload.bytes, header)) return;
  SetFirstNumber(findings, payload.is_forward ? MetadataField::kRequest : MetadataField::kResponse,
                 "payload type", header.type);
}

bool IsRtcp(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  std::size_t seen = 0;
  int packets = 0;
  bool is_plain_report = false;
  while (cursor.remaining() > 0 && packets < 8) {
    const std::uint8_t first = cursor.U8();
    const std::uint8_t type = cursor.U8();
    const std::size_t bytes = cursor.U16() * std::size_t{4};
    if (!cursor.ok()) break;
    // What is encrypted (SRTCP) begins after the first sender's SSRC.
    if (first >> 6 != 2 || type < 200 || type > 207) break;
    if (packets == 0) {
      if (bytes < 4) return false;
      is_plain_report = bytes == (type == 200 ? 24u : 4u) + (first & 31u) * 24;
    }
    seen += 4 + bytes;
    if (seen > payload.wire_size()) break;
    ++packets;
    cursor.Skip(bytes);
  }
  if (packets == 0) return false;
  const std::uint8_t type = payload.bytes[1];
  const bool is_report = type == 200 || type == 201;
  if (seen == payload.wire_size()) return is_report || packets > 1 || type >= 205;
  // SRTCP: index (4 bytes) and tag (4 to 16) behind the whole, the rest unreadable.
  return is_report && is_plain_report && seen < payload.wire_size();
}

void ReadRtcp(const Payload& payload, Findings& findings) {
  if (payload.bytes.size() < 2) return;
  constexpr std::string_view kNames[] = {
      "sender_report", "receiver_report",    "source_description", "bye",
      "app",           "transport_feedback", "payload_feedback",   "extended_report"};
  const std::uint8_t type = payload.bytes[1];
  if (type < 200 || type > 207) return;
  SetFirst(findings, payload.is_forward ? MetadataField::kRequest : MetadataField::kResponse,
           kNames[type - 200]);
}

}  // namespace

constinit const Parser kRtpParser = {
    .application = Application::kRtp,
    .match = MatchPair<IsRtp, MayBeRtp>,
    .parse = ReadEach<ReadRtp>,
    .first_bytes = FirstBytes::Range(0x80, 0xBF),
};
constinit const Parser kRtcpParser = {
    .application = Application::kRtcp,
    .match = MatchEach<IsRtcp>,
    .parse = ReadEach<ReadRtcp>,
    .first_bytes = FirstBytes::Range(0x80, 0xBF),
};

}  // namespace nta::internal
