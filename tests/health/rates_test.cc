#include "nta/health/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "health/fake_tree.h"

namespace nta {
namespace {

using namespace std::chrono_literals;
using testing::IsEmpty;
using testing::SizeIs;

std::optional<double> Find(const std::vector<HealthValue>& values, const std::string& name) {
  for (const HealthValue& value : values) {
    if (value.name == name) return value.value;
  }
  return std::nullopt;
}

class RatesTest : public testing::Test {
 protected:
  RatesTest() {
    tree_.WriteMachine();
    before_ = tree_.Sample();
  }

  FakeTree tree_;
  HealthSample before_;
};

TEST_F(RatesTest, CountPerSecondOfUptime) {
  tree_.Write("proc/uptime", "1010.50 1.00\n");
  tree_.now += 1h;  // the wall clock was set: it does not count
  tree_.Write("proc/stat",
              "cpu  160 10 60 810 50 5 15 30 0 0\ncpu0 60 5 30 400 20 2 10 10 0 0\n"
              "cpu1 80 5 20 460 20 3 5 10 0 0\n");
  tree_.Write("proc/diskstats", "   8       0 sda 200 0 4000 50 250 0 4400 70 0 5500 120\n");
  tree_.Write("proc/self/net/dev", "a\nb\n eth0:6000 60 1 12 0 0 0 0 9000 90 13 4 0 0 0 0\n");
  const HealthSample after = tree_.Sample();
  const HealthRates rates = RatesBetween(before_, after);
  EXPECT_EQ(rates.elapsed, 10s);
  ASSERT_TRUE(rates.cpu);  // of 100 ticks: 60 user, 10 system, 10 idle, 10 iowait, 10 stolen
  EXPECT_DOUBLE_EQ(rates.cpu->usage, 0.8);
  EXPECT_DOUBLE_EQ(rates.cpu->iowait, 0.1);
  EXPECT_DOUBLE_EQ(rates.cpu->steal, 0.1);
  ASSERT_THAT(rates.cores, SizeIs(1));  // the other one did not tick
  EXPECT_EQ(rates.cores[0].number, 1u);
  EXPECT_DOUBLE_EQ(rates.cores[0].usage.usage, 0.4);
  ASSERT_THAT(rates.disks, SizeIs(1));  // a partition that went away has no rate
  EXPECT_DOUBLE_EQ(rates.disks[0].reads, 10);
  EXPECT_DOUBLE_EQ(rates.disks[0].written_bytes, 400 * 512 / 10.0);
  EXPECT_DOUBLE_EQ(rates.disks[0].busy, 0.5);
  ASSERT_THAT(rates.interfaces, SizeIs(1));
  EXPECT_DOUBLE_EQ(rates.interfaces[0].received_bytes, 100);
  EXPECT_DOUBLE_EQ(rates.interfaces[0].received_drops, 1);
  EXPECT_DOUBLE_EQ(rates.interfaces[0].sent_errors, 1);

  const std::vector<HealthValue> values = HealthValues(after, rates);
  EXPECT_EQ(Find(values, "cpu.usage"), 0.8);
  EXPECT_EQ(Find(values, "cpu.1.usage"), 0.4);
  EXPECT_EQ(Find(values, "load.per_core"), 0.375);
  EXPECT_EQ(Find(values, "memory.usage"), 0.75);
  EXPECT_EQ(Find(values, "swap.usage"), 0.25);
  // 700 used of 950 that programs may have.
  EXPECT_EQ(Find(values, "file_system./.usage"), 700.0 / 950);
  EXPECT_EQ(Find(values, "file_system./.inode_usage"), 0.6);
  // Full for good: nothing to be warned of.
  EXPECT_EQ(Find(values, "file_system./mnt/my data.usage"), std::nullopt);
  EXPECT_EQ(Find(values, "network.eth0.drops_per_second"), 1.0);
  EXPECT_EQ(Find(values, "temperature.coretemp Package id 0.of_critical"), 0.455);
  EXPECT_EQ(Find(values, "process.open_files_usage"), 3.0 / 1024);
}

TEST_F(RatesTest, ThereAreNoneInNoTimeOrAcrossABoot) {
  EXPECT_EQ(RatesBetween(before_, before_).elapsed, 0s);
  tree_.Write("proc/uptime", "3.00 1.00\n");
  const HealthRates rates = RatesBetween(before_, tree_.Sample());
  EXPECT_EQ(rates.elapsed, 0s);
  EXPECT_FALSE(rates.cpu);
  EXPECT_THAT(rates.disks, IsEmpty());
}

TEST_F(RatesTest, CountersThatWentBackGiveNone) {
  tree_.Write("proc/uptime", "1010.50 1.00\n");
  tree_.Write("proc/self/net/dev", "a\nb\n eth0:1 60 1 12 0 0 0 0 9000 90 13 4 0 0 0 0\n");
  tree_.Write("proc/stat", "cpu  200 10 50 700 40 5 15 20 0 0\n");
  const HealthRates rates = RatesBetween(before_, tree_.Sample());
  EXPECT_THAT(rates.interfaces, IsEmpty());
  // Only 100 user ticks are new: idle time cannot go back.
  EXPECT_DOUBLE_EQ(rates.cpu->usage, 1.0);
}

TEST_F(RatesTest, WithoutUptimeTheTimesOfTheSamplesCount) {
  before_.uptime.reset();
  HealthSample after = tree_.Sample();
  after.time += 5s;
  EXPECT_EQ(RatesBetween(before_, after).elapsed, 5s);
}

}  // namespace
}  // namespace nta
