#include "capture/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::internal {

InputBuffer::InputBuffer(std::unique_ptr<ByteInput> input)
    : input_(std::move(input)),
      pool_(std::make_shared<BlockPool>(kBlockBytes)),
      block_(pool_->Take()) {}

std::uint64_t InputBuffer::file_position() const {
  return input_->compression() == Compression::kNone ? position() : input_->file_position();
}

absl::StatusOr<bool> InputBuffer::ReadMore() {
  NTA_ASSIGN_OR_RETURN(const std::size_t count, input_->Read(std::span(*block_).subspan(end_)));
  end_ += count;
  end_offset_ += count;
  return count > 0;
}

void InputBuffer::MoveToFront() {
  const std::size_t size = end_ - begin_;
  if (is_retained_) {
    std::shared_ptr<BlockPool::Block> next = pool_->Take();
    if (next->size() < size) next->resize(block_->size());
    std::memcpy(next->data(), block_->data() + begin_, size);
    block_ = std::move(next);
    is_retained_ = false;
  } else if (begin_ > 0) {
    std::memmove(block_->data(), block_->data() + begin_, size);
  }
  begin_ = 0;
  end_ = size;
}

absl::StatusOr<bool> InputBuffer::Fill(std::size_t size) {
  MoveToFront();
  // A regular file says at once that it has not that much; a pipe makes the buffer grow only as
  // bytes come.
  const std::uint64_t total = input_->size();
  if (total > 0 && position() + size > total && size > block_->size()) return false;
  while (end_ < size) {
    if (end_ == block_->size()) {
      block_->resize(std::min(2 * block_->size(), kMaxRecordBytes + kBlockBytes));
    }
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  return true;
}

absl::StatusOr<bool> InputBuffer::Skip(std::uint64_t size) {
  while (size > end_ - begin_) {
    size -= end_ - begin_;
    begin_ = end_;
    MoveToFront();
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  begin_ += static_cast<std::size_t>(size);
  return true;
}

}  // namespace nta::internal
