#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "firewall/random_rules.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

using test::P;

Rule Tcp(std::string id, std::uint16_t port) {
  Rule rule{.id = std::move(id), .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{port, port}};
  return rule;
}

RuleSet Of(std::vector<Rule> rules) { return *RuleSet::Create({.rules = std::move(rules)}); }

TEST(Diff, SaysWhatCameWentChangedAndMoved) {
  Rule changed = Tcp("b", 22);
  changed.verdict = RuleVerdict::kReject;
  const RuleSetDiff diff =
      Diff(Of({Tcp("a", 21), Tcp("b", 22), Tcp("c", 23), Tcp("d", 24), Tcp("e", 25)}),
           Of({Tcp("e", 25), changed, Tcp("c", 23), Tcp("d", 24), Tcp("f", 26)}));
  EXPECT_EQ(diff.ToString(),
            "- rule a: drop in tcp to port 21\n"
            "> rule e moves from place 5 to 1\n"
            "~ rule b: drop in tcp to port 22 becomes reject in tcp to port 22\n"
            "+ rule f: drop in tcp to port 26\n");
}

TEST(Diff, ARuleThatWasOnlyPushedAlongHasNotMoved) {
  const RuleSetDiff diff =
      Diff(Of({Tcp("a", 21), Tcp("b", 22)}), Of({Tcp("n", 20), Tcp("a", 21), Tcp("b", 22)}));
  ASSERT_EQ(diff.rules.size(), 1U);
  EXPECT_EQ(diff.rules[0].kind, ChangeKind::kAdded);
}

TEST(Diff, CoversSetsDefaultsAndTheProtectedSet) {
  const auto before =
      RuleSet::Create({.sets = {{.name = "s", .elements = {{P("192.0.2.1"), {}}}}}});
  const auto after = RuleSet::Create(
      {.sets = {{.name = "s", .elements = {{P("192.0.2.2"), {}}}}},
       .protected_set = {.peers = {{P("192.0.2.254"), ProtectedRole::kGateway}}, .replies = false},
       .defaults = {.in = RuleVerdict::kDrop}});
  EXPECT_EQ(Diff(*before, *after).ToString(),
            "~ set s (+1 -1 elements)\n"
            "~ default: in accept, out accept, forward accept becomes in drop, out accept, forward "
            "accept\n"
            "+ protected gateway 192.0.2.254/32\n"
            "~ switches of the protected set\n");
}

// Applying the difference to the old rules gives the new ones.
std::vector<Rule> Apply(std::vector<Rule> rules, const RuleSetDiff& diff) {
  for (const RuleChange& change : diff.rules) {
    if (!change.before) continue;
    std::erase_if(rules, [&](const Rule& rule) { return rule.id == change.before->id; });
  }
  for (const RuleChange& change : diff.rules) {
    if (!change.after) continue;
    rules.insert(rules.begin() + static_cast<std::ptrdiff_t>(*change.to), *change.after);
  }
  return rules;
}

TEST(Diff, LeadsFromOneRandomRuleSetToTheOther) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    test::RandomFirewall random(seed);
    const RuleSet before = random.Rules(10);
    RuleSetParts parts = random.Chance(30) ? random.Parts(10) : before.parts();
    for (std::size_t i = random.Below(4); i > 0 && parts.rules.size() > 1; --i) {
      std::swap(parts.rules[random.Below(parts.rules.size())],
                parts.rules[random.Below(parts.rules.size())]);
    }
    if (!parts.rules.empty() && random.Chance(50)) parts.rules.pop_back();
    const RuleSet after = *RuleSet::Create(parts);
    const RuleSetDiff diff = Diff(before, after);
    ASSERT_EQ(Apply(before.rules(), diff), after.rules()) << "seed " << seed;
    ASSERT_EQ(diff.empty(), before == after) << "seed " << seed;
  }
}

}  // namespace
}  // namespace nta
