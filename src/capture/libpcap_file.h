// LibpcapFile: capture files in formats that only libpcap knows.
#ifndef NTA_CAPTURE_LIBPCAP_FILE_H_
#define NTA_CAPTURE_LIBPCAP_FILE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "capture/input_buffer.h"
#include "nta/capture/packet_source.h"

struct pcap;

namespace nta::internal {

class LibpcapFile {
 public:
  // Borrows `input`, of which nothing has been consumed. InvalidArgument when libpcap does not know
  // the format either.
  static absl::StatusOr<std::unique_ptr<LibpcapFile>> Open(InputBuffer& input);
  ~LibpcapFile();
  LibpcapFile(const LibpcapFile&) = delete;
  LibpcapFile& operator=(const LibpcapFile&) = delete;

  // Fills the empty `batch`. DataLoss says what is wrong, after what was good.
  absl::StatusOr<ReadResult> Read(std::size_t max_batch, PacketBatch& batch);
  CaptureInterface interface() const;

 private:
  LibpcapFile() = default;
  static long ReadInput(void* self, char* buffer, std::size_t size);
  // What pcap_next_ex means that had no packet.
  absl::Status EndOf(int result) const;

  absl::Status input_failure_;  // why the last read of `input` failed
  InputBuffer* input_ = nullptr;
  pcap* pcap_ = nullptr;
  std::vector<std::uint8_t> bytes_;
  std::optional<absl::Status> end_;  // libpcap tells it only once
};

}  // namespace nta::internal

#endif  // NTA_CAPTURE_LIBPCAP_FILE_H_
