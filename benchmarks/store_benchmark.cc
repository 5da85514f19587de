// What users feel of the store: flows written a second, with all totals, and the time of the
// queries of a dashboard.

#include <benchmark/benchmark.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nta/pipeline/pipeline.h"
#include "nta/store/store.h"
#include "site_flows.h"
#include "traffic_generator.h"

namespace nta {
namespace {

constexpr Timestamp kStart = bench::SiteFlows::kStart;

class TemporaryStore {
 public:
  TemporaryStore() {
    std::string name = (std::filesystem::temp_directory_path() / "nta_benchmark_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
    auto store = Store::Open({.path = path()});
    if (!store.ok()) std::abort();
    store_ = std::move(*store);
  }
  ~TemporaryStore() {
    store_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  TemporaryStore(const TemporaryStore&) = delete;
  TemporaryStore& operator=(const TemporaryStore&) = delete;
  Store& operator*() { return *store_; }
  Store* operator->() { return store_.get(); }
  std::string path() const { return (directory_ / "nta.db").string(); }

 private:
  std::filesystem::path directory_;
  std::unique_ptr<Store> store_;
};

// Flows as the pipeline makes them from the generated mixed traffic.
class MixedTraffic {
 public:
  std::vector<FlowRecord> Take(std::size_t count) {
    Batch batch;
    while (waiting_.size() < count) {
      if (!pipeline_.Step(batch).ok()) std::abort();
      waiting_.insert(waiting_.end(), batch.flows.begin(), batch.flows.end());
    }
    std::vector<FlowRecord> flows(waiting_.begin(),
                                  waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    return flows;
  }

 private:
  bench::GeneratedSource source_{
      {.kind = bench::TrafficKind::kMix, .packets = std::uint64_t{1} << 40}};
  Pipeline pipeline_{source_};
  std::vector<FlowRecord> waiting_;
};

double BytesPerFlow(const std::string& path, double flows) {
  // What the log holds has its place in the file already, or will get it there.
  sqlite3* database = nullptr;
  if (sqlite3_open(path.c_str(), &database) != SQLITE_OK) std::abort();
  sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
  sqlite3_close(database);
  return static_cast<double>(std::filesystem::file_size(path)) / flows;
}

template <typename Source>
void WriteFlows(benchmark::State& state, Source&& traffic) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  TemporaryStore store;
  std::vector<FlowRecord> flows;
  for (auto _ : state) {
    state.PauseTiming();
    flows = traffic.Take(batch);
    state.ResumeTiming();
    if (!store->Write(flows, {}).ok()) state.SkipWithError("write failed");
  }
  const auto total = state.iterations() * state.range(0);
  state.SetItemsProcessed(total);
  state.counters["bytes_per_flow"] = BytesPerFlow(store.path(), static_cast<double>(total));
}

// A site, at the rate of a fast link and at 10 million flows a day.
void BM_WriteFlows(benchmark::State& state) { WriteFlows(state, bench::SiteFlows(20'000)); }
BENCHMARK(BM_WriteFlows)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(50'000)
    ->Iterations(40)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
void BM_WriteSparseFlows(benchmark::State& state) { WriteFlows(state, bench::SiteFlows(116)); }
BENCHMARK(BM_WriteSparseFlows)
    ->Arg(50'000)
    ->Iterations(40)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);
void BM_WriteMixedFlows(benchmark::State& state) {
  MixedTraffic traffic;
  WriteFlows(state, traffic);
}
BENCHMARK(BM_WriteMixedFlows)
    ->Arg(50'000)
    ->Iterations(20)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Ten days of a million flows each; made once.
constexpr int kDays = 10;
TemporaryStore& TenDays() {
  static TemporaryStore store;
  static const bool filled = [] {
    bench::SiteFlows traffic(1'000'000 / 86'400.0);
    for (int i = 0; i < kDays * 50; ++i) {
      if (!store->Write(traffic.Take(20'000), {}).ok()) std::abort();
    }
    return true;
  }();
  static_cast<void>(filled);
  return store;
}

// Of 10 million flows.
void BM_Top(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  TopQuery query{.dimension = static_cast<TopDimension>(state.range(0))};
  // All of it; a day and a half with hours and minutes at both ends; 40 minutes.
  const TimeInterval intervals[] = {
      {},
      {kStart + std::chrono::minutes(1'517), kStart + std::chrono::minutes(3'733)},
      {kStart + std::chrono::minutes(1'517), kStart + std::chrono::minutes(1'557)}};
  query.interval = intervals[state.range(1)];
  if (state.range(2) != 0) query.filter = *FlowFilter::Parse("bytes>=0");
  for (auto _ : state) benchmark::DoNotOptimize(store->Top(query));
}
void TopArguments(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"dimension", "interval", "raw"});
  for (const TopDimension dimension :
       {TopDimension::kAddress, TopDimension::kSourceAddress, TopDimension::kDestinationPort}) {
    for (int interval = 0; interval < 3; ++interval) {
      benchmark->Args({static_cast<int>(dimension), interval, 0});
    }
    benchmark->Args({static_cast<int>(dimension), 0, 1});
  }
}
BENCHMARK(BM_Top)->Apply(TopArguments)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_Summary(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  for (auto _ : state) benchmark::DoNotOptimize(store->Summary({}));
}
BENCHMARK(BM_Summary)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SeriesByProtocol(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  const SeriesQuery query{.step = std::chrono::minutes(state.range(0))};
  for (auto _ : state) benchmark::DoNotOptimize(store->Series(query));
}
BENCHMARK(BM_SeriesByProtocol)->Arg(1)->Arg(60)->UseRealTime()->Unit(benchmark::kMillisecond);

// Of everything, a day and an hour; there are nearly as many pairs as flows.
void BM_Conversations(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  const Timestamp day = kStart + std::chrono::hours(24);
  const TimeInterval intervals[] = {
      {}, {day, day + std::chrono::hours(24)}, {day, day + std::chrono::hours(1)}};
  const ConversationQuery query{.interval = intervals[state.range(0)], .limit = 100};
  for (auto _ : state) {
    if (!store->Conversations(query).ok()) state.SkipWithError("no answer");
  }
}
BENCHMARK(BM_Conversations)->DenseRange(0, 2)->UseRealTime()->Unit(benchmark::kMillisecond);

// A page of the newest, and everything of one day: of a busy host, a rare one and one that is not
// there.
void BM_FlowsOfAHost(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  const char* const hosts[] = {"host=10.0.1.7", "host=192.0.78.1", "host=203.0.113.1"};
  FlowQuery query{.filter = *FlowFilter::Parse(hosts[state.range(0)])};
  if (state.range(1) != 0) {
    query.interval = {kStart + std::chrono::hours(24), kStart + std::chrono::hours(48)};
    query.limit = 10'000;
  }
  std::size_t flows = 0;
  for (auto _ : state) flows = store->Flows(query)->flows.size();
  state.counters["flows"] = static_cast<double>(flows);
}
BENCHMARK(BM_FlowsOfAHost)
    ->ArgNames({"host", "day"})
    ->ArgsProduct({{0, 1, 2}, {0, 1}})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// What a file takes of the disk.
double MegabytesOnDisk(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) std::abort();
  return static_cast<double>(status.st_blocks) * 512 / 1e6;
}

// Last, because it takes the days away one by one. The space is returned when it ends.
void BM_DropADay(benchmark::State& state) {
  TemporaryStore& store = TenDays();
  // kStart is in the morning of the first day.
  Timestamp midnight = kStart - std::chrono::hours(8);
  // What is in the log would seem to take the space of what goes.
  if (!store->Retain({}, kStart).ok()) state.SkipWithError("the log is not empty");
  const double on_disk = MegabytesOnDisk(store.path());
  const auto length = static_cast<double>(std::filesystem::file_size(store.path())) / 1e6;
  std::uint64_t flows = 0;
  for (auto _ : state) {
    midnight += std::chrono::hours(24);
    const auto deleted = store->DeleteBefore(midnight);
    if (!deleted.ok() || *deleted == 0) state.SkipWithError("nothing was deleted");
    flows += deleted.value_or(0);
  }
  state.counters["flows"] = static_cast<double>(flows);
  state.counters["MB_returned"] = on_disk - MegabytesOnDisk(store.path());
  state.counters["MB_shorter"] =
      length - static_cast<double>(std::filesystem::file_size(store.path())) / 1e6;
}
BENCHMARK(BM_DropADay)->Iterations(5)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nta
