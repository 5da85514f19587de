#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  | length, of all | request id | answers to | operation |    32 bits each, little endian
//  2013 OP_MSG:   | flags (32) | section 0 | document |
//  2004 OP_QUERY: | flags (32) | collection, 0 | skip, count (32) | document |
//  1 OP_REPLY:    | flags (32) | cursor (64) | from, count (32) | documents |
//  document: | length (32) | type (8) | name, 0 | value | ... | 0 |     (BSON)
constexpr std::size_t kHeaderBytes = 16;
constexpr std::uint32_t kMaxMessage = 48'000'000;
constexpr std::uint32_t kReply = 1;
constexpr std::uint32_t kQuery = 2004;
constexpr std::uint32_t kMessage = 2013;

bool IsOperation(std::uint32_t operation) {
  return operation == kReply || (operation >= 2001 && operation <= 2007) ||
         (operation >= 2010 && operation <= kMessage);
}

struct Header {
  std::uint32_t length = 0;
  std::uint32_t answers_to = 0;
  std::uint32_t operation = 0;
};

Header ReadHeader(base::ByteCursor& cursor) {
  Header header;
  header.length = cursor.U32LittleEndian();
  cursor.Skip(4);
  header.answers_to = cursor.U32LittleEndian();
  header.operation = cursor.U32LittleEndian();
  return header;
}

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const Header header = ReadHeader(cursor);
  if (payload.bytes.size() < kHeaderBytes) {
    const bool may_be =
        payload.bytes.size() < 4 || (header.length >= kHeaderBytes && header.length <= kMaxMessage);
    return may_be && payload.is_start ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  if (header.length <= kHeaderBytes || header.length > kMaxMessage ||
      !IsOperation(header.operation)) {
    return Verdict::kNo;
  }
  // One number is too small to go by: an answer names its question.
  if (header.operation == kReply) return YesIf(header.answers_to != 0 && header.length >= 36);
  return Verdict::kYes;
}

// The first name in a document: a command's.
std::string_view FirstName(Bytes document) {
  base::ByteCursor cursor(document);
  cursor.Skip(5);
  const std::string_view rest = AsText(cursor.rest()).substr(0, 64);
  return rest.substr(0, rest.find('\0'));
}

constexpr std::string_view kNoValue{};

// The bytes after "name, 0" of the element with this type; empty without. Good enough to find a
// top-level field of a short document; bounded by the frame.
std::string_view FindElement(Bytes document, char type, std::string_view name) {
  const std::string_view text = AsText(document);
  std::string key(1, type);
  key.append(name).push_back('\0');
  const std::size_t at = text.find(key);
  return at == std::string_view::npos ? kNoValue : text.substr(at + key.size());
}

// SCRAM's first message holds "n=user,".
void ReadUser(Bytes document, Findings& findings) {
  const std::string_view text = AsText(document);
  const std::size_t at = text.find("n,,n=");
  if (at == std::string_view::npos) return;
  const std::string_view rest = text.substr(at + 5, 256);
  findings.SetFirst(MetadataField::kUserName, rest.substr(0, rest.find(',')));
}

enum Memory : std::size_t { kLoginRunning = 0 };

void ReadDocument(Bytes document, bool is_answer, Findings& findings) {
  std::uint32_t& running = findings.memory()[kLoginRunning];
  if (!is_answer) {
    const std::string_view name = FirstName(document);
    if (IsPrintableAscii(name)) findings.SetFirst(MetadataField::kRequest, name);
    if (name == "saslStart" || name == "saslContinue" || name == "authenticate") running = 1;
    if (name == "saslStart") ReadUser(document, findings);
    return;
  }
  if (running == 0) return;
  running = 0;
  constexpr std::string_view kAuthenticationFailed{"\x12\0\0\0", 4};
  if (FindElement(document, '\x10', "code").starts_with(kAuthenticationFailed)) {
    findings.Count(MetadataField::kLoginFailures);
  } else if (FindElement(document, '\x08', "done").starts_with('\x01')) {
    findings.Count(MetadataField::kLoginSuccesses);
  }
}

ParseNext ReadMessage(Bytes bytes, Findings& findings) {
  base::ByteCursor cursor(bytes);
  const Header header = ReadHeader(cursor);
  cursor.Skip(4);
  if (header.operation == kMessage) {
    if (cursor.U8() == 0) ReadDocument(cursor.rest(), header.answers_to != 0, findings);
  } else if (header.operation == kQuery) {
    const std::size_t end = AsText(cursor.rest()).find('\0');
    if (end == std::string_view::npos) return ParseNext::kMore;
    cursor.Skip(end + 1 + 8);
    ReadDocument(cursor.rest(), false, findings);
  } else if (header.operation == kReply) {
    cursor.Skip(16);
    ReadDocument(cursor.rest(), true, findings);
  }
  return findings.Get(MetadataField::kLoginSuccesses).empty() ? ParseNext::kMore : ParseNext::kDone;
}

std::size_t SizeOf(Bytes bytes) {
  if (bytes.size() < kHeaderBytes) return 0;
  const std::uint32_t length = base::ByteCursor(bytes).U32LittleEndian();
  return length < kHeaderBytes || length > kMaxMessage ? kBrokenFrame : length;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) { return ReadMessage(bytes, findings); });
}

}  // namespace

constinit const Parser kMongodbParser = {
    .application = Application::kMongodb,
    .match = Match,
    .parse = Parse,
};

}  // namespace nta::internal
