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
  // Entries with counts of the present tick.
  struct Touched {
    std::vector<std::uint32_t> order;
    std::vector<bool> listed;
  };
  // Where a packet counts.
  struct Place {
    bool counts = false;     // at its destination
    bool in_prefix = false;  // and at the prefix of it
    bool has_sender = false;
    FloodKind kind{};
    std::uint64_t destination_hash = 0;
    std::uint64_t source_hash = 0;
    std::uint64_t prefix_hash = 0;
    IpAddress prefix;
  };

  Place PlaceOf(const DecodedPacket& packet) const;
  void Count(const DecodedPacket& packet, const Place& place);
  void CountReceived(FloodEntry& entry, const DecodedPacket& packet, FloodKind kind);
  void CountSent(const DecodedPacket& packet, const Place& place);
  FloodEntry* Touch(FloodTable& table, Touched& touched, const IpAddress& address,
                    std::uint64_t hash);
  void PassTime(Timestamp now, Alerts& alerts);
  void EndTick(Alerts& alerts);
  void EndTickOf(FloodTable& table, Touched& touched, std::vector<FloodAlarm>& alarms);
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
  void ReadTable(StateReader& reader, FloodTable& table, Touched& touched);

  FloodOptions options_;
  std::uint64_t hash_seed_;
  base::KeyedHash hash_;
  FlowClock clock_;
  bool started_ = false;
  Timestamp start_{};
  std::int64_t tick_ = 0;
  float threshold_;
  AlertBudget budget_;
  FloodTable destinations_;
  FloodTable prefixes_;
  Touched touched_destinations_;
  Touched touched_prefixes_;
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
