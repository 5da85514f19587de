// Alert rules, suppressions, detectors, backtests and what people do with alerts, through REST.
#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>

#include "app_fixture.h"
#include "detection/live_detection.h"
#include "http/body_file.h"
#include "nta/detect/rule_detector.h"

namespace nta::server {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

class DetectionTest : public AppTest {
 protected:
  DetectionTest() {
    Restart(Generous());
    AddUser("vera", "viewer");
    AddUser("otto", "operator");
    AddUser("anna", "admin");
    Load();
  }
  void Load() {
    ASSERT_TRUE(services_->detection.Load().ok());
    viewer_ = SignIn("vera").access;
    operator_ = SignIn("otto").access;
    admin_ = SignIn("anna").access;
  }

  Alert MakeAlert(const std::string& id, AlertState state = AlertState::kOpen) {
    Alert alert;
    alert.id = id;
    alert.time = wall_ - minutes(5);
    alert.detector = "port_scan";
    alert.severity = Severity::kHigh;
    alert.state = state;
    alert.entity.source = *IpAddress::Parse("10.0.0.5");
    alert.entity.destination = *IpAddress::Parse("192.0.2.8");
    alert.summary = "10.0.0.5 scans 192.0.2.8";
    return alert;
  }
  void Write(const Alert& alert) { ASSERT_TRUE(store_->Write({}, {&alert, 1}).ok()); }

  // As capture hands a burst over.
  std::vector<Alert> Feed(const std::vector<FlowEvent>& events) {
    std::vector<Alert> alerts;
    LiveDetection& live = services_->detection.live();
    for (const FlowEvent& event : events) live.Observe(event, alerts);
    if (!events.empty()) live.AdvanceTo(events.back().time, alerts);
    live.Filter(alerts);
    return alerts;
  }
  std::vector<FlowEvent> Starts(int count, Duration begin = {}) {
    std::vector<FlowEvent> events;
    for (int i = 0; i < count; ++i) {
      FlowEvent event{FlowEventType::kStarted, wall_ + begin + milliseconds(10 * i), {}};
      event.flow.first_seen = event.flow.last_seen = event.time;
      event.flow.protocol = 6;
      event.flow.source = {*IpAddress::Parse("10.0.0.5"), static_cast<std::uint16_t>(2000 + i)};
      event.flow.destination = {*IpAddress::Parse("192.0.2.8"), 22};
      event.flow.outcome = ContactOutcome::kAnswered;
      events.push_back(event);
    }
    return events;
  }

  std::string Await(const std::string& job) {
    for (int i = 0; i < 3000; ++i) {
      const std::string body = Call("GET", "/api/v1/jobs/" + job, operator_).body;
      if (TextMember(body, "state") != "running") return body;
      std::this_thread::yield();
      std::this_thread::sleep_for(milliseconds(2));
    }
    return "";
  }

  const std::string rule_ =
      R"({"title":"SSH flood","expression":"count() > 100 per src in 60s where dport=22"})";
  std::string viewer_;
  std::string operator_;
  std::string admin_;
};

TEST_F(DetectionTest, RulesAreMadeChangedAndRemoved) {
  const Response made = Call("POST", "/api/v1/alert-rules", operator_, rule_);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(TextMember(made.body, "id"), "ssh-flood");
  EXPECT_THAT(made.body, HasSubstr("count() > 100 per source_address in 1m where dport=22"));
  EXPECT_THAT(made.body, HasSubstr(R"("author":"otto")"));
  EXPECT_EQ(Call("POST", "/api/v1/alert-rules", operator_, rule_).status, 409);
  EXPECT_EQ(Call("POST", "/api/v1/alert-rules", viewer_, rule_).status, 403);
  const Response changed = Call(
      "PUT", "/api/v1/alert-rules/ssh-flood", operator_,
      R"({"title":"T","expression":"count() > 5 in 1m","severity":"critical","enabled":false})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(changed.body, HasSubstr(R"("enabled":false)"));
  Restart(Generous());
  Load();
  EXPECT_THAT(Call("GET", "/api/v1/alert-rules", viewer_).body,
              HasSubstr(R"("severity":"critical")"));
  EXPECT_EQ(Call("GET", "/api/v1/alert-rules/ssh-flood", viewer_).status, 200);
  EXPECT_EQ(Call("DELETE", "/api/v1/alert-rules/ssh-flood", operator_).status, 204);
  EXPECT_EQ(Call("GET", "/api/v1/alert-rules/ssh-flood", viewer_).status, 404);
  EXPECT_EQ(Call("PUT", "/api/v1/alert-rules/ssh-flood", operator_, rule_).status, 404);
}

TEST_F(DetectionTest, RulesWhoseTitlesMakeNoIdAreNumbered) {
  const auto add = [&](const std::string& title) {
    return Call("POST", "/api/v1/alert-rules", operator_,
                R"({"title":")" + title + R"(","expression":"count() > 5 in 1m"})");
  };
  EXPECT_EQ(TextMember(add("通信量").body, "id"), "rule");
  EXPECT_EQ(TextMember(add("Скорость").body, "id"), "rule-2");
  EXPECT_EQ(TextMember(add("سرعة").body, "id"), "rule-3");
  EXPECT_EQ(add("通信量").status, 409);
  EXPECT_EQ(add("Скорость").status, 409);
}

TEST_F(DetectionTest, MistakesInRulesAreToldWithTheirPlace) {
  const Response wrong = Call("POST", "/api/v1/alert-rules", operator_,
                              R"({"title":"T","expression":"count() > 5 in 1m where dprt=1"})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr(R"("position":24)"));
  EXPECT_THAT(wrong.body, HasSubstr("did you mean"));
  const Response checked =
      Call("POST", "/api/v1/alert-rules/validate", viewer_, R"({"expression":"count() > 5"})");
  EXPECT_EQ(checked.status, 200);
  EXPECT_THAT(checked.body, HasSubstr(R"("valid":false)"));
  EXPECT_THAT(checked.body, HasSubstr(R"("position":11)"));
  EXPECT_THAT(Call("POST", "/api/v1/alert-rules/validate", viewer_,
                   R"({"expression":"rate(bytes) > 1M in 10"})")
                  .body,
              HasSubstr(R"("unit":"bytes/s")"));
  for (const char* body :
       {R"({"title":"T","expression":"count() > 5 in 1m","severity":"loud"})",
        R"({"title":"T","expression":"count() > 5 in 1m","close_below":2})",
        R"({"title":"T","expression":"count() > 5 in 1m","hold_seconds":-1})",
        R"({"title":"T","expression":"count() > 5 in 1m","id":"../x"})",
        R"({"title":"","expression":"count() > 5 in 1m"})", R"({"title":"T"})"}) {
    EXPECT_EQ(Call("POST", "/api/v1/alert-rules", operator_, body).status, 400) << body;
  }
}

TEST_F(DetectionTest, RulesRunAtOnceAndStopWhenRemoved) {
  EXPECT_EQ(Feed(Starts(150)).size(), 0U);
  ASSERT_EQ(Call("POST", "/api/v1/alert-rules", operator_, rule_).status, 201);
  const std::vector<Alert> alerts = Feed(Starts(150, minutes(5)));
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].detector, "rule:ssh-flood");
  EXPECT_EQ(alerts[0].observed, 101);
  // What does not change goes on with what it knows: another rule beside it opens nothing anew.
  ASSERT_EQ(Call("POST", "/api/v1/alert-rules", operator_,
                 R"({"title":"Other","expression":"count() > 1000000 in 1m"})")
                .status,
            201);
  EXPECT_EQ(Feed(Starts(50, minutes(5) + seconds(2))).size(), 0U);
  ASSERT_EQ(Call("DELETE", "/api/v1/alert-rules/ssh-flood", operator_).status, 204);
  const std::vector<Alert> ended = Feed(Starts(1, minutes(6)));
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].state, AlertState::kClosed);
  EXPECT_EQ(ended[0].id, alerts[0].id);
  // Made anew, its alerts have other ids.
  ASSERT_EQ(Call("POST", "/api/v1/alert-rules", operator_, rule_).status, 201);
  const std::vector<Alert> again = Feed(Starts(150, minutes(30)));
  ASSERT_EQ(again.size(), 1U);
  EXPECT_NE(again[0].id, alerts[0].id);
}

TEST_F(DetectionTest, SuppressionsHideAndCountAndSurviveARestart) {
  Write(MakeAlert("scan-1"));
  const Response made = Call("POST", "/api/v1/alerts/scan-1/suppress", operator_,
                             R"({"scope":"pair","reason":"our scanner"})");
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body, HasSubstr(R"("sources":["10.0.0.5/32"])"));
  const std::string id = TextMember(made.body, "id");
  std::vector<Alert> alerts = {MakeAlert("scan-2"), MakeAlert("scan-3")};
  alerts[1].entity.source = *IpAddress::Parse("10.0.0.6");
  services_->detection.live().Filter(alerts);
  EXPECT_EQ(alerts[0].suppressed_by, id);
  EXPECT_EQ(alerts[1].suppressed_by, "");
  ASSERT_TRUE(services_->detection.SaveCounts().ok());
  Restart(Generous());
  Load();
  EXPECT_THAT(Call("GET", "/api/v1/suppressions", viewer_).body, HasSubstr(R"("hidden_alerts":1)"));
  alerts = {MakeAlert("scan-4")};
  services_->detection.live().Filter(alerts);
  EXPECT_THAT(Call("GET", "/api/v1/suppressions", viewer_).body, HasSubstr(R"("hidden_alerts":2)"));
  const Response changed =
      Call("PUT", "/api/v1/suppressions/" + id, operator_,
           R"({"reason":"until then","detectors":["port_scan"],"expires":"2030-01-01T00:00:00Z"})");
  ASSERT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(changed.body, HasSubstr(R"("hidden_alerts":2)"));
  EXPECT_EQ(Call("DELETE", "/api/v1/suppressions/" + id, operator_).status, 204);
  EXPECT_EQ(Call("DELETE", "/api/v1/suppressions/" + id, operator_).status, 404);
}

TEST_F(DetectionTest, WrongSuppressionsAreRefused) {
  for (const char* body :
       {R"({"reason":"r"})", R"({"reason":"r","hosts":["0.0.0.0/0"]})",
        R"({"reason":"r","sources":["10.0.0.1","::/0"]})", R"({"detectors":["port_scan"]})",
        R"({"reason":"r","sources":["10.0.0.300"]})", R"({"reason":"r","sources":"10.0.0.1"})",
        R"({"reason":"r","ports":["70000"]})", R"({"reason":"r","classes":["loud"]})",
        R"({"reason":"r","kind":"x","detectors":["d"]})",
        R"({"reason":"r","detectors":["d"],"weekly":"sometimes"})",
        R"({"reason":"r","detectors":["d"],"expires":"soon"})"}) {
    EXPECT_EQ(Call("POST", "/api/v1/suppressions", operator_, body).status, 400) << body;
  }
  const Response good = Call(
      "POST", "/api/v1/suppressions", operator_,
      R"({"reason":"backup","kind":"maintenance","weekly":"daily 02:00-04:00","hosts":["10.0.0.0/8"]})");
  EXPECT_EQ(good.status, 201) << good.body;
  EXPECT_EQ(Call("POST", "/api/v1/suppressions", viewer_, R"({"reason":"r","ports":["1"]})").status,
            403);
}

TEST_F(DetectionTest, AlertsAreReadAcknowledgedAndNoted) {
  Write(MakeAlert("a1"));
  Alert hidden = MakeAlert("a2");
  hidden.suppressed_by = "s";
  Write(hidden);
  for (const char* path : {"/api/v1/alerts", "/api/anomalies"}) {
    const Response list = Call("GET", path, viewer_);
    EXPECT_THAT(list.body, HasSubstr(R"("id":"a1")"));
    EXPECT_THAT(list.body, Not(HasSubstr(R"("id":"a2")")));
  }
  EXPECT_THAT(Call("GET", "/api/v1/alerts?suppressed=yes", viewer_).body,
              HasSubstr(R"("id":"a2")"));
  const Response done =
      Call("POST", "/api/v1/alerts/a1/acknowledge", operator_, R"({"note":"looking into it"})");
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_THAT(done.body, HasSubstr(R"("acknowledged_by":"otto")"));
  EXPECT_THAT(done.body, HasSubstr("looking into it"));
  EXPECT_THAT(Call("GET", "/api/v1/alerts?acknowledged=no", viewer_).body,
              Not(HasSubstr(R"("id":"a1")")));
  EXPECT_THAT(
      Call("POST", "/api/v1/alerts/a1/notes", operator_, R"({"text":"it was a test"})").body,
      HasSubstr("it was a test"));
  for (const char* wrong : {R"({"text":""})", R"({"text":"a\u202eb"})", R"({"text":"a\u001bb"})"}) {
    EXPECT_EQ(Call("POST", "/api/v1/alerts/a1/notes", operator_, wrong).status, 400) << wrong;
  }
  EXPECT_EQ(
      Call("POST", "/api/v1/alerts/a1/notes", operator_, R"({"text":"two\nlines \u2713"})").status,
      200);
  EXPECT_EQ(Call("POST", "/api/v1/alerts/a1/acknowledge", viewer_).status, 403);
  EXPECT_EQ(Call("POST", "/api/v1/alerts/none/acknowledge", operator_).status, 404);
  // A later state of the alert does not undo it.
  Write(MakeAlert("a1", AlertState::kClosed));
  EXPECT_THAT(Call("GET", "/api/v1/alerts/a1", viewer_).body,
              HasSubstr(R"("acknowledged_by":"otto")"));
  EXPECT_THAT(Call("DELETE", "/api/v1/alerts/a1/acknowledge", operator_).body,
              HasSubstr(R"("acknowledged_by":null)"));
  for (const char* body : {R"({"scope":"world","reason":"r"})", R"({"scope":"pair","reason":""})",
                           R"({"scope":"pair","reason":"r","until":"2000-01-01T00:00:00Z"})"}) {
    EXPECT_EQ(Call("POST", "/api/v1/alerts/a1/suppress", operator_, body).status, 400) << body;
  }
}

TEST_F(DetectionTest, HiddenAlertsMakeRoomForTheNextOnes) {
  for (int i = 0; i < 50; ++i) {
    Alert alert = MakeAlert("a" + std::to_string(i));
    alert.time -= seconds(i);
    if (i % 10 != 9) alert.suppressed_by = "s";
    Write(alert);
  }
  const Response list = Call("GET", "/api/v1/alerts?limit=5", viewer_);
  for (const char* id : {"a9", "a19", "a29", "a39", "a49"}) {
    EXPECT_THAT(list.body, HasSubstr(std::string(R"("id":")") + id + "\""));
  }
}

TEST_F(DetectionTest, ThreatsAreCountedByClass) {
  for (int i = 0; i < 5; ++i) {
    Write(MakeAlert("p" + std::to_string(i), i < 2 ? AlertState::kOpen : AlertState::kClosed));
  }
  Alert flood = MakeAlert("f");
  flood.alert_class = AlertClass::kSynFlood;
  flood.severity = Severity::kCritical;
  Write(flood);
  const std::string body = Call("GET", "/api/v1/threats", viewer_).body;
  EXPECT_THAT(body, HasSubstr(R"({"class":"port_scan","alerts":5,"open":2,"suppressed":0)"));
  EXPECT_THAT(body, HasSubstr(R"({"class":"syn_flood","alerts":1,"open":1)"));
  EXPECT_THAT(body, HasSubstr(R"("sources":[{"address":"10.0.0.5","alerts":5}])"));
}

TEST_F(DetectionTest, DetectorsAreSetWhileTheyRun) {
  Feed(Starts(1));
  EXPECT_THAT(
      Call("GET", "/api/v1/detectors", viewer_).body,
      HasSubstr(
          R"(many hosts","enabled":true,"sensitivity":"normal","has_sensitivity":true,"running":true)"));
  EXPECT_EQ(Call("PUT", "/api/v1/detectors/port_scan", operator_, R"({"enabled":false})").status,
            403);
  ASSERT_EQ(Call("PUT", "/api/v1/detectors/port_scan", admin_, R"({"enabled":false})").status, 200);
  Feed(Starts(1, minutes(1)));
  EXPECT_THAT(
      Call("GET", "/api/v1/detectors", viewer_).body,
      HasSubstr(
          R"(many hosts","enabled":false,"sensitivity":"normal","has_sensitivity":true,"running":false)"));
  ASSERT_EQ(
      Call("PUT", "/api/v1/detectors/port_scan", admin_, R"({"enabled":true,"sensitivity":"high"})")
          .status,
      200);
  Restart(Generous());
  Load();
  EXPECT_THAT(Call("GET", "/api/v1/detectors", viewer_).body,
              HasSubstr(R"(many hosts","enabled":true,"sensitivity":"high")"));
  EXPECT_EQ(Call("PUT", "/api/v1/detectors/none", admin_, R"({"enabled":true})").status, 404);
  EXPECT_EQ(Call("PUT", "/api/v1/detectors/port_scan", admin_, R"({"sensitivity":"max"})").status,
            400);
}

TEST_F(DetectionTest, BacktestsTellWhatARuleWouldHaveSaid) {
  std::vector<FlowRecord> flows;
  for (int host = 1; host <= 6; ++host) {
    for (int i = 0; i < 30 * host; ++i) {
      FlowRecord flow = Starts(1)[0].flow;
      flow.source.address = IpAddress::V4(10, 0, 0, static_cast<std::uint8_t>(host));
      flow.first_seen = wall_ - hours(2) + milliseconds(100 * i);
      flow.last_seen = flow.first_seen + milliseconds(50);
      flow.forward.packets = 1;
      flow.end_reason = FlowEndReason::kEndOfFlow;
      flows.push_back(flow);
    }
  }
  ASSERT_TRUE(store_->Write(flows, {}).ok());
  const Response started = Call("POST", "/api/v1/backtest", operator_,
                                R"({"subject":{"expression":"count() > 100 per src in 60s"},
        "against":{"expression":"count() > 50 per src in 60s"},"wanted_per_day":1})");
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string job = Await(TextMember(started.body, "id"));
  EXPECT_THAT(job, HasSubstr(R"("state":"done")"));
  EXPECT_THAT(job, HasSubstr(R"("report":{"flows":630,)"));
  EXPECT_THAT(job, HasSubstr(R"("alerts":3,)"));
  EXPECT_THAT(job, HasSubstr(R"("difference":{"same":3,"appear_count":0,"vanish_count":2)"));
  EXPECT_THAT(job, HasSubstr(R"("suggestion":{"wanted_per_day":1.0,"threshold":150.0,)"
                             R"("current":{"threshold":100.0,"alerts":3)"));
  // A rule that keeps to it already is left as its author meant it.
  const Response quiet =
      Call("POST", "/api/v1/backtest", operator_,
           R"({"subject":{"expression":"count() > 160 per src in 60s"},"wanted_per_day":5})");
  EXPECT_THAT(Await(TextMember(quiet.body, "id")),
              HasSubstr(R"("suggestion":{"wanted_per_day":5.0,"threshold":160.0)"));
  const Response dry = Call("POST", "/api/v1/alert-rules/dry-run", operator_,
                            R"({"expression":"count() > 100 per src in 60s"})");
  ASSERT_EQ(dry.status, 202) << dry.body;
  EXPECT_THAT(Await(TextMember(dry.body, "id")), HasSubstr(R"("alerts":3,)"));
  EXPECT_EQ(
      Call("POST", "/api/v1/alert-rules/dry-run", operator_, R"({"expression":"count("})").status,
      400);
  const Response all = Call("POST", "/api/v1/backtest", operator_, R"({"subject":{}})");
  EXPECT_THAT(Await(TextMember(all.body, "id")), HasSubstr(R"("state":"done")"));
  const Response wrong =
      Call("POST", "/api/v1/backtest", operator_, R"({"subject":{"expression":"count() >"}})");
  EXPECT_EQ(wrong.status, 400);
  EXPECT_THAT(wrong.body, HasSubstr(R"("position":9)"));
  EXPECT_EQ(Call("POST", "/api/v1/backtest", operator_, R"({"subject":{"detector":"x"}})").status,
            400);
  EXPECT_EQ(Call("POST", "/api/v1/backtest", operator_, R"({"subject":{"rule":"x"}})").status, 404);
  EXPECT_EQ(Call("POST", "/api/v1/backtest", viewer_, R"({"subject":{}})").status, 403);
}

TEST_F(DetectionTest, BacktestsGoThroughACaptureThatIsSentAlong) {
  std::ifstream file(NTA_TEST_DATA_DIR "/sample.pcap", std::ios::binary);
  const std::string capture{std::istreambuf_iterator<char>(file), {}};
  const auto upload = [this](std::string_view token, const std::string& query,
                             std::string_view body) {
    Request request;
    request.method = "POST";
    request.target = *ParseTarget("/api/v1/backtest/capture" + query);
    request.authorization = "Bearer " + std::string(token);
    request.client = *IpAddress::Parse("192.0.2.1");
    request.upload = std::make_shared<BodyFile>(*BodyFile::Create("/tmp"));
    EXPECT_TRUE(request.upload->Append(body).ok());
    return Send(std::move(request));
  };
  // {"expression":"count() > 0 per src in 60s"} against one that nothing reaches.
  const std::string rule =
      "?subject=%7B%22expression%22%3A%22count()%20%3E%200%20per%20src%20in%2060s%22%7D";
  const std::string other =
      "&against=%7B%22expression%22%3A%22count()%20%3E%2099999%20per%20src%20in%2060s%22%7D";
  const Response started = upload(operator_, rule + other, capture);
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string job = Await(TextMember(started.body, "id"));
  EXPECT_THAT(job, HasSubstr(R"("state":"done")"));
  EXPECT_THAT(job, Not(HasSubstr(R"("report":{"flows":0,)")));
  EXPECT_THAT(job, Not(HasSubstr(R"("appear_count":0,)")));
  EXPECT_THAT(job, HasSubstr(R"("vanish_count":0)"));
  EXPECT_THAT(job, HasSubstr(R"("suggestion":{"wanted_per_day":5.0,"threshold":)"));
  EXPECT_THAT(job, HasSubstr(R"("current":{"threshold":0.0,)"));
  EXPECT_THAT(job, HasSubstr("less than a day"));
  const Response quick = upload(operator_, rule + "&suggest=false", capture);
  EXPECT_THAT(Await(TextMember(quick.body, "id")), Not(HasSubstr("suggestion")));
  const Response all = upload(operator_, "", capture);
  EXPECT_THAT(Await(TextMember(all.body, "id")), HasSubstr(R"("state":"done")"));
  EXPECT_EQ(upload(operator_, "", "").status, 400);
  EXPECT_THAT(upload(operator_, "", "no packets").body, HasSubstr("no capture"));
  EXPECT_EQ(upload(operator_, "?subject=%7B", capture).status, 400);
  EXPECT_EQ(upload(viewer_, "", capture).status, 403);
}

TEST_F(DetectionTest, BacktestsGoThroughThePacketsOfAnAlert) {
  Write(MakeAlert("scan-1"));
  const std::string path = "/api/v1/alerts/scan-1/backtest";
  EXPECT_EQ(Call("POST", path, operator_, R"({"subject":{}})").status, 404) << "nothing is kept";
  services_->write_packets = [](std::string_view, const std::string& file) {
    std::ifstream from(NTA_TEST_DATA_DIR "/sample.pcap", std::ios::binary);
    std::ofstream(file, std::ios::binary) << from.rdbuf();
    return absl::OkStatus();
  };
  const Response started =
      Call("POST", path, operator_, R"({"subject":{"detector":"port_scan"},"wanted_per_day":1})");
  ASSERT_EQ(started.status, 202) << started.body;
  const std::string job = Await(TextMember(started.body, "id"));
  EXPECT_THAT(job, HasSubstr(R"("state":"done")"));
  EXPECT_THAT(job, HasSubstr(R"("sensitivity":"high")"));
  EXPECT_EQ(Call("POST", "/api/v1/alerts/none/backtest", operator_, R"({"subject":{}})").status,
            404);
  EXPECT_EQ(Call("POST", path, viewer_, R"({"subject":{}})").status, 403);
}

}  // namespace
}  // namespace nta::server
