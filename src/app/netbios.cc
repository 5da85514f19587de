#include <string>

#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  names (137, RFC 1002 section 4.2): the header of DNS, a name of 32 letters A to P
//  | id | flags | four counts | 0x20, 32 letters, labels of the scope, 0 | type | class |
//  datagrams (138, section 4.4):
//  | type 0x10 to 0x16 | flags | id (16) | address (32) | port (16) | length, offset | names ...
//  session (139, section 4.3): | 0x81 | flags | length (16) | called name | calling name |
constexpr std::uint8_t kEncodedBytes = 32;
constexpr std::uint16_t kTypeName = 0x20;
constexpr std::uint16_t kTypeStatus = 0x21;
constexpr std::uint8_t kSessionRequest = 0x81;

// The letters of an encoded name; empty when it is none. Takes scope labels and the final 0, too.
Bytes TakeName(base::ByteCursor& cursor) {
  if (cursor.U8() != kEncodedBytes) return {};
  const Bytes letters = cursor.Bytes(kEncodedBytes);
  for (const std::uint8_t letter : letters) {
    if (letter < 'A' || letter > 'P') return {};
  }
  for (int labels = 0; labels < 32; ++labels) {
    const std::uint8_t size = cursor.U8();
    if (size == 0) return cursor.ok() ? letters : Bytes();
    if (size > 63) return {};
    cursor.Skip(size);
  }
  return {};
}

// Two letters make a byte; blanks pad, the sixteenth says what kind of name it is.
std::string DecodeName(Bytes letters) {
  std::string name;
  for (std::size_t i = 0; i + 3 < letters.size(); i += 2) {
    name += static_cast<char>((letters[i] - 'A') << 4 | (letters[i + 1] - 'A'));
  }
  while (!name.empty() && (name.back() == ' ' || name.back() == '\0')) name.pop_back();
  return name;
}

struct NameMessage {
  std::uint16_t flags = 0;
  Bytes name;
  std::uint16_t type = 0;
};

bool ReadNameMessage(Bytes bytes, NameMessage& message) {
  base::ByteCursor cursor(bytes);
  cursor.Skip(2);
  message.flags = cursor.U16();
  std::uint32_t records = 0;
  for (int i = 0; i < 4; ++i) records += cursor.U16();
  if (!cursor.ok() || records == 0 || records > 255) return false;
  message.name = TakeName(cursor);
  message.type = cursor.U16();
  return cursor.ok() && !message.name.empty() &&
         (message.type == kTypeName || message.type == kTypeStatus || message.type == 10);
}

bool ReadDatagramName(Bytes bytes, Bytes& name) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t type = cursor.U8();
  cursor.Skip(7);
  const std::uint16_t port = cursor.U16();
  if (!cursor.ok() || type < 0x10 || type > 0x16 || port != 138) return false;
  if (type == 0x13) return true;  // error
  if (type <= 0x12) cursor.Skip(4);
  name = TakeName(cursor);
  return !name.empty();
}

bool IsNetbios(const Payload& payload) {
  NameMessage message;
  Bytes name;
  return ReadNameMessage(payload.bytes, message) || ReadDatagramName(payload.bytes, name);
}

void ReadNetbios(const Payload& payload, Findings& findings) {
  NameMessage message;
  Bytes name;
  if (ReadNameMessage(payload.bytes, message)) {
    const bool is_response = (message.flags & 0x8000) != 0;
    const int opcode = message.flags >> 11 & 15;
    const bool is_registration = opcode == 5 || opcode == 8 || opcode == 15;
    // Who registers a name owns it; who asks for one looks for another host.
    const auto field = is_registration ? MetadataField::kHostName : MetadataField::kServerName;
    findings.SetFirst(field, DecodeName(message.name));
    if (is_response) {
      SetFirstNumber(findings, MetadataField::kResponse, "rcode", message.flags & 15u);
    } else {
      findings.SetFirst(MetadataField::kRequest, is_registration               ? "registration"
                                                 : opcode == 6                 ? "release"
                                                 : message.type == kTypeStatus ? "status"
                                                                               : "query");
    }
  } else if (ReadDatagramName(payload.bytes, name)) {
    findings.SetFirst(MetadataField::kHostName, DecodeName(name));
    findings.SetFirst(MetadataField::kRequest, "datagram");
  }
}

Verdict MatchSession(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  cursor.Skip(1);
  const std::uint8_t flags = cursor.U8();
  const std::size_t length = cursor.U16();
  if (!cursor.ok()) return MoreUnlessLast(payload);
  if (flags > 1 || length < 68 || length > 512) return Verdict::kNo;
  if (cursor.remaining() < length) return MoreUnlessLast(payload);
  return YesIf(!TakeName(cursor).empty() && !TakeName(cursor).empty());
}

// What is inside a session, mostly SMB, names the application.
ParseResult ParseSession(const Payload& payload, Findings& findings) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t type = cursor.U8();
  cursor.Skip(1);
  const std::size_t length = cursor.U16();
  if (!cursor.ok() || cursor.remaining() < length) {
    return payload.is_last ? Read(payload, ParseNext::kDone) : ParseResult{0, ParseNext::kMore};
  }
  if (type == kSessionRequest) {
    findings.SetFirst(MetadataField::kServerName, DecodeName(TakeName(cursor)));
    findings.SetFirst(MetadataField::kHostName, DecodeName(TakeName(cursor)));
    return {4 + length, ParseNext::kMore};
  }
  constexpr std::uint8_t kMessage = 0x00;
  constexpr std::size_t kSmbMarkAt = 4;
  if (type == kMessage && length > kSmbMarkAt && payload.bytes[kSmbMarkAt] >= 0xFC) {
    findings.SetApplication(Application::kSmb);
    return {0, ParseNext::kRestart};
  }
  constexpr std::uint8_t kPositive = 0x82;
  findings.SetFirst(MetadataField::kResponse, type == kPositive ? "positive" : "negative");
  return {4 + length, ParseNext::kMore};
}

}  // namespace

constinit const Parser kNetbiosParser = {
    .application = Application::kNetbios,
    .match = MatchEach<IsNetbios>,
    .parse = ReadEach<ReadNetbios>,
};
constinit const Parser kNetbiosSessionParser = {
    .application = Application::kNetbios,
    .match = MatchSession,
    .parse = ParseSession,
    .first_bytes = FirstBytes::Of({kSessionRequest}),
};

}  // namespace nta::internal
