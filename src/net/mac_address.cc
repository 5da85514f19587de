#include "nta/net/mac_address.h"

#include <charconv>

#include "base/status.h"

namespace nta {

absl::StatusOr<MacAddress> MacAddress::Parse(std::string_view text) {
  constexpr std::size_t kTextSize = 17;
  MacAddress mac;
  bool valid = text.size() == kTextSize;
  for (std::size_t i = 0; valid && i < mac.bytes.size(); ++i) {
    const char* digits = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(digits, digits + 2, mac.bytes[i], 16);
    valid = error == std::errc() && end == digits + 2 && (i == 5 || digits[2] == text[2]) &&
            (text[2] == ':' || text[2] == '-');
  }
  if (!valid) {
    return base::InvalidArgument("not a MAC address: \"" + std::string(text.substr(0, 64)) + '"');
  }
  return mac;
}

std::string MacAddress::ToString() const {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : bytes) {
    if (!text.empty()) text += ':';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

}  // namespace nta
