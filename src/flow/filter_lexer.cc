#include "flow/filter_lexer.h"

#include <array>
#include <optional>

#include "flow/filter_fields.h"

namespace nta::filter {
namespace {

struct Symbol {
  std::string_view text;
  TokenKind kind;
  FilterOperator op = FilterOperator::kEqual;
};

// Longer symbols come before their beginnings.
constexpr std::array kSymbols{
    Symbol{"==", TokenKind::kOperator, FilterOperator::kEqual},
    Symbol{"!=", TokenKind::kOperator, FilterOperator::kNotEqual},
    Symbol{"<>", TokenKind::kOperator, FilterOperator::kNotEqual},
    Symbol{"<=", TokenKind::kOperator, FilterOperator::kLessEqual},
    Symbol{">=", TokenKind::kOperator, FilterOperator::kGreaterEqual},
    Symbol{"&&", TokenKind::kAnd},
    Symbol{"||", TokenKind::kOr},
    Symbol{"=", TokenKind::kOperator, FilterOperator::kEqual},
    Symbol{"<", TokenKind::kOperator, FilterOperator::kLess},
    Symbol{">", TokenKind::kOperator, FilterOperator::kGreater},
    Symbol{"!", TokenKind::kNot},
    Symbol{"(", TokenKind::kOpen},
    Symbol{")", TokenKind::kClose},
    Symbol{",", TokenKind::kComma},
};

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// What names, numbers, addresses, prefixes and patterns consist of.
bool IsWordCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == ':' || c == '/' || c == '+' || c == '-' || c == '*';
}

TokenKind WordKind(std::string_view word) {
  const std::string lower = LowerCase(word);
  if (lower == "and") return TokenKind::kAnd;
  if (lower == "or") return TokenKind::kOr;
  if (lower == "not") return TokenKind::kNot;
  if (lower == "in") return TokenKind::kIn;
  return TokenKind::kWord;
}

// The contents of a quoted string that starts at `position`, which moves behind its end.
std::optional<std::string> ReadQuoted(std::string_view text, std::size_t& position) {
  const char quote = text[position++];
  std::string contents;
  while (position < text.size()) {
    char c = text[position++];
    if (c == quote) return contents;
    if (c == '\\' && position < text.size()) c = text[position++];
    contents += c;
  }
  return std::nullopt;
}

std::string UnexpectedCharacter(std::string_view rest) {
  const std::string message = "unexpected " + Quote(rest.substr(0, 1));
  if (rest[0] == '&') return message + " (did you mean \"&&\"?)";
  if (rest[0] == '|') return message + " (did you mean \"||\"?)";
  if (rest[0] == '~') return message + " (did you mean \"!\"?)";
  return message;
}

}  // namespace

bool Tokenize(std::string_view text, std::vector<Token>& tokens, FilterError& error) {
  std::size_t position = 0;
  const auto next_token = [&] {
    const std::size_t start = position;
    if (text[start] == '"' || text[start] == '\'') {
      std::optional<std::string> contents = ReadQuoted(text, position);
      if (!contents) {
        error = {start, "the quoted text has no end"};
        return false;
      }
      tokens.push_back({TokenKind::kQuoted, start, std::move(*contents)});
      return true;
    }
    while (position < text.size() && IsWordCharacter(text[position])) ++position;
    if (position > start) {
      const std::string_view word = text.substr(start, position - start);
      tokens.push_back({WordKind(word), start, std::string(word)});
      return true;
    }
    for (const Symbol& symbol : kSymbols) {
      if (!text.substr(start).starts_with(symbol.text)) continue;
      position += symbol.text.size();
      tokens.push_back({symbol.kind, start, std::string(symbol.text), symbol.op});
      return true;
    }
    error = {start, UnexpectedCharacter(text.substr(start))};
    return false;
  };
  while (position < text.size()) {
    if (IsSpace(text[position])) {
      ++position;
    } else if (!next_token()) {
      return false;
    }
  }
  tokens.push_back({TokenKind::kEnd, text.size(), ""});
  return true;
}

}  // namespace nta::filter
