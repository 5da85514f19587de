// LiveCapture: packets from a network interface of this machine. ListInterfaces(): which there are.
//
//   auto capture = nta::LiveCapture::Open("eth0", {.filter = "tcp or udp"});
#ifndef NTA_CAPTURE_LIVE_CAPTURE_H_
#define NTA_CAPTURE_LIVE_CAPTURE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/capture/packet_source.h"
#include "nta/net/ip_address.h"

namespace nta {

struct Interface {
  std::string name;
  std::string description;
  std::vector<IpAddress> addresses;
  bool is_up = false;
  bool is_loopback = false;
};

// The interfaces that can be captured from, loopback last.
absl::StatusOr<std::vector<Interface>> ListInterfaces();

enum class CaptureDelivery {
  kBulk,  // whole ring blocks: least work per packet, up to `timeout` of delay
  // Every packet at once. The ring then has slots of snap_length each: few, unless that is small or
  // ring_bytes large, so bursts get lost.
  kImmediate,
};

enum class CaptureScope {
  kPromiscuous,  // also packets for other machines
  kOwnTraffic,
};

struct LiveCaptureOptions {
  std::size_t ring_bytes = 8 << 20;   // kernel buffer
  std::uint32_t snap_length = 65535;  // bytes kept of each packet
  std::string filter{};               // pcap-filter(7); empty: everything
  CaptureDelivery delivery = CaptureDelivery::kBulk;
  CaptureScope scope = CaptureScope::kPromiscuous;
  // Read returns kTimeout after this long without packets.
  std::chrono::milliseconds timeout{100};
  std::size_t max_batch = 256;
};

// Captures through libpcap (TPACKET_V3 on Linux). On "lo" every packet is delivered once, although
// libpcap shows it twice.
class LiveCapture final : public PacketSource {
 public:
  // NotFound names the interfaces there are; PermissionDenied says which capability is missing;
  // InvalidArgument for a filter that does not compile.
  static absl::StatusOr<std::unique_ptr<LiveCapture>> Open(const std::string& interface,
                                                           LiveCaptureOptions options = {});
  ~LiveCapture() override;
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // Unavailable when the interface went away or down.
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  CaptureStats Stats() const override;
  bool is_live() const override { return true; }
  std::string name() const override;

 private:
  class Impl;
  explicit LiveCapture(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_LIVE_CAPTURE_H_
