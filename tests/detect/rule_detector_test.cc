#include "nta/detect/rule_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "detect/flow_events.h"

namespace nta {
namespace {

using namespace testing;  // flow events: nta::testing
using ::testing::HasSubstr;
using ::testing::SizeIs;

AlertRule Rule(const char* text) {
  return {.id = "r", .title = "Rule", .condition = *RuleCondition::Parse(text)};
}

RuleDetector Make(const char* text, RuleDetectorOptions options = {}) {
  return *RuleDetector::Create(Rule(text), options);
}

std::vector<Attempt> Logins(int count, Duration pause, Duration begin = {}) {
  return Repeat(
      count, {.at = begin, .port = 22, .outcome = ContactOutcome::kAnswered}, pause,
      [](Attempt& attempt, int i) { attempt.source_port = static_cast<std::uint16_t>(20000 + i); });
}

// A record that closes: the bytes lie between the two times.
FlowEvent Record(Duration first, Duration last, std::uint64_t bytes, std::uint32_t from = 1) {
  FlowRecord flow = RecordOf({.at = first, .from = Host(from)}, ContactOutcome::kAnswered);
  flow.last_seen = At(last);
  flow.forward.wire_bytes = bytes;
  flow.end_reason = FlowEndReason::kEndOfFlow;
  return {FlowEventType::kEnded, At(last), flow};
}

std::vector<Alert> Opened(const std::vector<Alert>& alerts) {
  std::vector<Alert> opened;
  std::copy_if(alerts.begin(), alerts.end(), std::back_inserter(opened),
               [](const Alert& alert) { return alert.state == AlertState::kOpen; });
  return opened;
}

TEST(RuleDetector, OpensAtTheFlowThatExceedsTheThreshold) {
  RuleDetector detector = Make("count() > 100 per source_address in 60s where dport=22");
  const std::vector<Alert> alerts = AlertsOf(detector, EventsOf(Logins(150, milliseconds(100))));
  const std::vector<Alert> opened = Opened(alerts);
  ASSERT_THAT(opened, SizeIs(1));
  const Alert& alert = opened[0];
  EXPECT_EQ(alert.time, At(milliseconds(100) * 100));
  EXPECT_EQ(alert.detector, "rule:r");
  EXPECT_EQ(alert.alert_class, AlertClass::kPolicy);
  EXPECT_EQ(alert.observed, 101);
  EXPECT_EQ(alert.expected, 100);
  EXPECT_EQ(alert.unit, "flows");
  EXPECT_EQ(alert.window, seconds(60));
  EXPECT_EQ(alert.entity.source, IpAddress::V4(192, 0, 2, 9));
  EXPECT_EQ(alert.entity.destination, std::nullopt);
  EXPECT_EQ(alert.summary,
            "Rule: 101 flows in 1 min for source_address 192.0.2.9, where the rule allows 100.");
  ASSERT_THAT(alert.peers, SizeIs(1));
  EXPECT_EQ(alert.peers[0].name, "198.51.100.7");
  EXPECT_EQ(EvidenceOf<std::string>(alert, "rule"),
            "count() > 100 per source_address in 1m where dport=22");
  EXPECT_THAT(EvidenceOf<std::vector<std::string>>(alert, "sample_flows"), SizeIs(3));
  EXPECT_EQ(alerts.back().state, AlertState::kClosed);
}

TEST(RuleDetector, StaysSilentBelowTheThresholdAndOnOtherTraffic) {
  RuleDetector detector = Make("count() > 100 per source_address in 60s where dport=22");
  std::vector<Attempt> attempts = Logins(100, milliseconds(100));
  std::vector<Attempt> web = Logins(500, milliseconds(10));
  for (Attempt& attempt : web) attempt.port = 443;
  EXPECT_THAT(AlertsOf(detector, EventsOf(attempts + web)), SizeIs(0));
  // One a second is 60 in a window for ever.
  RuleDetector slow = Make("count() > 100 per source_address in 60s where dport=22");
  EXPECT_THAT(AlertsOf(slow, EventsOf(Logins(2000, seconds(1)))), SizeIs(0));
}

TEST(RuleDetector, CountsGroupsApart) {
  RuleDetector detector = Make("count() > 20 per src, dport in 60s");
  std::vector<Attempt> attempts;
  for (std::uint32_t host = 1; host <= 50; ++host) {
    for (int i = 0; i < (host == 7 ? 21 : 20); ++i) {
      attempts.push_back({.at = seconds(i), .from = Host(host), .port = 8080});
    }
  }
  const std::vector<Alert> opened = Opened(AlertsOf(detector, EventsOf(attempts)));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].entity.source, Host(7));
  EXPECT_EQ(opened[0].entity.service, "destination_port 8080");
}

TEST(RuleDetector, CountsDifferentValuesOnce) {
  RuleDetector detector = Make("distinct(dst) >= 30 per src in 60s");
  std::vector<Attempt> attempts;
  for (int round = 0; round < 10; ++round) {
    for (std::uint32_t host = 0; host < 29; ++host) {
      attempts.push_back(
          {.at = milliseconds(round * 3000 + static_cast<int>(host) * 50), .to = Host(host)});
    }
  }
  EXPECT_THAT(AlertsOf(detector, EventsOf(attempts)), SizeIs(0));
  RuleDetector again = Make("distinct(dst) >= 30 per src in 60s");
  attempts.push_back({.at = seconds(31), .to = Host(1000)});
  const std::vector<Alert> opened = Opened(AlertsOf(again, EventsOf(attempts)));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_EQ(opened[0].observed, 30);
}

TEST(RuleDetector, SpreadsBytesOverTheTimeOfTheFlow) {
  // 60 MB in 1,000 s are 3.6 MB in any minute: no spike, although they arrive in one record.
  RuleDetector steady = Make("sum(bytes) > 10M per src in 60s");
  EXPECT_THAT(AlertsOf(steady, {Record({}, seconds(1000), 60'000'000)}), SizeIs(0));
  // The same bytes in 100 s are 36 MB in a minute.
  RuleDetector burst = Make("sum(bytes) > 10M per src in 60s");
  const std::vector<Alert> opened = Opened(AlertsOf(burst, {Record({}, seconds(100), 60'000'000)}));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_NEAR(opened[0].observed, 36e6, 1e3);
}

TEST(RuleDetector, AddsWhatFlowsSendAtTheSameTime) {
  RuleDetector detector = Make("rate(bytes) > 1M in 10s");
  std::vector<FlowEvent> events;
  for (std::uint32_t host = 0; host < 11; ++host) {
    events.push_back(Record({}, seconds(20), 2'000'000, host));  // 100 kB/s each
  }
  const std::vector<Alert> opened = Opened(AlertsOf(detector, events));
  ASSERT_THAT(opened, SizeIs(1));
  EXPECT_NEAR(opened[0].observed, 1.1e6, 1e3);
  EXPECT_EQ(opened[0].unit, "bytes/s");
}

TEST(RuleDetector, TumblingWindowsDoNotOverlap) {
  // 60 flows before a full minute and 60 after it: 120 in a sliding minute, 60 in each whole one.
  const Timestamp start = At({});
  const auto to_minute =
      std::chrono::ceil<std::chrono::minutes>(start + minutes(1)) - start - seconds(6);
  const std::vector<Attempt> attempts = Logins(120, milliseconds(100), to_minute);
  RuleDetector sliding = Make("count() > 100 in 60s");
  EXPECT_THAT(Opened(AlertsOf(sliding, EventsOf(attempts))), SizeIs(1));
  RuleDetector tumbling = Make("count() > 100 in 60s tumbling");
  EXPECT_THAT(AlertsOf(tumbling, EventsOf(attempts)), SizeIs(0));
}

TEST(RuleDetector, DoesNotCareInWhichOrderRecordsClose) {
  std::mt19937 random(1);
  std::vector<FlowEvent> events;
  for (int i = 0; i < 3000; ++i) {
    const auto first = milliseconds(random() % 600'000);
    events.push_back(Record(first, first + milliseconds(random() % 60'000), random() % 300'000,
                            static_cast<std::uint32_t>(random() % 5)));
  }
  // Whatever the order is, each group's greatest window is the same.
  std::vector<double> peaks;
  for (int round = 0; round < 5; ++round) {
    RuleDetector detector = Make("sum(bytes) > 1G per src in 60s");
    AlertsOf(detector, events);
    if (round == 0) {
      peaks = detector.Peaks();
      ASSERT_THAT(peaks, SizeIs(5));
    } else {
      ASSERT_THAT(detector.Peaks(), SizeIs(5));
      for (std::size_t i = 0; i < 5; ++i) EXPECT_NEAR(detector.Peaks()[i], peaks[i], 1);
    }
    std::shuffle(events.begin(), events.end(), random);
  }
}

TEST(RuleDetector, ClosesBelowTheLowerThresholdOnly) {
  AlertRule rule = Rule("count() > 50 in 10s");
  rule.hold = seconds(30);
  RuleDetector detector = *RuleDetector::Create(rule);
  // 100 in 10 s, then 30 in 10 s (more than half of 50) for 100 s, then silence.
  const auto attempts = Logins(100, milliseconds(100)) +
                        Logins(300, milliseconds(333), seconds(10)) + Logins(1, {}, seconds(400));
  std::vector<Alert> alerts;
  for (const FlowEvent& event : EventsOf(attempts)) detector.Observe(event, alerts);
  ASSERT_THAT(Opened(alerts), SizeIs(1));
  const auto closed = std::find_if(alerts.begin(), alerts.end(), [](const Alert& alert) {
    return alert.state == AlertState::kClosed;
  });
  ASSERT_NE(closed, alerts.end());
  EXPECT_GT(closed->observed, 50) << "what kept it open is not what it was about";
  EXPECT_GE(closed->time, At(seconds(10) + milliseconds(333) * 290 + seconds(30)));
  EXPECT_LE(closed->time, At(seconds(10) + milliseconds(333) * 300 + seconds(40)));
}

TEST(RuleDetector, StaysWithinItsMemoryUnderAFloodOfGroups) {
  RuleDetectorOptions options{.max_groups = 1000, .max_memory_bytes = 1 << 20};
  RuleDetector detector = Make("distinct(dport) > 1000 per src, sport in 1h", options);
  std::vector<Alert> alerts;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    FlowRecord flow = RecordOf({.at = milliseconds(i), .from = Host(i)}, ContactOutcome::kPending);
    detector.Observe({FlowEventType::kStarted, At(milliseconds(i)), flow}, alerts);
    ASSERT_LE(detector.memory_bytes(), detector.memory_limit_bytes());
  }
  const RuleDetectorStats stats = detector.Stats();
  EXPECT_EQ(stats.flows, 200'000U);
  EXPECT_LE(stats.groups, 1000U);
  EXPECT_EQ(stats.evicted_groups + stats.groups, 200'000U);
  EXPECT_EQ(detector.evictions(), stats.evicted_groups);
}

TEST(RuleDetector, GoesOnFromASavedState) {
  const char* text = "distinct(dport) > 60 per src in 60s";
  const auto events = EventsOf(PortScan(200));
  RuleDetector whole = Make(text);
  std::vector<Alert> expected;
  for (const FlowEvent& event : events) whole.Observe(event, expected);
  ASSERT_FALSE(expected.empty());
  for (const std::size_t cut : {std::size_t{1}, events.size() / 4, events.size() / 2}) {
    RuleDetector first = Make(text);
    RuleDetector second = Make(text);
    std::vector<Alert> alerts;
    for (std::size_t i = 0; i < cut; ++i) first.Observe(events[i], alerts);
    ASSERT_TRUE(second.Load(first.Save()).ok());
    for (std::size_t i = cut; i < events.size(); ++i) second.Observe(events[i], alerts);
    ASSERT_EQ(alerts.size(), expected.size());
    for (std::size_t i = 0; i < alerts.size(); ++i) {
      EXPECT_EQ(alerts[i].id, expected[i].id);
      EXPECT_EQ(alerts[i].observed, expected[i].observed);
      EXPECT_EQ(alerts[i].time, expected[i].time);
    }
  }
}

TEST(RuleDetector, RefusesForeignAndDamagedStates) {
  RuleDetector detector = Make("count() > 5 per src in 60s");
  AlertsOf(detector, EventsOf(Logins(10, seconds(1))));
  const std::string state = detector.Save();
  RuleDetector other = Make("count() > 6 per src in 60s");
  EXPECT_TRUE(absl::IsInvalidArgument(other.Load(state)));
  RuleDetector same = Make("count() > 5 per src in 60s");
  for (std::size_t i = 0; i < state.size(); ++i) {
    std::string damaged = state;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x5a);
    EXPECT_FALSE(same.Load(damaged).ok()) << i;
    EXPECT_FALSE(same.Load(state.substr(0, i)).ok()) << i;
  }
  EXPECT_TRUE(same.Load(state).ok());
}

TEST(RuleDetector, TakesAnyTime) {
  RuleDetector detector = Make("sum(bytes) > 1 per src in 1s");
  std::vector<Alert> alerts;
  for (const Timestamp first : {kMinPacketTime, Timestamp{}, kMaxPacketTime}) {
    for (const Timestamp last : {kMinPacketTime, Timestamp{}, kMaxPacketTime}) {
      FlowEvent event = Record({}, {}, 100);
      event.flow.first_seen = std::min(first, last);
      event.flow.last_seen = std::max(first, last);
      event.time = event.flow.last_seen;
      detector.Observe(event, alerts);
    }
  }
  detector.Finish(alerts);
  EXPECT_FALSE(alerts.empty());
}

}  // namespace
}  // namespace nta
