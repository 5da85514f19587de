#include <algorithm>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  TNS
//  +-----------------+-----------------+
//  | length, of all  | checksum, 0     |   since 12c the length may take all 32 bits
//  +--------+--------+-----------------+
//  | type   | flags  | checksum, 0     |   1 connect, 2 accept, 4 refuse, 5 redirect, 6 data, 11
//  resend
//  +--------+--------+-----------------+ 8
//  connect: version, ..., then "(DESCRIPTION=(CONNECT_DATA=(SERVICE_NAME=...)(CID=...(USER=...))))"
constexpr std::size_t kHeaderBytes = 8;
constexpr std::uint8_t kConnect = 1;
constexpr std::uint8_t kAccept = 2;
constexpr std::uint8_t kRefuse = 4;
constexpr std::uint8_t kRedirect = 5;
constexpr std::uint8_t kResend = 11;

bool IsVersion(std::uint16_t version) { return version >= 0x0100 && version <= 0x01FF; }

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::size_t length = cursor.U16();
  cursor.Skip(2);
  const std::uint8_t type = cursor.U8();
  cursor.Skip(1);
  const std::uint16_t checksum = cursor.U16();
  const std::uint16_t version = cursor.U16();
  const std::uint16_t oldest = cursor.U16();
  if (!cursor.ok()) {
    const bool may_be =
        payload.is_start && (payload.bytes.size() < 5 || payload.bytes[4] == kConnect);
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  if (type != kConnect || checksum != 0 || length < 34 || length > 4096) return Verdict::kNo;
  if (!IsVersion(version) || !IsVersion(oldest) || oldest > version) return Verdict::kNo;
  const std::string_view rest = AsText(cursor.rest());
  if (rest.find("(CONNECT_DATA=") < rest.size() || rest.find("(DESCRIPTION=") < rest.size() ||
      rest.find("(COMMAND=") < rest.size()) {
    return Verdict::kYes;
  }
  // A long description comes in a packet of its own.
  return payload.bytes.size() < length ? MoreUnlessLast(payload) : YesIf(payload.HasPort(1521));
}

// "value" of "(KEY=value)".
std::string_view ValueOf(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size(), 256);
  return rest.substr(0, rest.find(')'));
}

ParseNext ReadPacket(Bytes bytes, Findings& findings) {
  if (bytes.size() < kHeaderBytes) return ParseNext::kMore;
  const std::string_view text = AsText(bytes);
  switch (bytes[4]) {
    case kConnect:
    case 6:
      findings.SetFirst(MetadataField::kServerName, ValueOf(text, "(HOST="));
      findings.SetFirst(MetadataField::kUserName, ValueOf(text, "(USER="));
      findings.SetFirst(MetadataField::kRequest, ValueOf(text, "(SERVICE_NAME="));
      findings.SetFirst(MetadataField::kRequest, ValueOf(text, "(SID="));
      findings.SetFirst(MetadataField::kClientVersion, ValueOf(text, "(PROGRAM="));
      return ParseNext::kMore;
    case kAccept:
      findings.Set(MetadataField::kResponse, "accept");
      return ParseNext::kDone;
    case kRefuse:
      findings.Set(MetadataField::kResponse, "refuse");
      return ParseNext::kDone;
    case kRedirect:
      findings.Set(MetadataField::kResponse, "redirect");
      return ParseNext::kDone;
    case kResend:
      return ParseNext::kMore;
    default:
      return ParseNext::kDone;
  }
}

std::size_t SizeOf(Bytes bytes) {
  if (bytes.size() < kHeaderBytes) return 0;
  base::ByteCursor cursor(bytes);
  const std::size_t length = cursor.U16();
  return length != 0 ? std::max(length, kHeaderBytes) : kBrokenFrame;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) { return ReadPacket(bytes, findings); });
}

}  // namespace

constinit const Parser kOracleParser = {
    .application = Application::kOracle,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Range(0, 15),
};

}  // namespace nta::internal
