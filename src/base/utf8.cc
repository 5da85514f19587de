#include "base/utf8.h"

#include <cstdint>
#include <cstring>

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

// Whether the eight bytes at `at` are printable ASCII.
bool ArePlain(const char* at) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  constexpr std::uint64_t kHigh = 0x8080808080808080;
  std::uint64_t word = 0;
  std::memcpy(&word, at, 8);
  // A high bit for every byte below 0x20, above 0x7E, or (a false alarm at worst) beside one.
  return (((word - kOnes * 0x20) | (word + kOnes) | word) & kHigh) == 0;
}

// Of `size` bytes, at least eight: the last word overlaps the one before.
bool AreAllPlain(const char* at, std::size_t size) {
  for (std::size_t i = 0; i + 8 < size; i += 8) {
    if (!ArePlain(at + i)) return false;
  }
  return ArePlain(at + size - 8);
}

// The first byte of `text` from `i` on that is not printable ASCII.
std::size_t SkipPlain(std::string_view text, std::size_t i) {
  while (i + 8 <= text.size() && ArePlain(text.data() + i)) i += 8;
  while (i < text.size() && text[i] >= 0x20 && text[i] < 0x7F) ++i;
  return i;
}

void AppendHex(std::uint32_t value, int digits, std::string& out) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[value >> shift & 0xF];
  }
}

// The character at `i`, spelled out when it cannot stand for itself; its bytes in `text`.
std::size_t AppendEscaped(std::string_view text, std::size_t i, std::string& out) {
  const Character character = ReadCharacter(text, i);
  if (character.bytes > 0 && IsPrintable(character.code)) {
    out += text.substr(i, character.bytes);
  } else if (character.bytes <= 1) {
    out += "\\x";
    AppendHex(ByteAt(text, i), 2, out);
  } else {
    out += "\\u{";
    AppendHex(character.code, character.code > 0xFF ? 4 : 2, out);
    out += '}';
  }
  return character.bytes > 0 ? character.bytes : 1;
}

}  // namespace

bool IsPrintableUtf8(std::string_view text) {
  if (text.size() >= 8 && AreAllPlain(text.data(), text.size())) return true;
  for (std::size_t i = SkipPlain(text, 0); i < text.size(); i = SkipPlain(text, i)) {
    const Character character = ReadCharacter(text, i);
    if (character.bytes == 0 || !IsPrintable(character.code)) return false;
    i += character.bytes;
  }
  return true;
}

std::string EscapedUtf8(std::string_view text, std::size_t max_bytes) {
  if (text.size() <= max_bytes && IsPrintableUtf8(text)) return std::string(text);
  constexpr std::size_t kNoteBytes = 40;
  // Where the text must end when the note has to follow, and what of `text` stands before.
  const std::size_t room = max_bytes > kNoteBytes ? max_bytes - kNoteBytes : 0;
  std::size_t kept_bytes = 0;
  std::size_t kept = 0;
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    i += AppendEscaped(text, i, out);
    if (out.size() <= room) {
      kept_bytes = out.size();
      kept = i;
    } else if (out.size() > max_bytes) {
      out.resize(kept_bytes);
      const std::string note = " [" + std::to_string(text.size() - kept) + " more bytes]";
      return room > 0 ? out + note : note.substr(0, max_bytes);
    }
  }
  return out;
}

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
