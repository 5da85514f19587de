#include "capture/block_pool.h"

#include <utility>

namespace nta::internal {

std::shared_ptr<BlockPool::Block> BlockPool::Take() {
  std::unique_ptr<Block> block = TakeFree();
  if (block == nullptr) block = std::make_unique<Block>(block_bytes_);
  return {block.release(), [pool = shared_from_this()](Block* done) {
            pool->GiveBack(std::unique_ptr<Block>(done));
          }};
}

std::unique_ptr<BlockPool::Block> BlockPool::TakeFree() {
  const std::scoped_lock lock(mutex_);
  if (free_.empty()) return nullptr;
  std::unique_ptr<Block> block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BlockPool::GiveBack(std::unique_ptr<Block> block) {
  // One huge record must not cost its memory for ever.
  if (block->size() > 2 * block_bytes_) return;
  const std::scoped_lock lock(mutex_);
  if (free_.size() < kMaxFree) free_.push_back(std::move(block));
}

}  // namespace nta::internal
