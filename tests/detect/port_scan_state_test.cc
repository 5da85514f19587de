// Saved states of the port scan detector, and what strangers can do to them.
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "detect/flow_events.h"
#include "detect/state_archive.h"
#include "nta/detect/port_scan_detector.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h

// Scans of each kind among contacts of other sources, over several hours.
std::vector<FlowEvent> MixedEvents() {
  std::vector<Attempt> attempts = PortScan(120, seconds(2)) + HostSweep(40, minutes(6));
  for (Attempt ping : HostSweep(40, seconds(1))) {
    ping.protocol = kProtocolIcmp;
    ping.from = IpAddress::V4(10, 3, 3, 3);
    if (attempts.size() % 2 == 0) ping.outcome = ContactOutcome::kAnswered;
    attempts.push_back(ping);
  }
  for (std::uint32_t i = 0; i < 400; ++i) {
    attempts.push_back(
        {.at = i * seconds(31),
         .from = Host(i % 17),
         .to = Host(1000 + i * 37 % 211),
         .port = static_cast<std::uint16_t>(i % 5 == 0 ? 443 : 8000 + i % 3),
         .outcome = i % 3 == 0 ? ContactOutcome::kRefused : ContactOutcome::kAnswered,
         .protocol = i % 4 == 0 ? kProtocolUdp : kProtocolTcp});
  }
  return EventsOf(attempts);
}

TEST(PortScanState, RestoredDetectorGivesTheSameAlertsWhereverItWasSaved) {
  const std::vector<FlowEvent> events = MixedEvents();
  PortScanDetector whole;
  const std::vector<Alert> expected = AlertsOf(whole, events);
  ASSERT_GE(expected.size(), 6u) << "three scans that open and close";
  for (std::size_t split = 0; split <= events.size(); split += 100) {
    PortScanDetector before;
    std::vector<Alert> alerts;
    for (std::size_t i = 0; i < split; ++i) before.Observe(events[i], alerts);
    PortScanDetector after;
    ASSERT_TRUE(after.Load(before.Save()).ok()) << split;
    for (std::size_t i = split; i < events.size(); ++i) after.Observe(events[i], alerts);
    after.Finish(alerts);
    ASSERT_EQ(alerts, expected) << "split at event " << split;
  }
}

TEST(PortScanState, SavingTwiceGivesTheSameBytes) {
  PortScanDetector detector;
  std::vector<Alert> alerts;
  for (const FlowEvent& event : MixedEvents()) detector.Observe(event, alerts);
  PortScanDetector restored;
  ASSERT_TRUE(restored.Load(detector.Save()).ok());
  EXPECT_EQ(restored.Save().size(), detector.Save().size());
  EXPECT_EQ(detector.Save(), detector.Save());
}

std::string SomeState() {
  PortScanDetector detector({.hash_seed = 7});
  std::vector<Alert> alerts;
  const std::vector<FlowEvent> events = MixedEvents();
  for (std::size_t i = 0; i < events.size() / 2; ++i) detector.Observe(events[i], alerts);
  return detector.Save();
}

TEST(PortScanState, EveryTruncationAndFlippedByteIsRefusedAndChangesNothing) {
  const std::string state = SomeState();
  PortScanDetector detector({.hash_seed = 3});
  const std::string own = detector.Save();
  for (std::size_t size = 0; size < state.size(); size += size < 64 ? 1 : 97) {
    ASSERT_FALSE(detector.Load(state.substr(0, size)).ok()) << size;
  }
  for (std::size_t i = 0; i < state.size(); i += i < 64 ? 1 : 53) {
    std::string damaged = state;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    const absl::Status status = detector.Load(damaged);
    ASSERT_FALSE(status.ok()) << i;
    if (i >= 8) {
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << i;
    }
  }
  EXPECT_EQ(detector.Save(), own);
}

TEST(PortScanState, NamesWhatIsWrong) {
  PortScanDetector detector;
  EXPECT_EQ(detector.Load("").code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(detector.Load("{\"json\": 1}").code(), absl::StatusCode::kInvalidArgument);
  const absl::Status other = detector.Load(detect::SealState("beacon", 1, "x"));
  EXPECT_EQ(other.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(other.message()).find("\"beacon\""), std::string::npos);
  const absl::Status newer = detector.Load(detect::SealState("port_scan", 99, "x"));
  EXPECT_EQ(newer.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(std::string(newer.message()).find("version 99"), std::string::npos);
  EXPECT_EQ(detector.Load(detect::SealState("port_scan", 3, "x")).code(),
            absl::StatusCode::kDataLoss);
  PortScanDetector hourly({.window = hours(1)});
  EXPECT_EQ(hourly.Load(SomeState()).code(), absl::StatusCode::kInvalidArgument);
}

TEST(PortScanState, LoadsUnderSmallerCaps) {
  PortScanDetector small({.max_sources = 2, .max_pending = 2, .max_contacts = 8});
  ASSERT_TRUE(small.Load(SomeState()).ok());
  std::vector<Alert> alerts;
  for (const FlowEvent& event : MixedEvents()) small.Observe(event, alerts);
  small.Finish(alerts);
  EXPECT_LT(small.memory_bytes(), 64u * 1024);
}

// A damage that the checksum does not show, because it was made by somebody who can compute it.
TEST(PortScanState, ForgedStatesAreRefusedOrHarmless) {
  const std::string state = SomeState();
  const auto payload = detect::OpenState("port_scan", 3, state);
  ASSERT_TRUE(payload.ok());
  const std::vector<FlowEvent> events = MixedEvents();
  std::mt19937 random(1);
  int accepted = 0;
  for (int round = 0; round < 3000; ++round) {
    std::string forged(payload->begin(), payload->end());
    for (int changes = 1 + static_cast<int>(random() % 4); changes > 0; --changes) {
      forged[random() % forged.size()] = static_cast<char>(random());
    }
    if (round % 5 == 0) forged.resize(random() % forged.size());
    PortScanDetector detector;
    if (!detector.Load(detect::SealState("port_scan", 3, forged)).ok()) continue;
    ++accepted;
    std::vector<Alert> alerts;
    for (std::size_t i = 0; i < events.size(); i += 7) detector.Observe(events[i], alerts);
    detector.AdvanceTo(Timestamp::max(), alerts);
    detector.Finish(alerts);
    detector.Save();
    ASSERT_LT(detector.memory_bytes(), 4u << 20);
  }
  EXPECT_GT(accepted, 100) << "the test must get past the first check";
}

}  // namespace
}  // namespace nta
