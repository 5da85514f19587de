#include "flow_tally.h"

#include <algorithm>

namespace nta::server {
namespace {

std::string_view MetadataOf(const FlowRecord& flow, MetadataField field) {
  return flow.metadata == nullptr ? std::string_view() : flow.metadata->Get(field);
}

// Counts times nanoseconds are more than 64 bits.
__extension__ using Wide = unsigned __int128;

// What of `count` came before `time`.
std::uint64_t Before(const FlowRecord& flow, std::uint64_t count, Timestamp time) {
  if (time <= flow.first_seen) return 0;
  if (time > flow.last_seen) return count;
  const auto elapsed = static_cast<Wide>((time - flow.first_seen).count());
  const auto duration = static_cast<Wide>(flow.duration().count());
  return static_cast<std::uint64_t>(count * elapsed / duration);
}

std::uint64_t MeasuredBefore(const FlowRecord& flow, Measure measure, Timestamp time) {
  switch (measure) {
    case Measure::kBytes:
      return Before(flow, flow.forward.wire_bytes, time) +
             Before(flow, flow.reverse.wire_bytes, time);
    case Measure::kPackets:
      return Before(flow, flow.packets(), time);
    case Measure::kFlows:
      return time > flow.last_seen ? 1 : 0;
  }
  return 0;
}

template <typename Row>
void KeepGreatest(std::vector<Row>& rows, Measure by, std::size_t limit) {
  // Rows come ordered by key: stable, so that equal ones stay so.
  std::stable_sort(rows.begin(), rows.end(), [by](const Row& a, const Row& b) {
    return Measured(a.totals, by) > Measured(b.totals, by);
  });
  if (rows.size() > limit) rows.resize(limit);
}

}  // namespace

void Add(TrafficTotals& totals, const FlowRecord& flow) {
  totals.bytes += flow.wire_bytes();
  totals.packets += flow.packets();
  ++totals.flows;
}

std::uint64_t Measured(const TrafficTotals& totals, Measure measure) {
  switch (measure) {
    case Measure::kBytes:
      return totals.bytes;
    case Measure::kPackets:
      return totals.packets;
    case Measure::kFlows:
      return totals.flows;
  }
  return 0;
}

void KeyTally::Add(std::string_view key, const FlowRecord& flow) {
  server::Add(total_, flow);
  if (key.empty()) return server::Add(without_key_, flow);
  auto row = rows_.find(key);
  if (row == rows_.end()) row = rows_.emplace(key, TrafficTotals()).first;
  server::Add(row->second, flow);
}

std::vector<KeyTotals> KeyTally::Rows(Measure by, std::size_t limit) const {
  std::vector<KeyTotals> rows;
  rows.reserve(rows_.size());
  for (const auto& [key, totals] : rows_) rows.push_back({key, totals});
  KeepGreatest(rows, by, limit);
  return rows;
}

void PairTally::Add(const FlowRecord& flow) {
  server::Add(total_, flow);
  PeerPair& row = rows_[{flow.source.address, flow.destination.address}];
  row.source = flow.source.address;
  row.destination = flow.destination.address;
  if (row.source_name.empty()) row.source_name = SourceName(flow);
  if (row.destination_name.empty()) row.destination_name = DestinationName(flow);
  server::Add(row.totals, flow);
  row.forward_bytes += flow.forward.wire_bytes;
  row.reverse_bytes += flow.reverse.wire_bytes;
}

std::vector<PeerPair> PairTally::Rows(Measure by, std::size_t limit) const {
  std::vector<PeerPair> rows;
  rows.reserve(rows_.size());
  for (const auto& [key, row] : rows_) rows.push_back(row);
  std::sort(rows.begin(), rows.end(), [](const PeerPair& a, const PeerPair& b) {
    return std::pair(a.source, a.destination) < std::pair(b.source, b.destination);
  });
  KeepGreatest(rows, by, limit);
  return rows;
}

SeriesTally::SeriesTally(Timestamp start, Duration step, std::size_t count, Measure measure)
    : start_(start), step_(step), count_(count), measure_(measure) {}

void SeriesTally::Add(std::string_view key, const FlowRecord& flow) {
  const Timestamp end = start_ + step_ * static_cast<std::int64_t>(count_);
  if (flow.last_seen < start_ || flow.first_seen >= end) return;
  auto line = lines_.find(key);
  if (line == lines_.end()) line = lines_.emplace(key, std::vector<std::uint64_t>(count_, 0)).first;
  const auto step_of = [this](Timestamp time) {
    return static_cast<std::size_t>(std::max<Duration>(time - start_, {}) / step_);
  };
  const std::size_t last = std::min(count_ - 1, step_of(flow.last_seen));
  std::size_t step = step_of(flow.first_seen);
  Timestamp time = start_ + step_ * static_cast<std::int64_t>(step);
  std::uint64_t before = MeasuredBefore(flow, measure_, time);
  for (; step <= last; ++step) {
    time += step_;
    const std::uint64_t until = MeasuredBefore(flow, measure_, time);
    line->second[step] += until - before;
    before = until;
  }
}

std::string_view SourceName(const FlowRecord& flow) {
  return MetadataOf(flow, MetadataField::kSourceName);
}
std::string_view DestinationName(const FlowRecord& flow) {
  return MetadataOf(flow, MetadataField::kDestinationName);
}
std::string_view ApplicationKey(const FlowRecord& flow) {
  return flow.application == Application::kUnknown ? std::string_view()
                                                   : ToString(flow.application);
}
std::string_view CategoryKey(const FlowRecord& flow) {
  return flow.category == ApplicationCategory::kUnknown ? std::string_view()
                                                        : ToString(flow.category);
}

}  // namespace nta::server
