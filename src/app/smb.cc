#include <algorithm>
#include <array>
#include <optional>

#include "app/ntlm.h"
#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  | 0 | length (24) |  over TCP, then
//  SMB1 (MS-CIFS 2.2.3), 32 bytes:  | FF "SMB" | command | status (32) | flags | flags2 | ... |
//  SMB2 (MS-SMB2 2.2.1), 64 bytes:  | FE "SMB" | 64 (16) | credit (16) | status (32) | command (16)
//  | ...
//   FD: encrypted, FC: compressed                            little endian
constexpr std::size_t kFrameBytes = 4;
constexpr std::uint32_t kLogonFailure = 0xC000006D;

struct Header {
  std::uint8_t version = 0;  // first byte of the mark
  std::uint16_t command = 0;
  std::uint32_t status = 0;
  bool is_response = false;
};

bool IsMark(Bytes bytes) {
  constexpr std::string_view kName = "SMB";
  return bytes.size() >= 4 && bytes[0] >= 0xFC && AsText(bytes.subspan(1, 3)) == kName;
}

std::optional<Header> ReadHeader(base::ByteCursor& cursor) {
  Header header;
  if (!IsMark(cursor.rest())) return std::nullopt;
  header.version = cursor.U8();
  cursor.Skip(3);
  if (header.version == 0xFF) {
    header.command = cursor.U8();
    header.status = cursor.U32LittleEndian();
    header.is_response = (cursor.U8() & 0x80) != 0;
    cursor.Skip(22);
  } else if (header.version == 0xFE) {
    cursor.Skip(4);
    header.status = cursor.U32LittleEndian();
    header.command = cursor.U16LittleEndian();
    cursor.Skip(2);
    header.is_response = (cursor.U32LittleEndian() & 1) != 0;
    cursor.Skip(44);
  }
  if (!cursor.ok()) return std::nullopt;
  return header;
}

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t zero = cursor.U8();
  const std::uint32_t length = cursor.U24();
  if (zero != 0) return Verdict::kNo;
  if (cursor.ok() && (length < 32 || length > (1u << 24) - 1)) return Verdict::kNo;
  if (payload.bytes.size() < kFrameBytes + 4) return MoreUnlessLast(payload);
  return YesIf(IsMark(cursor.rest()));
}

std::string_view Dialect(std::uint16_t revision) {
  switch (revision) {
    case 0x0202:
      return "2.0.2";
    case 0x0210:
      return "2.1";
    case 0x0300:
      return "3.0";
    case 0x0302:
      return "3.0.2";
    case 0x0311:
      return "3.1.1";
    case 0x02FF:
      return "2.x";
    default:
      return "";
  }
}

// SMB1: the names of dialects, each with a 2 before and a 0 behind it.
void ReadDialectNames(base::ByteCursor cursor, Findings& findings) {
  cursor.Skip(3);  // no words, size of the names
  std::string_view names = AsText(cursor.rest());
  std::string_view last;
  while (names.starts_with('\x02')) {
    const std::size_t end = names.find('\0');
    if (end == std::string_view::npos) break;
    last = names.substr(1, end - 1);
    names.remove_prefix(end + 1);
  }
  findings.SetFirst(MetadataField::kClientVersion, last);
}

void ReadNegotiation2(const Header& header, base::ByteCursor cursor, Findings& findings) {
  if (header.is_response) {
    cursor.Skip(4);
    findings.SetFirst(MetadataField::kServerVersion, Dialect(cursor.U16LittleEndian()));
    return;
  }
  cursor.Skip(2);
  const std::uint16_t count = cursor.U16LittleEndian();
  cursor.Skip(32);
  std::uint16_t best = 0;
  for (int i = 0; i < std::min<int>(count, 16); ++i)
    best = std::max(best, cursor.U16LittleEndian());
  findings.SetFirst(MetadataField::kClientVersion, Dialect(best));
}

// NTSTATUS of a refused log-in: wrong password, no such user, locked, expired, disabled, ...
bool IsRefusal(std::uint32_t status) {
  constexpr std::array<std::uint32_t, 12> kStatuses = {
      0xC0000064, 0xC000006A, kLogonFailure, 0xC000006E, 0xC000006F, 0xC0000070,
      0xC0000071, 0xC0000072, 0xC0000193,    0xC0000224, 0xC0000234, 0xC000015B};
  return std::ranges::find(kStatuses, status) != kStatuses.end();
}

enum Memory : std::size_t { kOnlyNegotiates = 0 };

ParseNext ReadSessionSetup(const Header& header, base::ByteCursor cursor, Findings& findings) {
  const NtlmMessage ntlm = ReadNtlm(cursor.rest(), findings);
  std::uint32_t& only_negotiates = findings.memory()[kOnlyNegotiates];
  if (!header.is_response) {
    only_negotiates = ntlm == NtlmMessage::kNegotiate ? 1 : 0;
    return ParseNext::kMore;
  }
  if (IsRefusal(header.status)) {
    findings.Count(MetadataField::kLoginFailures);
    findings.Set(MetadataField::kResponse, "logon_failure");
  } else if (header.status == 0 && only_negotiates == 0) {
    findings.Count(MetadataField::kLoginSuccesses);
    findings.Set(MetadataField::kResponse, "success");
    return ParseNext::kDone;
  }
  return ParseNext::kMore;
}

ParseNext ReadMessage(Bytes bytes, Findings& findings) {
  base::ByteCursor cursor(bytes);
  const auto header = ReadHeader(cursor);
  if (!header) return ParseNext::kMore;
  if (header->version == 0xFD || header->version == 0xFC) return ParseNext::kDone;
  const bool is_first = header->version == 0xFF;
  constexpr std::uint16_t kNegotiate1 = 0x72;
  constexpr std::uint16_t kSessionSetup1 = 0x73;
  constexpr std::uint16_t kSessionSetup2 = 1;
  if (is_first && header->command == kNegotiate1) {
    if (header->is_response) {
      findings.SetFirst(MetadataField::kServerVersion, "1");
    } else {
      ReadDialectNames(cursor, findings);
    }
  } else if (!is_first && header->command == 0) {
    ReadNegotiation2(*header, cursor, findings);
  } else if (header->command == (is_first ? kSessionSetup1 : kSessionSetup2)) {
    return ReadSessionSetup(*header, cursor, findings);
  }
  return ParseNext::kMore;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  Bytes rest = payload.bytes;
  constexpr std::size_t kMaxWanted = 8192;
  while (rest.size() >= kFrameBytes) {
    base::ByteCursor cursor(rest);
    const bool is_message = cursor.U8() == 0;
    const std::size_t length = cursor.U24();
    const bool is_whole = cursor.remaining() >= length;
    if (!is_whole && !payload.is_last && length <= kMaxWanted) break;
    if (is_message) {
      const Bytes message = cursor.rest().first(std::min(length, cursor.remaining()));
      const ParseNext next = ReadMessage(message, findings);
      if (next != ParseNext::kMore) return Read(payload, next);
    }
    if (!is_whole) return Read(payload, ParseNext::kMore);
    rest = cursor.rest().subspan(length);
  }
  return {payload.bytes.size() - rest.size(), ParseNext::kMore};
}

}  // namespace

constinit const Parser kSmbParser = {
    .application = Application::kSmb,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0}),
    .patience = 3,
};

}  // namespace nta::internal
