// Decompression of capture files, as a stream: what is in memory never depends on what the file
// claims.
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/status.h"
#include "capture/byte_input.h"
#include "nta/capture/compression.h"

namespace nta {

std::string_view ToString(Compression compression) {
  switch (compression) {
    case Compression::kNone:
      return "none";
    case Compression::kGzip:
      return "gzip";
    case Compression::kZstd:
      return "zstd";
  }
  return "none";
}

}  // namespace nta

namespace nta::internal {
namespace {

class Decompressor {
 public:
  struct Progress {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    absl::Status status;  // what was produced before the error is good
  };

  virtual ~Decompressor() = default;
  virtual Progress Run(std::span<const std::uint8_t> input, std::span<std::uint8_t> output) = 0;
  // Whether the input may end here: after a gzip member or zstd frame.
  virtual bool is_complete() const = 0;
  virtual Compression compression() const = 0;
};

absl::Status Corrupt(std::string_view why) {
  return base::MakeStatus(absl::StatusCode::kDataLoss, why);
}

class GzipDecompressor final : public Decompressor {
 public:
  static std::unique_ptr<Decompressor> Create() {
    std::unique_ptr<GzipDecompressor> result(new GzipDecompressor);
    constexpr int kGzipOnly = 16;
    result->ready_ = inflateInit2(&result->stream_, MAX_WBITS + kGzipOnly) == Z_OK;
    return result->ready_ ? std::move(result) : nullptr;
  }
  ~GzipDecompressor() override {
    if (ready_) inflateEnd(&stream_);
  }

  Progress Run(std::span<const std::uint8_t> input, std::span<std::uint8_t> output) override {
    Progress progress;
    if (is_complete_) {
      // Between members: the next one, or zeros that fill up a block of a tape.
      const auto next = std::find_if(input.begin(), input.end(), [](auto b) { return b != 0; });
      progress.consumed = static_cast<std::size_t>(next - input.begin());
      if (next == input.end()) return progress;
      inflateReset(&stream_);
      is_complete_ = false;
    }
    const auto rest = input.subspan(progress.consumed);
    stream_.next_in = const_cast<Bytef*>(rest.data());
    stream_.avail_in = static_cast<uInt>(rest.size());
    stream_.next_out = output.data();
    stream_.avail_out = static_cast<uInt>(output.size());
    const int result = inflate(&stream_, Z_NO_FLUSH);
    progress.consumed = input.size() - stream_.avail_in;
    progress.produced = output.size() - stream_.avail_out;
    is_complete_ = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      progress.status = Corrupt(stream_.msg != nullptr ? stream_.msg : zError(result));
    }
    return progress;
  }
  bool is_complete() const override { return is_complete_; }
  Compression compression() const override { return Compression::kGzip; }

 private:
  GzipDecompressor() = default;
  z_stream stream_{};
  bool ready_ = false;
  bool is_complete_ = false;
};

class ZstdDecompressor final : public Decompressor {
 public:
  // Null when there is no memory. libzstd refuses windows above 128 MiB unless told otherwise.
  static std::unique_ptr<Decompressor> Create() {
    ZSTD_DCtx* const context = ZSTD_createDCtx();
    if (context == nullptr) return nullptr;
    return std::unique_ptr<Decompressor>(new ZstdDecompressor(context));
  }

  Progress Run(std::span<const std::uint8_t> input, std::span<std::uint8_t> output) override {
    Progress progress;
    if (is_complete_ && input.empty()) return progress;
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const std::size_t result = ZSTD_decompressStream(context_.get(), &out, &in);
    progress.consumed = in.pos;
    progress.produced = out.pos;
    is_complete_ = result == 0;
    if (ZSTD_isError(result) == 0) return progress;
    if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge) {
      progress.status = base::MakeStatus(absl::StatusCode::kResourceExhausted,
                                         "it needs a window of more than 128 MiB");
    } else {
      progress.status = Corrupt(ZSTD_getErrorName(result));
    }
    return progress;
  }
  bool is_complete() const override { return is_complete_; }
  Compression compression() const override { return Compression::kZstd; }

 private:
  struct Free {
    void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
  };
  explicit ZstdDecompressor(ZSTD_DCtx* context) : context_(context) {}

  std::unique_ptr<ZSTD_DCtx, Free> context_;
  bool is_complete_ = false;
};

class DecompressingInput final : public ByteInput {
 public:
  DecompressingInput(std::unique_ptr<ByteInput> file, std::unique_ptr<Decompressor> decompressor,
                     const PcapFileReaderOptions& options)
      : file_(std::move(file)),
        decompressor_(std::move(decompressor)),
        max_ratio_(options.max_compression_ratio),
        max_bytes_(options.max_decompressed_bytes),
        buffer_(kBufferBytes) {}

  absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> buffer) override {
    while (failure_.ok()) {
      if (begin_ == end_ && !file_ended_) failure_ = Refill();
      if (!failure_.ok()) break;
      const auto input = std::span<const std::uint8_t>(buffer_).subspan(begin_, end_ - begin_);
      const Decompressor::Progress progress = decompressor_->Run(input, buffer);
      begin_ += progress.consumed;
      consumed_ += progress.consumed;
      produced_ += progress.produced;
      failure_ = progress.status;
      if (failure_.ok()) failure_ = CheckLimits();
      if (progress.produced > 0) return progress.produced;
      if (failure_.ok() && progress.consumed == 0 && file_ended_) {
        if (decompressor_->is_complete()) return std::size_t{0};
        failure_ = Corrupt("the compressed data ends early");
      }
    }
    return failure_;
  }

  std::uint64_t size() const override { return 0; }
  Compression compression() const override { return decompressor_->compression(); }
  std::uint64_t file_position() const override { return consumed_; }
  std::uint64_t file_size() const override { return file_->file_size(); }

 private:
  static constexpr std::size_t kBufferBytes = std::size_t{128} << 10;

  absl::Status Refill() {
    begin_ = end_ = 0;
    NTA_ASSIGN_OR_RETURN(end_, file_->Read(buffer_));
    file_ended_ = end_ == 0;
    return absl::OkStatus();
  }

  absl::Status CheckLimits() const {
    if (max_bytes_ && produced_ > *max_bytes_) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "it decompresses to more than max_decompressed_bytes, " +
                                  std::to_string(*max_bytes_) + " bytes");
    }
    // Divided rather than multiplied, so that nothing overflows.
    if (max_ratio_ && produced_ > PcapFileReaderOptions::kBytesBeforeRatio &&
        produced_ / std::max<std::uint64_t>(*max_ratio_, 1) > consumed_) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "it decompresses to more than max_compression_ratio, " +
                                  std::to_string(*max_ratio_) + ", times its size");
    }
    return absl::OkStatus();
  }

  std::unique_ptr<ByteInput> file_;
  std::unique_ptr<Decompressor> decompressor_;
  std::optional<std::uint32_t> max_ratio_;
  std::optional<std::uint64_t> max_bytes_;
  std::vector<std::uint8_t> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool file_ended_ = false;
  std::uint64_t consumed_ = 0;
  std::uint64_t produced_ = 0;
  absl::Status failure_;
};

bool BeginsWith(std::span<const std::uint8_t> head, std::initializer_list<std::uint8_t> bytes) {
  return head.size() >= bytes.size() && std::equal(bytes.begin(), bytes.end(), head.begin());
}

// A skippable frame (RFC 8878 3.1.2) may come first, too.
bool IsZstd(std::span<const std::uint8_t> head) {
  return BeginsWith(head, {0x28, 0xb5, 0x2f, 0xfd}) ||
         (head.size() >= 4 && (head[0] & 0xf0) == 0x50 && head[1] == 0x2a && head[2] == 0x4d &&
          head[3] == 0x18);
}

}  // namespace

absl::StatusOr<std::unique_ptr<ByteInput>> OpenByteInput(const std::string& path,
                                                         const PcapFileReaderOptions& options) {
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<FileInput> file, FileInput::Open(path));
  std::unique_ptr<Decompressor> decompressor;
  if (BeginsWith(file->head(), {0x1f, 0x8b})) {
    decompressor = GzipDecompressor::Create();
  } else if (IsZstd(file->head())) {
    decompressor = ZstdDecompressor::Create();
  } else {
    return file;
  }
  if (decompressor == nullptr) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                            "no memory to decompress \"" + path + '"');
  }
  return std::make_unique<DecompressingInput>(std::move(file), std::move(decompressor), options);
}

}  // namespace nta::internal
