#include "nta/pipeline/backtest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "nta/capture/memory_source.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/detect/rule_detector.h"
#include "support/packet_builder.h"

namespace nta {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::SizeIs;

const Timestamp kStart{seconds(1'700'000'000)};

AlertRule Rule(const char* text, const char* id = "r") {
  return {.id = id, .title = "Rule", .condition = *RuleCondition::Parse(text)};
}

FlowRecord Flow(Duration first, Duration last, std::uint8_t host, std::uint64_t bytes = 1000,
                FlowEndReason reason = FlowEndReason::kEndOfFlow) {
  FlowRecord flow;
  flow.first_seen = kStart + first;
  flow.last_seen = kStart + last;
  flow.protocol = kProtocolTcp;
  flow.source = {IpAddress::V4(10, 0, 0, host), 40000};
  flow.destination = {IpAddress::V4(192, 0, 2, 1), 443};
  flow.outcome = ContactOutcome::kAnswered;
  flow.forward.packets = 10;
  flow.forward.wire_bytes = bytes;
  flow.end_reason = reason;
  return flow;
}

FlowFeed FeedOf(std::vector<FlowRecord> flows) {
  std::stable_sort(flows.begin(), flows.end(), [](const FlowRecord& a, const FlowRecord& b) {
    return a.last_seen < b.last_seen;
  });
  return [flows = std::move(flows)](FlowSink sink) -> absl::Status {
    for (const FlowRecord& flow : flows) {
      if (absl::Status status = sink(flow); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
}

BacktestReport RunOver(const AlertRule& rule, const FlowFeed& feed, BacktestOptions options = {}) {
  RuleDetector detector = *RuleDetector::Create(rule);
  Detector* const detectors[] = {&detector};
  auto report = BacktestFlows(detectors, feed, options);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

// What a person sees of an alert, but for its time of closing.
std::vector<std::string> Described(const BacktestReport& report) {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < report.kept.size(); ++i) {
    const Alert& alert = report.kept[i];
    lines.push_back(alert.id + " " + alert.detector + " " +
                    (alert.entity.source ? alert.entity.source->ToString() : "-") + " " +
                    (alert.entity.destination ? alert.entity.destination->ToString() : "-"));
  }
  return lines;
}

// Packets of sessions and refused attempts of a few hosts over some minutes.
std::vector<Packet> Traffic() {
  std::mt19937 random(7);
  std::vector<Packet> packets;
  for (int i = 0; i < 1500; ++i) {
    const auto at = milliseconds(random() % 300'000);
    const auto client = static_cast<std::uint8_t>(1 + random() % 6);
    const auto port = static_cast<std::uint16_t>(10'000 + i);
    const test::Conversation conversation{
        .client = {IpAddress::V4(10, 0, 0, client), port},
        .server = {IpAddress::V4(192, 0, 2, static_cast<std::uint8_t>(random() % 4)),
                   client == 6 ? static_cast<std::uint16_t>(1 + i) : std::uint16_t{443}},
        .start = kStart + at};
    const std::vector<Packet> session =
        client == 6 ? test::TcpRefused(conversation) : test::TcpSession(conversation, 200, 5000);
    packets.insert(packets.end(), session.begin(), session.end());
  }
  std::stable_sort(packets.begin(), packets.end(),
                   [](const Packet& a, const Packet& b) { return a.view().time < b.view().time; });
  return packets;
}

void Fill(MemorySource& source) {
  for (const Packet& packet : Traffic()) ASSERT_TRUE(source.Push(packet.view()));
  source.Close();
}

TEST(Backtest, SaysOfStoredFlowsWhatItSaysOfTheirPackets) {
  const std::vector<AlertRule> rules = {
      Rule("count() > 30 per source_address in 30s", "count"),
      Rule("distinct(dport) > 8 per src, dst in 60s", "distinct"),
      Rule("sum(bytes) > 200k per src in 60s", "sum"),
      Rule("rate(packets) > 8 per dst in 20s", "rate"),
      Rule("count() > 20 per src in 60s where tcp_state=reset", "late"),
  };
  std::vector<RuleDetector> live;
  std::vector<RuleDetector> stored;
  for (const AlertRule& rule : rules) {
    live.push_back(*RuleDetector::Create(rule));
    stored.push_back(*RuleDetector::Create(rule));
  }
  PortScanDetector live_scans;
  PortScanDetector stored_scans;
  std::vector<Detector*> live_detectors = {&live_scans};
  std::vector<Detector*> stored_detectors = {&stored_scans};
  for (RuleDetector& detector : live) live_detectors.push_back(&detector);
  for (RuleDetector& detector : stored) stored_detectors.push_back(&detector);

  MemorySource source;
  Fill(source);
  const auto from_packets = BacktestCapture(live_detectors, source);
  ASSERT_TRUE(from_packets.ok()) << from_packets.status();

  std::vector<FlowRecord> flows;
  MemorySource again;
  Fill(again);
  Pipeline pipeline(again);
  ASSERT_TRUE(pipeline
                  .Run([&](const Batch& batch) {
                    flows.insert(flows.end(), batch.flows.begin(), batch.flows.end());
                    return absl::OkStatus();
                  })
                  .ok());
  const auto from_flows = BacktestFlows(stored_detectors, FeedOf(flows));
  ASSERT_TRUE(from_flows.ok()) << from_flows.status();

  EXPECT_GE(from_packets->alerts, 10U);
  EXPECT_EQ(from_packets->by_detector.size(), 6U)
      << "each of them has something to say; those are silent: "
      << testing::PrintToString(from_packets->by_detector);
  EXPECT_EQ(from_flows->by_detector, from_packets->by_detector);
  EXPECT_EQ(from_flows->late_flows, 0U);
  std::vector<std::string> a = Described(*from_packets);
  std::vector<std::string> b = Described(*from_flows);
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  EXPECT_EQ(a, b);
}

TEST(Backtest, CountsAlertsByDayAndKeepsTheFirst) {
  std::vector<FlowRecord> flows;
  for (int day = 0; day < 5; ++day) {
    for (std::uint8_t host = 1; host <= day; ++host) {
      for (int i = 0; i < 20; ++i) {
        flows.push_back(Flow(hours(24 * day) + seconds(i), hours(24 * day) + seconds(i + 1), host));
      }
    }
  }
  flows.push_back(Flow({}, {}, 99));
  const BacktestReport report =
      RunOver(Rule("count() > 10 per src in 60s"), FeedOf(flows), {.max_alerts = 3});
  EXPECT_EQ(report.flows, 201U);
  EXPECT_EQ(report.alerts, 10U);
  EXPECT_THAT(report.by_day, SizeIs(4));
  EXPECT_EQ(report.by_day.rbegin()->second, 4U);
  EXPECT_EQ(report.by_class.at("policy"), 10U);
  EXPECT_THAT(report.kept, SizeIs(3));
  EXPECT_NEAR(report.days(), 4.0, 0.01);
  EXPECT_NEAR(report.alerts_per_day(), 2.5, 0.01);
}

TEST(Backtest, TellsWhatAnotherConfigurationChanges) {
  std::vector<FlowRecord> flows;
  for (std::uint8_t host = 1; host <= 10; ++host) {
    for (int i = 0; i < 10 * host; ++i) flows.push_back(Flow(seconds(i), seconds(i + 1), host));
  }
  const FlowFeed feed = FeedOf(flows);
  const BacktestReport strict = RunOver(Rule("count() > 25 per src in 1h"), feed);
  const BacktestReport lax = RunOver(Rule("count() > 75 per src in 1h"), feed);
  const BacktestDifference difference = Compare(strict, lax);
  EXPECT_EQ(difference.same, 3U);
  EXPECT_THAT(difference.appear, SizeIs(0));
  ASSERT_THAT(difference.vanish, SizeIs(5));
  std::vector<std::string> gone;
  for (const Alert& alert : difference.vanish) gone.push_back(alert.entity.source->ToString());
  EXPECT_THAT(gone, testing::UnorderedElementsAre("10.0.0.3", "10.0.0.4", "10.0.0.5", "10.0.0.6",
                                                  "10.0.0.7"));
  EXPECT_THAT(Compare(lax, strict).appear, SizeIs(5));
}

TEST(Backtest, HidesWhatIsSuppressedAndCountsIt) {
  std::vector<FlowRecord> flows;
  for (std::uint8_t host = 1; host <= 4; ++host) {
    for (int i = 0; i < 20; ++i) flows.push_back(Flow(seconds(i), seconds(i + 1), host));
  }
  const BacktestReport report =
      RunOver(Rule("count() > 10 per src in 60s"), FeedOf(flows),
              {.suppressions = {
                   {.id = "s", .sources = {*IpPrefix::Parse("10.0.0.2/31")}, .reason = "known"}}});
  EXPECT_EQ(report.alerts, 2U);
  EXPECT_EQ(report.hidden, 2U);
}

TEST(Backtest, SuggestsAThresholdThatKeepsTheBudget) {
  std::mt19937 random(3);
  std::vector<FlowRecord> flows;
  for (int day = 0; day < 7; ++day) {
    for (std::uint8_t host = 1; host <= 60; ++host) {
      const auto burst = 1 + random() % (5U * host);
      for (unsigned i = 0; i < burst; ++i) {
        const Duration at = hours(24 * day) + minutes(host) + milliseconds(100) * i;
        flows.push_back(Flow(at, at + seconds(1), host));
      }
    }
  }
  const FlowFeed feed = FeedOf(flows);
  const AlertRule rule = Rule("count() > 3 per src in 60s");
  EXPECT_GT(RunOver(rule, feed).alerts_per_day(), 50);
  const auto suggestion = SuggestThreshold(rule, feed, 5);
  ASSERT_TRUE(suggestion.ok()) << suggestion.status();
  ASSERT_TRUE(suggestion->threshold);
  EXPECT_GE(suggestion->points.size(), 3U);
  AlertRule changed = rule;
  changed.condition = rule.condition.WithThreshold(*suggestion->threshold);
  const BacktestReport report = RunOver(changed, feed);
  EXPECT_LE(report.alerts_per_day(), 5);
  EXPECT_GT(report.alerts, 0U) << "not merely too high";
  for (std::size_t i = 1; i < suggestion->points.size(); ++i) {
    EXPECT_LE(suggestion->points[i].alerts, suggestion->points[i - 1].alerts);
  }
  EXPECT_FALSE(SuggestThreshold(rule, FeedOf({}), 5)->threshold);
}

// Over the packets of Traffic(), each time anew.
BacktestPass OverCapture() {
  return [](std::span<Detector* const> detectors) {
    MemorySource source;
    Fill(source);
    return BacktestCapture(detectors, source);
  };
}

TEST(Backtest, SuggestsTheThresholdOfARuleOverACapture) {
  const AlertRule rule = Rule("count() > 30 per source_address in 30s");
  const auto suggestion = SuggestThreshold(rule, OverCapture(), 2);
  ASSERT_TRUE(suggestion.ok()) << suggestion.status();
  ASSERT_TRUE(suggestion->threshold);
  ASSERT_TRUE(suggestion->current);
  EXPECT_GT(suggestion->current->alerts, 2U);
  EXPECT_GT(*suggestion->threshold, 30);
  AlertRule changed = rule;
  changed.condition = rule.condition.WithThreshold(*suggestion->threshold);
  RuleDetector detector = *RuleDetector::Create(changed);
  Detector* const detectors[] = {&detector};
  EXPECT_LE(OverCapture()(detectors)->alerts, 2U);
}

TEST(Backtest, SuggestsTheSensitivityOfEachDetector) {
  // Each of many hosts fails a few times at one server: a scan to a sensitive eye only.
  std::vector<FlowRecord> flows;
  for (std::uint8_t host = 1; host <= 20; ++host) {
    for (int i = 0; i < 8; ++i) {
      FlowRecord flow = Flow(seconds(60 * host + i), seconds(60 * host + i), host);
      flow.destination.port = static_cast<std::uint16_t>(1000 + i);
      flow.outcome = ContactOutcome::kRefused;
      flow.forward.tcp_flags = kTcpSyn;
      flows.push_back(flow);
    }
  }
  const FlowFeed feed = FeedOf(flows);
  const BacktestPass pass = [&](std::span<Detector* const> detectors) {
    return BacktestFlows(detectors, feed);
  };
  const auto of = [&](double wanted) {
    auto found = SuggestSensitivities({{"port_scan", {}}, {"policy", {}}}, pass, wanted);
    EXPECT_TRUE(found.ok()) << found.status();
    EXPECT_THAT(*found, SizeIs(1)) << "what is forbidden has no sensitivity";
    return found->front();
  };
  const SensitivitySuggestion quiet = of(5);
  ASSERT_THAT(quiet.points, SizeIs(3));
  EXPECT_EQ(quiet.points[1].alerts, 0U);
  EXPECT_EQ(quiet.points[2].alerts, 20U);
  EXPECT_EQ(quiet.sensitivity, Sensitivity::kNormal);
  EXPECT_EQ(of(20).sensitivity, Sensitivity::kHigh);
  // What is set by itself stays.
  const auto strict =
      SuggestSensitivities({{"port_scan", {.options = {{"false_positive_rate", 1e-2}}}}}, pass, 5);
  ASSERT_TRUE(strict.ok());
  EXPECT_FALSE(strict->front().sensitivity) << "20 alerts at each";
  EXPECT_TRUE(absl::IsNotFound(SuggestSensitivities({{"none", {}}}, pass, 5).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(SuggestSensitivities({}, pass, -1).status()));
  const BacktestPass nothing = [](std::span<Detector* const>) { return BacktestReport{}; };
  EXPECT_FALSE(SuggestSensitivities({{"port_scan", {}}}, nothing, 5)->front().sensitivity);
}

TEST(Backtest, SaysWhenItsFiguresCoverLessThanADay) {
  std::vector<FlowRecord> flows;
  for (int i = 0; i < 20; ++i) {
    flows.push_back(Flow(minutes(i), minutes(i), 1, 1000, FlowEndReason::kIdleTimeout));
  }
  const BacktestReport report = RunOver(Rule("count() > 10 per src in 1h"), FeedOf(flows));
  EXPECT_EQ(report.span(), minutes(19));
  EXPECT_FALSE(report.covers_a_day());
  ASSERT_THAT(NotesOn(report), SizeIs(1));
  EXPECT_THAT(NotesOn(report)[0], testing::HasSubstr("covers 19 min, less than a day"));
  ASSERT_THAT(report.kept, SizeIs(1));
  EXPECT_LE(report.kept[0].time, report.until) << "no news from the future";
  EXPECT_EQ(report.kept[0].state, AlertState::kClosed);
  flows.push_back(Flow(hours(25), hours(25), 2));
  EXPECT_THAT(NotesOn(RunOver(Rule("count() > 10 per src in 1h"), FeedOf(flows))), SizeIs(0));
  EXPECT_THAT(NotesOn(BacktestReport{}), SizeIs(0));
}

TEST(Backtest, SaysWhyALimitChangesNothing) {
  const auto scan = [](double min_ports) {
    DetectionOptions options;
    EXPECT_TRUE(Configure("port_scan", {.options = {{"min_ports", min_ports}}}, options).ok());
    const auto detector = *MakeDetector("port_scan", options);
    Detector* const detectors[] = {detector.get()};
    return *OverCapture()(detectors);
  };
  const BacktestReport before = scan(25);
  const BacktestReport after = scan(500);
  ASSERT_GT(before.alerts, 0U);
  const BacktestDifference difference = Compare(before, after);
  const std::vector<std::string> notes = NotesOn(after, &difference);
  ASSERT_THAT(notes, SizeIs(3));
  EXPECT_THAT(notes[1], testing::HasSubstr("say the same"));
  EXPECT_THAT(notes[2], testing::HasSubstr("false_positive_rate"));
}

TEST(Backtest, CountsAFlowOnceThoughItHasManyRecords) {
  // An hour's flow of which the active timeout closes a record each 30 minutes.
  std::vector<FlowRecord> flows;
  for (std::uint8_t host = 1; host <= 20; ++host) {
    flows.push_back(Flow({}, minutes(30), host, 1000, FlowEndReason::kActiveTimeout));
    flows.push_back(
        Flow(minutes(30) + seconds(1), minutes(60), host, 1000, FlowEndReason::kActiveTimeout));
    flows.push_back(Flow(minutes(60) + seconds(1), minutes(70), host));
  }
  RuleDetector detector = *RuleDetector::Create(Rule("count() > 30 in 2h"));
  Detector* const detectors[] = {&detector};
  const auto report = BacktestFlows(detectors, FeedOf(flows));
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->alerts, 0U);
  EXPECT_EQ(detector.Stats().flows, 20U);
}

TEST(Backtest, HoldsNoMoreFlowsThanItMay) {
  std::vector<FlowRecord> flows;
  for (int i = 0; i < 1000; ++i) flows.push_back(Flow(seconds(i), seconds(1000 + i), 1));
  RuleDetector detector = *RuleDetector::Create(Rule("count() > 5000 in 2h"));
  Detector* const detectors[] = {&detector};
  const auto report = BacktestFlows(detectors, FeedOf(flows), {.max_flows_held = 10});
  ASSERT_TRUE(report.ok());
  EXPECT_GT(report->late_flows, 0U);
  EXPECT_EQ(detector.Stats().flows, 1000U);
}

TEST(Backtest, StopsWhenAskedAndPassesOnErrors) {
  std::vector<FlowRecord> flows(10'000, Flow({}, {}, 1));
  std::stop_source stop;
  RuleDetector detector = *RuleDetector::Create(Rule("count() > 5 in 2h"));
  Detector* const detectors[] = {&detector};
  const auto stopped = BacktestFlows(
      detectors, FeedOf(flows),
      {.stop = stop.get_token(), .progress = [&](Timestamp) { stop.request_stop(); }});
  EXPECT_TRUE(absl::IsCancelled(stopped.status()));
  const auto failed =
      BacktestFlows(detectors, [](FlowSink) { return absl::UnavailableError("gone"); });
  EXPECT_TRUE(absl::IsUnavailable(failed.status()));
  EXPECT_TRUE(
      absl::IsInvalidArgument(BacktestFlows(detectors, FeedOf({}), {.idle_timeout = {}}).status()));
}

}  // namespace
}  // namespace nta
