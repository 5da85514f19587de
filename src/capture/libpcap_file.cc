#include "capture/libpcap_file.h"

#include <pcap/pcap.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/status.h"
#include "capture/link_type.h"

namespace nta::internal {

absl::StatusOr<std::unique_ptr<LibpcapFile>> LibpcapFile::Open(InputBuffer& input) {
  std::unique_ptr<LibpcapFile> file(new LibpcapFile);
  file->input_ = &input;
  cookie_io_functions_t functions{};
  functions.read = &LibpcapFile::ReadInput;
  std::FILE* const stream = fopencookie(file.get(), "r", functions);
  if (stream == nullptr) return base::ErrnoStatus(errno, "cannot read with libpcap");
  char error[PCAP_ERRBUF_SIZE] = "";
  file->pcap_ = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, error);
  if (file->pcap_ != nullptr) return file;
  std::fclose(stream);
  NTA_RETURN_IF_ERROR(file->input_failure_);
  return base::InvalidArgument(error);
}

LibpcapFile::~LibpcapFile() {
  if (pcap_ != nullptr) pcap_close(pcap_);
}

long LibpcapFile::ReadInput(void* self, char* buffer, std::size_t size) {
  LibpcapFile& file = *static_cast<LibpcapFile*>(self);
  if (file.input_->available().empty()) {
    if (const auto more = file.input_->Fill(1); !more.ok()) {
      file.input_failure_ = more.status();
      return -1;
    }
  }
  const std::size_t count = std::min(size, file.input_->available().size());
  std::copy_n(file.input_->available().begin(), count, buffer);
  file.input_->Consume(count);
  return static_cast<long>(count);
}

absl::StatusOr<ReadResult> LibpcapFile::Read(std::size_t max_batch, PacketBatch& batch) {
  bytes_.clear();
  while (batch.size() < max_batch && !end_) {
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    const int result = pcap_next_ex(pcap_, &header, &bytes);
    if (result != 1) {
      end_ = EndOf(result);
      break;
    }
    PacketView& packet = batch.emplace_back();
    packet.time = Timestamp(std::chrono::seconds(header->ts.tv_sec) + Duration(header->ts.tv_usec));
    packet.link_type = LinkTypeOfDlt(pcap_datalink(pcap_));
    packet.wire_bytes = header->len;
    // The next packet takes its place in libpcap's buffer.
    packet.bytes = {bytes, header->caplen};
    bytes_.insert(bytes_.end(), bytes, bytes + header->caplen);
  }
  std::size_t offset = 0;
  for (PacketView& packet : batch) {
    const std::size_t size = packet.bytes.size();
    packet.bytes = std::span<const std::uint8_t>(bytes_).subspan(offset, size);
    offset += size;
  }
  if (!batch.empty()) return ReadResult::kPackets;
  NTA_RETURN_IF_ERROR(*end_);
  return ReadResult::kEnd;
}

absl::Status LibpcapFile::EndOf(int result) const {
  if (result == PCAP_ERROR_BREAK) return absl::OkStatus();
  if (!input_failure_.ok()) return input_failure_;
  return base::MakeStatus(absl::StatusCode::kDataLoss, pcap_geterr(pcap_));
}

CaptureInterface LibpcapFile::interface() const {
  CaptureInterface interface;
  interface.link_type = LinkTypeOfDlt(pcap_datalink(pcap_));
  interface.snap_length = static_cast<std::uint32_t>(pcap_snapshot(pcap_));
  return interface;
}

}  // namespace nta::internal
