// Response: from an alert to a block, and back.
#include "nta/firewall/response.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall/random_rules.h"

namespace nta::test {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp kStart{std::chrono::seconds(1'800'000'000)};

ResponseSubject BruteForce(std::string_view offender = "203.0.113.9") {
  return {.alert_id = "alert-1",
          .alert_class = "brute_force",
          .offender = A(offender),
          .protocol = kProtocolTcp,
          .port = 22,
          .packets_per_second = 40};
}

PacketFacts In(std::string_view source, std::uint8_t protocol, std::uint16_t port, Timestamp time) {
  return {.direction = RuleDirection::kIn,
          .source = A(source),
          .destination = A("192.0.2.1"),
          .protocol = protocol,
          .source_port = 5000,
          .destination_port = port,
          .in_interface = "eth0",
          .out_interface = "",
          .state = ConnectionState::kNew,
          .is_reply = false,
          .time = time};
}

TEST(Response, PolicyOfTheClassDecides) {
  MemoryBackend backend;
  Response response(backend, {.policies = {{"brute_force", ResponsePolicy::kAutomatic},
                                           {"beacon", ResponsePolicy::kOff}}});
  ResponseSubject subject = BruteForce();
  subject.alert_class = "beacon";
  EXPECT_EQ(response.Handle(subject, kStart)->act, ResponseAct::kNothing);
  subject.alert_class = "port_scan";
  const auto proposed = response.Handle(subject, kStart);
  ASSERT_TRUE(proposed.ok());
  EXPECT_EQ(proposed->act, ResponseAct::kProposed);
  EXPECT_TRUE(response.blocks().empty());
  subject.alert_class = "brute_force";
  const auto blocked = response.Handle(subject, kStart);
  ASSERT_TRUE(blocked.ok());
  EXPECT_EQ(blocked->act, ResponseAct::kBlocked);
  EXPECT_EQ(blocked->block->author, "response");
  EXPECT_EQ(blocked->block->alert_id, "alert-1");
  EXPECT_EQ(*blocked->block->until, kStart + minutes(10));
}

TEST(Response, NarrowestScopeIsCutAndNothingElse) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic});
  ASSERT_EQ(response.Handle(BruteForce(), kStart)->block->id, "203.0.113.9 tcp port 22");
  const auto decide = [&](std::string_view source, std::uint8_t protocol, std::uint16_t port) {
    return backend.Offer(In(source, protocol, port, kStart), 60);
  };
  EXPECT_EQ(decide("203.0.113.9", kProtocolTcp, 22), Decision::kDrop);
  EXPECT_EQ(decide("203.0.113.9", kProtocolTcp, 80), Decision::kAccept);
  EXPECT_EQ(decide("203.0.113.9", kProtocolUdp, 22), Decision::kAccept);
  EXPECT_EQ(decide("203.0.113.8", kProtocolTcp, 22), Decision::kAccept);
  ResponseSubject scan = BruteForce();
  scan.alert_id = "alert-2";
  scan.port.reset();
  scan.protocol.reset();
  ASSERT_EQ(response.Handle(scan, kStart)->block->id, "203.0.113.9");
  EXPECT_EQ(decide("203.0.113.9", kProtocolUdp, 53), Decision::kDrop);
  EXPECT_EQ(response.BlocksOf(A("203.0.113.9")).size(), 2U);
  ASSERT_TRUE(response.Unblock(A("203.0.113.9"), kStart).ok());
  EXPECT_EQ(decide("203.0.113.9", kProtocolTcp, 22), Decision::kAccept);
}

TEST(Response, ForgeableSourcesAreOnlyProposed) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic});
  ResponseSubject one_way = BruteForce();
  one_way.is_one_way = true;
  for (const std::string name : {"brute_force", "syn_flood", "udp_flood", "amplification"}) {
    ResponseSubject subject = name == "brute_force" ? one_way : BruteForce();
    subject.alert_class = name;
    const auto answer = response.Handle(subject, kStart);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->act, ResponseAct::kProposed) << name;
    EXPECT_FALSE(answer->proposal->may_be_automatic);
  }
  EXPECT_TRUE(response.blocks().empty());
  // A person may still say so.
  const auto proposal = response.Propose(one_way, kStart);
  ASSERT_TRUE(proposal.ok());
  EXPECT_TRUE(response.Accept(*proposal, "anna", kStart).ok());
}

TEST(Response, SpoofedFloodOfManySourcesBlocksNobody) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic});
  for (int i = 1; i < 200; ++i) {
    ResponseSubject subject = BruteForce();
    subject.offender = IpAddress::V4(198, 51, 100, static_cast<std::uint8_t>(i));
    subject.alert_class = "syn_flood";
    subject.is_one_way = true;
    ASSERT_TRUE(response.Handle(subject, kStart).ok());
  }
  EXPECT_TRUE(response.blocks().empty());
}

TEST(Response, AllowedAndProtectedAddressesAreNeverBlocked) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic,
                              .allow_list = {P("203.0.113.0/24"), P("2001:db8::/32")}});
  ProtectedSet safe;
  safe.peers = {{P("192.0.2.53"), ProtectedRole::kResolver}};
  response.SetProtectedSet(safe);
  for (const std::string_view address : {"203.0.113.9", "2001:db8::9", "192.0.2.53"}) {
    const auto answer = response.Handle(BruteForce(address), kStart);
    ASSERT_TRUE(answer.ok());
    EXPECT_EQ(answer->act, ResponseAct::kNothing) << answer->reason;
    EXPECT_EQ(response.Block({.address = A(address)}, kStart).status().code(),
              absl::StatusCode::kFailedPrecondition);
    EXPECT_FALSE(response.Propose(BruteForce(address), kStart).ok());
  }
  for (const std::string_view address :
       {"0.0.0.0", "::", "224.0.0.1", "ff02::1", "127.0.0.1", "::1"}) {
    EXPECT_EQ(response.Block({.address = A(address)}, kStart).status().code(),
              absl::StatusCode::kInvalidArgument)
        << address;
  }
  EXPECT_EQ(
      response.Block({.address = A("198.51.100.1"), .ttl = seconds(0)}, kStart).status().code(),
      absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(response.Block({.address = A("198.51.100.1"), .scope = {.port = 7}}, kStart).ok());
}

TEST(Response, TrafficThatIsCutLeadsToNothingNew) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic});
  ASSERT_EQ(response.Handle(BruteForce(), kStart)->act, ResponseAct::kBlocked);
  const auto again = response.Handle(BruteForce(), kStart + seconds(1));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->act, ResponseAct::kNothing);
  EXPECT_EQ(*response.blocks()[0].until, kStart + minutes(10)) << "it is not drawn out";
  const FiveTuple cut{.source = {A("203.0.113.9"), 5000},
                      .destination = {A("192.0.2.1"), 22},
                      .protocol = kProtocolTcp};
  FiveTuple other = cut;
  other.destination.port = 80;
  EXPECT_TRUE(response.IsCut(cut, kStart));
  EXPECT_FALSE(response.IsCut(other, kStart));
  EXPECT_FALSE(response.IsCut(cut, kStart + minutes(11)));
  ASSERT_TRUE(response.Block({.address = A("203.0.113.9")}, kStart).ok());
  EXPECT_TRUE(response.IsCut(other, kStart));
  EXPECT_TRUE(response.IsCut(other.Reversed(), kStart));
}

TEST(Response, WhatIsCutIsKnownForAWhileAndOnlyIfTheBlockStandsInItsWay) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic});
  const FiveTuple cut{.source = {A("203.0.113.9"), 5000},
                      .destination = {A("192.0.2.1"), 22},
                      .protocol = kProtocolTcp};
  EXPECT_FALSE(response.MayBeCut());
  EXPECT_FALSE(response.IsCut(cut, kStart));
  ASSERT_EQ(response.Handle(BruteForce(), kStart)->act, ResponseAct::kBlocked);
  EXPECT_TRUE(response.MayBeCut());
  EXPECT_FALSE(response.IsCut(cut, kStart - seconds(1))) << "before it";
  // Nothing was counted: where this comes along, nobody cuts it.
  EXPECT_TRUE(response.IsCut(cut, kStart + seconds(29)));
  EXPECT_FALSE(response.IsCut(cut, kStart + seconds(30)));
  ASSERT_EQ(backend.Offer(In("203.0.113.9", kProtocolTcp, 22, kStart), 60), Decision::kDrop);
  ASSERT_TRUE(response.AdvanceTo(kStart + seconds(40)).ok());
  EXPECT_TRUE(response.IsCut(cut, kStart + seconds(30)));
  EXPECT_TRUE(response.IsCut(cut, kStart + minutes(4)));
  // A flow that was cut ends when the block is long over.
  ASSERT_TRUE(response.Unblock(A("203.0.113.9"), kStart + minutes(5)).ok());
  EXPECT_TRUE(response.IsCut(cut, kStart + minutes(4)));
  EXPECT_FALSE(response.IsCut(cut, kStart + minutes(5)));
  ASSERT_TRUE(response.Block({.address = A("198.51.100.1")}, kStart + minutes(70)).ok());
  EXPECT_FALSE(response.IsCut(cut, kStart + minutes(4))) << "an hour later it is forgotten";
}

TEST(Response, NothingIsDoneThatItsUserCannotNote) {
  MemoryBackend backend;
  bool fails = true;
  std::vector<std::string> noted;
  const auto note = [&](const std::string& what) {
    if (fails) return absl::UnavailableError("the disk is full");
    noted.push_back(what);
    return absl::OkStatus();
  };
  Response response(backend,
                    {.before_block = [&](const ActiveBlock& block) { return note("+" + block.id); },
                     .before_end =
                         [&](const ActiveBlock& block, BlockEnd end) {
                           return note(block.id + " " + std::string(ToString(end)));
                         }});
  const BlockRequest request{.address = A("198.51.100.1"), .ttl = seconds(60)};
  EXPECT_FALSE(response.Block(request, kStart).ok());
  EXPECT_EQ(backend.Offer(In("198.51.100.1", kProtocolTcp, 1, kStart), 60), Decision::kAccept);
  fails = false;
  ASSERT_TRUE(response.Block(request, kStart).ok());
  fails = true;
  EXPECT_FALSE(response.Unblock(request.address, kStart).ok());
  EXPECT_EQ(backend.Offer(In("198.51.100.1", kProtocolTcp, 1, kStart), 60), Decision::kDrop);
  EXPECT_EQ(response.blocks().size(), 1U);
  fails = false;
  ASSERT_TRUE(response.AdvanceTo(kStart + seconds(60)).ok());
  EXPECT_EQ(noted, (std::vector<std::string>{"+198.51.100.1", "198.51.100.1 expired"}));
}

TEST(Response, ComingBackLastsTwiceAsLongUntilTheMaximum) {
  MemoryBackend backend;
  Response response(backend, {.default_policy = ResponsePolicy::kAutomatic,
                              .ttl = minutes(10),
                              .max_ttl = minutes(35),
                              .lift_after = Duration(0)});
  Timestamp now = kStart;
  for (const int expected : {10, 20, 35, 35}) {
    ASSERT_EQ(response.Handle(BruteForce(), now)->act, ResponseAct::kBlocked);
    EXPECT_EQ(*response.blocks()[0].until - now, minutes(expected));
    now += minutes(expected);
    const auto ended = response.AdvanceTo(now);
    ASSERT_TRUE(ended.ok());
    ASSERT_EQ(ended->size(), 1U);
    EXPECT_EQ((*ended)[0].end, BlockEnd::kExpired);
    EXPECT_TRUE(response.blocks().empty());
  }
}

// Counts what it is told to.
class CountingBackend final : public FirewallBackend {
 public:
  std::string_view name() const override { return "counting"; }
  absl::StatusOr<RuleSet> Current(Timestamp now) override { return inner_.Current(now); }
  absl::Status Replace(const RuleSet& rules, Timestamp now) override {
    return inner_.Replace(rules, now);
  }
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override {
    return inner_.Counters(now);
  }
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override {
    return fails ? absl::UnavailableError("no kernel") : inner_.AddToSet(set, elements, now);
  }
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override {
    return inner_.RemoveFromSet(set, prefixes, now);
  }
  absl::StatusOr<std::vector<ElementCounters>> CountersOf(std::string_view,
                                                          std::span<const IpAddress> addresses,
                                                          Timestamp) override {
    std::vector<ElementCounters> all;
    for (const IpAddress& address : addresses) {
      all.push_back({.address = address, .packets = packets, .bytes = 60 * packets});
    }
    return all;
  }

  std::uint64_t packets = 0;
  bool fails = false;

 private:
  MemoryBackend inner_;
};

TEST(Response, EffectIsMeasuredAndABlockIsLiftedWhenTheAttackIsOver) {
  CountingBackend backend;
  Response response(
      backend,
      {.default_policy = ResponsePolicy::kAutomatic, .ttl = minutes(60), .lift_after = minutes(5)});
  ASSERT_TRUE(response.Handle(BruteForce(), kStart).ok());
  ASSERT_TRUE(response.Block({.address = A("198.51.100.1"), .ttl = std::nullopt}, kStart).ok());
  backend.packets = 300;
  ASSERT_TRUE(response.AdvanceTo(kStart + seconds(10)).ok());
  BlockEffect effect = response.BlocksOf(A("203.0.113.9"))[0].effect;
  EXPECT_EQ(effect.packets, 300U);
  EXPECT_EQ(effect.bytes, 18'000U);
  EXPECT_DOUBLE_EQ(effect.packets_per_second_before, 40);
  EXPECT_DOUBLE_EQ(effect.packets_per_second_now, 30);
  EXPECT_EQ(effect.last_hit, kStart + seconds(10));
  // The element was made anew: it counts from 0 again, and nothing is lost.
  backend.packets = 7;
  ASSERT_TRUE(response.AdvanceTo(kStart + seconds(20)).ok());
  EXPECT_EQ(response.BlocksOf(A("203.0.113.9"))[0].effect.packets, 307U);
  EXPECT_TRUE(response.AdvanceTo(kStart + seconds(20) + minutes(4))->empty());
  const auto ended = response.AdvanceTo(kStart + seconds(20) + minutes(5));
  ASSERT_TRUE(ended.ok());
  ASSERT_EQ(ended->size(), 1U);
  EXPECT_EQ((*ended)[0].end, BlockEnd::kOver);
  EXPECT_EQ((*ended)[0].block.effect.packets, 307U);
  // What somebody asked for stays until they lift it.
  EXPECT_EQ(response.blocks().size(), 1U);
  EXPECT_EQ(backend.Current(kStart)->FindSet("blocked")->elements.size(), 1U);
}

TEST(Response, WhatTheBackendRefusesIsNotRemembered) {
  CountingBackend backend;
  Response response(backend, {});
  backend.fails = true;
  EXPECT_EQ(response.Block({.address = A("198.51.100.1")}, kStart).status().code(),
            absl::StatusCode::kUnavailable);
  EXPECT_TRUE(response.blocks().empty());
}

TEST(Response, NumbersOfBlocksAndScopesAreBounded) {
  MemoryBackend backend;
  Response response(
      backend, {.default_policy = ResponsePolicy::kAutomatic, .max_blocks = 3, .max_scopes = 2});
  ASSERT_TRUE(response.Handle(BruteForce("203.0.113.1"), kStart).ok());
  ResponseSubject web = BruteForce("203.0.113.2");
  web.port = 80;
  EXPECT_EQ(response.Handle(web, kStart)->block->scope, BlockScope()) << "all of it, then";
  EXPECT_EQ(
      response.Block({.address = A("203.0.113.3"), .scope = {.protocol = kProtocolUdp}}, kStart)
          .status()
          .code(),
      absl::StatusCode::kResourceExhausted);
  ASSERT_TRUE(response.Block({.address = A("203.0.113.3")}, kStart).ok());
  EXPECT_EQ(response.Block({.address = A("203.0.113.4")}, kStart).status().code(),
            absl::StatusCode::kResourceExhausted);
}

TEST(Response, RulesOfOthersStayBehindTheBlocks) {
  MemoryBackend backend;
  Rule accept{.id = "all", .verdict = RuleVerdict::kAccept};
  RuleSetParts parts{.rules = {accept}};
  ASSERT_TRUE(backend.Replace(*RuleSet::Create(parts), kStart).ok());
  Response response(backend, {});
  ASSERT_TRUE(response.Block({.address = A("203.0.113.1")}, kStart).ok());
  const RuleSet current = *backend.Current(kStart);
  EXPECT_EQ(current.rules().back().id, "all");
  EXPECT_EQ(current.rules().size(), 5U);
  // Composed again from what is in force, nothing doubles.
  EXPECT_EQ(*response.Desired(current, kStart), current);
  const auto proposal = response.Propose(BruteForce(), kStart);
  const auto with = response.RulesWith(current, *proposal, kStart);
  ASSERT_TRUE(with.ok());
  EXPECT_EQ(Evaluate(*with, In("203.0.113.9", kProtocolTcp, 22, kStart)).decision, Decision::kDrop);
  EXPECT_EQ(Evaluate(current, In("203.0.113.9", kProtocolTcp, 22, kStart)).decision,
            Decision::kAccept);
}

TEST(Response, BlocksSurviveAsJson) {
  MemoryBackend backend;
  Response response(backend, {});
  const auto proposal = response.Propose(BruteForce(), kStart);
  ASSERT_TRUE(response.Accept(*proposal, "anna", kStart).ok());
  ASSERT_TRUE(
      response
          .Block({.address = A("2001:db8::1"), .ttl = std::nullopt, .reason = "bad \"people\"\n"},
                 kStart)
          .ok());
  Response later(backend, {});
  std::vector<ActiveBlock> read;
  for (const ActiveBlock& block : response.blocks()) {
    const auto one = ActiveBlockFromJson(ToJson(block));
    ASSERT_TRUE(one.ok()) << one.status();
    EXPECT_EQ(*one, block);
    read.push_back(*one);
  }
  later.Restore(read, kStart);
  EXPECT_EQ(later.blocks(), response.blocks());
  later.Restore({}, kStart);
  Response much_later(backend, {});
  much_later.Restore(read, kStart + minutes(20));
  EXPECT_EQ(much_later.blocks().size(), 1U);
  for (const std::string_view text : {"", "{}", "{\"address\": 7}", "{\"address\": \"x\"}",
                                      "{\"address\": \"10.0.0.1\", \"scope\": {\"port\": 7}}",
                                      "{\"address\": \"10.0.0.1\", \"more\": 7}"}) {
    EXPECT_FALSE(ActiveBlockFromJson(text).ok()) << text;
  }
  EXPECT_THAT(ToJson(*proposal), testing::HasSubstr("\"brute_force\""));
}

}  // namespace
}  // namespace nta::test
