#include "log/log_line.h"

#include <array>
#include <charconv>

#include "base/utf8.h"
#include "nta/log/log_sink.h"

namespace nta {
namespace log {
namespace {

// Longer than whatever Cleaned() leaves.
constexpr std::size_t kMaxTextBytes = std::size_t{64} << 10;

void AppendQuoted(std::string_view text, std::string& out) {
  out += '"';
  for (const char c : Fit(text)) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  out += '"';
}

bool IsToken(std::string_view text) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/-";
  return !text.empty() && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

void AppendToken(std::string_view text, std::string& out) {
  if (IsToken(text)) {
    out += text;
  } else {
    AppendQuoted(text, out);
  }
}

void AppendValue(const LogField::Value& value, std::string& out) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    AppendQuoted(*text, out);
  } else if (std::holds_alternative<Secret>(value)) {
    AppendQuoted(ValueText(value), out);
  } else {
    out += ValueText(value);
  }
}

template <typename T>
std::string NumberText(T number) {
  std::array<char, 32> text;
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return {text.data(), end};
}

}  // namespace

std::string Fit(std::string_view text) { return base::EscapedUtf8(text, kMaxTextBytes); }

std::string ValueText(const LogField::Value& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* number = std::get_if<std::int64_t>(&value)) return NumberText(*number);
  if (const auto* number = std::get_if<std::uint64_t>(&value)) return NumberText(*number);
  if (const auto* number = std::get_if<double>(&value)) return NumberText(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  return "[redacted]";
}

std::string JsonLine(const LogEvent& event) {
  std::string line = R"({"time":")";
  line.append(ToString(event.time)).append(R"(","level":")").append(ToString(event.level));
  line.append(R"(","kind":")").append(ToString(event.kind)).append(R"(","component":)");
  AppendQuoted(event.component, line);
  line.append(R"(,"message":)");
  AppendQuoted(event.message, line);
  const char* separator = R"(,"fields":{)";
  for (const LogField& field : event.fields) {
    line += separator;
    separator = ",";
    AppendQuoted(field.name, line);
    line += ':';
    AppendValue(field.value, line);
  }
  line += event.fields.empty() ? "}\n" : "}}\n";
  return line;
}

std::string TextLine(const LogEvent& event) {
  std::string line = ToString(event.time);
  line.append(" ").append(ToString(event.level)).append(" ").append(ToString(event.kind));
  line += ' ';
  AppendToken(event.component, line);
  line += ": ";
  for (const char c : Fit(event.message)) {
    if (c == '|' || c == '\\') line += '\\';
    line += c;
  }
  if (!event.fields.empty()) line += " |";
  for (const LogField& field : event.fields) {
    line += ' ';
    AppendToken(field.name, line);
    line += '=';
    AppendValue(field.value, line);
  }
  return line + '\n';
}

}  // namespace log

std::string FormatLogLine(const LogEvent& event, LogFormat format) {
  return format == LogFormat::kJson ? log::JsonLine(event) : log::TextLine(event);
}

}  // namespace nta
