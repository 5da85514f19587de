#include <array>

#include "firewall/match.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace firewall {
namespace {

// The answers that are possible so far.
class Possible {
 public:
  void Add(Decision decision, std::string_view rule_id, MissingFact missing) {
    seen_[static_cast<std::size_t>(decision)] = true;
    if (missing == MissingFact::kNothing) return;
    missing_ = missing_ | missing;
    if (first_id_.empty()) first_id_ = rule_id;
  }
  // The last one is certain if none before it was.
  Evaluation End(Decision decision, std::string_view rule_id) {
    const std::string_view first = first_id_;
    Add(decision, rule_id, MissingFact::kNothing);
    const int answers = seen_[0] + seen_[1] + seen_[2];
    if (answers == 1) return {.decision = decision, .rule_id = rule_id};
    return {.decision = Decision::kUndecidable, .rule_id = first, .missing = missing_};
  }

 private:
  std::array<bool, 3> seen_{};
  std::string_view first_id_;
  MissingFact missing_ = MissingFact::kNothing;
};

Decision DecisionOf(RuleVerdict verdict) {
  switch (verdict) {
    case RuleVerdict::kAccept:
      return Decision::kAccept;
    case RuleVerdict::kReject:
      return Decision::kReject;
    default:
      return Decision::kDrop;
  }
}

}  // namespace

Evaluation EvaluateDirected(const RuleSet& rules, RuleDirection direction,
                            const PacketFacts& packet, const OverLimit& over_limit) {
  const Match by_protection = MatchProtected(rules.protected_set(), direction, packet);
  if (by_protection.truth == Truth::kYes) {
    return {.decision = Decision::kAccept, .by_protected_set = true};
  }
  Possible possible;
  if (by_protection.truth == Truth::kMaybe) {
    possible.Add(Decision::kAccept, {}, by_protection.missing);
  }
  for (const Rule& rule : rules.rules()) {
    if (rule.direction != direction) continue;
    const Match match = MatchRule(rules, rule, direction, packet);
    if (match.truth == Truth::kNo) continue;
    if (rule.verdict == RuleVerdict::kRateLimit) {
      const std::optional<bool> over =
          match.truth == Truth::kYes && over_limit ? over_limit(rule) : std::nullopt;
      if (over == true) return possible.End(Decision::kDrop, rule.id);
      if (!over) possible.Add(Decision::kDrop, rule.id, match.missing | MissingFact::kRate);
      continue;
    }
    const Decision decision = DecisionOf(rule.verdict);
    if (match.truth == Truth::kYes) return possible.End(decision, rule.id);
    possible.Add(decision, rule.id, match.missing);
  }
  return possible.End(DecisionOf(rules.defaults().of(direction)), {});
}

}  // namespace firewall

Evaluation Evaluate(const RuleSet& rules, const PacketFacts& packet) {
  if (packet.direction) {
    return firewall::EvaluateDirected(rules, *packet.direction, packet, {});
  }
  constexpr std::array kAll = {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward};
  std::optional<Evaluation> merged;
  MissingFact missing = MissingFact::kDirection;
  for (const RuleDirection direction : kAll) {
    const Evaluation one = firewall::EvaluateDirected(rules, direction, packet, {});
    missing = missing | one.missing;
    if (!merged) {
      merged = one;
    } else if (merged->decision != one.decision) {
      merged->decision = Decision::kUndecidable;
      if (merged->rule_id.empty()) merged->rule_id = one.rule_id;
    } else {
      merged->by_protected_set = merged->by_protected_set && one.by_protected_set;
    }
  }
  if (merged->decision == Decision::kUndecidable) {
    merged->missing = missing;
    merged->by_protected_set = false;
  }
  return *merged;
}

}  // namespace nta
