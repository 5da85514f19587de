#include "capture/input_buffer.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/status.h"

namespace nta::internal {

InputBuffer::InputBuffer(std::unique_ptr<ByteInput> input)
    : input_(std::move(input)), buffer_(kBlockBytes) {}

std::uint64_t InputBuffer::file_position() const {
  return input_->compression() == Compression::kNone ? position() : input_->file_position();
}

absl::StatusOr<bool> InputBuffer::ReadMore() {
  NTA_ASSIGN_OR_RETURN(const std::size_t count, input_->Read(std::span(buffer_).subspan(end_)));
  end_ += count;
  end_offset_ += count;
  return count > 0;
}

absl::StatusOr<bool> InputBuffer::Fill(std::size_t size) {
  if (begin_ > 0) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  // A regular file says at once that it has not that much; a pipe makes the buffer grow only as
  // bytes come.
  const std::uint64_t total = input_->size();
  if (total > 0 && position() + size > total && size > buffer_.size()) return false;
  while (end_ < size) {
    if (end_ == buffer_.size())
      buffer_.resize(std::min(2 * buffer_.size(), kMaxRecordBytes + kBlockBytes));
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  return true;
}

absl::StatusOr<bool> InputBuffer::Skip(std::uint64_t size) {
  while (size > end_ - begin_) {
    size -= end_ - begin_;
    begin_ = end_ = 0;
    NTA_ASSIGN_OR_RETURN(const bool more, ReadMore());
    if (!more) return false;
  }
  begin_ += static_cast<std::size_t>(size);
  return true;
}

}  // namespace nta::internal
