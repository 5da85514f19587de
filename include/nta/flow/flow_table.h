// FlowTable: the meter. Decoded packets in, flow events out.
//
//   auto table = nta::FlowTable::Create({.idle_timeout = std::chrono::seconds(30)});
//   table->Add(decoded_packets, events);           // a burst, in capture order
//   table->AdvanceTo(now, events);                 // silence passes time, too
//   table->EndAll(events);                         // at the end
#ifndef NTA_FLOW_FLOW_TABLE_H_
#define NTA_FLOW_FLOW_TABLE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_clock.h"
#include "nta/flow/flow_inspector.h"
#include "nta/flow/flow_record.h"
#include "nta/packet/decode.h"

namespace nta {

enum class FlowEventSelection : std::uint8_t {
  kRecords,  // only events that close a record: cheapest
  kAll,      // also starts, outcomes and applications: what detectors need
};

struct FlowTableOptions {
  // A flow ends when it was silent for this long. 1 ms to 1 day.
  Duration idle_timeout = std::chrono::seconds(120);
  // A flow that lasts this long is reported and goes on in a new record. 1 ms to 1 day.
  Duration active_timeout = std::chrono::seconds(1800);
  // A TCP flow with FIN in both directions, or RST, ends after this much silence, so that late
  // acknowledgements do not become flows of their own. A new SYN ends it at once.
  Duration closed_timeout = std::chrono::seconds(2);
  // Flows in the table at the most: 1 to 100,000,000. At the cap the flow that was opened first and
  // never answered ends with kLackOfResources; when fewer than one flow in 16 is unanswered, the
  // one that was silent for longest of the eight that were answered first. Memory: about 160 bytes
  // a flow, taken as the table fills.
  std::size_t max_flows = 1'000'000;
  // A cap in bytes on top, at least 64 KiB: max_flows becomes what fits into it, statistics
  // included. 0: none.
  std::size_t max_memory_bytes = 0;
  FlowEventSelection events = FlowEventSelection::kRecords;
  // Fills FlowRecord::statistics; takes 256 to 704 bytes more a flow (docs/flow_features.md).
  std::optional<FlowStatisticsOptions> statistics{};
  // Key of the hash; random when absent. Fix it only for repeatable tests.
  std::optional<std::uint64_t> hash_seed{};
};

struct FlowTableStats {
  std::uint64_t packets = 0;  // counted into a flow
  std::uint64_t ignored = 0;  // without an IP header or readable ports: no flow can be named
  std::uint64_t started = 0;
  std::uint64_t ended = 0;  // for whatever reason; started = ended + active
  std::uint64_t ended_idle = 0;
  std::uint64_t ended_active = 0;
  std::uint64_t ended_tcp = 0;
  std::uint64_t ended_forced = 0;
  std::uint64_t evicted = 0;           // ended for lack of resources
  std::uint64_t evicted_answered = 0;  // of these, flows that had been answered
  std::uint64_t time_backwards = 0;    // packets older than one before them
  std::size_t active = 0;
  std::size_t capacity = 0;
  std::size_t memory_bytes = 0;

  friend bool operator==(const FlowTableStats&, const FlowTableStats&) = default;
  // Of tables that work side by side.
  FlowTableStats& operator+=(const FlowTableStats& other);
};

// A packet of a burst that falls to one of several tables.
struct PacketChoice {
  std::uint32_t index = 0;  // in the burst
  bool counts = true;       // false: it only quotes a flow of this table and counts in another one
};

// Reads no clock: time is that of the packets and of AdvanceTo. Same packets and calls, same
// records, whatever the seed. Every record that was started is closed by exactly one event. One
// thread at a time.
class FlowTable {
 public:
  // InvalidArgument when an option is out of its range.
  static absl::StatusOr<FlowTable> Create(FlowTableOptions options = {});
  FlowTable(FlowTable&&) noexcept;
  FlowTable& operator=(FlowTable&&) noexcept;
  ~FlowTable();

  // Borrows `inspector` (null: none) until the table ends. Call before the first Add.
  void SetInspector(FlowInspector* inspector);

  // Counts a burst of packets in capture order and appends what happened to `events`. Flows that
  // fell due before a packet end, too, at most eight for each packet; the others soon after, and
  // all of them before the clock is set back.
  // Fragments without ports count under ports 0; see FragmentTracker.
  void Add(std::span<const DecodedPacket> packets, std::vector<FlowEvent>& events);
  // The same with clocks[i], the stream's time at packets[i], as a FlowClock tells it.
  void Add(std::span<const DecodedPacket> packets, std::span<const Timestamp> clocks,
           std::vector<FlowEvent>& events);
  // The same for one of several tables that share a stream: only the chosen packets, ordered by
  // index. With the stream's own clocks, and SetClock between what is chosen, the tables together
  // end their flows as one table for everything would.
  void Add(std::span<const DecodedPacket> packets, std::span<const Timestamp> clocks,
           std::span<const PacketChoice> chosen, std::vector<FlowEvent>& events);
  // The stream's time, without a packet: later, or set back. What was due before it is set back
  // ends first.
  void SetClock(Timestamp now, std::vector<FlowEvent>& events);
  // Ends flows that fell due before `now`, at most kMaxEndedPerCall. True when none is left;
  // otherwise call again. A time before an earlier one does nothing. Flows that fell due less than
  // 135 ms ago may wait for a later call; what their records say does not change.
  bool AdvanceTo(Timestamp now, std::vector<FlowEvent>& events);
  // Ends every flow with kForcedEnd, at most kMaxEndedPerCall, in the order of their timeouts. True
  // when the table is empty.
  bool EndAll(std::vector<FlowEvent>& events);

  static constexpr std::size_t kMaxEndedPerCall = 4096;

  FlowTableStats Stats() const;
  const FlowTableOptions& options() const;

 private:
  class Impl;
  explicit FlowTable(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_TABLE_H_
