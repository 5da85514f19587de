#include "capture/compressor.h"

#include <zlib.h>
#include <zstd.h>

#include <string>

#include "base/status.h"

namespace nta::internal {
namespace {

constexpr std::size_t kChunkBytes = std::size_t{64} << 10;

// Makes room for another chunk after the first `size` bytes.
std::span<std::uint8_t> Chunk(std::vector<std::uint8_t>& output, std::size_t size) {
  output.resize(size + kChunkBytes);
  return std::span(output).subspan(size);
}

class GzipCompressor final : public Compressor {
 public:
  static std::unique_ptr<Compressor> Create(int level) {
    std::unique_ptr<GzipCompressor> result(new GzipCompressor);
    constexpr int kGzip = 16;
    constexpr int kMemoryLevel = 8;
    result->ready_ = deflateInit2(&result->stream_, level, Z_DEFLATED, MAX_WBITS + kGzip,
                                  kMemoryLevel, Z_DEFAULT_STRATEGY) == Z_OK;
    return result->ready_ ? std::move(result) : nullptr;
  }
  ~GzipCompressor() override {
    if (ready_) deflateEnd(&stream_);
  }

  absl::Status Run(std::span<const std::uint8_t> input, bool is_last,
                   std::vector<std::uint8_t>& output) override {
    stream_.next_in = const_cast<Bytef*>(input.data());
    stream_.avail_in = static_cast<uInt>(input.size());
    std::size_t size = output.size();
    do {
      stream_.next_out = Chunk(output, size).data();
      stream_.avail_out = static_cast<uInt>(kChunkBytes);
      deflate(&stream_, is_last ? Z_FINISH : Z_NO_FLUSH);
      size += kChunkBytes - stream_.avail_out;
    } while (stream_.avail_out == 0);
    output.resize(size);
    return absl::OkStatus();
  }

 private:
  GzipCompressor() = default;
  z_stream stream_{};
  bool ready_ = false;
};

class ZstdCompressor final : public Compressor {
 public:
  static std::unique_ptr<Compressor> Create(int level) {
    ZSTD_CCtx* const context = ZSTD_createCCtx();
    if (context == nullptr) return nullptr;
    ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level);
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    return std::unique_ptr<Compressor>(new ZstdCompressor(context));
  }

  absl::Status Run(std::span<const std::uint8_t> input, bool is_last,
                   std::vector<std::uint8_t>& output) override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    std::size_t size = output.size();
    std::size_t remaining = 0;
    do {
      ZSTD_outBuffer out{Chunk(output, size).data(), kChunkBytes, 0};
      remaining =
          ZSTD_compressStream2(context_.get(), &out, &in, is_last ? ZSTD_e_end : ZSTD_e_continue);
      size += out.pos;
      if (ZSTD_isError(remaining) != 0) {
        return base::MakeStatus(absl::StatusCode::kResourceExhausted, ZSTD_getErrorName(remaining));
      }
    } while (in.pos < in.size || (is_last && remaining > 0));
    output.resize(size);
    return absl::OkStatus();
  }

 private:
  struct Free {
    void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  };
  explicit ZstdCompressor(ZSTD_CCtx* context) : context_(context) {}

  std::unique_ptr<ZSTD_CCtx, Free> context_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Compressor>> Compressor::Create(Compression compression,
                                                               std::optional<int> level) {
  if (compression == Compression::kNone) return nullptr;
  const bool is_gzip = compression == Compression::kGzip;
  const int best = is_gzip ? 9 : 19;  // beyond, zstd's readers need much more memory
  const int chosen = level.value_or(is_gzip ? 6 : 3);
  if (chosen < 1 || chosen > best) {
    return base::InvalidArgument("the compression level of " + std::string(ToString(compression)) +
                                 " must be within 1 and " + std::to_string(best));
  }
  auto compressor = is_gzip ? GzipCompressor::Create(chosen) : ZstdCompressor::Create(chosen);
  if (compressor != nullptr) return compressor;
  return base::MakeStatus(absl::StatusCode::kResourceExhausted, "no memory to compress");
}

}  // namespace nta::internal
