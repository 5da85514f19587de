// FlowMetadata: what the first messages of a flow say about it, field by field
// (docs/applications.md).
//
//   if (flow.metadata) std::cout << flow.metadata->Get(nta::MetadataField::kServerName);
#ifndef NTA_FLOW_FLOW_METADATA_H_
#define NTA_FLOW_FLOW_METADATA_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

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
//
// Nearly every flow has some, so they lie packed in the object itself, and beyond it only when they
// are many or long.
class FlowMetadata {
 public:
  static constexpr std::size_t kMaxValueBytes = 1024;
  static constexpr std::size_t kMaxFields = 32;

  struct Entry {
    MetadataField field{};
    std::string_view value;

    friend bool operator==(const Entry&, const Entry&) = default;
  };

  // Goes through the fields in their order; valid until the next Set.
  class Iterator {
   public:
    using value_type = Entry;
    using difference_type = std::ptrdiff_t;

    Iterator() = default;
    Entry operator*() const;
    Iterator& operator++();
    Iterator operator++(int) {
      const Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    friend class FlowMetadata;
    explicit Iterator(const char* at) : at_(at) {}
    const char* at_ = nullptr;
  };
  struct Entries {
    Iterator first;
    Iterator last;
    Iterator begin() const { return first; }
    Iterator end() const { return last; }
  };

  FlowMetadata() = default;
  FlowMetadata(const FlowMetadata& other);
  FlowMetadata& operator=(const FlowMetadata& other);
  FlowMetadata(FlowMetadata&& other) noexcept;
  FlowMetadata& operator=(FlowMetadata&& other) noexcept;
  ~FlowMetadata() = default;

  // Bytes that are not UTF-8, and control characters, become U+FFFD. An empty value removes the
  // field. A field beyond kMaxFields is left out.
  void Set(MetadataField field, std::string_view value);
  // The same, for texts that are not a stranger's: printable ASCII of at most kMaxValueBytes, and
  // not a value of this object.
  void SetPlain(MetadataField field, std::string_view value);
  // Empty when unset. Valid until the next Set.
  std::string_view Get(MetadataField field) const;
  // Ordered by field.
  Entries entries() const { return {Iterator(data()), Iterator(data() + size_)}; }
  bool empty() const { return size_ == 0; }
  std::size_t memory_bytes() const { return sizeof(*this) + (more_ == nullptr ? 0 : capacity_); }

  friend bool operator==(const FlowMetadata& a, const FlowMetadata& b) {
    return std::string_view(a.data(), a.size_) == std::string_view(b.data(), b.size_);
  }

 private:
  // A TLS connection with all of its fields and the names of both ends. With the reference count of
  // a shared pointer and the allocator's own word it makes five cache lines.
  static constexpr std::uint16_t kInlineBytes = 280;

  const char* data() const { return more_ == nullptr ? inline_ : more_.get(); }
  char* data() { return more_ == nullptr ? inline_ : more_.get(); }
  void PutText(MetadataField field, std::string_view text);
  // Where the field is, or where it belongs; its bytes, 0 when it is not there.
  std::size_t Find(MetadataField field, std::size_t& bytes) const;
  // Makes the bytes at `at` so many, whatever follows them moves.
  void Resize(std::size_t at, std::size_t before, std::size_t after);

  std::unique_ptr<char[]> more_;  // in place of inline_
  // At most kMaxFields * (kMaxValueBytes + 4).
  std::uint16_t size_ = 0;
  std::uint16_t capacity_ = kInlineBytes;
  std::uint16_t count_ = 0;
  // Field by field: its number (2), the value's size (2), the value.
  char inline_[kInlineBytes];
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_METADATA_H_
