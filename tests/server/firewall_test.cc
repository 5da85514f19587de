// The firewall through REST: the draft, rehearsal, a change that must be confirmed, blocks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "firewall_fixture.h"

namespace nta::server {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

TEST_F(FirewallTest, OperatorsDraftAndAdministratorsApplyAndConfirm) {
  EXPECT_EQ(Call("POST", kRules, operator_, kTelnet).status, 201);
  EXPECT_THAT(Get().body, HasSubstr(R"("diff_text":"+ rule no-telnet: drop in tcp to port 23\n")"));
  EXPECT_THAT(Get().body, HasSubstr(R"("author":"operator")"));
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kAccept) << "a draft changes nothing";

  const Response applied = Apply();
  ASSERT_EQ(applied.status, 200) << applied.body;
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kDrop);
  EXPECT_THAT(Get().body, HasSubstr(R"("seconds_left":60.000)"));
  EXPECT_THAT(Get().body, Not(HasSubstr(TextMember(applied.body, "token"))));

  // The old connection proves nothing.
  const Response early = Confirm(TextMember(applied.body, "token"));
  EXPECT_EQ(early.status, 409);
  EXPECT_THAT(early.body, HasSubstr("older than the change"));
  NewConnection();
  EXPECT_EQ(Confirm("wrong").status, 403);
  EXPECT_EQ(Confirm(TextMember(applied.body, "token")).status, 204);
  Pass(seconds(120));
  services_->firewall->Tick();
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kDrop);
  EXPECT_THAT(Get().body, HasSubstr(R"("changed":false)"));
  EXPECT_THAT(Get().body, HasSubstr(R"("rule_id":"no-telnet","packets":2)"));

  // A restart puts it into force again.
  Restart(Generous());
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kDrop);
}

TEST_F(FirewallTest, AChangeThatNobodyConfirmsIsTakenBack) {
  Call("POST", kRules, operator_, kTelnet);
  const Response applied = Apply(R"(,"confirm_within_seconds":30)");
  ASSERT_EQ(applied.status, 200) << applied.body;
  EXPECT_EQ(Apply().status, 409) << "one change at a time";
  Pass(seconds(29));
  services_->firewall->Tick();
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kDrop);
  Pass(seconds(1));
  services_->firewall->Tick();
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kAccept);
  EXPECT_THAT(Get().body, HasSubstr("was not confirmed in time"));
  EXPECT_THAT(Get().body, HasSubstr(R"("changed":true)")) << "the draft is still there";
  NewConnection();
  EXPECT_EQ(Confirm(TextMember(applied.body, "token")).status, 409);
}

TEST_F(FirewallTest, ARestartTakesAnUnconfirmedChangeBack) {
  Call("POST", kRules, operator_, kTelnet);
  ASSERT_EQ(Apply().status, 200);
  Restart(Generous());
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kAccept);
  EXPECT_THAT(Call("GET", kRules, SignIn("admin").access).body, HasSubstr(R"("pending":null)"));
}

TEST_F(FirewallTest, AChangeCanBeTakenBackByHand) {
  Call("POST", kRules, operator_, kTelnet);
  const std::string token = TextMember(Apply().body, "token");
  const std::string body = R"({"token":")" + token + "\"}";
  EXPECT_EQ(Call("POST", "/api/v1/firewall/rollback", admin_, body).status, 204);
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kAccept);
  EXPECT_EQ(Call("POST", "/api/v1/firewall/rollback", admin_, body).status, 409);
}

TEST_F(FirewallTest, ApplyingNeedsTheRightPasswordAndRole) {
  Call("POST", kRules, operator_, kTelnet);
  const Response wrong =
      Call("POST", "/api/v1/firewall/apply", admin_, R"({"password":"guess number one"})");
  EXPECT_EQ(wrong.status, 403);
  EXPECT_THAT(wrong.body, HasSubstr("the password is wrong"));
  EXPECT_EQ(Call("POST", "/api/v1/firewall/apply", operator_,
                 R"({"password":)" + JsonQuote(kPassword) + "}")
                .status,
            403);
  EXPECT_EQ(Offered("203.0.113.9", 23), Decision::kAccept);
  EXPECT_EQ(Apply(R"(,"confirm_within_seconds":4)").status, 400);
}

TEST_F(FirewallTest, GuessingThePasswordIsSlowedDown) {
  AppLimits limits = Generous();
  limits.sign_in.per_address_per_minute = 3;
  Restart(limits);
  const std::string token = SignIn("admin").access;
  int status = 0;
  for (int i = 0; i < 10; ++i) {
    status =
        Call("POST", "/api/v1/firewall/apply", token, R"({"password":"guess number one"})").status;
  }
  EXPECT_EQ(status, 429);
}

TEST_F(FirewallTest, TheAdministratorsOwnAddressCannotBeCutOff) {
  Call("POST", kRules, operator_,
       R"({"rule":{"id":"all","direction":"in","verdict":"drop","allow_wide":true}})");
  ASSERT_EQ(Apply().status, 200);  // from 192.0.2.1
  EXPECT_EQ(Offered("192.0.2.1", 8080), Decision::kAccept);
  EXPECT_EQ(Offered("192.0.2.254", 53), Decision::kAccept) << "the gateway";
  EXPECT_EQ(Offered("203.0.113.9", 8080), Decision::kDrop);
}

TEST_F(FirewallTest, EditsOfAnOlderVersionAreRefused) {
  Call("POST", kRules, operator_, kTelnet);
  const std::string stale =
      R"({"rule":{"id":"b","direction":"in","verdict":"drop","protocol":"udp"},"version":0})";
  EXPECT_EQ(Call("POST", kRules, operator_, stale).status, 409);
  EXPECT_EQ(Call("POST", kRules, operator_, kTelnet).status, 400) << "the same id twice";
}

TEST_F(FirewallTest, RulesAreReplacedRemovedAndReordered) {
  const auto add = [&](const std::string& id, int place) {
    return Call("POST", kRules, operator_,
                R"({"rule":{"id":")" + id + R"(","direction":"in","verdict":"drop",)" +
                    R"("protocol":"udp"},"place":)" + std::to_string(place) + "}");
  };
  EXPECT_EQ(add("b", 0).status, 201);
  EXPECT_EQ(add("a", 0).status, 201);
  EXPECT_EQ(add("c", 9).status, 400);
  EXPECT_EQ(Call("PUT", "/api/v1/firewall/order", operator_, R"({"ids":["b","a"]})").status, 200);
  EXPECT_EQ(Call("PUT", "/api/v1/firewall/order", operator_, R"({"ids":["b"]})").status, 400);
  EXPECT_EQ(Call("PUT", std::string(kRules) + "/a", operator_,
                 R"({"rule":{"id":"a","direction":"out","verdict":"reject","protocol":"tcp"}})")
                .status,
            200);
  EXPECT_THAT(Get().body, HasSubstr("+ rule b: drop in udp\\n+ rule a: reject out tcp"));
  EXPECT_EQ(Call("DELETE", std::string(kRules) + "/b", operator_).status, 200);
  EXPECT_EQ(Call("DELETE", std::string(kRules) + "/b", operator_).status, 404);
  EXPECT_EQ(Call("PUT", kRules, operator_,
                 R"({"rules":[],"sets":[{"name":"s","elements":["203.0.113.1"]}],)"
                 R"("defaults":{"in":"drop"}})")
                .status,
            200);
  EXPECT_THAT(Get().body, HasSubstr(R"("defaults":{"in":"drop")"));
  EXPECT_EQ(Call("DELETE", "/api/v1/firewall/draft", operator_).status, 204);
  EXPECT_THAT(Get().body, HasSubstr(R"("changed":false)"));
}

TEST_F(FirewallTest, HostileTextsReachNoRule) {
  for (const char* id : {"a;drop", "a b", "$(reboot)", "a\\nb", "blocked-in", "ä", ""}) {
    const std::string body = R"({"rule":{"id":")" + std::string(id) +
                             R"(","direction":"in","verdict":"drop","protocol":"tcp"}})";
    EXPECT_EQ(Call("POST", kRules, operator_, body).status, 400) << id;
  }
  // A reason is free text: it is kept beside the block and is in no rule.
  EXPECT_EQ(Call("POST", "/api/v1/firewall/block", admin_,
                 R"({"address":"203.0.113.9","reason":"x\"; flush ruleset"})")
                .status,
            201);
  EXPECT_THAT(Get().body, HasSubstr(R"("changed":false)"));
}

TEST_F(FirewallTest, BlocksAtOnceForATimeAndSurviveARestart) {
  for (const std::string host : {"203.0.113.9", "2001:db8:bad::9"}) {
    const std::string body = R"({"address":")" + host + R"(","seconds":60,"reason":"scan"})";
    const Response blocked = Call("POST", "/api/v1/firewall/block", admin_, body);
    ASSERT_EQ(blocked.status, 201) << blocked.body;
    EXPECT_EQ(Offered(host, 80), Decision::kDrop);
    const Response effect = Call("GET", "/api/v1/firewall/effect", operator_);
    EXPECT_THAT(effect.body, HasSubstr(host));
    services_->firewall->Tick();
    EXPECT_THAT(Call("GET", "/api/v1/firewall/effect", operator_).body,
                HasSubstr(R"("packets":1,"bytes":60)"));
  }
  Pass(seconds(20));
  Restart(Generous());
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kDrop);
  Pass(seconds(40));
  services_->firewall->Tick();
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kAccept);
  admin_ = SignIn("admin").access;
  EXPECT_THAT(Call("GET", "/api/v1/firewall/effect", admin_).body, HasSubstr(R"("blocks":[])"));
}

TEST_F(FirewallTest, ASecondBlockSaysWhichOneItTookThePlaceOf) {
  const auto block = [&](const std::string& more) {
    return Call("POST", "/api/v1/firewall/block", admin_,
                R"({"address":"203.0.113.9")" + more + "}");
  };
  const Response first = block(R"(,"seconds":60,"reason":"scan of tuesday")");
  EXPECT_THAT(first.body, HasSubstr(R"("replaced":null)"));
  // A narrower one stands beside it.
  EXPECT_THAT(block(R"(,"protocol":"tcp","port":22,"seconds":60)").body,
              HasSubstr(R"("replaced":null)"));
  const Response second = block(R"(,"seconds":3600)");
  ASSERT_EQ(second.status, 201) << second.body;
  const std::string before = second.body.substr(second.body.find(R"("replaced":)"));
  EXPECT_THAT(before, HasSubstr(TextMember(first.body, "until"))) << before;
  EXPECT_THAT(before, HasSubstr("scan of tuesday"));
  EXPECT_NE(TextMember(second.body, "until"), TextMember(first.body, "until"));
  EXPECT_EQ(TextMember(second.body, "reason"), "scan of tuesday") << "kept";
  const Response third = block(R"(,"seconds":10,"reason":"tested")");
  EXPECT_EQ(TextMember(third.body, "reason"), "tested");
  Pass(seconds(11));
  services_->firewall->Tick();
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kAccept) << "the last one counts";
}

TEST_F(FirewallTest, BlocksAreLiftedAndNeverHitWhatIsProtected) {
  const auto block = [&](const std::string& address) {
    return Call("POST", "/api/v1/firewall/block", admin_, R"({"address":")" + address + "\"}")
        .status;
  };
  EXPECT_EQ(block("203.0.113.9"), 201);
  EXPECT_EQ(Call("POST", "/api/v1/firewall/unblock", admin_, R"({"address":"203.0.113.9"})").status,
            204);
  EXPECT_EQ(Offered("203.0.113.9", 80), Decision::kAccept);
  EXPECT_EQ(Call("POST", "/api/v1/firewall/unblock", admin_, R"({"address":"203.0.113.9"})").status,
            404);
  EXPECT_EQ(block("192.0.2.254"), 409) << "the gateway";
  EXPECT_EQ(block("192.0.2.80"), 409) << "itself";
  EXPECT_EQ(block("192.0.2.1"), 409) << "who asks";
  EXPECT_EQ(block("127.0.0.1"), 400);
  EXPECT_EQ(block("ff02::1"), 400);
  EXPECT_EQ(block("::ffff:203.0.113.9"), 400);
  EXPECT_EQ(block("203.0.113.0/24"), 400);
}

TEST_F(FirewallTest, RehearsesTheDraftOnStoredFlows) {
  FlowRecord flow;
  flow.first_seen = flow.last_seen = wall_ - std::chrono::hours(1);
  flow.protocol = kProtocolTcp;
  flow.source = {*IpAddress::Parse("203.0.113.9"), 50'000};
  flow.destination = {*IpAddress::Parse("192.0.2.80"), 23};
  flow.forward = {.packets = 3, .wire_bytes = 180};
  flow.tcp_state = TcpState::kClosed;
  ASSERT_TRUE(store_->Write(std::vector<FlowRecord>{flow, flow}, {}).ok());
  Call("POST", kRules, operator_, kTelnet);
  const Response result = Call("POST", "/api/v1/firewall/rehearse", operator_, "{}");
  ASSERT_EQ(result.status, 200) << result.body;
  EXPECT_THAT(result.body, HasSubstr(R"("cut":{"flows":2,"bytes":360})"));
  EXPECT_THAT(result.body, HasSubstr(R"("newly_cut":{"flows":2,"bytes":360})"));
  EXPECT_THAT(result.body, HasSubstr(R"("hosts":[{"address":"203.0.113.9","flows":2)"));
  EXPECT_THAT(result.body, HasSubstr("2 flows (360 B) would have been cut, of 1 host"));
  // Not of the last minute, and not of these rules.
  EXPECT_THAT(Call("POST", "/api/v1/firewall/rehearse?since=-1m", operator_, "{}").body,
              HasSubstr("no flows to try"));
  EXPECT_THAT(Call("POST", "/api/v1/firewall/rehearse", operator_, R"({"rules":[]})").body,
              HasSubstr(R"("cut":{"flows":0)"));
  EXPECT_EQ(Call("POST", "/api/v1/firewall/rehearse", operator_, R"({"role":"toaster"})").status,
            400);
}

TEST_F(FirewallTest, ServesItsAliasAndSaysWhenThereIsNone) {
  EXPECT_EQ(Call("GET", "/api/firewall/rules", operator_).body, Get().body);
  EXPECT_EQ(Call("POST", "/api/v1/firewall/import", admin_, R"({"family":"inet","table":"filter"})")
                .status,
            422)
      << "only nftables has other tables";
  services_->firewall.reset();
  EXPECT_EQ(Get().status, 404);
}

TEST_F(FirewallTest, AnAlertProposesTheNarrowestBlockWithARehearsal) {
  const Alert alert = BruteForce(wall_);
  ASSERT_TRUE(store_->Write({}, std::vector<Alert>{alert}).ok());
  const std::string body = R"({"alert_id":"brute_force-000001"})";
  EXPECT_EQ(Call("POST", "/api/v1/firewall/accept", admin_, body).status, 404);
  const Response proposal = Call("POST", "/api/v1/firewall/propose", operator_, body);
  ASSERT_EQ(proposal.status, 200) << proposal.body;
  EXPECT_THAT(proposal.body, HasSubstr("203.0.113.9"));
  EXPECT_THAT(proposal.body, HasSubstr("rehearsal"));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kAccept) << "proposed only";
  ASSERT_EQ(Call("POST", "/api/v1/firewall/accept", admin_, body).status, 201);
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kDrop);
  EXPECT_EQ(Offered("203.0.113.9", 443), Decision::kAccept) << "narrow";
}

TEST_F(FirewallTest, PoliciesSayWhatAlertsLeadTo) {
  services_->firewall->OnAlert(BruteForce(wall_));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kAccept);
  EXPECT_THAT(Call("GET", "/api/v1/firewall/proposals", operator_).body, HasSubstr("203.0.113.9"));
  EXPECT_EQ(Call("PUT", "/api/v1/firewall/policies", admin_,
                 R"({"policies":{"brute_force":"automatic"}})")
                .status,
            204);
  EXPECT_EQ(Call("PUT", "/api/v1/firewall/policies", admin_, R"({"policies":{"x":"off"}})").status,
            400);
  services_->firewall->OnAlert(BruteForce(wall_));
  EXPECT_EQ(Offered("203.0.113.9", 22), Decision::kDrop);
  EXPECT_THAT(Call("GET", "/api/v1/firewall/policies", operator_).body,
              HasSubstr(R"({"brute_force":"automatic"})"));
  // A flood's source may be anybody: proposed, never blocked by itself.
  Alert flood = BruteForce(wall_);
  flood.id = "syn_flood-000001";
  flood.alert_class = AlertClass::kSynFlood;
  flood.entity.source = *IpAddress::Parse("198.51.100.7");
  EXPECT_EQ(
      Call("PUT", "/api/v1/firewall/policies", admin_, R"({"policies":{"syn_flood":"automatic"}})")
          .status,
      204);
  services_->firewall->OnAlert(flood);
  EXPECT_EQ(Offered("198.51.100.7", 22), Decision::kAccept);
}

}  // namespace
}  // namespace nta::server
