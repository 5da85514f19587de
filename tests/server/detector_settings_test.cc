// The settings of detectors, backtests of detectors, and the packets before an alert, through REST.
#include <sys/stat.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "app_fixture.h"

namespace nta::server {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::Not;

class DetectorSettingsTest : public AppTest {
 protected:
  DetectorSettingsTest() {
    std::string pattern = testing::TempDir() + "nta-detectors-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    Restart(Generous());
    AddUser("vera", "viewer");
    AddUser("otto", "operator");
    AddUser("anna", "admin");
    Load();
  }
  ~DetectorSettingsTest() override {
    app_.reset();
    services_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Load() {
    ASSERT_TRUE(services_->detection.Load().ok());
    viewer_ = SignIn("vera").access;
    operator_ = SignIn("otto").access;
    admin_ = SignIn("anna").access;
  }
  std::string Write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ + "/" + name) << text;
    return directory_ + "/" + name;
  }
  json Row(const std::string& name) {
    const json list = json::parse(Call("GET", "/api/v1/detectors", viewer_).body);
    for (const json& row : list["detectors"]) {
      if (row["name"] == name) return row;
    }
    return {};
  }
  json Option(const std::string& detector, const std::string& name) {
    const json row = Row(detector);
    for (const json& option : row["options"]) {
      if (option["name"] == name) return option;
    }
    return {};
  }
  Response Put(const std::string& detector, const json& body) {
    return Call("PUT", "/api/v1/detectors/" + detector, admin_, body.dump());
  }
  Response Blocks(const json& files) {
    return Put("policy", {{"options", {{"block_lists", files}}}});
  }
  // As time does in a capture.
  std::vector<Alert> Feed(const std::vector<FlowEvent>& events) {
    std::vector<Alert> alerts;
    for (const FlowEvent& event : events) services_->detection.live().Observe(event, alerts);
    services_->detection.live().AdvanceTo(events.back().time, alerts);
    return alerts;
  }
  FlowRecord Flow(Timestamp time, const std::string& to, std::uint16_t port = 443) {
    FlowRecord flow;
    flow.first_seen = flow.last_seen = time;
    flow.protocol = 6;
    flow.source = {*IpAddress::Parse("10.0.0.5"), 40000};
    flow.destination = {*IpAddress::Parse(to), port};
    flow.outcome = ContactOutcome::kAnswered;
    flow.forward.packets = 1;
    flow.end_reason = FlowEndReason::kEndOfFlow;
    return flow;
  }
  FlowEvent Ended(Timestamp time, const std::string& to) {
    return {FlowEventType::kEnded, time, Flow(time, to)};
  }
  json Await(const Response& started) {
    EXPECT_EQ(started.status, 202) << started.body;
    const std::string path = "/api/v1/jobs/" + TextMember(started.body, "id");
    for (int i = 0; i < 5000; ++i) {
      const json job = json::parse(Call("GET", path, operator_).body);
      if (job["state"] != "running") return job;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return {};
  }

  std::string directory_;
  std::string viewer_;
  std::string operator_;
  std::string admin_;
};

TEST_F(DetectorSettingsTest, EveryDetectorTakesItsOptionsAndKeepsThemOverARestart) {
  const json list = json::parse(Call("GET", "/api/v1/detectors", viewer_).body)["detectors"];
  EXPECT_EQ(list.size(), DefaultDetectorNames().size());
  for (const json& row : list) {
    for (const json& option : row["options"]) {
      // Each option takes what it has, and null puts the default back.
      const Response set =
          Put(row["name"], {{"options", {{option["name"].get<std::string>(), option["value"]}}}});
      EXPECT_EQ(set.status, 200) << row["name"] << option << set.body;
    }
  }
  EXPECT_EQ(Put("exfiltration", {{"sensitivity", "low"},
                                 {"options", {{"alerts_per_day", 1}, {"min_bytes", 5'000'000}}}})
                .status,
            200);
  Restart(Generous());
  Load();
  EXPECT_EQ(Row("exfiltration")["sensitivity"], "low");
  EXPECT_EQ(Option("exfiltration", "alerts_per_day")["value"], 1);
  EXPECT_EQ(Option("exfiltration", "alerts_per_day")["is_set"], true);
  EXPECT_EQ(services_->detection.OptionsInUse().exfiltration.min_bytes, 5'000'000U);
  EXPECT_EQ(services_->detection.OptionsInUse().exfiltration.budget.min_bits, 10);
  ASSERT_EQ(
      Put("exfiltration", {{"options", {{"min_bytes", nullptr}, {"min_bits", nullptr}}}}).status,
      200);
  EXPECT_EQ(services_->detection.OptionsInUse().exfiltration.min_bytes, 200'000'000U);
  EXPECT_EQ(Option("exfiltration", "alerts_per_day")["value"], 1);
}

TEST_F(DetectorSettingsTest, WrongOptionsAreRefusedAndChangeNothing) {
  const json before = Row("port_scan");
  for (const json& body :
       {json{{"options", {{"min_ports", 0}}}}, json{{"options", {{"min_ports", "5"}}}},
        json{{"options", {{"min_ports", 2.5}}}}, json{{"options", {{"min_port", 5}}}},
        json{{"options", {{"window", -1}}}}, json{{"options", {{"window", json::array({1})}}}},
        json{{"sensitivity", "max"}}, json{{"loud", true}},
        json{{"options", {{"min_ports", 50}, {"min_hosts", 0}}}}}) {
    const Response response = Put("port_scan", body);
    EXPECT_EQ(response.status, 400) << body;
  }
  EXPECT_EQ(Row("port_scan")["options"], before["options"]);
  EXPECT_THAT(Put("port_scan", {{"options", {{"min_ports", 0}}}}).body,
              HasSubstr("is a number from 2 to 65536"));
  EXPECT_EQ(Put("none", {{"enabled", false}}).status, 404);
  for (const std::string& token : {viewer_, operator_}) {
    EXPECT_EQ(Call("PUT", "/api/v1/detectors/port_scan", token, R"({"enabled":false})").status,
              403);
  }
}

TEST_F(DetectorSettingsTest, BlockListsAreReadSetAndReadAgain) {
  const std::string file = Write("blocked.txt", "198.51.100.7\nbad.example\n");
  ASSERT_EQ(Blocks({file}).status, 200);
  ASSERT_EQ(Put("policy", {{"options", {{"blocked", {"203.0.113.0/24"}}}}}).status, 200);
  EXPECT_EQ(Feed({Ended(wall_, "198.51.100.7")}).size(), 1U);
  EXPECT_EQ(Feed({Ended(wall_ + minutes(1), "203.0.113.9")}).size(), 1U);
  EXPECT_EQ(Row("policy")["block_entries"], 3);
  EXPECT_EQ(Feed({Ended(wall_ + minutes(2), "192.0.2.1")}).size(), 0U);
  // A file that changes is read again; one that is damaged leaves the list and is told.
  Write("blocked.txt", "198.51.100.7\n192.0.2.1\nbad.example\n");
  EXPECT_EQ(
      Feed({Ended(wall_ + minutes(4), "192.0.2.1"), Ended(wall_ + minutes(6), "192.0.2.1")}).size(),
      1U);
  Write("blocked.txt", "root:x:0:0 is no entry\n");
  Feed({Ended(wall_ + minutes(8), "192.0.2.250"), Ended(wall_ + minutes(10), "192.0.2.250")});
  const json row = Row("policy");
  EXPECT_EQ(row["block_entries"], 4);
  EXPECT_THAT(row["problem"].get<std::string>(), HasSubstr("blocked.txt:1"));
  EXPECT_THAT(row["problem"].get<std::string>(), Not(HasSubstr("root")));
}

TEST_F(DetectorSettingsTest, AFileThatIsNoListIsRefusedWithoutItsContents) {
  const std::string secret = Write("secret.txt", "root:$6$canary:0:0\n");
  const Response refused = Blocks({secret});
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("secret.txt:1"));
  EXPECT_THAT(refused.body, Not(HasSubstr("canary")));
  const std::string pipe = directory_ + "/pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(Blocks({pipe}).body, HasSubstr("no regular file"));
  EXPECT_EQ(Blocks({directory_ + "/none"}).status, 400);
  EXPECT_EQ(Blocks({"relative.txt"}).status, 400);
  EXPECT_EQ(Option("policy", "block_lists")["is_set"], false);
  // A list that goes away does not keep the server from starting.
  ASSERT_EQ(Blocks({Write("list.txt", "192.0.2.1\n")}).status, 200);
  std::filesystem::remove(directory_ + "/list.txt");
  Restart(Generous());
  Load();
  EXPECT_EQ(Option("policy", "block_lists")["is_set"], true);
}

TEST_F(DetectorSettingsTest, AnotherStoreBringsItsOwnSettings) {
  ASSERT_EQ(Put("beacon", {{"enabled", false}}).status, 200);
  ASSERT_TRUE(store_->RemoveDocument("detector_settings", "all").ok());
  ASSERT_TRUE(services_->detection.Reload().ok());
  EXPECT_EQ(Row("beacon")["enabled"], true);
}

TEST_F(DetectorSettingsTest, BacktestsOfDetectorsCompareSettingsAndSayWhatFlowsLack) {
  std::vector<FlowRecord> flows;
  for (int port = 1; port <= 18; ++port) {
    FlowRecord flow = Flow(wall_ - hours(2) + milliseconds(500 * port), "192.0.2.8",
                           static_cast<std::uint16_t>(port));
    flow.outcome = ContactOutcome::kRefused;
    flows.push_back(flow);
  }
  ASSERT_TRUE(store_->Write(flows, {}).ok());
  const auto run = [&](const json& body) {
    return Await(Call("POST", "/api/v1/backtest", operator_, body.dump()))["result"];
  };
  const json scan = run({{"subject", {{"detector", "port_scan"}}}, {"wanted_per_day", 5}});
  EXPECT_EQ(scan["report"]["by_detector"]["port_scan"], 1) << scan;
  ASSERT_EQ(scan["notes"].size(), 1U);
  EXPECT_THAT(scan["notes"][0].get<std::string>(), HasSubstr("less than a day"));
  ASSERT_EQ(scan["suggestion"]["detectors"].size(), 1U);
  EXPECT_EQ(scan["suggestion"]["detectors"][0]["points"].size(), 3U);
  EXPECT_EQ(scan["suggestion"]["detectors"][0]["sensitivity"], "high");
  // A limit beside the test moves nothing, and the answer says what does.
  const json limit =
      run({{"subject", {{"detector", "port_scan"}, {"options", {{"min_ports", 500}}}}},
           {"against", {{"detector", "port_scan"}}}});
  EXPECT_EQ(limit["difference"]["same"], 1);
  EXPECT_THAT(limit["notes"].dump(), HasSubstr("false_positive_rate"));
  // A test that never ends, against the settings as they are: the alert vanishes.
  const json deaf = run({{"subject",
                          {{"detector", "port_scan"},
                           {"options",
                            {{"false_positive_rate", 1e-12},
                             {"min_ports", 60000},
                             {"benign_success", 0.5},
                             {"scanner_success", 0.499}}}}},
                         {"against", {{"detector", "port_scan"}}}});
  EXPECT_EQ(deaf["difference"]["vanish_count"], 1) << deaf;
  EXPECT_EQ(deaf["difference"]["appear_count"], 0);
  const json flood = run({{"subject", {{"detectors", {"flood", "dns_tunnel"}}}}});
  ASSERT_EQ(flood["notes"].size(), 3U);
  EXPECT_THAT(flood["notes"][0].get<std::string>(), HasSubstr("flood cannot say anything here"));
  EXPECT_THAT(flood["notes"][1].get<std::string>(), HasSubstr("dns_tunnel sees part of it"));
  // Of what cannot be seen nothing is suggested; of several each.
  ASSERT_EQ(flood["suggestion"]["detectors"].size(), 1U);
  EXPECT_EQ(flood["suggestion"]["detectors"][0]["detector"], "dns_tunnel");
  // All that are on, as they are set.
  ASSERT_EQ(Put("port_scan", {{"enabled", false}}).status, 200);
  EXPECT_EQ(run({{"subject", json::object()}})["report"]["alerts"], 0);
  for (const json& wrong :
       {json{{"subject", {{"detector", "none"}}}},
        json{{"subject", {{"detector", "flood"}, {"sensitivity", "max"}}}},
        json{{"subject", {{"detector", "flood"}, {"options", {{"x", 1}}}}}},
        json{{"subject", {{"options", {{"min_ports", 5}}}}}},
        json{{"subject", {{"expression", "count() > 5 in 1m"}, {"sensitivity", "low"}}}},
        json{{"subject",
              {{"detector", "policy"}, {"options", {{"block_lists", {"/etc/passwd"}}}}}}}}) {
    EXPECT_EQ(Call("POST", "/api/v1/backtest", operator_, wrong.dump()).status, 400) << wrong;
  }
}

TEST_F(DetectorSettingsTest, PacketsBeforeAnAlertAreForOperators) {
  Alert alert;
  alert.id = "17-flood-000001";
  alert.time = wall_;
  alert.detector = "rule:ssh";
  alert.evidence["title"] = std::string("SSH flood");
  alert.summary = "SSH flood: 5 flows";
  ASSERT_TRUE(store_->Write({}, {&alert, 1}).ok());
  const std::string path = "/api/v1/alerts/" + alert.id;
  EXPECT_EQ(Call("GET", path + "/packets", operator_).status, 404);
  EXPECT_THAT(Call("GET", path, viewer_).body, HasSubstr(R"("title":"SSH flood","packets":0)"));
  services_->count_packets = [](std::string_view id) { return id == "17-flood-000001" ? 3U : 0U; };
  services_->write_packets = [](std::string_view, const std::string& file) {
    std::ofstream(file, std::ios::binary) << "packets";
    return absl::OkStatus();
  };
  EXPECT_THAT(Call("GET", path, viewer_).body, HasSubstr(R"("packets":3)"));
  EXPECT_EQ(Call("GET", path + "/packets", viewer_).status, 403);
  EXPECT_EQ(Call("GET", "/api/v1/alerts/none/packets", operator_).status, 404);
  const Response saved = Call("GET", path + "/packets", operator_);
  ASSERT_EQ(saved.status, 200) << saved.body;
  EXPECT_EQ(saved.body, "packets");
}

}  // namespace
}  // namespace nta::server
