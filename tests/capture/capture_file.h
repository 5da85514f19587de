// CaptureFile: bytes of pcap and pcapng files, right or wrong, written field by field.
#ifndef NTA_TESTS_CAPTURE_CAPTURE_FILE_H_
#define NTA_TESTS_CAPTURE_CAPTURE_FILE_H_

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace nta::test {

class CaptureFile {
 public:
  explicit CaptureFile(bool big_endian = false) : big_endian_(big_endian) {}

  CaptureFile& U8(unsigned value) {
    bytes_.push_back(static_cast<std::uint8_t>(value));
    return *this;
  }
  CaptureFile& U16(std::uint32_t value) { return Integer(value, 2); }
  CaptureFile& U32(std::uint64_t value) { return Integer(value, 4); }
  CaptureFile& U64(std::uint64_t value) { return Integer(value, 8); }
  CaptureFile& Raw(const std::vector<std::uint8_t>& bytes) {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return *this;
  }
  CaptureFile& Order(bool big_endian) {
    big_endian_ = big_endian;
    return *this;
  }

  // pcap.
  CaptureFile& PcapHeader(std::uint32_t magic = 0xa1b2c3d4, std::uint32_t link_type = 1,
                          std::uint16_t minor = 4) {
    return U32(magic).U16(2).U16(minor).U32(0).U32(0).U32(262144).U32(link_type);
  }
  CaptureFile& PcapRecord(std::uint32_t seconds, std::uint32_t fraction, std::uint32_t captured,
                          std::uint32_t original, std::size_t bytes, std::uint8_t fill = 0x55) {
    return U32(seconds).U32(fraction).U32(captured).U32(original).Raw(
        std::vector<std::uint8_t>(bytes, fill));
  }

  // pcapng: a block around a body; lengths may be told wrong.
  CaptureFile& Block(std::uint32_t type, const CaptureFile& body) {
    std::vector<std::uint8_t> padded = body.bytes_;
    while (padded.size() % 4 != 0) padded.push_back(0);
    const auto size = static_cast<std::uint32_t>(padded.size() + 12);
    return U32(type).U32(size).Raw(padded).U32(size);
  }
  CaptureFile Body() const { return CaptureFile(big_endian_); }
  CaptureFile& Section() {
    return Block(0x0a0d0d0a, Body().U32(0x1a2b3c4d).U16(1).U16(0).U64(~std::uint64_t{0}));
  }
  CaptureFile& Interface(std::uint16_t link_type = 1, std::uint32_t snap_length = 0,
                         int resolution = -1, std::int64_t offset = 0) {
    CaptureFile body = Body();
    body.U16(link_type).U16(0).U32(snap_length);
    if (resolution >= 0) {
      body.U16(9).U16(1).U8(static_cast<unsigned>(resolution)).U8(0).U8(0).U8(0);
    }
    if (offset != 0) body.U16(14).U16(8).U64(static_cast<std::uint64_t>(offset));
    body.U16(0).U16(0);
    return Block(1, body);
  }
  CaptureFile& Enhanced(std::uint32_t interface, std::uint64_t ticks, std::size_t bytes,
                        std::uint32_t original, std::uint8_t fill = 0x55) {
    return Block(6, Body()
                        .U32(interface)
                        .U32(ticks >> 32)
                        .U32(ticks & 0xffffffff)
                        .U32(bytes)
                        .U32(original)
                        .Raw(std::vector<std::uint8_t>(bytes, fill)));
  }

  const std::vector<std::uint8_t>& bytes() const { return bytes_; }
  std::size_t size() const { return bytes_.size(); }

 private:
  CaptureFile& Integer(std::uint64_t value, int size) {
    for (int i = 0; i < size; ++i) {
      U8(static_cast<unsigned>(value >> 8 * (big_endian_ ? size - 1 - i : i) & 0xff));
    }
    return *this;
  }

  bool big_endian_;
  std::vector<std::uint8_t> bytes_;
};

// A file that vanishes with this object.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::vector<std::uint8_t>& bytes = {}) {
    const int fd = mkstemp(path_.data());
    if (fd < 0) std::abort();
    std::FILE* const file = fdopen(fd, "wb");
    if (std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size()) std::abort();
    std::fclose(file);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = "/tmp/nta_test_XXXXXX";
};

}  // namespace nta::test

#endif  // NTA_TESTS_CAPTURE_CAPTURE_FILE_H_
