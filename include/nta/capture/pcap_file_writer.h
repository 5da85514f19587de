// PcapFileWriter: packets into a pcap file with nanosecond time stamps.
//
//   auto writer = nta::PcapFileWriter::Create("out.pcap", {.link_type = nta::LinkType::kEthernet});
//   absl::Status status = writer->Write(packet);
#ifndef NTA_CAPTURE_PCAP_FILE_WRITER_H_
#define NTA_CAPTURE_PCAP_FILE_WRITER_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/packet/packet.h"

namespace nta {

struct PcapFileWriterOptions {
  LinkType link_type = LinkType::kEthernet;  // a pcap file has one
  std::uint32_t snap_length = 262144;        // longer packets are cut; their wire length stays
};

class PcapFileWriter {
 public:
  // Replaces an existing file.
  static absl::StatusOr<PcapFileWriter> Create(const std::string& path,
                                               PcapFileWriterOptions options = {});
  PcapFileWriter(PcapFileWriter&&) noexcept = default;
  PcapFileWriter& operator=(PcapFileWriter&&) noexcept = default;

  // InvalidArgument for another link type; OutOfRange for a time before 1970 or after 2106;
  // FailedPrecondition after Close.
  absl::Status Write(const PacketView& packet);
  // Writes what is buffered and closes the file; only now an error of the disk is certain to show.
  // Without it the destructor closes and keeps silent.
  absl::Status Close();

 private:
  struct FileCloser {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  PcapFileWriter(std::string path, std::FILE* file, PcapFileWriterOptions options)
      : path_(std::move(path)), file_(file), options_(options) {}

  absl::Status Closed() const;

  std::string path_;
  std::unique_ptr<std::FILE, FileCloser> file_;
  PcapFileWriterOptions options_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_PCAP_FILE_WRITER_H_
