#include "app/stream_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nta::internal {

bool StreamBuffer::Write(std::size_t offset, std::span<const std::uint8_t> bytes,
                         std::size_t limit) {
  if (bytes.empty()) return true;
  if (offset > limit || bytes.size() > limit - offset) return false;
  const std::size_t end = offset + bytes.size();
  if (!AddRange({static_cast<std::uint32_t>(offset), static_cast<std::uint32_t>(end)})) {
    return false;
  }
  Reserve(end);
  size_ = std::max(size_, end);
  std::memcpy(bytes_.get() + offset, bytes.data(), bytes.size());
  return true;
}

void StreamBuffer::Reserve(std::size_t size) {
  if (size <= capacity_) return;
  const std::size_t capacity = std::max(size, capacity_ * 2);
  auto bytes = std::make_unique_for_overwrite<std::uint8_t[]>(capacity);
  if (size_ > 0) std::memcpy(bytes.get(), bytes_.get(), size_);
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

bool StreamBuffer::Prepend(std::size_t size, std::size_t limit) {
  if (size > limit || size_ > limit - size) return false;
  Reserve(size_ + size);
  std::memmove(bytes_.get() + size, bytes_.get(), size_);
  size_ += size;
  for (std::size_t i = 0; i < ranges_count_; ++i) {
    ranges_[i].begin += static_cast<std::uint32_t>(size);
    ranges_[i].end += static_cast<std::uint32_t>(size);
  }
  return true;
}

std::span<const std::uint8_t> StreamBuffer::Prefix() const {
  if (ranges_count_ == 0 || ranges_[0].begin != 0) return {};
  return {bytes_.get(), ranges_[0].end};
}

void StreamBuffer::Drop(std::size_t size) {
  const auto dropped = static_cast<std::uint32_t>(std::min(size, size_));
  if (dropped == 0) return;
  size_ -= dropped;
  std::memmove(bytes_.get(), bytes_.get() + dropped, size_);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ranges_count_; ++i) {
    const Range range = ranges_[i];
    if (range.end <= dropped) continue;
    ranges_[kept++] = {range.begin - std::min(range.begin, dropped), range.end - dropped};
  }
  ranges_count_ = kept;
}

// Joins the ranges that `added` touches.
bool StreamBuffer::AddRange(Range added) {
  std::size_t first = 0;
  while (first < ranges_count_ && ranges_[first].end < added.begin) ++first;
  std::size_t last = first;
  while (last < ranges_count_ && ranges_[last].begin <= added.end) {
    added.begin = std::min(added.begin, ranges_[last].begin);
    added.end = std::max(added.end, ranges_[last].end);
    ++last;
  }
  if (last == first) {
    if (ranges_count_ == kMaxRanges) return false;
    std::copy_backward(ranges_.begin() + first, ranges_.begin() + ranges_count_,
                       ranges_.begin() + ranges_count_ + 1);
    ++ranges_count_;
  } else {
    std::copy(ranges_.begin() + last, ranges_.begin() + ranges_count_, ranges_.begin() + first + 1);
    ranges_count_ -= last - first - 1;
  }
  ranges_[first] = added;
  return true;
}

}  // namespace nta::internal
