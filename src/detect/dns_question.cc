#include "detect/dns_question.h"

namespace nta::detect {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::uint8_t kIsResponse = 0x80;
constexpr std::uint8_t kOpcode = 0x78;
constexpr std::uint8_t kMostLabel = 63;

}  // namespace

// RFC 1035 section 4.1: header, then labels of a length and so many bytes, a zero, type, class. A
// question does not point elsewhere.
bool ReadDnsQuestion(std::span<const std::uint8_t> message, bool has_length,
                     DnsQuestionText& question) {
  if (has_length) message = message.subspan(message.size() < 2 ? message.size() : 2);
  if (message.size() < kHeaderBytes + 5) return false;
  if ((message[2] & (kIsResponse | kOpcode)) != 0) return false;
  if (message[4] != 0 || message[5] != 1) return false;
  std::size_t at = kHeaderBytes;
  question.size = 0;
  while (true) {
    const std::uint8_t length = message[at++];
    if (length == 0) break;
    if (length > kMostLabel || at + length + 5 > message.size()) return false;
    if (question.size + length + 1 > DnsQuestionText::kMostBytes) return false;
    if (question.size > 0) question.characters[question.size++] = '.';
    for (std::size_t i = 0; i < length; ++i) {
      const std::uint8_t byte = message[at + i];
      const bool is_plain = byte > ' ' && byte < 0x7f && byte != '.';
      question.characters[question.size++] = is_plain ? static_cast<char>(byte) : '\x7f';
    }
    at += length;
  }
  if (at + 4 > message.size() || question.size == 0) return false;
  question.type = static_cast<std::uint16_t>(message[at] << 8 | message[at + 1]);
  return true;
}

}  // namespace nta::detect
