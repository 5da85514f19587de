// Compressed copies of bytes, made by the compression libraries themselves.
#ifndef NTA_TESTS_CAPTURE_COMPRESSED_FILE_H_
#define NTA_TESTS_CAPTURE_COMPRESSED_FILE_H_

#include <zlib.h>
#include <zstd.h>

#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

namespace nta::test {

inline std::vector<std::uint8_t> Gzip(std::span<const std::uint8_t> bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    std::abort();
  }
  std::vector<std::uint8_t> packed(deflateBound(&stream, bytes.size()));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  if (deflate(&stream, Z_FINISH) != Z_STREAM_END) std::abort();
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

inline std::vector<std::uint8_t> Zstd(std::span<const std::uint8_t> bytes, bool checksum = true) {
  std::vector<std::uint8_t> packed(ZSTD_compressBound(bytes.size()));
  ZSTD_CCtx* const context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, checksum ? 1 : 0);
  const std::size_t size =
      ZSTD_compress2(context, packed.data(), packed.size(), bytes.data(), bytes.size());
  ZSTD_freeCCtx(context);
  if (ZSTD_isError(size) != 0) std::abort();
  packed.resize(size);
  return packed;
}

}  // namespace nta::test

#endif  // NTA_TESTS_CAPTURE_COMPRESSED_FILE_H_
