// Saved states of the flood detector.
#include <algorithm>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "base/status.h"
#include "detect/contact.h"
#include "detect/flood_engine.h"
#include "detect/state_archive.h"

namespace nta::detect {
namespace {

constexpr std::string_view kName = "flood";
constexpr std::uint16_t kVersion = 3;
constexpr std::size_t kMost = std::size_t{1} << 24;

// Numbers of ours are finite and not negative; kept as doubles, which the archive checks.
void Float(StateWriter& writer, float value) { writer(static_cast<double>(value)); }
void Float(StateReader& reader, float& value) {
  double wide = 0;
  reader(wide);
  if (wide > 1e30) reader.Fail();
  value = static_cast<float>(std::min(wide, 1e30));
}

template <typename Archive, typename T>
void MajorityFields(Archive& archive, T& majority) {
  archive(majority.value);
  archive(majority.lead);
}

template <typename Archive, typename T>
void EntryFields(Archive& archive, T& entry) {
  archive(entry.address);
  archive(entry.is_prefix);
  archive(entry.active);
  archive(entry.carpet);
  archive(entry.quiet);
  archive(entry.tick);
  archive(entry.known);
  archive(entry.weight);
  archive(entry.counts);
  for (auto& metric : entry.metrics) {
    Float(archive, metric.mean);
    Float(archive, metric.variance);
    Float(archive, metric.recent);
    Float(archive, metric.sum);
  }
  archive(entry.bytes);
  archive(entry.fragments);
  archive(entry.udp_sent);
  archive(entry.asked);
  archive(entry.syn_sent);
  archive(entry.tcp_sent);
  Float(archive, entry.bytes_recent);
  Float(archive, entry.udp_sent_recent);
  Float(archive, entry.asked_recent);
  Float(archive, entry.syn_sent_recent);
  Float(archive, entry.tcp_sent_recent);
  archive(entry.excited);
  archive(entry.sampled);
  archive(entry.dirty);
  archive(entry.high);
  archive(entry.pulses);
  archive(entry.low_ticks);
  archive(entry.ports);
  archive(entry.hosts);
  archive(entry.sources.registers());
  MajorityFields(archive, entry.source);
  MajorityFields(archive, entry.source_port);
  MajorityFields(archive, entry.destination_port);
  MajorityFields(archive, entry.reflector_port);
  HeavyBytes::Fields(archive, entry.host);
  archive(entry.host_packets);
  archive(entry.sampled_packets);
  archive(entry.packets_seen);
  archive(entry.bytes_seen);
  archive(entry.fragments_seen);
  for (auto& peak : entry.peak) Float(archive, peak);
  archive(entry.since);
  archive(entry.syns.attempt);
  archive(entry.syns.tick);
  archive(entry.syns.completed);
}

void WriteTable(StateWriter& writer, const FloodTable& table, std::int64_t tick) {
  std::vector<std::pair<std::uint16_t, const FloodEntry*>> entries;
  table.ForEach(
      [&](const FloodEntry& entry) { entries.emplace_back(table.WeightOf(entry, tick), &entry); });
  // The heaviest first: a smaller table keeps those.
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return std::tuple(b.first, a.second->address) < std::tuple(a.first, b.second->address);
  });
  writer.Size(entries.size(), kMost);
  for (const auto& [weight, entry] : entries) {
    writer(weight);
    EntryFields(writer, *entry);
  }
}

// A gate of another size is forgotten: within a second all is known again.
void WriteGate(StateWriter& writer, const FloodGate& gate) {
  writer.Size(gate.memory_bytes(), kMost);
  FloodGate::Fields(writer, gate);
}
void ReadGate(StateReader& reader, FloodGate& gate) {
  std::size_t bytes = 0;
  reader.Size(bytes, kMost);
  FloodGate other(bytes / 4);
  if (other.memory_bytes() != bytes) return reader.Fail();
  FloodGate::Fields(reader, other);
  if (gate.memory_bytes() == bytes) gate = std::move(other);
}

}  // namespace

std::string FloodEngine::Save() const {
  StateWriter writer;
  writer(hash_seed_);
  writer(started_);
  writer(start_);
  writer(clock_.now());
  writer(tick_);
  AlertBudget::Fields(writer, budget_);
  writer(excited_prefixes_);
  writer(received_);
  writer(answered_);
  WriteTable(writer, destinations_.table, tick_);
  WriteGate(writer, destinations_.gate);
  WriteTable(writer, prefixes_.table, tick_);
  WriteGate(writer, prefixes_.gate);
  writer(tracker_.Save());
  return SealState(kName, kVersion, std::move(writer).bytes());
}

absl::StatusOr<FloodEngine> FloodEngine::Load(const FloodOptions& options, std::string_view state) {
  NTA_ASSIGN_OR_RETURN(const auto payload, OpenState(kName, kVersion, state));
  StateReader reader(payload);
  std::uint64_t hash_seed = 0;
  reader(hash_seed);
  FloodEngine engine(options, hash_seed);
  Timestamp now{};
  reader(engine.started_);
  reader(engine.start_);
  reader(now);
  engine.clock_.AdvanceTo(now);
  std::int64_t tick = 0;
  reader(tick);
  if (engine.started_) engine.BeginTick(tick);
  AlertBudget::Fields(reader, engine.budget_);
  reader(engine.excited_prefixes_);
  reader(engine.received_);
  reader(engine.answered_);
  engine.ReadLevel(reader, engine.destinations_);
  engine.ReadLevel(reader, engine.prefixes_);
  std::string tracker;
  reader(tracker);
  if (!reader.ok() || reader.remaining() != 0 || !engine.tracker_.Load(tracker).ok()) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

void FloodEngine::ReadLevel(StateReader& reader, Level& level) {
  FloodTable& table = level.table;
  std::size_t size = 0;
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    FloodEntry read;
    std::uint16_t weight = 0;
    reader(weight);
    EntryFields(reader, read);
    if (!reader.ok()) return;
    const FloodKey key = FloodKey::Of(read.address);
    const std::uint64_t hash = read.is_prefix ? key.PrefixHash(hash_) : key.Hash(hash_);
    if (table.Find(key, hash) != nullptr) return reader.Fail();
    FloodEntry* entry = table.AddIfFree(key, hash, weight, tick_);
    if (entry == nullptr) continue;
    *entry = read;
    entry->syns.Derive();
    entry->used = true;
    entry->listed = entry->active;
    if (!entry->active) continue;
    level.touched.push_back(static_cast<std::uint32_t>(table.IndexOf(*entry)));
  }
  ReadGate(reader, level.gate);
}

}  // namespace nta::detect
