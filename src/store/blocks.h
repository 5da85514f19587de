// Blocks: the stored flows, block by block.
#ifndef NTA_STORE_BLOCKS_H_
#define NTA_STORE_BLOCKS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"
#include "nta/store/store.h"
#include "store/block_builder.h"
#include "store/block_summary.h"
#include "store/flow_batch.h"
#include "store/sqlite.h"

namespace nta::store {

// Reads blocks on one connection, in the transaction that the caller has begun.
class BlockReader {
 public:
  // Borrows the connection.
  explicit BlockReader(Connection& connection) : connection_(connection) {}

  // All blocks, the tail's included, in the order of their first ids.
  absl::StatusOr<std::vector<BlockInfo>> List();
  // False when no flow of the block can match.
  absl::StatusOr<bool> MayMatch(const BlockInfo& block, const FlowFilter& filter);
  // The batch borrows this reader.
  absl::StatusOr<std::unique_ptr<FlowBatch>> Open(const BlockInfo& block);

 private:
  absl::StatusOr<std::unique_ptr<FlowBatch>> OpenTail(const BlockInfo& block);

  Connection& connection_;
  Decompressor decompressor_;
};

// Writes blocks, in the caller's transaction.
class BlockWriter {
 public:
  explicit BlockWriter(Connection& connection) : connection_(connection) {}

  // Keeps flows with the ids from `first_id` on: in the tail while they are few, else in blocks,
  // with everything that the tail has, and in the totals.
  absl::Status Write(std::span<const FlowRecord> flows, std::int64_t first_id);
  // A block of its own for the flows of `builder`, whose totals are known already, or are added
  // when rollups is 0.
  absl::Status WriteBlock(BlockBuilder& builder, std::int64_t rollups);
  absl::Status Delete(const BlockInfo& block);
  // Puts the flows of `builder`, some of the block's, in its place. Totals are left alone.
  absl::Status Replace(const BlockInfo& block, BlockBuilder& builder);

 private:
  struct Tail {
    std::size_t parts = 0;
    std::size_t flows = 0;
  };
  absl::StatusOr<Tail> FindTail();
  absl::Status WriteTail(BlockBuilder& builder);
  absl::Status MergeTail();
  absl::Status Seal(const Tail& tail, std::span<const FlowRecord> flows, std::int64_t first_id);

  Connection& connection_;
  Compressor compressor_{Compressor::Effort::kFast};
  Compressor no_compressor_{Compressor::Effort::kNone};
};

}  // namespace nta::store

#endif  // NTA_STORE_BLOCKS_H_
