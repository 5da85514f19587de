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

}  // namespace nta::base

#endif  // NTA_BASE_UTF8_H_
