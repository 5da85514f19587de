// Blocks through REST and from alerts: what is cut, what is kept, what is recorded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "firewall_fixture.h"

namespace nta::server {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kAlert = R"({"alert_id":"brute_force-000001"})";

class FirewallBlocksTest : public FirewallTest {
 protected:
  void Policy(std::string_view policy) {
    ASSERT_EQ(Call("PUT", "/api/v1/firewall/policies", admin_,
                   R"({"policies":{"brute_force":")" + std::string(policy) + "\"}}")
                  .status,
              204);
  }
  void StoreAlert() { ASSERT_TRUE(store_->Write({}, std::vector<Alert>{BruteForce(wall_)}).ok()); }
  std::size_t Documents() {
    return store_->Documents({.kind = "firewall_block", .limit = 10})->documents.size();
  }
  void Tick() { services_->firewall->Tick(); }
};

TEST_F(FirewallBlocksTest, CutsOnlyTheProtocolAndPortThatWereSaid) {
  const Response blocked = Block(R"({"address":"203.0.113.9","protocol":"tcp","port":22})");
  ASSERT_EQ(blocked.status, 201) << blocked.body;
  EXPECT_THAT(blocked.body, HasSubstr(R"("scope":{"protocol":"tcp","port":22})"));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kDrop);
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kAccept);
  EXPECT_EQ(Block(R"({"address":"203.0.113.9","port":22})").status, 400);
  EXPECT_EQ(Block(R"({"address":"203.0.113.9","protocol":"icmp","port":22})").status, 400);
  EXPECT_EQ(Block(R"({"address":"203.0.113.9","protocol":"tcp","port":70000})").status, 400);
  EXPECT_EQ(Block(R"({"address":"203.0.113.9","protocol":"tcp; accept"})").status, 400);
  EXPECT_EQ(Block(R"({"seconds":60})").status, 400) << "of whom?";
  ASSERT_EQ(Block(R"({"address":"203.0.113.9","protocol":"any"})").status, 201);
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kDrop);
}

TEST_F(FirewallBlocksTest, TakesWhomAndHowMuchFromTheAlert) {
  StoreAlert();
  EXPECT_EQ(Block(R"({"alert_id":"nothing-1"})").status, 404);
  const Response blocked = Block(kAlert);
  ASSERT_EQ(blocked.status, 201) << blocked.body;
  EXPECT_THAT(blocked.body, HasSubstr(R"("id":"203.0.113.9 tcp port 22")"));
  EXPECT_THAT(blocked.body, HasSubstr(R"("alert_id":"brute_force-000001")"));
  EXPECT_THAT(blocked.body, HasSubstr(R"("ends_when_over":true)"));
  EXPECT_THAT(blocked.audit, testing::Contains(testing::Pair("target", "203.0.113.9 tcp port 22")));
  EXPECT_THAT(blocked.audit, testing::Contains(testing::Pair("alert", "brute_force-000001")));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kDrop);
  EXPECT_EQ(Offered("203.0.113.9", 443), Decision::kAccept);
  // Whoever says how long and how much is heard.
  const Response all =
      Block(R"({"alert_id":"brute_force-000001","protocol":"any","seconds":3600})");
  EXPECT_THAT(all.body, HasSubstr(R"("id":"203.0.113.9")"));
  EXPECT_THAT(all.body, HasSubstr(R"("ends_when_over":false)"));
}

TEST_F(FirewallBlocksTest, ActsThatNobodyAskedForAreRecordedBeforeTheyAreDone) {
  Policy("automatic");
  audit_fails_ = true;
  services_->firewall->OnAlert(BruteForce(wall_));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kAccept) << "no record, no block";
  EXPECT_EQ(Documents(), 0U);
  audit_fails_ = false;
  services_->firewall->OnAlert(BruteForce(wall_));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kDrop);
  Tick();
  // The attack is over: lifted, unless that cannot be recorded.
  Pass(minutes(6));
  audit_fails_ = true;
  Tick();
  EXPECT_EQ(Documents(), 1U);
  EXPECT_EQ(services_->firewall->Blocks().size(), 1U);
  audit_fails_ = false;
  Tick();
  EXPECT_EQ(Documents(), 0U);
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kAccept);
  EXPECT_THAT(acts_, ElementsAre("firewall.block 203.0.113.9 tcp port 22",
                                 "firewall.lift 203.0.113.9 tcp port 22"));
  acts_.clear();
  ASSERT_EQ(Block(R"({"address":"198.51.100.1","seconds":60})").status, 201);
  Pass(minutes(2));
  Tick();
  EXPECT_THAT(acts_, ElementsAre("firewall.block 198.51.100.1", "firewall.expire 198.51.100.1"));
}

TEST_F(FirewallBlocksTest, ChangesAreRecordedWithWhatTheyChange) {
  std::string details;
  firewall_options_.audit = [&](const FirewallAct& act) {
    details += act.act + "\n";
    for (const auto& [name, value] : act.details) details += name + "=" + value + "\n";
    return absl::OkStatus();
  };
  Restart(Generous());
  const std::string admin = SignIn("admin").access;
  Call("POST", kRules, admin, kTelnet);
  const std::string body =
      R"({"confirm_within_seconds":30,"password":)" + JsonQuote(kPassword) + "}";
  ASSERT_EQ(Call("POST", "/api/v1/firewall/apply", admin, body).status, 200);
  EXPECT_THAT(details, HasSubstr("firewall.change.apply\ntaken_back_at="));
  EXPECT_THAT(details, HasSubstr("+ rule no-telnet: drop in tcp to port 23"));
  Pass(seconds(31));
  Tick();
  EXPECT_THAT(details, HasSubstr("firewall.change.roll_back\ncause=not_confirmed"));
}

TEST_F(FirewallBlocksTest, ABlockThatIsMadeAgainWithinATickIsKept) {
  constexpr std::string_view kBody = R"({"address":"203.0.113.9"})";
  ASSERT_EQ(Block(kBody).status, 201);
  ASSERT_EQ(Call("POST", "/api/v1/firewall/unblock", admin_, kBody).status, 204);
  EXPECT_EQ(Documents(), 0U);
  ASSERT_EQ(Block(kBody).status, 201);
  Tick();
  EXPECT_EQ(Documents(), 1U);
  Restart(Generous());
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kDrop);
}

TEST_F(FirewallBlocksTest, ProposalsAreRehearsedAndMayBeTurnedDown) {
  FlowRecord flow;
  flow.first_seen = flow.last_seen = wall_ - std::chrono::hours(1);
  flow.protocol = kProtocolTcp;
  flow.source = {*IpAddress::Parse("203.0.113.9"), 50'000};
  flow.destination = {*IpAddress::Parse("192.0.2.80"), 22};
  flow.forward = {.packets = 3, .wire_bytes = 180};
  flow.tcp_state = TcpState::kClosed;
  ASSERT_TRUE(store_->Write(std::vector<FlowRecord>{flow}, {}).ok());
  FirewallDesk& desk = *services_->firewall;
  const TimeInterval day{wall_ - std::chrono::hours(24), wall_};
  EXPECT_FALSE(desk.RehearseProposal(day, {}));
  desk.OnAlert(BruteForce(wall_));
  const auto proposals = [&] { return Call("GET", "/api/v1/firewall/proposals", operator_).body; };
  EXPECT_THAT(proposals(), HasSubstr(R"("rehearsal":null)"));
  EXPECT_TRUE(desk.RehearseProposal(day, {}));
  EXPECT_FALSE(desk.RehearseProposal(day, {}));
  EXPECT_THAT(proposals(), HasSubstr(R"("cut":{"flows":1,"bytes":180})"));
  desk.OnAlert(BruteForce(wall_ + seconds(1)));
  EXPECT_THAT(proposals(), HasSubstr(R"("cut":{"flows":1,"bytes":180})")) << "it is kept";
  EXPECT_EQ(Call("POST", "/api/v1/firewall/dismiss", operator_, kAlert).status, 204);
  EXPECT_EQ(Call("POST", "/api/v1/firewall/dismiss", operator_, kAlert).status, 404);
  EXPECT_THAT(proposals(), HasSubstr(R"("proposals":[])"));
}

TEST_F(FirewallBlocksTest, WhoIsAllowedIsNeverBlocked) {
  ASSERT_EQ(Block(R"({"address":"203.0.113.9"})").status, 201);
  const auto allow = [&](std::string_view networks) {
    return Call("PUT", "/api/v1/firewall/allow-list", admin_,
                R"({"networks":)" + std::string(networks) + "}")
        .status;
  };
  EXPECT_EQ(allow(R"(["203.0.113.0/33"])"), 400);
  EXPECT_EQ(allow(R"([7])"), 400);
  EXPECT_EQ(allow(R"(["203.0.113.0/24","2001:db8:a::/48"])"), 204);
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kAccept) << "its block is lifted";
  EXPECT_EQ(Block(R"({"address":"203.0.113.9"})").status, 409);
  Restart(Generous());
  admin_ = SignIn("admin").access;
  EXPECT_EQ(Block(R"({"address":"2001:db8:a::1"})").status, 409);
  EXPECT_THAT(Call("GET", "/api/v1/firewall/allow-list", admin_).body,
              HasSubstr(R"({"networks":["203.0.113.0/24","2001:db8:a::/48"]})"));
}

TEST_F(FirewallBlocksTest, SaysWhichClassesMayNeverBlockUnasked) {
  const std::string body = Call("GET", "/api/v1/firewall/policies", operator_).body;
  EXPECT_THAT(body, HasSubstr(R"({"class":"brute_force","may_be_automatic":true,"reason":""})"));
  EXPECT_THAT(body, HasSubstr(R"({"class":"syn_flood","may_be_automatic":false,"reason":"its so)"));
  EXPECT_THAT(body, HasSubstr(R"({"class":"port_scan","may_be_automatic":false,"reason":"noth)"));
}

TEST_F(FirewallBlocksTest, WhatARuleDropsAnywayLeadsToNoBlock) {
  Policy("automatic");
  Call("POST", kRules, operator_,
       R"({"rule":{"id":"no-ssh","direction":"in","verdict":"drop","protocol":"tcp",)"
       R"("destination_ports":[22]}})");
  const std::string token = TextMember(Apply().body, "token");
  NewConnection();
  ASSERT_EQ(Confirm(token).status, 204);
  Pass(seconds(3));
  Tick();
  services_->firewall->OnAlert(BruteForce(wall_));
  EXPECT_THAT(services_->firewall->Blocks(), IsEmpty());
  // Of others' traffic it is not known whether it comes through here.
  Alert elsewhere = BruteForce(wall_);
  elsewhere.entity.destination = *IpAddress::Parse("198.51.100.80");
  services_->firewall->OnAlert(elsewhere);
  EXPECT_EQ(services_->firewall->Blocks().size(), 1U);
}

TEST_F(FirewallBlocksTest, OwnRulesOfBlocksAreNobodysProblem) {
  Call("POST", kRules, operator_,
       R"({"rule":{"id":"one","direction":"in","verdict":"drop","source":["203.0.113.9"]}})");
  ASSERT_EQ(Block(R"({"address":"203.0.113.9"})").status, 201);
  Pass(minutes(1));
  EXPECT_THAT(Get().body, HasSubstr(R"("findings":[])"));
}

// A kernel that refuses when it is told to.
class RefusingBackend final : public FirewallBackend {
 public:
  explicit RefusingBackend(const bool& refuses) : refuses_(refuses) {}
  std::string_view name() const override { return "refusing"; }
  absl::StatusOr<RuleSet> Current(Timestamp now) override { return inner_.Current(now); }
  absl::Status Replace(const RuleSet& rules, Timestamp now) override {
    return refuses_ ? Refusal() : inner_.Replace(rules, now);
  }
  absl::StatusOr<std::vector<RuleCounters>> Counters(Timestamp now) override {
    return inner_.Counters(now);
  }
  absl::Status AddToSet(std::string_view set, std::span<const SetElement> elements,
                        Timestamp now) override {
    return refuses_ ? Refusal() : inner_.AddToSet(set, elements, now);
  }
  absl::Status RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                             Timestamp now) override {
    return refuses_ ? Refusal() : inner_.RemoveFromSet(set, prefixes, now);
  }

 private:
  static absl::Status Refusal() { return absl::UnavailableError("the kernel is out of memory"); }
  const bool& refuses_;
  MemoryBackend inner_;
};

TEST_F(FirewallBlocksTest, WhatTheKernelRefusesIsNotInTheStoreEither) {
  bool refuses = false;
  services_->firewall = *FirewallDesk::Open(
      *store_, services_->clock, std::make_unique<RefusingBackend>(refuses), firewall_options_);
  ASSERT_EQ(Block(R"({"address":"203.0.113.9","seconds":600})").status, 201);
  refuses = true;
  const Response refused = Block(R"({"address":"203.0.113.10"})");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("the kernel is out of memory"));
  EXPECT_EQ(Documents(), 1U);
  // A block that was to take a new end has its old one.
  EXPECT_EQ(Block(R"({"address":"203.0.113.9","seconds":86400})").status, 503);
  const std::string until = nta::ToString(wall_ + seconds(600));
  EXPECT_THAT(store_->GetDocument("firewall_block", "203.0.113.9")->body, HasSubstr(until));
  // What cannot be lifted stands, and is known to.
  EXPECT_EQ(Call("POST", "/api/v1/firewall/unblock", admin_, R"({"address":"203.0.113.9"})").status,
            503);
  EXPECT_EQ(Documents(), 1U);
  EXPECT_THAT(Effect().body, HasSubstr("203.0.113.9"));
  refuses = false;
  EXPECT_EQ(Call("POST", "/api/v1/firewall/unblock", admin_, R"({"address":"203.0.113.9"})").status,
            204);
  EXPECT_EQ(Documents(), 0U);
}

TEST_F(FirewallBlocksTest, ThousandsOfRulesFitIntoOneRequest) {
  std::string rules;
  for (int i = 0; i < 5'000; ++i) {
    rules += (i > 0 ? "," : "") + std::string(R"({"id":"r)") + std::to_string(i) +
             R"(","direction":"in","verdict":"drop","protocol":"tcp","source":["11.)" +
             std::to_string(i / 256) + "." + std::to_string(i % 256) + R"(.0/24"]})";
  }
  const std::string body = R"({"rules":[)" + rules + "]}";
  ASSERT_GT(body.size(), kMaxBodyBytes);
  Request request;
  request.method = "PUT";
  request.target = *ParseTarget(kRules);
  request.authorization = "Bearer " + operator_;
  request.content_length = body.size();
  request.client = *IpAddress::Parse("192.0.2.1");
  EXPECT_FALSE(app_->Admit(request).answer);
  EXPECT_GE(app_->Admit(request).max_bytes, body.size());
  const Response replaced = Call("PUT", kRules, operator_, body);
  EXPECT_EQ(replaced.status, 200) << replaced.body.substr(0, 300);
  // Others, longer ones and other routes are refused before anything is read.
  request.authorization = "Bearer x";
  EXPECT_EQ(app_->Admit(request).answer->status, 401);
  request.authorization = "Bearer " + operator_;
  request.content_length = 5 << 20;
  EXPECT_EQ(app_->Admit(request).answer->status, 413);
  EXPECT_THAT(app_->Admit(request).answer->body, HasSubstr("larger than 4 MiB"));
  request.content_length = body.size();
  request.target = *ParseTarget("/api/v1/firewall/block");
  request.method = "POST";
  EXPECT_EQ(app_->Admit(request).answer->status, 413);
}

TEST_F(FirewallBlocksTest, RehearsesInTheBackground) {
  Call("POST", kRules, operator_, kTelnet);
  const Response begun = Call("POST", "/api/v1/firewall/rehearse", operator_, R"({"job":true})");
  ASSERT_EQ(begun.status, 202) << begun.body;
  const std::string id = TextMember(begun.body, "id");
  while (services_->jobs.Find(id)->state == JobState::kRunning) std::this_thread::yield();
  const Response job = Call("GET", "/api/v1/jobs/" + id, operator_);
  EXPECT_THAT(job.body, HasSubstr(R"("kind":"rehearsal")"));
  EXPECT_THAT(job.body, HasSubstr(R"("state":"done")"));
  EXPECT_THAT(job.body, HasSubstr("no flows to try"));
  EXPECT_EQ(Call("POST", "/api/v1/firewall/rehearse", SignIn("viewer").access, "{}").status, 403);
}

}  // namespace
}  // namespace nta::server
