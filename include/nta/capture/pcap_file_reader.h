// PcapFileReader: packets from a capture file, pcap or pcapng.
//
//   auto reader = nta::PcapFileReader::Open("day.pcap");
//   if (!reader.ok()) return reader.status();
//   nta::Pipeline pipeline(**reader);
#ifndef NTA_CAPTURE_PCAP_FILE_READER_H_
#define NTA_CAPTURE_PCAP_FILE_READER_H_

#include <cstddef>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "nta/capture/packet_source.h"

namespace nta {

struct PcapFileReaderOptions {
  // Packets per Read at the most. Larger bursts hide more memory latency up to about 64.
  std::size_t max_batch = 256;
};

// Reads pcap (micro- and nanoseconds, both byte orders, the "modified" variant included) and pcapng
// (several sections, interfaces, byte orders and time resolutions; enhanced, simple and obsolete
// packet blocks). Memory: one block of 256 KiB plus the largest packet; a length field never makes
// it allocate more than the file holds.
class PcapFileReader final : public PacketSource {
 public:
  // "-" is standard input. NotFound, PermissionDenied; InvalidArgument when it is not a capture
  // file.
  static absl::StatusOr<std::unique_ptr<PcapFileReader>> Open(const std::string& path,
                                                              PcapFileReaderOptions options = {});
  ~PcapFileReader() override;
  PcapFileReader(const PcapFileReader&) = delete;
  PcapFileReader& operator=(const PcapFileReader&) = delete;

  // DataLoss when the file ends inside a record or a length contradicts the file; everything before
  // was handed out. The error repeats on every later call.
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  CaptureStats Stats() const override;
  bool is_live() const override { return false; }
  std::string name() const override;

 private:
  class Impl;
  explicit PcapFileReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_PCAP_FILE_READER_H_
