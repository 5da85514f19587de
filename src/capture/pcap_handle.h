// OpenInterface: an activated libpcap handle, or why there is none.
#ifndef NTA_CAPTURE_PCAP_HANDLE_H_
#define NTA_CAPTURE_PCAP_HANDLE_H_

#include <pcap/pcap.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "nta/capture/live_capture.h"

namespace nta::internal {

struct PcapCloser {
  void operator()(pcap_t* pcap) const { pcap_close(pcap); }
};
using PcapHandle = std::unique_ptr<pcap_t, PcapCloser>;

// What the options' snap length is when they name none.
std::uint32_t SnapLength(const LiveCaptureOptions& options);

absl::Status CheckOptions(const std::string& interface, const LiveCaptureOptions& options);

// Does not block, and captures as the (checked) options say.
absl::StatusOr<PcapHandle> OpenInterface(const std::string& interface,
                                         const LiveCaptureOptions& options);

}  // namespace nta::internal

#endif  // NTA_CAPTURE_PCAP_HANDLE_H_
