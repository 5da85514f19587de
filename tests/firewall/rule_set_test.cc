#include "nta/firewall/rule_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"

namespace nta {
namespace {

using std::chrono::seconds;
using test::P;
using ::testing::HasSubstr;

Rule Named(std::string id) {
  Rule rule{.id = std::move(id), .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  return rule;
}

std::string Complaint(RuleSetParts parts) {
  return std::string(RuleSet::Create(std::move(parts)).status().message());
}

TEST(RuleSet, RefusesDoubledIdsAndSetsThatNooneDeclared) {
  EXPECT_EQ(Complaint({.rules = {Named("a"), Named("a")}}), "two rules have the id \"a\"");
  Rule rule = Named("a");
  rule.source.sets = {"ghosts"};
  EXPECT_EQ(Complaint({.rules = {rule}}), "rule \"a\": there is no set \"ghosts\"");
  EXPECT_EQ(Complaint({.sets = {{.name = "s"}, {.name = "s"}}}), "two sets have the name \"s\"");
  EXPECT_THAT(Complaint({.defaults = {.in = RuleVerdict::kReject}}),
              HasSubstr("a default verdict must be accept or drop, not reject"));
  EXPECT_THAT(Complaint({.protected_set = {.peers = {{P("0.0.0.0/0")}}}}),
              HasSubstr("protected set: configured 0.0.0.0/0 is wider than /8"));
  EXPECT_THAT(Complaint({.rules = std::vector<Rule>(kMaxRules + 1)}), HasSubstr("at most 10000"));
}

TEST(RuleSet, SortsListsSoThatEqualMeaningsCompareEqual) {
  Rule one = Named("a");
  one.source.prefixes = {P("10.0.0.0/8"), P("2001:db8::/32"), P("10.0.0.0/8")};
  one.destination_ports = {{80, 90}, {22, 22}, {85, 100}, {101, 101}};
  Rule two = Named("a");
  two.source.prefixes = {P("2001:db8::/32"), P("10.0.0.0/8")};
  two.destination_ports = {{22, 22}, {80, 101}};
  EXPECT_EQ(*RuleSet::Create({.rules = {one}}), *RuleSet::Create({.rules = {two}}));
}

TEST(RuleSet, KeepsTheLaterExpiryOfADoubledElement) {
  const auto rules = RuleSet::Create(
      {.sets = {{.name = "s",
                 .elements = {{P("192.0.2.1"), Timestamp(seconds(5))}, {P("192.0.2.1"), {}}}}}});
  ASSERT_TRUE(rules.ok());
  ASSERT_EQ(rules->FindSet("s")->elements.size(), 1U);
  EXPECT_EQ(rules->FindSet("s")->elements[0].expires, std::nullopt);
}

TEST(RuleSet, WhatExpiredIsGone) {
  Rule rule = Named("short");
  rule.expires = Timestamp(seconds(10));
  const auto rules = RuleSet::Create(
      {.rules = {rule, Named("long")},
       .sets = {{.name = "s",
                 .elements = {{P("192.0.2.1"), Timestamp(seconds(5))}, {P("192.0.2.2"), {}}}}}});
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->NextExpiry(), Timestamp(seconds(5)));
  const RuleSet later = rules->WithoutExpired(Timestamp(seconds(10)));
  EXPECT_EQ(later.rules().size(), 1U);
  EXPECT_EQ(later.FindSet("s")->elements.size(), 1U);
  EXPECT_EQ(later.NextExpiry(), std::nullopt);
}

TEST(RuleSet, ElementsComeAndGo) {
  const auto rules = RuleSet::Create({.sets = {{.name = "s"}}});
  const SetElement elements[] = {{P("192.0.2.1"), Timestamp(seconds(9))}, {P("2001:db8::1"), {}}};
  auto more = WithElements(*rules, "s", elements);
  ASSERT_TRUE(more.ok());
  EXPECT_EQ(more->FindSet("s")->elements.size(), 2U);
  const SetElement longer[] = {{P("192.0.2.1"), Timestamp(seconds(99))}};
  more = WithElements(*more, "s", longer);
  EXPECT_EQ(more->FindSet("s")->elements[0].expires, Timestamp(seconds(99)));
  const IpPrefix gone[] = {P("192.0.2.1"), P("198.51.100.1")};
  const auto fewer = WithoutElements(*more, "s", gone);
  EXPECT_EQ(fewer->FindSet("s")->elements.size(), 1U);
  EXPECT_EQ(WithElements(*rules, "t", elements).status().code(), absl::StatusCode::kNotFound);
  const SetElement wide[] = {{P("192.0.2.0/24"), {}}};
  EXPECT_EQ(WithElements(*rules, "s", wide).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST(ProtectedSet, HoldsInEveryRandomRuleSet) {
  const std::size_t count = test::CountFromEnvironment("NTA_RANDOM_RULE_SETS", 1'000);
  for (std::size_t seed = 0; seed < count; ++seed) {
    test::RandomFirewall random(seed);
    RuleSetParts parts = random.Parts(20);
    parts.protected_set.peers.push_back({P("192.0.2.1"), ProtectedRole::kGateway});
    parts.protected_set.peers.push_back({P("2001:db8:1::/48"), ProtectedRole::kConfigured});
    parts.protected_set.peers.push_back({P("198.51.100.7"), ProtectedRole::kAdministrator});
    parts.defaults = {RuleVerdict::kDrop, RuleVerdict::kDrop, RuleVerdict::kDrop};
    // The worst that anybody could wish for.
    parts.rules.insert(parts.rules.begin(),
                       {.id = "all", .verdict = RuleVerdict::kDrop, .allow_wide = true});
    const auto rules = RuleSet::Create(std::move(parts));
    ASSERT_TRUE(rules.ok()) << rules.status();
    ASSERT_TRUE(CheckProtection(*rules).ok()) << seed << ": " << CheckProtection(*rules);
  }
}

}  // namespace
}  // namespace nta
