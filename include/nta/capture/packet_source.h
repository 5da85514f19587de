// PacketSource: where packets come from. PacketBatch: what crosses the border.
//
//   nta::PacketBatch batch;
//   auto result = source.Read(batch);             // absl::StatusOr<nta::ReadResult>
//   for (const nta::PacketView& packet : batch) ...
#ifndef NTA_CAPTURE_PACKET_SOURCE_H_
#define NTA_CAPTURE_PACKET_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/packet/packet.h"

namespace nta {

// A burst of packets, borrowed from the source that filled it: valid until that source's next Read
// or its end.
using PacketBatch = std::vector<PacketView>;

enum class ReadResult {
  kPackets,  // at least one packet
  kTimeout,  // nothing arrived within the source's own time limit; ask again
  kEnd,      // there will be no more
};

// What a source has seen so far. A packet is in exactly one of `received` and the drop counters.
struct CaptureStats {
  std::uint64_t received = 0;           // handed out by Read
  std::uint64_t received_bytes = 0;     // their captured bytes
  std::uint64_t filtered = 0;           // kept out by the source's own filter, where it counts them
  std::uint64_t dropped_buffer = 0;     // lost because the buffer was full
  std::uint64_t dropped_interface = 0;  // lost by the network interface or its driver
  std::uint64_t bytes_read = 0;         // of a file: how far reading has come
  std::uint64_t bytes_total = 0;        // of a file: its size; 0 when unknown
  std::uint64_t outages = 0;            // times that a live interface went down or away
  Duration outage_time{};               // for how long in all; packets of that time are lost

  std::uint64_t dropped() const { return dropped_buffer + dropped_interface; }
};

// One of a source's interfaces; PacketView::interface_id is its index.
struct CaptureInterface {
  std::string name{};         // empty: unknown
  std::string description{};  // empty: unknown
  LinkType link_type = LinkType::kEthernet;
  std::optional<std::uint32_t> snap_length{};       // absent: whole packets
  std::uint64_t ticks_per_second = 1'000'000'000U;  // what its time stamps tell apart

  friend bool operator==(const CaptureInterface&, const CaptureInterface&) = default;
};

// Implemented by whoever has packets. One thread at a time.
class PacketSource {
 public:
  virtual ~PacketSource() = default;

  // Replaces the contents of `batch`. Packets of one source come in the order in which they were
  // captured. After an error the source stays usable only if it says so; packets of earlier calls
  // were good.
  virtual absl::StatusOr<ReadResult> Read(PacketBatch& batch) = 0;
  // Keeps the packets of the last Read valid until the answer is released, on whichever thread and
  // even after the source has ended; for those who pass packets on to other threads. Null when the
  // source cannot: then copy them.
  virtual std::shared_ptr<const void> Retain() { return nullptr; }
  virtual CaptureStats Stats() const = 0;
  // True when packets appear as time passes, so that silence means time has passed, too.
  virtual bool is_live() const = 0;
  // What people call it: a path, an interface name.
  virtual std::string name() const = 0;

  // The interfaces known so far; a file may describe more of them between its packets. Empty: the
  // source does not tell.
  virtual std::vector<CaptureInterface> Interfaces() const { return {}; }

  // For who waits for several sources at once. ReadNow is Read without waiting, and `descriptor` is
  // a file descriptor that poll(2) finds readable when ReadNow may have packets; it may change with
  // every read. Sources that cannot do that have -1 and wait in ReadNow, too.
  virtual absl::StatusOr<ReadResult> ReadNow(PacketBatch& batch) { return Read(batch); }
  virtual int descriptor() const { return -1; }
};

}  // namespace nta

#endif  // NTA_CAPTURE_PACKET_SOURCE_H_
