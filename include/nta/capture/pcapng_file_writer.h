// PcapngFileWriter: packets of several interfaces, with comments, into a pcapng file.
//
//   auto writer = nta::PcapngFileWriter::Create("out.pcapng", {.interfaces = source.Interfaces()});
//   absl::Status status = writer->Write(packet, "the first one that was lost");
#ifndef NTA_CAPTURE_PCAPNG_FILE_WRITER_H_
#define NTA_CAPTURE_PCAPNG_FILE_WRITER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/capture/compression.h"
#include "nta/capture/packet_source.h"
#include "nta/packet/packet.h"

namespace nta {

namespace internal {
class ByteOutput;
}  // namespace internal

struct PcapngFileWriterOptions {
  // The first of them gets number 0. A file that has none when the first packet comes, of interface
  // 0, gets one without a name, of that packet's link type.
  std::vector<CaptureInterface> interfaces{};
  std::string application = "libnta";  // noted in the file; empty: nothing
  Compression compression = Compression::kNone;
  // gzip: 1 (quick) to 9 (small), 6 when absent; zstd: 1 to 19, 3 when absent.
  std::optional<int> compression_level{};
};

// Writes one section in this machine's byte order; every time is in nanoseconds, whatever an
// interface's ticks_per_second says.
class PcapngFileWriter {
 public:
  // Replaces an existing file; "-" is standard output.
  static absl::StatusOr<PcapngFileWriter> Create(const std::string& path,
                                                 PcapngFileWriterOptions options = {});
  ~PcapngFileWriter();
  PcapngFileWriter(PcapngFileWriter&&) noexcept;
  PcapngFileWriter& operator=(PcapngFileWriter&&) noexcept;

  // Describes another interface and returns its number, which is what packets name it by. Possible
  // at any time before its first packet. InvalidArgument for names above 65,535 bytes or more than
  // 65,536 interfaces.
  absl::StatusOr<std::uint32_t> AddInterface(const CaptureInterface& interface);

  // Packets longer than their interface's snap length, or 262,144 bytes (Wireshark takes no more),
  // are cut; their wire length stays. `comment` is UTF-8, at most 65,535 bytes. InvalidArgument for
  // an interface that was not added or has another link type; OutOfRange for a time before 1970:
  // nothing was written then. An error of the disk repeats on every later call. FailedPrecondition
  // after Close.
  absl::Status Write(const PacketView& packet, std::string_view comment = {});

  // What Close is to say of an interface's losses: dropped_interface and dropped_buffer of `stats`.
  // InvalidArgument for an interface that was not added.
  absl::Status SetDrops(std::uint32_t interface_id, const CaptureStats& stats);
  // Writes the interfaces' statistics and what is buffered, and closes the file; only now an error
  // of the disk is certain to show. Without it the destructor closes, without statistics, and keeps
  // silent.
  absl::Status Close();

 private:
  struct InterfaceState {
    LinkType link_type = LinkType::kEthernet;
    std::uint32_t snap_length = 0;
    std::uint64_t packets = 0;
    std::uint64_t last_time = 0;
    std::uint64_t dropped_interface = 0;
    std::uint64_t dropped_buffer = 0;
  };

  explicit PcapngFileWriter(std::unique_ptr<internal::ByteOutput> output);
  absl::Status WriteSectionHeader(const std::string& application);
  absl::Status WriteStatistics(std::uint32_t interface_id);

  std::unique_ptr<internal::ByteOutput> output_;
  std::vector<InterfaceState> interfaces_;
  std::vector<std::uint8_t> block_;  // memory of the block that is being written
};

}  // namespace nta

#endif  // NTA_CAPTURE_PCAPNG_FILE_WRITER_H_
