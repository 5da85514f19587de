#include "app/ber.h"

#include <algorithm>

namespace nta::internal {

std::optional<BerValue> ReadBer(base::ByteCursor& cursor) {
  BerValue value;
  value.tag = cursor.U8();
  std::size_t size = cursor.U8();
  if ((value.tag & 0x1F) == 0x1F) return std::nullopt;  // longer tags
  if (size >= 0x80) {
    const std::size_t bytes = size & 0x7F;
    if (bytes == 0 || bytes > 4) return std::nullopt;
    size = 0;
    for (std::size_t i = 0; i < bytes; ++i) size = size << 8 | cursor.U8();
  }
  if (!cursor.ok()) return std::nullopt;
  value.size = size;
  value.content = cursor.Bytes(std::min(size, cursor.remaining()));
  return value;
}

std::optional<BerValue> ReadBer(base::ByteCursor& cursor, std::uint8_t tag) {
  const auto value = ReadBer(cursor);
  if (!value || value->tag != tag || !value->is_complete()) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ReadBerInteger(base::ByteCursor& cursor, std::uint8_t tag) {
  const auto value = ReadBer(cursor, tag);
  if (!value || value->content.empty() || value->content.size() > 4) return std::nullopt;
  std::int64_t number = static_cast<std::int8_t>(value->content[0]);
  for (const std::uint8_t byte : value->content.subspan(1)) number = number * 256 + byte;
  return number;
}

}  // namespace nta::internal
