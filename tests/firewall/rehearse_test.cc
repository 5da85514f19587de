#include "nta/firewall/rehearse.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"

namespace nta {
namespace {

using test::A;
using test::P;
using ::testing::HasSubstr;

FlowRecord Tcp(std::string_view from, std::string_view to, std::uint16_t port,
               TcpState state = TcpState::kClosed) {
  FlowRecord flow;
  flow.protocol = kProtocolTcp;
  flow.source = {A(from), 50'000};
  flow.destination = {A(to), port};
  flow.forward = {.packets = 5, .wire_bytes = 500};
  flow.reverse = {.packets = 4, .wire_bytes = 400};
  flow.tcp_state = state;
  return flow;
}

RehearsalResult Try(const RuleSetParts& parts, std::vector<FlowRecord> flows,
                    RehearsalOptions options = {}) {
  if (options.own_addresses.empty()) options.own_addresses = {A("192.0.2.1"), A("2001:db8::1")};
  const auto rules = RuleSet::Create(parts);
  EXPECT_TRUE(rules.ok()) << rules.status();
  const auto result = Rehearse(*rules, flows, options);
  EXPECT_TRUE(result.ok()) << result.status();
  return *result;
}

Rule DropFrom(std::string_view network) {
  Rule rule{.id = "drop", .verdict = RuleVerdict::kDrop};
  rule.source.prefixes = {P(network)};
  return rule;
}

TEST(Rehearse, CountsAndNamesWhatWouldHaveBeenCut) {
  for (const auto& [network, bad, good, own] :
       {std::tuple{"203.0.113.0/24", "203.0.113.9", "198.51.100.9", "192.0.2.1"},
        std::tuple{"2001:db8:bad::/48", "2001:db8:bad::9", "2001:db8:600d::9", "2001:db8::1"}}) {
    SCOPED_TRACE(network);
    const RehearsalResult result =
        Try({.rules = {DropFrom(network)}},
            {Tcp(bad, own, 22), Tcp(bad, own, 22), Tcp(bad, own, 80), Tcp(good, own, 22),
             // This machine began: the rule is of the other direction.
             Tcp(own, bad, 443)});
    EXPECT_EQ(result.examined, (RehearsalCount{5, 4'500}));
    EXPECT_EQ(result.cut, (RehearsalCount{3, 2'700}));
    EXPECT_EQ(result.passed, (RehearsalCount{2, 1'800}));
    EXPECT_EQ(result.hosts_cut, 1U);
    ASSERT_EQ(result.hosts.size(), 1U);
    EXPECT_EQ(result.hosts[0].address, A(bad));
    EXPECT_EQ(result.hosts[0].cut, result.cut);
    ASSERT_EQ(result.services.size(), 2U);
    EXPECT_EQ(result.services[0].port, 22);
    ASSERT_EQ(result.rules.size(), 1U);
    EXPECT_EQ(result.rules[0].rule_id, "drop");
    EXPECT_THAT(ToString(result), HasSubstr("Of 5 flows (4.5 kB), 3 flows (2.7 kB) would have been "
                                            "cut, of 1 host."));
  }
}

TEST(Rehearse, GuessesNoInterface) {
  Rule rule = DropFrom("203.0.113.0/24");
  rule.in_interface = "wan";
  const std::vector<FlowRecord> flows = {Tcp("203.0.113.9", "192.0.2.1", 22)};
  const RehearsalResult unknown = Try({.rules = {rule}}, flows);
  EXPECT_EQ(unknown.undecidable.flows, 1U);
  EXPECT_EQ(unknown.missing[5].flows, 1U);
  EXPECT_THAT(ToString(unknown), HasSubstr("not known: interface of 1"));
  EXPECT_EQ(Try({.rules = {rule}}, flows, {.interface = "wan"}).cut.flows, 1U);
  EXPECT_EQ(Try({.rules = {rule}}, flows, {.interface = "lan"}).passed.flows, 1U);
}

TEST(Rehearse, GuessesNotWhoBegan) {
  // The port is that of the side which the meter took for the source.
  FlowRecord flow = Tcp("192.0.2.1", "203.0.113.9", 50'000, TcpState::kMidstream);
  flow.source.port = 22;
  Rule rule{.id = "ssh", .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.destination_ports = {{22, 22}};
  const RehearsalResult result = Try({.rules = {rule}}, {flow});
  EXPECT_EQ(result.undecidable.flows, 1U);
  EXPECT_EQ(result.missing[6].flows, 1U) << ToString(result);
  // Whoever began, this one is cut.
  Rule both = DropFrom("203.0.113.0/24");
  Rule out{.id = "out", .direction = RuleDirection::kOut, .verdict = RuleVerdict::kDrop};
  out.destination.prefixes = {P("203.0.113.0/24")};
  EXPECT_EQ(Try({.rules = {both, out}}, {flow}).cut.flows, 1U);
}

TEST(Rehearse, GuessesNotWhoStandsBehindATranslation) {
  Rule rule{.id = "one", .direction = RuleDirection::kForward, .verdict = RuleVerdict::kDrop};
  rule.source.prefixes = {P("10.0.0.5")};
  const std::vector<FlowRecord> flows = {Tcp("192.0.2.1", "203.0.113.9", 443)};
  EXPECT_EQ(Try({.rules = {rule}}, flows).passed.flows, 1U);
  const RehearsalResult result =
      Try({.rules = {rule}}, flows, {.role = MachineRole::kRouter, .translated = {P("192.0.2.1")}});
  EXPECT_EQ(result.undecidable.flows, 1U);
  EXPECT_EQ(result.missing[1].flows, 1U) << ToString(result);
}

TEST(Rehearse, TrafficOfOthersIsForwardedOrElsewhereOrNotKnown) {
  Rule rule{.id = "fwd", .direction = RuleDirection::kForward, .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  const std::vector<FlowRecord> flows = {Tcp("10.0.0.5", "203.0.113.9", 443)};
  EXPECT_EQ(Try({.rules = {rule}}, flows, {.role = MachineRole::kRouter}).cut.flows, 1U);
  EXPECT_EQ(Try({.rules = {rule}}, flows, {.role = MachineRole::kHost}).elsewhere.flows, 1U);
  const RehearsalResult unknown = Try({.rules = {rule}}, flows);
  EXPECT_EQ(unknown.undecidable.flows, 1U);
  EXPECT_EQ(unknown.missing[0].flows, 1U);
}

TEST(Rehearse, ARuleForLaterPacketsCutsConnectionsThatHadThem) {
  Rule rule{.id = "old", .verdict = RuleVerdict::kDrop};
  rule.states = {ConnectionState::kEstablished};
  FlowRecord refused = Tcp("203.0.113.9", "192.0.2.1", 80);
  refused.reverse = {};
  const RehearsalResult result =
      Try({.rules = {rule}}, {Tcp("203.0.113.9", "192.0.2.1", 80), refused});
  EXPECT_EQ(result.cut.flows, 1U);
  EXPECT_EQ(result.passed.flows, 1U);
}

TEST(Rehearse, AnswersArePartOfTheFlowWhereTheyAreNotProtected) {
  Rule rule{.id = "answers", .direction = RuleDirection::kOut, .verdict = RuleVerdict::kDrop};
  rule.protocol = kProtocolTcp;
  rule.source_ports = {{80, 80}};
  RuleSetParts parts{.rules = {rule}};
  const std::vector<FlowRecord> flows = {Tcp("203.0.113.9", "192.0.2.1", 80)};
  EXPECT_EQ(Try(parts, flows).passed.flows, 1U);
  parts.protected_set.replies = false;
  EXPECT_EQ(Try(parts, flows).cut.flows, 1U);
}

TEST(Rehearse, TellsWhetherTheAdministratorWouldBeCutOff) {
  RehearsalOptions options;
  options.sessions = {{A("203.0.113.9"), {A("192.0.2.1"), 8080}}};
  RuleSetParts parts{.rules = {DropFrom("203.0.113.0/24")}};
  const RehearsalResult cut = Try(parts, {}, options);
  ASSERT_EQ(cut.sessions.size(), 1U);
  EXPECT_EQ(cut.sessions[0].decision, Decision::kDrop);
  EXPECT_THAT(ToString(cut), HasSubstr("WOULD BE CUT OFF by rule drop"));
  parts.protected_set.peers = {{P("203.0.113.9"), ProtectedRole::kAdministrator}};
  const RehearsalResult safe = Try(parts, {}, options);
  EXPECT_TRUE(safe.sessions[0].by_protected_set);
  EXPECT_THAT(ToString(safe), HasSubstr("is protected and goes on"));
}

TEST(Rehearse, TellsTheDifferenceToTheRulesInForce) {
  RehearsalOptions options;
  options.in_force = *RuleSet::Create({.rules = {DropFrom("198.51.100.0/24")}});
  const RehearsalResult result =
      Try({.rules = {DropFrom("203.0.113.0/24")}},
          {Tcp("203.0.113.9", "192.0.2.1", 80), Tcp("198.51.100.9", "192.0.2.1", 80),
           Tcp("10.0.0.1", "192.0.2.1", 80)},
          options);
  ASSERT_TRUE(result.difference);
  EXPECT_EQ(result.difference->newly_cut.flows, 1U);
  EXPECT_EQ(result.difference->newly_passed.flows, 1U);
  EXPECT_EQ(result.difference->unclear.flows, 0U);
}

TEST(Rehearse, MemoryForHostsHasACap) {
  std::vector<FlowRecord> flows;
  for (int i = 0; i < 50; ++i) {
    flows.push_back(Tcp("203.0.113." + std::to_string(i), "192.0.2.1", 80));
  }
  const RehearsalResult result =
      Try({.rules = {DropFrom("203.0.113.0/24")}}, flows, {.max_hosts = 10});
  EXPECT_EQ(result.cut.flows, 50U);
  EXPECT_EQ(result.hosts_cut, 10U);
  EXPECT_FALSE(result.hosts_complete);
  EXPECT_THAT(ToString(result), HasSubstr("of at least 10 hosts"));
}

TEST(Rehearse, RefusesColumnsThatDoNotFit) {
  auto rehearsal = Rehearsal::Create(RuleSet(), {});
  const std::uint64_t numbers[] = {6};
  EXPECT_EQ(rehearsal->Add({.protocol = numbers}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(Rehearsal::Create(RuleSet(), {.top = 1'001}).ok());
  EXPECT_FALSE(Rehearsal::Create(RuleSet(), {.interface = "a;b"}).ok());
}

// What happens to a flow, packet by packet, when everything is known.
enum class Truth { kPassed, kCut, kOpen };

class FlowOfPackets {
 public:
  explicit FlowOfPackets(test::RandomFirewall& random) : random_(random) {
    do {
      first_ = random.Packet();
    } while (first_.in_interface == "lo" || first_.out_interface == "lo" ||
             first_.direction == RuleDirection::kForward || first_.source == first_.destination);
    first_.state = ConnectionState::kNew;
    first_.is_reply = false;
    first_.time = Timestamp(std::chrono::seconds(10));
    flow_.protocol = first_.protocol;
    flow_.source = {*first_.source, first_.source_port.value_or(0)};
    flow_.destination = {*first_.destination, first_.destination_port.value_or(0)};
    if (flow_.source.port == 0 && flow_.destination.port == 0 && HasPorts(flow_.protocol)) {
      flow_.source.port = 9;
      first_.source_port = 9;
    }
    if (first_.icmp_type) {
      if (*first_.icmp_type < 5) first_.icmp_type = std::uint8_t{8};
      flow_.icmp = IcmpMessage{.type = *first_.icmp_type};
    }
    flow_.forward = {.packets = 1 + random.Below(3), .wire_bytes = 100};
    flow_.reverse = {.packets = random.Below(2), .wire_bytes = 50};
    flow_.tcp_state = random.Chance(80) ? TcpState::kEstablished : TcpState::kMidstream;
    // What the meter took for the source may be the other side, when it came too late.
    swapped_ = flow_.tcp_state == TcpState::kMidstream && flow_.protocol == kProtocolTcp &&
               random.Chance(50);
    if (swapped_) std::swap(flow_.source, flow_.destination);
    if (swapped_) flow_.forward.packets = flow_.reverse.packets = 2;
  }

  const FlowRecord& flow() const { return flow_; }
  IpAddress own() const {
    return first_.direction == RuleDirection::kIn ? *first_.destination : *first_.source;
  }

  Truth Under(const RuleSet& rules) const {
    std::vector<PacketFacts> packets = {first_};
    if (flow_.reverse.packets > 0 && flow_.forward.packets > 1) {
      packets.push_back(first_);
      packets.back().state = ConnectionState::kEstablished;
    }
    if (flow_.reverse.packets > 0) packets.push_back(Reply());
    Truth truth = Truth::kPassed;
    for (const PacketFacts& packet : packets) {
      const Decision decision = Evaluate(rules, packet).decision;
      if (decision == Decision::kDrop || decision == Decision::kReject) {
        return truth == Truth::kOpen ? truth : Truth::kCut;
      }
      if (decision == Decision::kUndecidable) truth = Truth::kOpen;
    }
    return truth;
  }

 private:
  PacketFacts Reply() const {
    PacketFacts reply = first_;
    reply.direction =
        first_.direction == RuleDirection::kIn ? RuleDirection::kOut : RuleDirection::kIn;
    std::swap(reply.source, reply.destination);
    std::swap(reply.source_port, reply.destination_port);
    std::swap(reply.in_interface, reply.out_interface);
    reply.state = ConnectionState::kEstablished;
    reply.is_reply = true;
    return reply;
  }

  test::RandomFirewall& random_;
  PacketFacts first_;
  FlowRecord flow_;
  bool swapped_ = false;
};

// Two ways to the same verdict: packet by packet with Evaluate(), which knows everything, and
// through the tables, which know what a flow tells.
TEST(Rehearse, ADefiniteVerdictIsWhatHappensToThePackets) {
  const std::size_t count = test::CountFromEnvironment("NTA_RANDOM_RULE_SETS", 300);
  std::size_t verdicts[3] = {};
  for (std::size_t seed = 0; seed < count; ++seed) {
    test::RandomFirewall random(seed);
    const RuleSet rules = random.Rules(80);
    for (int i = 0; i < 4; ++i) {
      const FlowOfPackets packets(random);
      auto rehearsal = Rehearsal::Create(
          rules, {.own_addresses = {packets.own()}, .now = Timestamp(std::chrono::seconds(10))});
      rehearsal->Add(std::span(&packets.flow(), 1));
      const RehearsalResult result = rehearsal->Finish();
      const Truth truth = packets.Under(rules);
      SCOPED_TRACE("seed " + std::to_string(seed) + " flow " + std::to_string(i) + " " +
                   packets.flow().five_tuple().ToString());
      if (result.passed.flows == 1) {
        ++verdicts[0];
        ASSERT_EQ(truth, Truth::kPassed);
      } else if (result.cut.flows == 1) {
        ++verdicts[1];
        ASSERT_NE(truth, Truth::kPassed);
      } else {
        ++verdicts[2];
        ASSERT_EQ(result.undecidable.flows, 1U);
      }
    }
  }
  for (const std::size_t verdict : verdicts) EXPECT_GT(verdict, count / 10);
}

// With nothing that a flow cannot tell there is nothing undecidable.
TEST(Rehearse, DecidesEveryFlowWhereTheRulesAskOnlyForWhatAFlowTells) {
  std::size_t cut = 0;
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    test::RandomFirewall random(seed);
    RuleSetParts parts = random.Parts(150);
    std::erase_if(parts.rules, [](const Rule& rule) {
      return rule.in_interface || rule.out_interface || rule.verdict == RuleVerdict::kRateLimit;
    });
    const RuleSet rules = *RuleSet::Create(parts);
    for (int i = 0; i < 3; ++i) {
      const FlowOfPackets packets(random);
      if (packets.flow().tcp_state == TcpState::kMidstream) continue;
      const auto result =
          Rehearse(rules, std::span(&packets.flow(), 1),
                   {.own_addresses = {packets.own()}, .now = Timestamp(std::chrono::seconds(10))});
      ASSERT_EQ(result->undecidable.flows, 0U) << seed << ToString(*result);
      ASSERT_EQ(result->cut.flows == 1, packets.Under(rules) == Truth::kCut) << seed;
      cut += result->cut.flows;
    }
  }
  EXPECT_GT(cut, 50U);
}

}  // namespace
}  // namespace nta
