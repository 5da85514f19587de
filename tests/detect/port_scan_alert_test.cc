// What the alerts of the port scan detector say, and when.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "detect/flow_events.h"
#include "detect/packets.h"
#include "nta/detect/port_scan_detector.h"
#include "nta/flow/flow_table.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(PortScanAlert, SweepByAnInsideHostIsWorse) {
  std::vector<Attempt> attempts = HostSweep(120);
  for (Attempt& attempt : attempts) attempt.from = IpAddress::V4(10, 9, 9, 9);
  const std::vector<Alert> alerts = Detect(attempts);
  EXPECT_EQ(FirstOf(alerts).technique, "T1018");
  EXPECT_EQ(FirstOf(alerts).severity, Severity::kMedium);
  EXPECT_EQ(alerts.back().severity, Severity::kHigh);  // 100 failures
}

TEST(PortScanAlert, SummaryIsASentenceForATiredPerson) {
  std::vector<Attempt> attempts = PortScan(120);
  for (const int open : {22, 80, 110}) attempts[open].outcome = ContactOutcome::kAnswered;
  const std::vector<Alert> alerts = Detect(attempts);
  ASSERT_FALSE(alerts.empty());
  EXPECT_EQ(alerts.back().summary,
            "192.0.2.9 tried 120 ports of 198.51.100.7 in 11 s and 117 attempts failed: port scan");
  EXPECT_EQ(EvidenceOf<std::int64_t>(alerts.back(), "failed_contacts"), 117);
  EXPECT_EQ(EvidenceOf<std::int64_t>(alerts.back(), "refused_contacts"), 117);
  EXPECT_EQ(EvidenceOf<std::int64_t>(alerts.back(), "succeeded_contacts"), 3);
  EXPECT_EQ(EvidenceOf<std::int64_t>(alerts.back(), "distinct_ports"), 120);
  EXPECT_EQ(EvidenceOf<std::int64_t>(alerts.back(), "distinct_hosts"), 1);
  EXPECT_EQ(EvidenceOf<std::string>(alerts.back(), "first_seen"), ToString(At(seconds(0))));
  EXPECT_EQ(EvidenceOf<std::string>(alerts.back(), "trigger"), "likelihood_ratio");
  EXPECT_NEAR(EvidenceOf<double>(alerts.back(), "failed_contacts_per_second"), 117 / 11.9, 0.01);
  EXPECT_EQ(alerts.back().window, milliseconds(11900));
  EXPECT_EQ(alerts.back().severity, Severity::kMedium);  // from outside, and something answered
}

TEST(PortScanAlert, EvidenceListsPortsAndTargets) {
  const std::vector<Alert> alerts = Detect(HostSweep(9));
  EXPECT_THAT(EvidenceOf<std::vector<std::string>>(FirstOf(alerts), "top_ports"),
              ::testing::ElementsAre("tcp/445"));
  const auto targets = EvidenceOf<std::vector<std::string>>(FirstOf(alerts), "sample_targets");
  ASSERT_THAT(targets, SizeIs(9));
  EXPECT_EQ(targets[0], "tcp 10.1.0.1:445");
}

TEST(PortScanAlert, SlowSweepIsFoundWhenEachContactComesAfterAQuarterOfAnHour) {
  const std::vector<Alert> alerts = Detect(HostSweep(12, minutes(15)));
  ASSERT_THAT(alerts, SizeIs(2)) << "one alert, not one per contact";
  EXPECT_EQ(alerts[0].observed, 9);
  EXPECT_EQ(alerts[1].observed, 12);
  EXPECT_THAT(alerts[1].summary, HasSubstr("tcp/445 on 12 hosts in 2 h 45 min"));
}

// The packets of a day: 55 attempts, one in 26 minutes, beside the browsing of the same host.
std::vector<Alert> SlowScanOfADay(std::uint8_t protocol, bool is_sweep) {
  const IpAddress scanner = Host(9);
  std::vector<DecodedPacket> packets;
  for (int i = 0; i < 55; ++i) {
    const Duration at = i * minutes(26);
    const IpAddress target = is_sweep ? Host(static_cast<std::uint32_t>(1000 + i)) : Host(1000);
    const auto port = static_cast<std::uint16_t>(is_sweep ? 445 : 1000 + i);
    packets.push_back(protocol == kProtocolTcp ? Tcp(at, scanner, 40000, target, port, kTcpSyn)
                                               : Ping(at, scanner, target));
  }
  for (int i = 0; i < 1440; ++i) {
    const Duration at = i * minutes(1) + seconds(7);
    const IpAddress site = IpAddress::V4(203, 0, 113, static_cast<std::uint8_t>(i % 200));
    const auto port = static_cast<std::uint16_t>(20000 + i);
    packets.push_back(Tcp(at, scanner, port, site, 443, kTcpSyn));
    packets.push_back(Tcp(at + milliseconds(20), site, 443, scanner, port, kTcpSyn | kTcpAck));
    packets.push_back(Tcp(at + milliseconds(40), scanner, port, site, 443, kTcpFin | kTcpAck));
    packets.push_back(Tcp(at + milliseconds(60), site, 443, scanner, port, kTcpFin | kTcpAck));
  }
  SortByTime(packets);
  auto table = FlowTable::Create({.events = FlowEventSelection::kAll});
  EXPECT_TRUE(table.ok());
  PortScanDetector detector;
  std::vector<Alert> alerts;
  std::vector<FlowEvent> events;
  for (const DecodedPacket& packet : packets) {
    events.clear();
    table->Add(std::span(&packet, 1), events);
    for (const FlowEvent& event : events) detector.Observe(event, alerts);
    detector.AdvanceTo(packet.time, alerts);
  }
  detector.Finish(alerts);
  return alerts;
}

TEST(PortScanAlert, AScanThatTakesADayIsOneAlertLongBeforeItsFiftiethFailure) {
  for (const std::vector<Alert>& alerts :
       {SlowScanOfADay(kProtocolTcp, false), SlowScanOfADay(kProtocolTcp, true),
        SlowScanOfADay(kProtocolIcmp, true)}) {
    ASSERT_FALSE(alerts.empty());
    EXPECT_LE(alerts[0].observed, 12);
    EXPECT_EQ(alerts[0].entity.source, Host(9));
    EXPECT_EQ(alerts.back().observed, 55);
    for (const Alert& alert : alerts) EXPECT_EQ(alert.id, alerts[0].id);
  }
}

TEST(PortScanAlert, UpdatesEachTimeTheFailuresHaveGrownTenfold) {
  const std::vector<Alert> alerts = Detect(PortScan(1000, seconds(1)));
  ASSERT_THAT(alerts, SizeIs(4));
  EXPECT_EQ(alerts[0].observed, 9);
  EXPECT_EQ(alerts[1].observed, 90);
  EXPECT_EQ(alerts[2].observed, 900);
  EXPECT_EQ(alerts[3].observed, 1000);
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    EXPECT_EQ(alerts[i].id, "port_scan-000001");
    EXPECT_EQ(alerts[i].state, i == 0   ? AlertState::kOpen
                               : i == 3 ? AlertState::kClosed
                                        : AlertState::kUpdated);
  }
  EXPECT_EQ(alerts[3].count, 3u);
  EXPECT_EQ(alerts[3].score, 64);  // the cap
}

TEST(PortScanAlert, UpdatesAtMostOnceAMinute) {
  const std::vector<Alert> alerts = Detect(PortScan(5000, milliseconds(10)) +
                                           std::vector<Attempt>{{.at = seconds(90), .port = 9999}});
  ASSERT_THAT(alerts, SizeIs(3));
  EXPECT_EQ(alerts[1].state, AlertState::kUpdated);
  EXPECT_EQ(alerts[1].time, alerts[0].time + minutes(1));
  EXPECT_EQ(alerts[1].observed, 900);
  EXPECT_EQ(alerts[2].observed, 5001);
}

TEST(PortScanAlert, IsToldAgainAtOnceWhenSomethingAnswersAScanFromInside) {
  std::vector<Attempt> attempts = PortScan(60);
  for (Attempt& attempt : attempts) attempt.from = IpAddress::V4(10, 9, 9, 9);
  attempts[30].outcome = ContactOutcome::kAnswered;
  const std::vector<Alert> alerts = Detect(attempts);
  ASSERT_THAT(alerts, SizeIs(3));
  EXPECT_EQ(alerts[0].severity, Severity::kMedium);
  EXPECT_EQ(alerts[1].state, AlertState::kUpdated);
  EXPECT_EQ(alerts[1].severity, Severity::kHigh);
  EXPECT_EQ(alerts[1].observed, 30);
}

TEST(PortScanAlert, ClosesAfterQuietAndOpensAnewWithAnotherId) {
  std::vector<Attempt> again = PortScan(20);
  for (Attempt& attempt : again) {
    attempt.at += hours(3);
    attempt.port = static_cast<std::uint16_t>(attempt.port + 1000);
  }
  const std::vector<Alert> alerts = Detect(PortScan(20) + again);
  ASSERT_THAT(alerts, SizeIs(4));
  EXPECT_EQ(alerts[1].state, AlertState::kClosed);
  EXPECT_EQ(alerts[1].time, At(milliseconds(1900 + 20) + minutes(5)));  // after the last refusal
  EXPECT_EQ(alerts[2].state, AlertState::kOpen);
  EXPECT_EQ(alerts[2].id, "port_scan-000002");
}

TEST(PortScanAlert, SilenceAloneRaisesAndClosesAlerts) {
  PortScanDetector detector;
  std::vector<Alert> alerts;
  for (const Attempt& attempt : HostSweep(9)) {
    detector.Observe(EventsOf(attempt).front(), alerts);
  }
  EXPECT_THAT(alerts, IsEmpty());
  detector.AdvanceTo(At(seconds(5)), alerts);
  EXPECT_THAT(alerts, IsEmpty()) << "the last contact has 0.8 s left";
  detector.AdvanceTo(At(seconds(6)), alerts);
  ASSERT_THAT(alerts, SizeIs(1));
  EXPECT_EQ(alerts[0].time, At(milliseconds(5800)))
      << "when the time ran out, not when it was told";
  detector.AdvanceTo(At(hours(1)), alerts);
  ASSERT_THAT(alerts, SizeIs(2));
  EXPECT_EQ(alerts[1].time, At(milliseconds(5800) + minutes(5)));
}

TEST(PortScanAlert, OneSourceCanHaveAnAlertOfEachClass) {
  std::vector<Attempt> sweep = HostSweep(30);
  const std::vector<Alert> alerts = Detect(PortScan(30) + sweep);
  ASSERT_THAT(alerts, SizeIs(4));
  EXPECT_NE(alerts[0].alert_class, alerts[1].alert_class);
  EXPECT_NE(alerts[0].id, alerts[1].id);
}

TEST(PortScanAlert, ScansOfSeveralHostsAreOneAlert) {
  std::vector<Attempt> attempts;
  for (std::uint8_t host = 1; host <= 6; ++host) {
    std::vector<Attempt> scan = PortScan(50);
    for (Attempt& attempt : scan) {
      attempt.at += host * seconds(10);
      attempt.to = IpAddress::V4(198, 51, 100, host);
    }
    attempts = attempts + scan;
  }
  const std::vector<Alert> alerts = Detect(attempts);
  for (const Alert& alert : alerts) EXPECT_EQ(alert.id, "port_scan-000001");
  EXPECT_EQ(alerts.back().observed, 300);
  EXPECT_THAT(alerts.back().summary, HasSubstr("and of 5 other hosts"));
  EXPECT_FALSE(alerts.back().entity.destination.has_value());
}

TEST(PortScanAlert, GivesTheSameAlertsWhateverTheKey) {
  const std::vector<Attempt> attempts = PortScan(200) + HostSweep(200);
  const std::vector<Alert> expected = Detect(attempts, {.hash_seed = 1});
  for (const std::uint64_t seed : {0ull, 2ull, 0xffffffffffffffffull}) {
    EXPECT_EQ(Detect(attempts, {.hash_seed = seed}), expected);
  }
  EXPECT_EQ(Detect(attempts), expected);
}

TEST(PortScanAlert, OptionsOutOfRangeDoNoHarm) {
  const PortScanOptions nonsense{.benign_success = -1,
                                 .scanner_success = std::numeric_limits<double>::quiet_NaN(),
                                 .false_positive_rate = 0,
                                 .detection_rate = 7,
                                 .min_ports = 0,
                                 .min_hosts = 0,
                                 .min_pinged_hosts = 0,
                                 .window = Duration(-5),
                                 .answer_timeout = Duration::max(),
                                 .quiet_close = Duration::min(),
                                 .max_sources = 0,
                                 .max_pending = 0,
                                 .max_contacts = 0};
  EXPECT_FALSE(Detect(PortScan(200), nonsense).empty());
}

TEST(PortScanAlert, ThresholdsFollowTheOptions) {
  EXPECT_THAT(Detect(PortScan(19), {.false_positive_rate = 1e-12}), SizeIs(2));
  EXPECT_THAT(Detect(PortScan(17), {.false_positive_rate = 1e-12}), IsEmpty());
  std::vector<Attempt> udp = PortScan(10, seconds(1), ContactOutcome::kPending);
  for (Attempt& attempt : udp) attempt.protocol = kProtocolUdp;
  EXPECT_THAT(Detect(udp, {.min_ports = 10}), SizeIs(2));
}

}  // namespace
}  // namespace nta
