//  ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2)      ServerHello (4.1.3)
//  +---------+----------------------+                  +---------+----------------------+
//  | version |      random (32)     |                  | version |      random (32)     |
//  +----+----+--------------+-------+                  +----+----+--------------+-------+
//  | n  | session id (n)    |                          | n  | session id (n)    |
//  +----+-------------------+  DTLS: n, cookie (n)     +----+----+---+----------+
//  | n (2) | cipher suites (2 each) |                  | cipher | compression 1 |
//  +----+--+------------------------+                  +--------+---------------+
//  | n  | compression methods (n)   |                  | n (2) | extensions     |
//  +----+--+------------------------+                  +-------+----------------+
//  | n (2) | extensions: type (2), length (2), data |
//  +-------+----------------------------------------+
#include "app/tls_hello.h"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "app/fingerprints.h"
#include "app/tls_names.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

enum Extension : std::uint16_t {
  kServerName = 0,
  kGroups = 10,
  kPointFormats = 11,
  kSignatureAlgorithms = 13,
  kAlpn = 16,
  kSupportedVersions = 43,
  kEncryptedHello = 0xFE0D,
};

// A server's name stays of use for its address for a while after a client asked for it.
constexpr auto kServerNameValidity = std::chrono::hours(1);

// RFC 8446 4.1.3: SHA-256 of "HelloRetryRequest".
constexpr std::array<std::uint8_t, 32> kRetryRandom = {
    0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
    0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C};

std::string_view Text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Two-byte numbers without GREASE.
void ReadNumbers(Bytes bytes, NumberList& list) {
  ByteCursor cursor(bytes);
  while (cursor.remaining() >= 2) {
    const std::uint16_t number = cursor.U16();
    if (!IsGrease(number)) list.Add(number);
  }
}

// The highest version of a client's list; those of DTLS count downwards.
void ReadVersions(Bytes data, ClientHello& hello) {
  ByteCursor cursor(data);
  ByteCursor versions(cursor.Bytes(cursor.U8()));
  const bool is_dtls = hello.transport == HelloTransport::kDtls;
  while (versions.remaining() >= 2) {
    const std::uint16_t version = versions.U16();
    if (IsGrease(version)) continue;
    const bool is_better = is_dtls ? version < hello.best_version : version > hello.best_version;
    if (hello.best_version == 0 || is_better) hello.best_version = version;
  }
}

void ReadServerName(Bytes data, ClientHello& hello) {
  hello.has_server_name = true;
  ByteCursor list(data);
  ByteCursor names(list.Bytes(list.U16()));
  if (names.U8() != 0) return;  // host_name is the only type there is
  const std::uint16_t size = names.U16();
  // A message that was cut still shows the beginning of a name, which would be another name.
  hello.server_name = Text(names.Bytes(size));
}

void ReadExtension(std::uint16_t type, Bytes data, ClientHello& hello) {
  ByteCursor cursor(data);
  switch (type) {
    case kServerName:
      return ReadServerName(data, hello);
    case kGroups:
      return ReadNumbers(cursor.Bytes(cursor.U16()), hello.groups);
    case kPointFormats:
      for (const std::uint8_t format : cursor.Bytes(cursor.U8())) hello.point_formats.Add(format);
      return;
    case kSignatureAlgorithms:
      return ReadNumbers(cursor.Bytes(cursor.U16()), hello.signature_algorithms);
    case kAlpn:
      hello.protocols = cursor.Bytes(cursor.U16());
      return;
    case kSupportedVersions:
      return ReadVersions(data, hello);
    case kEncryptedHello:
      hello.has_encrypted_hello = true;
      return;
    default:
      return;
  }
}

// Calls use(type, data) for each extension; those after a contradiction are left out.
template <typename Use>
void ForEachExtension(ByteCursor& cursor, Use use) {
  if (cursor.remaining() < 2) return;
  const std::size_t size = cursor.U16();
  ByteCursor extensions(cursor.Bytes(std::min(size, cursor.remaining())));
  while (extensions.remaining() >= 4) {
    const std::uint16_t type = extensions.U16();
    const Bytes data = extensions.Bytes(extensions.U16());
    if (!extensions.ok()) return;
    use(type, data);
  }
}

void AppendNumbers(std::span<const std::uint16_t> numbers, std::string& out) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) out += '-';
    std::array<char, 5> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), numbers[i]).ptr;
    out.append(digits.data(), end);
  }
}

void AppendHexNumbers(std::span<const std::uint16_t> numbers, std::string& out) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0) out += ',';
    for (int shift = 12; shift >= 0; shift -= 4) {
      out += kDigits[static_cast<std::size_t>(numbers[i] >> shift & 15)];
    }
  }
}

// Calls use(name) for each protocol of ALPN.
template <typename Use>
void ForEachProtocol(Bytes protocols, Use use) {
  ByteCursor cursor(protocols);
  while (cursor.remaining() > 0) {
    const Bytes name = cursor.Bytes(cursor.U8());
    if (!cursor.ok()) return;
    use(name);
  }
}

std::string_view Ja4Version(std::uint16_t version) {
  switch (version) {
    case 0x0304:
      return "13";
    case 0x0303:
      return "12";
    case 0x0302:
      return "11";
    case 0x0301:
      return "10";
    case 0x0300:
      return "s3";
    case 0x0002:
      return "s2";
    case 0xFEFF:
      return "d1";
    case 0xFEFD:
      return "d2";
    case 0xFEFC:
      return "d3";
    default:
      return "00";
  }
}

constexpr bool IsAlphanumeric(std::uint8_t c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

std::string TwoDigits(std::size_t count) {
  const std::string digits = std::to_string(std::min<std::size_t>(count, 99));
  return digits.size() < 2 ? "0" + digits : digits;
}

std::string Ja4Ciphers(const ClientHello& hello, Digests& digests) {
  if (hello.ciphers.size() == 0) return "000000000000";
  std::array<std::uint16_t, 400> sorted;
  const auto values = hello.ciphers.values();
  const auto end = std::ranges::copy(values, sorted.begin()).out;
  std::sort(sorted.begin(), end);
  std::string text;
  AppendHexNumbers({sorted.begin(), end}, text);
  return digests.Sha256Hex12(text);
}

std::string Ja4Extensions(const ClientHello& hello, Digests& digests) {
  std::array<std::uint16_t, 400> sorted;
  const auto end = std::ranges::copy_if(hello.extensions.values(), sorted.begin(), [](auto type) {
                     return type != kServerName && type != kAlpn;
                   }).out;
  std::sort(sorted.begin(), end);
  if (end == sorted.begin()) return "000000000000";
  std::string text;
  AppendHexNumbers({sorted.begin(), end}, text);
  if (hello.signature_algorithms.size() > 0) {
    text += '_';
    AppendHexNumbers(hello.signature_algorithms.values(), text);
  }
  return digests.Sha256Hex12(text);
}

bool IsComplete(const ClientHello& hello) {
  return !hello.is_cut && hello.ciphers.is_complete() && hello.extensions.is_complete() &&
         hello.groups.is_complete() && hello.point_formats.is_complete() &&
         hello.signature_algorithms.is_complete();
}

}  // namespace

bool ReadClientHello(Bytes body, HelloTransport transport, ClientHello& hello) {
  hello.transport = transport;
  ByteCursor cursor(body);
  hello.version = cursor.U16();
  cursor.Skip(32);
  cursor.Skip(cursor.U8());
  if (transport == HelloTransport::kDtls) cursor.Skip(cursor.U8());
  ReadNumbers(cursor.Bytes(cursor.U16()), hello.ciphers);
  cursor.Skip(cursor.U8());
  if (!cursor.ok()) return false;
  ForEachExtension(cursor, [&hello](std::uint16_t type, Bytes data) {
    if (IsGrease(type)) return;
    hello.extensions.Add(type);
    ReadExtension(type, data, hello);
  });
  return true;
}

bool ReadServerHello(Bytes body, ServerHello& hello) {
  ByteCursor cursor(body);
  hello.version = cursor.U16();
  const Bytes random = cursor.Bytes(32);
  hello.is_retry_request = std::ranges::equal(random, kRetryRandom);
  cursor.Skip(cursor.U8());
  hello.cipher = cursor.U16();
  cursor.Skip(1);
  if (!cursor.ok()) return false;
  ForEachExtension(cursor, [&hello](std::uint16_t type, Bytes data) {
    hello.extensions.Add(type);
    if (type == kSupportedVersions) hello.chosen_version = ByteCursor(data).U16();
  });
  return true;
}

std::string Ja3Text(const ClientHello& hello) {
  std::string text = std::to_string(hello.version);
  for (const NumberList* list :
       {&hello.ciphers, &hello.extensions, &hello.groups, &hello.point_formats}) {
    text += ',';
    AppendNumbers(list->values(), text);
  }
  return text;
}

std::string Ja3sText(const ServerHello& hello) {
  std::string text = std::to_string(hello.version) + ',' + std::to_string(hello.cipher) + ',';
  AppendNumbers(hello.extensions.values(), text);
  return text;
}

std::array<char, 2> Ja4Alpn(Bytes protocols) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  ByteCursor cursor(protocols);
  const Bytes first = cursor.Bytes(cursor.U8());
  if (first.empty()) return {'0', '0'};
  if (IsAlphanumeric(first.front()) && IsAlphanumeric(first.back())) {
    return {static_cast<char>(first.front()), static_cast<char>(first.back())};
  }
  return {kDigits[first.front() >> 4], kDigits[first.back() & 15]};
}

std::string Ja4(const ClientHello& hello, Digests& digests) {
  std::string text(1, static_cast<char>(hello.transport));
  text += Ja4Version(hello.best_version != 0 ? hello.best_version : hello.version);
  text += hello.has_server_name ? 'd' : 'i';
  text += TwoDigits(hello.ciphers.size());
  text += TwoDigits(hello.extensions.size());
  const std::array<char, 2> protocol = Ja4Alpn(hello.protocols);
  text.append(protocol.data(), protocol.size());
  text += '_';
  text += Ja4Ciphers(hello, digests);
  text += '_';
  text += Ja4Extensions(hello, digests);
  return text;
}

void DescribeClientHello(const ClientHello& hello, const DecodedPacket& packet,
                         Findings& findings) {
  if (!hello.server_name.empty()) {
    findings.Set(MetadataField::kServerName, hello.server_name);
    findings.LearnName(packet.destination, hello.server_name, NameSource::kTls,
                       kServerNameValidity);
  }
  std::string protocols;
  ForEachProtocol(hello.protocols, [&protocols](Bytes name) {
    if (protocols.size() > FlowMetadata::kMaxValueBytes) return;
    if (name.size() == 2 && IsGrease(static_cast<std::uint16_t>(name[0] << 8 | name[1]))) return;
    if (!protocols.empty()) protocols += ',';
    protocols += Text(name);
  });
  findings.Set(MetadataField::kAlpn, protocols);
  if (hello.has_encrypted_hello) findings.SetPlain(MetadataField::kEncryptedClientHello, "true");
  // A fingerprint of a part of a list would be that of another client.
  if (!IsComplete(hello)) return;
  const ClientFingerprints& fingerprints = findings.fingerprints().Of(hello);
  findings.SetPlain(MetadataField::kJa3, fingerprints.ja3);
  findings.SetPlain(MetadataField::kJa4, fingerprints.ja4);
}

void DescribeServerHello(const ServerHello& hello, Findings& findings) {
  NumberText room;
  const std::uint16_t version = hello.chosen_version != 0 ? hello.chosen_version : hello.version;
  findings.SetPlain(MetadataField::kTlsVersion, TlsVersionName(version, room));
  findings.SetPlain(MetadataField::kCipher, TlsCipherName(hello.cipher, room));
  if (!hello.is_cut && hello.extensions.is_complete()) {
    findings.SetPlain(MetadataField::kJa3s, findings.fingerprints().Of(hello));
  }
}

}  // namespace nta::internal
