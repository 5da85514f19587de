// What looks like a scan to whoever counts contacts and does not judge them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "detect/flow_events.h"
#include "nta/detect/port_scan_detector.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h
using ::testing::IsEmpty;

TEST(PortScanSilence, EightFailuresAreNotEnough) {
  EXPECT_THAT(Detect(PortScan(8)), IsEmpty());
  EXPECT_THAT(Detect(HostSweep(8)), IsEmpty());
}

// Each would be a scan if contacts were counted and not judged.
TEST(PortScanSilence, BusyClientWhoseContactsSucceedIsSilent) {
  std::vector<Attempt> attempts = HostSweep(5000, milliseconds(10), ContactOutcome::kAnswered);
  attempts = attempts + PortScan(5000, milliseconds(10), ContactOutcome::kAnswered);
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanSilence, OneTenthOfFailuresIsSilent) {
  std::vector<Attempt> attempts = HostSweep(5000, milliseconds(10), ContactOutcome::kAnswered);
  for (std::size_t i = 0; i < attempts.size(); i += 10) {
    attempts[i].outcome = ContactOutcome::kPending;
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

// The silence of the failed contacts shows seconds after all answers have come.
TEST(PortScanSilence, FailuresInABurstOfSuccessesAreJudgedInTheirOrder) {
  std::vector<Attempt> attempts =
      HostSweep(100, std::chrono::microseconds(10), ContactOutcome::kAnswered);
  for (std::size_t i = 5; i < attempts.size(); i += 5) {
    attempts[i].outcome = ContactOutcome::kPending;
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

TEST(PortScanSilence, RetryingADeadServerForAWeekIsOneContact) {
  const auto retry = [](Attempt& attempt, int i) {
    attempt.source_port = static_cast<std::uint16_t>(1024 + i % 60000);
  };
  EXPECT_THAT(Detect(Repeat(20160, {.port = 5432}, seconds(30), retry)), IsEmpty());
  EXPECT_THAT(Detect(Repeat(168, {.port = 5432}, hours(1), retry)), IsEmpty());
  EXPECT_THAT(Detect(Repeat(60, {.port = 5432}, hours(5), retry)), IsEmpty());
}

TEST(PortScanSilence, BackscatterIsSilent) {
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

// The tap sees one direction: after the SYN comes the client's ACK, so there was an answer.
TEST(PortScanSilence, AcknowledgedConnectionWithoutVisibleAnswerIsASuccess) {
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

TEST(PortScanSilence, PeerToPeerClientIsSilent) {
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

TEST(PortScanSilence, UnansweredUdpSpreadOverHoursIsSilentWhereNoDatagramIsEverAnswered) {
  std::vector<Attempt> attempts = PortScan(200, minutes(1), ContactOutcome::kPending);
  for (Attempt& attempt : attempts) attempt.protocol = kProtocolUdp;
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

// Programs that keep trying: hole punching, a collector that says nothing, dead servers.
TEST(PortScanSilence, SomeUnansweredUdpAnHourBesideAnsweredOneIsSilent) {
  std::vector<Attempt> attempts = Lookups(hours(24));
  for (int hour = 0; hour < 24; ++hour) {
    for (int i = 0; i < 2; ++i) {
      attempts.push_back({.at = hour * hours(1) + i * minutes(7),
                          .port = static_cast<std::uint16_t>(3000 + 2 * hour + i),
                          .protocol = kProtocolUdp});
    }
  }
  EXPECT_THAT(Detect(attempts), IsEmpty());
}

// A machine whose IPv6 leads nowhere tries every address of every site, and its router refuses
// each.
TEST(PortScanSilence, UnreachableHostsOfABrokenNetworkAreSilentUntilThereAreMany) {
  EXPECT_THAT(Detect(HostSweep(24, seconds(1), ContactOutcome::kUnreachable)), IsEmpty());
  EXPECT_EQ(FirstOf(Detect(HostSweep(25, seconds(1), ContactOutcome::kUnreachable))).alert_class,
            AlertClass::kHostSweep);
}

TEST(PortScanSilence, BlockedQuicToServersInUseIsSilent) {
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

TEST(PortScanSilence, GroupsOfHostsAndRepliesAndTraceroutesAreNoContacts) {
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

TEST(PortScanSilence, MonitoringTheSameHostsForeverIsSilent) {
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

}  // namespace
}  // namespace nta
