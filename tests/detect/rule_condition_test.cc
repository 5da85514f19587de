#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>

#include "nta/detect/alert_rule.h"

namespace nta {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

TEST(RuleCondition, ReadsTheRuleOfTheDocumentation) {
  const auto rule = RuleCondition::Parse("count() > 100 per source_address in 60s where dport=22");
  ASSERT_TRUE(rule.ok()) << rule.status();
  EXPECT_EQ(rule->aggregate(), RuleAggregate::kCount);
  EXPECT_EQ(rule->threshold(), 100);
  EXPECT_FALSE(rule->is_inclusive());
  ASSERT_EQ(rule->per().size(), 1U);
  EXPECT_EQ(rule->per()[0], RuleField::kSourceAddress);
  EXPECT_EQ(rule->window(), seconds(60));
  EXPECT_EQ(rule->window_kind(), RuleWindow::kSliding);
  EXPECT_EQ(rule->filter().ToString(), "dport=22");
  EXPECT_TRUE(rule->counts_at_start());
}

TEST(RuleCondition, ReadsEveryAggregate) {
  for (const auto& [text, canonical, unit] :
       {std::tuple("SUM(bytes)>=1G in 1h tumbling", "sum(bytes) >= 1000000000 in 1h tumbling",
                   "bytes"),
        std::tuple("sum(packets) > 5k per dst,dport in 90",
                   "sum(packets) > 5000 per destination_address, destination_port in 90s",
                   "packets"),
        std::tuple("distinct(dport) > 50 in 5m sliding per src",
                   "distinct(destination_port) > 50 per source_address in 5m", "destination ports"),
        std::tuple("rate() > 20 in 10s", "rate(flows) > 20 in 10s", "flows/s"),
        std::tuple("rate(bytes) > 1.5M per src in 2d where app=dns or not dst=10.0.0.0/8",
                   "rate(bytes) > 1500000 per source_address in 2d where app=dns or not "
                   "dst=10.0.0.0/8",
                   "bytes/s")}) {
    const auto rule = RuleCondition::Parse(text);
    ASSERT_TRUE(rule.ok()) << text << ": " << rule.status();
    EXPECT_EQ(rule->ToString(), canonical);
    EXPECT_EQ(rule->unit(), unit);
    EXPECT_EQ(RuleCondition::Parse(canonical)->ToString(), canonical);
  }
}

TEST(RuleCondition, CountsAtTheStartOnlyWhatTheFirstPacketTells) {
  const auto at_start = [](const char* text) {
    return RuleCondition::Parse(text)->counts_at_start();
  };
  EXPECT_TRUE(at_start("count() > 1 in 1s where src=10.0.0.0/8 and not (proto=udp or port=53)"));
  EXPECT_TRUE(at_start("distinct(dst) > 1 per src in 1s"));
  EXPECT_TRUE(at_start("rate() > 1 in 1s"));
  EXPECT_FALSE(at_start("count() > 1 in 1s where bytes > 1000"));
  EXPECT_FALSE(at_start("count() > 1 in 1s where dport=22 and tcp_state=reset"));
  EXPECT_FALSE(at_start("count() > 1 per application in 1s"));
  EXPECT_FALSE(at_start("distinct(server_name) > 1 in 1s"));
  EXPECT_FALSE(at_start("sum(packets) > 1 in 1s"));
}

struct Mistake {
  const char* text;
  std::size_t position;
  const char* message;
};

class RuleMistakes : public testing::TestWithParam<Mistake> {};

TEST_P(RuleMistakes, AreToldWithTheirPlace) {
  FilterError error;
  const auto rule = RuleCondition::Parse(GetParam().text, &error);
  ASSERT_FALSE(rule.ok()) << GetParam().text;
  EXPECT_TRUE(absl::IsInvalidArgument(rule.status()));
  EXPECT_EQ(error.position, GetParam().position) << GetParam().text << ": " << error.message;
  EXPECT_EQ(error.message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    All, RuleMistakes,
    testing::Values(
        Mistake{"", 0, "expected count(), sum(), distinct() or rate(), the text ends here"},
        Mistake{"coutn() > 1 in 1s", 0,
                "\"coutn\" is not count, sum, distinct or rate (did you mean \"count\"?)"},
        Mistake{"count > 1 in 1s", 6, "expected \"(\" after \"count\", found \">\""},
        Mistake{"count(bytes) > 1 in 1s", 6, "expected \")\", found \"bytes\""},
        Mistake{"sum() > 1 in 1s", 4, "expected bytes or packets, found \")\""},
        Mistake{"sum(flows) > 1 in 1s", 4, "expected bytes or packets, found \"flows\""},
        Mistake{"rate(hosts) > 1 in 1s", 5, "expected flows, bytes or packets, found \"hosts\""},
        Mistake{"distinct(dprt) > 1 in 1s", 9, "unknown field \"dprt\" (did you mean \"dport\"?)"},
        Mistake{"distinct() > 1 in 1s", 9, "expected a field such as source_address, found \")\""},
        Mistake{"count() = 1 in 1s", 8, "expected > or >=, found \"=\""},
        Mistake{"count() < 1 in 1s", 8,
                "alerts come from too much, not from too little: use > or >="},
        Mistake{"count() > many in 1s", 10,
                "expected a number such as 100, 10k, 2M or 1G, found \"many\""},
        Mistake{"count() > -1 in 1s", 10,
                "expected a number such as 100, 10k, 2M or 1G, found \"-1\""},
        Mistake{"count() > 1", 11, "expected the window, such as \"in 60s\", the text ends here"},
        Mistake{"count() > 1 where dport=22", 12,
                "expected the window, such as \"in 60s\", found \"where\""},
        Mistake{"count() > 1 in 10 parsecs", 18, "expected per, in or where, found \"parsecs\""},
        Mistake{"count() > 1 in 10x", 15,
                "expected a duration such as 60s, 5m, 2h or 1d, found \"10x\""},
        Mistake{"count() > 1 in 10ms", 15, "a window is 1s to 7d long"},
        Mistake{"count() > 1 in 8d", 15, "a window is 1s to 7d long"},
        Mistake{"count() > 1 in 1s in 2s", 18, "\"in\" appears twice"},
        Mistake{"count() > 1 per src per dst in 1s", 20, "\"per\" appears twice"},
        Mistake{"count() > 1 per src, dst, dport in 1s", 26,
                "rules group by two fields at the most"},
        Mistake{"count() > 1 per src, source_address in 1s", 21,
                "\"source_address\" appears twice"},
        Mistake{"count() > 1 in 1s and dport=22", 18, "conditions on flows come after \"where\""},
        Mistake{"count() > 1 in 1s where", 23,
                "expected a condition after \"where\", the text ends here"},
        Mistake{"count() > 1 in 1s where dprt=22", 24,
                "unknown field \"dprt\" (did you mean \"dport\"?)"},
        Mistake{"count() > 1 in 1s where dport=99999", 30, "\"99999\" is not a port (0 to 65535)"},
        Mistake{"distinct(dst) > 70000 in 1s", 16, "distinct() counts to 65536 at the most"},
        Mistake{"distinct(dst) > 7 per dst in 1s", 0,
                "per group there is only one destination_address: count another field, or group "
                "by another"},
        Mistake{"count() >= 0 in 1s", 11, ">= 0 is always true"}));

TEST(RuleCondition, RefusesOverlongTextAndAnyBytes) {
  EXPECT_FALSE(RuleCondition::Parse(std::string(5000, 'c')).ok());
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(RuleCondition::Parse(bytes.substr(i)).ok());
    EXPECT_FALSE(RuleCondition::Parse("count() > 1 in 1s where " + bytes.substr(i)).ok());
  }
}

TEST(AlertRule, IsValidatedBeforeItRuns) {
  const RuleCondition condition = *RuleCondition::Parse("count() > 1 in 1s");
  const auto valid = [&] {
    return AlertRule{.id = "a-1_b", .title = "Title", .condition = condition};
  };
  EXPECT_TRUE(Validate(valid()).ok());
  AlertRule rule = valid();
  rule.id = "A";
  EXPECT_FALSE(Validate(rule).ok());
  rule = valid();
  for (const char* title : {"two\r\nlines", "turned \xE2\x80\xAE round", "no \xFF UTF-8"}) {
    rule.title = title;
    EXPECT_FALSE(Validate(rule).ok()) << title;
  }
  rule.title =
      "\xC3\x9C"
      "ber alles \xE2\x9C\x93";
  EXPECT_TRUE(Validate(rule).ok());
  rule = valid();
  rule.close_below = 0;
  EXPECT_FALSE(Validate(rule).ok());
  rule = valid();
  rule.hold = -minutes(1);
  EXPECT_FALSE(Validate(rule).ok());
}

}  // namespace
}  // namespace nta
