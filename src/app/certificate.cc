//  Certificate ::= SEQUENCE {
//    tbsCertificate SEQUENCE {
//      [0] version, serialNumber INTEGER, signature SEQUENCE,
//      issuer Name, validity SEQUENCE { notBefore Time, notAfter Time }, subject Name, ... } ... }
//  Name ::= SEQUENCE OF SET OF SEQUENCE { type OBJECT IDENTIFIER, value ANY }
#include "app/certificate.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "base/byte_cursor.h"

namespace nta::internal {
namespace {

using base::ByteCursor;
using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::size_t kMaxNameParts = 32;

enum Tag : std::uint8_t {
  kObjectIdentifier = 0x06,
  kUtcTime = 0x17,
  kGeneralizedTime = 0x18,
  kBmpString = 0x1E,
  kSequence = 0x30,
  kSet = 0x31,
  kVersion = 0xA0,
};

struct Element {
  std::uint8_t tag = 0;
  Bytes content;
};

// Definite lengths of at most three bytes: a certificate in a handshake is smaller than 16 MiB. An
// element that was cut keeps what is there.
Element ReadElement(ByteCursor& cursor) {
  Element element{cursor.U8(), {}};
  std::size_t size = cursor.U8();
  if (size >= 0x80) {
    std::size_t bytes = size & 0x7F;
    if (bytes == 0 || bytes > 3) {
      cursor.Skip(cursor.remaining());
      return {};
    }
    for (size = 0; bytes > 0; --bytes) size = size << 8 | cursor.U8();
  }
  element.content = cursor.Bytes(std::min(size, cursor.remaining()));
  return element;
}

struct AttributeRow {
  std::string_view oid;  // DER of its content
  std::string_view name;
};

using namespace std::string_view_literals;
constexpr auto kAttributes = std::to_array<AttributeRow>({
    {"\x55\x04\x03"sv, "CN"},
    {"\x55\x04\x05"sv, "serialNumber"},
    {"\x55\x04\x06"sv, "C"},
    {"\x55\x04\x07"sv, "L"},
    {"\x55\x04\x08"sv, "ST"},
    {"\x55\x04\x09"sv, "street"},
    {"\x55\x04\x0A"sv, "O"},
    {"\x55\x04\x0B"sv, "OU"},
    {"\x2A\x86\x48\x86\xF7\x0D\x01\x09\x01"sv, "emailAddress"},
    {"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x19"sv, "DC"},
    {"\x09\x92\x26\x89\x93\xF2\x2C\x64\x01\x01"sv, "UID"},
});

std::string_view AttributeName(Bytes oid) {
  const std::string_view text(reinterpret_cast<const char*>(oid.data()), oid.size());
  for (const AttributeRow& row : kAttributes) {
    if (row.oid == text) return row.name;
  }
  return "OID";
}

// UTF-16 without surrogates, which is what BMPString may hold, as UTF-8.
void AppendBmp(Bytes content, std::string& out) {
  ByteCursor cursor(content);
  while (cursor.remaining() >= 2) {
    const std::uint16_t code = cursor.U16();
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | code >> 6);
      out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
      out += static_cast<char>(0xE0 | code >> 12);
      out += static_cast<char>(0x80 | (code >> 6 & 0x3F));
      out += static_cast<char>(0x80 | (code & 0x3F));
    }
  }
}

void AppendEscaped(std::string_view text, std::string& out) {
  for (const char c : text) {
    if (std::string_view(",+\"\\<>;").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
}

void AppendAttribute(Bytes attribute, std::string& out) {
  ByteCursor cursor(attribute);
  const Element type = ReadElement(cursor);
  const Element value = ReadElement(cursor);
  if (type.tag != kObjectIdentifier) return;
  std::string text;
  if (value.tag == kBmpString) {
    AppendBmp(value.content, text);
  } else {
    text.assign(value.content.begin(), value.content.end());
  }
  out += AttributeName(type.content);
  out += '=';
  AppendEscaped(text, out);
}

// RFC 4514 writes the last part first.
std::string ReadName(Bytes name) {
  std::vector<std::string> parts;
  ByteCursor sets(name);
  while (sets.remaining() > 0 && parts.size() < kMaxNameParts) {
    ByteCursor set(ReadElement(sets).content);
    std::string part;
    while (set.remaining() > 0 && part.size() < kMaxNameBytes) {
      if (!part.empty()) part += '+';
      AppendAttribute(ReadElement(set).content, part);
    }
    if (!part.empty()) parts.push_back(std::move(part));
  }
  std::string text;
  for (auto part = parts.rbegin(); part != parts.rend() && text.size() < kMaxNameBytes; ++part) {
    if (!text.empty()) text += ',';
    text += *part;
  }
  if (text.size() > kMaxNameBytes) text.resize(kMaxNameBytes);
  return text;
}

// "YYMMDDHHMMSSZ" (years 1950 to 2049) and "YYYYMMDDHHMMSSZ" (RFC 5280 4.1.2.5).
std::string ReadTime(const Element& time) {
  std::string digits(time.content.begin(), time.content.end());
  if (time.tag == kUtcTime && digits.size() == 13) {
    digits.insert(0, digits[0] >= '5' ? "19" : "20");
  } else if (time.tag != kGeneralizedTime) {
    return "";
  }
  if (digits.size() != 15 || digits.back() != 'Z') return "";
  digits.pop_back();
  if (!std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; })) return "";
  return digits.substr(0, 4) + '-' + digits.substr(4, 2) + '-' + digits.substr(6, 2) + 'T' +
         digits.substr(8, 2) + ':' + digits.substr(10, 2) + ':' + digits.substr(12, 2) + 'Z';
}

}  // namespace

Certificate ReadCertificate(Bytes der) {
  Certificate certificate;
  ByteCursor outer(der);
  const Element whole = ReadElement(outer);
  if (whole.tag != kSequence) return certificate;
  ByteCursor inner(whole.content);
  const Element signed_part = ReadElement(inner);
  if (signed_part.tag != kSequence) return certificate;
  ByteCursor fields(signed_part.content);
  // The version is missing in certificates of version 1; the serial number comes after it.
  if (ReadElement(fields).tag == kVersion) ReadElement(fields);
  ReadElement(fields);  // signature algorithm
  certificate.issuer = ReadName(ReadElement(fields).content);
  ByteCursor validity(ReadElement(fields).content);
  certificate.not_before = ReadTime(ReadElement(validity));
  certificate.not_after = ReadTime(ReadElement(validity));
  certificate.subject = ReadName(ReadElement(fields).content);
  return certificate;
}

}  // namespace nta::internal
