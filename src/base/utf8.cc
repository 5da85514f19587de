#include "base/utf8.h"

#include <cstdint>

namespace nta::base {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Character {
  std::uint32_t code = 0;
  std::size_t bytes = 0;  // 0: not UTF-8 here
};

std::uint8_t ByteAt(std::string_view text, std::size_t i) {
  return static_cast<std::uint8_t>(text[i]);
}

// The character that starts at `i`.
Character ReadCharacter(std::string_view text, std::size_t i) {
  const std::uint8_t first = ByteAt(text, i);
  if (first < 0x80) return {first, 1};
  if (first < 0xC2 || first > 0xF4) return {};
  const std::size_t bytes = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (text.size() - i < bytes) return {};
  std::uint32_t code = first & (0x7Fu >> bytes);
  for (std::size_t k = 1; k < bytes; ++k) {
    const std::uint8_t next = ByteAt(text, i + k);
    if ((next & 0xC0) != 0x80) return {};
    code = code << 6 | (next & 0x3Fu);
  }
  // Overlong forms, surrogates and what lies beyond Unicode.
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  if (code < kLeast[bytes] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return {};
  return {code, bytes};
}

bool IsPrintable(std::uint32_t code) {
  if (code < 0x20 || (code >= 0x7F && code <= 0x9F)) return false;
  return !(code >= 0x2028 && code <= 0x202E) && !(code >= 0x2066 && code <= 0x2069);
}

}  // namespace

std::string PrintableUtf8(std::string_view text, std::size_t max_bytes) {
  // Mostly there is nothing to mend.
  std::size_t plain = 0;
  const std::size_t limit = text.size() < max_bytes ? text.size() : max_bytes;
  while (plain < limit && text[plain] >= 0x20 && text[plain] < 0x7F) ++plain;
  std::string out(text.substr(0, plain));
  for (std::size_t i = plain; i < text.size();) {
    const Character character = ReadCharacter(text, i);
    const bool keep = character.bytes > 0 && IsPrintable(character.code);
    const std::string_view part = keep ? text.substr(i, character.bytes) : kReplacement;
    if (out.size() + part.size() > max_bytes) break;
    out += part;
    i += character.bytes > 0 ? character.bytes : 1;
  }
  return out;
}

}  // namespace nta::base
