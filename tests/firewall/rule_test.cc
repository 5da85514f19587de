#include "nta/firewall/rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"

namespace nta {
namespace {

using test::P;
using ::testing::HasSubstr;

Rule DropTelnet() {
  Rule rule{.id = "no-telnet", .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{23, 23}};
  return rule;
}

std::string Complaint(const Rule& rule) { return std::string(CheckRule(rule).message()); }

// What has ended in a shell or in a rule language somewhere, in every field that takes text.
std::vector<std::string> HostileTexts() {
  std::vector<std::string> texts = {"; drop table inet filter",
                                    "x; add table inet PWNED",
                                    "$(reboot)",
                                    "`id`",
                                    "a|b",
                                    "a&b",
                                    "a>b",
                                    "a<b",
                                    "a\nb",
                                    "a\r\nb",
                                    "a\tb",
                                    std::string("a\0b", 3),
                                    "a\"b",
                                    "a'b",
                                    "a\\b",
                                    "{}",
                                    "a}",
                                    "a{",
                                    "[x]",
                                    "!x",
                                    "*",
                                    "a?b",
                                    "~root",
                                    "%s%n",
                                    "../../etc",
                                    "a\x1b[2J",
                                    "\xff\xfe",
                                    "\xc3\xa9",
                                    "\xe2\x80\xae",
                                    "-j ACCEPT;",
                                    "--flush\n",
                                    "flush ruleset;",
                                    "\x7f",
                                    "^C"};
  const std::vector<std::string> shapes = texts;
  for (const std::string& shape : shapes) {
    texts.push_back("ok" + shape);
    texts.push_back(shape + "ok");
    texts.push_back(" " + shape);
    texts.push_back(std::string(200, 'a') + shape);
    texts.push_back(shape + shape);
  }
  return texts;
}

TEST(Rule, HostileTextsAreRefusedInEveryField) {
  const std::vector<std::string> texts = HostileTexts();
  ASSERT_GE(texts.size(), 200U);
  for (const std::string& text : texts) {
    SCOPED_TRACE(text);
    Rule rule = DropTelnet();
    rule.id = text;
    EXPECT_FALSE(CheckRule(rule).ok());
    rule = DropTelnet();
    rule.in_interface = text;
    EXPECT_FALSE(CheckRule(rule).ok());
    rule = DropTelnet();
    rule.source.sets = {text};
    EXPECT_FALSE(CheckRule(rule).ok());
    rule = DropTelnet();
    rule.author = text;
    EXPECT_FALSE(CheckRule(rule).ok());
    EXPECT_FALSE(CheckAddressSet({.name = text}).ok());
  }
}

TEST(Rule, CommentsHoldNothingThatEndsOrQuotesAStatement) {
  for (const char c : std::string(";#\"'`$\\{}[]<>|&!*?~^%\n\r\t\x1b") + '\0') {
    Rule rule = DropTelnet();
    rule.comment = std::string("a") + c;
    EXPECT_FALSE(CheckRule(rule).ok()) << static_cast<int>(c);
  }
  Rule rule = DropTelnet();
  rule.comment = "Ticket 42: old printer (2nd floor), ask ops@example.org, +49 30/1234 = ok_-.";
  EXPECT_TRUE(CheckRule(rule).ok()) << CheckRule(rule);
}

TEST(Rule, ComplaintsNameTheRuleTheFieldAndTheReason) {
  Rule rule = DropTelnet();
  rule.comment = "a\"b";
  EXPECT_EQ(Complaint(rule), "rule \"no-telnet\": comment holds '\"' at 1, which is not allowed");
  rule = DropTelnet();
  rule.destination_ports = {{90, 80}};
  EXPECT_EQ(Complaint(rule), "rule \"no-telnet\": destination_ports: the range 90-80 is empty");
  rule = DropTelnet();
  rule.protocol.reset();
  EXPECT_THAT(Complaint(rule), HasSubstr("destination_ports need a protocol with ports"));
  rule = DropTelnet();
  rule.out_interface = "eth0";
  EXPECT_THAT(Complaint(rule), HasSubstr("out_interface is given, but the direction is in"));
  rule = DropTelnet();
  rule.verdict = RuleVerdict::kRateLimit;
  EXPECT_THAT(Complaint(rule), HasSubstr("needs a rate_limit"));
  rule.rate_limit = {.packets_per_second = 0};
  EXPECT_THAT(Complaint(rule), HasSubstr("must be 1 to 1000000"));
  rule = DropTelnet();
  rule.icmp_types = {8};
  EXPECT_THAT(Complaint(rule), HasSubstr("icmp_types need protocol icmp or icmpv6"));
}

TEST(Rule, DroppingWideNetworksIsRefusedUnlessInsistedOn) {
  struct Case {
    std::string_view network;
    bool allowed;
  };
  const Case cases[] = {
      {"0.0.0.0/0", false},
      {"0.0.0.0/1", false},
      {"128.0.0.0/1", false},
      {"10.0.0.0/7", false},
      {"192.0.0.0/4", false},
      {"224.0.0.0/4", false},
      {"10.0.0.0/8", true},
      {"10.0.0.0/9", true},
      {"192.0.2.0/24", true},
      {"192.0.2.1", true},
      {"::/0", false},
      {"2000::/3", false},
      {"2000::/15", false},
      {"fc00::/7", false},
      {"fe80::/10", false},
      {"ff00::/8", false},
      {"2001::/16", true},
      {"2001:db8::/32", true},
      {"2001:db8::1", true},
      {"fe80::/16", true},
      {"::ffff:0:0/96", false},
      {"::ffff:1.2.3.4", false},
      {"::ffff:10.0.0.0/104", false},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.network);
    for (const RuleVerdict verdict : {RuleVerdict::kDrop, RuleVerdict::kReject}) {
      Rule rule = DropTelnet();
      rule.verdict = verdict;
      rule.source.prefixes = {P(one.network)};
      EXPECT_EQ(CheckRule(rule).ok(), one.allowed);
      std::swap(rule.source, rule.destination);
      EXPECT_EQ(CheckRule(rule).ok(), one.allowed);
    }
    const AddressSet set{.name = "s", .kind = AddressSetKind::kPrefixes};
    EXPECT_EQ(CheckSetElement(set, {.prefix = P(one.network)}).ok(), one.allowed);
  }
  Rule rule = DropTelnet();
  rule.source.prefixes = {P("0.0.0.0/0")};
  rule.allow_wide = true;
  EXPECT_TRUE(CheckRule(rule).ok());
  // Accepting a wide network locks nobody out.
  rule.allow_wide = false;
  rule.verdict = RuleVerdict::kAccept;
  EXPECT_TRUE(CheckRule(rule).ok());
  // No packet carries a mapped address, so insisting does not help.
  rule = DropTelnet();
  rule.allow_wide = true;
  rule.source.prefixes = {P("::ffff:1.2.3.4")};
  EXPECT_FALSE(CheckRule(rule).ok());
}

TEST(Rule, DroppingEverythingIsRefusedUnlessInsistedOn) {
  Rule rule{.id = "oops", .verdict = RuleVerdict::kDrop};
  EXPECT_THAT(Complaint(rule), HasSubstr("has no condition"));
  rule.allow_wide = true;
  EXPECT_TRUE(CheckRule(rule).ok());
}

TEST(AddressSet, HostsAreSingleAndPrefixesDoNotExpire) {
  const AddressSet hosts{.name = "blocked"};
  EXPECT_TRUE(CheckSetElement(hosts, {.prefix = P("192.0.2.1")}).ok());
  EXPECT_TRUE(CheckSetElement(hosts, {.prefix = P("2001:db8::1"), .expires = Timestamp()}).ok());
  EXPECT_THAT(std::string(CheckSetElement(hosts, {.prefix = P("192.0.2.0/24")}).message()),
              HasSubstr("192.0.2.0/24 is a network, but the set is one of hosts"));
  const AddressSet nets{.name = "nets", .kind = AddressSetKind::kPrefixes};
  EXPECT_TRUE(CheckSetElement(nets, {.prefix = P("192.0.2.0/24")}).ok());
  EXPECT_FALSE(CheckSetElement(nets, {.prefix = P("192.0.2.0/24"), .expires = Timestamp()}).ok());
}

TEST(RuleNames, ReadBackWhatTheyWrite) {
  for (const auto value :
       {RuleVerdict::kAccept, RuleVerdict::kDrop, RuleVerdict::kReject, RuleVerdict::kRateLimit}) {
    EXPECT_EQ(*ParseRuleVerdict(ToString(value)), value);
  }
  for (const auto value : {RuleDirection::kIn, RuleDirection::kOut, RuleDirection::kForward}) {
    EXPECT_EQ(*ParseRuleDirection(ToString(value)), value);
  }
  EXPECT_EQ(ParseRuleVerdict("DROP").status().message(),
            "\"DROP\" is not a verdict (one of: accept, drop, reject, rate_limit)");
}

}  // namespace
}  // namespace nta
