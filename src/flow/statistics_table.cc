#include "flow/statistics_table.h"

#include <algorithm>
#include <cmath>

#include "base/status.h"

namespace nta::internal {
namespace {

// Shannon's entropy in bits per byte. Summed in the order of the bytes' values, so that whoever
// computes it likewise gets the same double.
double Entropy(const std::uint16_t (&counts)[256], std::uint32_t total) {
  double sum = 0;
  for (const std::uint16_t count : counts) {
    if (count != 0) sum += static_cast<double>(count) * std::log2(static_cast<double>(count));
  }
  return std::log2(static_cast<double>(total)) - sum / static_cast<double>(total);
}

}  // namespace

absl::StatusOr<StatisticsTable> StatisticsTable::Create(const FlowStatisticsOptions& options,
                                                        std::size_t slots) {
  StatisticsTable table;
  table.options_ = options;
  NTA_ASSIGN_OR_RETURN(table.entries_, base::LazyArray<StatisticsEntry>::Create(slots));
  if (options.first_packets != 0) {
    NTA_ASSIGN_OR_RETURN(table.samples_,
                         base::LazyArray<StoredSample>::Create(slots * options.first_packets));
  }
  if (options.entropy_bytes != 0) {
    NTA_ASSIGN_OR_RETURN(table.histograms_, base::LazyArray<Histograms>::Create(slots));
  }
  return table;
}

std::size_t StatisticsTable::BytesPerFlow(const FlowStatisticsOptions& options) {
  return sizeof(StatisticsEntry) + options.first_packets * sizeof(StoredSample) +
         (options.entropy_bytes != 0 ? sizeof(Histograms) : 0);
}

void StatisticsTable::Start(std::uint32_t slot) { entries_[slot] = {}; }

void StatisticsTable::Continue(std::uint32_t slot) { entries_[slot].Continue(); }

void StatisticsTable::Add(std::uint32_t slot, std::size_t direction, std::int64_t time,
                          const DecodedPacket& packet) {
  StatisticsEntry& entry = entries_[slot];
  entry.Add(direction, time, packet);
  if (entry.sample_count < options_.first_packets) AddSample(slot, direction, time, packet);
  if (entry.directions[direction].entropy_bytes < options_.entropy_bytes &&
      !packet.payload.empty()) {
    AddPayload(slot, direction, packet);
  }
}

void StatisticsTable::AddSample(std::uint32_t slot, std::size_t direction, std::int64_t time,
                                const DecodedPacket& packet) {
  StatisticsEntry& entry = entries_[slot];
  StoredSample& sample = samples_[slot * options_.first_packets + entry.sample_count++];
  sample.offset_and_direction =
      (time - entry.first_time) * 2 + static_cast<std::int64_t>(direction);
  sample.ip_bytes = packet.ip_bytes;
  sample.payload_bytes = packet.payload_bytes;
}

void StatisticsTable::AddPayload(std::uint32_t slot, std::size_t direction,
                                 const DecodedPacket& packet) {
  auto& counts = histograms_[slot].counts[direction];
  std::uint32_t& total = entries_[slot].directions[direction].entropy_bytes;
  if (total == 0) std::fill(std::begin(counts), std::end(counts), std::uint16_t{0});
  const std::size_t size = std::min(packet.payload.size(), options_.entropy_bytes - total);
  for (const std::uint8_t byte : packet.payload.first(size)) ++counts[byte];
  total += static_cast<std::uint32_t>(size);
}

void StatisticsTable::SwapDirections(std::uint32_t slot) {
  StatisticsEntry& entry = entries_[slot];
  entry.SwapDirections();
  for (std::size_t i = 0; i < entry.sample_count; ++i) {
    samples_[slot * options_.first_packets + i].offset_and_direction ^= 1;
  }
  if (options_.entropy_bytes != 0) {
    Histograms& histograms = histograms_[slot];
    std::swap(histograms.counts[0], histograms.counts[1]);
  }
}

std::shared_ptr<const FlowStatistics> StatisticsTable::Take(std::uint32_t slot,
                                                            std::int64_t first_seen) const {
  auto statistics = std::make_shared<FlowStatistics>();
  const StatisticsEntry& entry = entries_[slot];
  entry.Fill(*statistics);
  FillSamples(slot, first_seen, *statistics);
  for (std::size_t i = 0; i < 2; ++i) {
    const std::uint32_t total = entry.directions[i].entropy_bytes;
    if (total == 0) continue;
    (i == 0 ? statistics->forward : statistics->reverse).payload_entropy =
        Entropy(histograms_[slot].counts[i], total);
  }
  return statistics;
}

void StatisticsTable::FillSamples(std::uint32_t slot, std::int64_t first_seen,
                                  FlowStatistics& out) const {
  const StatisticsEntry& entry = entries_[slot];
  out.first_packets.resize(entry.sample_count);
  for (std::size_t i = 0; i < entry.sample_count; ++i) {
    const StoredSample& stored = samples_[slot * options_.first_packets + i];
    out.first_packets[i] = {
        .offset = Duration(entry.first_time - first_seen + (stored.offset_and_direction >> 1)),
        .ip_bytes = stored.ip_bytes,
        .payload_bytes = stored.payload_bytes,
        .is_forward = (stored.offset_and_direction & 1) == 0};
  }
}

}  // namespace nta::internal
