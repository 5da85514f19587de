// The machine as a whole: processors, load, memory.
#include <algorithm>
#include <array>
#include <cmath>

#include "health/proc_file.h"
#include "health/readers.h"

namespace nta {
namespace health {
namespace {

using std::chrono::nanoseconds;

constexpr double kNanosecondsPerSecond = 1e9;
// Some centuries: beyond it a number is nonsense, and would overflow.
constexpr double kMaxUptimeSeconds = 9e9;

// "cpu3 1 2 3 ...": the times behind the name. Old kernels tell fewer than eight.
std::optional<CpuTimes> ParseTimes(const std::vector<std::string_view>& words) {
  constexpr std::size_t kLeast = 5;
  if (words.size() < kLeast) return std::nullopt;
  std::array<std::uint64_t, 8> values{};
  for (std::size_t i = 0; i < values.size() && i + 1 < words.size(); ++i) {
    const auto value = ParseNumber<std::uint64_t>(words[i + 1]);
    if (!value) return std::nullopt;
    values[i] = *value;
  }
  return CpuTimes{values[0], values[1], values[2], values[3],
                  values[4], values[5], values[6], values[7]};
}

// "MemTotal:  123 kB" in bytes.
std::optional<std::uint64_t> KibibytesOf(const std::vector<std::string_view>& lines,
                                         std::string_view name) {
  for (const std::string_view line : lines) {
    if (!line.starts_with(name)) continue;
    const std::vector<std::string_view> words = Words(line);
    if (words.size() < 2 || words[0] != name) continue;
    const auto value = ParseNumber<std::uint64_t>(words[1]);
    if (!value || *value > (std::uint64_t{1} << 53)) return std::nullopt;
    return *value * 1024;
  }
  return std::nullopt;
}

// The directory of this process's control group and the names of its two files: version 2, else 1.
struct GroupFiles {
  std::string limit;
  std::string used;
};

std::optional<GroupFiles> FindMemoryGroup(const std::string& root) {
  const absl::StatusOr<std::string> text = ReadFile(root, "/proc/self/cgroup");
  if (!text.ok()) return std::nullopt;
  for (const std::string_view line : Lines(*text)) {
    const std::size_t path = line.find('/');
    if (path == std::string_view::npos) continue;
    std::string directory(line.substr(path));
    if (directory == "/") directory.clear();
    if (line.starts_with("0::")) {
      const std::string base = "/sys/fs/cgroup" + directory;
      if (ReadLine(root, base + "/memory.max")) {
        return GroupFiles{base + "/memory.max", base + "/memory.current"};
      }
    } else if (line.find(":memory:") != std::string_view::npos) {
      // Inside a container the group of the outside is mounted as the root.
      for (const std::string& base :
           {"/sys/fs/cgroup/memory" + directory, std::string("/sys/fs/cgroup/memory")}) {
        if (ReadLine(root, base + "/memory.limit_in_bytes")) {
          return GroupFiles{base + "/memory.limit_in_bytes", base + "/memory.usage_in_bytes"};
        }
      }
    }
  }
  return std::nullopt;
}

void ReadMemoryLimit(const std::string& root, MemoryUse& memory) {
  const std::optional<GroupFiles> files = FindMemoryGroup(root);
  if (!files) return;
  // "max" is no number and no limit; version 1 says "no limit" by a huge number.
  const auto limit = ParseNumber<std::uint64_t>(ReadLine(root, files->limit).value_or(""));
  if (!limit || *limit >= memory.total_bytes) return;
  memory.limit_bytes = limit;
  memory.limit_used_bytes = ParseNumber<std::uint64_t>(ReadLine(root, files->used).value_or(""));
}

// "some avg10=1.23 avg60=..." as a share.
std::optional<double> ReadPressureFile(const std::string& root, std::string_view path) {
  constexpr std::string_view kBegin = "some avg10=";
  const absl::StatusOr<std::string> text = ReadFile(root, path);
  if (!text.ok() || !text->starts_with(kBegin)) return std::nullopt;
  const std::string_view rest = std::string_view(*text).substr(kBegin.size());
  const auto percent = ParseNumber<double>(rest.substr(0, rest.find(' ')));
  if (!percent || !(*percent >= 0 && *percent <= 100)) return std::nullopt;
  return *percent / 100;
}

}  // namespace

void ReadUptime(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/uptime");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  const std::vector<std::string_view> words = Words(*text);
  const auto seconds = words.empty() ? std::nullopt : ParseNumber<double>(words[0]);
  if (!seconds || !(*seconds >= 0 && *seconds < kMaxUptimeSeconds)) {
    sample.problems.emplace_back("/proc/uptime holds no time");
    return;
  }
  sample.uptime = nanoseconds(static_cast<std::int64_t>(*seconds * kNanosecondsPerSecond));
}

void ReadCpu(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/stat");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  bool garbled = false;
  for (const std::string_view line : Lines(*text)) {
    if (!line.starts_with("cpu")) continue;
    const std::vector<std::string_view> words = Words(line);
    const std::optional<CpuTimes> times = ParseTimes(words);
    const auto number = ParseNumber<std::uint32_t>(words[0].substr(3));
    if (!times || (words[0].size() > 3 && !number)) {
      garbled = true;
    } else if (number) {
      AddItem(sample.cores, CpuCore{*number, *times}, options, sample);
    } else {
      sample.cpu = times;
    }
  }
  if (garbled || !sample.cpu)
    sample.problems.emplace_back("/proc/stat: a line cannot be understood");
}

void ReadLoad(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/loadavg");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  const std::vector<std::string_view> words = Words(*text);
  std::array<double, 3> loads{};
  for (std::size_t i = 0; i < loads.size(); ++i) {
    const auto value = i < words.size() ? ParseNumber<double>(words[i]) : std::nullopt;
    if (!value || !std::isfinite(*value) || *value < 0) {
      sample.problems.emplace_back("/proc/loadavg holds no load");
      return;
    }
    loads[i] = *value;
  }
  sample.load = LoadAverage{loads[0], loads[1], loads[2]};
}

void ReadMemory(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/meminfo");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  const std::vector<std::string_view> lines = Lines(*text);
  const auto value = [&](std::string_view name) { return KibibytesOf(lines, name); };
  const auto total = value("MemTotal:");
  const auto free = value("MemFree:");
  if (!total || !free || *total == 0) {
    sample.problems.emplace_back("/proc/meminfo holds no total");
    return;
  }
  MemoryUse memory;
  memory.total_bytes = *total;
  memory.free_bytes = std::min(*free, *total);
  memory.cached_bytes = value("Cached:").value_or(0) + value("Buffers:").value_or(0);
  // Kernels before 3.14 do not estimate it.
  memory.available_bytes =
      std::min(*total, value("MemAvailable:").value_or(*free + memory.cached_bytes));
  memory.swap_total_bytes = value("SwapTotal:").value_or(0);
  memory.swap_free_bytes = std::min(value("SwapFree:").value_or(0), memory.swap_total_bytes);
  ReadMemoryLimit(options.root, memory);
  sample.memory = memory;
}

void ReadPressure(const HealthOptions& options, HealthSample& sample) {
  sample.pressure.cpu = ReadPressureFile(options.root, "/proc/pressure/cpu");
  sample.pressure.memory = ReadPressureFile(options.root, "/proc/pressure/memory");
  sample.pressure.io = ReadPressureFile(options.root, "/proc/pressure/io");
}

}  // namespace health

HealthSample SampleHealth(HealthTime now, const HealthOptions& options) {
  HealthSample sample;
  sample.time = now;
  health::ReadUptime(options, sample);
  health::ReadCpu(options, sample);
  health::ReadLoad(options, sample);
  health::ReadMemory(options, sample);
  health::ReadPressure(options, sample);
  health::ReadDisks(options, sample);
  health::ReadFileSystems(options, sample);
  health::ReadInterfaces(options, sample);
  health::ReadTemperatures(options, sample);
  health::ReadProcess(options, sample);
  return sample;
}

}  // namespace nta
