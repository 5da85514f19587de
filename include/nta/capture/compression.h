// Compression: how a capture file is packed. Readers recognise it by its first bytes.
//
//   auto writer = nta::PcapFileWriter::Create("day.pcap.zst", {.compression =
//   nta::Compression::kZstd});
#ifndef NTA_CAPTURE_COMPRESSION_H_
#define NTA_CAPTURE_COMPRESSION_H_

#include <cstdint>
#include <string_view>

namespace nta {

enum class Compression : std::uint8_t {
  kNone,
  kGzip,  // RFC 1952, by zlib
  kZstd,  // RFC 8878, by libzstd
};
std::string_view ToString(Compression compression);  // "none", "gzip", "zstd"

}  // namespace nta

#endif  // NTA_CAPTURE_COMPRESSION_H_
