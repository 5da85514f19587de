#include "nta/capture/memory_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"

namespace nta {
namespace {

// What a waiting packet takes: empty ones must not fill the memory either.
std::size_t MemoryOf(std::size_t captured_bytes) {
  constexpr std::size_t kAllocatorBytes = 32;
  return sizeof(Packet) + kAllocatorBytes + captured_bytes;
}

}  // namespace

MemorySource::MemorySource(MemorySourceOptions options) : options_(std::move(options)) {}

bool MemorySource::Push(const PacketView& packet) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  const std::size_t size = MemoryOf(packet.bytes.size());
  if (size > options_.capacity_bytes - queued_bytes_) {
    ++stats_.dropped_buffer;
    return false;
  }
  queue_.emplace_back(packet);
  queued_bytes_ += size;
  return true;
}

void MemorySource::Close() {
  absl::MutexLock lock(&mutex_);
  closed_ = true;
}

absl::StatusOr<ReadResult> MemorySource::Read(PacketBatch& batch) {
  batch.clear();
  handed_out_.clear();
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &MemorySource::HasInput),
                            absl::FromChrono(options_.timeout));
    const std::size_t count = std::min(queue_.size(), std::max<std::size_t>(options_.max_batch, 1));
    if (count == 0) return closed_ ? ReadResult::kEnd : ReadResult::kTimeout;
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    std::move(queue_.begin(), end, std::back_inserter(handed_out_));
    queue_.erase(queue_.begin(), end);
    for (const Packet& packet : handed_out_) {
      queued_bytes_ -= MemoryOf(packet.view().bytes.size());
      stats_.received_bytes += packet.view().bytes.size();
    }
    stats_.received += count;
  }
  for (const Packet& packet : handed_out_) batch.push_back(packet.view());
  return ReadResult::kPackets;
}

CaptureStats MemorySource::Stats() const {
  absl::MutexLock lock(&mutex_);
  return stats_;
}

}  // namespace nta
