#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"
#include "nta/firewall/rule_set.h"

namespace nta {
namespace {

using test::P;
using ::testing::HasSubstr;

TEST(RuleJson, IsTheDocumentedOne) {
  Rule rule{.id = "web", .verdict = RuleVerdict::kRateLimit, .rate_limit = {{100, 20}}};
  rule.source = {{P("203.0.113.0/24")}, {"scanners"}};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{80, 80}, {8000, 8080}};
  rule.states = {ConnectionState::kNew};
  EXPECT_EQ(ToJson(rule),
            R"({"id":"web","direction":"in","verdict":"rate_limit",)"
            R"("rate_limit":{"packets_per_second":100,"burst":20},)"
            R"("source":["203.0.113.0/24","@scanners"],"destination":[],"protocol":"tcp",)"
            R"("source_ports":[],"destination_ports":["80","8000-8080"],"icmp_types":[],)"
            R"("in_interface":null,"out_interface":null,"states":["new"],"log":false,)"
            R"("expires":null,"comment":"","author":"","allow_wide":false})");
  EXPECT_EQ(*RuleFromJson(ToJson(rule)), rule);
}

TEST(RuleJson, TakesTheShortestFormThatPeopleWrite) {
  const auto rule = RuleFromJson(
      R"({"id":"ssh","direction":"in","verdict":"drop","protocol":"tcp","destination_ports":[22]})");
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->destination_ports, (std::vector<PortRange>{{22, 22}}));
}

TEST(RuleJson, ComplainsOfTheFieldThatIsWrong) {
  const auto complaint = [](std::string_view text) {
    return std::string(RuleFromJson(text).status().message());
  };
  EXPECT_EQ(complaint("{}"), "field \"id\": is missing");
  EXPECT_EQ(complaint("[]"), "the JSON: must be an object");
  EXPECT_THAT(complaint(R"({"id":"a","direction":"in","verdict":"drop","bogus":1})"),
              HasSubstr("field \"bogus\": is unknown"));
  EXPECT_THAT(complaint(R"({"id":"a","direction":"in","verdict":"burn"})"),
              HasSubstr("field \"verdict\": \"burn\" is not a verdict"));
  EXPECT_THAT(complaint(R"({"id":"a","direction":"in","verdict":"drop","source":["10.0.0.1/8"]})"),
              HasSubstr("field \"source\": \"10.0.0.1/8\" has bits set"));
  EXPECT_THAT(complaint(R"({"id":"a","id":"b"})"), HasSubstr("there twice"));
  EXPECT_THAT(
      complaint(R"({"id":"a","direction":"in","verdict":"drop","destination_ports":[65536]})"),
      HasSubstr("not a port"));
  EXPECT_THAT(complaint(R"({"id":"a")"), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(R"({"id":1e999})"), HasSubstr("a number is too large"));
  EXPECT_THAT(complaint("[[[[[[[[[[[[]]]]]]]]]]]]"), HasSubstr("nested too deep"));
}

TEST(RuleSetJson, ReadsBackWhatItWrote) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    test::RandomFirewall random(seed);
    const RuleSet rules = random.Rules(15);
    const auto read = RuleSetFromJson(ToJson(rules));
    ASSERT_TRUE(read.ok()) << read.status();
    ASSERT_EQ(*read, rules) << seed;
  }
}

TEST(RuleSetJson, SaysWhichRuleIsWrong) {
  const auto complaint = [](std::string_view text) {
    return std::string(RuleSetFromJson(text).status().message());
  };
  EXPECT_EQ(complaint("[]"), "the JSON: must be an object");
  EXPECT_THAT(complaint(R"({"rules":[{"id":"a","direction":"in","verdict":"drop","protocol":"tcp"},
                                     {"id":"b","direction":"in","verdict":"burn"}]})"),
              HasSubstr("rule \"b\": field \"verdict\""));
  EXPECT_THAT(complaint(R"({"rules":[{"id":"a","direction":"in","verdict":"drop"}]})"),
              HasSubstr("\"rules\": rule \"a\": has no condition"));
  EXPECT_THAT(complaint(R"({"rules":[7]})"), HasSubstr("rule 1: "));
  EXPECT_THAT(complaint(R"({"rules":[{"direction":"in"}]})"), HasSubstr("rule 1: field \"id\""));
}

TEST(RuleSetJson, CutShortItIsAnErrorAndNeverHalfARuleSet) {
  const std::string text = ToJson(test::RandomFirewall(7).Rules(15));
  for (std::size_t size = 0; size < text.size(); ++size) {
    ASSERT_FALSE(RuleSetFromJson(std::string_view(text).substr(0, size)).ok()) << size;
  }
}

}  // namespace
}  // namespace nta
