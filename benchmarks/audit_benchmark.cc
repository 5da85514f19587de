// How fast an audit trail is verified, in bytes of its files a second, and how long a record takes
// until it is on the disk.
//
// The trail is made in memory (/dev/shm) of acts as a server records them: 64 MiB in files of 16.
// Appending goes to the working directory, or where NTA_BENCHMARK_DIR says.
#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>

#include "nta/audit/audit_log.h"
#include "nta/audit/audit_verify.h"

namespace nta::bench {
namespace {

constexpr std::uint64_t kTrailBytes = std::uint64_t{64} << 20;

AuditEvent Act(std::uint64_t i) {
  return {.time = Timestamp(std::chrono::seconds(1'800'000'000 + i)),
          .actor = i % 3 == 0 ? "alice" : "operator-7",
          .role = "operator",
          .address = "192.0.2." + std::to_string(i % 250),
          .act = i % 2 == 0 ? "firewall.apply" : "user.change",
          .target = "/api/v1/firewall/rules/" + std::to_string(i),
          .outcome = AuditOutcome::kDone,
          .about = i,
          .details = {{"status", "200"}, {"reason", "host 198.51.100.4 scanned 1,200 ports"}}};
}

// A directory of its own that goes away with the process.
class Scratch {
 public:
  explicit Scratch(const std::string& parent) : path_(parent + "/nta-audit-XXXXXX") {
    if (mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~Scratch() { std::filesystem::remove_all(path_); }
  std::string trail() const { return path_ + "/audit"; }

 private:
  std::string path_;
};

const std::string& Trail() {
  static const Scratch scratch("/dev/shm");
  static const std::string directory = [] {
    auto log = AuditLog::Open({.directory = scratch.trail()}, Timestamp{});
    if (!log.ok()) abort();
    for (std::uint64_t i = 0;; ++i) {
      if (!(*log)->Append(Act(i)).ok()) abort();
      const AuditLogState state = (*log)->State();
      if (state.segment > kTrailBytes / (16 << 20)) break;
    }
    return scratch.trail();
  }();
  return directory;
}

void BM_Verify(benchmark::State& state) {
  std::uint64_t bytes = 0;
  std::uint64_t records = 0;
  const std::string& directory = Trail();
  for (auto _ : state) {
    const auto report = VerifyAudit(directory, {});
    if (!report.ok() || !report->ok() || report->authenticity != AuditAuthenticity::kProven) {
      state.SkipWithError("the trail is not good");
      return;
    }
    bytes += report->bytes;
    records += report->records;
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(bytes));
  state.SetItemsProcessed(static_cast<std::int64_t>(records));
  state.counters["bytes_per_record"] =
      static_cast<double>(bytes) / static_cast<double>(std::max<std::uint64_t>(records, 1));
}
BENCHMARK(BM_Verify)->Unit(benchmark::kMillisecond);

void BM_Append(benchmark::State& state) {
  const char* parent = getenv("NTA_BENCHMARK_DIR");
  const Scratch scratch(parent != nullptr ? parent : ".");
  auto log = AuditLog::Open({.directory = scratch.trail()}, Timestamp{});
  if (!log.ok()) {
    state.SkipWithError("cannot open a trail here");
    return;
  }
  std::uint64_t i = 0;
  for (auto _ : state) {
    if (!(*log)->Append(Act(i++)).ok()) {
      state.SkipWithError("cannot append");
      return;
    }
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Append)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace nta::bench
