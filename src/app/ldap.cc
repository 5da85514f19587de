#include "app/ber.h"
#include "app/ntlm.h"
#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  SEQUENCE { message id INTEGER, operation [APPLICATION n], ... }            (RFC 4511)
//  bind request [0]:  { version INTEGER, name OCTET STRING, simple [0] secret | SASL [3] {
//  mechanism, ... } } results [1], [5]:  { code ENUMERATED, matched name, text }
enum Memory : std::size_t { kNamed = 0 };  // the last bind had a name or SASL
constexpr std::uint8_t kBindRequest = 0x60;
constexpr std::uint8_t kBindResponse = 0x61;
constexpr std::uint8_t kSearchRequest = 0x63;
constexpr std::uint8_t kExtendedRequest = 0x77;
constexpr std::uint8_t kExtendedResponse = 0x78;
constexpr std::uint8_t kSasl = 0xA3;

std::string_view OperationName(std::uint8_t tag) {
  switch (tag) {
    case kBindRequest:
      return "bind";
    case 0x42:
      return "unbind";
    case kSearchRequest:
      return "search";
    case 0x66:
      return "modify";
    case 0x68:
      return "add";
    case 0x4A:
      return "delete";
    case 0x6C:
      return "modify_name";
    case 0x6E:
      return "compare";
    case 0x50:
      return "abandon";
    case kExtendedRequest:
      return "extended";
    default:
      return "";
  }
}

bool IsResponse(std::uint8_t tag) {
  return tag == kBindResponse || tag == 0x64 || tag == 0x65 || tag == 0x67 || tag == 0x69 ||
         tag == 0x6B || tag == 0x6D || tag == 0x6F || tag == 0x73 || tag == kExtendedResponse;
}

struct Message {
  BerValue operation;
  bool needs_more = false;
};

bool ReadMessage(Bytes bytes, Message& message) {
  base::ByteCursor outer(bytes);
  if (bytes.empty() || bytes[0] != kBerSequence) return false;
  const auto sequence = ReadBer(outer);
  message.needs_more = bytes.size() < 16;
  if (!sequence) return message.needs_more;
  base::ByteCursor cursor(sequence->content);
  const auto id = ReadBerInteger(cursor);
  const auto operation = ReadBer(cursor);
  if (!id || !operation) return message.needs_more && bytes.size() < 12;
  message.needs_more = false;
  message.operation = *operation;
  return *id >= 0 && (IsResponse(operation->tag) || !OperationName(operation->tag).empty());
}

// What the operation must begin with.
bool IsPlausible(const BerValue& operation) {
  base::ByteCursor cursor(operation.content);
  switch (operation.tag) {
    case kBindRequest: {
      const auto version = ReadBerInteger(cursor);
      return version && *version >= 2 && *version <= 3;
    }
    case kSearchRequest:
    case 0x64:
    case 0x66:
    case 0x68: {
      const auto name = ReadBer(cursor);
      return name && name->tag == kBerOctetString;
    }
    case 0x42:
      return operation.size == 0;
    case 0x4A:
    case 0x50:
      return operation.size < 512;
    case kExtendedRequest: {
      const auto name = ReadBer(cursor);
      return name && name->tag == 0x80;
    }
    case 0x6C:
    case 0x6E:
    case 0x73:
      return operation.size > 0;
    default:
      return ReadBerInteger(cursor, kBerEnumerated).has_value();
  }
}

Verdict Match(const Payload& payload) {
  Message message;
  if (!ReadMessage(payload.bytes, message)) return Verdict::kNo;
  if (message.needs_more) return payload.is_tcp() ? MoreUnlessLast(payload) : Verdict::kNo;
  if (IsPlausible(message.operation)) return Verdict::kYes;
  const BerValue& operation = message.operation;
  constexpr std::size_t kEnough = 8;
  const bool is_cut = !operation.is_complete() && operation.content.size() < kEnough;
  return is_cut && payload.is_tcp() ? MoreUnlessLast(payload) : Verdict::kNo;
}

void ReadBind(Bytes content, Findings& findings) {
  base::ByteCursor cursor(content);
  ReadBerInteger(cursor);
  const auto name = ReadBer(cursor, kBerOctetString);
  const auto credentials = ReadBer(cursor);
  if (!name) return;
  SetFirst(findings, MetadataField::kUserName, name->content);
  const bool is_sasl = credentials && credentials->tag == kSasl;
  findings.memory()[kNamed] = !name->content.empty() || is_sasl ? 1 : 0;
  if (credentials) ReadNtlm(credentials->content, findings);
}

void ReadBindResult(Bytes content, Findings& findings) {
  base::ByteCursor cursor(content);
  const auto code = ReadBerInteger(cursor, kBerEnumerated);
  if (!code) return;
  constexpr std::int64_t kSuccess = 0;
  constexpr std::int64_t kInProgress = 14;
  constexpr std::int64_t kInvalidCredentials = 49;
  constexpr std::int64_t kInsufficientAccess = 50;
  ReadNtlm(content, findings);
  if (*code == kInProgress) return;
  findings.Set(MetadataField::kResponse,
               *code == kSuccess ? "success" : "error " + std::to_string(*code));
  // An anonymous bind is no log-in.
  if (*code == kSuccess && findings.memory()[kNamed] != 0) {
    findings.Count(MetadataField::kLoginSuccesses);
  }
  if (*code >= 48 && (*code == kInvalidCredentials || *code == kInsufficientAccess)) {
    findings.Count(MetadataField::kLoginFailures);
  }
}

ParseNext ReadOperation(Bytes bytes, Findings& findings) {
  Message message;
  if (!ReadMessage(bytes, message)) return ParseNext::kDone;  // sealed by SASL from here on
  const BerValue& operation = message.operation;
  findings.SetFirst(MetadataField::kRequest, OperationName(operation.tag));
  if (operation.tag == kBindRequest) ReadBind(operation.content, findings);
  if (operation.tag == kBindResponse) ReadBindResult(operation.content, findings);
  if (operation.tag == kExtendedRequest) {
    constexpr std::string_view kStartTls = "1.3.6.1.4.1.1466.20037";
    const bool asks_tls = AsText(operation.content).find(kStartTls) != std::string_view::npos;
    if (asks_tls) findings.Set(MetadataField::kRequest, "start_tls");
  }
  const bool may_be_tls =
      operation.tag == kExtendedResponse && findings.Get(MetadataField::kRequest) == "start_tls";
  return may_be_tls ? ParseNext::kRestart : ParseNext::kMore;
}

std::size_t SizeOf(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const auto value = ReadBer(cursor);
  if (!value) return bytes.size() < 6 ? 0 : kBrokenFrame;
  if (value->tag != kBerSequence) return kBrokenFrame;
  return bytes.size() - cursor.remaining() - value->content.size() + value->size;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) { return ReadOperation(bytes, findings); });
}

}  // namespace

constinit const Parser kLdapParser = {
    .application = Application::kLdap,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({kBerSequence}),
    .patience = 4,
};

}  // namespace nta::internal
