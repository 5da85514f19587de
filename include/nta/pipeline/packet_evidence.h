// PacketRing: the latest packets, for a look back. PacketEvidence: those before an alert, kept.
//
//   nta::PacketEvidence evidence;
//   evidence.Observe(batch.packets);                       // each batch, before its alerts
//   for (const nta::Alert& alert : batch.alerts) evidence.Keep(alert);
//   absl::Status status = evidence.WritePcap("flood-000001", "flood.pcapng");
#ifndef NTA_PIPELINE_PACKET_EVIDENCE_H_
#define NTA_PIPELINE_PACKET_EVIDENCE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/packet/packet.h"

namespace nta {

struct PacketRingOptions {
  std::size_t max_bytes = std::size_t{4} << 20;  // of packets and their headers; at least 64 KiB
  Duration max_age = std::chrono::seconds(60);   // older packets are not looked at
  std::uint32_t snap_bytes = 256;                // of each packet; what follows is cut
};

// One block of memory, taken at the start. A new packet takes the place of the oldest ones.
class PacketRing {
 public:
  explicit PacketRing(PacketRingOptions options = {});

  void Add(std::span<const PacketView> packets);
  // Calls `visit` with each packet, oldest first, until it says false. The view is valid for the
  // call.
  void Visit(absl::FunctionRef<bool(const PacketView&)> visit) const;
  std::size_t size() const { return count_; }
  std::uint64_t dropped() const { return dropped_; }  // made room for others
  std::size_t memory_bytes() const { return buffer_.capacity() + sizeof(*this); }
  const PacketRingOptions& options() const { return options_; }

 private:
  struct Header {
    std::int64_t time = 0;
    std::uint32_t wire_bytes = 0;
    std::uint32_t interface_id = 0;
    std::uint16_t link_type = 0;
    std::uint16_t captured = 0;
    std::uint32_t reserved = 0;
  };

  void Add(const PacketView& packet);
  void DropOldest();

  PacketRingOptions options_;
  std::vector<std::uint8_t> buffer_;
  std::size_t head_ = 0;   // where the next packet goes
  std::size_t tail_ = 0;   // the oldest packet
  std::size_t limit_ = 0;  // end of what is filled when the head has come round, else 0
  std::size_t count_ = 0;
  std::uint64_t dropped_ = 0;
};

struct PacketEvidenceOptions {
  PacketRingOptions ring{};
  // Of one alert: the latest before it.
  std::size_t max_packets = 200;
  // Of all alerts; beyond that those of the oldest alert are forgotten.
  std::size_t max_kept_bytes = std::size_t{8} << 20;
};

// Not thread-safe.
class PacketEvidence {
 public:
  explicit PacketEvidence(PacketEvidenceOptions options = {});

  void Observe(std::span<const PacketView> packets) { ring_.Add(packets); }
  // Keeps the packets of an alert that opens: those between its source and destination, or to or
  // from the one that it names, not after its time. Other states change nothing.
  void Keep(const Alert& alert);

  // NotFound when nothing is kept for this alert. Valid until the next Keep.
  absl::StatusOr<std::span<const Packet>> Packets(std::string_view alert_id) const;
  // The same as a pcapng file: link types may differ.
  absl::Status WritePcap(std::string_view alert_id, const std::string& path) const;
  std::size_t memory_bytes() const { return ring_.memory_bytes() + kept_bytes_; }
  std::uint64_t forgotten() const { return forgotten_; }

 private:
  PacketEvidenceOptions options_;
  PacketRing ring_;
  std::map<std::string, std::vector<Packet>, std::less<>> kept_;
  std::deque<std::string> order_;
  std::size_t kept_bytes_ = 0;
  std::uint64_t forgotten_ = 0;
};

}  // namespace nta

#endif  // NTA_PIPELINE_PACKET_EVIDENCE_H_
