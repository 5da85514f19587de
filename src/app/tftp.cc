#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  read, write: | 1 or 2 (16) | file name, 0 | mode, 0 | options (RFC 2347): name, 0, value, 0 ...
//  | data:        | 3 | block (16) | up to 512 bytes |      acknowledgement: | 4 | block | error:
//  | 5 | code (16) | text, 0 |               options:         | 6 | name, 0, value, 0 ... |
constexpr std::uint16_t kWrite = 2;
constexpr std::uint16_t kData = 3;
constexpr std::uint16_t kAcknowledge = 4;
constexpr std::uint16_t kError = 5;

// The text up to the next NUL, which is taken, too.
std::string_view TakeText(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return {};
  const std::string_view text = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return text;
}

struct Request {
  std::uint16_t operation = 0;
  std::string_view file;
};

bool ReadRequest(Bytes bytes, Request& request) {
  base::ByteCursor cursor(bytes);
  request.operation = cursor.U16();
  if (!cursor.ok() || request.operation < 1 || request.operation > kWrite) return false;
  std::string_view rest = AsText(cursor.rest());
  request.file = TakeText(rest);
  const std::string_view mode = TakeText(rest);
  return !request.file.empty() && IsPrintableAscii(request.file) &&
         (EqualsIgnoreCase(mode, "octet") || EqualsIgnoreCase(mode, "netascii") ||
          EqualsIgnoreCase(mode, "mail"));
}

std::uint32_t OperationAndBlock(Bytes bytes) { return base::ByteCursor(bytes).U32(); }

// The server answers from a port of its own, so the transfer is another flow: block 1 and its
// acknowledgement, or block after block, tell it.
bool IsTransfer(const Payload& payload) {
  const std::uint32_t now = OperationAndBlock(payload.bytes);
  const std::uint32_t before = OperationAndBlock(payload.other);
  const std::uint32_t block = now & 0xFFFF;
  if (block != (before & 0xFFFF) || block == 0 || before >> 16 != (now >> 16 ^ 7)) return false;
  if (now >> 16 == kAcknowledge) return payload.wire_size() == 4 && before >> 16 == kData;
  return now >> 16 == kData && before >> 16 == kAcknowledge && payload.wire_size() >= 4;
}

bool MayBeTransfer(const Payload& payload) {
  const std::uint32_t operation = OperationAndBlock(payload.bytes) >> 16;
  return operation == kData || operation == kAcknowledge;
}

bool IsError(Bytes bytes) {
  base::ByteCursor cursor(bytes);
  const std::uint16_t operation = cursor.U16();
  const std::uint16_t code = cursor.U16();
  if (!cursor.ok() || operation != kError || code > 8) return false;
  std::string_view rest = AsText(cursor.rest());
  if (rest.size() < 2 || rest.back() != '\0') return false;
  return IsPrintableAscii(rest.substr(0, rest.size() - 1));
}

bool IsTftp(const Payload& payload) {
  Request request;
  return ReadRequest(payload.bytes, request) || IsTransfer(payload) || IsError(payload.bytes);
}

void ReadTftp(const Payload& payload, Findings& findings) {
  Request request;
  if (ReadRequest(payload.bytes, request)) {
    std::string text(request.operation == kWrite ? "write " : "read ");
    text += request.file;
    SetFirst(findings, MetadataField::kRequest, text);
  } else if (IsError(payload.bytes)) {
    SetFirstNumber(findings, MetadataField::kResponse, "error", payload.bytes[3]);
  }
}

}  // namespace

constinit const Parser kTftpParser = {
    .application = Application::kTftp,
    .match = MatchPair<IsTftp, MayBeTransfer>,
    .parse = ReadEach<ReadTftp>,
    .first_bytes = FirstBytes::Of({0}),
};

}  // namespace nta::internal
