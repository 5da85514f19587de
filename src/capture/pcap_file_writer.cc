#include "nta/capture/pcap_file_writer.h"

#include <algorithm>
#include <cerrno>

#include "base/status.h"

namespace nta {
namespace {

constexpr std::uint32_t kMagicNanoseconds = 0xa1b23c4d;

// In the byte order of this machine; the magic number tells readers which that is.
struct FileHeader {
  std::uint32_t magic = kMagicNanoseconds;
  std::uint16_t major = 2;
  std::uint16_t minor = 4;
  std::uint32_t reserved[2] = {};
  std::uint32_t snap_length = 0;
  std::uint32_t link_type = 0;
};

struct RecordHeader {
  std::uint32_t seconds = 0;
  std::uint32_t nanoseconds = 0;
  std::uint32_t captured_bytes = 0;
  std::uint32_t wire_bytes = 0;
};

}  // namespace

absl::StatusOr<PcapFileWriter> PcapFileWriter::Create(const std::string& path,
                                                      PcapFileWriterOptions options) {
  std::FILE* const file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return base::ErrnoStatus(errno, "cannot create \"" + path + '"');
  PcapFileWriter writer(path, file, options);
  FileHeader header;
  header.snap_length = options.snap_length;
  header.link_type = static_cast<std::uint32_t>(options.link_type);
  if (std::fwrite(&header, sizeof(header), 1, file) != 1) {
    return base::ErrnoStatus(errno, "cannot write \"" + path + '"');
  }
  return writer;
}

absl::Status PcapFileWriter::Write(const PacketView& packet) {
  if (file_ == nullptr) return Closed();
  if (packet.link_type != options_.link_type) {
    return base::InvalidArgument("a packet of link type " + ToString(packet.link_type) +
                                 " in a file of " + ToString(options_.link_type));
  }
  const auto seconds = std::chrono::floor<std::chrono::seconds>(packet.time);
  const std::int64_t count = seconds.time_since_epoch().count();
  if (count < 0 || count > 0xffffffff) {
    return base::MakeStatus(absl::StatusCode::kOutOfRange,
                            "a pcap file has no place for the time " + ToString(packet.time));
  }
  RecordHeader header;
  header.seconds = static_cast<std::uint32_t>(count);
  header.nanoseconds = static_cast<std::uint32_t>((packet.time - seconds).count());
  header.captured_bytes =
      static_cast<std::uint32_t>(std::min<std::size_t>(packet.bytes.size(), options_.snap_length));
  header.wire_bytes = packet.wire_bytes;
  const bool written = std::fwrite(&header, sizeof(header), 1, file_.get()) == 1 &&
                       std::fwrite(packet.bytes.data(), 1, header.captured_bytes, file_.get()) ==
                           header.captured_bytes;
  return written ? absl::OkStatus() : base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
}

absl::Status PcapFileWriter::Closed() const {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition, '"' + path_ + "\" was closed");
}

absl::Status PcapFileWriter::Close() {
  if (file_ == nullptr) return Closed();
  if (std::fclose(file_.release()) == 0) return absl::OkStatus();
  return base::ErrnoStatus(errno, "cannot write \"" + path_ + '"');
}

}  // namespace nta
