// The port scan detector under floods, nonsense and an ordinary week.
#include <gtest/gtest.h>
#include <malloc.h>

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "detect/flow_events.h"
#include "nta/detect/port_scan_detector.h"

namespace nta {
namespace {

using namespace testing;  // NOLINT: the verbs of flow_events.h

// Opens once, closes once, updates in between, numbers that only grow.
void ExpectSoundLives(const std::vector<Alert>& alerts) {
  std::map<std::string, Alert> latest;
  for (const Alert& alert : alerts) {
    const auto found = latest.find(alert.id);
    if (found == latest.end()) {
      ASSERT_EQ(alert.state, AlertState::kOpen) << alert.id;
    } else {
      ASSERT_NE(alert.state, AlertState::kOpen) << alert.id;
      ASSERT_NE(found->second.state, AlertState::kClosed) << alert.id;
      ASSERT_EQ(found->second.entity.source, alert.entity.source);
      ASSERT_EQ(found->second.alert_class, alert.alert_class);
      ASSERT_GE(alert.observed, found->second.observed);
      ASSERT_GE(alert.time, found->second.time);
      ASSERT_GE(alert.count, found->second.count);
    }
    ASSERT_GE(alert.window.count(), 0);
    ASSERT_FALSE(alert.summary.empty());
    ASSERT_LE(alert.score, 64);
    latest[alert.id] = alert;
  }
  for (const auto& [id, alert] : latest) EXPECT_EQ(alert.state, AlertState::kClosed) << id;
}

class Nonsense {
 public:
  explicit Nonsense(unsigned seed) : random_(seed) {}

  FlowEvent Next() {
    FlowEvent event;
    event.type = static_cast<FlowEventType>(random_() % 3);
    event.time = Time();
    event.flow.first_seen = random_() % 4 == 0 ? Time() : event.time;
    event.flow.last_seen = random_() % 4 == 0 ? Time() : event.time;
    static constexpr std::uint8_t kProtocols[] = {0, 1, 2, 6, 6, 6, 17, 17, 33, 58, 132, 255};
    event.flow.protocol = kProtocols[random_() % std::size(kProtocols)];
    event.flow.source = {Address(), Port()};
    event.flow.destination = {Address(), Port()};
    event.flow.outcome = static_cast<ContactOutcome>(random_() % 5);
    event.flow.forward.tcp_flags = static_cast<std::uint8_t>(random_());
    return event;
  }

 private:
  Timestamp Time() {
    switch (random_() % 64) {
      case 0:
        return Timestamp::min();
      case 1:
        return Timestamp(Duration(static_cast<std::int64_t>(random_())));
      case 2:
        return At(seconds(-1'800'000'000));
      default:
        now_ += milliseconds(random_() % 500);
        return At(now_);
    }
  }
  IpAddress Address() {
    const auto low = static_cast<std::uint8_t>(random_() % 12);
    if (random_() % 5 == 0) {
      std::array<std::uint8_t, 16> bytes{0x20, 0x01};
      bytes[15] = low;
      return IpAddress::V6(bytes);
    }
    if (random_() % 30 == 0) return IpAddress::V4(224, 0, 0, low);
    return IpAddress::V4(10, 0, 0, low);
  }
  std::uint16_t Port() { return static_cast<std::uint16_t>(random_() % 40); }

  std::mt19937_64 random_;
  Duration now_{};
};

TEST(PortScanRobustness, AnyEventsGiveSoundAlertsWithinTheMemory) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    PortScanOptions options{
        .max_sources = 1 + seed % 9, .max_pending = 1 + seed % 50, .max_contacts = 2 + seed * 10};
    PortScanDetector detector(options);
    Nonsense nonsense(seed);
    std::vector<Alert> alerts;
    for (int i = 0; i < 4000; ++i) {
      const FlowEvent event = nonsense.Next();
      if (i % 97 == 0) detector.AdvanceTo(event.time, alerts);
      detector.Observe(event, alerts);
      if (i % 1000 == 999) {
        PortScanDetector restored(options);
        ASSERT_TRUE(restored.Load(detector.Save()).ok());
        detector = std::move(restored);
      }
    }
    detector.Finish(alerts);
    ExpectSoundLives(alerts);
    ASSERT_LT(detector.memory_bytes(), 128u * 1024);
  }
}

TEST(PortScanRobustness, TimeAtBothEndsOfItsRange) {
  PortScanDetector detector;
  std::vector<Alert> alerts;
  std::vector<FlowEvent> events = EventsOf(PortScan(40));
  for (std::size_t i = 0; i < events.size(); ++i) {
    events[i].time = i % 2 == 0 ? Timestamp::min() : Timestamp::max();
    events[i].flow.first_seen = i % 3 == 0 ? Timestamp::max() : Timestamp::min();
    detector.Observe(events[i], alerts);
  }
  detector.AdvanceTo(Timestamp::max(), alerts);
  detector.Finish(alerts);
  ASSERT_FALSE(alerts.empty());
  EXPECT_GE(alerts.back().observed, 9);
}

// Each source fails with one contact: the flood that a spoofing attacker sends.
void Flood(PortScanDetector& detector, std::uint32_t first, std::uint32_t count,
           std::vector<Alert>& alerts) {
  for (std::uint32_t i = first; i < first + count; ++i) {
    const Attempt attempt{.at = i * std::chrono::microseconds(20),
                          .from = Host(i),
                          .port = static_cast<std::uint16_t>(i)};
    detector.Observe(
        {FlowEventType::kStarted, At(attempt.at), RecordOf(attempt, ContactOutcome::kPending)},
        alerts);
  }
}

TEST(PortScanRobustness, MemoryIsFlatUnderEverNewSources) {
  PortScanDetector detector(
      {.max_sources = 1000, .max_pending = 4000, .max_contacts = 8000, .hash_seed = 1});
  std::vector<Alert> alerts;
  Flood(detector, 0, 400'000, alerts);
  const std::size_t after_many = detector.memory_bytes();
  std::size_t most = 0;
  for (std::uint32_t part = 2; part <= 4; ++part) {
    Flood(detector, part * 200'000, 200'000, alerts);
    most = std::max(most, detector.memory_bytes());
  }
  EXPECT_LT(most, after_many + after_many / 20);
  EXPECT_LT(most, 3u << 20);
  EXPECT_TRUE(alerts.empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(PortScanRobustness, MemoryBytesAgreesWithTheAllocator) {
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  auto detector = std::make_unique<PortScanDetector>(PortScanOptions{});
  std::vector<Alert> alerts;
  Flood(*detector, 0, 400'000, alerts);
  const std::size_t taken = mallinfo2().uordblks + mallinfo2().hblkhd - before;
  const auto declared = static_cast<double>(detector->memory_bytes());
  EXPECT_NEAR(declared, static_cast<double>(taken), 0.05 * static_cast<double>(taken));
  EXPECT_LT(declared, 55e6);
}
#endif

// Every source fails in as many different ways as it can, which takes the most memory.
TEST(PortScanRobustness, MemoryStaysBelowItsBoundUnderTheWorstSources) {
  const PortScanOptions options{.max_sources = 500, .max_pending = 1000, .max_contacts = 4000};
  PortScanDetector detector(options);
  std::vector<Alert> alerts;
  std::size_t most = 0;
  for (std::uint32_t i = 0; i < 300'000; ++i) {
    const Attempt attempt{.at = i * milliseconds(1),
                          .from = Host(i / 40 % 5000),
                          .to = Host(100'000 + i),
                          .port = static_cast<std::uint16_t>(i * 31),
                          .outcome = ContactOutcome::kRefused};
    for (const FlowEvent& event : EventsOf(attempt)) detector.Observe(event, alerts);
    most = std::max(most, detector.memory_bytes());
  }
  // 900 bytes a source, 100 a pending contact, 16 a remembered one, and what is there from the
  // start.
  EXPECT_LT(most, 500u * 900 + 1000u * 128 + 4000u * 32 + 64u * 1024);
}

TEST(PortScanRobustness, FloodOfInventedSourcesDoesNotHideASlowScanner) {
  PortScanDetector detector({.max_sources = 1000, .max_pending = 4000});
  std::vector<Alert> alerts;
  std::vector<Attempt> sweep = HostSweep(13, seconds(10));
  sweep[1].at = seconds(0);  // with a second failure it is no longer one of the many that fail once
  std::uint32_t next = 0;
  for (const Attempt& attempt : sweep) {
    for (const FlowEvent& event : EventsOf(attempt)) {
      if (event.type == FlowEventType::kStarted) detector.Observe(event, alerts);
    }
    if (&attempt == &sweep[0]) continue;
    // 20,000 sources in between, twenty times as many as are watched. They come 20 us apart: 400
    // ms.
    for (std::uint32_t i = 0; i < 20'000; ++i, ++next) {
      const Attempt invented{.at = attempt.at + i * std::chrono::microseconds(20),
                             .from = Host(1'000'000 + next)};
      detector.Observe(
          {FlowEventType::kStarted, At(invented.at), RecordOf(invented, ContactOutcome::kPending)},
          alerts);
    }
  }
  detector.AdvanceTo(At(minutes(3)), alerts);
  ASSERT_EQ(alerts.size(), 1u);
  EXPECT_EQ(alerts[0].entity.source, sweep[0].from);
}

TEST(PortScanRobustness, ForgottenSourceClosesItsAlert) {
  PortScanDetector detector({.max_sources = 4});
  std::vector<Alert> alerts;
  std::vector<FlowEvent> events;
  for (std::uint32_t scanner = 0; scanner < 20; ++scanner) {
    for (Attempt attempt : PortScan(12, milliseconds(1))) {
      attempt.at += scanner * seconds(1);
      attempt.from = Host(scanner);
      for (const FlowEvent& event : EventsOf(attempt)) events.push_back(event);
    }
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  alerts = AlertsOf(detector, events);
  EXPECT_EQ(alerts.size(), 40u);
  ExpectSoundLives(alerts);
}

}  // namespace
}  // namespace nta
