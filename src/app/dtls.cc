//  Record (RFC 6347 4.1)
//  +------+---------+-----------+--------------------+------------+-------
//  | type | version | epoch (2) | sequence number (6) | length (2) | fragment
//  +------+---------+-----------+--------------------+------------+-------
//  Handshake message (4.2.2), in one fragment or in several
//  +------+------------+------------------+---------------------+---------------------+-----
//  | type | length (3) | message_seq (2)  | fragment_offset (3) | fragment_length (3) | body
//  +------+------------+------------------+---------------------+---------------------+-----
#include "app/dtls.h"

#include "app/tls_hello.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kRecordHeader = 13;
constexpr std::uint8_t kHandshake = 22;
constexpr std::uint8_t kClientHello = 1;
constexpr std::uint8_t kServerHello = 2;
constexpr std::size_t kMaxHello = 16384;

struct Record {
  std::uint8_t type = 0;
  std::uint16_t version = 0;
  std::uint16_t epoch = 0;
  std::size_t length = 0;
};

Record ReadHeader(ByteCursor& cursor) {
  Record record;
  record.type = cursor.U8();
  record.version = cursor.U16();
  record.epoch = cursor.U16();
  cursor.Skip(6);
  record.length = cursor.U16();
  return record;
}

Verdict MatchDtls(const Payload& payload) {
  ByteCursor cursor(payload.bytes);
  const Record record = ReadHeader(cursor);
  const bool is_known_version =
      record.version == 0xFEFF || record.version == 0xFEFD || record.version == 0xFEFC;
  if (!cursor.ok() || !is_known_version || record.length == 0) return Verdict::kNo;
  return record.length <= payload.wire_size() - kRecordHeader ? Verdict::kYes : Verdict::kNo;
}

// A hello that came in several fragments is put together; only one at a time, which is what clients
// send.
Bytes Assemble(std::size_t length, std::size_t offset, Bytes fragment, Findings& findings) {
  if (offset == 0 && fragment.size() == length) return fragment;
  if (!findings.Keep(offset, fragment)) return {};
  const Bytes kept = findings.kept();
  return kept.size() >= length ? kept.first(length) : Bytes();
}

// True when the server's hello was seen.
bool ReadHandshake(Bytes record, const Payload& payload, Findings& findings) {
  ByteCursor cursor(record);
  bool is_answered = false;
  while (cursor.remaining() >= 12) {
    const std::uint8_t type = cursor.U8();
    const std::size_t length = cursor.U24();
    cursor.Skip(2);
    const std::size_t offset = cursor.U24();
    const Bytes fragment = cursor.Bytes(cursor.U24());
    if (!cursor.ok() || length > kMaxHello) return is_answered;
    if (type != kClientHello && type != kServerHello) continue;
    const Bytes body = Assemble(length, offset, fragment, findings);
    if (body.empty()) continue;
    ClientHello client;
    ServerHello server;
    if (type == kClientHello && ReadClientHello(body, HelloTransport::kDtls, client)) {
      DescribeClientHello(client, payload.packet, findings);
    } else if (type == kServerHello && ReadServerHello(body, server) && !server.is_retry_request) {
      DescribeServerHello(server, findings);
      is_answered = true;
    }
    findings.ReleaseKept();
  }
  return is_answered;
}

ParseResult ParseDtls(const Payload& payload, Findings& findings) {
  ByteCursor cursor(payload.bytes);
  ParseNext next = ParseNext::kMore;
  while (cursor.remaining() >= kRecordHeader) {
    const Record record = ReadHeader(cursor);
    const Bytes fragment = cursor.Bytes(record.length);
    if (!cursor.ok()) break;
    // Later epochs are encrypted.
    if (record.epoch != 0) return {payload.bytes.size(), ParseNext::kDone};
    if (record.type != kHandshake) continue;
    if (ReadHandshake(fragment, payload, findings)) next = ParseNext::kDone;
  }
  return {payload.bytes.size(), next};
}

}  // namespace

constinit const Parser kDtlsParser = {
    .application = Application::kDtls,
    .match = MatchDtls,
    .parse = ParseDtls,
    .first_bytes = FirstBytes::Range(20, 23) | FirstBytes::Of({25}),
};

}  // namespace nta::internal
