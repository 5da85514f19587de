#include "nta/net/port_range.h"

#include <charconv>
#include <optional>

#include "base/status.h"

namespace nta {
namespace {

std::optional<std::uint16_t> ParsePort(std::string_view text) {
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (text.empty() || stop != end || error != std::errc()) return std::nullopt;
  return port;
}

}  // namespace

absl::StatusOr<PortRange> ParsePortRange(std::string_view text) {
  const std::size_t dash = text.find('-');
  const std::optional<std::uint16_t> first = ParsePort(text.substr(0, dash));
  const std::optional<std::uint16_t> last =
      dash == std::string_view::npos ? first : ParsePort(text.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return base::InvalidArgument(
        "ports are numbers from 0 to 65535, or two with \"-\" between: 8000-8100");
  }
  return PortRange{*first, *last};
}

std::string ToString(const PortRange& range) {
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += "-" + std::to_string(range.last);
  return text;
}

}  // namespace nta
