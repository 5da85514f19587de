// What the default detectors cost beyond the bare meter: nanoseconds a packet and a flow, and
// bytes.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nta/detect/default_detectors.h"
#include "nta/flow/flow_table.h"
#include "traffic_generator.h"

namespace {

constexpr std::size_t kPackets = 1'000'000;
constexpr std::size_t kBurst = 256;

struct Traffic {
  std::vector<nta::PacketView> views;  // without bytes
  std::vector<nta::DecodedPacket> decoded;
};

const Traffic& TrafficOf(nta::bench::TrafficKind kind) {
  static const auto make = [](nta::bench::TrafficKind of) {
    Traffic traffic;
    nta::bench::TrafficGenerator generator({.kind = of, .packets = kPackets});
    nta::PacketView view;
    while (generator.Next(view)) {
      traffic.decoded.push_back(nta::Decode(view));
      // The bytes are gone with the next packet.
      traffic.decoded.back().payload = {};
    }
    traffic.views.resize(kBurst);
    return traffic;
  };
  // Each when it is first asked for: a filter mostly wants one of them.
  static std::map<nta::bench::TrafficKind, Traffic> made;
  const auto found = made.find(kind);
  return found != made.end() ? found->second : made.emplace(kind, make(kind)).first->second;
}

// The detectors of that name; "" is all, "none" is none: what copying the packets costs by itself.
nta::DetectorList Only(const std::string& name) {
  nta::DetectionOptions options;
  if (!name.empty()) {
    for (const std::string& other : nta::DefaultDetectorNames()) {
      if (other != name) options.disabled.insert(other);
    }
  }
  return *nta::DefaultDetectors(options);
}

std::size_t Bytes(const nta::DetectorList& detectors) {
  std::size_t bytes = 0;
  for (const auto& detector : detectors) bytes += detector->memory_bytes();
  return bytes;
}

enum class With : std::uint8_t { kMeterAlone, kDetectors };

// The meter with what detectors ask of it, with and without them: the difference is their cost.
void Meter(benchmark::State& state, nta::bench::TrafficKind kind, With with) {
  const Traffic& traffic = TrafficOf(kind);
  for (auto _ : state) {
    state.PauseTiming();
    auto table = nta::FlowTable::Create({.events = nta::FlowEventSelection::kAll});
    nta::DetectorList detectors = with == With::kDetectors ? Only("") : nta::DetectorList();
    std::vector<nta::Alert> alerts;
    std::vector<nta::FlowEvent> events;
    state.ResumeTiming();
    for (std::size_t at = 0; at < traffic.decoded.size(); at += kBurst) {
      const std::size_t size = std::min(kBurst, traffic.decoded.size() - at);
      const auto burst = std::span(traffic.decoded).subspan(at, size);
      events.clear();
      table->Add(burst, events);
      for (const auto& detector : detectors) {
        detector->ObservePackets(std::span(traffic.views).first(size), burst, alerts);
        for (const nta::FlowEvent& event : events) detector->Observe(event, alerts);
        detector->AdvanceTo(burst.back().time, alerts);
      }
    }
    benchmark::DoNotOptimize(alerts);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * traffic.decoded.size()));
}

void ObservePackets(benchmark::State& state, nta::bench::TrafficKind kind,
                    const std::string& name) {
  const Traffic& traffic = TrafficOf(kind);
  std::size_t bytes = 0;
  std::vector<nta::DecodedPacket> hot;
  for (auto _ : state) {
    state.PauseTiming();
    nta::DetectorList detectors = Only(name);
    std::vector<nta::Alert> alerts;
    state.ResumeTiming();
    for (std::size_t at = 0; at < traffic.decoded.size(); at += kBurst) {
      const std::size_t size = std::min(kBurst, traffic.decoded.size() - at);
      // Packets that were just decoded are in the cache, where a million of them are not.
      hot.assign(traffic.decoded.begin() + static_cast<std::ptrdiff_t>(at),
                 traffic.decoded.begin() + static_cast<std::ptrdiff_t>(at + size));
      const std::span<const nta::DecodedPacket> burst = hot;
      benchmark::DoNotOptimize(hot.data());
      for (const auto& detector : detectors) {
        detector->ObservePackets(std::span(traffic.views).first(size), burst, alerts);
        detector->AdvanceTo(burst.back().time, alerts);
      }
    }
    benchmark::DoNotOptimize(alerts);
    bytes = std::max(bytes, Bytes(detectors));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * traffic.decoded.size()));
  state.counters["memory"] = static_cast<double>(bytes);
}

std::vector<nta::FlowEvent> MakeEvents(const Traffic& traffic) {
  auto table = nta::FlowTable::Create({.events = nta::FlowEventSelection::kAll});
  std::vector<nta::FlowEvent> events;
  table->Add(traffic.decoded, events);
  while (!table->EndAll(events)) {
  }
  return events;
}

const std::vector<nta::FlowEvent>& EventsOf(nta::bench::TrafficKind kind) {
  static std::map<nta::bench::TrafficKind, std::vector<nta::FlowEvent>> made;
  const auto found = made.find(kind);
  if (found != made.end()) return found->second;
  return made.emplace(kind, MakeEvents(TrafficOf(kind))).first->second;
}

// An item is a flow: its start, its updates and its end.
void ObserveFlows(benchmark::State& state, nta::bench::TrafficKind kind, const std::string& name) {
  const std::vector<nta::FlowEvent>& events = EventsOf(kind);
  const auto flows = std::count_if(events.begin(), events.end(), [](const nta::FlowEvent& event) {
    return event.type == nta::FlowEventType::kEnded;
  });
  std::size_t bytes = 0;
  for (auto _ : state) {
    state.PauseTiming();
    nta::DetectorList detectors = Only(name);
    std::vector<nta::Alert> alerts;
    state.ResumeTiming();
    for (const auto& detector : detectors) {
      for (const nta::FlowEvent& event : events) detector->Observe(event, alerts);
    }
    benchmark::DoNotOptimize(alerts);
    bytes = std::max(bytes, Bytes(detectors));
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * flows);
  state.counters["memory"] = static_cast<double>(bytes);
}

// Many sources, each with a packet and a flow that fails: memory must not grow with them. Ten
// million of them, for the figure in the documentation, with NTA_DISTINCT_SOURCES=10000000.
void DistinctSources(benchmark::State& state) {
  const char* asked = std::getenv("NTA_DISTINCT_SOURCES");
  const auto sources =
      static_cast<std::uint32_t>(asked == nullptr ? 500'000 : std::max(std::atol(asked), 1L));
  for (auto _ : state) {
    nta::DetectorList detectors = Only("");
    std::size_t limit = 0;
    for (const auto& detector : detectors) limit += detector->memory_limit_bytes();
    std::vector<nta::Alert> alerts;
    std::vector<nta::DecodedPacket> burst(kBurst);
    const std::vector<nta::PacketView> views(kBurst);
    std::size_t early = 0;
    std::size_t rows = 0;
    for (std::uint32_t n = 0; n < sources; n += kBurst) {
      for (std::uint32_t i = 0; i < kBurst; ++i) {
        nta::DecodedPacket& packet = burst[i];
        const std::uint32_t source = (n + i) * 2654435761u;
        packet.time = nta::Timestamp(std::chrono::seconds(1'700'000'000)) +
                      (n + i) * std::chrono::microseconds(10);
        packet.wire_bytes = 60;
        packet.ip_version = 4;
        packet.protocol = nta::kProtocolTcp;
        packet.has_ports = packet.has_tcp_header = true;
        packet.tcp_flags = nta::kTcpSyn;
        packet.source = nta::IpAddress::V4(static_cast<std::uint8_t>(1 + (source >> 24) % 220),
                                           static_cast<std::uint8_t>(source >> 16),
                                           static_cast<std::uint8_t>(source >> 8),
                                           static_cast<std::uint8_t>(source));
        packet.destination = nta::IpAddress::V4(10, 0, static_cast<std::uint8_t>(source >> 13),
                                                static_cast<std::uint8_t>(source >> 3));
        packet.source_port = 40000;
        packet.destination_port = static_cast<std::uint16_t>(source >> 5);
      }
      for (const auto& detector : detectors) {
        detector->ObservePackets(views, burst, alerts);
        for (const nta::DecodedPacket& packet : burst) {
          nta::FlowEvent event{nta::FlowEventType::kStarted, packet.time, {}};
          event.flow.first_seen = event.flow.last_seen = packet.time;
          event.flow.protocol = packet.protocol;
          event.flow.source = {packet.source, packet.source_port};
          event.flow.destination = {packet.destination, packet.destination_port};
          event.flow.outcome = nta::ContactOutcome::kPending;
          event.flow.forward.packets = 1;
          event.flow.forward.tcp_flags = nta::kTcpSyn;
          detector->Observe(event, alerts);
        }
      }
      rows += alerts.size();
      alerts.clear();
      if (n <= sources / 10) early = Bytes(detectors);
    }
    state.counters["memory_at_a_tenth"] = static_cast<double>(early);
    state.counters["memory"] = static_cast<double>(Bytes(detectors));
    state.counters["limit"] = static_cast<double>(limit);
    state.counters["alert_states"] = static_cast<double>(rows);
  }
  state.SetItemsProcessed(sources * static_cast<std::int64_t>(state.iterations()));
}
BENCHMARK(DistinctSources)->Iterations(1)->Unit(benchmark::kSecond);

// A pass takes long enough to be told from chance: a whole run stays below a minute or two.
void Register(const std::string& name, auto function, auto... arguments) {
  benchmark::RegisterBenchmark(name.c_str(), function, arguments...)->MinTime(0.1);
}

void RegisterAll() {
  using nta::bench::TrafficKind;
  const std::vector<std::pair<std::string, TrafficKind>> kinds = {
      {"mix", TrafficKind::kMix}, {"small", TrafficKind::kSmall}, {"flood", TrafficKind::kFlood}};
  std::vector<std::string> names = nta::DefaultDetectorNames();
  names.insert(names.begin(), {"", "none"});
  for (const auto& [word, kind] : kinds) {
    Register("Meter/alone/" + word, Meter, kind, With::kMeterAlone);
    Register("Meter/detectors/" + word, Meter, kind, With::kDetectors);
    for (const std::string& name : names) {
      // Which detector costs what is asked of mixed traffic; of other kinds, what floods cost.
      const bool is_whole = name.empty() || name == "none" || name == "flood";
      if (kind != TrafficKind::kMix && !is_whole) continue;
      const std::string label = (name.empty() ? "all" : name) + "/" + word;
      Register("Packets/" + label, ObservePackets, kind, name);
      if (kind != TrafficKind::kFlood) Register("Flows/" + label, ObserveFlows, kind, name);
    }
  }
}
const bool kRegistered = (RegisterAll(), true);

}  // namespace
