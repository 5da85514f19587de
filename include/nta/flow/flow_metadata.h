// FlowMetadata: what the first messages of a flow say about it, field by field
// (docs/applications.md).
//
//   if (flow.metadata) std::cout << flow.metadata->Get(nta::MetadataField::kServerName);
#ifndef NTA_FLOW_FLOW_METADATA_H_
#define NTA_FLOW_FLOW_METADATA_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace nta {

// Numbers are persisted: append only.
enum class MetadataField : std::uint16_t {
  // The peer by name.
  kServerName = 0,       // TLS or QUIC SNI, HTTP host, the name that a DNS query asks for
  kSourceName = 1,       // the name that the source was known by (DNS, DHCP, SNI seen before)
  kDestinationName = 2,  // likewise the destination
  // TLS, DTLS, QUIC.
  kTlsVersion = 10,
  kAlpn = 11,  // offered, comma-separated
  kCipher = 12,
  kJa3 = 13,
  kJa3s = 14,
  kJa4 = 15,
  kCertificateSubject = 16,
  kCertificateIssuer = 17,
  kCertificateNotBefore = 18,  // RFC 3339
  kCertificateNotAfter = 19,
  kEncryptedClientHello = 20,  // "true"
  kQuicVersion = 21,
  // HTTP.
  kHttpMethod = 30,
  kHttpPath = 31,
  kUserAgent = 32,
  kHttpStatus = 33,
  kContentType = 34,
  // SSH.
  kClientVersion = 40,
  kServerVersion = 41,
  kHassh = 42,
  kHasshServer = 43,
  // Names and addresses.
  kDnsType = 50,
  kDnsRcode = 51,
  kDnsAnswers = 52,  // comma-separated, bounded
  kHostName = 53,    // that a DHCP client gives itself
  kDhcpFingerprint = 54,
  kVendorClass = 55,
  // Log-ins of FTP, SMTP, POP3, IMAP, Telnet, SSH, databases, ...
  kUserName = 60,
  kLoginSuccesses = 61,
  kLoginFailures = 62,
  // Any protocol.
  kRequest = 70,   // its first request or command
  kResponse = 71,  // the answer to it: a status, a code
  // What an optional component says beyond our list: "netflix", "tor" (docs/applications.md).
  kApplicationDetail = 72,
};
std::string_view ToString(MetadataField field);  // "server_name", ...
absl::StatusOr<MetadataField> ParseMetadataField(std::string_view text);
// All of them, ordered by number.
std::span<const MetadataField> MetadataFields();

// Values come from strangers: they are valid UTF-8 without control characters and at most
// kMaxValueBytes long (longer ones are cut), whoever sets them.
class FlowMetadata {
 public:
  static constexpr std::size_t kMaxValueBytes = 1024;
  static constexpr std::size_t kMaxFields = 32;

  struct Entry {
    MetadataField field{};
    std::string value;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Bytes that are not UTF-8, and control characters, become U+FFFD. An empty value removes the
  // field. A field beyond kMaxFields is left out.
  void Set(MetadataField field, std::string_view value);
  // Empty when unset. Valid until the next Set.
  std::string_view Get(MetadataField field) const;
  // Ordered by field.
  std::span<const Entry> entries() const { return entries_; }
  bool empty() const { return entries_.empty(); }
  std::size_t memory_bytes() const;

  friend bool operator==(const FlowMetadata&, const FlowMetadata&) = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_METADATA_H_
