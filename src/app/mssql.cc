#include <algorithm>

#include "app/ntlm.h"
#include "app/rows.h"
#include "app/values.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

//  TDS (MS-TDS 2.2.3.1)
//  +--------+--------+-----------------+
//  | type   | status | length, of all  |   0x12 prelogin, 0x10 log-in, 4 answer, 0x11 SSPI
//  +--------+--------+--------+--------+
//  | server process  | packet | 0      |
//  +-----------------+--------+--------+
//  prelogin: | option (8) | offset (16) | length (16) | ... | 0xFF |
//  log-in:   fixed 36 bytes, then | offset (16) | characters (16) | of host, user, password,
//  program, ...
constexpr std::size_t kHeaderBytes = 8;
constexpr std::uint8_t kPrelogin = 0x12;
constexpr std::uint8_t kLogin = 0x10;
constexpr std::uint8_t kSspi = 0x11;
constexpr std::uint8_t kAnswer = 0x04;
constexpr std::size_t kLoginFixedBytes = 36;

bool IsPrelogin(Bytes body) {
  base::ByteCursor cursor(body);
  const std::uint8_t option = cursor.U8();
  const std::size_t offset = cursor.U16();
  const std::size_t length = cursor.U16();
  return cursor.ok() && option == 0 && offset >= 6 && offset < 256 && length == 6;
}

bool IsLogin(Bytes body) {
  base::ByteCursor cursor(body);
  const std::size_t length = cursor.U32LittleEndian();
  const std::uint32_t version = cursor.U32LittleEndian();
  return cursor.ok() && length >= 86 && length <= 32'768 && (version >> 24) >= 0x70 &&
         (version >> 24) <= 0x7F;
}

Verdict Match(const Payload& payload) {
  base::ByteCursor cursor(payload.bytes);
  const std::uint8_t type = cursor.U8();
  const std::uint8_t status = cursor.U8();
  const std::size_t length = cursor.U16();
  cursor.Skip(3);
  const std::uint8_t window = cursor.U8();
  if (status > 1 || window != 0) return Verdict::kNo;
  if (!cursor.ok() || cursor.remaining() < 8) return MoreUnlessLast(payload);
  if (length <= kHeaderBytes) return Verdict::kNo;
  return YesIf(type == kPrelogin ? IsPrelogin(cursor.rest()) : IsLogin(cursor.rest()));
}

Bytes TakeField(Bytes body, base::ByteCursor& cursor) {
  const std::size_t offset = cursor.U16LittleEndian();
  const std::size_t size = cursor.U16LittleEndian() * std::size_t{2};
  if (!cursor.ok() || offset > body.size() || size > body.size() - offset) return {};
  return body.subspan(offset, size);
}

void ReadLogin(Bytes body, Findings& findings) {
  base::ByteCursor cursor(body);
  cursor.Skip(kLoginFixedBytes);
  SetFirstUtf16(findings, MetadataField::kHostName, TakeField(body, cursor));
  SetFirstUtf16(findings, MetadataField::kUserName, TakeField(body, cursor));
  cursor.Skip(4);  // the password, which is only scrambled
  SetFirstUtf16(findings, MetadataField::kClientVersion, TakeField(body, cursor));
  SetFirstUtf16(findings, MetadataField::kServerName, TakeField(body, cursor));
  ReadNtlm(body, findings);
}

// A log-in's answer begins with what changed and messages: | token | length (16) | ... |
ParseNext ReadAnswer(Bytes body, Findings& findings) {
  constexpr std::uint8_t kError = 0xAA;
  constexpr std::uint8_t kInfo = 0xAB;
  constexpr std::uint8_t kLoginAck = 0xAD;
  constexpr std::uint8_t kEnvironment = 0xE3;
  constexpr std::uint32_t kLoginFailed = 18456;
  base::ByteCursor cursor(body);
  while (cursor.remaining() >= 3) {
    const std::uint8_t token = cursor.U8();
    base::ByteCursor value(cursor.Bytes(cursor.U16LittleEndian()));
    if (token == kLoginAck) {
      findings.Count(MetadataField::kLoginSuccesses);
      return ParseNext::kDone;
    }
    if (token == kError) {
      const std::uint32_t number = value.U32LittleEndian();
      SetFirstNumber(findings, MetadataField::kResponse, "error", number);
      if (number == kLoginFailed || number == 18452 || number == 18470 || number == 18487) {
        findings.Count(MetadataField::kLoginFailures);
      }
      return ParseNext::kDone;
    }
    if (token != kInfo && token != kEnvironment) return ParseNext::kMore;
  }
  return ParseNext::kMore;
}

enum Memory : std::size_t { kHadLogin = 0 };

ParseNext ReadPacket(Bytes bytes, Findings& findings) {
  if (bytes.size() < kHeaderBytes) return ParseNext::kMore;
  const Bytes body = bytes.subspan(kHeaderBytes);
  switch (bytes[0]) {
    case kPrelogin:
      findings.SetFirst(MetadataField::kRequest, "prelogin");
      return ParseNext::kMore;
    case kLogin:
      findings.memory()[kHadLogin] = 1;
      findings.Set(MetadataField::kRequest, "login");
      ReadLogin(body, findings);
      return ParseNext::kMore;
    case kSspi:
      ReadNtlm(body, findings);
      return ParseNext::kMore;
    case kAnswer:
      if (findings.memory()[kHadLogin] == 0) return ParseNext::kMore;
      ReadNtlm(body, findings);
      return ReadAnswer(body, findings);
    default:
      return ParseNext::kDone;
  }
}

std::size_t SizeOf(Bytes bytes) {
  if (bytes.size() < 4) return 0;
  const std::size_t length = base::ByteCursor(bytes.subspan(2)).U16();
  return length < kHeaderBytes ? kBrokenFrame : length;
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  return ReadFrames(payload, SizeOf, [&](Bytes bytes) { return ReadPacket(bytes, findings); });
}

}  // namespace

constinit const Parser kMssqlParser = {
    .application = Application::kMssql,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({kPrelogin, kLogin}),
};

}  // namespace nta::internal
