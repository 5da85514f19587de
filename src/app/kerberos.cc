#include <string>

#include "app/ber.h"
#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  over TCP, the length (32) of what follows          (RFC 4120, section 5)
//  [APPLICATION n] SEQUENCE {
//    requests (10, 12):  pvno [1] 5, msg-type [2], padata [3], req-body [4] {
//                          options [0], cname [1], realm [2], sname [3], ... }
//    replies (11, 13):   pvno [0] 5, msg-type [1], padata [2], crealm [3], cname [4], ticket [5],
//    ... error (30):         pvno [0] 5, msg-type [1], ..., error-code [6], crealm [7], cname [8],
//                        realm [9], sname [10] }
//  name: SEQUENCE { type [0], SEQUENCE [1] OF GeneralString }
constexpr std::uint8_t kGeneralString = 0x1B;
constexpr std::int64_t kVersion = 5;
constexpr std::int64_t kAsRequest = 10;
constexpr std::int64_t kAsReply = 11;
constexpr std::int64_t kTgsRequest = 12;
constexpr std::int64_t kTgsReply = 13;
constexpr std::int64_t kError = 30;

std::string_view TypeName(std::int64_t type) {
  switch (type) {
    case kAsRequest:
      return "as_request";
    case kAsReply:
      return "as_reply";
    case kTgsRequest:
      return "tgs_request";
    case kTgsReply:
      return "tgs_reply";
    case 14:
      return "ap_request";
    case 15:
      return "ap_reply";
    case kError:
      return "error";
    default:
      return "";
  }
}

// Context tags [0] to [30] wrap one value each.
std::uint8_t ContextTag(int number) { return static_cast<std::uint8_t>(0xA0 + number); }

std::int64_t WrappedInteger(base::ByteCursor& cursor, int number) {
  const auto wrapped = ReadBer(cursor, ContextTag(number));
  if (!wrapped) return -1;
  base::ByteCursor inner(wrapped->content);
  return ReadBerInteger(inner).value_or(-1);
}

// Reads the type; the cursor is then behind it, in the message's sequence, whatever is cut off.
std::int64_t ReadType(Bytes bytes, base::ByteCursor& fields) {
  base::ByteCursor outer(bytes);
  const auto message = ReadBer(outer);
  if (!message || message->tag < 0x6A || message->tag > 0x7E) return -1;
  base::ByteCursor inner(message->content);
  const auto sequence = ReadBer(inner);
  if (!sequence || sequence->tag != kBerSequence) return -1;
  fields = base::ByteCursor(sequence->content);
  const std::int64_t by_tag = message->tag - 0x60;
  const bool is_request = by_tag == kAsRequest || by_tag == kTgsRequest;
  if (WrappedInteger(fields, is_request ? 1 : 0) != kVersion) return -1;
  const std::int64_t type = WrappedInteger(fields, is_request ? 2 : 1);
  return type == by_tag && !TypeName(type).empty() ? type : -1;
}

// "krbtgt/EXAMPLE.ORG"
std::string ReadPrincipal(Bytes wrapped) {
  base::ByteCursor outer(wrapped);
  const auto sequence = ReadBer(outer, kBerSequence);
  if (!sequence) return {};
  base::ByteCursor fields(sequence->content);
  ReadBer(fields);
  const auto list = ReadBer(fields, ContextTag(1));
  if (!list) return {};
  base::ByteCursor in_list(list->content);
  const auto parts = ReadBer(in_list, kBerSequence);
  if (!parts) return {};
  std::string name;
  base::ByteCursor cursor(parts->content);
  while (const auto part = ReadBer(cursor, kGeneralString)) {
    if (!name.empty()) name += '/';
    name += AsText(part->content);
    if (cursor.remaining() == 0) break;
  }
  return name;
}

std::string_view ReadRealm(Bytes wrapped) {
  base::ByteCursor cursor(wrapped);
  const auto text = ReadBer(cursor, kGeneralString);
  return text ? AsText(text->content) : std::string_view();
}

void ReadUser(std::string principal, std::string_view realm, Findings& findings) {
  if (principal.empty() || !findings.Get(MetadataField::kUserName).empty()) return;
  if (!realm.empty()) principal.append("@").append(realm);
  findings.SetFirst(MetadataField::kUserName, principal);
}

void ReadRequestBody(Bytes body, Findings& findings) {
  base::ByteCursor outer(body);
  const auto sequence = ReadBer(outer, kBerSequence);
  if (!sequence) return;
  base::ByteCursor cursor(sequence->content);
  std::string client;
  std::string_view realm;
  while (cursor.remaining() > 0) {
    const auto field = ReadBer(cursor);
    if (!field || !field->is_complete()) break;
    if (field->tag == ContextTag(1)) client = ReadPrincipal(field->content);
    if (field->tag == ContextTag(2)) realm = ReadRealm(field->content);
    if (field->tag == ContextTag(3)) {
      findings.SetFirst(MetadataField::kServerName, ReadPrincipal(field->content));
    }
  }
  ReadUser(client, realm, findings);
}

// 6 unknown client, 18 revoked, 23 expired, 24 wrong password, 31 integrity check failed.
bool IsLoginFailure(std::int64_t code) {
  return code == 6 || code == 18 || code == 23 || code == 24 || code == 31;
}

void ReadFields(std::int64_t type, base::ByteCursor cursor, Findings& findings) {
  const bool is_reply = type == kAsReply || type == kTgsReply;
  std::string_view realm;
  while (cursor.remaining() > 0) {
    const auto field = ReadBer(cursor);
    if (!field || !field->is_complete()) return;
    const int number = field->tag - 0xA0;
    if (number == 4 && (type == kAsRequest || type == kTgsRequest))
      ReadRequestBody(field->content, findings);
    if (number == 3 && is_reply) realm = ReadRealm(field->content);
    if (number == 4 && is_reply) ReadUser(ReadPrincipal(field->content), realm, findings);
    if (number == 6 && type == kError) {
      base::ByteCursor inner(field->content);
      const std::int64_t code = ReadBerInteger(inner).value_or(-1);
      findings.Set(MetadataField::kResponse, "error " + std::to_string(code));
      if (IsLoginFailure(code)) findings.Count(MetadataField::kLoginFailures);
    }
  }
}

void ReadContents(Bytes bytes, Findings& findings) {
  base::ByteCursor fields{Bytes()};
  const std::int64_t type = ReadType(bytes, fields);
  if (type < 0) return;
  const bool is_request = type == kAsRequest || type == kTgsRequest || type == 14;
  if (is_request) findings.SetFirst(MetadataField::kRequest, TypeName(type));
  if (type == kAsReply || type == kTgsReply) findings.Set(MetadataField::kResponse, TypeName(type));
  if (type == kAsReply) findings.Count(MetadataField::kLoginSuccesses);
  ReadFields(type, fields, findings);
}

bool IsKerberos(const Payload& payload) {
  base::ByteCursor fields{Bytes()};
  return ReadType(payload.bytes, fields) >= 0;
}

void ReadKerberos(const Payload& payload, Findings& findings) {
  ReadContents(payload.bytes, findings);
}

constexpr std::size_t kLengthBytes = 4;
constexpr std::uint32_t kMaxMessage = 1u << 20;

Verdict MatchStream(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint32_t size = cursor.U32();
  if (!cursor.ok()) return MoreUnlessLast(payload);
  if (size < 16 || size > kMaxMessage) return Verdict::kNo;
  base::ByteCursor fields{Bytes()};
  if (ReadType(cursor.rest(), fields) >= 0) return Verdict::kYes;
  const std::uint8_t tag = cursor.U8();
  const bool may_be = !cursor.ok() || (tag >= 0x6A && tag <= 0x7E);
  return may_be && payload.is_start && payload.bytes.size() < 40 ? MoreUnlessLast(payload)
                                                                 : Verdict::kNo;
}

ParseResult ParseStream(const Payload& payload, Findings& findings) {
  Bytes rest = payload.bytes;
  while (!rest.empty()) {
    base::ByteCursor cursor(rest);
    const std::uint32_t size = cursor.U32();
    const bool is_whole = cursor.ok() && cursor.remaining() >= size;
    if (!is_whole && !payload.is_last) break;
    ReadContents(cursor.rest(), findings);
    rest = is_whole ? rest.subspan(kLengthBytes + size) : Bytes();
  }
  return {payload.bytes.size() - rest.size(), ParseNext::kMore};
}

}  // namespace

constinit const Parser kKerberosParser = {
    .application = Application::kKerberos,
    .match = MatchEach<IsKerberos>,
    .parse = ReadEach<ReadKerberos>,
    .first_bytes = FirstBytes::Range(0x6A, 0x7E),
};
constinit const Parser kKerberosStreamParser = {
    .application = Application::kKerberos,
    .match = MatchStream,
    .parse = ParseStream,
    .first_bytes = FirstBytes::Of({0}),
};

}  // namespace nta::internal
