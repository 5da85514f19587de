// DNS messages (RFC 1035 4), read in place.
#ifndef NTA_APP_DNS_MESSAGE_H_
#define NTA_APP_DNS_MESSAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace nta::internal {

enum DnsType : std::uint16_t {
  kDnsA = 1,
  kDnsNs = 2,
  kDnsCname = 5,
  kDnsPtr = 12,
  kDnsMx = 15,
  kDnsTxt = 16,
  kDnsAaaa = 28,
  kDnsSrv = 33,
  kDnsOpt = 41,
};

struct DnsHeader {
  std::uint16_t id = 0;
  std::uint16_t flags = 0;
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  std::uint16_t authorities = 0;
  std::uint16_t additionals = 0;

  bool is_response() const { return (flags & 0x8000) != 0; }
  int opcode() const { return flags >> 11 & 15; }
  int rcode() const { return flags & 15; }
};

// A name as text: "example.com"; the root is ".". Dots and backslashes inside a label are escaped
// by a backslash, other bytes stay as they are.
class DnsName {
 public:
  std::string_view text() const { return {text_.data(), size_}; }

 private:
  friend class DnsReader;
  void Append(char c) {
    if (size_ < text_.size()) text_[size_++] = c;
  }
  // `readable`: how many bytes of the message there are from the label's beginning on.
  void AppendLabel(std::span<const std::uint8_t> label, std::size_t readable);
  bool AppendWords(std::span<const std::uint8_t> label, std::size_t readable);
  std::array<char, 512> text_;
  std::size_t size_ = 0;
};

struct DnsQuestion {
  DnsName name;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
};

struct DnsRecord {
  DnsName name;
  std::uint16_t type = 0;
  std::uint16_t record_class = 0;
  std::uint32_t time_to_live = 0;
  std::size_t data_offset = 0;  // in the message: names in it may point anywhere
  std::span<const std::uint8_t> data;
};

// Moves through a message once. A name's pointers must lead backwards, so that each name ends; the
// work for a name is at most 255 bytes and 128 pointers.
class DnsReader {
 public:
  explicit DnsReader(std::span<const std::uint8_t> message) : message_(message) {}

  // False, for good, when the message ends early or contradicts itself.
  bool ok() const { return ok_; }
  std::size_t position() const { return position_; }

  DnsHeader ReadHeader();
  void ReadQuestion(DnsQuestion& question);
  void ReadRecord(DnsRecord& record);
  // The name at `offset`, without moving.
  bool ReadNameAt(std::size_t offset, DnsName& name) const;

 private:
  // Returns where the name ends in place; 0 when it is broken.
  std::size_t ReadName(std::size_t offset, DnsName& name) const;
  std::uint16_t U16();
  std::uint32_t U32();

  std::span<const std::uint8_t> message_;
  std::size_t position_ = 0;
  bool ok_ = true;
};

// "A", "HTTPS", "TYPE999".
std::string DnsTypeName(std::uint16_t type);
// "NOERROR", "NXDOMAIN", "RCODE13".
std::string DnsRcodeName(int rcode);

}  // namespace nta::internal

#endif  // NTA_APP_DNS_MESSAGE_H_
