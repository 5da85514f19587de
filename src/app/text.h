// Reading text protocols: lines, words, numbers, without a copy.
#ifndef NTA_APP_TEXT_H_
#define NTA_APP_TEXT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace nta::internal {

std::string_view AsText(std::span<const std::uint8_t> bytes);
// Letters A to Z count as a to z.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
bool StartsWithIgnoreCase(std::string_view text, std::string_view prefix);
bool ContainsIgnoreCase(std::string_view text, std::string_view part);
// Only 0x20 to 0x7E and tabs.
bool IsPrintableAscii(std::string_view text);
bool IsDigit(char c);
bool IsLetter(char c);
// Digits only, up to nine of them.
std::optional<std::uint32_t> ParseDigits(std::string_view text);
std::string_view TrimSpaces(std::string_view text);
// Takes the next word off `text`: up to a space, or the whole of it.
std::string_view TakeWord(std::string_view& text);
// The value of the header "Name: value" among the lines up to the first empty one; empty without.
std::string_view FindHeader(std::string_view message, std::string_view name);

// The lines of a text that may go on later.
class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}
  explicit LineReader(std::span<const std::uint8_t> bytes) : text_(AsText(bytes)) {}

  // The next line without its LF and CR; nothing when it is not complete.
  std::optional<std::string_view> Next();
  // What follows the lines that were read.
  std::string_view rest() const { return text_; }
  void Skip(std::size_t size) { text_.remove_prefix(size < text_.size() ? size : text_.size()); }

 private:
  std::string_view text_;
};

}  // namespace nta::internal

#endif  // NTA_APP_TEXT_H_
