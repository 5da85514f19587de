// PcapFileReader: packets from a capture file, pcap or pcapng, compressed or not.
//
//   auto reader = nta::PcapFileReader::Open("day.pcapng.zst");
//   if (!reader.ok()) return reader.status();
//   nta::Pipeline pipeline(**reader);
#ifndef NTA_CAPTURE_PCAP_FILE_READER_H_
#define NTA_CAPTURE_PCAP_FILE_READER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/capture/compression.h"
#include "nta/capture/packet_source.h"

namespace nta {

struct PcapFileReaderOptions {
  // Packets per Read at the most. Larger bursts hide more memory latency up to about 64.
  std::size_t max_batch = 256;

  // Limits of decompression. Memory is bounded without them, because packets are handed out as they
  // are decompressed; they bound the work that a small file can cause. What was decompressed before
  // a limit is handed out, then Read fails with ResourceExhausted. Captures of real traffic pack to
  // between a half and a fiftieth; a test with nothing but zeros as payload may need a higher
  // ratio. They are looked at once a block. nullopt: no limit.
  static constexpr std::uint64_t kBytesBeforeRatio = std::uint64_t{256} << 20;
  std::optional<std::uint32_t> max_compression_ratio = 500;  // checked beyond kBytesBeforeRatio
  std::optional<std::uint64_t> max_decompressed_bytes = std::uint64_t{1} << 40;
};

// A comment on a packet (pcapng's opt_comment), UTF-8 as the file has it, unchecked.
struct PacketComment {
  std::size_t packet = 0;   // its index in the batch
  std::string_view text{};  // valid until the reader's next Read
};

// Reads pcap (micro- and nanoseconds, both byte orders, the "modified" variant included) and pcapng
// (several sections, interfaces, byte orders and time resolutions; enhanced, simple and obsolete
// packet blocks, interface statistics; all other blocks are passed over), as they are or packed by
// gzip or zstd (any number of members or frames, one after the other). What begins like none of
// these is tried with libpcap, which may know further formats; that is slower.
//
// Memory: one block of 256 KiB plus the largest packet, and for zstd its window, at most 128 MiB; a
// length field never makes it allocate more than the file holds.
class PcapFileReader final : public PacketSource {
 public:
  // "-" is standard input. NotFound, PermissionDenied; InvalidArgument when it is not a capture
  // file; DataLoss when its compressed data is damaged from the beginning.
  static absl::StatusOr<std::unique_ptr<PcapFileReader>> Open(const std::string& path,
                                                              PcapFileReaderOptions options = {});
  ~PcapFileReader() override;
  PcapFileReader(const PcapFileReader&) = delete;
  PcapFileReader& operator=(const PcapFileReader&) = delete;

  // DataLoss when the file ends inside a record, a length contradicts the file or the compressed
  // data is damaged; ResourceExhausted at a limit of decompression. Everything before was handed
  // out. The error repeats on every later call.
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  std::shared_ptr<const void> Retain() override;
  // bytes_read and bytes_total are of the file as it lies on the disk, so their ratio is the
  // progress of compressed files, too. Drop counters are those that a pcapng file tells of its
  // interfaces: its latest interface statistics, or what its packets say was lost before them.
  CaptureStats Stats() const override;
  bool is_live() const override { return false; }
  std::string name() const override;
  // Those described before the first packet are known after Open (of a pipe: after the first Read).
  // Names and descriptions are cut after 256 bytes.
  std::vector<CaptureInterface> Interfaces() const override;

  // The comments on packets of the last batch, in the order of its packets.
  std::span<const PacketComment> comments() const;
  Compression compression() const;

 private:
  class Impl;
  explicit PcapFileReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_PCAP_FILE_READER_H_
