#include <algorithm>
#include <string>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"
#include "base/byte_cursor.h"
#include "nta/net/ip_address.h"

namespace nta::internal {
namespace {

//  SOCKS5 (RFC 1928, RFC 1929)                     SOCKS4, 4a
//  client: | 5 | n | n methods |                   | 4 | command | port (16) | address (32) | user,
//  0 | host, 0 | server: | 5 | method |                          | 0 | 90 to 93 | port | address |
//  method 2: | 1 | n | user | m | password |   answered by | 1 | 0 is a success |
//  client: | 5 | command | 0 | type | address | port |     server: | 5 | code | 0 | type | address
//  | port |
constexpr std::uint8_t kVersion4 = 4;
constexpr std::uint8_t kVersion5 = 5;
constexpr std::uint8_t kUserMethod = 2;
constexpr std::uint8_t kNoMethod = 0xFF;

enum Memory : std::size_t { kClientIsReverse = 0, kClientStep = 1, kMethod = 2, kServerStep = 3 };
enum Step : std::uint32_t { kGreeting = 0, kLogin = 1, kRequest = 2, kOver = 3 };

// A list of all that the client can do, and nothing behind it.
bool IsGreeting5(Bytes bytes) {
  if (bytes.size() < 3 || bytes[0] != kVersion5 || bytes[1] == 0) return false;
  if (bytes.size() != 2u + bytes[1]) return false;
  return std::ranges::all_of(bytes.subspan(2),
                             [](std::uint8_t m) { return m <= 9 || (m >= 0x80 && m < 0xFF); });
}

bool IsChoice5(Bytes bytes) {
  return bytes.size() >= 2 && bytes[0] == kVersion5 && (bytes[1] <= 9 || bytes[1] == kNoMethod);
}

struct Request4 {
  std::uint16_t port = 0;
  std::uint32_t address = 0;
  std::string_view user;
  std::string_view host;
};

bool ReadRequest4(Bytes bytes, Request4& request) {
  base::ByteCursor cursor(bytes);
  const std::uint8_t version = cursor.U8();
  const std::uint8_t command = cursor.U8();
  request.port = cursor.U16();
  request.address = cursor.U32();
  if (!cursor.ok() || version != kVersion4 || command < 1 || command > 2 || request.port == 0)
    return false;
  std::string_view rest = AsText(cursor.rest());
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos || !IsPrintableAscii(rest.substr(0, end))) return false;
  request.user = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  // 0.0.0.x: the name of the host follows.
  if (request.address == 0 || request.address > 0xFF) return rest.empty() && request.address != 0;
  const std::size_t host_end = rest.find('\0');
  if (host_end == std::string_view::npos || host_end == 0) return false;
  request.host = rest.substr(0, host_end);
  return IsPrintableAscii(request.host);
}

bool IsReply4(Bytes bytes) {
  return bytes.size() >= 8 && bytes[0] == 0 && bytes[1] >= 90 && bytes[1] <= 93;
}

Verdict Match(const Payload& payload) {
  const Bytes bytes = payload.bytes;
  Request4 request;
  if (bytes[0] == kVersion5) {
    if (IsGreeting5(bytes) && IsChoice5(payload.other)) return Verdict::kYes;
    if (IsChoice5(bytes) && IsGreeting5(payload.other)) return Verdict::kYes;
    const bool may_be =
        IsGreeting5(bytes) || (bytes.size() < 2u + (bytes.size() > 1 ? bytes[1] : 255u));
    if (IsGreeting5(bytes) && payload.HasPort(1080)) return Verdict::kYes;
    return payload.is_start && may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  if (bytes[0] == kVersion4) {
    if (ReadRequest4(bytes, request)) {
      if (payload.HasPort(1080) || !request.host.empty() || IsReply4(payload.other))
        return Verdict::kYes;
      return MoreUnlessLast(payload);
    }
    const bool is_command = bytes.size() < 2 || bytes[1] == 1 || bytes[1] == 2;
    const bool is_short =
        bytes.size() < 9 || IsPrintableAscii(AsText(bytes.subspan(8)).substr(0, 1));
    const bool may_be = payload.is_start && is_command && is_short && bytes.size() < 300;
    return may_be ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  return YesIf(IsReply4(bytes) && ReadRequest4(payload.other, request));
}

std::string Ipv4Text(std::uint32_t address) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) {
    if (!text.empty()) text += '.';
    text += std::to_string(address >> shift & 0xFF);
  }
  return text;
}

// | type 1 IPv4, 3 name, 4 IPv6 | address | port |
bool TakeAddress(base::ByteCursor& cursor, std::string& host) {
  const std::uint8_t type = cursor.U8();
  if (type == 1) {
    host = Ipv4Text(cursor.U32());
  } else if (type == 3) {
    host = AsText(cursor.Bytes(cursor.U8()));
  } else if (type == 4) {
    host = "IPv6";
    cursor.Skip(16);
  } else {
    return false;
  }
  cursor.Skip(2);
  return cursor.ok();
}

ParseResult ReadClient(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  base::ByteCursor cursor(payload.bytes);
  const auto rest_later = [&](const base::ByteCursor& at) {
    return ParseResult{payload.bytes.size() - at.remaining(), ParseNext::kMore};
  };
  Request4 request;
  if (memory[kClientStep] == kGreeting) {
    if (payload.bytes[0] == kVersion4) {
      if (!ReadRequest4(payload.bytes, request)) return {0, ParseNext::kMore};
      findings.SetFirst(MetadataField::kUserName, request.user);
      findings.SetFirst(
          MetadataField::kServerName,
          request.host.empty() ? std::string_view(Ipv4Text(request.address)) : request.host);
      findings.SetFirst(MetadataField::kClientVersion, "SOCKS4");
      memory[kClientStep] = kOver;
      memory[kServerStep] = kOver;
      return Read(payload, ParseNext::kMore);
    }
    base::ByteCursor ahead = cursor;
    ahead.Skip(1);
    ahead.Skip(ahead.U8());
    if (!ahead.ok()) return {0, ParseNext::kMore};
    cursor = ahead;
    findings.SetFirst(MetadataField::kClientVersion, "SOCKS5");
    memory[kClientStep] = kLogin;
  }
  if (memory[kClientStep] == kLogin && cursor.remaining() > 0) {
    base::ByteCursor ahead = cursor;
    if (ahead.U8() == 1) {
      const Bytes user = ahead.Bytes(ahead.U8());
      ahead.Skip(ahead.U8());
      if (!ahead.ok()) return rest_later(cursor);
      SetFirst(findings, MetadataField::kUserName, user);
      cursor = ahead;
    }
    memory[kClientStep] = kRequest;
  }
  if (memory[kClientStep] == kRequest && cursor.remaining() > 0) {
    base::ByteCursor ahead = cursor;
    ahead.Skip(1);
    const std::uint8_t command = ahead.U8();
    ahead.Skip(1);
    std::string host;
    if (!TakeAddress(ahead, host))
      return ahead.ok() ? Read(payload, ParseNext::kDone) : rest_later(cursor);
    findings.SetFirst(MetadataField::kServerName, host);
    findings.SetFirst(MetadataField::kRequest, command == 1   ? "connect"
                                               : command == 2 ? "bind"
                                                              : "udp");
    cursor = ahead;
    memory[kClientStep] = kOver;
  }
  return rest_later(cursor);
}

ParseResult ReadServer(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  base::ByteCursor cursor(payload.bytes);
  if (payload.bytes[0] == 0 && IsReply4(payload.bytes)) {
    SetFirstNumber(findings, MetadataField::kResponse, "code", payload.bytes[1]);
    return {8, payload.bytes[1] == 90 ? ParseNext::kRestart : ParseNext::kDone};
  }
  if (memory[kServerStep] == kGreeting) {
    if (cursor.remaining() < 2) return {0, ParseNext::kMore};
    cursor.Skip(1);
    memory[kMethod] = cursor.U8();
    if (memory[kMethod] == kNoMethod) return Read(payload, ParseNext::kDone);
    memory[kServerStep] = memory[kMethod] == kUserMethod ? kLogin : kRequest;
  }
  if (memory[kServerStep] == kLogin && cursor.remaining() >= 2) {
    cursor.Skip(1);
    const bool is_success = cursor.U8() == 0;
    findings.Count(is_success ? MetadataField::kLoginSuccesses : MetadataField::kLoginFailures);
    if (!is_success) return Read(payload, ParseNext::kDone);
    memory[kServerStep] = kRequest;
  }
  if (memory[kServerStep] == kRequest && cursor.remaining() >= 4) {
    base::ByteCursor ahead = cursor;
    ahead.Skip(1);
    const std::uint8_t code = ahead.U8();
    ahead.Skip(1);
    std::string unused;
    if (TakeAddress(ahead, unused)) {
      SetFirstNumber(findings, MetadataField::kResponse, "code", code);
      // What is carried from here on is another protocol.
      return {payload.bytes.size() - ahead.remaining(),
              code == 0 ? ParseNext::kRestart : ParseNext::kDone};
    }
  }
  return {payload.bytes.size() - cursor.remaining(), ParseNext::kMore};
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  ParserMemory& memory = findings.memory();
  constexpr std::uint32_t kForward = 1;
  constexpr std::uint32_t kReverse = 2;
  if (memory[kClientIsReverse] == 0) {
    Request4 request;
    const bool is_client = IsGreeting5(payload.bytes) || ReadRequest4(payload.bytes, request);
    memory[kClientIsReverse] = payload.is_forward == is_client ? kForward : kReverse;
  }
  const bool is_client = payload.is_forward == (memory[kClientIsReverse] == kForward);
  return is_client ? ReadClient(payload, findings) : ReadServer(payload, findings);
}

}  // namespace

constinit const Parser kSocksParser = {
    .application = Application::kSocks,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Of({0, kVersion4, kVersion5}),
};

}  // namespace nta::internal
