// What users feel of the store: flows written a second, with all totals, and the time of the
// queries of a dashboard.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nta/store/store.h"

namespace nta {
namespace {

constexpr Timestamp kStart{std::chrono::seconds(1'795'334'400)};

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

// Flows as a site of some thousand hosts makes them: few busy addresses, ephemeral source ports,
// most flows short. `per_second` of them end in a second of traffic.
class Traffic {
 public:
  explicit Traffic(std::uint64_t per_second) : per_second_(per_second) {}

  std::vector<FlowRecord> Take(std::size_t count) {
    std::vector<FlowRecord> flows;
    flows.reserve(count);
    while (flows.size() < count) flows.push_back(Next());
    return flows;
  }

 private:
  FlowRecord Next() {
    FlowRecord flow;
    flow.last_seen = kStart + Duration(made_++ * 1'000'000'000 / per_second_);
    const std::uint64_t kind = random_() % 20;
    const Duration seconds = std::chrono::seconds(1);
    flow.first_seen =
        flow.last_seen - (kind < 14   ? Duration(random_() % 500'000'000)
                          : kind < 19 ? Duration(random_() % 30'000'000'000)
                                      : Duration(random_() % 300'000'000'000) + seconds);
    flow.protocol = random_() % 10 < 7 ? kProtocolTcp : kProtocolUdp;
    flow.source = {Address(10, 5'000), static_cast<std::uint16_t>(32'768 + random_() % 28'000)};
    static constexpr std::uint16_t kPorts[] = {443, 443, 443, 53, 53, 80, 22, 123, 8'080, 3'389};
    flow.destination = {Address(192, 20'000), kPorts[random_() % std::size(kPorts)]};
    flow.forward = {.packets = 1 + random_() % 20, .wire_bytes = 60 + random_() % 5'000};
    flow.reverse = {.packets = random_() % 30, .wire_bytes = random_() % 50'000};
    flow.outcome = ContactOutcome::kAnswered;
    flow.end_reason = FlowEndReason::kIdleTimeout;
    return flow;
  }

  // Zipf-like: the product of two uniform numbers prefers the small.
  IpAddress Address(std::uint8_t net, std::uint64_t hosts) {
    const double uniform = static_cast<double>(random_() % 65'536) / 65'536;
    const auto host =
        static_cast<std::uint64_t>(uniform * uniform * uniform * static_cast<double>(hosts));
    return IpAddress::V4(net, 0, static_cast<std::uint8_t>(host >> 8),
                         static_cast<std::uint8_t>(host));
  }

  std::uint64_t per_second_;
  std::uint64_t made_ = 0;
  std::mt19937_64 random_{1};
};

void BM_WriteFlows(benchmark::State& state) {
  const auto batch = static_cast<std::size_t>(state.range(0));
  TemporaryStore store;
  Traffic traffic(20'000);
  std::vector<FlowRecord> flows;
  for (auto _ : state) {
    state.PauseTiming();
    flows = traffic.Take(batch);
    state.ResumeTiming();
    if (!store->Write(flows, {}).ok()) state.SkipWithError("write failed");
  }
  const auto total = state.iterations() * state.range(0);
  state.SetItemsProcessed(total);
  state.counters["bytes_per_flow"] =
      static_cast<double>(std::filesystem::file_size(store.path())) / static_cast<double>(total);
}
BENCHMARK(BM_WriteFlows)
    ->Arg(1'000)
    ->Arg(10'000)
    ->Arg(50'000)
    ->Iterations(30)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Ten minutes of traffic; made once.
TemporaryStore& MillionFlows() {
  static TemporaryStore store;
  static const bool filled = [] {
    Traffic traffic(1'667);
    for (int i = 0; i < 100; ++i) {
      if (!store->Write(traffic.Take(10'000), {}).ok()) std::abort();
    }
    return true;
  }();
  static_cast<void>(filled);
  return store;
}

void BM_TopAddresses(benchmark::State& state) {
  TemporaryStore& store = MillionFlows();
  TopQuery query{.dimension = static_cast<TopDimension>(state.range(0))};
  if (state.range(1) != 0) query.filter = *FlowFilter::Parse("bytes>=0");
  for (auto _ : state) benchmark::DoNotOptimize(store->Top(query));
}
BENCHMARK(BM_TopAddresses)
    ->ArgNames({"dimension", "raw"})
    ->Args({static_cast<int>(TopDimension::kAddress), 0})
    ->Args({static_cast<int>(TopDimension::kDestinationPort), 0})
    ->Args({static_cast<int>(TopDimension::kAddress), 1})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_Summary(benchmark::State& state) {
  TemporaryStore& store = MillionFlows();
  for (auto _ : state) benchmark::DoNotOptimize(store->Summary({}));
}
BENCHMARK(BM_Summary)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_SeriesByProtocol(benchmark::State& state) {
  TemporaryStore& store = MillionFlows();
  for (auto _ : state) benchmark::DoNotOptimize(store->Series({}));
}
BENCHMARK(BM_SeriesByProtocol)->UseRealTime()->Unit(benchmark::kMillisecond);

void BM_NewestFlowsOfAHost(benchmark::State& state) {
  TemporaryStore& store = MillionFlows();
  const FlowQuery query{.filter = *FlowFilter::Parse("host=10.0.1.7 and dport=443")};
  for (auto _ : state) benchmark::DoNotOptimize(store->Flows(query));
}
BENCHMARK(BM_NewestFlowsOfAHost)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nta
