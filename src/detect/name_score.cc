#include "nta/detect/name_score.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

namespace nta {
namespace {

// Second labels under which countries let people register.
constexpr std::array<std::string_view, 12> kSecondLevel = {
    "ac", "co", "com", "edu", "gob", "gouv", "gov", "mil", "ne", "net", "or", "org"};
// Frequent pairs of letters of words, in any of the languages that host names come from; encoded
// data has them only as often as chance has it.
constexpr std::string_view kPairs =
    "thheinerandeonesorteisitarasttndengalmeleurilitenehaetraiclilaomecanedontoevrorirestsaseed"
    "ouadchelsuwwmaunigosloapidveuscedashlypiubimocoanspoamopbeefwispexhosernetcdnapiappimg";

struct Characters {
  double count = 0;
  double digits = 0;
  double uppers = 0;
  double lowers = 0;
  double foreign = 0;  // neither letter, digit, hyphen nor underscore
  double changes = 0;  // between letters and digits
  double known_pairs = 0;
  double pairs = 0;
  double entropy = 0;  // bits a character
  double longest_label = 0;
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
char Lower(char c) { return IsUpper(c) ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsKnownPair(char a, char b) {
  for (std::size_t i = 0; i + 1 < kPairs.size(); ++i) {
    if (kPairs[i] == a && kPairs[i + 1] == b) return true;
  }
  return false;
}

Characters Count(std::string_view text) {
  Characters seen;
  std::array<std::uint16_t, 256> times{};
  double label = 0;
  char previous = '.';
  for (const char c : text) {
    if (c == '.') {
      label = 0;
      previous = c;
      continue;
    }
    seen.longest_label = std::max(seen.longest_label, ++label);
    ++seen.count;
    ++times[static_cast<unsigned char>(c)];
    seen.digits += IsDigit(c);
    seen.uppers += IsUpper(c);
    seen.lowers += IsLower(c);
    const bool is_letter = IsLower(c) || IsUpper(c);
    seen.foreign += !is_letter && !IsDigit(c) && c != '-' && c != '_';
    const bool was_letter = IsLower(previous) || IsUpper(previous);
    seen.changes += (IsDigit(c) && was_letter) || (is_letter && IsDigit(previous));
    if (is_letter && was_letter) {
      ++seen.pairs;
      seen.known_pairs += IsKnownPair(Lower(previous), Lower(c));
    }
    previous = c;
  }
  for (const std::uint16_t n : times) {
    if (n > 0) seen.entropy -= n / seen.count * std::log2(n / seen.count);
  }
  return seen;
}

bool IsReverse(std::string_view domain) {
  return domain.ends_with("in-addr.arpa") || domain.ends_with("ip6.arpa");
}

}  // namespace

std::string_view RegisteredDomain(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::size_t top = name.rfind('.');
  if (top == std::string_view::npos || top == 0) return name;
  const std::size_t second = name.rfind('.', top - 1);
  if (second == std::string_view::npos || second == 0) return name;
  const std::string_view label = name.substr(second + 1, top - second - 1);
  const bool is_country = name.size() - top - 1 == 2;
  if (!is_country || std::ranges::find(kSecondLevel, label) == kSecondLevel.end()) {
    return name.substr(second + 1);
  }
  const std::size_t third = name.rfind('.', second - 1);
  return third == std::string_view::npos ? name : name.substr(third + 1);
}

double DnsTunnelScore(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  const std::string_view domain = RegisteredDomain(name);
  if (domain.size() >= name.size() || IsReverse(name)) return 0.002;
  const std::string_view labels = name.substr(0, name.size() - domain.size() - 1);
  const Characters seen = Count(labels);
  if (seen.count == 0) return 0.002;
  const double letters = seen.uppers + seen.lowers;
  const double mixed_case = std::min(seen.uppers, seen.lowers) / std::max(1.0, letters);
  // How strange the letters are; few of them say little.
  const double strangeness =
      seen.pairs > 0 ? (1 - seen.known_pairs / seen.pairs) * std::min(1.0, seen.pairs / 8) : 0;
  // By chance alone a string of n characters has at most log2(n) bits.
  const double entropy = std::max(0.0, seen.entropy - 3);
  const double service = labels.starts_with('_') ? 1 : 0;
  const double score = -4.2 + 0.035 * seen.count + 0.03 * std::min(seen.longest_label, 40.0) +
                       1.1 * entropy + 2.5 * strangeness + 1.5 * seen.digits / seen.count +
                       6 * mixed_case + 12 * std::min(0.3, seen.foreign / seen.count) +
                       2.5 * std::min(0.4, seen.changes / seen.count) - 3 * service;
  return 1 / (1 + std::exp(-score));
}

}  // namespace nta
