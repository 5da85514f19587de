//  Long header (RFC 9000 17.2)
//  +-+-+---+----+-------------+------+-----------------+------+-------------------+------
//  |1|1|typ|    | version (4) | n (1) | destination (n) | n (1) | source (n)       | ...
//  +-+-+---+----+-------------+------+-----------------+------+-------------------+------
//  Initial, further on: token length (varint), token, length (varint), packet number (1-4), frames
//  Frames of an Initial: 0 PADDING, 1 PING, 2-3 ACK, 6 CRYPTO, 0x1c CONNECTION_CLOSE
//  CRYPTO: 6, offset (varint), length (varint), a piece of the TLS handshake
#include "app/quic.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "app/fingerprints.h"
#include "app/quic_crypto.h"
#include "app/tls_hello.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

constexpr std::uint32_t kVersion1 = 1;
constexpr std::uint32_t kVersion2 = 0x6B3343CF;
constexpr std::size_t kMaxConnectionId = 20;
constexpr std::uint8_t kClientHello = 1;
constexpr std::size_t kMaxFrames = 4096;

std::uint64_t ReadVarint(ByteCursor& cursor) {
  const std::uint64_t first = cursor.U8();
  std::uint64_t value = first & 0x3F;
  for (int bytes = (1 << (first >> 6)) - 1; bytes > 0; --bytes) value = value << 8 | cursor.U8();
  return value;
}

bool IsDraft(std::uint32_t version) { return version >> 8 == 0xFF0000; }
// Google's own, before the standard: "Q043", "T051".
bool IsGoogle(std::uint32_t version) {
  const std::uint32_t name = version >> 24;
  const auto is_digit = [version](int shift) {
    const std::uint32_t c = version >> shift & 0xFF;
    return c >= '0' && c <= '9';
  };
  return (name == 'Q' || name == 'T') && is_digit(16) && is_digit(8) && is_digit(0);
}
// Facebook's, "\xFA\xCE\xB0" and a number.
bool IsFacebook(std::uint32_t version) { return version >> 8 == 0xFACEB0; }

std::string VersionName(std::uint32_t version) {
  if (version == kVersion1) return "1";
  if (version == kVersion2) return "2";
  if (IsDraft(version)) return "draft-" + std::to_string(version & 0xFF);
  std::string text;
  if (IsGoogle(version)) {
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(version >> shift & 0xFF);
    return text;
  }
  constexpr std::string_view kDigits = "0123456789abcdef";
  text = "0x";
  for (int shift = 28; shift >= 0; shift -= 4) text += kDigits[version >> shift & 15];
  return text;
}

std::optional<QuicKeyVersion> KeysOf(std::uint32_t version) {
  if (version == kVersion1) return QuicKeyVersion::kVersion1;
  if (version == kVersion2) return QuicKeyVersion::kVersion2;
  const std::uint32_t draft = version & 0xFF;
  if (!IsDraft(version) || draft < 29 || draft > 34) return std::nullopt;
  return draft < 33 ? QuicKeyVersion::kDraft29 : QuicKeyVersion::kVersion1;
}

struct LongHeader {
  std::uint8_t first = 0;
  std::uint32_t version = 0;
  Bytes destination;
  Bytes source;

  bool IsInitial() const {
    const int type = first >> 4 & 3;
    return version == kVersion2 ? type == 1 : type == 0;
  }
};

bool ReadLongHeader(ByteCursor& cursor, LongHeader& header) {
  header.first = cursor.U8();
  header.version = cursor.U32();
  header.destination = cursor.Bytes(cursor.U8());
  header.source = cursor.Bytes(cursor.U8());
  return cursor.ok() && (header.first & 0x80) != 0 &&
         header.destination.size() <= kMaxConnectionId && header.source.size() <= kMaxConnectionId;
}

//  Google's header until Q043: flags with bit 0x08 (connection ID of 8 bytes) and 0x01 (version).
bool IsOldGoogle(Bytes bytes) {
  ByteCursor cursor(bytes);
  const std::uint8_t flags = cursor.U8();
  cursor.Skip(8);
  const std::uint32_t version = cursor.U32();
  return cursor.ok() && (flags & 0xC9) == 0x09 && IsGoogle(version);
}

Verdict MatchQuic(const Payload& payload) {
  if ((payload.bytes[0] & 0x80) == 0) {
    return IsOldGoogle(payload.bytes) ? Verdict::kYes : Verdict::kNo;
  }
  ByteCursor cursor(payload.bytes);
  LongHeader header;
  if (!ReadLongHeader(cursor, header)) return Verdict::kNo;
  const std::uint32_t version = header.version;
  // The fixed bit may be anything only in version negotiation, which only a server sends.
  if (version == 0) {
    const bool is_list = cursor.remaining() >= 4 && cursor.remaining() % 4 == 0;
    return is_list && payload.HasPort(443) ? Verdict::kYes : Verdict::kNo;
  }
  if (IsGoogle(version)) return Verdict::kYes;
  if ((header.first & 0x40) == 0) return Verdict::kNo;
  const bool is_known = version == kVersion1 || version == kVersion2 || IsDraft(version) ||
                        IsFacebook(version) || (version & 0x0F0F0F0F) == 0x0A0A0A0A;
  return is_known ? Verdict::kYes : Verdict::kNo;
}

void SkipAck(ByteCursor& cursor, bool has_counts) {
  ReadVarint(cursor);  // largest
  ReadVarint(cursor);  // delay
  const std::uint64_t ranges = ReadVarint(cursor);
  ReadVarint(cursor);  // first range
  for (std::uint64_t i = 0; i < ranges && cursor.ok(); ++i) {
    ReadVarint(cursor);
    ReadVarint(cursor);
  }
  for (int i = 0; i < (has_counts ? 3 : 0); ++i) ReadVarint(cursor);
}

// Keeps the pieces of the handshake.
void ReadFrames(Bytes frames, Findings& findings) {
  ByteCursor cursor(frames);
  for (std::size_t i = 0; i < kMaxFrames && cursor.remaining() > 0; ++i) {
    const std::uint64_t type = ReadVarint(cursor);
    switch (type) {
      case 0: {
        const Bytes rest = cursor.rest();
        const auto end = std::ranges::find_if(rest, [](std::uint8_t byte) { return byte != 0; });
        cursor.Skip(static_cast<std::size_t>(end - rest.begin()));
        break;
      }
      case 1:
        break;
      case 2:
      case 3:
        SkipAck(cursor, type == 3);
        break;
      case 6: {
        const std::uint64_t offset = ReadVarint(cursor);
        const Bytes piece = cursor.Bytes(ReadVarint(cursor));
        if (!cursor.ok() || offset > 0xFFFF || !findings.Keep(offset, piece)) return;
        break;
      }
      default:
        return;
    }
  }
}

// True when the ClientHello was complete.
bool ReadHello(const Payload& payload, Findings& findings) {
  ByteCursor cursor(findings.kept());
  const std::uint8_t type = cursor.U8();
  const std::size_t size = cursor.U24();
  const Bytes body = cursor.Bytes(size);
  if (!cursor.ok()) return false;
  ClientHello hello;
  if (type == kClientHello && ReadClientHello(body, HelloTransport::kQuic, hello)) {
    DescribeClientHello(hello, payload.packet, findings);
    findings.Set(MetadataField::kTlsVersion, "TLS 1.3");  // QUIC has no other
  }
  findings.ReleaseKept();
  return true;
}

// The Initial packets of a datagram, up to the first packet of another kind.
bool ReadInitials(const Payload& payload, Findings& findings) {
  Bytes rest = payload.bytes;
  std::vector<std::uint8_t> frames;
  while (!rest.empty()) {
    ByteCursor cursor(rest);
    LongHeader header;
    if (!ReadLongHeader(cursor, header) || !header.IsInitial()) return false;
    const auto key_version = KeysOf(header.version);
    if (!key_version) return false;
    cursor.Skip(ReadVarint(cursor));  // token
    const std::uint64_t length = ReadVarint(cursor);
    const std::size_t number_offset = rest.size() - cursor.remaining();
    if (!cursor.ok() || length > cursor.remaining()) return false;
    const Bytes packet = rest.first(number_offset + length);
    const auto keys =
        ClientInitialKeys(*key_version, header.destination, findings.fingerprints().digests());
    if (!keys || !OpenInitial(*keys, packet, number_offset, frames)) return false;
    ReadFrames(frames, findings);
    if (ReadHello(payload, findings)) return true;
    rest = rest.subspan(packet.size());
  }
  return false;
}

ParseResult ParseQuic(const Payload& payload, Findings& findings) {
  const std::size_t size = payload.bytes.size();
  if ((payload.bytes[0] & 0x80) == 0) {
    // Short headers: the handshake is over. Google's old ones show their version.
    if (IsOldGoogle(payload.bytes)) {
      ByteCursor cursor(payload.bytes.subspan(9));
      findings.SetFirst(MetadataField::kQuicVersion, VersionName(cursor.U32()));
    }
    return {size, ParseNext::kDone};
  }
  ByteCursor cursor(payload.bytes);
  LongHeader header;
  if (!ReadLongHeader(cursor, header)) return {size, ParseNext::kMore};
  if (header.version != 0) {
    findings.Set(MetadataField::kQuicVersion, VersionName(header.version));
    if (!KeysOf(header.version) && (header.version & 0x0F0F0F0F) != 0x0A0A0A0A) {
      return {size, ParseNext::kDone};
    }
  }
  return {size, ReadInitials(payload, findings) ? ParseNext::kDone : ParseNext::kMore};
}

}  // namespace

constinit const Parser kQuicParser = {
    .application = Application::kQuic,
    .match = MatchQuic,
    .parse = ParseQuic,
    .first_bytes = FirstBytes::Range(0x80, 0xFF) |
                   FirstBytes::Of({0x09, 0x0D, 0x19, 0x1D, 0x29, 0x2D, 0x39, 0x3D}),
};

}  // namespace nta::internal
