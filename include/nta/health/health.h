// HealthSample: what this machine and this process have and use at one moment, read from /proc and
// /sys.
//
//   nta::HealthSample before = nta::SampleHealth(now);
//   nta::HealthSample after = nta::SampleHealth(later);
//   nta::HealthRates rates = nta::RatesBetween(before, after);      // nta/health/rates.h
#ifndef NTA_HEALTH_HEALTH_H_
#define NTA_HEALTH_HEALTH_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace nta {

// The type of nta::Timestamp.
using HealthTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// Ticks since the machine started. `idle` holds no `iowait`, `user` holds no `nice`.
struct CpuTimes {
  std::uint64_t user = 0;
  std::uint64_t nice = 0;
  std::uint64_t system = 0;
  std::uint64_t idle = 0;
  std::uint64_t iowait = 0;
  std::uint64_t irq = 0;
  std::uint64_t softirq = 0;
  std::uint64_t steal = 0;

  friend bool operator==(const CpuTimes&, const CpuTimes&) = default;
};

struct CpuCore {
  std::uint32_t number = 0;
  CpuTimes times{};
};

// Tasks that run or wait for a disk, averaged over 1, 5 and 15 minutes.
struct LoadAverage {
  double one = 0;
  double five = 0;
  double fifteen = 0;
};

struct MemoryUse {
  std::uint64_t total_bytes = 0;
  // What programs can have without anything being swapped out.
  std::uint64_t available_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t cached_bytes = 0;  // buffers included
  std::uint64_t swap_total_bytes = 0;
  std::uint64_t swap_free_bytes = 0;
  // Of the control group this process is in (a container, a systemd unit), when it has a limit
  // below total_bytes.
  std::optional<std::uint64_t> limit_bytes{};
  std::optional<std::uint64_t> limit_used_bytes{};
};

// Share of the last ten seconds in which something waited for this (Linux pressure stall
// information), 0 to 1.
struct Pressure {
  std::optional<double> cpu{};
  std::optional<double> memory{};
  std::optional<double> io{};
};

// A block device; counters since the machine started.
struct DiskCounters {
  std::string name{};  // "sda", "nvme0n1p2"
  bool is_partition = false;
  std::uint64_t reads = 0;
  std::uint64_t read_bytes = 0;
  std::uint64_t writes = 0;
  std::uint64_t written_bytes = 0;
  std::chrono::milliseconds busy{};  // time with at least one request under way
};

struct FileSystemUse {
  std::string mount_point{};
  std::string device{};
  std::string type{};
  bool read_only = false;
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t available_bytes = 0;  // to programs that are not root's
  std::uint64_t inodes = 0;           // 0: the file system has no fixed number
  std::uint64_t inodes_free = 0;
};

struct InterfaceCounters {
  std::string name{};
  std::string state{};                             // "up", "down", "unknown"
  std::optional<std::uint64_t> bits_per_second{};  // of the link
  std::uint64_t received_bytes = 0;
  std::uint64_t received_packets = 0;
  std::uint64_t received_errors = 0;
  std::uint64_t received_drops = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t sent_packets = 0;
  std::uint64_t sent_errors = 0;
  std::uint64_t sent_drops = 0;
};

struct Temperature {
  std::string name{};  // "coretemp Package id 0", "acpitz"
  double celsius = 0;
  std::optional<double> critical_celsius{};
};

struct ProcessUse {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::chrono::nanoseconds cpu_time{};  // user and system
  std::uint64_t threads = 0;
  std::optional<std::uint64_t> open_files{};
  std::optional<std::uint64_t> open_files_limit{};
  std::optional<std::uint64_t> read_bytes{};  // from disks
  std::optional<std::uint64_t> written_bytes{};
  // Since the process began.
  std::optional<std::chrono::nanoseconds> age{};
};

// A part that could not be read is absent or empty, and `problems` says why.
struct HealthSample {
  HealthTime time{};
  // Since the machine started; the clock that rates are counted by. It never steps.
  std::optional<std::chrono::nanoseconds> uptime{};
  std::optional<CpuTimes> cpu{};  // all cores together
  std::vector<CpuCore> cores{};
  std::optional<LoadAverage> load{};
  std::optional<MemoryUse> memory{};
  Pressure pressure;
  std::vector<DiskCounters> disks{};
  std::vector<FileSystemUse> file_systems{};
  std::vector<InterfaceCounters> interfaces{};
  std::vector<Temperature> temperatures{};  // none where the machine has no sensor
  std::optional<ProcessUse> process{};
  std::vector<std::string> problems{};
  // Cores, disks, file systems, interfaces and sensors beyond HealthOptions::max_items.
  std::uint64_t omitted = 0;
};

struct FileSystemSpace {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t available_bytes = 0;
  std::uint64_t inodes = 0;
  std::uint64_t inodes_free = 0;
};

struct HealthOptions {
  // Where proc/ and sys/ are; another place for tests and for the host's tree seen from a
  // container.
  std::string root = "/";
  // File systems that these paths are on are told in any case. Others are told when they are on a
  // block device; network file systems never, because asking a dead one would block.
  std::vector<std::string> paths{};
  // How the space of a mount point is measured; absent: by statvfs(3).
  std::function<std::optional<FileSystemSpace>(const std::string& mount_point)> measure_space{};
  // Of each kind at the most; the rest is counted in `omitted`.
  std::size_t max_items = 256;
};

// Never fails as a whole: what is missing or garbled is left out and told in `problems`. Takes a
// few milliseconds and keeps nothing.
HealthSample SampleHealth(HealthTime now, const HealthOptions& options = {});

}  // namespace nta

#endif  // NTA_HEALTH_HEALTH_H_
