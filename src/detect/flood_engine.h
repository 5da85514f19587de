// FloodEngine: the flood detector behind its public face.
#ifndef NTA_SRC_DETECT_FLOOD_ENGINE_H_
#define NTA_SRC_DETECT_FLOOD_ENGINE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "base/keyed_hash.h"
#include "detect/flood_entry.h"
#include "detect/flood_gate.h"
#include "detect/flood_table.h"
#include "nta/detect/alert_budget.h"
#include "nta/detect/alert_tracker.h"
#include "nta/detect/flood_detector.h"
#include "nta/flow/flow_clock.h"
#include "nta/packet/decode.h"

namespace nta::detect {

class StateReader;

// What a kind of packets amounts to at one destination.
enum class FloodVerdict : std::uint8_t { kNothing, kFlood, kCrowd };

struct FloodAlarm {
  FloodEntry* entry = nullptr;
  FloodKind kind{};
  FloodVerdict verdict{};
};

class FloodEngine {
 public:
  FloodEngine(const FloodOptions& options, std::uint64_t hash_seed);

  void ObservePackets(std::span<const DecodedPacket> packets, std::vector<Alert>& alerts);
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  void Finish(std::vector<Alert>& alerts);
  std::size_t memory_bytes() const;
  std::size_t memory_limit_bytes() const;
  std::uint64_t evictions() const;
  std::string Save() const;
  static absl::StatusOr<FloodEngine> Load(const FloodOptions& options, std::string_view state);

 private:
  using Alerts = std::vector<Alert>;
  static constexpr std::size_t kBurst = 32;
  // A host or a prefix, and its hash.
  struct Spot {
    FloodKey key;
    std::uint64_t hash = 0;
    FloodTable::Hint hint{};
  };
  // Where a packet counts.
  struct Place {
    std::uint32_t packet = 0;  // of the burst
    bool counts = false;       // at its destination and the prefix of it
    bool has_sender = false;
    FloodKind kind{};
    std::uint64_t connection = 0;  // its hash, for TCP
    Spot source;
    Spot destination;
    Spot prefix;
  };
  // All that is known of hosts, or of prefixes.
  struct Level {
    explicit Level(std::size_t entries) : table(entries), gate(2 * entries) {}
    std::size_t memory_bytes() const {
      return table.memory_bytes() + gate.memory_bytes() + touched.capacity() * 4;
    }
    std::size_t memory_limit_bytes() const {
      return table.memory_bytes() + gate.memory_bytes() + table.size() * 8;
    }

    FloodTable table;
    FloodGate gate;
    std::vector<std::uint32_t> touched;  // entries with packets in this tick
    // What a packet of a kind is worth at the gate.
    std::array<std::uint8_t, kFloodKinds> loads{};
  };

  bool IsWithinTick(std::span<const DecodedPacket> burst) const;
  bool PlaceOf(const DecodedPacket& packet, Place& place) const;
  void Count(const DecodedPacket& packet, const Place& place);
  void CountReceived(FloodEntry& entry, const DecodedPacket& packet, const Place& place,
                     std::uint64_t source_hash);
  void CountInNetwork(FloodEntry& entry, const DecodedPacket& packet, const Place& place,
                      std::uint64_t source_hash);
  void CountSent(const DecodedPacket& packet, const Place& place);
  FloodEntry* Touch(Level& level, const Spot& spot, FloodKind kind);
  void Activate(Level& level, FloodEntry& entry);
  Spot PrefixOf(const FloodKey& host) const;
  // Null when it has none.
  FloodEntry* EntryOfPrefix(const FloodKey& host);
  void PassTime(Timestamp now, Alerts& alerts);
  void BeginTick(std::int64_t tick);
  void EndTick(Alerts& alerts);
  void EndTickOf(Level& level, std::vector<FloodAlarm>& alarms);
  void EndTickOf(FloodEntry& entry, std::vector<FloodAlarm>& alarms);
  void Measure(FloodEntry& entry);
  void Explain(const FloodEntry& destination);
  FloodVerdict Judge(const FloodEntry& entry, FloodKind kind) const;
  bool SeesAnswers() const;
  bool KnowsWhatIsUsual(const FloodEntry& entry) const;
  FloodVerdict JudgeSyn(const FloodEntry& entry, double rate, double sources) const;
  FloodVerdict JudgeUdp(const FloodEntry& entry, double rate, double sources) const;
  double FloorOf(FloodKind kind) const;
  void Raise(const FloodAlarm& alarm, Alerts& alerts);
  bool IsCovered(const FloodEntry& entry);
  void ReadLevel(StateReader& reader, Level& level);

  FloodOptions options_;
  std::uint64_t hash_seed_;
  base::KeyedHash hash_;
  FlowClock clock_;
  bool started_ = false;
  Timestamp start_{};
  std::int64_t tick_ = 0;
  Timestamp tick_begin_{};  // of tick_; the same as its end before the first packet
  Timestamp tick_end_{};
  float threshold_;
  AlertBudget budget_;
  Level destinations_;
  Level prefixes_;
  std::uint32_t excited_prefixes_ = 0;  // at the end of the tick before
  // Packets of hosts that also receive some: none where the tap shows one direction only.
  double received_ = 0;
  double answered_ = 0;
  AlertTracker tracker_;
};

// Fills an alert in words and numbers.
void FillFloodAlert(const FloodEntry& entry, FloodKind kind, FloodVerdict verdict, Timestamp now,
                    Alert& alert);
AlertClass FloodClass(FloodKind kind, FloodVerdict verdict);

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_ENGINE_H_
