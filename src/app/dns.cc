#include "app/dns.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>

#include "app/dns_message.h"
#include "nta/net/ip_address.h"

namespace nta::internal {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint16_t kDnsPort = 53;
constexpr std::uint16_t kMdnsPort = 5353;
constexpr std::uint16_t kLlmnrPort = 5355;
constexpr std::uint16_t kNetbiosPort = 137;
constexpr std::size_t kHeaderBytes = 12;
// Records of one message that are read: a message of 64 KiB may claim 65,535 of each kind.
constexpr int kMaxRecords = 256;
constexpr std::size_t kMaxAnswersText = 512;

// Flags in the parser's memory.
enum Seen : std::uint32_t { kQuery = 1, kResponse = 2 };

bool HasPlausibleHeader(const DnsHeader& header) {
  // Opcodes 0 to 6 are assigned, 3 is not; the bit after RA is always zero.
  if (header.opcode() > 6 || header.opcode() == 3 || (header.flags & 0x0040) != 0) return false;
  const int records = header.questions + header.answers + header.authorities + header.additionals;
  if (records == 0) return header.is_response() && header.rcode() != 0;
  return header.questions <= 64 && header.answers <= 4096;
}

bool IsKnownClass(std::uint16_t record_class) {
  // The top bit means "unicast response" or "flush" in mDNS.
  const int value = record_class & 0x7FFF;
  return value == 1 || value == 3 || value == 4 || value == 254 || value == 255;
}

// Whether the bytes are one whole message and nothing else, so that no port need tell.
bool IsWholeMessage(Bytes message) {
  DnsReader reader(message);
  const DnsHeader header = reader.ReadHeader();
  if (!reader.ok() || !HasPlausibleHeader(header) || header.questions != 1) return false;
  DnsQuestion question;
  reader.ReadQuestion(question);
  if (!reader.ok() || !IsKnownClass(question.record_class)) return false;
  const int records = header.answers + header.authorities + header.additionals;
  if (records > kMaxRecords) return false;
  DnsRecord record;
  for (int i = 0; i < records && reader.ok(); ++i) reader.ReadRecord(record);
  return reader.ok() && reader.position() == message.size();
}

bool MatchesOnItsPort(Bytes message, bool is_multicast = false) {
  DnsReader reader(message);
  const DnsHeader header = reader.ReadHeader();
  if (!reader.ok() || !HasPlausibleHeader(header)) return false;
  // A query of multicast DNS names the answers that are known already.
  return header.is_response() || header.answers == 0 || header.opcode() != 0 || is_multicast;
}

Verdict MatchDns(const Payload& payload) {
  if (payload.HasPort(kMdnsPort) || payload.HasPort(kLlmnrPort) || payload.HasPort(kNetbiosPort)) {
    return Verdict::kNo;
  }
  const bool is_dns =
      payload.HasPort(kDnsPort) ? MatchesOnItsPort(payload.bytes) : IsWholeMessage(payload.bytes);
  return is_dns ? Verdict::kYes : Verdict::kNo;
}

Verdict MatchMdns(const Payload& payload) {
  if (!payload.HasPort(kMdnsPort)) return Verdict::kNo;
  return MatchesOnItsPort(payload.bytes, true) ? Verdict::kYes : Verdict::kNo;
}

Verdict MatchLlmnr(const Payload& payload) {
  if (!payload.HasPort(kLlmnrPort)) return Verdict::kNo;
  return MatchesOnItsPort(payload.bytes) ? Verdict::kYes : Verdict::kNo;
}

//  Over TCP (RFC 1035 4.2.2)
//  | length (2) | message | length (2) | message | ...
Verdict MatchDnsTcp(const Payload& payload) {
  if (payload.bytes.size() < 2 + kHeaderBytes) {
    return payload.HasPort(kDnsPort) && !payload.is_last ? Verdict::kNeedMore : Verdict::kNo;
  }
  const std::size_t length = static_cast<std::size_t>(payload.bytes[0]) << 8 | payload.bytes[1];
  const Bytes message = payload.bytes.subspan(2);
  if (length < kHeaderBytes) return Verdict::kNo;
  if (payload.HasPort(kDnsPort)) {
    return MatchesOnItsPort(message) ? Verdict::kYes : Verdict::kNo;
  }
  return length == message.size() && IsWholeMessage(message) ? Verdict::kYes : Verdict::kNo;
}

void Join(std::string_view text, std::string& out) {
  if (out.size() + text.size() + 1 > kMaxAnswersText) return;
  if (!out.empty()) out += ',';
  out += text;
}

// The address that a name under in-addr.arpa stands for: "4.3.2.1.in-addr.arpa" is 1.2.3.4.
bool AddressOfReverseName(std::string_view name, IpAddress& address) {
  constexpr std::string_view kSuffix = ".in-addr.arpa";
  if (!name.ends_with(kSuffix)) return false;
  name.remove_suffix(kSuffix.size());
  std::string forward;
  for (int part = 0; part < 4; ++part) {
    const std::size_t dot = name.rfind('.');
    if (!forward.empty()) forward += '.';
    forward += name.substr(dot == std::string_view::npos ? 0 : dot + 1);
    name = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  }
  const auto parsed = IpAddress::Parse(forward);
  if (!parsed.ok() || !name.empty()) return false;
  address = *parsed;
  return true;
}

// One record of an answer: its text, and what it says about addresses.
void ReadAnswer(const DnsReader& reader, const DnsRecord& record, std::string_view asked,
                Findings& findings, std::string& answers) {
  const auto time_to_live = std::chrono::seconds(record.time_to_live);
  DnsName name;
  switch (record.type) {
    case kDnsA:
    case kDnsAaaa: {
      IpAddress address;
      if (record.type == kDnsA && record.data.size() == 4) {
        address = IpAddress::V4(record.data.first<4>());
      } else if (record.type == kDnsAaaa && record.data.size() == 16) {
        address = IpAddress::V6(record.data.first<16>());
      } else {
        return;
      }
      Join(address.ToString(), answers);
      // The name that was asked for says more than the one that an alias led to.
      findings.LearnName(address, asked.empty() ? record.name.text() : asked, NameSource::kDns,
                         time_to_live);
      return;
    }
    case kDnsPtr: {
      if (!reader.ReadNameAt(record.data_offset, name)) return;
      Join(name.text(), answers);
      IpAddress address;
      if (AddressOfReverseName(record.name.text(), address)) {
        findings.LearnName(address, name.text(), NameSource::kDns, time_to_live);
      }
      return;
    }
    case kDnsCname:
    case kDnsNs:
      if (reader.ReadNameAt(record.data_offset, name)) Join(name.text(), answers);
      return;
    case kDnsMx:
      if (reader.ReadNameAt(record.data_offset + 2, name)) Join(name.text(), answers);
      return;
    case kDnsTxt:
      if (record.data.size() > 1) {
        const std::size_t size = std::min<std::size_t>(record.data[0], record.data.size() - 1);
        Join({reinterpret_cast<const char*>(record.data.data()) + 1, size}, answers);
      }
      return;
    default:
      return;
  }
}

// Metadata tells of the first query and the first response; names are learned from every response.
void ReadMessage(Bytes message, Findings& findings) {
  DnsReader reader(message);
  const DnsHeader header = reader.ReadHeader();
  if (!reader.ok() || !HasPlausibleHeader(header)) return;
  std::uint32_t& seen = findings.memory()[0];
  DnsQuestion question;
  std::string_view asked;
  for (int i = 0; i < header.questions && i < kMaxRecords; ++i) {
    DnsQuestion next;
    reader.ReadQuestion(i == 0 ? question : next);
    if (!reader.ok()) return;
  }
  if (header.questions > 0) asked = question.name.text();
  if (!asked.empty() && (seen & (kQuery | kResponse)) == 0) {
    findings.Set(MetadataField::kServerName, asked);
    findings.SetPlain(MetadataField::kDnsType, DnsTypeName(question.type));
  }
  if (!header.is_response()) {
    seen |= kQuery;
    return;
  }
  std::string answers;
  DnsRecord record;
  for (int i = 0; i < header.answers && i < kMaxRecords; ++i) {
    reader.ReadRecord(record);
    if (!reader.ok()) break;
    ReadAnswer(reader, record, header.questions == 1 ? asked : std::string_view(), findings,
               answers);
  }
  if ((seen & kResponse) != 0) return;
  seen |= kResponse;
  findings.SetPlain(MetadataField::kDnsRcode, DnsRcodeName(header.rcode()));
  findings.Set(MetadataField::kDnsAnswers, answers);
}

ParseResult ParseDns(const Payload& payload, Findings& findings) {
  ReadMessage(payload.bytes, findings);
  return {payload.bytes.size(), ParseNext::kMore};
}

ParseResult ParseDnsTcp(const Payload& payload, Findings& findings) {
  std::size_t consumed = 0;
  while (payload.bytes.size() - consumed >= 2) {
    const Bytes rest = payload.bytes.subspan(consumed);
    const std::size_t length = static_cast<std::size_t>(rest[0]) << 8 | rest[1];
    const std::size_t present = std::min(length, rest.size() - 2);
    if (present < length && !payload.is_last) break;
    ReadMessage(rest.subspan(2, present), findings);
    consumed += 2 + present;
  }
  return {consumed, ParseNext::kMore};
}

// Each of many queries on one socket may name other addresses.
constexpr std::uint8_t kPatience = 255;

}  // namespace

constinit const Parser kDnsParser = {
    .application = Application::kDns, .match = MatchDns, .parse = ParseDns, .patience = kPatience};
constinit const Parser kDnsTcpParser = {.application = Application::kDns,
                                        .match = MatchDnsTcp,
                                        .parse = ParseDnsTcp,
                                        .patience = kPatience};
constinit const Parser kMdnsParser = {.application = Application::kMdns,
                                      .match = MatchMdns,
                                      .parse = ParseDns,
                                      .patience = kPatience};
constinit const Parser kLlmnrParser = {.application = Application::kLlmnr,
                                       .match = MatchLlmnr,
                                       .parse = ParseDns,
                                       .patience = kPatience};

}  // namespace nta::internal
