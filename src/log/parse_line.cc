#include <charconv>

#include "log/log_line.h"

namespace nta::log {
namespace {

bool Take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// Up to `end`, which is taken, too.
std::optional<std::string_view> TakeUntil(std::string_view& text, char end) {
  const std::size_t size = text.find(end);
  if (size == std::string_view::npos) return std::nullopt;
  const std::string_view part = text.substr(0, size);
  text.remove_prefix(size + 1);
  return part;
}

// A quoted text; within it a backslash stands before a quote or a backslash only.
bool TakeQuoted(std::string_view& text, std::string& out) {
  if (!Take(text, "\"")) return false;
  out.clear();
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return true;
    }
    if (text[i] == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return false;
    }
    out += text[i];
  }
  return false;
}

template <typename T>
std::optional<LogField::Value> Number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return LogField::Value(value);
}

// A value that is no text: up to one of `ends`, which stays.
std::optional<LogField::Value> TakeBare(std::string_view& text, std::string_view ends) {
  const std::string_view word = text.substr(0, text.find_first_of(ends));
  text.remove_prefix(word.size());
  if (word == "true") return LogField::Value(true);
  if (word == "false") return LogField::Value(false);
  if (auto number = Number<std::int64_t>(word)) return number;
  if (auto number = Number<std::uint64_t>(word)) return number;
  return Number<double>(word);
}

bool TakeValue(std::string_view& text, std::string_view ends, LogField::Value& value) {
  if (text.starts_with('"')) {
    std::string quoted;
    if (!TakeQuoted(text, quoted)) return false;
    value = std::move(quoted);
    return true;
  }
  const std::optional<LogField::Value> bare = TakeBare(text, ends);
  if (bare) value = *bare;
  return bare.has_value();
}

bool ReadHead(std::string_view time, std::string_view level, std::string_view kind,
              LineHead& head) {
  const auto parsed_time = ParseTimestamp(time);
  const auto parsed_level = ParseLogLevel(level);
  const auto parsed_kind = ParseLogKind(kind);
  if (!parsed_time.ok() || !parsed_level.ok() || !parsed_kind.ok()) return false;
  head.time = *parsed_time;
  head.level = *parsed_level;
  head.kind = *parsed_kind;
  return true;
}

std::optional<LineHead> ParseJsonHead(std::string_view line) {
  LineHead head;
  head.is_json = true;
  if (!Take(line, R"({"time":")")) return std::nullopt;
  const auto time = TakeUntil(line, '"');
  if (!time || !Take(line, R"(,"level":")")) return std::nullopt;
  const auto level = TakeUntil(line, '"');
  if (!level || !Take(line, R"(,"kind":")")) return std::nullopt;
  const auto kind = TakeUntil(line, '"');
  if (!kind || !Take(line, R"(,"component":)") || !TakeQuoted(line, head.component) ||
      !ReadHead(*time, *level, *kind, head)) {
    return std::nullopt;
  }
  head.rest = line;
  return head;
}

std::optional<LineHead> ParseTextHead(std::string_view line) {
  LineHead head;
  const auto time = TakeUntil(line, ' ');
  const auto level = time ? TakeUntil(line, ' ') : std::nullopt;
  const auto kind = level ? TakeUntil(line, ' ') : std::nullopt;
  if (!kind || !ReadHead(*time, *level, *kind, head)) return std::nullopt;
  if (line.starts_with('"')) {
    if (!TakeQuoted(line, head.component)) return std::nullopt;
  } else {
    const std::size_t size = line.find(": ");
    if (size == std::string_view::npos) return std::nullopt;
    head.component = line.substr(0, size);
    line.remove_prefix(size);
  }
  if (!Take(line, ": ")) return std::nullopt;
  head.rest = line;
  return head;
}

bool ParseJsonRest(std::string_view rest, LogEvent& event) {
  if (!Take(rest, R"(,"message":)") || !TakeQuoted(rest, event.message)) return false;
  if (rest == "}") return true;
  if (!Take(rest, R"(,"fields":{)")) return false;
  do {
    LogField field("", false);
    if (!TakeQuoted(rest, field.name) || !Take(rest, ":") || !TakeValue(rest, ",}", field.value)) {
      return false;
    }
    event.fields.push_back(std::move(field));
  } while (Take(rest, ","));
  return rest == "}}";
}

// The message, whose bars and backslashes have one before them; ends before " |" or the line's end.
bool TakeTextMessage(std::string_view& rest, std::string& message) {
  while (!rest.empty() && rest[0] != '|') {
    if (rest[0] == '\\') rest.remove_prefix(1);
    if (rest.empty()) return false;
    message += rest[0];
    rest.remove_prefix(1);
  }
  if (rest.empty()) return true;
  if (!message.ends_with(' ')) return false;
  message.pop_back();
  rest.remove_prefix(1);
  return true;
}

bool ParseTextRest(std::string_view rest, LogEvent& event) {
  if (!TakeTextMessage(rest, event.message)) return false;
  while (Take(rest, " ")) {
    LogField field("", false);
    if (rest.starts_with('"')) {
      if (!TakeQuoted(rest, field.name) || !Take(rest, "=")) return false;
    } else {
      const auto name = TakeUntil(rest, '=');
      if (!name) return false;
      field.name = *name;
    }
    if (!TakeValue(rest, " ", field.value)) return false;
    event.fields.push_back(std::move(field));
  }
  return rest.empty();
}

}  // namespace

std::optional<LineHead> ParseHead(std::string_view line) {
  return line.starts_with('{') ? ParseJsonHead(line) : ParseTextHead(line);
}

std::optional<LogEvent> ParseRest(LineHead head) {
  LogEvent event{.time = head.time,
                 .level = head.level,
                 .kind = head.kind,
                 .component = std::move(head.component),
                 .message = {},
                 .fields = {}};
  const bool parsed =
      head.is_json ? ParseJsonRest(head.rest, event) : ParseTextRest(head.rest, event);
  return parsed ? std::optional(std::move(event)) : std::nullopt;
}

}  // namespace nta::log
