#include "nta/flow/flow_metadata.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>
#include <functional>
#include <string>
#include <utility>

#include "base/status.h"
#include "base/utf8.h"

namespace nta {
namespace {

struct FieldRow {
  MetadataField field;
  std::string_view name;
};

// Ordered by number.
constexpr auto kFields = std::to_array<FieldRow>({
    {MetadataField::kServerName, "server_name"},
    {MetadataField::kSourceName, "source_name"},
    {MetadataField::kDestinationName, "destination_name"},
    {MetadataField::kTlsVersion, "tls_version"},
    {MetadataField::kAlpn, "alpn"},
    {MetadataField::kCipher, "cipher"},
    {MetadataField::kJa3, "ja3"},
    {MetadataField::kJa3s, "ja3s"},
    {MetadataField::kJa4, "ja4"},
    {MetadataField::kCertificateSubject, "certificate_subject"},
    {MetadataField::kCertificateIssuer, "certificate_issuer"},
    {MetadataField::kCertificateNotBefore, "certificate_not_before"},
    {MetadataField::kCertificateNotAfter, "certificate_not_after"},
    {MetadataField::kEncryptedClientHello, "encrypted_client_hello"},
    {MetadataField::kQuicVersion, "quic_version"},
    {MetadataField::kHttpMethod, "http_method"},
    {MetadataField::kHttpPath, "http_path"},
    {MetadataField::kUserAgent, "user_agent"},
    {MetadataField::kHttpStatus, "http_status"},
    {MetadataField::kContentType, "content_type"},
    {MetadataField::kClientVersion, "client_version"},
    {MetadataField::kServerVersion, "server_version"},
    {MetadataField::kHassh, "hassh"},
    {MetadataField::kHasshServer, "hassh_server"},
    {MetadataField::kDnsType, "dns_type"},
    {MetadataField::kDnsRcode, "dns_rcode"},
    {MetadataField::kDnsAnswers, "dns_answers"},
    {MetadataField::kHostName, "host_name"},
    {MetadataField::kDhcpFingerprint, "dhcp_fingerprint"},
    {MetadataField::kVendorClass, "vendor_class"},
    {MetadataField::kUserName, "user_name"},
    {MetadataField::kLoginSuccesses, "login_successes"},
    {MetadataField::kLoginFailures, "login_failures"},
    {MetadataField::kRequest, "request"},
    {MetadataField::kResponse, "response"},
    {MetadataField::kApplicationDetail, "application_detail"},
});

constexpr auto kFieldNumbers = [] {
  std::array<MetadataField, kFields.size()> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = kFields[i].field;
  return numbers;
}();
static_assert(std::ranges::is_sorted(kFieldNumbers));

// Before each value.
struct Header {
  std::uint16_t field;
  std::uint16_t size;
};
constexpr std::size_t kHeaderBytes = sizeof(Header);
constexpr std::size_t kMostBytes =
    FlowMetadata::kMaxFields * (kHeaderBytes + FlowMetadata::kMaxValueBytes);
static_assert(kMostBytes <= 0xFFFF);

Header HeaderAt(const char* at) {
  Header header;
  std::memcpy(&header, at, kHeaderBytes);
  return header;
}

}  // namespace

std::string_view ToString(MetadataField field) {
  const auto* const row = std::ranges::lower_bound(kFields, field, {}, &FieldRow::field);
  return row != kFields.end() && row->field == field ? row->name : "unknown";
}

absl::StatusOr<MetadataField> ParseMetadataField(std::string_view text) {
  for (const FieldRow& row : kFields) {
    if (row.name == text) return row.field;
  }
  return base::InvalidArgument("not a metadata field: \"" + std::string(text.substr(0, 64)) + '"');
}

std::span<const MetadataField> MetadataFields() { return kFieldNumbers; }

FlowMetadata::FlowMetadata(const FlowMetadata& other) { *this = other; }

FlowMetadata& FlowMetadata::operator=(const FlowMetadata& other) {
  if (this == &other) return *this;
  if (other.size_ > capacity_) {
    more_ = std::make_unique_for_overwrite<char[]>(other.size_);
    capacity_ = other.size_;
  }
  size_ = other.size_;
  count_ = other.count_;
  std::memcpy(data(), other.data(), size_);
  return *this;
}

FlowMetadata::FlowMetadata(FlowMetadata&& other) noexcept { *this = std::move(other); }

FlowMetadata& FlowMetadata::operator=(FlowMetadata&& other) noexcept {
  if (this == &other) return *this;
  more_ = std::move(other.more_);
  size_ = std::exchange(other.size_, std::uint16_t{0});
  capacity_ = std::exchange(other.capacity_, kInlineBytes);
  count_ = std::exchange(other.count_, std::uint16_t{0});
  if (more_ == nullptr) std::memcpy(inline_, other.inline_, size_);
  return *this;
}

std::size_t FlowMetadata::Find(MetadataField field, std::size_t& bytes) const {
  const char* const begin = data();
  std::size_t at = 0;
  bytes = 0;
  while (at < size_) {
    const Header header = HeaderAt(begin + at);
    if (header.field >= static_cast<std::uint16_t>(field)) {
      if (header.field == static_cast<std::uint16_t>(field)) bytes = kHeaderBytes + header.size;
      break;
    }
    at += kHeaderBytes + header.size;
  }
  return at;
}

void FlowMetadata::Resize(std::size_t at, std::size_t before, std::size_t after) {
  const std::size_t size = size_ - before + after;
  const std::size_t rest = size_ - at - before;
  char* const old = data();
  if (size <= capacity_) {
    std::memmove(old + at + after, old + at + before, rest);
  } else {
    const std::size_t capacity = std::min(size * 2, kMostBytes);
    auto more = std::make_unique_for_overwrite<char[]>(capacity);
    std::memcpy(more.get(), old, at);
    std::memcpy(more.get() + at + after, old + at + before, rest);
    more_ = std::move(more);
    capacity_ = static_cast<std::uint16_t>(capacity);
  }
  size_ = static_cast<std::uint16_t>(size);
}

void FlowMetadata::PutText(MetadataField field, std::string_view text) {
  std::size_t before = 0;
  const std::size_t at = Find(field, before);
  if (text.empty()) {
    if (before > 0) --count_;
    Resize(at, before, 0);
    return;
  }
  if (before == 0) {
    if (count_ == kMaxFields) return;
    ++count_;
  }
  const std::size_t bytes = kHeaderBytes + text.size();
  if (before == 0 && at == size_ && size_ + bytes <= capacity_) {
    size_ = static_cast<std::uint16_t>(size_ + bytes);  // mostly fields come in their order
  } else {
    Resize(at, before, bytes);
  }
  char* const place = data() + at;
  const Header header{static_cast<std::uint16_t>(field), static_cast<std::uint16_t>(text.size())};
  std::memcpy(place, &header, kHeaderBytes);
  std::memcpy(place + kHeaderBytes, text.data(), text.size());
}

void FlowMetadata::Set(MetadataField field, std::string_view value) {
  const bool is_fit = value.size() <= kMaxValueBytes && base::IsPrintableUtf8(value);
  // A value of this object is about to move.
  const bool is_own =
      std::greater_equal<>()(value.data(), data()) && std::less<>()(value.data(), data() + size_);
  if (is_fit && !is_own) return PutText(field, value);
  PutText(field, base::PrintableUtf8(value, kMaxValueBytes));
}

void FlowMetadata::SetPlain(MetadataField field, std::string_view value) {
  assert(value.size() <= kMaxValueBytes && base::IsPrintableUtf8(value));
  PutText(field, value);
}

std::string_view FlowMetadata::Get(MetadataField field) const {
  std::size_t bytes = 0;
  const std::size_t at = Find(field, bytes);
  if (bytes == 0) return {};
  return {data() + at + kHeaderBytes, bytes - kHeaderBytes};
}

FlowMetadata::Entry FlowMetadata::Iterator::operator*() const {
  const Header header = HeaderAt(at_);
  return {static_cast<MetadataField>(header.field), {at_ + kHeaderBytes, header.size}};
}

FlowMetadata::Iterator& FlowMetadata::Iterator::operator++() {
  at_ += kHeaderBytes + HeaderAt(at_).size;
  return *this;
}

}  // namespace nta
