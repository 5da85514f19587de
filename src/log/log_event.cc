#include "nta/log/log_event.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "base/status.h"
#include "base/utf8.h"
#include "nta/log/log_sink.h"

namespace nta {
namespace {

constexpr std::string_view kRedacted = "[redacted]";
constexpr std::size_t kMaxNameBytes = 64;

// Whatever ends in one of these is no value for a log.
constexpr std::array<std::string_view, 12> kSecretNames = {
    "password", "passwd",        "passphrase", "secret",  "token",       "jwt",
    "cookie",   "authorization", "credential", "api_key", "private_key", "apikey"};

LogField::Value CleanedValue(const LogField& field, std::size_t max_bytes) {
  if (std::holds_alternative<Secret>(field.value) || IsSecretName(field.name)) {
    return std::string(kRedacted);
  }
  if (const auto* text = std::get_if<std::string>(&field.value)) {
    return base::EscapedUtf8(*text, max_bytes);
  }
  // JSON has no word for these.
  if (const auto* number = std::get_if<double>(&field.value); number && !std::isfinite(*number)) {
    return std::string(std::isnan(*number) ? "nan" : *number > 0 ? "inf" : "-inf");
  }
  return field.value;
}

std::string UniqueName(std::string_view name, const std::set<std::string>& taken) {
  const std::string clean = base::EscapedUtf8(name.empty() ? "field" : name, kMaxNameBytes);
  std::string unique = clean;
  for (int i = 2; taken.contains(unique); ++i) unique = clean + '_' + std::to_string(i);
  return unique;
}

template <typename Enum, std::size_t kCount>
absl::StatusOr<Enum> ParseName(std::string_view name,
                               const std::array<std::string_view, kCount>& names,
                               std::string_view what) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) return static_cast<Enum>(found - names.begin());
  std::string list;
  for (const std::string_view one : names) list.append(list.empty() ? "" : ", ").append(one);
  return base::InvalidArgument("unknown " + std::string(what) + " \"" +
                               base::PrintableUtf8(name, kMaxNameBytes) + "\" (" + list + ")");
}

constexpr std::array<std::string_view, 4> kLevels = {"debug", "info", "warning", "error"};
constexpr std::array<std::string_view, 3> kKinds = {"server", "security", "audit"};
constexpr std::array<std::string_view, 2> kFormats = {"json", "text"};

}  // namespace

bool IsSecretName(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c == '-' || c == '.' ? '_' : c;
  });
  return std::any_of(kSecretNames.begin(), kSecretNames.end(), [&](std::string_view secret) {
    return lower == secret || lower.ends_with("_" + std::string(secret));
  });
}

std::string_view ToString(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }
std::string_view ToString(LogKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
std::string_view ToString(LogFormat format) { return kFormats[static_cast<std::size_t>(format)]; }
absl::StatusOr<LogLevel> ParseLogLevel(std::string_view name) {
  return ParseName<LogLevel>(name, kLevels, "level");
}
absl::StatusOr<LogKind> ParseLogKind(std::string_view name) {
  return ParseName<LogKind>(name, kKinds, "kind of log");
}
absl::StatusOr<LogFormat> ParseLogFormat(std::string_view name) {
  return ParseName<LogFormat>(name, kFormats, "format");
}

LogEvent Cleaned(LogEvent event, const LogLimits& limits) {
  event.component = base::EscapedUtf8(event.component, limits.max_component_bytes);
  event.message = base::EscapedUtf8(event.message, limits.max_message_bytes);
  const std::size_t given = event.fields.size();
  const bool too_many = given > limits.max_fields;
  if (too_many)
    event.fields.erase(event.fields.begin() + static_cast<std::ptrdiff_t>(limits.max_fields),
                       event.fields.end());
  std::set<std::string> taken;
  for (LogField& field : event.fields) {
    field.value = CleanedValue(field, limits.max_value_bytes);
    field.name = UniqueName(field.name, taken);
    taken.insert(field.name);
  }
  if (too_many) {
    event.fields.emplace_back(UniqueName("more_fields", taken), given - limits.max_fields);
  }
  return event;
}

}  // namespace nta
