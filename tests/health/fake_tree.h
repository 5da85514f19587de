// FakeTree: a directory with a proc/ and a sys/ of our own making.
#ifndef NTA_TESTS_HEALTH_FAKE_TREE_H_
#define NTA_TESTS_HEALTH_FAKE_TREE_H_

#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "nta/health/health.h"

namespace nta {

class FakeTree {
 public:
  FakeTree() {
    std::string name = std::filesystem::temp_directory_path() / "nta-health-XXXXXX";
    root_ = mkdtemp(name.data());
  }
  ~FakeTree() { std::filesystem::remove_all(root_); }
  FakeTree(const FakeTree&) = delete;
  FakeTree& operator=(const FakeTree&) = delete;

  void Write(const std::string& path, const std::string& text) const {
    const std::filesystem::path file = root_ / path;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
  }
  void Remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }

  // A machine with two cores, two disks and all else that a sample tells.
  void WriteMachine() const {
    Write("proc/uptime", "1000.50 1500.00\n");
    Write("proc/stat",
          "cpu  100 10 50 800 40 5 15 20 0 0\n"
          "cpu0 60 5 30 400 20 2 10 10 0 0\ncpu1 40 5 20 400 20 3 5 10 0 0\n"
          "intr 1 2 3\nctxt 5\n");
    Write("proc/loadavg", "1.50 0.75 0.25 2/300 4711\n");
    Write("proc/meminfo",
          "MemTotal:        8000 kB\nMemFree:         1000 kB\nMemAvailable:    2000 kB\n"
          "Buffers:          100 kB\nCached:           900 kB\nSwapCached:         0 kB\n"
          "SwapTotal:       4000 kB\nSwapFree:        3000 kB\n");
    Write("proc/pressure/cpu", "some avg10=12.50 avg60=1.00 avg300=0.10 total=5\n");
    Write("proc/diskstats",
          "   8       0 sda 100 0 2000 50 200 0 4000 70 0 500 120\n"
          "   8       1 sda1 90 0 1000 40 190 0 3000 60 0 400 100\n"
          "   7       0 loop0 0 0 0 0 0 0 0 0 0 0 0\n");
    Write("sys/block/sda/size", "1000\n");
    Write("sys/block/loop0/size", "0\n");
    Write("proc/self/mountinfo",
          "20 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
          "21 20 8:1 /srv /mnt/again rw - ext4 /dev/sda1 rw\n"
          "22 20 0:5 / /proc rw - proc proc rw\n"
          "23 20 8:17 / /mnt/my\\040data ro,noatime shared:1 - xfs /dev/sdb1 ro\n"
          "24 20 0:40 / /net rw - nfs4 server:/export rw\n"
          "25 20 0:41 / /run rw - tmpfs tmpfs rw\n"
          "26 20 7:1 / /snap/core rw - squashfs /dev/loop1 ro\n");
    Write("proc/self/net/dev",
          "Inter-|   Receive            |  Transmit\n"
          " face |bytes packets errs drop|bytes packets\n"
          "    lo: 10 1 0 0 0 0 0 0 10 1 0 0 0 0 0 0\n"
          "  eth0:5000 50 1 2 0 0 0 0 7000 70 3 4 0 0 0 0\n");
    Write("sys/class/net/eth0/operstate", "up\n");
    Write("sys/class/net/eth0/speed", "1000\n");
    Write("sys/class/net/lo/operstate", "unknown\n");
    Write("sys/class/hwmon/hwmon0/name", "coretemp\n");
    Write("sys/class/hwmon/hwmon0/temp1_input", "45500\n");
    Write("sys/class/hwmon/hwmon0/temp1_label", "Package id 0\n");
    Write("sys/class/hwmon/hwmon0/temp1_crit", "100000\n");
    Write("proc/self/stat",
          "4711 (nta ser) v) R 1 1 1 0 -1 4194304 98 0 0 0 150 50 0 0 20 0 7 0 50050 1048576 256 "
          "18446744073709551615 1 1 1 0 0 0 0 0 0 0 0 0 17 0 0 0 0 0 0\n");
    Write("proc/self/limits",
          "Limit  Soft Limit  Hard Limit  Units\n"
          "Max open files            1024                 4096                 files\n");
    Write("proc/self/io", "rchar: 1\nread_bytes: 4096\nwrite_bytes: 8192\n");
    for (const char* file : {"0", "1", "2"}) Write(std::string("proc/self/fd/") + file, "");
  }

  HealthOptions Options() const {
    HealthOptions options;
    options.root = root_;
    options.measure_space = [this](const std::string& mount) -> std::optional<FileSystemSpace> {
      const auto found = spaces.find(mount);
      if (found == spaces.end()) return std::nullopt;
      return found->second;
    };
    return options;
  }
  HealthSample Sample() const { return SampleHealth(now, Options()); }

  std::map<std::string, FileSystemSpace> spaces = {{"/", {1000, 300, 250, 100, 40}},
                                                   {"/mnt/my data", {2000, 0, 0, 0, 0}},
                                                   {"/run", {50, 50, 50, 10, 10}}};
  HealthTime now{std::chrono::seconds(1'800'000'000)};

 private:
  std::filesystem::path root_;
};

}  // namespace nta

#endif  // NTA_TESTS_HEALTH_FAKE_TREE_H_
