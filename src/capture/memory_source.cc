#include "nta/capture/memory_source.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/time/time.h"

namespace nta {

MemorySource::MemorySource(MemorySourceOptions options) : options_(std::move(options)) {}

bool MemorySource::Push(const PacketView& packet) {
  absl::MutexLock lock(&mutex_);
  if (closed_) return false;
  if (queued_bytes_ + packet.bytes.size() > options_.capacity_bytes) {
    ++stats_.dropped_buffer;
    return false;
  }
  queue_.emplace_back(packet);
  queued_bytes_ += packet.bytes.size();
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
      queued_bytes_ -= packet.view().bytes.size();
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
