// The life of alerts: when people hear of one, and when not.
#include "nta/detect/alert_tracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "detect/state_archive.h"
#include "nta/detect/alert_budget.h"

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Timestamp At(Duration since_start) {
  return Timestamp(std::chrono::seconds(1'700'000'000)) + since_start;
}

IpAddress Host(std::uint32_t number) {
  return IpAddress::V4(static_cast<std::uint8_t>(11 + (number >> 24)),
                       static_cast<std::uint8_t>(number >> 16),
                       static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number));
}

AlertFinding Flood(std::uint32_t victim, double magnitude = 1,
                   Severity severity = Severity::kMedium) {
  return {.alert_class = AlertClass::kUdpFlood,
          .entity = {.source = {}, .destination = Host(victim), .service = {}},
          .severity = severity,
          .magnitude = magnitude};
}

class Tracker {
 public:
  explicit Tracker(AlertTrackerOptions options = {}) : tracker_("flood", options) {}

  bool Raise(const AlertFinding& finding, Duration at) {
    return tracker_.Raise(
        finding, At(at), [&](Alert& alert) { alert.observed = finding.magnitude; }, alerts);
  }
  AlertTracker& operator*() { return tracker_; }
  AlertTracker* operator->() { return &tracker_; }

  std::vector<Alert> alerts;

 private:
  AlertTracker tracker_;
};

TEST(AlertTracker, OpensUpdatesAtTenfoldAndClosesAfterItsHold) {
  Tracker tracker;
  tracker.Raise(Flood(1, 5), seconds(0));
  tracker.Raise(Flood(1, 49), seconds(70));
  tracker.Raise(Flood(1, 50), seconds(80));
  tracker->AdvanceTo(At(hours(1)), tracker.alerts);
  ASSERT_THAT(tracker.alerts, SizeIs(3));
  EXPECT_EQ(tracker.alerts[0].state, AlertState::kOpen);
  EXPECT_EQ(tracker.alerts[0].id, "flood-000001");
  EXPECT_EQ(tracker.alerts[1].state, AlertState::kUpdated);
  EXPECT_EQ(tracker.alerts[1].observed, 50);
  EXPECT_EQ(tracker.alerts[2].state, AlertState::kClosed);
  EXPECT_EQ(tracker.alerts[2].time, At(seconds(80) + minutes(5)));
  EXPECT_EQ(tracker.alerts[2].last_seen, At(seconds(80)));
  EXPECT_EQ(tracker.alerts[2].first_seen, At(seconds(0)));
  EXPECT_EQ(tracker.alerts[2].count, 2u);
}

TEST(AlertTracker, ReportsWhatCameWithinTheMinuteWhenTheMinuteIsOver) {
  Tracker tracker;
  tracker.Raise(Flood(1, 1), seconds(0));
  tracker.Raise(Flood(1, 10), seconds(1));
  tracker.Raise(Flood(1, 1000), seconds(2));
  EXPECT_THAT(tracker.alerts, SizeIs(1));
  tracker->AdvanceTo(At(seconds(90)), tracker.alerts);
  ASSERT_THAT(tracker.alerts, SizeIs(2));
  EXPECT_EQ(tracker.alerts[1].time, At(seconds(60)));
  EXPECT_EQ(tracker.alerts[1].observed, 1000);
}

TEST(AlertTracker, ARiseOfSeverityIsToldAtOnce) {
  Tracker tracker;
  tracker.Raise(Flood(1, 1), seconds(0));
  tracker.Raise(Flood(1, 1, Severity::kCritical), seconds(1));
  ASSERT_THAT(tracker.alerts, SizeIs(2));
  EXPECT_EQ(tracker.alerts[1].state, AlertState::kUpdated);
  EXPECT_EQ(tracker.alerts[1].severity, Severity::kCritical);
  EXPECT_EQ(tracker.alerts[1].time, At(seconds(1)));
  EXPECT_EQ(tracker.alerts[1].count, 2u);
}

TEST(AlertTracker, ARiseTellsOfTheGrowthThatWaited) {
  Tracker tracker;
  tracker.Raise(Flood(1, 1), seconds(0));
  tracker.Raise(Flood(1, 20), seconds(1));
  tracker.Raise(Flood(1, 30, Severity::kHigh), seconds(2));
  tracker->AdvanceTo(At(minutes(4)), tracker.alerts);
  ASSERT_THAT(tracker.alerts, SizeIs(2)) << "nothing is left to be told when the minute is over";
  EXPECT_EQ(tracker.alerts[1].observed, 30);
}

TEST(AlertTracker, ASeverityThatComesAndGoesIsToldOnce) {
  Tracker tracker;
  for (int i = 0; i < 50; ++i) {
    tracker.Raise(Flood(1, 1, i % 2 == 0 ? Severity::kMedium : Severity::kHigh), seconds(i));
  }
  EXPECT_THAT(tracker.alerts, SizeIs(2));
}

TEST(AlertTracker, AStormThatBecomesWorseSaysSoAtOnce) {
  Tracker tracker({.storm_alerts = 5});
  for (std::uint32_t host = 0; host < 10; ++host) tracker.Raise(Flood(host), seconds(0));
  const std::size_t rows = tracker.alerts.size();
  tracker.Raise(Flood(11, 1, Severity::kCritical), seconds(1));
  ASSERT_THAT(tracker.alerts, SizeIs(rows + 1));
  EXPECT_EQ(tracker.alerts.back().severity, Severity::kCritical);
  EXPECT_EQ(std::get<std::int64_t>(tracker.alerts.back().evidence.at("suppressed_alerts")), 6);
}

TEST(AlertTracker, OpensAgainWithTheSameIdWithinTenMinutesAndWithAnotherAfter) {
  Tracker tracker;
  tracker.Raise(Flood(1), seconds(0));
  tracker.Raise(Flood(1), minutes(5) + minutes(9));
  tracker.Raise(Flood(1), hours(1));
  tracker->Finish(tracker.alerts);
  ASSERT_THAT(tracker.alerts, SizeIs(6));
  EXPECT_EQ(tracker.alerts[2].state, AlertState::kOpen);
  EXPECT_EQ(tracker.alerts[2].id, "flood-000001");
  EXPECT_EQ(tracker.alerts[2].first_seen, At(seconds(0)));
  EXPECT_EQ(tracker.alerts[4].id, "flood-000002");
  EXPECT_EQ(tracker->Stats().opened, 2u);
  EXPECT_EQ(tracker->Stats().reopened, 1u);
}

TEST(AlertTracker, OneAlertForEachClassAndEntity) {
  Tracker tracker;
  AlertFinding other = Flood(1);
  other.alert_class = AlertClass::kSynFlood;
  AlertFinding with_port = Flood(1);
  with_port.entity.service = "udp/53";
  for (const AlertFinding& finding : {Flood(1), other, with_port, Flood(2), Flood(1), other}) {
    tracker.Raise(finding, seconds(0));
  }
  EXPECT_THAT(tracker.alerts, SizeIs(4));
}

TEST(AlertTracker, AlertsBeyondFiftyOnOnePrefixBecomeOne) {
  Tracker tracker;
  for (std::uint32_t host = 0; host < 256; ++host) tracker.Raise(Flood(host), seconds(1));
  ASSERT_THAT(tracker.alerts, SizeIs(51));
  const Alert storm = tracker.alerts.back();
  EXPECT_EQ(std::get<std::string>(storm.evidence.at("prefix")), "11.0.0.0/24");
  EXPECT_EQ(storm.alert_class, AlertClass::kUdpFlood);
  tracker->Finish(tracker.alerts);
  EXPECT_EQ(tracker->Stats().suppressed, 206u);
  const Alert last = tracker.alerts.back();
  EXPECT_EQ(last.id, storm.id);
  EXPECT_EQ(std::get<std::int64_t>(last.evidence.at("suppressed_alerts")), 206);
  EXPECT_THAT(last.summary, HasSubstr("206 are held back"));
}

TEST(AlertTracker, FindingsHeldBackBeforeAreNotCountedTwice) {
  Tracker tracker;
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t host = 0; host < 100; ++host) tracker.Raise(Flood(host), seconds(round));
  }
  EXPECT_EQ(tracker->Stats().suppressed, 50u);
}

TEST(AlertTracker, AStormOfAMillionLeavesRowsBoundedAndCountsExact) {
  Tracker tracker;
  constexpr std::uint32_t kStorm = 1'000'000;
  std::uint64_t shown = 0;
  for (std::uint32_t i = 0; i < kStorm; ++i) {
    // No two in one prefix, a hundred a second for almost three hours.
    shown += tracker.Raise(Flood(i << 8 | i >> 24), i * std::chrono::milliseconds(10)) ? 1 : 0;
  }
  const std::size_t held = tracker->memory_bytes();
  EXPECT_LT(held, tracker->memory_limit_bytes());
  tracker->Finish(tracker.alerts);
  const AlertTrackerStats stats = tracker->Stats();
  EXPECT_EQ(stats.opened, shown);
  EXPECT_EQ(stats.suppressed, kStorm - shown);
  EXPECT_EQ(stats.active, 0u);
  EXPECT_LT(shown, 700u);
  std::map<std::string, const Alert*> rows;
  for (const Alert& alert : tracker.alerts) rows[alert.id] = &alert;
  EXPECT_LT(rows.size(), 800u);
  std::int64_t told = 0;
  for (const auto& [id, alert] : rows) {
    const auto found = alert->evidence.find("suppressed_alerts");
    if (found != alert->evidence.end()) told += std::get<std::int64_t>(found->second);
  }
  EXPECT_EQ(told, static_cast<std::int64_t>(stats.suppressed)) << "what people are told is exact";
}

TEST(AlertTracker, DoesNotDependOnHowOftenItIsToldTheTime) {
  const auto play = [](bool often) {
    Tracker tracker({.storm_alerts = 5, .max_per_hour = 20, .max_alerts = 12});
    std::uint32_t random = 1;
    Duration now{};
    for (int i = 0; i < 3000; ++i) {
      random = random * 1664525 + 1013904223;
      now += seconds(random >> 8 & 31);
      if (often) tracker->AdvanceTo(At(now), tracker.alerts);
      tracker.Raise(Flood(random >> 20 & 63, 1 << (random >> 16 & 7),
                          static_cast<Severity>(random >> 13 & 3)),
                    now);
    }
    tracker->Finish(tracker.alerts);
    return tracker.alerts;
  };
  EXPECT_EQ(play(false), play(true));
}

TEST(AlertTracker, GoesOnFromASavedState) {
  for (const int split : {0, 3, 60, 500, 1999}) {
    Tracker whole({.storm_alerts = 5, .max_per_hour = 20, .max_alerts = 12});
    Tracker resumed({.storm_alerts = 5, .max_per_hour = 20, .max_alerts = 12});
    std::uint32_t random = 1;
    Duration now{};
    for (int i = 0; i < 2000; ++i) {
      random = random * 1664525 + 1013904223;
      now += seconds(random >> 8 & 31);
      const AlertFinding finding = Flood(random >> 20 & 63, 1 << (random >> 16 & 7));
      whole.Raise(finding, now);
      if (i == split) {
        resumed.alerts = whole.alerts;
        ASSERT_TRUE(resumed->Load(whole->Save()).ok());
      } else if (i > split) {
        resumed.Raise(finding, now);
      }
    }
    whole->Finish(whole.alerts);
    resumed->Finish(resumed.alerts);
    ASSERT_EQ(resumed.alerts, whole.alerts) << split;
  }
}

TEST(AlertTracker, RefusesDamagedStatesAndStaysAsItWas) {
  Tracker tracker;
  tracker.Raise(Flood(1), seconds(0));
  const std::string state = tracker->Save();
  for (std::size_t size = 0; size < state.size(); size += 7) {
    EXPECT_FALSE(tracker->Load(state.substr(0, size)).ok());
  }
  EXPECT_FALSE(tracker->Load(detect::SealState("alert_tracker", 1, "x")).ok());
  EXPECT_FALSE(tracker->Load(detect::SealState("alert_tracker", 9, "")).ok());
  EXPECT_EQ(tracker->Save(), state);
}

TEST(AlertTracker, TimesAtTheEndsOfTheirRangeDoNoHarm) {
  Tracker tracker;
  AlertFinding held = Flood(2);
  held.hold = Duration::max();
  tracker->Raise(
      held, Timestamp::min(), [](Alert&) {}, tracker.alerts);
  tracker->Raise(
      Flood(1), Timestamp::max(), [](Alert&) {}, tracker.alerts);
  tracker->AdvanceTo(Timestamp::max(), tracker.alerts);
  tracker->Finish(tracker.alerts);
  EXPECT_THAT(tracker.alerts, SizeIs(4));
}

TEST(AlertTracker, ClosesWhenTheDetectorSaysSo) {
  Tracker tracker;
  AlertFinding held = Flood(2);
  held.hold = Duration::max();
  tracker.Raise(held, seconds(0));
  tracker->AdvanceTo(At(hours(24 * 365)), tracker.alerts);
  EXPECT_THAT(tracker.alerts, SizeIs(1));
  EXPECT_TRUE(tracker->IsOpen(held.alert_class, held.entity));
  const auto fill = [](Alert& alert) { alert.summary = "over"; };
  tracker->Close(held.alert_class, held.entity, At(hours(24 * 366)), fill, tracker.alerts);
  ASSERT_THAT(tracker.alerts, SizeIs(2));
  EXPECT_EQ(tracker.alerts[1].summary, "over");
  tracker->Close(held.alert_class, held.entity, At(hours(24 * 366)), fill, tracker.alerts);
  EXPECT_THAT(tracker.alerts, SizeIs(2));
}

TEST(AlertBudget, TurnsAlertsADayIntoBits) {
  EXPECT_DOUBLE_EQ(ThresholdBits(5 * 1024, 5), 10);
  EXPECT_EQ(ThresholdBits(1, 5), 0);
  EXPECT_GT(ThresholdBits(1e18, 0), 1000);
}

TEST(AlertBudget, LearnsHowOftenItIsAsked) {
  AlertBudget budget({.alerts_per_day = 5, .min_bits = 0});
  for (int i = 0; i < 3 * 86400; ++i) budget.Test(At(seconds(i)));
  EXPECT_NEAR(budget.tests_per_day(), 86400, 90);
  EXPECT_NEAR(budget.threshold_bits(), std::log2(86400 / 5.0), 0.01);
}

}  // namespace
}  // namespace nta
