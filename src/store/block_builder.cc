#include "store/block_builder.h"

#include <algorithm>
#include <numeric>

#include "base/status.h"
#include "store/address_order.h"
#include "store/rows.h"

namespace nta::store {
namespace {

// Few enough that the records stay in the cache while column after column is taken from them: 3
// times faster than all records column by column.
constexpr std::size_t kFlowsAtOnce = 128;

bool IsLess(const IpAddress& a, const IpAddress& b) { return CompareAddresses(a, b) < 0; }
bool IsLess(const std::string& a, const std::string& b) { return a < b; }

// Sorts the dictionary and lets the index follow.
template <typename Value>
void Sort(DictionaryColumn<Value>& column) {
  std::vector<std::uint32_t> order(column.dictionary.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    return IsLess(column.dictionary[a], column.dictionary[b]);
  });
  std::vector<Value> sorted;
  sorted.reserve(order.size());
  std::vector<std::uint32_t> place(order.size());
  for (const std::uint32_t old : order) {
    place[old] = static_cast<std::uint32_t>(sorted.size());
    sorted.push_back(std::move(column.dictionary[old]));
  }
  column.dictionary = std::move(sorted);
  for (std::uint32_t& index : column.index) index = place[index];
}

}  // namespace

std::uint32_t BlockBuilder::Addresses::PlaceOf(const IpAddress& address) {
  const auto [place, is_new] =
      places.try_emplace(address, static_cast<std::uint32_t>(column.dictionary.size()));
  if (is_new) column.dictionary.push_back(address);
  return place->second;
}

NumberColumn& BlockBuilder::NumbersOf(ColumnId id) {
  return numbers_[static_cast<std::size_t>(id)];
}

std::span<const std::uint64_t> BlockBuilder::NumbersOf(ColumnId id) const {
  return numbers_[static_cast<std::size_t>(id)];
}

void BlockBuilder::AddText(ColumnId id, std::size_t row, std::string_view text) {
  if (text.empty()) return;
  Texts& texts = texts_[id];
  if (texts.column.dictionary.empty()) texts.column.dictionary.emplace_back();
  texts.column.index.resize(row);
  key_.assign(text);
  const auto [place, is_new] =
      texts.places.try_emplace(key_, static_cast<std::uint32_t>(texts.column.dictionary.size()));
  if (is_new) {
    texts.column.dictionary.emplace_back(text);
    text_bytes_ += text.size();
  }
  texts.column.index.push_back(place->second);
}

void BlockBuilder::Add(std::span<const FlowRecord> flows, std::int64_t first_id) {
  while (!flows.empty()) {
    const std::size_t count = std::min(flows.size(), kFlowsAtOnce);
    AddSome(flows.first(count), first_id);
    flows = flows.subspan(count);
    first_id += static_cast<std::int64_t>(count);
  }
}

void BlockBuilder::AddSome(std::span<const FlowRecord> flows, std::int64_t first_id) {
  for (const FlowColumn& column : FlowColumns()) {
    if (!column.is_number()) continue;
    NumberColumn& numbers = NumbersOf(column.id);
    numbers.resize(rows_ + flows.size());
    if (column.id == ColumnId::kId) {
      std::iota(numbers.begin() + static_cast<std::ptrdiff_t>(rows_), numbers.end(),
                static_cast<std::uint64_t>(first_id));
    } else {
      column.get_numbers(flows, numbers.data() + rows_);
    }
  }
  const FlowColumn& statistics = ColumnOf(ColumnId::kStatistics);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    const FlowRecord& flow = flows[i];
    source_.column.index.push_back(source_.PlaceOf(flow.source.address));
    destination_.column.index.push_back(destination_.PlaceOf(flow.destination.address));
    // Most flows have neither, so their columns are not asked one by one.
    if (flow.statistics) {
      AddText(statistics.id, rows_ + i, statistics.get_text(statistics, flow));
    }
    if (!flow.metadata) continue;
    for (const FlowMetadata::Entry& entry : flow.metadata->entries()) {
      AddText(MetadataColumn(entry.field), rows_ + i, entry.value);
    }
  }
  rows_ += flows.size();
}

absl::Status BlockBuilder::Add(FlowBatch& batch, std::span<const std::uint32_t> places) {
  const auto add_addresses = [&](ColumnId id, Addresses& to) -> absl::Status {
    NTA_ASSIGN_OR_RETURN(const AddressColumn* from, batch.Addresses(id));
    constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
    std::vector<std::uint32_t> translated(from->dictionary.size(), kUnknown);
    for (const std::uint32_t place : places) {
      std::uint32_t& index = translated[from->index[place]];
      if (index == kUnknown) index = to.PlaceOf(from->dictionary[from->index[place]]);
      to.column.index.push_back(index);
    }
    return absl::OkStatus();
  };
  for (const FlowColumn& column : FlowColumns()) {
    if (column.is_number()) {
      NTA_ASSIGN_OR_RETURN(const NumberColumn* from, batch.Numbers(column.id));
      for (const std::uint32_t place : places) NumbersOf(column.id).push_back((*from)[place]);
    } else if (column.is_text()) {
      NTA_ASSIGN_OR_RETURN(const TextColumn* from, batch.Texts(column.id));
      if (from == nullptr) continue;
      for (std::size_t i = 0; i < places.size(); ++i) {
        AddText(column.id, rows_ + i, from->dictionary[from->index[places[i]]]);
      }
    }
  }
  NTA_RETURN_IF_ERROR(add_addresses(ColumnId::kSourceAddress, source_));
  NTA_RETURN_IF_ERROR(add_addresses(ColumnId::kDestinationAddress, destination_));
  rows_ += places.size();
  return absl::OkStatus();
}

void BlockBuilder::Finish() {
  Sort(source_.column);
  Sort(destination_.column);
  for (auto& [id, texts] : texts_) {
    texts.column.index.resize(rows_);
    Sort(texts.column);
  }
}

BlockInfo BlockBuilder::Info() const {
  const TrafficColumns traffic = Traffic();
  const auto time = [](std::uint64_t number) {
    return ToTimestamp(static_cast<std::int64_t>(number));
  };
  const auto ids = NumbersOf(ColumnId::kId);
  BlockInfo info;
  info.flows = rows_;
  info.first_id = static_cast<std::int64_t>(*std::min_element(ids.begin(), ids.end()));
  info.last_id = static_cast<std::int64_t>(*std::max_element(ids.begin(), ids.end()));
  info.min_first_seen = time(traffic.first_seen[0]);
  info.min_last_seen = info.max_last_seen = time(traffic.last_seen[0]);
  for (std::size_t i = 0; i < rows_; ++i) {
    info.min_first_seen = std::min(info.min_first_seen, time(traffic.first_seen[i]));
    info.min_last_seen = std::min(info.min_last_seen, time(traffic.last_seen[i]));
    info.max_last_seen = std::max(info.max_last_seen, time(traffic.last_seen[i]));
    info.max_bytes = std::max(info.max_bytes, traffic.forward_bytes[i] + traffic.reverse_bytes[i]);
    info.max_packets =
        std::max(info.max_packets, traffic.forward_packets[i] + traffic.reverse_packets[i]);
  }
  return info;
}

TrafficColumns BlockBuilder::Traffic() const {
  using enum ColumnId;
  return {.first_seen = NumbersOf(kFirstSeen),
          .last_seen = NumbersOf(kLastSeen),
          .protocol = NumbersOf(kProtocol),
          .source_port = NumbersOf(kSourcePort),
          .destination_port = NumbersOf(kDestinationPort),
          .application = NumbersOf(kApplication),
          .category = NumbersOf(kCategory),
          .evidence = NumbersOf(kEvidence),
          .vlan = NumbersOf(kVlan),
          .forward_bytes = NumbersOf(kForwardWireBytes),
          .reverse_bytes = NumbersOf(kReverseWireBytes),
          .forward_packets = NumbersOf(kForwardPackets),
          .reverse_packets = NumbersOf(kReversePackets),
          .source = &source_.column,
          .destination = &destination_.column,
          .source_name = TextsOf(MetadataField::kSourceName),
          .destination_name = TextsOf(MetadataField::kDestinationName),
          .server_name = TextsOf(MetadataField::kServerName)};
}

const TextColumn* BlockBuilder::TextsOf(MetadataField field) const {
  const auto texts = texts_.find(MetadataColumn(field));
  return texts == texts_.end() ? nullptr : &texts->second.column;
}

std::vector<BlockBuilder::EncodedColumn> BlockBuilder::Encode(Compressor& compressor) const {
  std::vector<EncodedColumn> encoded;
  for (const FlowColumn& column : FlowColumns()) {
    if (!column.is_number()) continue;
    const auto numbers = NumbersOf(column.id);
    // What no flow has, the block need not have.
    if (std::all_of(numbers.begin(), numbers.end(), [](std::uint64_t n) { return n == 0; })) {
      continue;
    }
    NumberColumn predicted;
    if (column.prediction) {
      const auto base = NumbersOf(column.prediction->base);
      const auto unit = NumbersOf(column.prediction->unit);
      const auto coefficient = static_cast<std::uint64_t>(column.prediction->coefficient);
      predicted.resize(rows_);
      for (std::size_t i = 0; i < rows_; ++i) predicted[i] = base[i] - coefficient * unit[i];
    }
    encoded.push_back({column.id, EncodeColumn(column, numbers, predicted, compressor)});
  }
  encoded.push_back({ColumnId::kSourceAddress, EncodeColumn(source_.column, compressor)});
  encoded.push_back({ColumnId::kDestinationAddress, EncodeColumn(destination_.column, compressor)});
  for (const auto& [id, texts] : texts_) {
    encoded.push_back({id, EncodeColumn(texts.column, compressor)});
  }
  return encoded;
}

}  // namespace nta::store
