#include "nta/health/health_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace nta {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const HealthThreshold kDisk{"file_system.*.usage", HealthLevel::kWarning, 0.9, 0.8, 0s};

class Watched {
 public:
  explicit Watched(std::vector<HealthThreshold> thresholds)
      : watch(*HealthWatch::Create(std::move(thresholds))) {}
  std::vector<HealthFinding> At(std::chrono::seconds time, std::vector<HealthValue> values) {
    return watch.Observe(HealthTime(time), values);
  }
  HealthWatch watch;
};

TEST(HealthWatch, RaisesOnceAndClearsBelowTheLowerLimit) {
  Watched watched({kDisk});
  const auto at = [&](std::chrono::seconds time, double value) {
    return watched.At(time, {{"file_system./.usage", value}});
  };
  EXPECT_THAT(at(0s, 0.5), IsEmpty());
  const auto raised = at(10s, 0.91);
  ASSERT_THAT(raised, SizeIs(1));
  EXPECT_EQ(raised[0].state, HealthFindingState::kRaised);
  EXPECT_EQ(raised[0].since, HealthTime(10s));
  EXPECT_EQ(raised[0].summary, "file_system./.usage is 0.91: 0.9 or more is warning");
  // A value that trembles around its limit is one finding.
  for (int i = 0; i < 100; ++i) EXPECT_THAT(at(20s + 1s * i, i % 2 == 0 ? 0.89 : 0.91), IsEmpty());
  EXPECT_THAT(watched.watch.Active(), SizeIs(1));
  const auto cleared = at(200s, 0.8);
  ASSERT_THAT(cleared, SizeIs(1));
  EXPECT_EQ(cleared[0].state, HealthFindingState::kCleared);
  EXPECT_EQ(cleared[0].since, HealthTime(10s));
  EXPECT_THAT(watched.watch.Active(), IsEmpty());
}

TEST(HealthWatch, WaitsForTheHoldBothWays) {
  Watched watched({{"cpu.usage", HealthLevel::kWarning, 0.9, 0.8, 60s}});
  const auto at = [&](std::chrono::seconds time, double value) {
    return watched.At(time, {{"cpu.usage", value}});
  };
  EXPECT_THAT(at(0s, 0.99), IsEmpty());
  EXPECT_THAT(at(59s, 0.99), IsEmpty());
  EXPECT_THAT(at(60s, 0.5), IsEmpty());  // a peak was no finding
  EXPECT_THAT(at(70s, 0.99), IsEmpty());
  const auto raised = at(130s, 0.99);
  ASSERT_THAT(raised, SizeIs(1));
  EXPECT_EQ(raised[0].since, HealthTime(70s));
  EXPECT_THAT(at(140s, 0.1), IsEmpty());
  EXPECT_THAT(at(199s, 0.1), IsEmpty());
  EXPECT_THAT(at(200s, 0.1), SizeIs(1));
}

TEST(HealthWatch, LowCanBeBad) {
  Watched watched({{"free", HealthLevel::kCritical, 10, 20, 0s}});
  EXPECT_THAT(watched.At(0s, {{"free", 11}}), IsEmpty());
  const auto raised = watched.At(1s, {{"free", 10}});
  ASSERT_THAT(raised, SizeIs(1));
  EXPECT_THAT(raised[0].summary, HasSubstr("10 or less is critical"));
  EXPECT_THAT(watched.At(2s, {{"free", 19}}), IsEmpty());
  EXPECT_THAT(watched.At(3s, {{"free", 20}}), SizeIs(1));
}

TEST(HealthWatch, EachNameThatFitsIsWatchedByItself) {
  Watched watched({kDisk});
  EXPECT_THAT(watched.At(0s, {{"file_system./.usage", 0.95},
                              {"file_system./var.usage", 0.96},
                              {"file_system.usage", 1.0},  // nothing for the star and both dots
                              {"memory.usage", 1.0}}),
              SizeIs(2));
}

TEST(HealthWatch, WhatIsNoLongerToldIsLostOnlyAtTheSecondTime) {
  Watched watched({kDisk});
  watched.At(0s, {{"file_system./usb.usage", 0.95}});
  EXPECT_THAT(watched.At(1s, {}), IsEmpty());
  const auto lost = watched.At(2s, {});
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].state, HealthFindingState::kLost);
  EXPECT_THAT(watched.At(3s, {}), IsEmpty());
}

TEST(HealthWatch, AClockThatGoesBackStartsTheHoldAnew) {
  Watched watched({{"cpu.usage", HealthLevel::kWarning, 0.9, 0.8, 60s}});
  EXPECT_THAT(watched.At(1000s, {{"cpu.usage", 1}}), IsEmpty());
  EXPECT_THAT(watched.At(10s, {{"cpu.usage", 1}}), IsEmpty());
  EXPECT_THAT(watched.At(69s, {{"cpu.usage", 1}}), IsEmpty());
  EXPECT_THAT(watched.At(70s, {{"cpu.usage", 1}}), SizeIs(1));
}

TEST(HealthWatch, ARestartRaisesNothingTwice) {
  Watched before({kDisk, {"cpu.usage", HealthLevel::kWarning, 0.9, 0.8, 0s}});
  before.At(0s, {{"file_system./.usage", 0.95}, {"cpu.usage", 1}});
  // The new one knows the first threshold only.
  Watched after({kDisk});
  const auto lost = after.watch.Restore(HealthTime(10s), before.watch.Active());
  ASSERT_THAT(lost, SizeIs(1));
  EXPECT_EQ(lost[0].name, "cpu.usage");
  EXPECT_EQ(lost[0].state, HealthFindingState::kLost);
  EXPECT_THAT(after.At(11s, {{"file_system./.usage", 0.96}}), IsEmpty());
  const auto cleared = after.At(12s, {{"file_system./.usage", 0.1}});
  ASSERT_THAT(cleared, SizeIs(1));
  EXPECT_EQ(cleared[0].since, HealthTime(0s));
}

TEST(HealthWatch, CriticalStandsFirst) {
  Watched watched({kDisk, {"file_system.*.usage", HealthLevel::kCritical, 0.97, 0.95, 0s}});
  watched.At(0s, {{"file_system./.usage", 0.98}});
  const auto active = watched.watch.Active();
  ASSERT_THAT(active, SizeIs(2));
  EXPECT_EQ(active[0].level, HealthLevel::kCritical);
}

TEST(HealthWatch, RefusesThresholdsThatCannotWork) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const HealthThreshold& wrong :
       std::vector<HealthThreshold>{{"", HealthLevel::kWarning, 1, 0, 0s},
                                    {std::string(257, 'x'), HealthLevel::kWarning, 1, 0, 0s},
                                    {"*.*", HealthLevel::kWarning, 1, 0, 0s},
                                    {"x", HealthLevel::kWarning, 1, 1, 0s},
                                    {"x", HealthLevel::kWarning, nan, 1, 0s},
                                    {"x", HealthLevel::kWarning, 1, 0, -1s},
                                    {"x", HealthLevel::kWarning, 1, 0, 25h}}) {
    const auto watch = HealthWatch::Create({wrong});
    EXPECT_EQ(watch.status().code(), absl::StatusCode::kInvalidArgument) << wrong.name;
  }
  EXPECT_FALSE(HealthWatch::Create(std::vector<HealthThreshold>(257, kDisk)).ok());
  EXPECT_TRUE(HealthWatch::Create(DefaultHealthThresholds()).ok());
}

}  // namespace
}  // namespace nta
