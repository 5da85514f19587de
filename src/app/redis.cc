#include <algorithm>
#include <array>
#include <optional>

#include "app/rows.h"
#include "app/text.h"
#include "app/values.h"

namespace nta::internal {
namespace {

//  client: *2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n        server: +OK\r\n | -WRONGPASS text\r\n
//          or a line of words                          (RESP)
constexpr std::uint32_t kMaxElements = 1024;
enum Memory : std::size_t { kAuthAsked = 0 };

struct Element {
  std::string_view text;
  std::size_t size = 0;  // with its length and ends of line; 0: more is needed
};

// "$4\r\nAUTH\r\n"; nothing when it is no such thing.
std::optional<Element> ReadElement(std::string_view bytes) {
  if (bytes.empty()) return Element{};
  if (bytes[0] != '$') return std::nullopt;
  const std::size_t end = bytes.substr(0, 16).find("\r\n");
  if (end == std::string_view::npos)
    return bytes.size() < 16 ? std::optional(Element{}) : std::nullopt;
  const auto size = ParseDigits(bytes.substr(1, end - 1));
  if (!size) return std::nullopt;
  const std::size_t whole = end + 2 + *size + 2;
  if (bytes.size() < whole) return Element{bytes.substr(end + 2), 0};
  return Element{bytes.substr(end + 2, *size), whole};
}

struct Command {
  std::string_view name;
  std::array<std::string_view, 3> words{};  // name first
  std::uint32_t count = 0;
  std::size_t size = 0;  // 0: more is needed
};

std::optional<Command> ReadArray(std::string_view bytes) {
  Command command;
  const std::size_t end = bytes.substr(0, 16).find("\r\n");
  if (end == std::string_view::npos)
    return bytes.size() < 16 ? std::optional(command) : std::nullopt;
  const auto count = ParseDigits(bytes.substr(1, end - 1));
  if (!count || *count == 0 || *count > kMaxElements) return std::nullopt;
  command.count = *count;
  std::size_t at = end + 2;
  for (std::uint32_t i = 0; i < *count; ++i) {
    const auto element = ReadElement(bytes.substr(at));
    if (!element) return std::nullopt;
    if (i < command.words.size()) command.words[i] = element->text;
    if (element->size == 0) return command;
    at += element->size;
  }
  command.size = at;
  return command;
}

bool IsName(std::string_view word) {
  return !word.empty() && word.size() <= 20 &&
         std::ranges::all_of(word, [](char c) { return IsLetter(c) || c == '.' || c == '_'; });
}

Verdict Match(const Payload& payload) {
  const std::string_view text = payload.text();
  if (text[0] == '*') {
    if (text.size() > 1 && !IsDigit(text[1])) return Verdict::kNo;
    const auto command = ReadArray(text);
    if (!command) return Verdict::kNo;
    if (IsName(command->words[0]) && (command->size != 0 || command->words[0].size() >= 3))
      return Verdict::kYes;
    return command->size == 0 ? MoreUnlessLast(payload) : Verdict::kNo;
  }
  if (!payload.HasPort(6379)) return Verdict::kNo;
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos)
    return text.size() < 256 ? MoreUnlessLast(payload) : Verdict::kNo;
  constexpr std::array<std::string_view, 8> kStarts = {"PING",    "INFO",    "AUTH ", "CONFIG ",
                                                       "-NOAUTH", "-DENIED", "+PONG", "-ERR "};
  return YesIf(std::ranges::any_of(
      kStarts, [&](std::string_view start) { return StartsWithIgnoreCase(text, start); }));
}

void ReadCommand(const Command& command, Findings& findings) {
  const std::string_view name = command.words[0];
  if (!IsName(name)) return;
  findings.SetFirst(MetadataField::kRequest, name);
  const bool is_auth = EqualsIgnoreCase(name, "AUTH");
  // AUTH secret, or AUTH user secret.
  if (is_auth && command.count == 3) {
    findings.SetFirst(MetadataField::kUserName, command.words[1]);
  }
  if (is_auth) findings.memory()[kAuthAsked] = 1;
}

ParseResult ReadCommands(const Payload& payload, Findings& findings) {
  std::string_view rest = payload.text();
  while (rest.starts_with('*')) {
    const auto command = ReadArray(rest);
    if (!command) return Read(payload, ParseNext::kDone);
    if (command->size == 0) {
      const bool waits = !payload.is_last && rest.size() < kMaxLineBytes;
      if (!waits) ReadCommand(*command, findings);
      return {waits ? payload.bytes.size() - rest.size() : payload.bytes.size(), ParseNext::kMore};
    }
    ReadCommand(*command, findings);
    rest.remove_prefix(command->size);
  }
  return Read(payload, ParseNext::kMore);
}

void ReadReply(std::string_view line, Findings& findings) {
  std::uint32_t& asked = findings.memory()[kAuthAsked];
  const bool is_error = line.starts_with('-');
  const bool is_refusal = line.starts_with("-WRONGPASS") ||
                          ContainsIgnoreCase(line, "invalid password") ||
                          ContainsIgnoreCase(line, "invalid username");
  if (is_error && (is_refusal || asked != 0)) {
    findings.Count(MetadataField::kLoginFailures);
  } else if (asked != 0 && line == "+OK") {
    findings.Count(MetadataField::kLoginSuccesses);
  }
  asked = 0;
  if (is_error) line = line.substr(0, line.find(' '));
  if (line.size() <= 32 && (is_error || line.starts_with('+'))) {
    findings.SetFirst(MetadataField::kResponse, line.substr(1));
  }
}

// "AUTH secret" as a line, for people.
void ReadInline(std::string_view line, Findings& findings) {
  Command command;
  while (!line.empty() && command.count < command.words.size()) {
    command.words[command.count++] = TakeWord(line);
  }
  if (command.count > 0) ReadCommand(command, findings);
}

ParseResult Parse(const Payload& payload, Findings& findings) {
  const char first = payload.text()[0];
  const bool is_reply = std::string_view("+-:$").find(first) != std::string_view::npos;
  if (first == '*') return ReadCommands(payload, findings);
  LineReader lines(payload.bytes);
  const auto line = lines.Next();
  if (!line && !payload.is_last && payload.bytes.size() < kMaxLineBytes)
    return {0, ParseNext::kMore};
  if (line && is_reply) ReadReply(*line, findings);
  if (line && !is_reply && IsLetter(first)) ReadInline(*line, findings);
  return Read(payload, ParseNext::kMore);
}

}  // namespace

constinit const Parser kRedisParser = {
    .application = Application::kRedis,
    .match = Match,
    .parse = Parse,
    .first_bytes = FirstBytes::Chars("*PpIiAaCc-+"),
    .patience = 4,
};

}  // namespace nta::internal
