#include "traffic/flow_tally.h"

#include <algorithm>

namespace nta::server {
namespace {

std::string_view MetadataOf(const FlowRecord& flow, MetadataField field) {
  return flow.metadata == nullptr ? std::string_view() : flow.metadata->Get(field);
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

}  // namespace nta::server
