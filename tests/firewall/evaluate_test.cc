#include <gtest/gtest.h>

#include <algorithm>

#include "firewall/random_rules.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

using std::chrono::seconds;
using test::A;
using test::P;

struct Family {
  std::string_view name;
  std::string_view network;
  std::string_view inside;
  std::string_view outside;
  std::string_view own;
};
constexpr Family kFamilies[] = {
    {"IPv4", "203.0.113.0/24", "203.0.113.9", "198.51.100.9", "192.0.2.1"},
    {"IPv6", "2001:db8:bad::/48", "2001:db8:bad::9", "2001:db8:600d::9", "2001:db8::1"},
};

PacketFacts NewTcp(std::string_view from, std::string_view to, std::uint16_t port) {
  PacketFacts packet{.direction = RuleDirection::kIn,
                     .source = A(from),
                     .destination = A(to),
                     .protocol = kProtocolTcp,
                     .source_port = 50'000,
                     .destination_port = port};
  packet.in_interface = "eth0";
  packet.state = ConnectionState::kNew;
  packet.is_reply = false;
  return packet;
}

RuleSet Of(std::vector<Rule> rules, DefaultVerdicts defaults = {}) {
  auto made = RuleSet::Create({.rules = std::move(rules), .defaults = defaults});
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

TEST(Evaluate, TheFirstRuleThatMatchesDecides) {
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    Rule let{.id = "let", .verdict = RuleVerdict::kAccept};
    let.source.prefixes = {P(family.inside)};
    Rule drop{.id = "drop", .verdict = RuleVerdict::kDrop};
    drop.source.prefixes = {P(family.network)};
    drop.protocol = kProtocolTcp;
    drop.destination_ports = {{20, 23}};
    const RuleSet rules = Of({drop, let});
    EXPECT_EQ(Evaluate(rules, NewTcp(family.inside, family.own, 22)).rule_id, "drop");
    EXPECT_EQ(Evaluate(rules, NewTcp(family.inside, family.own, 24)).rule_id, "let");
    EXPECT_EQ(Evaluate(rules, NewTcp(family.outside, family.own, 22)).decision, Decision::kAccept);
    EXPECT_EQ(Evaluate(Of({let, drop}), NewTcp(family.inside, family.own, 22)).rule_id, "let");
  }
}

TEST(Evaluate, WhatNoRuleTakesGetsTheDefaultOfItsDirection) {
  const RuleSet rules = Of({}, {.in = RuleVerdict::kDrop});
  PacketFacts packet = NewTcp("203.0.113.9", "192.0.2.1", 80);
  EXPECT_EQ(Evaluate(rules, packet).decision, Decision::kDrop);
  EXPECT_EQ(Evaluate(rules, packet).rule_id, "");
  packet.direction = RuleDirection::kOut;
  EXPECT_EQ(Evaluate(rules, packet).decision, Decision::kAccept);
}

TEST(Evaluate, ExpiredRulesAndElementsAreNotThere) {
  Rule rule{.id = "blocked", .verdict = RuleVerdict::kDrop};
  rule.source.sets = {"bad"};
  const auto rules = RuleSet::Create(
      {.rules = {rule},
       .sets = {{.name = "bad", .elements = {{P("203.0.113.9"), Timestamp(seconds(60))}}}}});
  PacketFacts packet = NewTcp("203.0.113.9", "192.0.2.1", 80);
  packet.time = Timestamp(seconds(59));
  EXPECT_EQ(Evaluate(*rules, packet).decision, Decision::kDrop);
  packet.time = Timestamp(seconds(60));
  EXPECT_EQ(Evaluate(*rules, packet).decision, Decision::kAccept);
}

TEST(Evaluate, SaysWhichFactIsMissingAndGuessesNothing) {
  Rule rule{.id = "wan", .verdict = RuleVerdict::kDrop};
  rule.in_interface = "wan";
  const RuleSet rules = Of({rule});
  PacketFacts packet = NewTcp("203.0.113.9", "192.0.2.1", 80);
  packet.in_interface.reset();
  const Evaluation answer = Evaluate(rules, packet);
  EXPECT_EQ(answer.decision, Decision::kUndecidable);
  EXPECT_EQ(answer.rule_id, "wan");
  EXPECT_EQ(ToString(answer.missing), "interface");
  // What is dropped either way needs no interface.
  EXPECT_EQ(Evaluate(Of({rule}, {.in = RuleVerdict::kDrop}), packet).decision, Decision::kDrop);
}

TEST(Evaluate, RateLimitsAreUndecidableUnlessWhatFollowsDropsAnyway) {
  Rule rule{.id = "slow", .verdict = RuleVerdict::kRateLimit, .rate_limit = {{10, 5}}};
  rule.protocol = kProtocolTcp;
  const PacketFacts packet = NewTcp("203.0.113.9", "192.0.2.1", 80);
  EXPECT_EQ(Evaluate(Of({rule}), packet).decision, Decision::kUndecidable);
  EXPECT_EQ(Evaluate(Of({rule}), packet).missing, MissingFact::kRate);
  EXPECT_EQ(Evaluate(Of({rule}, {.in = RuleVerdict::kDrop}), packet).decision, Decision::kDrop);
}

TEST(Evaluate, TheProtectedSetComesFirst) {
  for (const Family& family : kFamilies) {
    SCOPED_TRACE(family.name);
    RuleSetParts parts;
    parts.rules = {{.id = "all", .verdict = RuleVerdict::kDrop, .allow_wide = true}};
    parts.protected_set.peers = {{P(family.inside), ProtectedRole::kAdministrator},
                                 {P(family.own), ProtectedRole::kOwn}};
    const auto rules = RuleSet::Create(parts);
    EXPECT_TRUE(Evaluate(*rules, NewTcp(family.inside, family.own, 22)).by_protected_set);
    EXPECT_TRUE(Evaluate(*rules, NewTcp(family.own, family.own, 22)).by_protected_set);
    EXPECT_EQ(Evaluate(*rules, NewTcp(family.outside, family.own, 22)).rule_id, "all");
    PacketFacts reply = NewTcp(family.outside, family.own, 22);
    reply.state = ConnectionState::kEstablished;
    reply.is_reply = true;
    EXPECT_TRUE(Evaluate(*rules, reply).by_protected_set);
    // What others say to an own address is not protected by it.
    reply.is_reply = false;
    EXPECT_EQ(Evaluate(*rules, reply).decision, Decision::kDrop);
  }
}

// The whole point of the third answer: whatever the missing facts are, a definite one holds.
TEST(Evaluate, ADefiniteAnswerHoldsForWhateverIsNotKnown) {
  const std::size_t count = test::CountFromEnvironment("NTA_RANDOM_RULE_SETS", 1'000);
  std::size_t definite = 0;
  std::size_t undecidable = 0;
  for (std::size_t seed = 0; seed < count; ++seed) {
    test::RandomFirewall random(seed);
    const RuleSet rules = random.Rules(12);
    for (int i = 0; i < 20; ++i) {
      const PacketFacts full = random.Packet();
      const Evaluation truth = Evaluate(rules, full);
      const Evaluation answer = Evaluate(rules, random.Forget(full));
      (answer.decision == Decision::kUndecidable ? undecidable : definite) += 1;
      if (answer.decision == Decision::kUndecidable) {
        EXPECT_NE(answer.missing, MissingFact::kNothing);
        continue;
      }
      if (truth.decision == Decision::kUndecidable) {
        // Only a rate limit can be open when all facts are known; forgetting does not settle it.
        ADD_FAILURE() << "seed " << seed << ": definite although the rate is not known";
        continue;
      }
      ASSERT_EQ(answer.decision, truth.decision) << "seed " << seed << " packet " << i;
    }
  }
  EXPECT_GT(definite, count);
  EXPECT_GT(undecidable, count);
}

// A second reading of the same rules, as plain as can be.
Decision NaiveDecision(const RuleSet& rules, const PacketFacts& packet) {
  const auto among = [&](const RuleAddresses& wanted, const IpAddress& address) {
    if (wanted.is_any()) return true;
    bool found = false;
    for (const IpPrefix& prefix : wanted.prefixes) found = found || prefix.Contains(address);
    for (const AddressSet& set : rules.sets()) {
      if (std::find(wanted.sets.begin(), wanted.sets.end(), set.name) == wanted.sets.end())
        continue;
      for (const SetElement& element : set.elements) {
        if (element.expires && *element.expires <= *packet.time) continue;
        found = found || element.prefix.Contains(address);
      }
    }
    return found;
  };
  const auto within = [](const std::vector<PortRange>& ranges, std::uint16_t port) {
    bool found = ranges.empty();
    for (const PortRange& range : ranges)
      found = found || (range.first <= port && port <= range.last);
    return found;
  };
  for (const Rule& rule : rules.rules()) {
    if (rule.direction != packet.direction) continue;
    if (rule.expires && *rule.expires <= *packet.time) continue;
    if (rule.protocol && *rule.protocol != packet.protocol) continue;
    if (!among(rule.source, *packet.source) || !among(rule.destination, *packet.destination))
      continue;
    if (!within(rule.source_ports, packet.source_port.value_or(0))) continue;
    if (!within(rule.destination_ports, packet.destination_port.value_or(0))) continue;
    if (!rule.icmp_types.empty() &&
        std::count(rule.icmp_types.begin(), rule.icmp_types.end(), *packet.icmp_type) == 0) {
      continue;
    }
    if (rule.in_interface && rule.in_interface != packet.in_interface) continue;
    if (rule.out_interface && rule.out_interface != packet.out_interface) continue;
    if (!rule.states.empty() &&
        std::count(rule.states.begin(), rule.states.end(), *packet.state) == 0) {
      continue;
    }
    if (rule.verdict == RuleVerdict::kAccept) return Decision::kAccept;
    if (rule.verdict == RuleVerdict::kReject) return Decision::kReject;
    return Decision::kDrop;
  }
  return rules.defaults().of(*packet.direction) == RuleVerdict::kAccept ? Decision::kAccept
                                                                        : Decision::kDrop;
}

TEST(Evaluate, AgreesWithAPlainReadingOfTheRules) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    test::RandomFirewall random(seed);
    RuleSetParts parts = random.Parts(15);
    parts.protected_set = {.loopback = false, .neighbour_discovery = false, .replies = false};
    for (Rule& rule : parts.rules) {
      if (rule.verdict != RuleVerdict::kRateLimit) continue;
      rule.verdict = RuleVerdict::kDrop;
      rule.rate_limit.reset();
    }
    const RuleSet rules = *RuleSet::Create(parts);
    for (int i = 0; i < 40; ++i) {
      const PacketFacts packet = random.Packet();
      ASSERT_EQ(Evaluate(rules, packet).decision, NaiveDecision(rules, packet)) << seed;
    }
  }
}

}  // namespace
}  // namespace nta
