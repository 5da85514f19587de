// FlowBatch: a block of flows whose columns are decoded when they are asked for.
#ifndef NTA_STORE_FLOW_BATCH_H_
#define NTA_STORE_FLOW_BATCH_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/store/store.h"
#include "store/column_codec.h"

namespace nta::store {

// One thread at a time. What it returns stays valid while it lives.
class FlowBatch {
 public:
  // The bytes of a column, empty when the block has none of it; valid until the next call.
  using Fetch = std::function<absl::StatusOr<std::span<const std::uint8_t>>(ColumnId)>;

  // Borrows `decompressor`. rows <= kMaxBlockFlows.
  FlowBatch(std::size_t rows, Fetch fetch, Decompressor& decompressor);

  std::size_t size() const { return rows_; }

  // A column of numbers that the block does not have is 0 throughout, as its flows had none. An
  // address column it must have.
  absl::StatusOr<const NumberColumn*> Numbers(ColumnId id);
  absl::StatusOr<const AddressColumn*> Addresses(ColumnId id);
  // Null when the block does not have it.
  absl::StatusOr<const TextColumn*> Texts(ColumnId id);

  // Appends the flows at these places. DataLoss when a column holds what no flow has.
  absl::Status Rows(std::span<const std::uint32_t> places, std::vector<StoredFlow>& flows);

 private:
  absl::StatusOr<NumberColumn> Decode(ColumnId id);
  absl::StatusOr<NumberColumn> NumbersAt(ColumnId id, std::span<const std::uint32_t> places);
  absl::Status SetColumn(const FlowColumn& column, std::span<const std::uint32_t> places,
                         std::span<StoredFlow> flows);

  const std::size_t rows_;
  const Fetch fetch_;
  Decompressor& decompressor_;
  std::map<ColumnId, std::unique_ptr<NumberColumn>> numbers_;
  std::map<ColumnId, std::unique_ptr<AddressColumn>> addresses_;
  std::map<ColumnId, std::unique_ptr<TextColumn>> texts_;
};

}  // namespace nta::store

#endif  // NTA_STORE_FLOW_BATCH_H_
