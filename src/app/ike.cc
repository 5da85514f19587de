#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  on port 4500, four zeros first (RFC 3948)
//  +-------------------------------------+
//  | initiator's SPI (64)                |
//  | responder's SPI (64)                |
//  +---------+-------+---------+---------+
//  | payload |version| exchange|  flags  |   version 0x10 (RFC 2408), 0x20 (RFC 7296)
//  +---------+-------+---------+---------+
//  | message id                          |
//  | length, this header included        |
//  +-------------------------------------+
constexpr std::uint16_t kNatPort = 4500;
constexpr std::uint32_t kHeaderBytes = 28;

struct Header {
  std::uint8_t version = 0;
  std::uint8_t exchange = 0;
};

std::string_view ExchangeName(const Header& header) {
  if (header.version >> 4 == 1) {
    constexpr std::string_view kFirst[] = {"",           "base",       "identity_protection",
                                           "auth_only",  "aggressive", "informational",
                                           "transaction"};
    if (header.exchange < std::size(kFirst)) return kFirst[header.exchange];
    return header.exchange == 32 ? "quick" : header.exchange == 33 ? "new_group" : "";
  }
  constexpr std::string_view kSecond[] = {"sa_init",          "auth",           "create_child_sa",
                                          "informational",    "session_resume", "gsa_auth",
                                          "gsa_registration", "gsa_rekey",      "",
                                          "intermediate"};
  const std::size_t i = header.exchange - 34u;
  return i < std::size(kSecond) ? kSecond[i] : "";
}

bool ReadHeader(const Payload& payload, Header& header) {
  base::ByteCursor cursor(payload.bytes);
  std::size_t marker_bytes = 0;
  // Without the marker these would be the upper half of an SPI, which is random.
  if (base::ByteCursor ahead = cursor; ahead.U32() == 0) {
    if (!payload.HasPort(kNatPort)) return false;
    cursor.Skip(4);
    marker_bytes = 4;
  }
  const std::uint64_t initiator = cursor.U64();
  cursor.Skip(8);
  const std::uint8_t next_payload = cursor.U8();
  header.version = cursor.U8();
  header.exchange = cursor.U8();
  const std::uint8_t flags = cursor.U8();
  cursor.Skip(4);
  const std::uint32_t length = cursor.U32();
  if (!cursor.ok() || initiator == 0) return false;
  if (header.version != 0x10 && header.version != 0x20) return false;
  if (flags > 0x3F || (next_payload > 21 && next_payload < 33)) return false;
  return !ExchangeName(header).empty() && length >= kHeaderBytes &&
         length + marker_bytes <= payload.wire_size();
}

bool IsIke(const Payload& payload) {
  Header header;
  if (ReadHeader(payload, header)) return true;
  // ESP in UDP: one SPI, the sequence number counts.
  if (!payload.HasPort(kNatPort)) return false;
  base::ByteCursor now(payload.bytes);
  base::ByteCursor before(payload.previous);
  const std::uint32_t spi = now.U32();
  const std::uint32_t sequence = now.U32();
  return spi >= 256 && spi == before.U32() && sequence == before.U32() + 1 && now.ok() &&
         before.ok();
}

bool MayBeEsp(const Payload& payload) {
  return payload.HasPort(kNatPort) && payload.bytes.size() >= 8;
}

void ReadIke(const Payload& payload, Findings& findings) {
  Header header;
  if (!ReadHeader(payload, header)) return;
  SetFirst(findings, VersionOf(payload), header.version == 0x10 ? "IKEv1" : "IKEv2");
  SetFirst(findings, payload.is_forward ? MetadataField::kRequest : MetadataField::kResponse,
           ExchangeName(header));
}

}  // namespace

constinit const Parser kIkeParser = {
    .application = Application::kIke,
    .match = MatchPair<IsIke, MayBeEsp>,
    .parse = ReadEach<ReadIke>,
};

}  // namespace nta::internal
