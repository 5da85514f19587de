// Health, retention, schedule and daily summaries, in the server and through REST.
#include "operations/operations.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "app_fixture.h"
#include "operations/health_words.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// Then the answer is measured anew.
constexpr Duration kTooOldForAnAnswer = 11s;

class OperationsTest : public AppTest {
 protected:
  OperationsTest() {
    Restart(Generous());
    AddUser("root", "admin");
    AddUser("alice", "viewer");
    Prepare();
  }

  void Prepare() {
    admin_ = SignIn("root").access;
    viewer_ = SignIn("alice").access;
    services_->operations.health.SetListener(
        [this](const Alert& alert) { alerts_.push_back(alert); });
  }

  json Get(std::string_view target, int status = 200) {
    const Response response = Call("GET", target, viewer_);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  }
  Response Put(std::string_view target, const json& body) {
    return Call("PUT", target, admin_, body.dump());
  }
  // Time that is no longer than a session, so that nobody has to sign in again.
  void Tick(Duration time) {
    Pass(time);
    EXPECT_TRUE(services_->operations.health.Tick().ok());
  }

  std::string admin_;
  std::string viewer_;
  std::vector<Alert> alerts_;
};

TEST(LatencyHistogram, TellsQuantilesWithinAFifth) {
  LatencyHistogram times;
  EXPECT_EQ(times.Quantile(0.99), 0ns);
  for (int i = 1; i <= 1000; ++i) times.Add(std::chrono::milliseconds(i));
  for (const double share : {0.01, 0.5, 0.95, 0.99, 1.0}) {
    const double exact = share * 1000;
    const double told = std::chrono::duration<double, std::milli>(times.Quantile(share)).count();
    EXPECT_GE(told, exact * 0.999) << share;
    EXPECT_LE(told, exact * 1.2) << share;
  }
  LatencyHistogram more = times;
  more.Add(10s);
  const LatencyHistogram since = more.Since(times);
  EXPECT_EQ(since.count(), 1u);
  EXPECT_GE(since.Quantile(0.5), 10s);
  LatencyHistogram extremes;
  extremes.Add(-1s);
  extremes.Add(0s);
  extremes.Add(24h);
  EXPECT_EQ(extremes.count(), 3u);
}

TEST_F(OperationsTest, HealthTellsMachinePipelineAndApi) {
  const json health = Get("/api/v1/health");
  EXPECT_EQ(health["status"], "ok");
  EXPECT_EQ(health["summary"], "Everything is well.");
  EXPECT_GT(health["machine"]["memory"]["total_bytes"], 0);
  EXPECT_GT(health["machine"]["process"]["resident_bytes"], 0);
  EXPECT_EQ(health["pipeline"]["failed"], 0);
  EXPECT_GE(health["api"]["since_start"]["requests"], 2);
  EXPECT_EQ(Get("/api/system_health").size(), health.size());
}

TEST_F(OperationsTest, TheLatencyOfEachRequestIsCounted) {
  const std::uint64_t before = services_->operations.latency.Snapshot().all.count();
  Call("GET", "/api/v1/me", viewer_);
  Call("GET", "/api/v1/me", "wrong");
  Call("GET", "/no/such/file");
  const LatencySnapshot after = services_->operations.latency.Snapshot();
  EXPECT_EQ(after.all.count(), before + 2);
  std::vector<std::string> routes;
  for (const RouteLatency& route : after.routes) routes.push_back(route.route);
  EXPECT_THAT(routes, ElementsAre("GET /api/v1/me", "POST /api/login"));
}

TEST_F(OperationsTest, SamplesOfAMinuteBecomeOneMean) {
  // From the start of a minute, six ticks and one in the next.
  wall_ = std::chrono::ceil<std::chrono::minutes>(wall_);
  capture_.flow_table.capacity = 100;
  const Timestamp minute = wall_;
  for (int i = 0; i < 6; ++i) {
    capture_.flow_table.active = static_cast<std::uint64_t>(i * 10);
    Tick(i == 0 ? 0s : 10s);
  }
  EXPECT_THAT(*store_->SampleNames(), IsEmpty());
  Tick(10s);
  EXPECT_THAT(*store_->SampleNames(),
              testing::IsSupersetOf({"pipeline.flow_table_fill", "memory.usage", "load.1",
                                     "process.resident_bytes", "store.file_bytes"}));
  const std::string since = nta::ToString(minute);
  const json series =
      Get("/api/v1/health/series?name=pipeline.flow_table_fill,nothing&since=" + since);
  ASSERT_EQ(series["lines"].size(), 2u);
  ASSERT_EQ(series["lines"][0]["points"].size(), 1u);
  EXPECT_DOUBLE_EQ(series["lines"][0]["points"][0]["mean"], 0.25);
  EXPECT_EQ(series["lines"][1]["points"].size(), 0u);
  EXPECT_THAT(Get("/api/v1/health/names")["names"].dump(), HasSubstr("pipeline.flow_table_fill"));
}

TEST_F(OperationsTest, ASeriesNeedsNamesAndBounds) {
  for (const char* query : {"", "?name=", "?name=,", "?name=x&step=7", "?name=x&since=tomorrow"}) {
    EXPECT_EQ(Call("GET", std::string("/api/v1/health/series") + query, viewer_).status, 400)
        << query;
  }
  std::string names = "x0";
  for (int i = 1; i < 65; ++i) names += ",x" + std::to_string(i);
  EXPECT_EQ(Call("GET", "/api/v1/health/series?name=" + names, viewer_).status, 400);
}

TEST_F(OperationsTest, AFindingIsOneAlertFromItsRiseToItsEnd) {
  capture_.flow_table.capacity = 100;
  Tick(10s);
  capture_.flow_table.active = 95;
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_EQ(alerts_[0].state, AlertState::kOpen);
  EXPECT_EQ(alerts_[0].alert_class, AlertClass::kPolicy);
  EXPECT_EQ(alerts_[0].severity, Severity::kMedium);
  EXPECT_EQ(alerts_[0].observed, 95);
  EXPECT_EQ(alerts_[0].unit, "%");
  EXPECT_EQ(alerts_[0].summary, "The flow table is 95 % full; when it is full, flows end early.");
  const json health = Get("/api/v1/health");
  EXPECT_EQ(health["status"], "warning");
  EXPECT_EQ(health["findings"][0]["words"], alerts_[0].summary);
  capture_.flow_table.active = 85;  // between the limits: no news
  Tick(10s);
  capture_.flow_table.active = 10;
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(2));
  EXPECT_EQ(alerts_[1].id, alerts_[0].id);
  EXPECT_EQ(alerts_[1].state, AlertState::kClosed);
  EXPECT_EQ(Get("/api/v1/health")["status"], "ok");
}

TEST_F(OperationsTest, ARestartNeitherRepeatsNorForgetsAFinding) {
  capture_.state = CaptureState::kFailed;
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_EQ(alerts_[0].severity, Severity::kCritical);
  Restart(Generous());
  Prepare();
  ASSERT_TRUE(services_->operations.health.Restore().ok());
  EXPECT_EQ(Get("/api/v1/health")["status"], "critical");
  Tick(10s);
  EXPECT_THAT(alerts_, SizeIs(1));
  capture_.state = CaptureState::kRunning;
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(2));
  EXPECT_EQ(alerts_[1].id, alerts_[0].id);
}

TEST_F(OperationsTest, LossAndLagAreTold) {
  capture_.kind = CaptureKind::kInterface;
  capture_.ledger.received = 1000;
  Tick(10s);
  for (int i = 0; i < 5; ++i) {
    capture_.ledger.received += 1000;
    capture_.ledger.dropped += 50;
    capture_.seen_until = wall_ - 2min;
    Tick(10s);
  }
  std::vector<std::string> summaries;
  for (const Alert& alert : alerts_) summaries.push_back(alert.summary);
  EXPECT_THAT(summaries,
              testing::UnorderedElementsAre(HasSubstr("5.0 % of the packets are lost"),
                                            HasSubstr("The capture is 130 s behind the clock")));
}

TEST_F(OperationsTest, AFullQueueAFailedCaptureAndAFailedStoreAreTold) {
  Tick(10s);
  ASSERT_THAT(alerts_, IsEmpty());
  capture_.state = CaptureState::kFailed;
  capture_.store.queue = StoreWriterOptions().max_queued_flows;
  services_->store_health.Tell(absl::ResourceExhaustedError("no space"), monotonic_);
  Tick(10s);
  Tick(10s);
  std::vector<std::string> raised;
  for (const Alert& alert : alerts_) {
    raised.push_back(std::string(ToString(alert.severity)) + " " + alert.summary);
  }
  EXPECT_THAT(raised, SizeIs(4)) << testing::PrintToString(raised);
  EXPECT_EQ(Get("/api/v1/health")["status"], "critical");
}

TEST_F(OperationsTest, TroubleOfTheStoreIsToldAtOnceAndHolds) {
  const auto summary = [this] { return Get("/api/v1/health")["summary"].get<std::string>(); };
  StoreHealth& health = services_->store_health;
  Tick(10s);
  ASSERT_EQ(summary(), "Everything is well.");
  EXPECT_TRUE(health.Tell(absl::ResourceExhaustedError("database or disk is full"), monotonic_));
  // Before the next tick, and also without thresholds.
  EXPECT_EQ(summary(), "The database cannot be written: the disk is full.");
  EXPECT_EQ(Get("/api/v1/health")["status"], "critical");
  EXPECT_EQ(Get("/api/v1/health")["store"],
            (json{{"failed", true}, {"reason", "the disk is full"}}));
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_EQ(alerts_[0].severity, Severity::kCritical);
  // A small write that fits in by chance ends nothing, and begins nothing anew.
  EXPECT_FALSE(health.Tell(absl::OkStatus(), monotonic_));
  EXPECT_FALSE(health.Tell(absl::ResourceExhaustedError("still full"), monotonic_));
  EXPECT_FALSE(health.Probe(*store_, monotonic_));
  for (int i = 0; i < 2; ++i) {
    Tick(5s);
    EXPECT_FALSE(health.Probe(*store_, monotonic_)) << i;
    EXPECT_EQ(Call("GET", "/healthz").status, 503);
    EXPECT_EQ(summary(), "The database cannot be written: the disk is full.");
  }
  EXPECT_THAT(alerts_, SizeIs(1));
  Tick(5s);
  EXPECT_TRUE(health.Probe(*store_, monotonic_));
  EXPECT_EQ(Call("GET", "/healthz").status, 200);
  Tick(10s);
  ASSERT_THAT(alerts_, SizeIs(2));
  EXPECT_EQ(alerts_[1].state, AlertState::kClosed);
  EXPECT_EQ(summary(), "Everything is well.");
}

// By default beyond 2 s for 2 minutes.
TEST_F(OperationsTest, AnApiThatBecomesSlowIsAnAlertWhoeverLooksAndHoweverSeldomItIsAsked) {
  const auto is_latency = [](const Alert& alert) {
    return alert.evidence.at("value") == EvidenceValue(std::string("api.latency_p99_seconds"));
  };
  const auto of_latency = [&] { return std::count_if(alerts_.begin(), alerts_.end(), is_latency); };
  Tick(10s);
  for (int i = 0; i < 15 && of_latency() == 0; ++i) {
    // One request in 20 s, and a dashboard that asks for the health in between.
    if (i % 2 == 0) services_->operations.latency.Record("GET /api/v1/flows", 200, 3s);
    Tick(10s);
    Pass(kTooOldForAnAnswer);
    Get("/api/v1/health");
  }
  ASSERT_EQ(of_latency(), 1);
  const Alert raised = *std::find_if(alerts_.begin(), alerts_.end(), is_latency);
  EXPECT_EQ(raised.state, AlertState::kOpen);
  EXPECT_EQ(raised.severity, Severity::kMedium);
  EXPECT_GE(raised.observed, 3);
  EXPECT_THAT(raised.summary, HasSubstr("One request in a hundred takes longer than 3"));
  EXPECT_EQ(Get("/api/v1/health")["status"], "warning");
  // Quick again: a minute until the slow ones no longer count, and two of hold.
  for (int i = 0; i < 25 && of_latency() == 1; ++i) {
    services_->operations.latency.Record("GET /api/v1/flows", 200, 10ms);
    Tick(10s);
  }
  ASSERT_EQ(of_latency(), 2);
  const Alert over = *std::find_if(alerts_.rbegin(), alerts_.rend(), is_latency);
  EXPECT_EQ(over.id, raised.id);
  EXPECT_EQ(over.state, AlertState::kClosed);
}

TEST_F(OperationsTest, ThresholdsAreSetKeptAndChecked) {
  const json defaults = Get("/api/v1/health/thresholds");
  EXPECT_EQ(defaults["thresholds"], defaults["defaults"]);
  const json mine = json::array({{{"name", "pipeline.store_queue"},
                                  {"level", "critical"},
                                  {"raise_at", 10},
                                  {"clear_at", 5},
                                  {"hold_seconds", 0}}});
  EXPECT_EQ(Put("/api/v1/health/thresholds", {{"thresholds", mine}}).status, 200);
  capture_.store.queue = 20;
  Tick(10s);
  EXPECT_THAT(alerts_, SizeIs(1));
  Restart(Generous());
  Prepare();
  ASSERT_TRUE(services_->operations.health.Restore().ok());
  EXPECT_EQ(Get("/api/v1/health/thresholds")["thresholds"].size(), 1u);
  // A threshold that is gone ends its finding.
  EXPECT_EQ(Put("/api/v1/health/thresholds", {{"thresholds", json::array()}}).status, 200);
  EXPECT_EQ(alerts_.back().state, AlertState::kClosed);
  EXPECT_EQ(Get("/api/v1/health")["status"], "ok");
  const auto watching = [](const char* name) {
    return json::array({{{"name", name},
                         {"level", "warning"},
                         {"raise_at", 2},
                         {"clear_at", 1},
                         {"hold_seconds", 0}}});
  };
  for (const char* name : {"memory.usage", "file_system./not_now.usage", "pipeline.*"}) {
    EXPECT_EQ(Put("/api/v1/health/thresholds", {{"thresholds", watching(name)}}).status, 200)
        << name;
  }
  for (const json& wrong :
       {watching("nosuch.value"), watching("nosuch.*"), json::array({1}),
        json::array({json::object()}),
        json::array({{{"name", "x"}, {"level", "warning"}, {"raise_at", 1}, {"clear_at", 1}}})}) {
    EXPECT_EQ(Put("/api/v1/health/thresholds", {{"thresholds", wrong}}).status, 400);
  }
}

TEST(HealthWords, EveryThresholdThatWeSetHasWords) {
  for (const HealthThreshold& threshold : HealthMonitor::DefaultThresholds()) {
    std::string name = threshold.name;
    if (const std::size_t star = name.find('*'); star != std::string::npos)
      name.replace(star, 1, "/x");
    const HealthFinding finding{name, threshold.level,    HealthFindingState::kRaised, {},
                                {},   threshold.raise_at, threshold.raise_at,          "no words"};
    EXPECT_NE(InWords(finding), "no words") << name;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(InWords(finding)[0])) ||
                std::isdigit(static_cast<unsigned char>(InWords(finding)[0])) ||
                InWords(finding)[0] == '/')
        << InWords(finding);
  }
  EXPECT_EQ(InWords({"file_system./srv.usage",
                     HealthLevel::kWarning,
                     HealthFindingState::kCleared,
                     {},
                     {},
                     0.5,
                     0.9,
                     ""}),
            "Well again: The file system /srv is 50 % full.");
}

TEST_F(OperationsTest, RetentionKeepsAllUntilSomebodySetsIt) {
  const json retention = Get("/api/v1/settings/retention");
  EXPECT_TRUE(retention["settings"]["flow_days"].is_null());
  EXPECT_EQ(retention["settings"]["sample_days"], 30);
  EXPECT_GE(retention["size"]["file_bytes"], 0);
  EXPECT_EQ(Call("PUT", "/api/v1/settings/retention", viewer_, "{}").status, 403);
  EXPECT_EQ(Put("/api/v1/settings/retention", {{"flow_days", 7}, {"max_bytes", 1 << 30}}).status,
            200);
  const json set = Get("/api/v1/settings/retention")["settings"];
  EXPECT_EQ(set["flow_days"], 7);
  EXPECT_EQ(set["max_bytes"], 1 << 30);
  EXPECT_EQ(set["sample_days"], 30);  // left out stays as it is
  EXPECT_EQ(Put("/api/v1/settings/retention", {{"sample_days", nullptr}}).status, 200);
  EXPECT_TRUE(Get("/api/v1/settings/retention")["settings"]["sample_days"].is_null());
  EXPECT_EQ(Get("/api/v1/settings/retention")["settings"]["flow_days"], 7);
  EXPECT_EQ(Put("/api/v1/settings/retention", {{"sample_days", 30}}).status, 200);
  for (const json& wrong :
       {json{{"flow_days", 0}}, json{{"flow_days", -1}}, json{{"flow_days", 36501}},
        json{{"flow_days", "7"}}, json{{"flow_days", 1.5}}, json{{"max_bytes", 1}},
        json{{"alert_days", 99999999999}}, json{{"days", 1}}}) {
    EXPECT_EQ(Put("/api/v1/settings/retention", wrong).status, 400) << wrong;
  }
  EXPECT_EQ(Get("/api/v1/settings/retention")["settings"], set);
}

FlowRecord FlowAt(Timestamp time) {
  FlowRecord flow;
  flow.first_seen = time;
  flow.last_seen = time + 1s;
  flow.protocol = 6;
  flow.source = {*IpAddress::Parse("192.0.2.1"), 1234};
  flow.destination = {*IpAddress::Parse("198.51.100.1"), 80};
  flow.forward.packets = 1;
  flow.forward.wire_bytes = 1000;
  return flow;
}

TEST_F(OperationsTest, RetentionShowsFirstWhatItWouldDeleteAndThenDeletesIt) {
  const std::vector<FlowRecord> flows = {FlowAt(wall_ - 240h), FlowAt(wall_ - 1h)};
  ASSERT_TRUE(store_->Write(flows, {}).ok());
  const Response preview = Call("GET", "/api/v1/settings/retention/preview?flow_days=7", admin_);
  EXPECT_EQ(json::parse(preview.body)["flows"], 1) << preview.body;
  EXPECT_EQ(Call("GET", "/api/v1/settings/retention/preview?flow_days=x", admin_).status, 400);
  EXPECT_THAT(*services_->operations.retention.Run(wall_), HasSubstr("deleted 0 flows"));
  ASSERT_EQ(Put("/api/v1/settings/retention", {{"flow_days", 7}}).status, 200);
  EXPECT_THAT(*services_->operations.retention.Run(wall_), HasSubstr("deleted 1 flows"));
  EXPECT_THAT(store_->Flows({})->flows, SizeIs(1));
}

TEST_F(OperationsTest, RetentionKeepsEachKindWithinItsBytes) {
  ASSERT_TRUE(store_->Write(std::vector<FlowRecord>{FlowAt(wall_ - 1h)}, {}).ok());
  std::vector<Sample> samples;
  for (int i = 0; i < 90'000; ++i) {
    samples.push_back({.name = "cpu.busy", .time = wall_ - i * 60s, .value = 0.5});
  }
  ASSERT_TRUE(store_->WriteSamples(samples).ok());
  const json usage = Get("/api/v1/settings/retention")["usage"];
  EXPECT_EQ(usage["samples"]["count"], 90'000) << usage;
  EXPECT_GT(usage["samples"]["bytes"], 1 << 20);
  EXPECT_EQ(usage["flows"]["count"], 1);
  EXPECT_EQ(usage["incidents"]["count"], 0);
  EXPECT_GT(usage["other_bytes"], 0);
  const Response told =
      Call("GET", "/api/v1/settings/retention/preview?sample_bytes=1048576&sample_days=60", admin_);
  const json preview = json::parse(told.body);
  EXPECT_EQ(preview["samples"], 90'000 - 60 * 1440 - 1) << told.body;
  EXPECT_GT(preview["samples_by_bytes"], 1'000);
  EXPECT_EQ(preview["flows_by_bytes"], 0);
  EXPECT_EQ(preview["incidents"], 0);
  ASSERT_EQ(Put("/api/v1/settings/retention",
                {{"sample_days", nullptr}, {"sample_bytes", 1 << 20}, {"incident_days", 400}})
                .status,
            200);
  EXPECT_EQ(Get("/api/v1/settings/retention")["settings"]["incident_days"], 400);
  ASSERT_TRUE(services_->operations.retention.Run(wall_).ok());
  EXPECT_LE(store_->Usage()->samples.bytes, 1u << 20);
  EXPECT_GT(store_->Usage()->samples.count, 20'000u);
  EXPECT_EQ(Put("/api/v1/settings/retention", {{"alert_bytes", 1000}}).status, 400);
}

TEST_F(OperationsTest, RetentionSettingsOfBeforeAreRead) {
  ASSERT_TRUE(store_
                  ->PutSetting(Retention::kSetting,
                               R"({"flow_days":7,"alert_days":null,"sample_days":30,)"
                               R"("max_bytes":null})")
                  .ok());
  const auto settings = services_->operations.retention.Get();
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->flow_days, 7u);
  EXPECT_FALSE(settings->flow_bytes.has_value());
}

TEST_F(OperationsTest, DamagedRetentionSettingsDeleteNothing) {
  ASSERT_TRUE(store_->Write(std::vector<FlowRecord>{FlowAt(wall_ - 240h)}, {}).ok());
  for (const char* text :
       {"", "{}", R"({"flow_days":0})", R"({"flow_days":"1","alert_days":null})"}) {
    ASSERT_TRUE(store_->PutSetting(Retention::kSetting, text).ok());
    EXPECT_EQ(services_->operations.retention.Run(wall_).status().code(),
              absl::StatusCode::kDataLoss);
    EXPECT_THAT(Get("/api/v1/settings/retention")["problem"].get<std::string>(),
                HasSubstr("set them anew"));
  }
  EXPECT_THAT(store_->Flows({})->flows, SizeIs(1));
}

TEST_F(OperationsTest, TheScheduleIsListedPausedResumedAndRun) {
  Operations& operations = services_->operations;
  ASSERT_TRUE(operations.AddJobs({}).ok());
  const json jobs = Get("/api/v1/schedule")["jobs"];
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_EQ(jobs[1]["name"], "retention");
  EXPECT_EQ(jobs[1]["timing_in_words"], "every 1 h");
  const auto post = [&](const std::string& target, int status) {
    const Response response = Call("POST", "/api/v1/schedule/" + target, admin_);
    EXPECT_EQ(response.status, status) << response.body;
    return json::parse(response.body);
  };
  EXPECT_EQ(post("retention/pause", 200)["paused"], true);
  Pass(2h);
  // Sessions have ended meanwhile.
  admin_ = SignIn("root").access;
  viewer_ = SignIn("alice").access;
  operations.scheduler.RunDue();
  EXPECT_EQ(operations.scheduler.GetJob("retention")->runs, 0u);
  EXPECT_EQ(post("retention/run", 200)["requested"], true);
  operations.scheduler.RunDue();
  EXPECT_THAT(Get("/api/v1/schedule")["jobs"][1]["history"][0]["message"].get<std::string>(),
              HasSubstr("deleted 0 flows"));
  EXPECT_EQ(post("retention/resume", 200)["paused"], false);
  post("nothing/pause", 404);
  EXPECT_EQ(Call("POST", "/api/v1/schedule/retention/run", viewer_).status, 403);
}

TEST_F(OperationsTest, TheTimesOfAJobAreChangedAndStaySo) {
  const auto job = [this](const std::string& name) {
    const json schedule = Get("/api/v1/schedule");
    for (const json& one : schedule["jobs"]) {
      if (one["name"] == name) return one;
    }
    return json();
  };
  ASSERT_TRUE(services_->operations.AddJobs({}).ok());
  const std::string path = "/api/v1/schedule/daily_summary/timing";
  EXPECT_EQ(Call("PUT", path, viewer_, R"({"every_seconds":60})").status, 403);
  EXPECT_EQ(Put(path, {{"daily_at", "04:45"}, {"zone", "utc"}}).status, 200);
  EXPECT_EQ(job("daily_summary")["timing_in_words"], "daily at 04:45 UTC");
  EXPECT_EQ(job("daily_summary")["next_due"], "2027-01-16T04:45:00.000000000Z");
  EXPECT_EQ(Put("/api/v1/schedule/retention/timing", {{"every_seconds", 90}}).status, 200);
  for (const json& wrong :
       {json{{"every_seconds", 0}}, json{{"daily_at", "24:00"}}, json{{"daily_at", "4:45"}},
        json{{"daily_at", "04:45"}, {"every_seconds", 1}}, json::object(),
        json{{"daily_at", "04:45"}, {"zone", "mars"}}}) {
    EXPECT_EQ(Put(path, wrong).status, 400) << wrong;
  }
  EXPECT_EQ(Put("/api/v1/schedule/nothing/timing", {{"every_seconds", 90}}).status, 404);
  const Response too_often = Put("/api/v1/schedule/retention/timing", {{"every_seconds", 59}});
  EXPECT_EQ(too_often.status, 400);
  EXPECT_THAT(too_often.body, HasSubstr("at most every 1 min: give 60 seconds or more"));
  EXPECT_EQ(job("retention")["least_seconds"], 60);
  Restart(Generous());
  Prepare();
  ASSERT_TRUE(services_->operations.AddJobs({}).ok());
  EXPECT_EQ(job("daily_summary")["timing_in_words"], "daily at 04:45 UTC");
  EXPECT_EQ(job("retention")["timing"]["every_seconds"], 90);
  EXPECT_EQ(job("retention")["default_timing"]["every_seconds"], 3600);
}

TEST_F(OperationsTest, AFailingJobIsAFinding) {
  Operations& operations = services_->operations;
  ASSERT_TRUE(operations.scheduler
                  .Add({.name = "backup", .timing = Every{10s}},
                       [](const nta::JobContext&) -> absl::StatusOr<std::string> {
                         return absl::UnavailableError("no disk");
                       })
                  .ok());
  Pass(10s);
  operations.scheduler.RunDue();
  Tick(1s);
  ASSERT_THAT(alerts_, SizeIs(1));
  EXPECT_THAT(alerts_[0].summary, HasSubstr("Scheduled jobs that failed at their last run: 1"));
}

TEST_F(OperationsTest, TheScheduleOutlivesTheServer) {
  int runs = 0;
  const auto add = [&] {
    return services_->operations.scheduler.Add({.name = "once_a_day", .timing = Daily{3h}},
                                               [&](const nta::JobContext&) {
                                                 ++runs;
                                                 return std::string("done");
                                               });
  };
  ASSERT_TRUE(add().ok());
  Pass(24h);
  services_->operations.scheduler.RunDue();
  EXPECT_EQ(runs, 1);
  for (int i = 0; i < 3; ++i) {
    Restart(Generous());
    ASSERT_TRUE(add().ok());
    services_->operations.scheduler.RunDue();
  }
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(services_->operations.scheduler.GetJob("once_a_day")->runs, 1u);
}

TEST_F(OperationsTest, LongJobsHoldUpNoOther) {
  Scheduler& scheduler = services_->operations.scheduler;
  std::atomic<bool> sampled = false;
  ASSERT_TRUE(scheduler
                  .Add({.name = "long", .timing = Every{1s}},
                       [&](const nta::JobContext& context) {
                         while (!context.stop.stop_requested()) std::this_thread::yield();
                         return std::string();
                       })
                  .ok());
  ASSERT_TRUE(scheduler
                  .Add({.name = "sample", .timing = Every{1s}},
                       [&](const nta::JobContext&) {
                         sampled = true;
                         return std::string();
                       })
                  .ok());
  Pass(1s);
  std::jthread thread([&](std::stop_token stop) { RunSchedule(scheduler, stop); });
  while (!sampled) std::this_thread::yield();
  thread.request_stop();
  thread.join();
  EXPECT_FALSE(scheduler.GetJob("long")->running);
}

TEST_F(OperationsTest, ADayIsSummedUp) {
  DailySummaries summaries(*store_, [](ScheduleTime) { return std::chrono::seconds(3600); });
  // 00:10 local time on 2027-01-16.
  const Timestamp now{std::chrono::sys_days(std::chrono::year(2027) / 1 / 15) + 23h + 10min};
  const std::vector<FlowRecord> flows = {FlowAt(now - 12h), FlowAt(now - 13h),
                                         FlowAt(now - 30h)};  // the last is of the day before
  Alert alert;
  alert.id = "a";
  alert.time = now - 5h;
  alert.severity = Severity::kHigh;
  ASSERT_TRUE(store_->Write(flows, {&alert, 1}).ok());
  ASSERT_TRUE(store_->RecordCapture(now - 12h, {.packets_seen = 100, .packets_dropped = 3}).ok());
  const auto made = summaries.Make(now);
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->text, "2027-01-15: 2.0 kB in 2 flows; 1 alert (1 high); 3 of 100 packets lost");
  ASSERT_TRUE(summaries.Make(now + 24h).ok());
  ASSERT_TRUE(summaries.Make(now + 24h).ok());  // again replaces
  const json days = Get("/api/v1/daily_summaries")["daily_summaries"];
  ASSERT_EQ(days.size(), 2u);
  EXPECT_EQ(days[0]["day"], "2027-01-16");
  EXPECT_THAT(days[0]["text"].get<std::string>(), HasSubstr("no alert; nothing was captured"));
  EXPECT_EQ(days[1]["alerts"]["by_severity"]["high"], 1);
  EXPECT_EQ(Get("/api/v1/daily_summaries?limit=1")["daily_summaries"].size(), 1u);
  EXPECT_EQ(Call("GET", "/api/v1/daily_summaries?limit=0", viewer_).status, 400);
}

TEST_F(OperationsTest, DailySummariesAreBounded) {
  DailySummaries summaries(*store_, [](ScheduleTime) { return std::chrono::seconds(0); });
  for (std::size_t i = 0; i < DailySummaries::kKept + 3; ++i) {
    ASSERT_TRUE(summaries.Make(wall_ + std::chrono::days(i)).ok());
  }
  EXPECT_EQ(summaries.Latest(1000)->size(), DailySummaries::kKept);
}

}  // namespace
}  // namespace nta::server
