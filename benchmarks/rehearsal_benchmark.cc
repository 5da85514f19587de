// How long one waits for a rehearsal: a rule set tried on ten million stored flows.

#include <benchmark/benchmark.h>
#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nta/firewall/rehearse.h"
#include "nta/store/store.h"

namespace nta {
namespace {

constexpr Timestamp kStart{std::chrono::seconds(1'795'334'400)};
constexpr std::size_t kFlows = 10'000'000;

IpAddress Host(std::mt19937_64& random, std::uint8_t net, std::uint64_t hosts) {
  const double uniform = static_cast<double>(random() % 65'536) / 65'536;
  const auto host = static_cast<std::uint64_t>(std::pow(uniform, 3) * static_cast<double>(hosts));
  if (random() % 5 != 0) {
    return IpAddress::V4(net, static_cast<std::uint8_t>(host >> 16),
                         static_cast<std::uint8_t>(host >> 8), static_cast<std::uint8_t>(host));
  }
  std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8, net};
  bytes[14] = static_cast<std::uint8_t>(host >> 8);
  bytes[15] = static_cast<std::uint8_t>(host);
  return IpAddress::V6(bytes);
}

// A site's traffic through a router: some thousand hosts inside, many outside.
FlowRecord Next(std::mt19937_64& random, std::uint64_t number) {
  FlowRecord flow;
  flow.last_seen = kStart + std::chrono::milliseconds(60 * number);
  flow.first_seen = flow.last_seen - std::chrono::milliseconds(random() % 1'000);
  const bool is_tcp = random() % 10 < 7;
  flow.protocol = is_tcp ? kProtocolTcp : kProtocolUdp;
  flow.source = {Host(random, 10, 5'000), static_cast<std::uint16_t>(32'768 + random() % 28'000)};
  static constexpr std::uint16_t kPorts[] = {443, 443, 443, 53, 53, 80, 22, 123, 8'080, 3'389};
  flow.destination = {Host(random, 192, 50'000), kPorts[random() % std::size(kPorts)]};
  if (flow.destination.address.version() != flow.source.address.version()) {
    flow.destination.address = flow.source.address.is_v4() ? IpAddress::V4(192, 0, 0, 1)
                                                           : *IpAddress::Parse("2001:db8:c000::1");
  }
  flow.forward = {.packets = 1 + random() % 20, .wire_bytes = 60 + random() % 4'000};
  flow.reverse = {.packets = random() % 30, .wire_bytes = random() % 40'000};
  flow.tcp_state = is_tcp ? TcpState::kClosed : TcpState::kNone;
  return flow;
}

struct StoredFlows {
  StoredFlows() {
    std::string name = (std::filesystem::temp_directory_path() / "nta_benchmark_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory = name;
    auto opened = Store::Open({.path = (directory / "nta.db").string()});
    if (!opened.ok()) std::abort();
    store = std::move(*opened);
    std::mt19937_64 random(1);
    std::vector<FlowRecord> flows;
    for (std::size_t i = 0; i < kFlows; ++i) {
      flows.push_back(Next(random, i));
      if (flows.size() < 50'000) continue;
      if (!store->Write(flows, {}).ok()) std::abort();
      flows.clear();
    }
  }
  ~StoredFlows() {
    store.reset();
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  std::filesystem::path directory;
  std::unique_ptr<Store> store;
};

Store& TenMillion() {
  static StoredFlows flows;
  return *flows.store;
}

// Rules of every kind, most of which concern few flows, as long lists of rules do.
RuleSet Rules(std::size_t count) {
  std::mt19937_64 random(2);
  RuleSetParts parts;
  for (std::size_t i = 0; i < count; ++i) {
    Rule rule{.id = "r" + std::to_string(i),
              .direction = RuleDirection::kForward,
              .verdict = random() % 3 == 0 ? RuleVerdict::kAccept : RuleVerdict::kDrop};
    const IpAddress host = Host(random, random() % 2 == 0 ? 10 : 192, 50'000);
    const int bits =
        host.is_v4() ? 20 + static_cast<int>(random() % 13) : 100 + static_cast<int>(random() % 29);
    (random() % 2 == 0 ? rule.source : rule.destination).prefixes = {*IpPrefix::Create(host, bits)};
    if (random() % 2 == 0) {
      rule.protocol = random() % 2 == 0 ? kProtocolTcp : kProtocolUdp;
      const auto first = static_cast<std::uint16_t>(random() % 60'000);
      rule.destination_ports = {{first, static_cast<std::uint16_t>(first + random() % 5'000)}};
    }
    if (random() % 8 == 0) rule.states = {ConnectionState::kNew};
    parts.rules.push_back(std::move(rule));
  }
  return *RuleSet::Create(std::move(parts));
}

RehearsalColumns ToColumns(const StoredColumns& columns) {
  return {.source_addresses = columns.source_addresses,
          .source = columns.source,
          .destination_addresses = columns.destination_addresses,
          .destination = columns.destination,
          .protocol = columns.protocol,
          .source_port = columns.source_port,
          .destination_port = columns.destination_port,
          .icmp_type = columns.icmp_type,
          .tcp_state = columns.tcp_state,
          .forward_packets = columns.forward_packets,
          .reverse_packets = columns.reverse_packets,
          .forward_bytes = columns.forward_bytes,
          .reverse_bytes = columns.reverse_bytes,
          .selected = columns.selected};
}

// Rules; with or without a second rule set to tell the difference to.
void BM_Rehearse(benchmark::State& state) {
  Store& store = TenMillion();
  RehearsalOptions options{
      .own_addresses = {IpAddress::V4(192, 0, 2, 1)}, .role = MachineRole::kRouter, .now = kStart};
  if (state.range(1) != 0) options.in_force = Rules(static_cast<std::size_t>(state.range(0)) / 2);
  const RuleSet rules = Rules(static_cast<std::size_t>(state.range(0)));
  RehearsalResult result;
  for (auto _ : state) {
    auto rehearsal = Rehearsal::Create(rules, options);
    const absl::Status status = store.ScanFlows(
        {}, FlowFilter(),
        [&](const StoredColumns& columns) { return rehearsal->Add(ToColumns(columns)); },
        {.timeout = std::chrono::minutes(1)});
    if (!status.ok()) state.SkipWithError(std::string(status.message()).c_str());
    result = rehearsal->Finish();
  }
  if (result.examined.flows != kFlows) state.SkipWithError("not all flows were tried");
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFlows));
  state.counters["cut"] = static_cast<double>(result.cut.flows);
  state.counters["hosts_cut"] = static_cast<double>(result.hosts_cut);
}
BENCHMARK(BM_Rehearse)
    ->ArgNames({"rules", "difference"})
    ->Args({10, 0})
    ->Args({1'000, 0})
    ->Args({1'000, 1})
    ->Args({10'000, 0})
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

// Reading the columns alone.
void BM_ScanColumns(benchmark::State& state) {
  Store& store = TenMillion();
  for (auto _ : state) {
    std::size_t flows = 0;
    const absl::Status status = store.ScanFlows({}, FlowFilter(),
                                                [&](const StoredColumns& columns) {
                                                  flows += columns.protocol.size();
                                                  return absl::OkStatus();
                                                },
                                                {.timeout = std::chrono::minutes(1)});
    if (!status.ok() || flows != kFlows) state.SkipWithError("scan failed");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kFlows));
}
BENCHMARK(BM_ScanColumns)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace nta
