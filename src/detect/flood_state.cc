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
constexpr std::uint16_t kVersion = 1;
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
  archive(entry.tick);
  archive(entry.known);
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

}  // namespace

std::string FloodEngine::Save() const {
  StateWriter writer;
  writer(hash_seed_);
  writer(started_);
  writer(start_);
  writer(clock_.now());
  writer(tick_);
  AlertBudget::Fields(writer, budget_);
  writer(received_);
  writer(answered_);
  WriteTable(writer, destinations_, tick_);
  WriteTable(writer, prefixes_, tick_);
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
  reader(engine.tick_);
  AlertBudget::Fields(reader, engine.budget_);
  reader(engine.received_);
  reader(engine.answered_);
  engine.ReadTable(reader, engine.destinations_, engine.touched_destinations_);
  engine.ReadTable(reader, engine.prefixes_, engine.touched_prefixes_);
  std::string tracker;
  reader(tracker);
  if (!reader.ok() || reader.remaining() != 0 || !engine.tracker_.Load(tracker).ok()) {
    return base::MakeStatus(
        absl::StatusCode::kDataLoss,
        "the saved detector state is damaged: its fields contradict each other");
  }
  return engine;
}

void FloodEngine::ReadTable(StateReader& reader, FloodTable& table, Touched& touched) {
  std::size_t size = 0;
  reader.Size(size, kMost);
  for (std::size_t i = 0; i < size && reader.ok(); ++i) {
    FloodEntry read;
    std::uint16_t weight = 0;
    reader(weight);
    EntryFields(reader, read);
    if (!reader.ok()) return;
    const AddressWords words = WordsOf(read.address);
    const std::uint64_t low = read.is_prefix ? ~words.low : words.low;
    const std::uint64_t hash = hash_(words.high, low);
    if (table.Find(read.address, hash) != nullptr) return reader.Fail();
    FloodEntry* entry = table.AddIfFree(read.address, hash, weight, tick_);
    if (entry == nullptr) continue;
    *entry = read;
    entry->used = true;
    if (!entry->active) continue;
    const std::size_t index = table.IndexOf(*entry);
    touched.listed[index] = true;
    touched.order.push_back(static_cast<std::uint32_t>(index));
  }
}

}  // namespace nta::detect
