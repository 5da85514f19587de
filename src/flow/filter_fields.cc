#include "flow/filter_fields.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <span>
#include <system_error>
#include <utility>
#include <vector>

#include "base/nearest_name.h"
#include "base/status.h"
#include "nta/flow/application.h"

namespace nta {
namespace {

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace
}  // namespace nta

namespace nta::filter {
namespace {

struct FieldNames {
  FlowField field;
  std::string_view short_name;
  std::string_view long_name;
};

constexpr std::array kFields{
    FieldNames{FlowField::kSource, "src", "source_address"},
    FieldNames{FlowField::kDestination, "dst", "destination_address"},
    FieldNames{FlowField::kHost, "host", "address"},
    FieldNames{FlowField::kSourcePort, "sport", "source_port"},
    FieldNames{FlowField::kDestinationPort, "dport", "destination_port"},
    FieldNames{FlowField::kPort, "port", "port"},
    FieldNames{FlowField::kProtocol, "proto", "protocol"},
    FieldNames{FlowField::kVlan, "vlan", "vlan"},
    FieldNames{FlowField::kBytes, "bytes", "bytes"},
    FieldNames{FlowField::kPackets, "packets", "packets"},
    FieldNames{FlowField::kDuration, "duration", "duration"},
    FieldNames{FlowField::kEndReason, "end_reason", "end_reason"},
    FieldNames{FlowField::kApplication, "app", "application"},
    FieldNames{FlowField::kCategory, "category", "category"},
    FieldNames{FlowField::kTcpState, "tcp_state", "tcp_state"},
    FieldNames{FlowField::kServerName, "server_name", "server_name"},
    FieldNames{FlowField::kIcmpType, "icmp_type", "icmp_type"},
    FieldNames{FlowField::kEvidence, "evidence", "evidence"},
    FieldNames{FlowField::kName, "name", "name"},
    FieldNames{FlowField::kSourceName, "source_name", "source_name"},
    FieldNames{FlowField::kDestinationName, "destination_name", "destination_name"},
    FieldNames{FlowField::kJa3, "ja3", "ja3"},
    FieldNames{FlowField::kJa3s, "ja3s", "ja3s"},
    FieldNames{FlowField::kJa4, "ja4", "ja4"},
    FieldNames{FlowField::kHassh, "hassh", "hassh"},
    FieldNames{FlowField::kHasshServer, "hassh_server", "hassh_server"},
};

struct Unit {
  std::string_view name;
  double factor;
};

// Largest first, for printing.
constexpr std::array kDurationUnits{Unit{"d", 86400e9}, Unit{"h", 3600e9}, Unit{"m", 60e9},
                                    Unit{"s", 1e9},     Unit{"ms", 1e6},   Unit{"us", 1e3},
                                    Unit{"ns", 1}};
constexpr std::array kCountUnits{Unit{"k", 1e3}, Unit{"m", 1e6}, Unit{"g", 1e9}, Unit{"t", 1e12}};

// Up to here every integer is a double.
constexpr double kMaxExactInteger = 9007199254740992.0;

using base::DidYouMean;

std::optional<std::string> Nearest(std::string_view text, const std::vector<std::string>& names) {
  return base::NearestName(text, names);
}

// The number that `text` starts with, and what follows it.
std::optional<std::pair<double, std::string_view>> SplitNumber(std::string_view text) {
  // from_chars also takes a sign, "inf" and "nan".
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return std::pair(number, text.substr(static_cast<std::size_t>(end - text.data())));
}

std::optional<double> ParseNumber(std::string_view text, std::span<const Unit> units,
                                  double bare_factor) {
  const auto split = SplitNumber(text);
  if (!split) return std::nullopt;
  const auto [number, suffix] = *split;
  if (suffix.empty()) return number * bare_factor;
  for (const Unit& unit : units) {
    if (LowerCase(suffix) == unit.name) return number * unit.factor;
  }
  return std::nullopt;
}

absl::Status WrongValue(std::string_view text, std::string_view what) {
  return base::InvalidArgument(Quote(text) + " is not " + std::string(what));
}

absl::StatusOr<FilterValue> ParseInteger(std::string_view text, double most,
                                         std::string_view what) {
  const auto number = ParseNumber(text, kCountUnits, 1);
  if (!number || *number > most || *number != std::floor(*number)) return WrongValue(text, what);
  return FilterValue(*number);
}

bool LooksLikeName(std::string_view text) {
  const auto is_letter = [](char c) {
    return nta::LowerCase(c) >= 'a' && nta::LowerCase(c) <= 'z';
  };
  return text.size() <= 64 && text.find(':') == std::string_view::npos &&
         std::any_of(text.begin(), text.end(), is_letter);
}

absl::StatusOr<FilterValue> ParseAddress(std::string_view text) {
  absl::StatusOr<IpPrefix> prefix = IpPrefix::Parse(text);
  if (prefix.ok()) return FilterValue(*prefix);
  // Who asks for a host means one by name, too.
  const std::string hint = LooksLikeName(text) ? DidYouMean("name=" + LowerCase(text)) : "";
  return WrongValue(text,
                    "an address or network: " + std::string(prefix.status().message()) + hint);
}

absl::StatusOr<FilterValue> ParseProtocolValue(std::string_view text) {
  const std::string name = LowerCase(text);
  if (const auto protocol = ParseProtocol(name); protocol.ok()) {
    return FilterValue(static_cast<double>(*protocol));
  }
  std::vector<std::string> names;
  for (int number = 0; number < 256; ++number) {
    names.push_back(ProtocolName(static_cast<std::uint8_t>(number)));
    if (names.back()[0] >= '0' && names.back()[0] <= '9') names.pop_back();
  }
  return WrongValue(text, "a protocol name or number" + DidYouMean(Nearest(name, names)));
}

// The number of the value of an enum that `text` names; `last` is its greatest.
template <typename Enum>
absl::StatusOr<FilterValue> ParseName(std::string_view text, Enum last, std::string_view what) {
  const std::string name = LowerCase(text);
  std::vector<std::string> names;
  for (int number = 0; number <= static_cast<int>(last); ++number) {
    names.emplace_back(ToString(static_cast<Enum>(number)));
    if (names.back() == name) return FilterValue(static_cast<double>(number));
  }
  return WrongValue(text, std::string(what) + DidYouMean(Nearest(name, names)));
}

absl::StatusOr<FilterValue> ParseCount(std::string_view text) {
  const auto number = ParseNumber(text, kCountUnits, 1);
  if (!number || !std::isfinite(*number)) {
    return WrongValue(text, "a number such as 1500, 1e6, 10k, 2M or 1G");
  }
  return FilterValue(*number);
}

absl::StatusOr<FilterValue> ParseDurationValue(std::string_view text) {
  const auto number = ParseNumber(text, kDurationUnits, 1e9);
  if (!number || !std::isfinite(*number)) {
    return WrongValue(text, "a duration such as 10 (seconds), 500ms, 10s, 5m, 2h or 1d");
  }
  return FilterValue(*number);
}

std::string NumberToString(double number) {
  std::array<char, 32> text;
  const bool integral = number == std::floor(number) && number <= kMaxExactInteger;
  const auto result = integral ? std::to_chars(text.data(), text.data() + text.size(),
                                               static_cast<std::uint64_t>(number))
                               : std::to_chars(text.data(), text.data() + text.size(), number);
  return std::string(text.data(), result.ptr);
}

std::string DurationToString(double nanoseconds) {
  if (nanoseconds == 0) return "0s";
  for (const Unit& unit : kDurationUnits) {
    const double number = nanoseconds / unit.factor;
    // Division rounds: what is printed must multiply back to the same value.
    if (number == std::floor(number) && number <= kMaxExactInteger &&
        number * unit.factor == nanoseconds) {
      return NumberToString(number) + std::string(unit.name);
    }
  }
  return NumberToString(nanoseconds) + "ns";
}

// In quotes, so that it is read as one value whatever it holds.
std::string QuotedText(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = nta::LowerCase(c);
  return lower;
}

std::string Quote(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kLongest)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > kLongest ? "...\"" : "\"");
}

std::optional<FlowField> FindField(std::string_view name) {
  const std::string lower = LowerCase(name);
  for (const FieldNames& names : kFields) {
    if (lower == names.short_name || lower == names.long_name) return names.field;
  }
  return std::nullopt;
}

std::string_view FieldName(FlowField field) {
  for (const FieldNames& names : kFields) {
    if (names.field == field) return names.short_name;
  }
  return "";
}

std::string SuggestField(std::string_view name) {
  const std::string lower = LowerCase(name);
  std::vector<std::string> candidates;
  for (const FieldNames& names : kFields) {
    candidates.emplace_back(names.short_name);
    candidates.emplace_back(names.long_name);
  }
  if (const auto nearest = Nearest(lower, candidates)) return DidYouMean(nearest);
  // People write the value alone, as in other filter languages.
  if (IpPrefix::Parse(name).ok()) return DidYouMean("host=" + lower);
  if (!SplitNumber(name) && ParseProtocol(lower).ok()) return DidYouMean("proto=" + lower);
  return "";
}

bool IsOrdered(FlowField field) {
  switch (field) {
    case FlowField::kSource:
    case FlowField::kDestination:
    case FlowField::kHost:
    case FlowField::kProtocol:
    case FlowField::kEndReason:
    case FlowField::kApplication:
    case FlowField::kCategory:
    case FlowField::kTcpState:
    case FlowField::kServerName:
    case FlowField::kEvidence:
    case FlowField::kName:
    case FlowField::kSourceName:
    case FlowField::kDestinationName:
    case FlowField::kJa3:
    case FlowField::kJa3s:
    case FlowField::kJa4:
    case FlowField::kHassh:
    case FlowField::kHasshServer:
      return false;
    case FlowField::kIcmpType:
    case FlowField::kSourcePort:
    case FlowField::kDestinationPort:
    case FlowField::kPort:
    case FlowField::kVlan:
    case FlowField::kBytes:
    case FlowField::kPackets:
    case FlowField::kDuration:
      return true;
  }
  return false;
}

absl::StatusOr<FilterValue> ParseValue(FlowField field, std::string_view text) {
  switch (field) {
    case FlowField::kSource:
    case FlowField::kDestination:
    case FlowField::kHost:
      return ParseAddress(text);
    case FlowField::kSourcePort:
    case FlowField::kDestinationPort:
    case FlowField::kPort:
      return ParseInteger(text, 65535, "a port (0 to 65535)");
    case FlowField::kVlan:
      return ParseInteger(text, 4095, "a VLAN id (0 to 4095)");
    case FlowField::kProtocol:
      return ParseProtocolValue(text);
    case FlowField::kEndReason:
      return ParseName(text, FlowEndReason::kLackOfResources, "an end reason");
    case FlowField::kApplication:
      return ParseName(text, Applications().back(), "an application");
    case FlowField::kCategory:
      return ParseName(text, ApplicationCategory::kIndustrial, "a category");
    case FlowField::kTcpState:
      return ParseName(text, TcpState::kReset, "a TCP state");
    case FlowField::kEvidence:
      return ParseName(text, ApplicationEvidence::kPayload, "evidence");
    case FlowField::kServerName:
    case FlowField::kName:
    case FlowField::kSourceName:
    case FlowField::kDestinationName:
      if (text.empty()) return base::InvalidArgument("a name is not empty");
      return FilterValue(LowerCase(text));
    case FlowField::kJa3:
    case FlowField::kJa3s:
    case FlowField::kJa4:
    case FlowField::kHassh:
    case FlowField::kHasshServer:
      if (text.empty()) return base::InvalidArgument("a fingerprint is not empty");
      return FilterValue(LowerCase(text));
    case FlowField::kIcmpType:
      return ParseInteger(text, 255, "an ICMP type (0 to 255)");
    case FlowField::kBytes:
    case FlowField::kPackets:
      return ParseCount(text);
    case FlowField::kDuration:
      return ParseDurationValue(text);
  }
  return base::InvalidArgument("unknown field");
}

std::string ValueToString(FlowField field, const FilterValue& value) {
  if (const auto* prefix = std::get_if<IpPrefix>(&value)) {
    const bool single = prefix->length() == (prefix->address().is_v4() ? 32 : 128);
    return single ? prefix->address().ToString() : prefix->ToString();
  }
  if (const auto* text = std::get_if<std::string>(&value)) return QuotedText(*text);
  const double number = std::get<double>(value);
  const auto whole = static_cast<int>(number);
  if (field == FlowField::kApplication) {
    return std::string(ToString(static_cast<Application>(whole)));
  }
  if (field == FlowField::kCategory) {
    return std::string(ToString(static_cast<ApplicationCategory>(whole)));
  }
  if (field == FlowField::kEvidence) {
    return std::string(ToString(static_cast<ApplicationEvidence>(whole)));
  }
  if (field == FlowField::kTcpState) return std::string(ToString(static_cast<TcpState>(whole)));
  if (field == FlowField::kDuration) return DurationToString(number);
  if (field == FlowField::kProtocol) return ProtocolName(static_cast<std::uint8_t>(number));
  if (field == FlowField::kEndReason) {
    return std::string(ToString(static_cast<FlowEndReason>(whole)));
  }
  return NumberToString(number);
}

std::string_view OperatorName(FilterOperator op) {
  switch (op) {
    case FilterOperator::kEqual:
      return "=";
    case FilterOperator::kNotEqual:
      return "!=";
    case FilterOperator::kLess:
      return "<";
    case FilterOperator::kLessEqual:
      return "<=";
    case FilterOperator::kGreater:
      return ">";
    case FilterOperator::kGreaterEqual:
      return ">=";
  }
  return "";
}

}  // namespace nta::filter

namespace nta {

std::span<const MetadataField> MetadataFieldsOf(FlowField field) {
  using enum MetadataField;
  // The first three are `name`.
  static constexpr std::array kTexts{kServerName, kSourceName, kDestinationName, kJa3,
                                     kJa3s,       kJa4,        kHassh,           kHasshServer};
  const std::span all(kTexts);
  switch (field) {
    case FlowField::kName:
      return all.first(3);
    case FlowField::kServerName:
      return all.subspan(0, 1);
    case FlowField::kSourceName:
      return all.subspan(1, 1);
    case FlowField::kDestinationName:
      return all.subspan(2, 1);
    case FlowField::kJa3:
      return all.subspan(3, 1);
    case FlowField::kJa3s:
      return all.subspan(4, 1);
    case FlowField::kJa4:
      return all.subspan(5, 1);
    case FlowField::kHassh:
      return all.subspan(6, 1);
    case FlowField::kHasshServer:
      return all.subspan(7, 1);
    default:
      return {};
  }
}

bool MatchesTextPattern(std::string_view text, std::string_view pattern) {
  std::size_t at = 0;
  std::size_t place = 0;
  // Where the last * was met, and how much of the text it stands for.
  std::size_t star = std::string_view::npos;
  std::size_t after_star = 0;
  while (at < text.size()) {
    if (place < pattern.size() && pattern[place] == '*') {
      star = place++;
      after_star = at;
    } else if (place < pattern.size() && LowerCase(text[at]) == pattern[place]) {
      ++at;
      ++place;
    } else if (star != std::string_view::npos) {
      place = star + 1;
      at = ++after_star;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', place) == std::string_view::npos;
}

}  // namespace nta
