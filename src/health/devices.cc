// Disks, interfaces and sensors.
#include <algorithm>
#include <array>
#include <set>

#include "base/utf8.h"
#include "health/proc_file.h"
#include "health/readers.h"

namespace nta::health {
namespace {

// /proc/diskstats counts in sectors of this size, whatever the device's own is.
constexpr std::uint64_t kSectorBytes = 512;
constexpr std::size_t kMaxNameBytes = 128;

std::string Name(std::string_view text) { return base::PrintableUtf8(text, kMaxNameBytes); }

// Made by the kernel in advance; of interest only once somebody uses them.
bool IsSpare(std::string_view name, const DiskCounters& disk) {
  const bool virtual_disk =
      name.starts_with("loop") || name.starts_with("ram") || name.starts_with("zram");
  return virtual_disk && disk.reads == 0 && disk.writes == 0;
}

std::optional<DiskCounters> ParseDisk(const std::vector<std::string_view>& words) {
  constexpr std::size_t kFirst = 3;    // behind major, minor and name
  constexpr std::size_t kFields = 10;  // as far as the time spent on requests
  if (words.size() < kFirst + kFields) return std::nullopt;
  std::array<std::uint64_t, kFields> fields{};
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto value = ParseNumber<std::uint64_t>(words[kFirst + i]);
    if (!value) return std::nullopt;
    fields[i] = *value;
  }
  constexpr std::uint64_t kMost = std::uint64_t{1} << 62;
  if (fields[9] > kMost) return std::nullopt;
  return DiskCounters{.name = Name(words[2]),
                      .reads = fields[0],
                      .read_bytes = fields[2] * kSectorBytes,
                      .writes = fields[4],
                      .written_bytes = fields[6] * kSectorBytes,
                      .busy = std::chrono::milliseconds(static_cast<std::int64_t>(fields[9]))};
}

// "eth0: 1 2 3 ..." with sixteen counters.
std::optional<InterfaceCounters> ParseInterface(std::string_view line) {
  // Names may hold colons (aliases), counters cannot.
  const std::size_t colon = line.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::vector<std::string_view> name = Words(line.substr(0, colon));
  const std::vector<std::string_view> words = Words(line.substr(colon + 1));
  constexpr std::size_t kFields = 12;
  if (name.size() != 1 || words.size() < kFields) return std::nullopt;
  std::array<std::uint64_t, kFields> fields{};
  for (std::size_t i = 0; i < kFields; ++i) {
    const auto value = ParseNumber<std::uint64_t>(words[i]);
    if (!value) return std::nullopt;
    fields[i] = *value;
  }
  return InterfaceCounters{.name = std::string(name[0]),
                           .state = "unknown",
                           .bits_per_second = std::nullopt,
                           .received_bytes = fields[0],
                           .received_packets = fields[1],
                           .received_errors = fields[2],
                           .received_drops = fields[3],
                           .sent_bytes = fields[8],
                           .sent_packets = fields[9],
                           .sent_errors = fields[10],
                           .sent_drops = fields[11]};
}

void ReadLink(const std::string& root, InterfaceCounters& interface) {
  const std::string base = "/sys/class/net/" + interface.name;
  // The name comes from a file: it must not lead out of the directory.
  if (interface.name.find('/') != std::string::npos || interface.name.starts_with('.')) return;
  if (const auto state = ReadLine(root, base + "/operstate"); state && !state->empty()) {
    interface.state = Name(*state);
  }
  // In Mbit/s; -1 or an error where nobody knows.
  const auto speed = ParseNumber<std::int64_t>(ReadLine(root, base + "/speed").value_or(""));
  constexpr std::int64_t kMost = 100'000'000;
  if (speed && *speed > 0 && *speed <= kMost) {
    interface.bits_per_second = static_cast<std::uint64_t>(*speed) * 1'000'000;
  }
}

// Thousandths of a degree; what no sensor measures is a broken sensor.
std::optional<double> ReadCelsius(const std::string& root, const std::string& path) {
  const auto value = ParseNumber<std::int64_t>(ReadLine(root, path).value_or(""));
  constexpr std::int64_t kLeast = -100'000;
  constexpr std::int64_t kMost = 300'000;
  if (!value || *value < kLeast || *value > kMost) return std::nullopt;
  return static_cast<double>(*value) / 1000;
}

void ReadMonitors(const HealthOptions& options, HealthSample& sample) {
  for (const std::string& chip : ListDirectory(options.root, "/sys/class/hwmon")) {
    const std::string base = "/sys/class/hwmon/" + chip + "/";
    const std::string chip_name = ReadLine(options.root, base + "name").value_or(chip);
    for (const std::string& file : ListDirectory(options.root, base)) {
      constexpr std::string_view kEnd = "_input";
      if (!file.starts_with("temp") || !file.ends_with(kEnd)) continue;
      const std::string sensor = file.substr(0, file.size() - kEnd.size());
      const auto celsius = ReadCelsius(options.root, base + file);
      if (!celsius) continue;
      const std::string label = ReadLine(options.root, base + sensor + "_label").value_or(sensor);
      AddItem(sample.temperatures,
              Temperature{Name(chip_name + " " + label), *celsius,
                          ReadCelsius(options.root, base + sensor + "_crit")},
              options, sample);
    }
  }
}

void ReadZones(const HealthOptions& options, HealthSample& sample) {
  for (const std::string& zone : ListDirectory(options.root, "/sys/class/thermal")) {
    if (!zone.starts_with("thermal_zone")) continue;
    const std::string base = "/sys/class/thermal/" + zone + "/";
    const auto celsius = ReadCelsius(options.root, base + "temp");
    if (!celsius) continue;
    const std::string type = ReadLine(options.root, base + "type").value_or(zone);
    AddItem(sample.temperatures, Temperature{Name(type), *celsius, std::nullopt}, options, sample);
  }
}

// Series are told apart by name: a second sensor of a name gets a number.
void MakeNamesUnique(std::vector<Temperature>& temperatures) {
  std::set<std::string> seen;
  for (Temperature& temperature : temperatures) {
    const std::string name = temperature.name;
    for (int i = 2; !seen.insert(temperature.name).second; ++i) {
      temperature.name = name + " " + std::to_string(i);
    }
  }
}

}  // namespace

void ReadDisks(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/diskstats");
  // Some containers have none.
  if (absl::IsNotFound(text.status())) return;
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  const std::vector<std::string> whole = ListDirectory(options.root, "/sys/block");
  bool garbled = false;
  for (const std::string_view line : Lines(*text)) {
    std::optional<DiskCounters> disk = ParseDisk(Words(line));
    if (!disk) {
      garbled = true;
    } else if (!IsSpare(disk->name, *disk)) {
      disk->is_partition =
          !whole.empty() && !std::binary_search(whole.begin(), whole.end(), disk->name);
      AddItem(sample.disks, *std::move(disk), options, sample);
    }
  }
  if (garbled) sample.problems.emplace_back("/proc/diskstats: a line cannot be understood");
}

void ReadInterfaces(const HealthOptions& options, HealthSample& sample) {
  constexpr std::size_t kHeaderLines = 2;
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/self/net/dev");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  const std::vector<std::string_view> lines = Lines(*text);
  bool garbled = lines.size() < kHeaderLines;
  for (std::size_t i = kHeaderLines; i < lines.size(); ++i) {
    std::optional<InterfaceCounters> interface = ParseInterface(lines[i]);
    if (!interface) {
      garbled = true;
      continue;
    }
    ReadLink(options.root, *interface);
    interface->name = Name(interface->name);
    AddItem(sample.interfaces, *std::move(interface), options, sample);
  }
  if (garbled) sample.problems.emplace_back("/proc/self/net/dev: a line cannot be understood");
}

void ReadTemperatures(const HealthOptions& options, HealthSample& sample) {
  ReadMonitors(options, sample);
  // The zones repeat what the chips tell, with less of a name.
  if (sample.temperatures.empty()) ReadZones(options, sample);
  MakeNamesUnique(sample.temperatures);
}

}  // namespace nta::health
