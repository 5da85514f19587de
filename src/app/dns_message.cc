//  +----+-------+-----------+---------+-------------+-------------+   six numbers of 16 bits,
//  | id | flags | questions | answers | authorities | additionals |   then as many questions
//  +----+-------+-----------+---------+-------------+-------------+   and records
//  question: name, type, class       record: name, type, class, TTL (4), length (2), data
//  name: length (0-63), label, ..., 0; or a pointer (bits 11, 14-bit offset) to the rest of it
//  flags: response, opcode (4), AA, TC, RD, RA, zero, AD, CD, rcode (4)
#include "app/dns_message.h"

#include <cstring>

#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

constexpr std::size_t kMaxNameBytes = 255;
constexpr int kMaxPointers = 128;

}  // namespace

std::uint16_t DnsReader::U16() {
  if (message_.size() - position_ < 2) {
    ok_ = false;
    position_ = message_.size();
    return 0;
  }
  const auto value = static_cast<std::uint16_t>(message_[position_] << 8 | message_[position_ + 1]);
  position_ += 2;
  return value;
}

std::uint32_t DnsReader::U32() {
  const std::uint32_t high = U16();
  return high << 16 | U16();
}

DnsHeader DnsReader::ReadHeader() {
  constexpr std::size_t kBytes = 12;
  if (message_.size() - position_ < kBytes) {
    ok_ = false;
    position_ = message_.size();
    return {};
  }
  const std::uint8_t* const at = message_.data() + position_;
  position_ += kBytes;
  const auto number = [at](std::size_t i) {
    return static_cast<std::uint16_t>(at[2 * i] << 8 | at[2 * i + 1]);
  };
  return {number(0), number(1), number(2), number(3), number(4), number(5)};
}

namespace {

// Whether one of the eight bytes is `byte`.
bool HasByte(std::uint64_t word, std::uint8_t byte) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  const std::uint64_t zero_there = word ^ kOnes * byte;
  return ((zero_there - kOnes) & ~zero_there & kOnes << 7) != 0;
}

}  // namespace

// Labels are short: eight bytes at a time, as long as both sides have room for whole words.
bool DnsName::AppendWords(std::span<const std::uint8_t> label, std::size_t readable) {
  const std::size_t rounded = (label.size() + 7) & ~std::size_t{7};
  if (rounded > readable || rounded > text_.size() - size_) return false;
  for (std::size_t i = 0; i < label.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, label.data() + i, 8);
    // What follows the label may look like it: the slow way is right, too.
    if (HasByte(word, '.') || HasByte(word, '\\')) return false;
    std::memcpy(text_.data() + size_ + i, &word, 8);
  }
  size_ += label.size();
  return true;
}

void DnsName::AppendLabel(std::span<const std::uint8_t> label, std::size_t readable) {
  if (AppendWords(label, readable)) return;
  for (const std::uint8_t byte : label) {
    if (byte == '.' || byte == '\\') Append('\\');
    Append(static_cast<char>(byte));
  }
}

std::size_t DnsReader::ReadName(std::size_t offset, DnsName& name) const {
  name.size_ = 0;
  std::size_t end = 0;
  std::size_t wire_bytes = 0;
  std::size_t limit = message_.size();  // pointers must lead before the place of the last one
  for (int pointers = 0; offset < message_.size();) {
    const std::size_t length = message_[offset];
    if (length == 0) {
      if (name.size_ == 0) name.Append('.');
      return end != 0 ? end : offset + 1;
    }
    if (length >= 0xC0) {
      if (message_.size() - offset < 2 || ++pointers > kMaxPointers) return 0;
      if (end == 0) end = offset + 2;
      const std::size_t target = (length & 0x3F) << 8 | message_[offset + 1];
      if (target >= offset || target >= limit) return 0;
      limit = target;
      offset = target;
      continue;
    }
    if (length > 63 || message_.size() - offset - 1 < length) return 0;
    wire_bytes += length + 1;
    if (wire_bytes > kMaxNameBytes) return 0;
    if (name.size_ > 0) name.Append('.');
    name.AppendLabel(message_.subspan(offset + 1, length), message_.size() - offset - 1);
    offset += length + 1;
  }
  return 0;
}

bool DnsReader::ReadNameAt(std::size_t offset, DnsName& name) const {
  return ReadName(offset, name) != 0;
}

void DnsReader::ReadQuestion(DnsQuestion& question) {
  if (!ok_) return;
  const std::size_t end = ReadName(position_, question.name);
  if (end == 0) {
    ok_ = false;
    return;
  }
  position_ = end;
  question.type = U16();
  question.record_class = U16();
}

void DnsReader::ReadRecord(DnsRecord& record) {
  if (!ok_) return;
  const std::size_t end = ReadName(position_, record.name);
  if (end == 0) {
    ok_ = false;
    return;
  }
  position_ = end;
  record.type = U16();
  record.record_class = U16();
  record.time_to_live = U32();
  const std::size_t size = U16();
  if (!ok_ || message_.size() - position_ < size) {
    ok_ = false;
    return;
  }
  record.data_offset = position_;
  record.data = message_.subspan(position_, size);
  position_ += size;
}

std::string DnsTypeName(std::uint16_t type) {
  switch (type) {
    case kDnsA:
      return "A";
    case kDnsNs:
      return "NS";
    case kDnsCname:
      return "CNAME";
    case 6:
      return "SOA";
    case 10:
      return "NULL";
    case kDnsPtr:
      return "PTR";
    case 13:
      return "HINFO";
    case kDnsMx:
      return "MX";
    case kDnsTxt:
      return "TXT";
    case kDnsAaaa:
      return "AAAA";
    case 29:
      return "LOC";
    case kDnsSrv:
      return "SRV";
    case 35:
      return "NAPTR";
    case kDnsOpt:
      return "OPT";
    case 43:
      return "DS";
    case 46:
      return "RRSIG";
    case 47:
      return "NSEC";
    case 48:
      return "DNSKEY";
    case 50:
      return "NSEC3";
    case 64:
      return "SVCB";
    case 65:
      return "HTTPS";
    case 251:
      return "IXFR";
    case 252:
      return "AXFR";
    case 255:
      return "ANY";
    case 257:
      return "CAA";
    default:
      return "TYPE" + std::to_string(type);
  }
}

std::string DnsRcodeName(int rcode) {
  constexpr std::array<std::string_view, 11> kNames = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
                                                       "NOTIMP",  "REFUSED", "YXDOMAIN", "YXRRSET",
                                                       "NXRRSET", "NOTAUTH", "NOTZONE"};
  const auto i = static_cast<std::size_t>(rcode);
  return i < kNames.size() ? std::string(kNames[i]) : "RCODE" + std::to_string(rcode);
}

}  // namespace nta::internal
