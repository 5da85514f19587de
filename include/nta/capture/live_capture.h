// LiveCapture: packets from a network interface of this machine. ListInterfaces(): which there are.
//
//   auto capture = nta::LiveCapture::Open("eth0", {.filter = "tcp or udp"});
#ifndef NTA_CAPTURE_LIVE_CAPTURE_H_
#define NTA_CAPTURE_LIVE_CAPTURE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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
  // Every packet at once. The ring then has slots of snap_length each, so a burst of more than
  // ring_bytes / snap_length packets gets lost: about 4,000 by default.
  kImmediate,
};

enum class CaptureScope {
  kPromiscuous,  // also packets for other machines
  kOwnTraffic,
};

// Who stamps packets with the time.
enum class TimestampSource {
  kHost,               // the kernel, when it sees the packet: every interface offers that
  kHostLowPrecision,   // the kernel, cheaply
  kHostHighPrecision,  // the kernel, exactly
  kAdapter,            // the network adapter, whose clock follows the host's
  kAdapterUnsynced,    // the network adapter's own clock, which may tell any time
};
std::string_view ToString(TimestampSource source);  // "host", ..., "adapter_unsynced"
absl::StatusOr<TimestampSource> ParseTimestampSource(std::string_view text);
// What an interface offers, at least kHost. NotFound as LiveCapture::Open.
absl::StatusOr<std::vector<TimestampSource>> ListTimestampSources(const std::string& interface);

// What happens when the interface goes down or away.
enum class OutagePolicy {
  kFail,    // Read fails with Unavailable
  kReopen,  // Read answers kTimeout until the interface, or another one of its name, is up again
};

struct LiveCaptureOptions {
  std::size_t ring_bytes = 8 << 20;  // kernel buffer
  // Bytes kept of each packet; absent: 65,535 with kBulk, 1,920 with kImmediate (where it decides
  // how many packets the ring holds). What is cut off counts in every length all the same.
  std::optional<std::uint32_t> snap_length{};
  std::string filter{};  // pcap-filter(7); empty: everything
  CaptureDelivery delivery = CaptureDelivery::kBulk;
  CaptureScope scope = CaptureScope::kPromiscuous;
  // Read returns kTimeout after this long without packets.
  std::chrono::milliseconds timeout{100};
  std::size_t max_batch = 256;
  TimestampSource timestamps = TimestampSource::kHost;
  OutagePolicy outage = OutagePolicy::kFail;
};

// Captures through libpcap (TPACKET_V3 on Linux). On "lo" every packet is delivered once, although
// the kernel shows it twice. docs/capture.md tells what offloading adapters make of packets.
class LiveCapture final : public PacketSource {
 public:
  // NotFound names the interfaces there are; PermissionDenied says which capability is missing;
  // InvalidArgument for a filter that does not compile, and for time stamps that the interface does
  // not offer, naming those it does; Unavailable when the interface is down.
  static absl::StatusOr<std::unique_ptr<LiveCapture>> Open(const std::string& interface,
                                                           LiveCaptureOptions options = {});
  ~LiveCapture() override;
  LiveCapture(const LiveCapture&) = delete;
  LiveCapture& operator=(const LiveCapture&) = delete;

  // Unavailable when the interface went down or away and OutagePolicy is kFail; the error repeats.
  // It shows within `timeout` of silence.
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  // dropped_buffer counts what a full ring lost and dropped_interface what the adapter's driver
  // says it lost (promiscuous only), both since Open and beyond the 32 bits that libpcap keeps.
  // outages and outage_time include one that lasts.
  CaptureStats Stats() const override;
  bool is_live() const override { return true; }
  std::string name() const override;
  std::vector<CaptureInterface> Interfaces() const override;

  absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) override;
  int descriptor() const override;

 private:
  class Impl;
  explicit LiveCapture(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_LIVE_CAPTURE_H_
