// ReadDnsQuestion(): the name that a DNS query asks for.
#ifndef NTA_SRC_DETECT_DNS_QUESTION_H_
#define NTA_SRC_DETECT_DNS_QUESTION_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace nta::detect {

struct DnsQuestionText {
  static constexpr std::size_t kMostBytes = 255;  // RFC 1035 section 2.3.4

  std::array<char, kMostBytes> characters;
  std::size_t size = 0;
  std::uint16_t type = 0;

  // Labels joined by dots, without a final one. Bytes that no host name has are kept where they are
  // printable, else they become '\x7f'.
  std::string_view name() const { return {characters.data(), size}; }
};

// False for what is no query with one question, or cut short. `has_length`: two bytes of length
// come first (TCP).
bool ReadDnsQuestion(std::span<const std::uint8_t> message, bool has_length,
                     DnsQuestionText& question);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_DNS_QUESTION_H_
