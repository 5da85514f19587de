#include "nta/capture/pcap_file_writer.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "capture/byte_output.h"

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

template <typename Header>
std::span<const std::uint8_t> BytesOf(const Header& header) {
  return {reinterpret_cast<const std::uint8_t*>(&header), sizeof(header)};
}

}  // namespace

absl::StatusOr<PcapFileWriter> PcapFileWriter::Create(const std::string& path,
                                                      PcapFileWriterOptions options) {
  NTA_ASSIGN_OR_RETURN(auto output, internal::ByteOutput::Create(path, options.compression,
                                                                 options.compression_level));
  FileHeader header;
  header.snap_length = options.snap_length;
  header.link_type = static_cast<std::uint32_t>(options.link_type);
  NTA_RETURN_IF_ERROR(output->Write(BytesOf(header)));
  return PcapFileWriter(std::move(output), options);
}

PcapFileWriter::PcapFileWriter(std::unique_ptr<internal::ByteOutput> output,
                               PcapFileWriterOptions options)
    : output_(std::move(output)), options_(options) {}
PcapFileWriter::~PcapFileWriter() = default;
PcapFileWriter::PcapFileWriter(PcapFileWriter&&) noexcept = default;
PcapFileWriter& PcapFileWriter::operator=(PcapFileWriter&&) noexcept = default;

absl::Status PcapFileWriter::Write(const PacketView& packet) {
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
  NTA_RETURN_IF_ERROR(output_->Write(BytesOf(header)));
  return output_->Write(packet.bytes.first(header.captured_bytes));
}

absl::Status PcapFileWriter::Close() { return output_->Close(); }

}  // namespace nta
