//  Record (RFC 8446 5.1)                 Handshake message (4), in one record or in several
//  +------+---------+--------+-------    +------+------------+-----------
//  | type | version | length | fragment  | type | length (3) | body
//  +------+---------+--------+-------    +------+------------+-----------
//  20 change_cipher_spec, 21 alert,      1 client_hello, 2 server_hello, 11 certificate,
//  22 handshake, 23 application_data     14 server_hello_done
#include "app/tls.h"

#include <algorithm>
#include <vector>

#include "app/certificate.h"
#include "app/tls_hello.h"
#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kRecordHeader = 5;
constexpr std::size_t kMessageHeader = 4;
// 2^14 bytes and what encryption may add (RFC 5246 6.2.3).
constexpr std::size_t kMaxFragment = 16384 + 2048;
// Longer messages than this are not waited for.
constexpr std::size_t kMaxMessage = 65536;

enum RecordType : std::uint8_t {
  kChangeCipherSpec = 20,
  kAlert = 21,
  kHandshake = 22,
  kApplicationData = 23
};
enum MessageType : std::uint8_t {
  kClientHello = 1,
  kServerHello = 2,
  kCertificate = 11,
  kServerHelloDone = 14
};

// Words of the parser's memory. Those of a direction: [forward, reverse].
enum Word : std::size_t { kFlags = 0, kSkip = 1 };
enum Flag : std::uint32_t { kSawClientHello = 1, kSawServerHello = 2, kServerIsDone = 4 };

bool IsRecordHeader(Bytes bytes) {
  if (bytes.size() < kRecordHeader) return false;
  const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
  return bytes[0] >= kChangeCipherSpec && bytes[0] <= kApplicationData && bytes[1] == 3 &&
         bytes[2] <= 4 && length > 0 && length <= kMaxFragment;
}

//  SSL 2.0's ClientHello, by which old clients offer SSL 3.0 and TLS, too:
//  | 0x80 | length | 1 | version (2) | ciphers' length (2) | session's (2) | challenge's (2) |
Verdict MatchSsl2(const Payload& payload) {
  ByteCursor cursor(payload.bytes);
  const std::size_t length = cursor.U16() & 0x7FFFu;
  const std::uint8_t type = cursor.U8();
  const std::uint16_t version = cursor.U16();
  const std::size_t ciphers = cursor.U16();
  const std::size_t session = cursor.U16();
  const std::size_t challenge = cursor.U16();
  if (!cursor.ok() || type != kClientHello) return Verdict::kNo;
  if (version != 2 && (version < 0x300 || version > 0x303)) return Verdict::kNo;
  const bool adds_up = ciphers > 0 && ciphers % 3 == 0 && (session == 0 || session == 16) &&
                       challenge >= 16 && challenge <= 32 &&
                       9 + ciphers + session + challenge == length;
  return adds_up ? Verdict::kYes : Verdict::kNo;
}

Verdict MatchTls(const Payload& payload) {
  const Bytes bytes = payload.bytes;
  if (bytes[0] == 0x80) return MatchSsl2(payload);
  // Every byte that is there must fit.
  if (bytes.size() > 1 && bytes[1] != 3) return Verdict::kNo;
  if (bytes.size() > 2 && bytes[2] > 4) return Verdict::kNo;
  if (bytes.size() < kRecordHeader + kMessageHeader) {
    if (bytes.size() >= kRecordHeader && !IsRecordHeader(bytes)) return Verdict::kNo;
    return payload.is_last && bytes.size() < kRecordHeader ? Verdict::kNo : Verdict::kNeedMore;
  }
  if (!IsRecordHeader(bytes)) return Verdict::kNo;
  const std::size_t length = static_cast<std::size_t>(bytes[3]) << 8 | bytes[4];
  switch (bytes[0]) {
    case kHandshake: {
      const std::uint8_t type = bytes[5];
      const std::size_t message = static_cast<std::size_t>(bytes[6]) << 16 |
                                  static_cast<std::size_t>(bytes[7]) << 8 | bytes[8];
      const bool is_hello = type == kClientHello || type == kServerHello;
      // A hello's fixed part takes 38 bytes; later messages of a flow that began before the
      // capture may be encrypted, so only their record counts.
      if (is_hello) return message >= 34 && message < kMaxMessage ? Verdict::kYes : Verdict::kNo;
      return type <= 24 && message < kMaxMessage ? Verdict::kYes : Verdict::kNo;
    }
    case kAlert:
      return length == 2 || length >= 18 ? Verdict::kYes : Verdict::kNo;
    case kChangeCipherSpec:
      return length == 1 && bytes[5] == 1 ? Verdict::kYes : Verdict::kNo;
    default:
      // Application data shows nothing but its header: the next one must stand where it says.
      if (bytes.size() < kRecordHeader + length + kRecordHeader) {
        return bytes.size() == kRecordHeader + length || length > 32 ? Verdict::kYes : Verdict::kNo;
      }
      return IsRecordHeader(bytes.subspan(kRecordHeader + length)) ? Verdict::kYes : Verdict::kNo;
  }
}

// The handshake messages of one direction, taken out of their records.
class HandshakeStream {
 public:
  // `skip`: bytes of the first record's fragment that were read before.
  HandshakeStream(Bytes bytes, std::size_t skip) : bytes_(bytes), skip_(skip) {
    std::size_t record = 0;
    while (record + kRecordHeader <= bytes.size()) {
      const Bytes rest = bytes.subspan(record);
      if (!IsRecordHeader(rest) || rest[0] != kHandshake) {
        is_over_ = true;
        break;
      }
      const std::size_t length = FragmentLength(rest);
      const Bytes fragment = rest.subspan(kRecordHeader);
      Add(fragment.first(std::min(length, fragment.size())), record == 0 ? skip : 0);
      record += kRecordHeader + length;
    }
  }
  HandshakeStream(const HandshakeStream&) = delete;
  HandshakeStream& operator=(const HandshakeStream&) = delete;

  Bytes bytes() const { return joined_.empty() ? single_ : Bytes(joined_); }
  // Another kind of record follows: these were the last messages that can be read.
  bool is_over() const { return is_over_; }

  // Where the stream's byte `used` stands: the offset of its record, and that in its fragment.
  void Locate(std::size_t used, std::size_t& record, std::size_t& skip) const {
    record = 0;
    skip = skip_ + used;
    while (record + kRecordHeader <= bytes_.size()) {
      const std::size_t length = FragmentLength(bytes_.subspan(record));
      if (skip < length) return;
      skip -= length;
      record += kRecordHeader + length;
    }
  }

 private:
  static std::size_t FragmentLength(Bytes record) {
    return static_cast<std::size_t>(record[3]) << 8 | record[4];
  }

  // Copies only when there is more than one record.
  void Add(Bytes fragment, std::size_t skip) {
    fragment = fragment.subspan(std::min(skip, fragment.size()));
    if (single_.empty()) {
      single_ = fragment;
      return;
    }
    if (joined_.empty()) joined_.assign(single_.begin(), single_.end());
    joined_.insert(joined_.end(), fragment.begin(), fragment.end());
  }

  Bytes bytes_;
  std::size_t skip_;
  Bytes single_;
  std::vector<std::uint8_t> joined_;
  bool is_over_ = false;
};

void ReadFirstCertificate(Bytes body, Findings& findings) {
  ByteCursor cursor(body);
  cursor.U24();  // of all
  const std::size_t size = cursor.U24();
  const Certificate certificate = ReadCertificate(cursor.Bytes(std::min(size, cursor.remaining())));
  findings.Set(MetadataField::kCertificateSubject, certificate.subject);
  findings.Set(MetadataField::kCertificateIssuer, certificate.issuer);
  findings.Set(MetadataField::kCertificateNotBefore, certificate.not_before);
  findings.Set(MetadataField::kCertificateNotAfter, certificate.not_after);
}

void ReadHello(Bytes body, bool is_cut, const Payload& payload, Findings& findings) {
  ClientHello hello;
  if ((findings.memory()[kFlags] & kSawClientHello) != 0) return;  // after HelloRetryRequest
  if (!ReadClientHello(body, HelloTransport::kTls, hello)) return;
  hello.is_cut = is_cut;
  DescribeClientHello(hello, payload.packet, findings);
}

void ReadMessage(std::uint8_t type, Bytes body, bool is_cut, const Payload& payload,
                 Findings& findings) {
  std::uint32_t& flags = findings.memory()[kFlags];
  switch (type) {
    case kClientHello:
      ReadHello(body, is_cut, payload, findings);
      flags |= kSawClientHello;
      return;
    case kServerHello: {
      ServerHello hello;
      if (!ReadServerHello(body, hello) || hello.is_retry_request) return;
      hello.is_cut = is_cut;
      DescribeServerHello(hello, findings);
      flags |= kSawServerHello;
      // From here on everything is encrypted.
      if (hello.chosen_version >= 0x0304) flags |= kServerIsDone;
      return;
    }
    case kCertificate:
      // A client's own would come in the other direction.
      if ((flags & kServerIsDone) == 0 && (flags & kSawServerHello) != 0) {
        ReadFirstCertificate(body, findings);
        flags |= kServerIsDone;
      }
      return;
    case kServerHelloDone:
      flags |= kServerIsDone;
      return;
    default:
      return;
  }
}

// Reads the complete messages; returns how much of the stream they take.
std::size_t ReadMessages(Bytes stream, const Payload& payload, Findings& findings) {
  std::size_t used = 0;
  while (stream.size() - used >= kMessageHeader) {
    ByteCursor cursor(stream.subspan(used));
    const std::uint8_t type = cursor.U8();
    const std::size_t size = cursor.U24();
    const bool is_cut = size > cursor.remaining();
    if (is_cut && !payload.is_last) break;
    const std::size_t present = std::min(size, cursor.remaining());
    ReadMessage(type, cursor.Bytes(present), is_cut, payload, findings);
    used += kMessageHeader + present;
  }
  return used;
}

ParseResult ParseTls(const Payload& payload, Findings& findings) {
  std::uint32_t& skip_memory = findings.memory()[kSkip + (payload.is_forward ? 0 : 1)];
  const std::uint32_t& flags = findings.memory()[kFlags];
  // What is not a handshake shows nothing.
  if (payload.bytes.size() >= kRecordHeader && payload.bytes[0] != kHandshake) {
    if ((flags & (kSawClientHello | kSawServerHello)) == 0 && payload.bytes[0] != 0x80) {
      return {payload.bytes.size(), ParseNext::kDone};
    }
    // The end of the server's part, or the client's answer to it.
    skip_memory = 0;
    const bool is_over = (flags & kSawServerHello) != 0;
    return {payload.bytes.size(), is_over ? ParseNext::kDone : ParseNext::kMore};
  }
  const HandshakeStream stream(payload.bytes, skip_memory);
  const std::size_t used = ReadMessages(stream.bytes(), payload, findings);
  std::size_t consumed = 0;
  std::size_t skip = 0;
  stream.Locate(used, consumed, skip);
  skip_memory = static_cast<std::uint32_t>(skip);
  const bool is_over = stream.is_over() && (flags & kSawServerHello) != 0;
  if ((flags & kServerIsDone) != 0 || is_over) return {payload.bytes.size(), ParseNext::kDone};
  // A client that goes on in another kind of record has said everything, the server has not.
  if (stream.is_over()) {
    consumed = payload.bytes.size();
    skip_memory = 0;
  }
  return {consumed, ParseNext::kMore};
}

}  // namespace

constinit const Parser kTlsParser = {
    .application = Application::kTls,
    .match = MatchTls,
    .parse = ParseTls,
    .first_bytes = FirstBytes::Range(kChangeCipherSpec, kApplicationData) | FirstBytes::Of({0x80}),
};

}  // namespace nta::internal
