#include "store/flow_batch.h"

#include <string>
#include <utility>

#include "base/status.h"

namespace nta::store {
namespace {

absl::Status Damaged(std::string_view what) {
  return base::MakeStatus(absl::StatusCode::kDataLoss,
                          "the store is damaged: a block of flows " + std::string(what));
}

void Predict(const Prediction& prediction, const NumberColumn& unit, NumberColumn& predicted) {
  const auto coefficient = static_cast<std::uint64_t>(prediction.coefficient);
  for (std::size_t i = 0; i < predicted.size(); ++i) predicted[i] -= coefficient * unit[i];
}

}  // namespace

FlowBatch::FlowBatch(std::size_t rows, Fetch fetch, Decompressor& decompressor)
    : rows_(rows), fetch_(std::move(fetch)), decompressor_(decompressor) {}

absl::StatusOr<NumberColumn> FlowBatch::Decode(ColumnId id) {
  NumberColumn predicted;
  const FlowColumn& column = ColumnOf(id);
  if (column.prediction) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* base, Numbers(column.prediction->base));
    predicted = *base;
    if (column.prediction->coefficient != 0) {
      NTA_ASSIGN_OR_RETURN(const NumberColumn* unit, Numbers(column.prediction->unit));
      Predict(*column.prediction, *unit, predicted);
    }
  }
  NTA_ASSIGN_OR_RETURN(const std::span<const std::uint8_t> bytes, fetch_(id));
  if (bytes.empty()) return NumberColumn(rows_);
  return DecodeNumberColumn(bytes, rows_, predicted, decompressor_);
}

absl::StatusOr<NumberColumn> FlowBatch::NumbersAt(ColumnId id,
                                                  std::span<const std::uint32_t> places) {
  const FlowColumn& column = ColumnOf(id);
  // Those that grow must be decoded as a whole; many are decoded faster so.
  if (column.grows || numbers_.contains(id) || places.size() > rows_ / 16) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn* all, Numbers(id));
    NumberColumn values;
    values.reserve(places.size());
    for (const std::uint32_t place : places) values.push_back((*all)[place]);
    return values;
  }
  NumberColumn predicted;
  if (column.prediction) {
    NTA_ASSIGN_OR_RETURN(predicted, NumbersAt(column.prediction->base, places));
    if (column.prediction->coefficient != 0) {
      NTA_ASSIGN_OR_RETURN(const NumberColumn unit, NumbersAt(column.prediction->unit, places));
      Predict(*column.prediction, unit, predicted);
    }
  }
  NTA_ASSIGN_OR_RETURN(const std::span<const std::uint8_t> bytes, fetch_(id));
  if (bytes.empty()) return NumberColumn(places.size());
  return DecodeNumberColumnAt(bytes, rows_, places, predicted, decompressor_);
}

absl::StatusOr<const NumberColumn*> FlowBatch::Numbers(ColumnId id) {
  auto& slot = numbers_[id];
  if (slot == nullptr) {
    NTA_ASSIGN_OR_RETURN(NumberColumn values, Decode(id));
    slot = std::make_unique<NumberColumn>(std::move(values));
  }
  return slot.get();
}

absl::StatusOr<const AddressColumn*> FlowBatch::Addresses(ColumnId id) {
  auto& slot = addresses_[id];
  if (slot == nullptr) {
    NTA_ASSIGN_OR_RETURN(const std::span<const std::uint8_t> bytes, fetch_(id));
    NTA_ASSIGN_OR_RETURN(AddressColumn values, DecodeAddressColumn(bytes, rows_, decompressor_));
    slot = std::make_unique<AddressColumn>(std::move(values));
  }
  return slot.get();
}

absl::StatusOr<const TextColumn*> FlowBatch::Texts(ColumnId id) {
  const auto known = texts_.find(id);
  if (known != texts_.end()) return known->second.get();
  NTA_ASSIGN_OR_RETURN(const std::span<const std::uint8_t> bytes, fetch_(id));
  auto& slot = texts_[id];
  if (bytes.empty()) return nullptr;
  NTA_ASSIGN_OR_RETURN(TextColumn values, DecodeTextColumn(bytes, rows_, decompressor_));
  slot = std::make_unique<TextColumn>(std::move(values));
  return slot.get();
}

absl::Status FlowBatch::SetColumn(const FlowColumn& column, std::span<const std::uint32_t> places,
                                  std::span<StoredFlow> flows) {
  bool ok = true;
  if (column.id == ColumnId::kId) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn ids, NumbersAt(column.id, places));
    for (std::size_t i = 0; i < places.size(); ++i) {
      flows[i].id = static_cast<std::int64_t>(ids[i]);
    }
  } else if (column.is_number()) {
    NTA_ASSIGN_OR_RETURN(const NumberColumn numbers, NumbersAt(column.id, places));
    for (std::size_t i = 0; i < places.size(); ++i) {
      ok &= column.set_number(flows[i].flow, numbers[i]);
    }
  } else if (column.type == ColumnType::kAddress) {
    NTA_ASSIGN_OR_RETURN(const AddressColumn* addresses, Addresses(column.id));
    for (std::size_t i = 0; i < places.size(); ++i) {
      column.set_address(flows[i].flow, addresses->dictionary[addresses->index[places[i]]]);
    }
  } else {
    NTA_ASSIGN_OR_RETURN(const TextColumn* texts, Texts(column.id));
    if (texts == nullptr) return absl::OkStatus();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::string& text = texts->dictionary[texts->index[places[i]]];
      if (!text.empty()) ok &= column.set_text(column, flows[i].flow, text);
    }
  }
  return ok ? absl::OkStatus() : Damaged("has an impossible " + std::string(column.name));
}

absl::Status FlowBatch::Rows(std::span<const std::uint32_t> places,
                             std::vector<StoredFlow>& flows) {
  const std::size_t before = flows.size();
  flows.resize(before + places.size());
  for (const FlowColumn& column : FlowColumns()) {
    NTA_RETURN_IF_ERROR(SetColumn(column, places, std::span(flows).subspan(before)));
  }
  for (const StoredFlow& stored : std::span(flows).subspan(before)) {
    if (stored.flow.last_seen < stored.flow.first_seen)
      return Damaged("has an impossible duration");
  }
  return absl::OkStatus();
}

}  // namespace nta::store
