#include "nta/detect/port_scan_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "detect/flow_events.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(PortScanDetector, NineRefusedPortsOfOneHostAreAPortScan) {
  const std::vector<Alert> alerts = Detect(PortScan(9));
  ASSERT_THAT(alerts, SizeIs(2));
  const Alert& alert = alerts[0];
  EXPECT_EQ(alert.alert_class, AlertClass::kPortScan);
  EXPECT_EQ(alert.state, AlertState::kOpen);
  EXPECT_EQ(alert.id, "port_scan-000001");
  EXPECT_EQ(alert.detector, "port_scan");
  EXPECT_EQ(alert.technique, "T1046");
  EXPECT_EQ(alert.entity.source, IpAddress::V4(192, 0, 2, 9));
  EXPECT_EQ(alert.entity.destination, IpAddress::V4(198, 51, 100, 7));
  EXPECT_EQ(alert.observed, 9);
  EXPECT_NEAR(alert.expected, 1.8, 1e-9);  // a fifth of the contacts of a benign source fail
  EXPECT_NEAR(alert.score, 20.23, 0.01);   // 9 log2(.95 / .2)
  EXPECT_EQ(alert.count, 1u);
  EXPECT_EQ(alerts[1].state, AlertState::kClosed);
  EXPECT_EQ(alerts[1].id, alert.id);
}

TEST(PortScanDetector, ScanThatIsRepeatedKeepsItsAlertOpen) {
  std::vector<Attempt> attempts;
  for (int round = 0; round < 10; ++round) {
    std::vector<Attempt> again = PortScan(20);
    for (Attempt& attempt : again) {
      attempt.at += round * minutes(2);
      attempt.source_port = static_cast<std::uint16_t>(40000 + round);
    }
    attempts = attempts + again;
  }
  const std::vector<Alert> alerts = Detect(attempts);
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[1].state, AlertState::kClosed);
  EXPECT_GE(alerts[1].time, At(minutes(18)));
  EXPECT_EQ(alerts[1].observed, 20);  // the same contacts are counted once
}

TEST(PortScanDetector, NineSilentHostsOnOnePortAreAHostSweep) {
  const Alert alert = FirstOf(Detect(HostSweep(9)));
  EXPECT_EQ(alert.alert_class, AlertClass::kHostSweep);
  EXPECT_EQ(alert.technique, "T1595.001");  // from outside
  EXPECT_EQ(alert.severity, Severity::kLow);
  EXPECT_EQ(alert.entity.service, "tcp/445");
  EXPECT_FALSE(alert.entity.destination.has_value());
  EXPECT_EQ(EvidenceOf<std::int64_t>(alert, "distinct_hosts"), 9);
}

TEST(PortScanDetector, TimeRunningBackwardsDoesNotHideASweep) {
  std::vector<FlowEvent> events;
  for (const Attempt& attempt : HostSweep(9, -minutes(15))) {
    for (const FlowEvent& event : EventsOf(attempt)) events.push_back(event);
  }
  PortScanDetector detector;
  const Alert alert = FirstOf(AlertsOf(detector, events));
  EXPECT_EQ(alert.alert_class, AlertClass::kHostSweep);
  EXPECT_EQ(alert.window, minutes(120));
}

TEST(PortScanDetector, FinAndXmasProbesAreAPortScanButMidstreamPacketsAreNot) {
  std::vector<Attempt> attempts = PortScan(20, milliseconds(10), ContactOutcome::kUnknown);
  std::vector<FlowEvent> events = EventsOf(attempts);
  for (const int flags : {int{kTcpFin}, kTcpFin | kTcpPsh | kTcpUrg}) {
    for (FlowEvent& event : events) {
      event.flow.forward.tcp_flags = static_cast<std::uint8_t>(flags);
    }
    PortScanDetector detector;
    EXPECT_EQ(FirstOf(AlertsOf(detector, events)).alert_class, AlertClass::kPortScan);
  }
  for (const int flags : {0, int{kTcpAck}, kTcpFin | kTcpAck, kTcpPsh | kTcpAck}) {
    for (FlowEvent& event : events) {
      event.flow.forward.tcp_flags = static_cast<std::uint8_t>(flags);
    }
    PortScanDetector detector;
    EXPECT_THAT(AlertsOf(detector, events), IsEmpty()) << flags;
  }
}

// Records from a store have no start events.
TEST(PortScanDetector, EndedRecordsAloneAreEnough) {
  std::vector<FlowEvent> events;
  for (const Attempt& attempt : PortScan(30)) events.push_back(EventsOf(attempt).back());
  PortScanDetector detector;
  const std::vector<Alert> alerts = AlertsOf(detector, events);
  EXPECT_EQ(FirstOf(alerts).alert_class, AlertClass::kPortScan);
  EXPECT_EQ(alerts.back().observed, 30);
}

TEST(PortScanDetector, SweepByAPeerToPeerClientIsFound) {
  const auto peer = [](Attempt& attempt, int i) {
    attempt.to = Host(static_cast<std::uint32_t>(i) * 7919 % 1000003);
    attempt.port = static_cast<std::uint16_t>(1024 + i * 104729ll % 64000);
    if (i % 10 < 3) attempt.outcome = ContactOutcome::kAnswered;
  };
  const std::vector<Attempt> attempts =
      Repeat(600, {}, milliseconds(500), peer) + HostSweep(100, milliseconds(100));
  EXPECT_EQ(FirstOf(Detect(attempts)).entity.service, "tcp/445");
}

TEST(PortScanDetector, BenignWebTrafficDoesNotHideASweepOfAnotherPort) {
  std::vector<Attempt> web =
      Repeat(2000, {.port = 443, .outcome = ContactOutcome::kAnswered}, milliseconds(50),
             [](Attempt& attempt, int i) { attempt.to = Host(static_cast<std::uint32_t>(i)); });
  const std::vector<Alert> alerts = Detect(web + HostSweep(20, seconds(4)));
  EXPECT_EQ(FirstOf(alerts).observed, 9);
  EXPECT_EQ(FirstOf(alerts).entity.service, "tcp/445");
}

TEST(PortScanDetector, PortScanDoesNotDelayTheSweepThatFollows) {
  std::vector<Attempt> sweep = HostSweep(30);
  for (Attempt& attempt : sweep) attempt.at += minutes(2);
  const std::vector<Alert> alerts = Detect(PortScan(200) + sweep);
  for (const Alert& alert : alerts) {
    if (alert.alert_class != AlertClass::kHostSweep) continue;
    EXPECT_EQ(alert.observed, 9);
    return;
  }
  FAIL() << "the sweep was not found";
}

TEST(PortScanDetector, OneHitInFiveDelaysTheAlertButDoesNotPreventIt) {
  std::vector<Attempt> attempts = PortScan(60);
  for (std::size_t i = 0; i < attempts.size(); i += 5) {
    attempts[i].outcome = ContactOutcome::kAnswered;
  }
  const Alert alert = FirstOf(Detect(attempts));
  EXPECT_EQ(alert.alert_class, AlertClass::kPortScan);
  EXPECT_LE(alert.observed, 25);
}

TEST(PortScanDetector, UnansweredUdpCountsOnlyInNumbers) {
  std::vector<Attempt> attempts = PortScan(24, seconds(1), ContactOutcome::kPending);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  EXPECT_THAT(Detect(attempts), IsEmpty());
  attempts = PortScan(25, seconds(1), ContactOutcome::kPending);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  const Alert alert = FirstOf(Detect(attempts));
  EXPECT_EQ(alert.alert_class, AlertClass::kPortScan);
  EXPECT_EQ(EvidenceOf<std::string>(alert, "trigger"), "min_ports");
}

TEST(PortScanDetector, SilentUdpPortsOverADayAreAPortScan) {
  std::vector<Attempt> attempts = PortScan(200, minutes(7), ContactOutcome::kPending);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  const std::vector<Alert> alerts = Detect(attempts + Lookups(hours(24)));
  const Alert alert = FirstOf(alerts);
  EXPECT_EQ(alert.alert_class, AlertClass::kPortScan);
  EXPECT_EQ(alert.entity.source, attempts[0].from);
  EXPECT_EQ(EvidenceOf<std::string>(alert, "trigger"), "silence");
  EXPECT_LE(alert.observed, 40);
  EXPECT_EQ(std::ranges::count(alerts, AlertState::kOpen, &Alert::state), 1);
}

TEST(PortScanDetector, SilentUdpServiceOfManyHostsOverADayIsASweep) {
  std::vector<Attempt> attempts = HostSweep(140, minutes(10));
  for (Attempt& attempt : attempts) {
    attempt.protocol = kProtocolUdp;
    attempt.port = 161;
  }
  const Alert alert = FirstOf(Detect(attempts + Lookups(hours(24))));
  EXPECT_EQ(alert.alert_class, AlertClass::kHostSweep);
  EXPECT_EQ(alert.entity.service, "udp/161");
}

TEST(PortScanDetector, ClosedUdpPortsOfOneHostAreAPortScan) {
  std::vector<Attempt> attempts = PortScan(9, seconds(1), ContactOutcome::kUnreachable);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  EXPECT_EQ(FirstOf(Detect(attempts)).alert_class, AlertClass::kPortScan);
}

TEST(PortScanDetector, PingSweepOfALiveNetworkIsFoundAlthoughMostHostsAnswer) {
  const auto ping = [](int silent_every) {
    return Repeat(60, {.protocol = kProtocolIcmp}, milliseconds(50),
                  [silent_every](Attempt& attempt, int i) {
                    attempt.to = Host(static_cast<std::uint32_t>(i));
                    if (i % silent_every != 0) attempt.outcome = ContactOutcome::kAnswered;
                  });
  };
  const std::vector<Alert> alerts = Detect(ping(3));
  EXPECT_EQ(FirstOf(alerts).alert_class, AlertClass::kHostSweep);
  EXPECT_EQ(FirstOf(alerts).entity.service, "icmp");
  EXPECT_THAT(FirstOf(alerts).summary, HasSubstr("pinged 15 hosts"));
  EXPECT_EQ(EvidenceOf<std::string>(FirstOf(alerts), "trigger"), "min_pinged_hosts");
  // A monitoring host: one in ten of its targets is down.
  EXPECT_THAT(Detect(ping(10)), IsEmpty());
}

TEST(PortScanDetector, ManyPortsOnManyHostsInRandomOrderAreASweep) {
  std::uint32_t state = 1;
  const auto next = [&state] { return state = state * 1664525 + 1013904223; };
  const auto block = [&next](Attempt& attempt, int) {
    attempt.to = Host(next() >> 12);
    attempt.port = static_cast<std::uint16_t>(1 + (next() >> 16) % 100);
  };
  const std::vector<Alert> alerts = Detect(Repeat(5000, {}, milliseconds(10), block));
  EXPECT_EQ(FirstOf(alerts).alert_class, AlertClass::kHostSweep);
  EXPECT_LE(FirstOf(alerts).observed, 1000);
}

}  // namespace
}  // namespace nta
