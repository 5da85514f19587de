#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

using std::chrono::seconds;
using test::P;
using ::testing::IsEmpty;

Rule From(std::string id, RuleVerdict verdict, std::string_view network) {
  Rule rule{.id = std::move(id), .verdict = verdict};
  rule.source.prefixes = {P(network)};
  return rule;
}

std::vector<std::string> Found(const RuleSetParts& parts, Timestamp now = {}) {
  const auto rules = RuleSet::Create(parts);
  EXPECT_TRUE(rules.ok()) << rules.status();
  std::vector<std::string> found;
  for (const RuleFinding& finding : FindProblems(*rules, now)) {
    found.push_back(std::string(ToString(finding.kind)) + " " + finding.rule_id + " " +
                    finding.because_of.value_or("-"));
    EXPECT_FALSE(finding.text.empty());
  }
  return found;
}

TEST(FindProblems, NamesShadowedAndRedundantRules) {
  for (const auto& [wide, narrow] : {std::pair{"203.0.0.0/16", "203.0.113.0/24"},
                                     std::pair{"2001:db8::/32", "2001:db8:1::/48"}}) {
    const Rule drop = From("drop", RuleVerdict::kDrop, wide);
    EXPECT_THAT(Found({.rules = {drop, From("let", RuleVerdict::kAccept, narrow)}}),
                ::testing::ElementsAre("shadowed let drop"));
    EXPECT_THAT(Found({.rules = {drop, From("again", RuleVerdict::kDrop, narrow)}}),
                ::testing::ElementsAre("redundant again drop"));
    EXPECT_THAT(Found({.rules = {From("let", RuleVerdict::kAccept, narrow), drop}}), IsEmpty());
  }
}

TEST(FindProblems, ARuleThatEndsSoonerShadowsNothingForGood) {
  Rule drop = From("drop", RuleVerdict::kDrop, "203.0.0.0/16");
  drop.expires = Timestamp(seconds(60));
  Rule let = From("let", RuleVerdict::kAccept, "203.0.113.0/24");
  EXPECT_THAT(Found({.rules = {drop, let}}), IsEmpty());
  let.expires = Timestamp(seconds(30));
  EXPECT_THAT(Found({.rules = {drop, let}}), ::testing::ElementsAre("shadowed let drop"));
}

TEST(FindProblems, NamesRulesThatNothingCanMatch) {
  Rule mixed = From("mixed", RuleVerdict::kDrop, "203.0.113.0/24");
  mixed.destination.prefixes = {P("2001:db8::/32")};
  Rule empty{.id = "empty", .verdict = RuleVerdict::kDrop};
  empty.source.sets = {"nobody"};
  Rule over = From("over", RuleVerdict::kDrop, "198.51.100.0/24");
  over.expires = Timestamp(seconds(5));
  Rule ping = From("ping", RuleVerdict::kDrop, "2001:db8::/32");
  ping.protocol = kProtocolIcmp;
  EXPECT_THAT(Found({.rules = {mixed, empty, over, ping}, .sets = {{.name = "nobody"}}},
                    Timestamp(seconds(6))),
              ::testing::ElementsAre("unreachable mixed -", "unreachable empty -",
                                     "unreachable over -", "unreachable ping -"));
}

TEST(FindProblems, SaysThatTheProtectedSetTakesItAll) {
  RuleSetParts parts{.rules = {From("gateway", RuleVerdict::kDrop, "192.0.2.1")}};
  parts.protected_set.peers = {{P("192.0.2.1"), ProtectedRole::kGateway}};
  EXPECT_THAT(Found(parts), ::testing::ElementsAre("unreachable gateway -"));
}

TEST(FindNeverHit, NamesRulesWhoseCountersStandAtZero) {
  const auto rules = RuleSet::Create({.rules = {From("a", RuleVerdict::kDrop, "203.0.113.0/24"),
                                                From("b", RuleVerdict::kDrop, "198.51.100.0/24")}});
  const RuleCounters counters[] = {{"a", 3, 180}, {"b", 0, 0}};
  const auto found = FindNeverHit(*rules, counters);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].rule_id, "b");
}

// What is reported is so: no packet is decided by a rule that is said to be of no use, and taking a
// redundant rule away changes no verdict.
TEST(FindProblems, NoPacketIsDecidedByARuleThatIsReported) {
  std::size_t reported = 0;
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) {
    test::RandomFirewall random(seed);
    const RuleSet rules = random.Rules(12);
    const Timestamp now{seconds(10)};
    const auto findings = FindProblems(rules, now);
    reported += findings.size();
    for (int i = 0; i < 30; ++i) {
      PacketFacts packet = random.Packet();
      packet.time = now + seconds(random.Below(10));
      const Evaluation answer = Evaluate(rules, packet);
      // Several answers are possible behind a rate limit; its own is not a decision.
      if (answer.decision == Decision::kUndecidable) continue;
      for (const RuleFinding& finding : findings) {
        ASSERT_NE(answer.rule_id, finding.rule_id) << "seed " << seed << ": " << finding.text;
      }
    }
  }
  EXPECT_GT(reported, 500U);
}

}  // namespace
}  // namespace nta
