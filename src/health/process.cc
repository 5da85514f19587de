// This process.
#include <unistd.h>

#include <algorithm>

#include "health/proc_file.h"
#include "health/readers.h"

namespace nta::health {
namespace {

using std::chrono::nanoseconds;

std::uint64_t Constant(int name, long fallback) {
  const long value = sysconf(name);
  return static_cast<std::uint64_t>(value > 0 ? value : fallback);
}

nanoseconds FromTicks(std::uint64_t ticks) {
  static const std::uint64_t per_second = Constant(_SC_CLK_TCK, 100);
  return std::chrono::seconds(ticks / per_second) +
         nanoseconds(static_cast<std::int64_t>(ticks % per_second * (1'000'000'000 / per_second)));
}

// Field `number` as proc_pid_stat(5) counts them, from the state (3) on.
std::optional<std::uint64_t> StatField(const std::vector<std::string_view>& words,
                                       std::size_t number) {
  constexpr std::size_t kFirst = 3;
  if (words.size() <= number - kFirst) return std::nullopt;
  return ParseNumber<std::uint64_t>(words[number - kFirst]);
}

// "name: 12" or "name   12   34": the first number behind the name.
std::optional<std::uint64_t> NumberBehind(const std::string& root, std::string_view path,
                                          std::string_view name) {
  const absl::StatusOr<std::string> text = ReadFile(root, path);
  if (!text.ok()) return std::nullopt;
  for (const std::string_view line : Lines(*text)) {
    if (!line.starts_with(name)) continue;
    const std::vector<std::string_view> words = Words(line.substr(name.size()));
    return words.empty() ? std::nullopt : ParseNumber<std::uint64_t>(words[0]);
  }
  return std::nullopt;
}

}  // namespace

void ReadProcess(const HealthOptions& options, HealthSample& sample) {
  const absl::StatusOr<std::string> text = ReadFile(options.root, "/proc/self/stat");
  if (!text.ok()) return sample.problems.emplace_back(text.status().message()), void();
  // The name may hold blanks and brackets: what is behind the last bracket counts.
  const std::size_t bracket = text->rfind(')');
  const std::vector<std::string_view> words =
      bracket == std::string::npos ? std::vector<std::string_view>()
                                   : Words(std::string_view(*text).substr(bracket + 1));
  const auto user = StatField(words, 14);
  const auto system = StatField(words, 15);
  const auto threads = StatField(words, 20);
  const auto started = StatField(words, 22);
  const auto size = StatField(words, 23);
  const auto resident = StatField(words, 24);
  constexpr std::uint64_t kMostTicks = std::uint64_t{1} << 40;
  if (!user || !system || !threads || !size || !resident || *user > kMostTicks ||
      *system > kMostTicks) {
    sample.problems.emplace_back("/proc/self/stat cannot be understood");
    return;
  }
  ProcessUse process;
  process.cpu_time = FromTicks(*user + *system);
  process.threads = *threads;
  process.virtual_bytes = *size;
  process.resident_bytes = *resident * Constant(_SC_PAGESIZE, 4096);
  if (started && *started < kMostTicks && sample.uptime) {
    process.age = std::max(nanoseconds(0), *sample.uptime - FromTicks(*started));
  }
  const std::vector<std::string> files = ListDirectory(options.root, "/proc/self/fd");
  if (!files.empty()) process.open_files = files.size();
  process.open_files_limit = NumberBehind(options.root, "/proc/self/limits", "Max open files");
  process.read_bytes = NumberBehind(options.root, "/proc/self/io", "read_bytes:");
  process.written_bytes = NumberBehind(options.root, "/proc/self/io", "write_bytes:");
  sample.process = process;
}

}  // namespace nta::health
