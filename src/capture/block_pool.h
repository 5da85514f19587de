// BlockPool: blocks of bytes that are used again and again, by whichever thread is done with them.
#ifndef NTA_CAPTURE_BLOCK_POOL_H_
#define NTA_CAPTURE_BLOCK_POOL_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace nta::internal {

// Fresh memory costs a page fault for each 4 KiB, as much as reading them: so blocks come back.
// Thread-safe.
class BlockPool : public std::enable_shared_from_this<BlockPool> {
 public:
  using Block = std::vector<std::uint8_t>;

  explicit BlockPool(std::size_t block_bytes) : block_bytes_(block_bytes) {}

  // A block of at least block_bytes, with any contents; it keeps the pool alive.
  std::shared_ptr<Block> Take();

 private:
  // More are given back to the system.
  static constexpr std::size_t kMaxFree = 32;

  std::unique_ptr<Block> TakeFree();
  void GiveBack(std::unique_ptr<Block> block);

  const std::size_t block_bytes_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<Block>> free_;
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_BLOCK_POOL_H_
