#include "log/byte_stream.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "base/status.h"

namespace nta::log {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{256} << 10;

absl::Status Damaged() {
  return base::MakeStatus(absl::StatusCode::kDataLoss, "a packed log file is damaged");
}

class PlainStream final : public ByteStream {
 public:
  explicit PlainStream(base::Descriptor file) : file_(std::move(file)) {}

  absl::StatusOr<std::size_t> Read(std::span<char> buffer) override {
    while (true) {
      const ssize_t size = read(file_.get(), buffer.data(), buffer.size());
      if (size >= 0) return static_cast<std::size_t>(size);
      if (errno != EINTR) return base::ErrnoStatus(errno, "cannot read a log file");
    }
  }

 private:
  base::Descriptor file_;
};

class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(base::Descriptor file) : file_(std::move(file)), input_(kBufferBytes) {
    constexpr int kGzip = 16;
    ready_ = inflateInit2(&stream_, MAX_WBITS + kGzip) == Z_OK;
  }
  ~GzipStream() override {
    if (ready_) inflateEnd(&stream_);
  }

  absl::StatusOr<std::size_t> Read(std::span<char> buffer) override {
    if (!ready_) return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory");
    stream_.next_out = reinterpret_cast<Bytef*>(buffer.data());
    stream_.avail_out = static_cast<uInt>(buffer.size());
    while (!ended_ && stream_.avail_out == buffer.size()) {
      if (stream_.avail_in == 0) {
        NTA_ASSIGN_OR_RETURN(const std::size_t size, file_.Read(input_));
        if (size == 0) return Damaged();
        stream_.next_in = reinterpret_cast<Bytef*>(input_.data());
        stream_.avail_in = static_cast<uInt>(size);
      }
      const int result = inflate(&stream_, Z_NO_FLUSH);
      ended_ = result == Z_STREAM_END;
      if (!ended_ && result != Z_OK) return Damaged();
    }
    return buffer.size() - stream_.avail_out;
  }

 private:
  PlainStream file_;
  std::vector<char> input_;
  z_stream stream_{};
  bool ready_ = false;
  bool ended_ = false;
};

class ZstdStream final : public ByteStream {
 public:
  explicit ZstdStream(base::Descriptor file)
      : file_(std::move(file)), input_(kBufferBytes), context_(ZSTD_createDCtx()) {}

  absl::StatusOr<std::size_t> Read(std::span<char> buffer) override {
    if (context_ == nullptr) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory");
    }
    ZSTD_outBuffer out{buffer.data(), buffer.size(), 0};
    while (!ended_ && out.pos == 0) {
      if (in_.pos == in_.size) {
        NTA_ASSIGN_OR_RETURN(const std::size_t size, file_.Read(input_));
        if (size == 0) return Damaged();
        in_ = {input_.data(), size, 0};
      }
      const std::size_t result = ZSTD_decompressStream(context_.get(), &out, &in_);
      if (ZSTD_isError(result) != 0) return Damaged();
      ended_ = result == 0;
    }
    return out.pos;
  }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  PlainStream file_;
  std::vector<char> input_;
  std::unique_ptr<ZSTD_DCtx, Free> context_;
  ZSTD_inBuffer in_{nullptr, 0, 0};
  bool ended_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<ByteStream>> ByteStream::Create(base::Descriptor file,
                                                               LogCompression packing) {
  if (packing == LogCompression::kGzip) return std::make_unique<GzipStream>(std::move(file));
  if (packing == LogCompression::kZstd) return std::make_unique<ZstdStream>(std::move(file));
  return std::make_unique<PlainStream>(std::move(file));
}

LineStream::LineStream(std::unique_ptr<ByteStream> bytes)
    : bytes_(std::move(bytes)), buffer_(kBufferBytes, '\0') {}

absl::StatusOr<bool> LineStream::Refill() {
  if (begin_ == 0 && end_ == buffer_.size()) {
    // No line feed in a whole buffer: no line of ours.
    skipping_ = true;
    begin_ = end_;
  }
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  base_ += begin_;
  end_ -= begin_;
  begin_ = 0;
  NTA_ASSIGN_OR_RETURN(const std::size_t size, bytes_->Read(std::span(buffer_).subspan(end_)));
  end_ += size;
  return size > 0;
}

absl::StatusOr<bool> LineStream::Next(std::string_view& line, std::uint64_t& offset) {
  std::size_t searched = begin_;
  while (true) {
    const void* const found = memchr(buffer_.data() + searched, '\n', end_ - searched);
    if (found != nullptr) {
      const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
      line = std::string_view(buffer_).substr(begin_, at - begin_);
      offset = base_ + begin_;
      begin_ = at + 1;
      if (!std::exchange(skipping_, false)) return true;
      searched = begin_;
      continue;
    }
    const std::size_t waiting = end_ - begin_;
    NTA_ASSIGN_OR_RETURN(const bool more, Refill());
    if (!more) return false;
    searched = skipping_ ? begin_ : begin_ + waiting;
    if (searched > end_) searched = begin_;
  }
}

}  // namespace nta::log
