#include <gtest/gtest.h>

#include "firewall/random_rules.h"
#include "nta/firewall/backend.h"

namespace nta {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::A;
using test::P;

constexpr Timestamp At(int second) { return Timestamp(seconds(second)); }

PacketFacts From(std::string_view source, Timestamp time) {
  PacketFacts packet{.direction = RuleDirection::kIn,
                     .source = A(source),
                     .destination = A(source).is_v4() ? A("192.0.2.1") : A("2001:db8::1"),
                     .protocol = kProtocolTcp,
                     .source_port = 50'000,
                     .destination_port = 80};
  packet.state = ConnectionState::kNew;
  packet.is_reply = false;
  packet.time = time;
  return packet;
}

RuleSet Blocking() {
  Rule rule{.id = "blocked", .verdict = RuleVerdict::kDrop};
  rule.source.sets = {"bad"};
  return *RuleSet::Create({.rules = {rule}, .sets = {{.name = "bad"}}});
}

TEST(MemoryBackend, BlocksUnblocksAndExpires) {
  for (const std::string_view host : {"203.0.113.9", "2001:db8:bad::9"}) {
    MemoryBackend backend;
    ASSERT_TRUE(backend.Replace(Blocking(), At(0)).ok());
    EXPECT_EQ(backend.Offer(From(host, At(1)), 60), Decision::kAccept);
    const SetElement element[] = {{P(host), At(10)}};
    ASSERT_TRUE(backend.AddToSet("bad", element, At(1)).ok());
    EXPECT_EQ(backend.Offer(From(host, At(2)), 60), Decision::kDrop);
    EXPECT_EQ(backend.Counters(At(2))->at(0), (RuleCounters{"blocked", 1, 60}));
    EXPECT_EQ(backend.Offer(From(host, At(10)), 60), Decision::kAccept);
    EXPECT_TRUE(backend.Current(At(10))->FindSet("bad")->elements.empty());
    const SetElement forever[] = {{P(host), {}}};
    ASSERT_TRUE(backend.AddToSet("bad", forever, At(11)).ok());
    EXPECT_EQ(backend.Offer(From(host, At(12)), 60), Decision::kDrop);
    const IpPrefix gone[] = {P(host)};
    ASSERT_TRUE(backend.RemoveFromSet("bad", gone, At(13)).ok());
    EXPECT_EQ(backend.Offer(From(host, At(14)), 60), Decision::kAccept);
  }
}

TEST(MemoryBackend, LimitsRates) {
  Rule rule{.id = "slow", .verdict = RuleVerdict::kRateLimit, .rate_limit = {{10, 5}}};
  rule.protocol = kProtocolTcp;
  MemoryBackend backend;
  ASSERT_TRUE(backend.Replace(*RuleSet::Create({.rules = {rule}}), At(0)).ok());
  int passed = 0;
  for (int i = 0; i < 1'000; ++i) {  // 100 packets/s for 10 s
    passed +=
        backend.Offer(From("203.0.113.9", At(0) + milliseconds(10 * i)), 60) == Decision::kAccept;
  }
  EXPECT_NEAR(passed, 5 + 100, 1);
  EXPECT_EQ(backend.Counters(At(10))->at(0).packets, 1'000U - static_cast<unsigned>(passed));
}

TEST(MemoryBackend, CountersOfRulesThatStayGoOn) {
  MemoryBackend backend;
  RuleSetParts parts = Blocking().parts();
  parts.sets[0].elements = {{P("203.0.113.9"), {}}};
  ASSERT_TRUE(backend.Replace(*RuleSet::Create(parts), At(0)).ok());
  backend.Offer(From("203.0.113.9", At(1)), 60);
  Rule other{.id = "other", .verdict = RuleVerdict::kDrop};
  other.protocol = kProtocolUdp;
  parts.rules.push_back(other);
  ASSERT_TRUE(backend.Replace(*RuleSet::Create(parts), At(2)).ok());
  EXPECT_EQ(backend.Counters(At(2))->at(0).packets, 1U);
  parts.rules[0].log = true;
  ASSERT_TRUE(backend.Replace(*RuleSet::Create(parts), At(3)).ok());
  EXPECT_EQ(backend.Counters(At(3))->at(0).packets, 0U);
}

TEST(MemoryBackend, RefusesElementsThatARuleSetWouldRefuse) {
  MemoryBackend backend;
  ASSERT_TRUE(backend.Replace(Blocking(), At(0)).ok());
  const SetElement elements[] = {{P("203.0.113.9"), {}}, {P("0.0.0.0/0"), {}}};
  EXPECT_EQ(backend.AddToSet("bad", elements, At(1)).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*backend.Current(At(1)), Blocking());
  EXPECT_EQ(backend.AddToSet("none", elements, At(1)).code(), absl::StatusCode::kNotFound);
}

TEST(AuditBackend, TellsWhatWouldChangeAndChangesNothing) {
  std::vector<std::string> heard;
  AuditBackend backend(std::make_unique<MemoryBackend>(),
                       [&](const RuleSetDiff& diff) { heard.push_back(diff.ToString()); });
  ASSERT_TRUE(backend.Replace(Blocking(), At(0)).ok());
  EXPECT_EQ(*backend.Current(At(0)), RuleSet());
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_EQ(heard[0], "+ rule blocked: drop in from set bad\n+ set bad (+0 -0 elements)\n");
  const SetElement elements[] = {{P("203.0.113.9"), {}}};
  // In truth there is no such set.
  EXPECT_EQ(backend.AddToSet("bad", elements, At(1)).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace nta
