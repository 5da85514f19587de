// Splits the text of a filter into tokens.
#ifndef NTA_FLOW_FILTER_LEXER_H_
#define NTA_FLOW_FILTER_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nta/flow/flow_filter.h"

namespace nta::filter {

enum class TokenKind : std::uint8_t {
  kWord,      // a name or a value
  kQuoted,    // a value in quotes; never a keyword
  kOperator,  // a comparison
  kAnd,
  kOr,
  kNot,
  kIn,
  kOpen,
  kClose,
  kComma,
  kEnd,
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::size_t position = 0;  // byte offset into the text
  std::string text;          // without quotes and escapes
  FilterOperator op = FilterOperator::kEqual;
};

// The tokens up to and including kEnd; false with `error` when the text holds something that is no
// token.
bool Tokenize(std::string_view text, std::vector<Token>& tokens, FilterError& error);

}  // namespace nta::filter

#endif  // NTA_FLOW_FILTER_LEXER_H_
