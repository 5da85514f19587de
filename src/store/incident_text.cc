#include "store/incident_text.h"

#include <algorithm>

#include "base/status.h"
#include "base/utf8.h"

namespace nta::store {
namespace {

// Nothing that is no UTF-8, steers a terminal or turns the reading direction.
bool IsPlain(std::string_view line) { return base::PrintableUtf8(line, line.size() * 3) == line; }

absl::Status Wrong(const TextRule& rule, std::string_view what) {
  return base::InvalidArgument("field \"" + std::string(rule.field) + "\" " + std::string(what));
}

std::string Trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return "";
  return std::string(text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin));
}

}  // namespace

absl::StatusOr<std::string> CheckText(std::string_view text, const TextRule& rule) {
  std::string kept = Trim(text);
  if (rule.lines) std::erase(kept, '\r');
  if (kept.size() < rule.least) return Wrong(rule, "must not be empty");
  if (kept.size() > rule.most) {
    return Wrong(rule, "is longer than " + std::to_string(rule.most) + " bytes");
  }
  std::string plain = kept;
  if (rule.lines) {
    std::replace_if(
        plain.begin(), plain.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
  }
  if (!IsPlain(plain)) return Wrong(rule, "holds control characters, or is not UTF-8");
  return kept;
}

}  // namespace nta::store
