// ChunkedArray: grows by chunks, so that growing neither moves elements nor takes memory at once.
#ifndef NTA_APP_CHUNKED_ARRAY_H_
#define NTA_APP_CHUNKED_ARRAY_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace nta::internal {

template <typename T>
class ChunkedArray {
 public:
  static constexpr std::size_t kChunk = 1024;

  void GrowTo(std::size_t size) {
    while (chunks_.size() * kChunk < size) chunks_.push_back(std::make_unique<T[]>(kChunk));
  }
  void Clear() { std::vector<std::unique_ptr<T[]>>().swap(chunks_); }
  std::size_t size() const { return chunks_.size() * kChunk; }
  T& operator[](std::size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  const T& operator[](std::size_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  std::size_t memory_bytes() const { return size() * sizeof(T) + chunks_.capacity() * 8; }

 private:
  std::vector<std::unique_ptr<T[]>> chunks_;
};

}  // namespace nta::internal

#endif  // NTA_APP_CHUNKED_ARRAY_H_
