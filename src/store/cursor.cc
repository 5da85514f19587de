#include "store/cursor.h"

#include <charconv>
#include <system_error>

#include "base/status.h"

namespace nta::store {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

absl::Status WrongCursor() { return base::InvalidArgument("the cursor is not one of this query"); }

}  // namespace

absl::StatusOr<std::int64_t> ParseInteger(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return WrongCursor();
  return value;
}

std::string EncodeCursor(char kind, const Cursor& cursor) {
  std::string text(1, kind);
  text += std::to_string(cursor.value);
  text += '_';
  // Ids may hold any bytes; cursors travel in URLs.
  for (const char c : cursor.id) {
    const auto byte = static_cast<unsigned char>(c);
    text += kHex[byte >> 4];
    text += kHex[byte & 15];
  }
  return text;
}

absl::StatusOr<Cursor> DecodeCursor(char kind, std::string_view text) {
  const std::size_t separator = text.find('_');
  if (text.empty() || text[0] != kind || separator == std::string_view::npos) return WrongCursor();
  Cursor cursor;
  NTA_ASSIGN_OR_RETURN(cursor.value, ParseInteger(text.substr(1, separator - 1)));
  const std::string_view id = text.substr(separator + 1);
  if (id.empty() || id.size() % 2 != 0) return WrongCursor();
  for (std::size_t i = 0; i < id.size(); i += 2) {
    const std::size_t high = kHex.find(id[i]);
    const std::size_t low = kHex.find(id[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return WrongCursor();
    cursor.id += static_cast<char>(high << 4 | low);
  }
  return cursor;
}

}  // namespace nta::store
