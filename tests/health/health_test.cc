#include "nta/health/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <random>

#include "health/fake_tree.h"
#include "nta/health/health_watch.h"
#include "nta/health/rates.h"

namespace nta {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

template <typename Item>
std::vector<std::string> NamesOf(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

class HealthTest : public testing::Test {
 protected:
  HealthTest() { tree_.WriteMachine(); }
  FakeTree tree_;
};

TEST_F(HealthTest, TellsTheMachine) {
  const HealthSample sample = tree_.Sample();
  EXPECT_THAT(sample.problems, IsEmpty());
  EXPECT_EQ(sample.time, tree_.now);
  EXPECT_EQ(sample.uptime, 1000500ms);
  EXPECT_EQ(sample.cpu, (CpuTimes{100, 10, 50, 800, 40, 5, 15, 20}));
  ASSERT_THAT(sample.cores, SizeIs(2));
  EXPECT_EQ(sample.cores[1].number, 1u);
  EXPECT_EQ(sample.cores[1].times.user, 40u);
  EXPECT_EQ(sample.load->five, 0.75);
  EXPECT_EQ(sample.memory->total_bytes, 8000u * 1024);
  EXPECT_EQ(sample.memory->available_bytes, 2000u * 1024);
  EXPECT_EQ(sample.memory->cached_bytes, 1000u * 1024);
  EXPECT_EQ(sample.memory->swap_free_bytes, 3000u * 1024);
  EXPECT_EQ(sample.memory->limit_bytes, std::nullopt);
  EXPECT_EQ(sample.pressure.cpu, 0.125);
  EXPECT_EQ(sample.pressure.io, std::nullopt);
}

TEST_F(HealthTest, TellsDisksAndTheirPartitions) {
  const HealthSample sample = tree_.Sample();
  ASSERT_THAT(NamesOf(sample.disks), ElementsAre("sda", "sda1"));  // an unused loop is no disk
  EXPECT_FALSE(sample.disks[0].is_partition);
  EXPECT_TRUE(sample.disks[1].is_partition);
  EXPECT_EQ(sample.disks[0].read_bytes, 2000u * 512);
  EXPECT_EQ(sample.disks[0].writes, 200u);
  EXPECT_EQ(sample.disks[0].busy, 500ms);
}

TEST_F(HealthTest, TellsEachFileSystemOnceAndNoRemoteOne) {
  const HealthSample sample = tree_.Sample();
  ASSERT_THAT(sample.file_systems, SizeIs(2));
  EXPECT_EQ(sample.file_systems[0].mount_point, "/");
  EXPECT_EQ(sample.file_systems[0].available_bytes, 250u);
  EXPECT_EQ(sample.file_systems[1].mount_point, "/mnt/my data");
  EXPECT_TRUE(sample.file_systems[1].read_only);
}

TEST_F(HealthTest, TellsTheFileSystemsOfNamedPathsWhateverTheyAre) {
  HealthOptions options = tree_.Options();
  options.paths = {"/run/nta/data", "/net/data", "relative"};
  std::vector<std::string> asked;
  const auto measure = options.measure_space;
  options.measure_space = [&](const std::string& mount) {
    asked.push_back(mount);
    return measure(mount);
  };
  const HealthSample sample = SampleHealth(tree_.now, options);
  EXPECT_EQ(sample.file_systems.back().mount_point, "/run");
  // Not even by name: a dead server would block us.
  EXPECT_THAT(asked, testing::Not(testing::Contains("/net")));
}

TEST_F(HealthTest, TellsInterfacesSensorsAndTheProcess) {
  const HealthSample sample = tree_.Sample();
  ASSERT_THAT(NamesOf(sample.interfaces), ElementsAre("lo", "eth0"));
  const InterfaceCounters& eth0 = sample.interfaces[1];
  EXPECT_EQ(eth0.state, "up");
  EXPECT_EQ(eth0.bits_per_second, 1'000'000'000u);
  EXPECT_EQ(eth0.received_bytes, 5000u);
  EXPECT_EQ(eth0.received_drops, 2u);
  EXPECT_EQ(eth0.sent_errors, 3u);
  ASSERT_THAT(NamesOf(sample.temperatures), ElementsAre("coretemp Package id 0"));
  EXPECT_EQ(sample.temperatures[0].celsius, 45.5);
  EXPECT_EQ(sample.temperatures[0].critical_celsius, 100.0);
  ASSERT_TRUE(sample.process);
  const auto per_second = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
  EXPECT_EQ(sample.process->cpu_time, std::chrono::milliseconds(200 * 1000 / per_second));
  EXPECT_EQ(sample.process->threads, 7u);
  EXPECT_EQ(sample.process->resident_bytes, 256u * static_cast<std::uint64_t>(getpagesize()));
  EXPECT_EQ(sample.process->open_files, 3u);
  EXPECT_EQ(sample.process->open_files_limit, 1024u);
  EXPECT_EQ(sample.process->written_bytes, 8192u);
  EXPECT_EQ(sample.process->age, 1000500ms - std::chrono::milliseconds(50050 * 1000 / per_second));
}

TEST_F(HealthTest, ZonesTellTheTemperatureWhereNoChipDoes) {
  tree_.Remove("sys/class/hwmon");
  tree_.Write("sys/class/thermal/thermal_zone0/temp", "51000");
  tree_.Write("sys/class/thermal/thermal_zone0/type", "acpitz\n");
  tree_.Write("sys/class/thermal/thermal_zone1/temp", "52000");
  tree_.Write("sys/class/thermal/thermal_zone1/type", "acpitz\n");
  tree_.Write("sys/class/thermal/thermal_zone2/temp", "999999999");  // a broken sensor
  EXPECT_THAT(NamesOf(tree_.Sample().temperatures), ElementsAre("acpitz", "acpitz 2"));
}

TEST_F(HealthTest, KnowsTheMemoryLimitOfItsGroup) {
  tree_.Write("proc/self/cgroup", "0::/system.slice/nta.service\n");
  tree_.Write("sys/fs/cgroup/system.slice/nta.service/memory.max", "4194304\n");
  tree_.Write("sys/fs/cgroup/system.slice/nta.service/memory.current", "1048576\n");
  const HealthSample sample = tree_.Sample();
  EXPECT_EQ(sample.memory->limit_bytes, 4194304u);
  EXPECT_EQ(sample.memory->limit_used_bytes, 1048576u);
  tree_.Write("sys/fs/cgroup/system.slice/nta.service/memory.max", "max\n");
  EXPECT_EQ(tree_.Sample().memory->limit_bytes, std::nullopt);
}

TEST_F(HealthTest, KnowsTheMemoryLimitOfAnOldGroup) {
  tree_.Write("proc/self/cgroup", "4:memory:/docker/abc\n0::/\n");
  tree_.Write("sys/fs/cgroup/memory/memory.limit_in_bytes", "2097152\n");
  tree_.Write("sys/fs/cgroup/memory/memory.usage_in_bytes", "4096\n");
  EXPECT_EQ(tree_.Sample().memory->limit_bytes, 2097152u);
}

TEST_F(HealthTest, MissingFilesAreToldAndLeaveTheRest) {
  for (const char* file : {"proc/stat", "proc/meminfo", "proc/self/net/dev"}) tree_.Remove(file);
  const HealthSample sample = tree_.Sample();
  EXPECT_EQ(sample.cpu, std::nullopt);
  EXPECT_EQ(sample.memory, std::nullopt);
  EXPECT_THAT(sample.problems, ElementsAre(HasSubstr("/proc/stat: No such file"),
                                           HasSubstr("/proc/meminfo: No such file"),
                                           HasSubstr("/proc/self/net/dev: No such file")));
  EXPECT_TRUE(sample.load && sample.process);
}

TEST_F(HealthTest, GarbledLinesAreToldAndLeaveTheOthers) {
  tree_.Write("proc/stat", "cpu  1 2 3\ncpuX 1 2 3 4 5\ncpu1 1 2 3 4 5\n");
  tree_.Write("proc/diskstats", "nonsense\n 8 0 sda 1 0 2 0 3 0 4 0 0 5 6\n");
  tree_.Write("proc/self/net/dev", "a\nb\n eth0 1 2 3\n eth1: 1 2 3 4 5 6 7 8 9 10 11 12\n");
  const HealthSample sample = tree_.Sample();
  ASSERT_THAT(sample.cores, SizeIs(1));
  EXPECT_THAT(NamesOf(sample.disks), ElementsAre("sda"));
  EXPECT_THAT(NamesOf(sample.interfaces), ElementsAre("eth1"));
  EXPECT_THAT(sample.problems, SizeIs(3));
}

TEST_F(HealthTest, AFifoInTheTreeDoesNotBlock) {
  tree_.Remove("proc/loadavg");
  ASSERT_EQ(mkfifo((tree_.Options().root + "/proc/loadavg").c_str(), 0600), 0);
  EXPECT_EQ(tree_.Sample().load, std::nullopt);
}

TEST_F(HealthTest, NamesThatLeadElsewhereAreNotFollowed) {
  tree_.Write("proc/self/net/dev",
              "a\nb\n ../../../proc/self/x: 1 2 3 4 5 6 7 8 9 10 11 12\n"
              " e\x1b[2J: 1 2 3 4 5 6 7 8 9 10 11 12\n");
  tree_.Write("proc/self/x/operstate", "secret");
  const HealthSample sample = tree_.Sample();
  ASSERT_THAT(sample.interfaces, SizeIs(2));
  EXPECT_EQ(sample.interfaces[0].state, "unknown");
  EXPECT_EQ(sample.interfaces[1].name.find('\x1b'), std::string::npos);
}

TEST_F(HealthTest, ListsAreBoundedAndTheRestIsCounted) {
  std::string lines = "a\nb\n";
  for (int i = 0; i < 300; ++i) {
    lines += "veth" + std::to_string(i) + ": 1 2 3 4 5 6 7 8 9 10 11 12\n";
  }
  tree_.Write("proc/self/net/dev", lines);
  const HealthSample sample = tree_.Sample();
  EXPECT_THAT(sample.interfaces, SizeIs(256));
  EXPECT_EQ(sample.omitted, 44u);
}

// Any bytes in any file: no crash, no nonsense that is not finite.
TEST_F(HealthTest, NoBytesInAnyFileBreakIt) {
  const std::vector<std::string> files = {"proc/uptime",
                                          "proc/stat",
                                          "proc/loadavg",
                                          "proc/meminfo",
                                          "proc/pressure/cpu",
                                          "proc/diskstats",
                                          "proc/self/mountinfo",
                                          "proc/self/net/dev",
                                          "proc/self/stat",
                                          "proc/self/limits",
                                          "proc/self/io",
                                          "proc/self/cgroup",
                                          "sys/class/net/eth0/speed",
                                          "sys/class/hwmon/hwmon0/temp1_input"};
  const std::vector<std::string> pieces = {"18446744073709551615",
                                           "-1",
                                           "1e308",
                                           "nan",
                                           "inf",
                                           "9999999999999999999999",
                                           " ",
                                           "\n",
                                           "\t",
                                           ":",
                                           "cpu",
                                           "cpu4294967296",
                                           "-",
                                           "/",
                                           "\\04",
                                           "MemTotal:",
                                           "kB",
                                           "\0x",
                                           "(",
                                           ")",
                                           "0"};
  std::mt19937 random(4711);
  HealthSample before = tree_.Sample();
  for (int round = 0; round < 3000; ++round) {
    const std::string& file = files[random() % files.size()];
    std::string text;
    for (std::size_t i = random() % 60; i > 0; --i) {
      text += pieces[random() % pieces.size()] + (random() % 2 == 0 ? " " : "");
    }
    tree_.Write(file, text);
    const HealthSample after = tree_.Sample();
    for (const HealthValue& value : HealthValues(after, RatesBetween(before, after))) {
      ASSERT_TRUE(std::isfinite(value.value)) << file << ": " << value.name;
    }
    before = after;
    if (round % 50 == 0) tree_.WriteMachine();
  }
}

// A threshold of a name that no sample tells would watch nothing, and nobody would notice.
TEST_F(HealthTest, EachDefaultThresholdIsRaisedByAValueThatASampleTells) {
  tree_.Write("proc/self/cgroup", "0::/nta.service\n");
  tree_.Write("sys/fs/cgroup/nta.service/memory.max", "4194304\n");
  tree_.Write("sys/fs/cgroup/nta.service/memory.current", "1048576\n");
  for (const char* kind : {"memory", "io"}) {
    tree_.Write(std::string("proc/pressure/") + kind,
                "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n");
  }
  const HealthSample before = tree_.Sample();
  tree_.Write("proc/uptime", "1010.50 1500.00\n");
  tree_.Write("proc/stat", "cpu  200 10 50 900 40 5 15 20 0 0\ncpu0 60 5 30 400 20 2 10 10 0 0\n");
  tree_.now += 10s;
  const HealthSample after = tree_.Sample();
  for (const HealthThreshold& threshold : DefaultHealthThresholds()) {
    std::vector<HealthValue> values = HealthValues(after, RatesBetween(before, after));
    for (HealthValue& value : values) value.value = threshold.raise_at;
    absl::StatusOr<HealthWatch> watch = HealthWatch::Create({threshold});
    ASSERT_TRUE(watch.ok()) << watch.status();
    watch->Observe(tree_.now, values);
    watch->Observe(tree_.now + threshold.hold, values);
    EXPECT_THAT(watch->Active(), testing::Not(IsEmpty())) << threshold.name;
    for (HealthValue& value : values) value.value = threshold.clear_at;
    watch->Observe(tree_.now + threshold.hold, values);
    watch->Observe(tree_.now + 2 * threshold.hold, values);
    EXPECT_THAT(watch->Active(), IsEmpty()) << threshold.name;
  }
}

// The machine that runs the test, which has a processor, memory and this process at the least.
TEST(Health, TellsTheRealMachine) {
  const HealthSample sample = SampleHealth(HealthTime(1s));
  ASSERT_TRUE(sample.cpu && sample.memory && sample.process && sample.load);
  EXPECT_GE(sample.cores.size(), 1u);
  EXPECT_GE(sample.process->threads, 1u);
  EXPECT_GT(sample.process->resident_bytes, 1u << 20);
  EXPECT_GT(sample.process->open_files.value_or(0), 2u);
  EXPECT_THAT(NamesOf(sample.interfaces), testing::Contains("lo"));
  EXPECT_EQ(sample.file_systems.empty() ? "/" : sample.file_systems.front().mount_point, "/");
}

}  // namespace
}  // namespace nta
