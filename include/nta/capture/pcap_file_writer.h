// PcapFileWriter: packets into a pcap file with nanosecond time stamps.
//
//   auto writer = nta::PcapFileWriter::Create("out.pcap", {.link_type = nta::LinkType::kEthernet});
//   absl::Status status = writer->Write(packet);
#ifndef NTA_CAPTURE_PCAP_FILE_WRITER_H_
#define NTA_CAPTURE_PCAP_FILE_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/capture/compression.h"
#include "nta/packet/packet.h"

namespace nta {

namespace internal {
class ByteOutput;
}  // namespace internal

struct PcapFileWriterOptions {
  LinkType link_type = LinkType::kEthernet;  // a pcap file has one
  std::uint32_t snap_length = 262144;        // longer packets are cut; their wire length stays
  Compression compression = Compression::kNone;
  // gzip: 1 (quick) to 9 (small), 6 when absent; zstd: 1 to 19, 3 when absent.
  std::optional<int> compression_level{};
};

// For several link types or interfaces, comments and drop counters there is PcapngFileWriter.
class PcapFileWriter {
 public:
  // Replaces an existing file; "-" is standard output.
  static absl::StatusOr<PcapFileWriter> Create(const std::string& path,
                                               PcapFileWriterOptions options = {});
  ~PcapFileWriter();
  PcapFileWriter(PcapFileWriter&&) noexcept;
  PcapFileWriter& operator=(PcapFileWriter&&) noexcept;

  // InvalidArgument for another link type; OutOfRange for a time before 1970 or after 2106: nothing
  // was written then. An error of the disk repeats on every later call. FailedPrecondition after
  // Close.
  absl::Status Write(const PacketView& packet);
  // Writes what is buffered and closes the file; only now an error of the disk is certain to show.
  // Without it the destructor closes and keeps silent.
  absl::Status Close();

 private:
  PcapFileWriter(std::unique_ptr<internal::ByteOutput> output, PcapFileWriterOptions options);

  std::unique_ptr<internal::ByteOutput> output_;
  PcapFileWriterOptions options_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_PCAP_FILE_WRITER_H_
