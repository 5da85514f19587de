#include "nta/flow/flow_metadata.h"

#include <algorithm>
#include <array>

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

constexpr std::size_t kUsualFields = 4;

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

void FlowMetadata::Set(MetadataField field, std::string_view value) {
  const auto place = std::ranges::lower_bound(entries_, field, {}, &Entry::field);
  const bool is_set = place != entries_.end() && place->field == field;
  if (value.empty()) {
    if (is_set) entries_.erase(place);
    return;
  }
  std::string text = base::PrintableUtf8(value, kMaxValueBytes);
  if (is_set) {
    place->value = std::move(text);
  } else if (entries_.size() < kMaxFields) {
    const auto at = place - entries_.begin();
    // Hardly a flow has less: one allocation instead of three.
    if (entries_.empty()) entries_.reserve(kUsualFields);
    entries_.insert(entries_.begin() + at, {field, std::move(text)});
  }
}

std::string_view FlowMetadata::Get(MetadataField field) const {
  const auto place = std::ranges::lower_bound(entries_, field, {}, &Entry::field);
  if (place == entries_.end() || place->field != field) return {};
  return place->value;
}

std::size_t FlowMetadata::memory_bytes() const {
  std::size_t bytes = sizeof(*this) + entries_.capacity() * sizeof(Entry);
  for (const Entry& entry : entries_) {
    // Short texts live inside the string itself.
    if (entry.value.capacity() > std::string().capacity()) bytes += entry.value.capacity() + 1;
  }
  return bytes;
}

}  // namespace nta
