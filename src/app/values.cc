#include "app/values.h"

#include <algorithm>
#include <string>

#include "app/text.h"

namespace nta::internal {

void SetFirst(Findings& findings, MetadataField field, Bytes value) {
  findings.SetFirst(field, AsText(value));
}

std::string Utf16ToText(Bytes value) {
  std::string text;
  if (value.size() < 2) return text;
  const std::size_t end = std::min<std::size_t>(value.size() - 1, FlowMetadata::kMaxValueBytes);
  for (std::size_t i = 0; i < end; i += 2) {
    const auto unit = static_cast<std::uint32_t>(value[i] | value[i + 1] << 8);
    if (unit < 0x80) {
      text += static_cast<char>(unit);
    } else if (unit < 0x800) {
      text += static_cast<char>(0xC0 | unit >> 6);
      text += static_cast<char>(0x80 | (unit & 0x3F));
    } else {  // half of a surrogate pair: becomes U+FFFD when it is set
      text += static_cast<char>(0xE0 | unit >> 12);
      text += static_cast<char>(0x80 | (unit >> 6 & 0x3F));
      text += static_cast<char>(0x80 | (unit & 0x3F));
    }
  }
  return text;
}

void SetFirstUtf16(Findings& findings, MetadataField field, Bytes value) {
  if (findings.Get(field).empty()) findings.SetFirst(field, Utf16ToText(value));
}

void SetFirstNumber(Findings& findings, MetadataField field, std::string_view prefix,
                    std::uint64_t value) {
  if (!findings.Get(field).empty()) return;
  std::string text(prefix);
  if (!text.empty()) text += ' ';
  findings.SetFirst(field, text + std::to_string(value));
}

}  // namespace nta::internal
