#include "nta/json/operations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace nta {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(OperationsJson, ASampleTellsCountersAndRatesSideBySide) {
  HealthSample sample;
  sample.time = HealthTime(1800000000s);
  sample.disks.push_back({.name = "sda", .reads = 7});
  sample.disks.push_back({.name = "sdb"});
  sample.interfaces.push_back({.name = "eth0", .state = "up"});
  sample.file_systems.push_back(
      {.mount_point = "/a\nb", .total_bytes = 100, .free_bytes = 50, .available_bytes = 30});
  HealthRates rates;
  rates.elapsed = 10s;
  rates.disks.push_back({.name = "sda", .reads = 0.5});
  const std::string json = ToJson(sample, rates);
  EXPECT_THAT(json, HasSubstr(R"("time":"2027-01-15T08:00:00.000000000Z")"));
  EXPECT_THAT(json, HasSubstr(R"("cpu":null)"));
  EXPECT_THAT(json, HasSubstr(R"("memory":null)"));
  EXPECT_THAT(json, HasSubstr(R"("name":"sda","is_partition":false,"reads":7)"));
  EXPECT_THAT(json, HasSubstr(R"("reads_per_second":0.5)"));
  EXPECT_THAT(json, HasSubstr(R"("reads_per_second":null)"));
  EXPECT_THAT(json, HasSubstr(R"("mount_point":"/a\nb")"));
  EXPECT_THAT(json, HasSubstr(R"("usage":0.625)"));
  EXPECT_EQ(json.find('\n'), std::string::npos);
}

TEST(OperationsJson, ThresholdsComeBackAsTheyWere) {
  std::string text = "[";
  for (const HealthThreshold& threshold : DefaultHealthThresholds()) {
    text += (text.size() > 1 ? "," : "") + ToJson(threshold);
  }
  const auto thresholds = HealthThresholdsFromJson(text + "]");
  ASSERT_TRUE(thresholds.ok()) << thresholds.status();
  EXPECT_EQ(*thresholds, DefaultHealthThresholds());
}

TEST(OperationsJson, WrongThresholdsAreNamed) {
  const std::vector<std::pair<const char*, const char*>> cases = {
      {"{}", "array"},
      {"[1]", "thresholds[0]"},
      {R"([{"name":"x","level":"bad","raise_at":1,"clear_at":0}])", "thresholds[0].level"},
      {R"([{"name":"x","level":"warning","clear_at":0}])", "thresholds[0].raise_at"},
      {R"([{"name":"x","level":"warning","raise_at":null,"clear_at":0}])",
       "thresholds[0].raise_at"},
      {R"([{"name":"x","level":"warning","raise_at":1,"clear_at":0,"more":1}])",
       "thresholds[0].more"}};
  for (const auto& [text, named] : cases) {
    const auto thresholds = HealthThresholdsFromJson(text);
    EXPECT_EQ(thresholds.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(thresholds.status().message()), HasSubstr(named));
  }
}

TEST(OperationsJson, FindingsComeBackAsTheyWere) {
  const HealthFinding finding{"file_system./.usage",
                              HealthLevel::kCritical,
                              HealthFindingState::kRaised,
                              HealthTime(5s),
                              HealthTime(7s),
                              0.98,
                              0.97,
                              "file_system./.usage is 0.98"};
  const auto findings = HealthFindingsFromJson("[" + ToJson(finding) + "]");
  ASSERT_TRUE(findings.ok()) << findings.status();
  EXPECT_THAT(*findings, testing::ElementsAre(finding));
  EXPECT_FALSE(HealthFindingsFromJson("[{}]").ok());
}

TEST(OperationsJson, AJobTellsItsTimesAndItsRuns) {
  JobStatus status;
  status.options = {.name = "retention", .timing = Daily{3h + 5min, DayZone::kLocal}};
  status.history.push_back({.started = ScheduleTime(10s),
                            .finished = ScheduleTime(11s + 500ms),
                            .cause = RunCause::kMissed,
                            .outcome = RunOutcome::kFailed,
                            .message = "the disk is away",
                            .missed = 2});
  const std::string json = ToJson(status);
  EXPECT_THAT(json,
              HasSubstr(R"("timing":{"every_seconds":null,"daily_at":"03:05","zone":"local"})"));
  EXPECT_THAT(json, HasSubstr(R"("timing_in_words":"daily at 03:05 local time")"));
  EXPECT_THAT(json, HasSubstr(R"("least_seconds":1)"));
  EXPECT_THAT(json, HasSubstr(R"("next_due":null)"));
  EXPECT_THAT(json, HasSubstr(R"("seconds":1.5,"cause":"missed","outcome":"failed")"));
}

}  // namespace
}  // namespace nta
