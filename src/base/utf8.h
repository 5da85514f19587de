// Texts from strangers, made fit for people and for text formats.
#ifndef NTA_BASE_UTF8_H_
#define NTA_BASE_UTF8_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace nta::base {

// The text with U+FFFD in place of every byte that is no UTF-8 (RFC 3629) and of every character
// that would steer a terminal, break a line or turn the reading direction: C0 and C1 controls, DEL,
// U+2028, U+2029, U+202A to U+202E, U+2066 to U+2069. Cut before the character that would exceed
// `max_bytes`.
std::string PrintableUtf8(std::string_view text, std::size_t max_bytes);

// True when the text is UTF-8 and has none of the characters above.
bool IsPrintableUtf8(std::string_view text);

// The text with every such byte and character spelled out instead, so that nothing is lost to the
// reader: "\x0a" for a byte, "\u{202e}" for a character. What would exceed `max_bytes` is left out
// and told at the end, " [120 more bytes]", within `max_bytes`.
std::string EscapedUtf8(std::string_view text, std::size_t max_bytes);

}  // namespace nta::base

#endif  // NTA_BASE_UTF8_H_
