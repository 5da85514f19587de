// Texts that somebody might send to break whoever shows or stores them.
//
//   for (const std::string& text : test::HostileTexts()) ...
#ifndef NTA_TESTS_SUPPORT_HOSTILE_TEXTS_H_
#define NTA_TESTS_SUPPORT_HOSTILE_TEXTS_H_

#include <string>
#include <string_view>
#include <vector>

namespace nta::test {

inline std::vector<std::string> HostileTexts() {
  return {std::string("nul\0.example", 12),
          "<script>alert(1)</script>",
          "\"},{\"name\":\"x",
          "gro.elpmaxe\u202Emoc.knab\u2066",
          "\xFF\xFE\xC0\x80.example",
          "cut \xE2\x82",
          "a\r\nSet-Cookie: x=1",
          "\x1B[31mred\x1B]0;title\x07",
          "=cmd|' /C calc'!A0",
          "a,\"b\",c'); DROP TABLE flows;--",
          std::string(65'536, 'n')};
}

// What every door promises of them: UTF-8, at most 1,024 bytes, nothing that steers a terminal,
// breaks a line or turns the reading direction.
inline bool IsFitToShow(std::string_view text) {
  if (text.size() > 1'024) return false;
  for (const std::string_view turns : {"\u202A", "\u202B", "\u202C", "\u202D", "\u202E", "\u2066",
                                       "\u2067", "\u2068", "\u2069", "\u2028", "\u2029"}) {
    if (text.find(turns) != std::string_view::npos) return false;
  }
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t k) { return static_cast<unsigned char>(text[k]); };
    const unsigned char first = byte(i);
    if (first < 0x20 || first == 0x7F || (first >= 0x80 && first < 0xC2) || first > 0xF4)
      return false;
    const std::size_t size = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() - i < size) return false;
    for (std::size_t k = 1; k < size; ++k) {
      if ((byte(i + k) & 0xC0) != 0x80) return false;
    }
    if (first == 0xC2 && byte(i + 1) < 0xA0) return false;  // C1 controls
    i += size;
  }
  return true;
}

}  // namespace nta::test

#endif  // NTA_TESTS_SUPPORT_HOSTILE_TEXTS_H_
