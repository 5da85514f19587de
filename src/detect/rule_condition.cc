// Parsing and printing of rule conditions.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "base/nearest_name.h"
#include "base/status.h"
#include "base/utf8.h"
#include "nta/detect/alert_rule.h"

namespace nta {
namespace {

constexpr std::size_t kMaxTextBytes = 4096;

struct FieldName {
  RuleField field;
  std::string_view name;
  std::string_view short_name;
  std::string_view plural;
};
constexpr std::array kFields{
    FieldName{RuleField::kSourceAddress, "source_address", "src", "source addresses"},
    FieldName{RuleField::kDestinationAddress, "destination_address", "dst",
              "destination addresses"},
    FieldName{RuleField::kSourcePort, "source_port", "sport", "source ports"},
    FieldName{RuleField::kDestinationPort, "destination_port", "dport", "destination ports"},
    FieldName{RuleField::kProtocol, "protocol", "proto", "protocols"},
    FieldName{RuleField::kVlan, "vlan", "vlan", "VLANs"},
    FieldName{RuleField::kApplication, "application", "app", "applications"},
    FieldName{RuleField::kServerName, "server_name", "server_name", "server names"},
};

struct Unit {
  std::string_view name;
  double factor;
};
// Largest first, for printing.
constexpr std::array kTimeUnits{Unit{"d", 86400e9}, Unit{"h", 3600e9}, Unit{"m", 60e9},
                                Unit{"s", 1e9}, Unit{"ms", 1e6}};
constexpr std::array kCountUnits{Unit{"k", 1e3}, Unit{"m", 1e6}, Unit{"g", 1e9}, Unit{"t", 1e12}};

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return lower;
}

std::string Quote(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string quoted = "\"";
  for (const char c : text.substr(0, kLongest)) quoted += c >= ' ' && c <= '~' ? c : '?';
  return quoted + (text.size() > kLongest ? "...\"" : "\"");
}

std::string ShortestNumber(double number) {
  std::array<char, 32> text;
  const bool integral = number == std::floor(number) && number < 9e15;
  const auto result = integral ? std::to_chars(text.data(), text.data() + text.size(),
                                               static_cast<std::uint64_t>(number))
                               : std::to_chars(text.data(), text.data() + text.size(), number);
  return std::string(text.data(), result.ptr);
}

std::string TimeText(Duration time) {
  const auto nanoseconds = static_cast<double>(time.count());
  for (const Unit& unit : kTimeUnits) {
    const double number = nanoseconds / unit.factor;
    if (number >= 1 && number == std::floor(number)) {
      return ShortestNumber(number) + std::string(unit.name);
    }
  }
  return ShortestNumber(nanoseconds / 1e9) + "s";
}

// A number with one of the units behind it; a bare one counts `bare` each.
template <std::size_t N>
std::optional<double> ParseNumber(std::string_view text, const std::array<Unit, N>& units,
                                  double bare) {
  if (text.empty() || !((text[0] >= '0' && text[0] <= '9') || text[0] == '.')) return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{}) return std::nullopt;
  const std::string suffix = LowerCase(text.substr(static_cast<std::size_t>(end - text.data())));
  if (suffix.empty()) return number * bare;
  for (const Unit& unit : units) {
    if (suffix == unit.name) return number * unit.factor;
  }
  return std::nullopt;
}

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsWord(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '+' || c == '-';
}

// Whether the first packet of a flow answers the filter.
bool IsKnownAtStart(FlowField field) {
  switch (field) {
    case FlowField::kSource:
    case FlowField::kDestination:
    case FlowField::kHost:
    case FlowField::kSourcePort:
    case FlowField::kDestinationPort:
    case FlowField::kPort:
    case FlowField::kProtocol:
    case FlowField::kVlan:
    case FlowField::kIcmpType:
      return true;
    default:
      return false;
  }
}
bool IsKnownAtStart(const FilterNode& node) {
  if (node.kind == FilterNode::Kind::kCompare) return IsKnownAtStart(node.field);
  return std::all_of(node.children.begin(), node.children.end(),
                     [](const FilterNode& child) { return IsKnownAtStart(child); });
}
bool IsKnownAtStart(RuleField field) {
  return field != RuleField::kApplication && field != RuleField::kServerName;
}

}  // namespace

// rule      := aggregate (">" | ">=") number clause* ["where" filter]
// clause    := "per" field ["," field] | "in" duration ["sliding" | "tumbling"]
// aggregate := "count" "(" ")" | "sum" "(" measure ")" | "rate" "(" [measure] ")"
//            | "distinct" "(" field ")"
class RuleParser {
 public:
  RuleParser(std::string_view text, FilterError& error) : text_(text), error_(error) { Advance(); }

  // Each method answers false after it has set the error.
  bool ParseAll() { return ParseAggregate() && ParseThreshold() && ParseClauses() && Check(); }
  RuleCondition Take() { return std::move(rule_); }

 private:
  struct Token {
    std::size_t position = 0;
    std::string_view text;  // empty: the end
  };

  void Advance() {
    while (next_ < text_.size() && IsSpace(text_[next_])) ++next_;
    std::size_t end = next_;
    while (end < text_.size() && IsWord(text_[end])) ++end;
    if (end == next_ && end < text_.size()) {
      const bool two = text_.substr(next_).size() > 1 && text_[next_ + 1] == '=' &&
                       std::string_view("<>=!").find(text_[next_]) != std::string_view::npos;
      end += two ? 2 : 1;
    }
    token_ = {next_, text_.substr(next_, end - next_)};
    next_ = end;
  }
  bool Is(std::string_view word) const { return LowerCase(token_.text) == word; }
  bool Accept(std::string_view word) {
    if (!Is(word)) return false;
    Advance();
    return true;
  }
  bool FailAt(const Token& token, std::string message) {
    error_ = {token.position, std::move(message)};
    return false;
  }
  bool Expected(std::string_view what) {
    return FailAt(token_, "expected " + std::string(what) + ", " +
                              (token_.text.empty() ? std::string("the text ends here")
                                                   : "found " + Quote(token_.text)));
  }

  bool ParseAggregate() {
    static constexpr std::array<std::pair<std::string_view, RuleAggregate>, 4> kNames{
        {{"count", RuleAggregate::kCount},
         {"sum", RuleAggregate::kSum},
         {"distinct", RuleAggregate::kDistinct},
         {"rate", RuleAggregate::kRate}}};
    const Token name = token_;
    if (name.text.empty()) return Expected("count(), sum(), distinct() or rate()");
    const std::string lower = LowerCase(name.text);
    const auto* found = std::find_if(kNames.begin(), kNames.end(),
                                     [&](const auto& entry) { return entry.first == lower; });
    if (found == kNames.end()) {
      const std::array<std::string, 4> names{"count", "sum", "distinct", "rate"};
      return FailAt(name, Quote(name.text) + " is not count, sum, distinct or rate" +
                              base::DidYouMean(base::NearestName(lower, names)));
    }
    rule_.aggregate_ = found->second;
    Advance();
    if (!Accept("(")) return Expected("\"(\" after \"" + lower + "\"");
    if (!ParseArgument()) return false;
    return Accept(")") || Expected("\")\"");
  }

  bool ParseArgument() {
    if (rule_.aggregate_ == RuleAggregate::kCount) return true;
    if (rule_.aggregate_ == RuleAggregate::kDistinct) return ParseField(rule_.distinct_);
    const bool is_rate = rule_.aggregate_ == RuleAggregate::kRate;
    if (is_rate && Is(")")) return true;
    if (Is("bytes")) {
      rule_.measure_ = RuleMeasure::kBytes;
    } else if (Is("packets")) {
      rule_.measure_ = RuleMeasure::kPackets;
    } else if (!is_rate || !Is("flows")) {
      return Expected(is_rate ? "flows, bytes or packets" : "bytes or packets");
    }
    Advance();
    return true;
  }

  bool ParseField(RuleField& field) {
    if (token_.text.empty() || !IsWord(token_.text.front())) {
      return Expected("a field such as source_address");
    }
    const std::string lower = LowerCase(token_.text);
    std::vector<std::string> names;
    for (const FieldName& entry : kFields) {
      if (lower == entry.name || lower == entry.short_name) {
        field = entry.field;
        Advance();
        return true;
      }
      names.emplace_back(entry.name);
      names.emplace_back(entry.short_name);
    }
    return FailAt(token_, "unknown field " + Quote(token_.text) +
                              base::DidYouMean(base::NearestName(lower, names)));
  }

  bool ParseThreshold() {
    if (Is("<") || Is("<=")) {
      return FailAt(token_, "alerts come from too much, not from too little: use > or >=");
    }
    if (Is(">=")) {
      rule_.inclusive_ = true;
    } else if (!Is(">")) {
      return Expected("> or >=");
    }
    Advance();
    const auto number = ParseNumber(token_.text, kCountUnits, 1);
    if (!number || !std::isfinite(*number)) return Expected("a number such as 100, 10k, 2M or 1G");
    threshold_ = token_;
    rule_.threshold_ = *number;
    Advance();
    return true;
  }

  bool ParseClauses() {
    bool has_window = false;
    while (!token_.text.empty()) {
      if (Is("where")) return RequireWindow(has_window) && ParseFilter();
      if (Is("per")) {
        if (!rule_.per_.empty()) return FailAt(token_, "\"per\" appears twice");
        if (!ParsePer()) return false;
      } else if (Is("in")) {
        if (has_window) return FailAt(token_, "\"in\" appears twice");
        has_window = true;
        if (!ParseWindow()) return false;
      } else if (Is("and")) {
        return FailAt(token_, "conditions on flows come after \"where\"");
      } else {
        return Expected("per, in or where");
      }
    }
    return RequireWindow(has_window);
  }

  bool RequireWindow(bool has_window) {
    return has_window || Expected("the window, such as \"in 60s\"");
  }

  bool ParsePer() {
    Advance();
    do {
      const Token at = token_;
      RuleField field{};
      if (!ParseField(field)) return false;
      if (std::find(rule_.per_.begin(), rule_.per_.end(), field) != rule_.per_.end()) {
        return FailAt(at, Quote(at.text) + " appears twice");
      }
      if (rule_.per_.size() == 2) return FailAt(at, "rules group by two fields at the most");
      rule_.per_.push_back(field);
    } while (Accept(","));
    return true;
  }

  bool ParseWindow() {
    Advance();
    const Token at = token_;
    const auto nanoseconds = ParseNumber(at.text, kTimeUnits, 1e9);
    if (!nanoseconds) return Expected("a duration such as 60s, 5m, 2h or 1d");
    if (*nanoseconds < static_cast<double>(RuleCondition::kShortestWindow.count()) ||
        *nanoseconds > static_cast<double>(RuleCondition::kLongestWindow.count())) {
      return FailAt(at, "a window is 1s to 7d long");
    }
    rule_.window_ = Duration(std::llround(*nanoseconds));
    Advance();
    if (Accept("tumbling")) {
      rule_.window_kind_ = RuleWindow::kTumbling;
    } else {
      Accept("sliding");
    }
    return true;
  }

  bool ParseFilter() {
    const std::size_t begin = next_;
    FilterError inner;
    const std::string_view rest = text_.substr(begin);
    if (std::all_of(rest.begin(), rest.end(), IsSpace)) {
      Advance();
      return Expected("a condition after \"where\"");
    }
    absl::StatusOr<FlowFilter> filter = FlowFilter::Parse(rest, &inner);
    if (!filter.ok()) {
      error_ = {begin + inner.position, inner.message};
      return false;
    }
    rule_.filter_ = *std::move(filter);
    next_ = text_.size();
    Advance();
    return true;
  }

  bool Check() {
    const bool is_distinct = rule_.aggregate_ == RuleAggregate::kDistinct;
    if (is_distinct && rule_.threshold_ >= RuleCondition::kMostDistinct) {
      return FailAt(threshold_, "distinct() counts to 65536 at the most");
    }
    if (is_distinct &&
        std::find(rule_.per_.begin(), rule_.per_.end(), rule_.distinct_) != rule_.per_.end()) {
      return FailAt({}, "per group there is only one " +
                            std::string(nta::ToString(rule_.distinct_)) +
                            ": count another field, or group by another");
    }
    if (rule_.inclusive_ && rule_.threshold_ == 0) {
      return FailAt(threshold_, ">= 0 is always true");
    }
    const FilterNode* root = rule_.filter_.root();
    rule_.counts_at_start_ = rule_.measure_ == RuleMeasure::kFlows &&
                             (root == nullptr || IsKnownAtStart(*root)) &&
                             (!is_distinct || IsKnownAtStart(rule_.distinct_)) &&
                             std::all_of(rule_.per_.begin(), rule_.per_.end(),
                                         [](RuleField field) { return IsKnownAtStart(field); });
    return true;
  }

  const std::string_view text_;
  FilterError& error_;
  std::size_t next_ = 0;
  Token token_;
  Token threshold_;
  RuleCondition rule_;
};

std::string_view ToString(RuleField field) {
  for (const FieldName& entry : kFields) {
    if (entry.field == field) return entry.name;
  }
  return "";
}

absl::StatusOr<RuleCondition> RuleCondition::Parse(std::string_view text, FilterError* error) {
  FilterError found;
  if (text.size() > kMaxTextBytes) {
    found = {kMaxTextBytes, "the rule is longer than 4096 bytes"};
  } else {
    RuleParser parser(text, found);
    if (parser.ParseAll()) return parser.Take();
  }
  if (error != nullptr) *error = found;
  return base::InvalidArgument("at " + std::to_string(found.position) + ": " + found.message);
}

RuleCondition RuleCondition::WithThreshold(double threshold) const {
  RuleCondition changed = *this;
  changed.threshold_ = threshold;
  return changed;
}

std::string RuleCondition::unit() const {
  if (aggregate_ == RuleAggregate::kDistinct) {
    for (const FieldName& entry : kFields) {
      if (entry.field == distinct_) return std::string(entry.plural);
    }
  }
  const std::string_view measure = measure_ == RuleMeasure::kFlows   ? "flows"
                                   : measure_ == RuleMeasure::kBytes ? "bytes"
                                                                     : "packets";
  return std::string(measure) + (aggregate_ == RuleAggregate::kRate ? "/s" : "");
}

std::string RuleCondition::ToString() const {
  static constexpr std::array<std::string_view, 4> kAggregates{"count", "sum", "distinct", "rate"};
  static constexpr std::array<std::string_view, 3> kMeasures{"flows", "bytes", "packets"};
  std::string text(kAggregates[static_cast<std::size_t>(aggregate_)]);
  text += '(';
  if (aggregate_ == RuleAggregate::kDistinct) {
    text += nta::ToString(distinct_);
  } else if (aggregate_ != RuleAggregate::kCount) {
    text += kMeasures[static_cast<std::size_t>(measure_)];
  }
  text += inclusive_ ? ") >= " : ") > ";
  text += ShortestNumber(threshold_);
  for (std::size_t i = 0; i < per_.size(); ++i) {
    text += i == 0 ? " per " : ", ";
    text += nta::ToString(per_[i]);
  }
  text += " in " + TimeText(window_);
  if (window_kind_ == RuleWindow::kTumbling) text += " tumbling";
  if (!filter_.matches_everything()) text += " where " + filter_.ToString();
  return text;
}

absl::Status Validate(const AlertRule& rule) {
  const auto is_id = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (rule.id.empty() || rule.id.size() > 64 ||
      !std::all_of(rule.id.begin(), rule.id.end(), is_id)) {
    return base::InvalidArgument("the id of a rule is 1 to 64 of a-z, 0-9, \"-\" and \"_\"");
  }
  if (rule.title.empty() || rule.title.size() > 480 || !base::IsPrintableUtf8(rule.title)) {
    return base::InvalidArgument(
        "the title of a rule is 1 to 480 bytes of UTF-8 without control characters");
  }
  if (!(rule.close_below > 0 && rule.close_below <= 1)) {
    return base::InvalidArgument("close_below is more than 0 and at most 1");
  }
  if (rule.hold < Duration::zero() || rule.hold > std::chrono::days(7)) {
    return base::InvalidArgument("hold is 0 to 7 days");
  }
  return absl::OkStatus();
}

}  // namespace nta
