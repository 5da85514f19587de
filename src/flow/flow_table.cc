#include "nta/flow/flow_table.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/keyed_hash.h"
#include "base/lazy_array.h"
#include "base/random.h"
#include "base/status.h"
#include "flow/flow_entry.h"
#include "flow/flow_index.h"
#include "flow/linked_slots.h"
#include "flow/statistics_table.h"
#include "flow/timer_wheel.h"

namespace nta {
namespace {

using internal::DirectedKey;
using internal::FlowEntry;
using internal::FlowIndex;
using internal::FlowKey;
using internal::kNoSlot;
using internal::QueueLinks;
using internal::SlotList;
using internal::SlotNode;
using internal::SlotNodes;
using internal::StatisticsTable;
using internal::TimerWheel;

constexpr std::size_t kMaxFlows = 100'000'000;
constexpr std::size_t kMinMemoryBytes = 64 << 10;
constexpr std::size_t kMaxFirstPackets = 255;
constexpr std::size_t kMaxEntropyBytes = 65'535;
// Packets whose memory is fetched ahead together; 16, 32 and 64 are alike.
constexpr std::size_t kBurst = 32;
// Due flows that end for each packet: more than can start, so the table always catches up. Looking
// at flows that are not due after all is bounded likewise, or a clock that jumps back and forth
// would cost a walk through the table each time.
constexpr std::size_t kEndedPerPacket = 8;
constexpr std::size_t kLooksPerEnded = 9;
// Answered flows that an eviction compares.
constexpr int kEvictionSample = 8;

absl::Status CheckTimeout(Duration timeout, std::string_view name) {
  if (timeout >= std::chrono::milliseconds(1) && timeout <= std::chrono::days(1)) {
    return absl::OkStatus();
  }
  return base::InvalidArgument(std::string(name) + " must be within 1 ms and 1 day");
}

constexpr std::size_t kBytesPerEntry = sizeof(FlowEntry) + sizeof(SlotNode);

std::size_t BytesPerFlow(const FlowTableOptions& options) {
  return kBytesPerEntry +
         (options.statistics ? StatisticsTable::BytesPerFlow(*options.statistics) : 0);
}

// As many flows as fit into max_memory_bytes, buckets included.
std::size_t MaxFlows(const FlowTableOptions& options) {
  if (options.max_memory_bytes == 0) return options.max_flows;
  const auto bytes = [&](std::size_t flows) {
    return flows * BytesPerFlow(options) + FlowIndex::BytesFor(flows);
  };
  std::size_t least = 1;
  std::size_t most = options.max_flows;
  while (least < most) {
    const std::size_t middle = most - (most - least) / 2;
    if (bytes(middle) <= options.max_memory_bytes) {
      least = middle;
    } else {
      most = middle - 1;
    }
  }
  return least;
}

// Whether a flow can be named: IP, and either ports or a protocol (or fragment) that has none.
bool CanCount(const DecodedPacket& packet) {
  if (!packet.has_ip()) return false;
  if (packet.has_ports || packet.is_later_fragment) return true;
  switch (packet.protocol) {
    case kProtocolTcp:
    case kProtocolUdp:
    case kProtocolSctp:
    case kProtocolDccp:
    case kProtocolUdpLite:
      return false;
    default:
      return true;
  }
}

// What the first packet of a flow says about the attempt it may be.
ContactOutcome FirstOutcome(const DecodedPacket& packet) {
  if (packet.is_tcp()) {
    const bool opens = (packet.tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) == kTcpSyn;
    return opens ? ContactOutcome::kPending : ContactOutcome::kUnknown;
  }
  if (packet.has_icmp) {
    const bool asks = packet.protocol == kProtocolIcmp
                          ? packet.icmp_type == 8 || packet.icmp_type == 13
                          : packet.icmp_type == 128 || packet.icmp_type == 135;
    return asks ? ContactOutcome::kPending : ContactOutcome::kUnknown;
  }
  return ContactOutcome::kPending;
}

bool IsSynAck(std::uint8_t tcp_flags) {
  return (tcp_flags & (kTcpSyn | kTcpAck | kTcpRst)) == (kTcpSyn | kTcpAck);
}

bool SaysUnreachable(const DecodedPacket& packet) {
  constexpr std::uint8_t kFragmentationNeeded = 4;  // path MTU discovery: the host is there
  return packet.protocol == kProtocolIcmp
             ? (packet.icmp_type == 3 && packet.icmp_code != kFragmentationNeeded) ||
                   packet.icmp_type == 11
             : packet.icmp_type == 1 || packet.icmp_type == 3;
}

std::int64_t ToPacketTime(Timestamp time) {
  return std::clamp(time, kMinPacketTime, kMaxPacketTime).time_since_epoch().count();
}

}  // namespace

class FlowTable::Impl {
 public:
  struct Chosen {
    const DecodedPacket& packet;
    bool counts;
  };

  static absl::StatusOr<std::unique_ptr<Impl>> Create(const FlowTableOptions& options) {
    std::unique_ptr<Impl> impl(new Impl(options));
    const std::size_t flows = options.max_flows;
    NTA_ASSIGN_OR_RETURN(impl->index_, FlowIndex::Create(flows));
    NTA_ASSIGN_OR_RETURN(impl->entries_, base::LazyArray<FlowEntry>::Create(flows));
    NTA_ASSIGN_OR_RETURN(impl->nodes_, SlotNodes::Create(flows));
    if (options.statistics) {
      NTA_ASSIGN_OR_RETURN(impl->statistics_, StatisticsTable::Create(*options.statistics, flows));
    }
    return impl;
  }

  void SetInspector(FlowInspector* inspector) {
    inspector_ = inspector;
    inspecting_.assign(inspector == nullptr ? 0 : options_.max_flows, false);
  }
  const FlowTableOptions& options() const { return options_; }

  // `at(i)` is the i-th of `count` packets to look at; `clock_of(i)` the time there.
  template <typename At, typename ClockOf>
  void Add(std::size_t count, const At& at, const ClockOf& clock_of,
           std::vector<FlowEvent>& events) {
    for (std::size_t first = 0; first < count; first += kBurst) {
      const std::size_t size = std::min(count - first, kBurst);
      AddBurst(
          size, [&](std::size_t i) { return at(first + i); },
          [&](std::size_t i) { return clock_of(first + i); }, events);
    }
  }

  Timestamp PassClock(Timestamp time) { return clock_.Pass(time); }

  void SetClock(Timestamp now, std::vector<FlowEvent>& events) { PassTime(now, events); }

  bool AdvanceTo(Timestamp now, std::vector<FlowEvent>& events) {
    clock_.AdvanceTo(now);
    now_ = std::max(now_, ToPacketTime(now));
    return !wheel_.HasPassed(now_) || EndDue(kMaxEndedPerCall, events);
  }

  bool EndAll(std::vector<FlowEvent>& events) {
    std::int64_t ahead = 0;
    std::array<std::uint32_t, kBurst> slots;
    for (std::size_t ended = 0; ended < kMaxEndedPerCall;) {
      std::size_t count = 0;
      for (; count < std::min(kBurst, kMaxEndedPerCall - ended); ++count) {
        slots[count] = wheel_.TakeAny(nodes_, ahead);
        if (slots[count] == kNoSlot) break;
      }
      if (count == 0) break;
      PrefetchEnding(std::span(slots).first(count));
      for (std::size_t i = 0; i < count; ++i) ForceEnd(slots[i], events);
      ended += count;
    }
    return occupied() == 0;
  }

  FlowTableStats Stats() const {
    FlowTableStats stats = stats_;
    stats.active = static_cast<std::size_t>(stats.started - stats.ended);
    stats.capacity = options_.max_flows;
    stats.memory_bytes = index_.memory_bytes() + high_water_ * kBytesPerEntry +
                         (options_.statistics ? statistics_.memory_bytes(high_water_) : 0) +
                         inspecting_.size() / 8;
    return stats;
  }

 private:
  struct Prepared {
    DirectedKey directed;
    std::uint64_t hash;
    std::uint32_t guess;  // of its slot, for prefetching
    bool counts;
  };

  explicit Impl(const FlowTableOptions& options)
      : options_(options),
        hash_(options.hash_seed.value_or(base::RandomSeed())),
        idle_(options.idle_timeout.count()),
        active_(options.active_timeout.count()),
        closed_(options.closed_timeout.count()),
        wants_all_(options.events == FlowEventSelection::kAll) {}

  std::size_t occupied() const { return unanswered_.size + answered_.size; }

  // Three passes over a burst hide the cache misses of each other's packets: hash, then buckets,
  // then entries. The pass that counts looks everything up again, because packets of one burst
  // change the table for each other.
  template <typename At, typename ClockOf>
  void AddBurst(std::size_t size, const At& at, const ClockOf& clock_of,
                std::vector<FlowEvent>& events) {
    std::array<Prepared, kBurst> prepared;
    for (std::size_t i = 0; i < size; ++i) {
      const Chosen chosen = at(i);
      const DecodedPacket& packet = chosen.packet;
      prepared[i].counts = chosen.counts && CanCount(packet);
      if (!prepared[i].counts) continue;
      internal::MakeKey(packet.source, packet.source_port, packet.destination,
                        packet.destination_port, packet.protocol, prepared[i].directed);
      prepared[i].hash = prepared[i].directed.key.Hash(hash_);
      index_.Prefetch(prepared[i].hash);
    }
    std::size_t new_flows = 0;
    std::array<std::uint32_t, kBurst> shown;  // to the inspector
    std::size_t shown_count = 0;
    for (std::size_t i = 0; i < size; ++i) {
      if (!prepared[i].counts) continue;
      const std::uint32_t slot = prepared[i].guess = index_.Guess(prepared[i].hash);
      if (slot == kNoSlot) {
        ++new_flows;
        continue;
      }
      PrefetchEntry(slot);
      if (!IsInspecting(slot)) continue;
      const DecodedPacket& packet = at(i).packet;
      if (packet.payload.empty() && !IsSynAck(packet.tcp_flags)) continue;
      __builtin_prefetch(packet.payload.data());
      shown[shown_count++] = slot;
    }
    if (options_.statistics) PrefetchDirections(std::span(prepared).first(size));
    if (shown_count > 0) inspector_->Prefetch(std::span(shown).first(shown_count));
    for (std::size_t i = 0; i < size; ++i) {
      PassTime(clock_of(i), events);
      AddPacket(at(i), prepared[i], events);
    }
    // The next burst will be like this one.
    if (occupied() + new_flows > options_.max_flows) PrefetchVictims(new_flows);
  }

  void PrefetchEntry(std::uint32_t slot) const {
    const char* const entry = reinterpret_cast<const char*>(&entries_[slot]);
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + 64, 1);
    if (options_.statistics) statistics_.Prefetch(slot);
  }

  // The flows that `count` new ones will push out of a full table.
  void PrefetchVictims(std::size_t count) const {
    std::array<std::uint32_t, kBurst> victims;
    std::size_t found = 0;
    std::uint32_t slot = unanswered_.head;
    for (; slot != kNoSlot && found < count; slot = nodes_[slot].queue.next) {
      victims[found++] = slot;
      PrefetchEntry(slot);
    }
    for (std::size_t i = 0; i < found; ++i) {
      index_.Prefetch(entries_[victims[i]].key.Hash(hash_));
    }
  }

  // The same for flows that are about to end.
  void PrefetchEnding(std::span<const std::uint32_t> slots) const {
    for (const std::uint32_t slot : slots) {
      PrefetchEntry(slot);
      __builtin_prefetch(&nodes_[slot], 1);
    }
    for (const std::uint32_t slot : slots) index_.Prefetch(entries_[slot].key.Hash(hash_));
    if (inspector_ != nullptr) inspector_->Prefetch(slots);
  }

  void PrefetchDirections(std::span<const Prepared> burst) const {
    for (const Prepared& prepared : burst) {
      if (!prepared.counts || prepared.guess == kNoSlot) continue;
      const FlowEntry& entry = entries_[prepared.guess];
      const bool is_forward = prepared.directed.source_is_a == entry.Is(FlowEntry::kSourceIsA);
      statistics_.Prefetch(prepared.guess, is_forward ? 0 : 1);
    }
  }

  void PassTime(Timestamp time, std::vector<FlowEvent>& events) {
    const std::int64_t now = ToPacketTime(time);
    if (now < now_) SetBack(now, events);
    now_ = now;
    if (wheel_.HasPassed(now_)) EndDue(kEndedPerPacket, events);
  }

  // Rare. Everything that the old time ended ends before the new one counts, so that what becomes
  // of a flow does not depend on how far the wheel has come.
  void SetBack(std::int64_t now, std::vector<FlowEvent>& events) {
    while (wheel_.HasPassed(now_) && !EndDue(kMaxEndedPerCall, events)) {
    }
    const std::int64_t before = now_;
    wheel_.SetBack(now);
    now_ = now;
    if (before - now <= idle_) return;
    // What was last seen in what is now the far future.
    for (SlotList* list : {&unanswered_, &answered_}) {
      for (std::uint32_t slot = list->head; slot != kNoSlot;) {
        const std::uint32_t next = nodes_[slot].queue.next;
        if (entries_[slot].last_seen > now + idle_) {
          wheel_.Cancel(nodes_, slot);
          EndIfDue(slot, events);
        }
        slot = next;
      }
    }
  }

  void AddPacket(const Chosen& chosen, const Prepared& prepared, std::vector<FlowEvent>& events) {
    const DecodedPacket& packet = chosen.packet;
    const std::int64_t time = ToPacketTime(packet.time);
    if (time < latest_) ++stats_.time_backwards;
    latest_ = std::max(latest_, time);
    if (packet.quoted) Quoted(packet, events);
    if (!prepared.counts) {
      if (chosen.counts) ++stats_.ignored;
      return;
    }
    ++stats_.packets;
    std::uint32_t slot = Find(prepared.directed.key, prepared.hash);
    if (slot != kNoSlot && EndsBefore(slot, packet, events)) {
      wheel_.Cancel(nodes_, slot);
      Free(slot);
      slot = kNoSlot;
    }
    if (slot == kNoSlot) slot = Start(packet, prepared, time, events);
    Count(slot, packet, prepared.directed.source_is_a, time, events);
  }

  std::uint32_t Find(const FlowKey& key, std::uint64_t hash) const {
    return index_.Find(hash, [&](std::uint32_t slot) { return entries_[slot].key == key; });
  }

  // Whether the flow was over before this packet of its addresses and ports, by the table's time,
  // whether or not the wheel has come to it; then reports it.
  bool EndsBefore(std::uint32_t slot, const DecodedPacket& packet, std::vector<FlowEvent>& events) {
    const FlowEntry& entry = entries_[slot];
    const FlowEndReason reason = ReasonAt(entry, now_);
    const bool reopens = entry.Is(FlowEntry::kClosed) && packet.is_tcp() &&
                         (packet.tcp_flags & (kTcpSyn | kTcpAck)) == kTcpSyn;
    if (reason == FlowEndReason::kActiveTimeout) {
      Report(slot, reason, DeadlineOf(entry), events);
      Continue(slot);
      return reopens || ReasonAt(entry, now_) != FlowEndReason::kNone;
    }
    if (reason == FlowEndReason::kNone && !reopens) return false;
    Report(slot, reopens ? FlowEndReason::kEndOfFlow : reason, std::min(now_, DeadlineOf(entry)),
           events);
    return true;
  }

  std::int64_t DeadlineOf(const FlowEntry& entry) const {
    const std::int64_t silent = SilentAt(entry);
    return entry.Is(FlowEntry::kContinuing) ? silent : std::min(silent, entry.first_seen + active_);
  }

  // When the flow has been silent for long enough.
  std::int64_t SilentAt(const FlowEntry& entry) const {
    return entry.last_seen + (entry.Is(FlowEntry::kClosed) ? closed_ : idle_);
  }

  FlowEndReason ReasonAt(const FlowEntry& entry, std::int64_t now) const {
    // Last seen in what is now the far future: a wrong time stamp, or the clock was set back.
    if (entry.last_seen > now + idle_) return FlowEndReason::kIdleTimeout;
    if (now < DeadlineOf(entry)) return FlowEndReason::kNone;
    const bool active =
        !entry.Is(FlowEntry::kContinuing) && entry.first_seen + active_ < SilentAt(entry);
    if (active) return FlowEndReason::kActiveTimeout;
    return entry.Is(FlowEntry::kClosed) ? FlowEndReason::kEndOfFlow : FlowEndReason::kIdleTimeout;
  }

  // The flow goes on in a new record with the same orientation.
  void Continue(std::uint32_t slot) {
    FlowEntry& entry = entries_[slot];
    entry.counters[0] = entry.counters[1] = {};
    entry.tcp_flags[0] = entry.tcp_flags[1] = 0;
    if (entry.outcome == ContactOutcome::kPending) entry.outcome = ContactOutcome::kUnknown;
    entry.Set(FlowEntry::kContinuing);
    if (options_.statistics) statistics_.Continue(slot);
  }

  std::uint32_t Start(const DecodedPacket& packet, const Prepared& prepared, std::int64_t time,
                      std::vector<FlowEvent>& events) {
    if (occupied() == options_.max_flows) Evict(events);
    const std::uint32_t slot = Allocate();
    FlowEntry& entry = entries_[slot];
    entry.key = prepared.directed.key;
    entry.first_seen = entry.last_seen = time;
    entry.vlan = 0;
    entry.tcp_flags[0] = entry.tcp_flags[1] = 0;
    entry.extra[0] = entry.extra[1] = 0;
    entry.state = 0;
    entry.counters[0] = entry.counters[1] = {};
    entry.outcome = FirstOutcome(packet);
    // A SYN-ACK answers somebody who spoke before.
    const bool answers = packet.is_tcp() && IsSynAck(packet.tcp_flags);
    if (prepared.directed.source_is_a != answers) entry.Set(FlowEntry::kSourceIsA);
    if (packet.has_icmp) {
      entry.Set(FlowEntry::kHasIcmp);
      entry.extra[0] = packet.icmp_type;
      entry.extra[1] = packet.icmp_code;
    }
    if (inspector_ != nullptr) inspecting_[slot] = true;
    if (options_.statistics) statistics_.Start(slot);
    if (packet.has_vlan) {
      entry.Set(FlowEntry::kHasVlan);
      entry.vlan = packet.vlan;
    }
    index_.Insert(prepared.hash, slot);
    QueueLinks::PushBack(nodes_, unanswered_, slot);
    wheel_.Schedule(nodes_, slot, DeadlineOf(entry));
    ++stats_.started;
    return slot;
  }

  void Count(std::uint32_t slot, const DecodedPacket& packet, bool source_is_a, std::int64_t time,
             std::vector<FlowEvent>& events) {
    FlowEntry& entry = entries_[slot];
    const bool is_syn_ack = packet.is_tcp() && IsSynAck(packet.tcp_flags);
    if (is_syn_ack) MendDirection(slot, source_is_a);
    const std::size_t direction = source_is_a == entry.Is(FlowEntry::kSourceIsA) ? 0 : 1;
    if (entry.Is(FlowEntry::kContinuing)) {
      entry.Clear(FlowEntry::kContinuing);
      entry.first_seen = entry.last_seen = time;
      ++stats_.started;
      // The wheel has it at the end of the silence, which may come after the next active timeout.
      wheel_.Cancel(nodes_, slot);
      wheel_.Schedule(nodes_, slot, DeadlineOf(entry));
    }
    entry.first_seen = std::min(entry.first_seen, time);
    entry.last_seen = std::max(entry.last_seen, time);
    internal::DirectionCounters& counters = entry.counters[direction];
    ++counters.packets;
    counters.wire_bytes += packet.wire_bytes;
    counters.ip_bytes += packet.ip_bytes;
    counters.payload_bytes += packet.payload_bytes;
    entry.tcp_flags[direction] =
        static_cast<std::uint8_t>(entry.tcp_flags[direction] | packet.tcp_flags);
    if (packet.is_tcp()) {
      entry.extra[direction] = static_cast<std::uint8_t>(entry.extra[direction] | packet.tcp_flags);
    }
    if (options_.statistics) statistics_.Add(slot, direction, time, packet);
    if (wants_all_ && entry.counters[0].packets + entry.counters[1].packets == 1) {
      Emit(FlowEventType::kStarted, time, slot, FlowEndReason::kNone, events);
    }
    if (direction == 1) Answer(slot, packet, time, events);
    if (packet.is_tcp()) CheckClosed(slot, packet);
    if (!IsInspecting(slot)) return;
    if (!packet.payload.empty()) {
      Inspect(slot, direction == 0, packet, time, events);
    } else if (is_syn_ack && !entry.Is(FlowEntry::kInspected)) {
      inspector_->Establish(slot, direction == 0, packet);
      entry.Set(FlowEntry::kInspected);
    }
  }

  // A SYN-ACK of what was taken for the source, which never asked: the other side spoke first.
  void MendDirection(std::uint32_t slot, bool source_is_a) {
    FlowEntry& entry = entries_[slot];
    const bool is_forward = source_is_a == entry.Is(FlowEntry::kSourceIsA);
    // Once a request, an answer or payload was seen the direction is known, and others rely on it.
    const bool is_known = (entry.extra[0] & kTcpSyn) != 0 ||
                          (entry.counters[0].payload_bytes | entry.counters[1].payload_bytes) != 0;
    if (!is_forward || is_known || entry.counters[0].packets == 0) return;
    entry.state = static_cast<std::uint8_t>(entry.state ^ FlowEntry::kSourceIsA);
    std::swap(entry.counters[0], entry.counters[1]);
    std::swap(entry.tcp_flags[0], entry.tcp_flags[1]);
    std::swap(entry.extra[0], entry.extra[1]);
    if (options_.statistics) statistics_.SwapDirections(slot);
  }

  void Inspect(std::uint32_t slot, bool is_forward, const DecodedPacket& packet, std::int64_t time,
               std::vector<FlowEvent>& events) {
    FlowEntry& entry = entries_[slot];
    const InspectResult result = inspector_->Inspect(slot, is_forward, packet);
    entry.Set(FlowEntry::kInspected);
    if (!result.wants_more) inspecting_[slot] = false;
    if (result.has_news && wants_all_) {
      Emit(FlowEventType::kUpdated, time, slot, FlowEndReason::kNone, events);
    }
  }

  bool IsInspecting(std::uint32_t slot) const { return inspector_ != nullptr && inspecting_[slot]; }

  // A packet of the destination.
  void Answer(std::uint32_t slot, const DecodedPacket& packet, std::int64_t time,
              std::vector<FlowEvent>& events) {
    FlowEntry& entry = entries_[slot];
    const bool refuses = packet.is_tcp() && (packet.tcp_flags & kTcpRst) != 0;
    if (!refuses && !entry.Is(FlowEntry::kAnswered)) {
      QueueLinks::Remove(nodes_, unanswered_, slot);
      QueueLinks::PushBack(nodes_, answered_, slot);
      entry.Set(FlowEntry::kAnswered);
    }
    if (entry.outcome == ContactOutcome::kPending) {
      SetOutcome(slot, refuses ? ContactOutcome::kRefused : ContactOutcome::kAnswered, time,
                 events);
    }
  }

  void SetOutcome(std::uint32_t slot, ContactOutcome outcome, std::int64_t time,
                  std::vector<FlowEvent>& events) {
    entries_[slot].outcome = outcome;
    if (wants_all_) Emit(FlowEventType::kUpdated, time, slot, FlowEndReason::kNone, events);
  }

  // An ICMP error tells what became of the flow that it quotes.
  void Quoted(const DecodedPacket& packet, std::vector<FlowEvent>& events) {
    if (!SaysUnreachable(packet)) return;
    const FiveTuple& tuple = *packet.quoted;
    DirectedKey quoted;
    internal::MakeKey(tuple.source.address, tuple.source.port, tuple.destination.address,
                      tuple.destination.port, tuple.protocol, quoted);
    const std::uint32_t slot = Find(quoted.key, quoted.key.Hash(hash_));
    if (slot == kNoSlot) return;
    const FlowEntry& entry = entries_[slot];
    const bool is_forward = quoted.source_is_a == entry.Is(FlowEntry::kSourceIsA);
    if (is_forward && entry.outcome == ContactOutcome::kPending) {
      SetOutcome(slot, ContactOutcome::kUnreachable, packet.time.time_since_epoch().count(),
                 events);
    }
  }

  void CheckClosed(std::uint32_t slot, const DecodedPacket& packet) {
    FlowEntry& entry = entries_[slot];
    if (entry.Is(FlowEntry::kClosed)) return;
    const bool both_finished = (entry.tcp_flags[0] & entry.tcp_flags[1] & kTcpFin) != 0;
    if (!both_finished && (packet.tcp_flags & kTcpRst) == 0) return;
    entry.Set(FlowEntry::kClosed);
    wheel_.Cancel(nodes_, slot);
    wheel_.Schedule(nodes_, slot, DeadlineOf(entry));
  }

  void ForceEnd(std::uint32_t slot, std::vector<FlowEvent>& events) {
    const FlowEntry& entry = entries_[slot];
    const FlowEndReason reason = ReasonAt(entry, now_);
    Report(slot, reason == FlowEndReason::kNone ? FlowEndReason::kForcedEnd : reason,
           std::min(now_, DeadlineOf(entry)), events);
    Free(slot);
  }

  // Ends up to `limit` flows that are due; true when none is left.
  bool EndDue(std::size_t limit, std::vector<FlowEvent>& events) {
    std::array<std::uint32_t, kBurst> slots;
    std::size_t ended = 0;
    for (std::size_t looks = 0; ended < limit && looks < limit * kLooksPerEnded;) {
      std::size_t count = 0;
      for (; count < std::min(kBurst, limit - ended); ++count) {
        slots[count] = wheel_.TakeDue(nodes_, now_);
        if (slots[count] == kNoSlot) break;
      }
      if (count == 0) return true;
      PrefetchEnding(std::span(slots).first(count));
      for (std::size_t i = 0; i < count; ++i) {
        if (EndIfDue(slots[i], events)) ++ended;
      }
      looks += count;
    }
    return false;
  }

  // A slot that the wheel gave out.
  bool EndIfDue(std::uint32_t slot, std::vector<FlowEvent>& events) {
    const FlowEntry& entry = entries_[slot];
    const FlowEndReason reason = ReasonAt(entry, now_);
    if (reason == FlowEndReason::kNone) {
      // Packets have moved the deadline since it was scheduled: each flow once per timeout.
      wheel_.Schedule(nodes_, slot, DeadlineOf(entry));
      return false;
    }
    Report(slot, reason, DeadlineOf(entry), events);
    if (reason == FlowEndReason::kActiveTimeout) {
      Continue(slot);
      wheel_.Schedule(nodes_, slot, DeadlineOf(entry));
    } else {
      Free(slot);
    }
    return true;
  }

  void Evict(std::vector<FlowEvent>& events) {
    const bool from_unanswered = answered_.size == 0 || unanswered_.size > options_.max_flows / 16;
    const std::uint32_t slot = from_unanswered ? unanswered_.head : QuietestAnswered();
    const FlowEntry& entry = entries_[slot];
    const FlowEndReason reason = ReasonAt(entry, now_);
    Report(slot, reason == FlowEndReason::kNone ? FlowEndReason::kLackOfResources : reason,
           std::min(now_, DeadlineOf(entry)), events);
    wheel_.Cancel(nodes_, slot);
    Free(slot);
  }

  // Of the flows that were answered first the one silent for longest; the others go to the end of
  // the queue.
  std::uint32_t QuietestAnswered() {
    std::uint32_t quietest = answered_.head;
    std::uint32_t slot = answered_.head;
    std::array<std::uint32_t, kEvictionSample> sample;
    std::size_t count = 0;
    for (; slot != kNoSlot && count < sample.size(); slot = nodes_[slot].queue.next) {
      sample[count++] = slot;
      if (entries_[slot].last_seen < entries_[quietest].last_seen) quietest = slot;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (sample[i] == quietest) continue;
      QueueLinks::Remove(nodes_, answered_, sample[i]);
      QueueLinks::PushBack(nodes_, answered_, sample[i]);
    }
    return quietest;
  }

  // The one place where a record ends, whatever the reason.
  void Report(std::uint32_t slot, FlowEndReason reason, std::int64_t time,
              std::vector<FlowEvent>& events) {
    const FlowEntry& entry = entries_[slot];
    // A flow that went silent right after its active timeout has been reported in full.
    if (entry.Is(FlowEntry::kContinuing)) return;
    ++stats_.ended;
    switch (reason) {
      case FlowEndReason::kIdleTimeout:
        ++stats_.ended_idle;
        break;
      case FlowEndReason::kActiveTimeout:
        ++stats_.ended_active;
        break;
      case FlowEndReason::kEndOfFlow:
        ++stats_.ended_tcp;
        break;
      case FlowEndReason::kLackOfResources:
        ++stats_.evicted;
        if (entry.Is(FlowEntry::kAnswered)) ++stats_.evicted_answered;
        break;
      case FlowEndReason::kForcedEnd:
      case FlowEndReason::kNone:
        ++stats_.ended_forced;
        break;
    }
    const bool goes_on = reason == FlowEndReason::kActiveTimeout;
    Emit(goes_on ? FlowEventType::kUpdated : FlowEventType::kEnded, time, slot, reason, events);
  }

  void Emit(FlowEventType type, std::int64_t time, std::uint32_t slot, FlowEndReason reason,
            std::vector<FlowEvent>& events) {
    const FlowEntry& entry = entries_[slot];
    FlowEvent& event = events.emplace_back();
    event.type = type;
    event.time = Timestamp(Duration(time));
    entry.FillRecord(reason, event.flow);
    if (options_.statistics && event.closes_record()) {
      const auto totals = [&](std::size_t i) {
        return internal::DirectionTotals{entry.counters[i].packets, entry.counters[i].ip_bytes};
      };
      event.flow.statistics = statistics_.Take(slot, entry.first_seen, totals(0), totals(1));
    }
    if (inspector_ != nullptr) {
      inspector_->Describe(slot, entry.Is(FlowEntry::kInspected), event.flow);
    }
  }

  std::uint32_t Allocate() {
    if (free_.head != kNoSlot) {
      const std::uint32_t slot = free_.head;
      QueueLinks::Remove(nodes_, free_, slot);
      return slot;
    }
    return static_cast<std::uint32_t>(high_water_++);
  }

  // The slot must not be in the wheel any more.
  void Free(std::uint32_t slot) {
    const FlowEntry& entry = entries_[slot];
    if (entry.Is(FlowEntry::kInspected)) inspector_->Finish(slot);
    index_.Erase(entry.key.Hash(hash_), slot);
    QueueLinks::Remove(nodes_, entry.Is(FlowEntry::kAnswered) ? answered_ : unanswered_, slot);
    // The next flow takes what is still in a cache.
    QueueLinks::PushFront(nodes_, free_, slot);
  }

  FlowTableOptions options_;
  base::KeyedHash hash_;
  std::int64_t idle_;
  std::int64_t active_;
  std::int64_t closed_;
  bool wants_all_;
  FlowIndex index_;
  base::LazyArray<FlowEntry> entries_;
  SlotNodes nodes_;
  TimerWheel wheel_;
  StatisticsTable statistics_;
  FlowInspector* inspector_ = nullptr;
  // Flows that it is to see more of. Apart from the entries, so that what it keeps of a flow can be
  // fetched together with the entry. Empty without an inspector.
  std::vector<bool> inspecting_;
  SlotList unanswered_;
  SlotList answered_;
  SlotList free_;
  std::size_t high_water_ = 0;
  FlowClock clock_;
  std::int64_t now_ = kMinPacketTime.time_since_epoch().count();
  std::int64_t latest_ = kMinPacketTime.time_since_epoch().count();
  FlowTableStats stats_;
};

FlowTableStats& FlowTableStats::operator+=(const FlowTableStats& other) {
  packets += other.packets;
  ignored += other.ignored;
  started += other.started;
  ended += other.ended;
  ended_idle += other.ended_idle;
  ended_active += other.ended_active;
  ended_tcp += other.ended_tcp;
  ended_forced += other.ended_forced;
  evicted += other.evicted;
  evicted_answered += other.evicted_answered;
  time_backwards += other.time_backwards;
  active += other.active;
  capacity += other.capacity;
  memory_bytes += other.memory_bytes;
  return *this;
}

absl::StatusOr<FlowTable> FlowTable::Create(FlowTableOptions options) {
  NTA_RETURN_IF_ERROR(CheckTimeout(options.idle_timeout, "idle_timeout"));
  NTA_RETURN_IF_ERROR(CheckTimeout(options.active_timeout, "active_timeout"));
  NTA_RETURN_IF_ERROR(CheckTimeout(options.closed_timeout, "closed_timeout"));
  if (options.max_flows < 1 || options.max_flows > kMaxFlows) {
    return base::InvalidArgument("max_flows must be within 1 and 100,000,000");
  }
  if (options.max_memory_bytes != 0 && options.max_memory_bytes < kMinMemoryBytes) {
    return base::InvalidArgument("max_memory_bytes must be 0 or at least 65,536");
  }
  if (options.statistics && (options.statistics->first_packets > kMaxFirstPackets ||
                             options.statistics->entropy_bytes > kMaxEntropyBytes)) {
    return base::InvalidArgument(
        "statistics: first_packets must be at most 255, entropy_bytes at most 65,535");
  }
  options.max_flows = MaxFlows(options);
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<Impl> impl, Impl::Create(options));
  return FlowTable(std::move(impl));
}

FlowTable::FlowTable(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
FlowTable::FlowTable(FlowTable&&) noexcept = default;
FlowTable& FlowTable::operator=(FlowTable&&) noexcept = default;
FlowTable::~FlowTable() = default;

void FlowTable::SetInspector(FlowInspector* inspector) { impl_->SetInspector(inspector); }

void FlowTable::Add(std::span<const DecodedPacket> packets, std::vector<FlowEvent>& events) {
  impl_->Add(
      packets.size(),
      [packets](std::size_t i) {
        return Impl::Chosen{packets[i], true};
      },
      [this, packets](std::size_t i) { return impl_->PassClock(packets[i].time); }, events);
}

void FlowTable::Add(std::span<const DecodedPacket> packets, std::span<const Timestamp> clocks,
                    std::vector<FlowEvent>& events) {
  impl_->Add(
      packets.size(),
      [packets](std::size_t i) {
        return Impl::Chosen{packets[i], true};
      },
      [clocks](std::size_t i) { return clocks[i]; }, events);
}

void FlowTable::Add(std::span<const DecodedPacket> packets, std::span<const Timestamp> clocks,
                    std::span<const PacketChoice> chosen, std::vector<FlowEvent>& events) {
  impl_->Add(
      chosen.size(),
      [packets, chosen](std::size_t i) {
        return Impl::Chosen{packets[chosen[i].index], chosen[i].counts};
      },
      [clocks, chosen](std::size_t i) { return clocks[chosen[i].index]; }, events);
}

void FlowTable::SetClock(Timestamp now, std::vector<FlowEvent>& events) {
  impl_->SetClock(now, events);
}

bool FlowTable::AdvanceTo(Timestamp now, std::vector<FlowEvent>& events) {
  return impl_->AdvanceTo(now, events);
}

bool FlowTable::EndAll(std::vector<FlowEvent>& events) { return impl_->EndAll(events); }

FlowTableStats FlowTable::Stats() const { return impl_->Stats(); }
const FlowTableOptions& FlowTable::options() const { return impl_->options(); }

}  // namespace nta
