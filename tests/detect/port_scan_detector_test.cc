#include "nta/detect/port_scan_detector.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "detect/flow_events.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<Alert> Detect(const std::vector<Attempt>& attempts, PortScanOptions options = {}) {
  PortScanDetector detector(options);
  return AlertsOf(detector, EventsOf(attempts));
}

// Of the first alert; fails the test when there is none.
Alert FirstOf(const std::vector<Alert>& alerts) {
  EXPECT_FALSE(alerts.empty());
  return alerts.empty() ? Alert{} : alerts.front();
}

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

TEST(PortScanDetector, EightFailuresAreNotEnough) {
  EXPECT_THAT(Detect(PortScan(8)), IsEmpty());
  EXPECT_THAT(Detect(HostSweep(8)), IsEmpty());
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

TEST(PortScanDetector, SweepByAnInsideHostIsWorse) {
  std::vector<Attempt> attempts = HostSweep(120);
  for (Attempt& attempt : attempts) attempt.from = IpAddress::V4(10, 9, 9, 9);
  const std::vector<Alert> alerts = Detect(attempts);
  EXPECT_EQ(FirstOf(alerts).technique, "T1018");
  EXPECT_EQ(FirstOf(alerts).severity, Severity::kMedium);
  EXPECT_EQ(alerts.back().severity, Severity::kHigh);  // 100 failures
}

TEST(PortScanDetector, SummaryIsASentenceForATiredPerson) {
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

TEST(PortScanDetector, EvidenceListsPortsAndTargets) {
  const std::vector<Alert> alerts = Detect(HostSweep(9));
  EXPECT_THAT(EvidenceOf<std::vector<std::string>>(FirstOf(alerts), "top_ports"),
              ::testing::ElementsAre("tcp/445"));
  const auto targets = EvidenceOf<std::vector<std::string>>(FirstOf(alerts), "sample_targets");
  ASSERT_THAT(targets, SizeIs(9));
  EXPECT_EQ(targets[0], "tcp 10.1.0.1:445");
}

TEST(PortScanDetector, SlowSweepIsFoundWhenEachContactComesAfterAQuarterOfAnHour) {
  const std::vector<Alert> alerts = Detect(HostSweep(12, minutes(15)));
  ASSERT_THAT(alerts, SizeIs(2)) << "one alert, not one per contact";
  EXPECT_EQ(alerts[0].observed, 9);
  EXPECT_EQ(alerts[1].observed, 12);
  EXPECT_THAT(alerts[1].summary, HasSubstr("tcp/445 on 12 hosts in 2 h 45 min"));
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

// Each would be a scan if contacts were counted and not judged.
TEST(PortScanDetector, BusyClientWhoseContactsSucceedIsSilent) {
  std::vector<Attempt> attempts = HostSweep(5000, milliseconds(10), ContactOutcome::kAnswered);
  attempts = attempts + PortScan(5000, milliseconds(10), ContactOutcome::kAnswered);
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanDetector, OneTenthOfFailuresIsSilent) {
  std::vector<Attempt> attempts = HostSweep(5000, milliseconds(10), ContactOutcome::kAnswered);
  for (std::size_t i = 0; i < attempts.size(); i += 10) {
    attempts[i].outcome = ContactOutcome::kPending;
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

// The silence of the failed contacts shows seconds after all answers have come.
TEST(PortScanDetector, FailuresInABurstOfSuccessesAreJudgedInTheirOrder) {
  std::vector<Attempt> attempts =
      HostSweep(100, std::chrono::microseconds(10), ContactOutcome::kAnswered);
  for (std::size_t i = 5; i < attempts.size(); i += 5) {
    attempts[i].outcome = ContactOutcome::kPending;
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanDetector, RetryingADeadServerForAWeekIsOneContact) {
  const auto retry = [](Attempt& attempt, int i) {
    attempt.source_port = static_cast<std::uint16_t>(1024 + i % 60000);
  };
  EXPECT_THAT(Detect(Repeat(20160, {.port = 5432}, seconds(30), retry)), IsEmpty());
  EXPECT_THAT(Detect(Repeat(168, {.port = 5432}, hours(1), retry)), IsEmpty());
  EXPECT_THAT(Detect(Repeat(60, {.port = 5432}, hours(5), retry)), IsEmpty());
}

TEST(PortScanDetector, BackscatterIsSilent) {
  const auto backscatter = [](Attempt& attempt, int i) {
    attempt.to = Host(static_cast<std::uint32_t>(i));
    attempt.port = static_cast<std::uint16_t>(1024 + i);
  };
  std::vector<Attempt> attempts = Repeat(
      1000, {.outcome = ContactOutcome::kUnknown, .source_port = 80}, milliseconds(1), backscatter);
  std::vector<FlowEvent> events = EventsOf(attempts);
  for (FlowEvent& event : events) event.flow.forward.tcp_flags = kTcpSyn | kTcpAck;
  PortScanDetector syn_acks;
  EXPECT_THAT(AlertsOf(syn_acks, events), IsEmpty());
  for (FlowEvent& event : events) event.flow.forward.tcp_flags = kTcpRst | kTcpAck;
  PortScanDetector resets;
  EXPECT_THAT(AlertsOf(resets, events), IsEmpty());
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

// The tap sees one direction: after the SYN comes the client's ACK, so there was an answer.
TEST(PortScanDetector, AcknowledgedConnectionWithoutVisibleAnswerIsASuccess) {
  std::vector<Attempt> attempts = HostSweep(100, seconds(1));
  std::vector<FlowEvent> events;
  for (const Attempt& attempt : attempts) {
    FlowEvent ended = EventsOf(attempt).back();
    ended.flow.forward.tcp_flags = kTcpSyn | kTcpAck | kTcpPsh | kTcpFin;
    events.push_back(ended);
  }
  PortScanDetector detector;
  EXPECT_THAT(AlertsOf(detector, events), IsEmpty());
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

TEST(PortScanDetector, PeerToPeerClientIsSilent) {
  // 70 % of the peers are gone; each listens on a port of its own, a tenth on the default one.
  const auto peer = [](Attempt& attempt, int i) {
    attempt.to = Host(static_cast<std::uint32_t>(i) * 7919 % 1000003);
    attempt.port =
        i % 10 == 0 ? std::uint16_t{6881} : static_cast<std::uint16_t>(1024 + i * 104729ll % 64000);
    attempt.outcome =
        i % 10 < 3 && i % 20 != 0 ? ContactOutcome::kAnswered : ContactOutcome::kPending;
    if (i % 2 == 0) attempt.protocol = kProtocolUdp;
  };
  EXPECT_THAT(Detect(Repeat(20000, {}, milliseconds(200), peer)), IsEmpty());
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

TEST(PortScanDetector, UnansweredUdpSpreadOverHoursIsSilent) {
  std::vector<Attempt> attempts = PortScan(200, minutes(1), ContactOutcome::kPending);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanDetector, ClosedUdpPortsOfOneHostAreAPortScan) {
  std::vector<Attempt> attempts = PortScan(9, seconds(1), ContactOutcome::kUnreachable);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  EXPECT_EQ(FirstOf(Detect(attempts)).alert_class, AlertClass::kPortScan);
}

// A machine whose IPv6 leads nowhere tries every address of every site, and its router refuses
// each.
TEST(PortScanDetector, UnreachableHostsOfABrokenNetworkAreSilentUntilThereAreMany) {
  EXPECT_THAT(Detect(HostSweep(24, seconds(1), ContactOutcome::kUnreachable)), IsEmpty());
  EXPECT_EQ(FirstOf(Detect(HostSweep(25, seconds(1), ContactOutcome::kUnreachable))).alert_class,
            AlertClass::kHostSweep);
}

TEST(PortScanDetector, BlockedQuicToServersInUseIsSilent) {
  std::vector<Attempt> attempts;
  for (std::uint32_t i = 0; i < 200; ++i) {
    attempts.push_back(
        {.at = i * seconds(1), .to = Host(i), .port = 443, .protocol = kProtocolUdp});
    attempts.push_back({.at = i * seconds(1) + milliseconds(300),
                        .to = Host(i),
                        .port = 443,
                        .outcome = ContactOutcome::kAnswered});
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanDetector, GroupsOfHostsAndRepliesAndTraceroutesAreNoContacts) {
  const auto udp = [](Attempt& attempt, int) { attempt.protocol = kProtocolUdp; };
  const auto with = [&udp](auto vary) {
    return [&udp, vary](Attempt& attempt, int i) {
      udp(attempt, i);
      vary(attempt, i);
    };
  };
  EXPECT_THAT(Detect(Repeat(100, {}, milliseconds(10), with([](Attempt& attempt, int i) {
                              attempt.to = IpAddress::V4(239, 1, 1, static_cast<std::uint8_t>(i));
                            }))),
              IsEmpty());
  EXPECT_THAT(Detect(Repeat(100, {}, milliseconds(10), with([](Attempt& attempt, int i) {
                              attempt.to = IpAddress::V4(10, 0, static_cast<std::uint8_t>(i), 255);
                            }))),
              IsEmpty());
  EXPECT_THAT(Detect(Repeat(100, {.to = IpAddress::V4(255, 255, 255, 255)}, milliseconds(10),
                            with([](Attempt& attempt, int i) {
                              attempt.port = static_cast<std::uint16_t>(i);
                            }))),
              IsEmpty());
  EXPECT_THAT(Detect(Repeat(90, {}, milliseconds(10), with([](Attempt& attempt, int i) {
                              attempt.port = static_cast<std::uint16_t>(33434 + i);
                            }))),
              IsEmpty());
  // Answers of a resolver whose questions were not seen.
  EXPECT_THAT(
      Detect(Repeat(100, {.source_port = 53}, milliseconds(10), with([](Attempt& attempt, int i) {
                      attempt.port = static_cast<std::uint16_t>(20000 + 7 * i);
                    }))),
      IsEmpty());
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

TEST(PortScanDetector, MonitoringTheSameHostsForeverIsSilent) {
  std::vector<Attempt> attempts;
  for (int round = 0; round < 500; ++round) {
    for (std::uint32_t i = 0; i < 100; ++i) {
      const bool never_lived = i % 8 == 0;
      // A whole rack, one host next to the other, goes down after a day. They answered before.
      const bool in_dead_rack = round > 288 && i >= 20 && i < 50;
      attempts.push_back({.at = round * minutes(5) + i * milliseconds(20),
                          .to = Host(i + 1),
                          .port = 22,
                          .outcome = never_lived || in_dead_rack ? ContactOutcome::kPending
                                                                 : ContactOutcome::kAnswered,
                          .source_port = static_cast<std::uint16_t>(1024 + round)});
    }
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
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

TEST(PortScanDetector, UpdatesEachTimeTheFailuresHaveGrownTenfold) {
  const std::vector<Alert> alerts = Detect(PortScan(1000, milliseconds(10)));
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

TEST(PortScanDetector, ClosesAfterQuietAndOpensAnewWithAnotherId) {
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

TEST(PortScanDetector, SilenceAloneRaisesAndClosesAlerts) {
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

TEST(PortScanDetector, OneSourceCanHaveAnAlertOfEachClass) {
  std::vector<Attempt> sweep = HostSweep(30);
  const std::vector<Alert> alerts = Detect(PortScan(30) + sweep);
  ASSERT_THAT(alerts, SizeIs(4));
  EXPECT_NE(alerts[0].alert_class, alerts[1].alert_class);
  EXPECT_NE(alerts[0].id, alerts[1].id);
}

TEST(PortScanDetector, ScansOfSeveralHostsAreOneAlert) {
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

TEST(PortScanDetector, GivesTheSameAlertsWhateverTheKey) {
  const std::vector<Attempt> attempts = PortScan(200) + HostSweep(200);
  const std::vector<Alert> expected = Detect(attempts, {.hash_seed = 1});
  for (const std::uint64_t seed : {0ull, 2ull, 0xffffffffffffffffull}) {
    EXPECT_EQ(Detect(attempts, {.hash_seed = seed}), expected);
  }
  EXPECT_EQ(Detect(attempts), expected);
}

TEST(PortScanDetector, OptionsOutOfRangeDoNoHarm) {
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

TEST(PortScanDetector, ThresholdsFollowTheOptions) {
  EXPECT_THAT(Detect(PortScan(19), {.false_positive_rate = 1e-12}), SizeIs(2));
  EXPECT_THAT(Detect(PortScan(17), {.false_positive_rate = 1e-12}), IsEmpty());
  std::vector<Attempt> udp = PortScan(10, seconds(1), ContactOutcome::kPending);
  for (Attempt& attempt : udp) attempt.protocol = kProtocolUdp;
  EXPECT_THAT(Detect(udp, {.min_ports = 10}), SizeIs(2));
}

}  // namespace
}  // namespace nta
