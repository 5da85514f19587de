// Reading the small text files of /proc and /sys, which may be missing, cut or nonsense.
#ifndef NTA_HEALTH_PROC_FILE_H_
#define NTA_HEALTH_PROC_FILE_H_

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace nta::health {

// The file's text, cut at 4 MiB. `path` begins with "/" and is below `root`.
absl::StatusOr<std::string> ReadFile(const std::string& root, std::string_view path);
// As ReadFile, without the blanks at its end; absent when it cannot be read.
std::optional<std::string> ReadLine(const std::string& root, std::string_view path);
// Names in a directory, sorted; empty when it cannot be read.
std::vector<std::string> ListDirectory(const std::string& root, std::string_view path);

std::vector<std::string_view> Lines(std::string_view text);
// The words between blanks.
std::vector<std::string_view> Words(std::string_view line);

// The whole text as a number; absent when it is none.
template <typename Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace nta::health

#endif  // NTA_HEALTH_PROC_FILE_H_
