#include "nta/flow/flow_filter.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "base/status.h"
#include "flow/filter_fields.h"
#include "flow/filter_lexer.h"

namespace nta {
namespace {

using filter::Token;
using filter::TokenKind;

constexpr std::size_t kMaxTextBytes = 4096;
constexpr int kMaxDepth = 64;

// or := and ("or" and)*        and := unary ("and" unary)*        unary := "not" unary | "(" or ")"
// | comparison comparison := field operator value | field ["not"] "in" "(" value ("," value)* ")"
class Parser {
 public:
  Parser(const std::vector<Token>& tokens, FilterError& error) : tokens_(tokens), error_(error) {}

  // Each method answers false after it has set the error.
  bool ParseAll(FilterNode& root) {
    if (!ParseOr(root)) return false;
    if (Peek().kind == TokenKind::kEnd) return true;
    if (Peek().kind == TokenKind::kClose) return Fail("this \")\" has no \"(\"");
    return Fail("expected \"and\" or \"or\" before " + filter::Quote(Peek().text));
  }

 private:
  const Token& Peek() const { return tokens_[next_]; }
  const Token& Take() { return tokens_[next_++]; }
  bool Accept(TokenKind kind) {
    if (Peek().kind != kind) return false;
    ++next_;
    return true;
  }
  bool FailAt(const Token& token, std::string message) {
    error_ = {token.position, std::move(message)};
    return false;
  }
  bool Fail(std::string message) { return FailAt(Peek(), std::move(message)); }
  std::string Found() const {
    return Peek().kind == TokenKind::kEnd ? "the text ends here"
                                          : "found " + filter::Quote(Peek().text);
  }

  bool ParseOr(FilterNode& node) {
    return ParseChain(node, FilterNode::Kind::kOr, TokenKind::kOr, &Parser::ParseAnd);
  }
  bool ParseAnd(FilterNode& node) {
    return ParseChain(node, FilterNode::Kind::kAnd, TokenKind::kAnd, &Parser::ParseUnary);
  }

  // One operand stays itself; several become the children of one node, those of a nested node of
  // its kind included.
  bool ParseChain(FilterNode& node, FilterNode::Kind kind, TokenKind joint,
                  bool (Parser::*parse_operand)(FilterNode&)) {
    std::vector<FilterNode> operands;
    do {
      FilterNode operand;
      if (!(this->*parse_operand)(operand)) return false;
      if (operand.kind == kind) {
        std::move(operand.children.begin(), operand.children.end(), std::back_inserter(operands));
      } else {
        operands.push_back(std::move(operand));
      }
    } while (Accept(joint));
    if (operands.size() == 1) {
      node = std::move(operands.front());
    } else {
      node.kind = kind;
      node.children = std::move(operands);
    }
    return true;
  }

  bool ParseUnary(FilterNode& node) {
    if (Peek().kind != TokenKind::kNot && Peek().kind != TokenKind::kOpen) {
      return ParseComparison(node);
    }
    if (depth_ == kMaxDepth) return Fail("more than 64 levels of parentheses or \"not\"");
    ++depth_;
    const bool ok = Peek().kind == TokenKind::kNot ? ParseNot(node) : ParseGroup(node);
    --depth_;
    return ok;
  }

  bool ParseNot(FilterNode& node) {
    Take();
    FilterNode operand;
    if (!ParseUnary(operand)) return false;
    node.kind = FilterNode::Kind::kNot;
    node.children.push_back(std::move(operand));
    return true;
  }

  bool ParseGroup(FilterNode& node) {
    const Token& open = Take();
    if (!ParseOr(node)) return false;
    if (Accept(TokenKind::kClose)) return true;
    if (Peek().kind == TokenKind::kEnd) return FailAt(open, "this \"(\" has no \")\"");
    return Fail("expected \"and\", \"or\" or \")\", " + Found());
  }

  bool ParseComparison(FilterNode& node) {
    if (Peek().kind != TokenKind::kWord) return Fail("expected a field, " + Found());
    const Token& name = Take();
    const auto field = filter::FindField(name.text);
    if (!field) {
      return FailAt(name,
                    "unknown field " + filter::Quote(name.text) + filter::SuggestField(name.text));
    }
    node.field = *field;
    const Token& op = Peek();
    const bool negated = Accept(TokenKind::kNot);
    if (Accept(TokenKind::kIn)) {
      node.op = negated ? FilterOperator::kNotEqual : FilterOperator::kEqual;
      return ParseList(node);
    }
    if (negated) return Fail("expected \"in\" after \"not\", " + Found());
    if (!Accept(TokenKind::kOperator)) {
      return Fail("expected =, !=, <, <=, >, >= or in after " + filter::Quote(name.text) + ", " +
                  Found());
    }
    node.op = op.op;
    const bool equality = op.op == FilterOperator::kEqual || op.op == FilterOperator::kNotEqual;
    if (!equality && !filter::IsOrdered(*field)) {
      return FailAt(op, filter::Quote(name.text) + " has no order: use =, !=, in or not in");
    }
    return ParseOneValue(node);
  }

  bool ParseList(FilterNode& node) {
    if (!Accept(TokenKind::kOpen)) return Fail("expected \"(\" after \"in\", " + Found());
    do {
      if (!ParseOneValue(node)) return false;
    } while (Accept(TokenKind::kComma));
    return Accept(TokenKind::kClose) || Fail("expected \",\" or \")\", " + Found());
  }

  bool ParseOneValue(FilterNode& node) {
    if (Peek().kind != TokenKind::kWord && Peek().kind != TokenKind::kQuoted) {
      if (Peek().kind == TokenKind::kOperator) {
        return Fail("two operators in a row: " + Found());
      }
      return Fail("expected a value, " + Found());
    }
    const Token& token = Take();
    absl::StatusOr<FilterValue> value = filter::ParseValue(node.field, token.text);
    if (!value.ok()) return FailAt(token, std::string(value.status().message()));
    node.values.push_back(std::move(*value));
    return true;
  }

  const std::vector<Token>& tokens_;
  FilterError& error_;
  std::size_t next_ = 0;
  int depth_ = 0;
};

void AppendText(const FilterNode& node, std::string& out);

void AppendComparison(const FilterNode& node, std::string& out) {
  out += filter::FieldName(node.field);
  if (node.values.size() == 1) {
    out += filter::OperatorName(node.op);
    out += filter::ValueToString(node.field, node.values.front());
    return;
  }
  out += node.op == FilterOperator::kNotEqual ? " not in (" : " in (";
  for (std::size_t i = 0; i < node.values.size(); ++i) {
    if (i > 0) out += ',';
    out += filter::ValueToString(node.field, node.values[i]);
  }
  out += ')';
}

void AppendOperand(const FilterNode& node, bool parentheses, std::string& out) {
  if (parentheses) out += '(';
  AppendText(node, out);
  if (parentheses) out += ')';
}

void AppendText(const FilterNode& node, std::string& out) {
  using Kind = FilterNode::Kind;
  if (node.kind == Kind::kCompare) return AppendComparison(node, out);
  if (node.kind == Kind::kNot) {
    const FilterNode& operand = node.children.front();
    out += "not ";
    return AppendOperand(operand, operand.kind == Kind::kAnd || operand.kind == Kind::kOr, out);
  }
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    if (i > 0) out += node.kind == Kind::kAnd ? " and " : " or ";
    const bool weaker = node.kind == Kind::kAnd && node.children[i].kind == Kind::kOr;
    AppendOperand(node.children[i], weaker, out);
  }
}

// Below, at or above zero as `a` is less than, equal to or greater than `b`; exact where a
// conversion would round.
int CompareExactly(std::uint64_t a, double b) {
  constexpr double kTwoTo64 = 18446744073709551616.0;
  if (b < 0) return 1;
  if (b >= kTwoTo64) return -1;
  const auto whole = static_cast<std::uint64_t>(b);
  if (a != whole) return a < whole ? -1 : 1;
  return b > std::floor(b) ? -1 : 0;
}

bool Satisfies(int order, FilterOperator op) {
  switch (op) {
    case FilterOperator::kEqual:
    case FilterOperator::kNotEqual:  // "none of the values is equal"; the caller negates
      return order == 0;
    case FilterOperator::kLess:
      return order < 0;
    case FilterOperator::kLessEqual:
      return order <= 0;
    case FilterOperator::kGreater:
      return order > 0;
    case FilterOperator::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

bool AnyNumber(const FilterNode& node, std::uint64_t number) {
  return std::any_of(node.values.begin(), node.values.end(), [&](const FilterValue& value) {
    return Satisfies(CompareExactly(number, std::get<double>(value)), node.op);
  });
}

bool AnyPrefix(const FilterNode& node, const IpAddress& address) {
  return std::any_of(node.values.begin(), node.values.end(), [&](const FilterValue& value) {
    return std::get<IpPrefix>(value).Contains(address);
  });
}

bool AnyPattern(const FilterNode& node, std::string_view text) {
  return !text.empty() &&
         std::any_of(node.values.begin(), node.values.end(), [&](const FilterValue& value) {
           return MatchesTextPattern(text, std::get<std::string>(value));
         });
}

bool AnyText(const FilterNode& node, const FlowRecord& flow) {
  if (flow.metadata == nullptr) return false;
  const auto fields = MetadataFieldsOf(node.field);
  return std::any_of(fields.begin(), fields.end(), [&](MetadataField field) {
    return AnyPattern(node, flow.metadata->Get(field));
  });
}

bool AnyDuration(const FilterNode& node, Duration duration) {
  // A record that ends before it began has no duration.
  return AnyNumber(node, static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

bool AnyValueMatches(const FilterNode& node, const FlowRecord& flow) {
  switch (node.field) {
    case FlowField::kSource:
      return AnyPrefix(node, flow.source.address);
    case FlowField::kDestination:
      return AnyPrefix(node, flow.destination.address);
    case FlowField::kHost:
      return AnyPrefix(node, flow.source.address) || AnyPrefix(node, flow.destination.address);
    case FlowField::kSourcePort:
      return AnyNumber(node, flow.source.port);
    case FlowField::kDestinationPort:
      return AnyNumber(node, flow.destination.port);
    case FlowField::kPort:
      return AnyNumber(node, flow.source.port) || AnyNumber(node, flow.destination.port);
    case FlowField::kProtocol:
      return AnyNumber(node, flow.protocol);
    case FlowField::kVlan:
      return flow.vlan && AnyNumber(node, *flow.vlan);
    case FlowField::kBytes:
      return AnyNumber(node, flow.wire_bytes());
    case FlowField::kPackets:
      return AnyNumber(node, flow.packets());
    case FlowField::kDuration:
      return AnyDuration(node, flow.duration());
    case FlowField::kEndReason:
      return AnyNumber(node, static_cast<std::uint64_t>(flow.end_reason));
    case FlowField::kApplication:
      return AnyNumber(node, static_cast<std::uint64_t>(flow.application));
    case FlowField::kCategory:
      return AnyNumber(node, static_cast<std::uint64_t>(flow.category));
    case FlowField::kTcpState:
      return AnyNumber(node, static_cast<std::uint64_t>(flow.tcp_state));
    case FlowField::kEvidence:
      return AnyNumber(node, static_cast<std::uint64_t>(flow.evidence));
    case FlowField::kServerName:
    case FlowField::kSourceName:
    case FlowField::kDestinationName:
    case FlowField::kName:
    case FlowField::kJa3:
    case FlowField::kJa3s:
    case FlowField::kJa4:
    case FlowField::kHassh:
    case FlowField::kHasshServer:
      return AnyText(node, flow);
    case FlowField::kIcmpType:
      return flow.icmp && AnyNumber(node, flow.icmp->type);
  }
  return false;
}

bool NodeMatches(const FilterNode& node, const FlowRecord& flow) {
  const auto matches = [&flow](const FilterNode& child) { return NodeMatches(child, flow); };
  switch (node.kind) {
    case FilterNode::Kind::kAnd:
      return std::all_of(node.children.begin(), node.children.end(), matches);
    case FilterNode::Kind::kOr:
      return std::any_of(node.children.begin(), node.children.end(), matches);
    case FilterNode::Kind::kNot:
      return !NodeMatches(node.children.front(), flow);
    case FilterNode::Kind::kCompare:
      return AnyValueMatches(node, flow) != (node.op == FilterOperator::kNotEqual);
  }
  return false;
}

bool ParseText(std::string_view text, std::shared_ptr<const FilterNode>& root, FilterError& error) {
  if (text.size() > kMaxTextBytes) {
    error = {kMaxTextBytes, "the filter is longer than 4096 bytes"};
    return false;
  }
  std::vector<Token> tokens;
  if (!filter::Tokenize(text, tokens, error)) return false;
  if (tokens.size() == 1) return true;
  FilterNode node;
  if (!Parser(tokens, error).ParseAll(node)) return false;
  root = std::make_shared<const FilterNode>(std::move(node));
  return true;
}

}  // namespace

absl::StatusOr<FlowFilter> FlowFilter::Parse(std::string_view text, FilterError* error) {
  FlowFilter filter;
  FilterError found;
  bool ok = ParseText(text, filter.root_, found);
  // So that whatever was parsed can be kept as its canonical text.
  if (ok && filter.ToString().size() > kMaxTextBytes) {
    found = {0, "the filter is longer than 4096 bytes in its canonical form"};
    ok = false;
  }
  if (ok) return filter;
  if (error != nullptr) *error = found;
  return base::InvalidArgument("at " + std::to_string(found.position) + ": " + found.message);
}

bool FlowFilter::Matches(const FlowRecord& flow) const {
  return root_ == nullptr || NodeMatches(*root_, flow);
}

std::string FlowFilter::ToString() const {
  std::string text;
  if (root_ != nullptr) AppendText(*root_, text);
  return text;
}

}  // namespace nta
