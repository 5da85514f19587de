// HealthWatch: values against thresholds, with hysteresis, so that a value that trembles at its
// limit is one finding and not a hundred.
//
//   auto watch = nta::HealthWatch::Create(nta::DefaultHealthThresholds());
//   for (const nta::HealthFinding& finding : watch->Observe(now, values)) Tell(finding);
#ifndef NTA_HEALTH_HEALTH_WATCH_H_
#define NTA_HEALTH_HEALTH_WATCH_H_

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/health/health.h"
#include "nta/health/rates.h"

namespace nta {

enum class HealthLevel : std::uint8_t { kWarning = 0, kCritical = 1 };
std::string_view ToString(HealthLevel level);  // "warning", "critical"
absl::StatusOr<HealthLevel> ParseHealthLevel(std::string_view text);

// Found when the value has been at raise_at or beyond for `hold`; over when it has been at clear_at
// or on the good side of it for `hold`. raise_at above clear_at: high is bad; below: low is bad.
struct HealthThreshold {
  // Name of a value; one * stands for any text: "file_system.*.usage".
  std::string name{};
  HealthLevel level = HealthLevel::kWarning;
  double raise_at = 0;
  double clear_at = 0;
  std::chrono::seconds hold{0};

  friend bool operator==(const HealthThreshold&, const HealthThreshold&) = default;
};

// What is worth a person's attention on most machines; docs/health.md lists it with reasons.
std::vector<HealthThreshold> DefaultHealthThresholds();

// kLost: the value is no longer told (a disk was unmounted), so nobody can say how it is.
enum class HealthFindingState : std::uint8_t { kRaised = 0, kCleared = 1, kLost = 2 };
std::string_view ToString(HealthFindingState state);  // "raised", "cleared", "lost"

struct HealthFinding {
  std::string name{};  // of the value
  HealthLevel level = HealthLevel::kWarning;
  HealthFindingState state = HealthFindingState::kRaised;
  HealthTime since{};  // when the value first was beyond its limit
  HealthTime time{};   // of this state
  double value = 0;
  double limit = 0;       // raise_at
  std::string summary{};  // one sentence: "memory.usage is 0.97, 0.95 or more is critical"

  friend bool operator==(const HealthFinding&, const HealthFinding&) = default;
};

// One thread at a time.
class HealthWatch {
 public:
  // InvalidArgument names the threshold and what is wrong: an empty name, two *, raise_at equal to
  // clear_at, no finite number, a negative hold, more than 256 of them.
  static absl::StatusOr<HealthWatch> Create(std::vector<HealthThreshold> thresholds);

  // What changed. A value that has both a warning and a critical threshold gives a finding for
  // each. Time that goes back starts the holds anew.
  std::vector<HealthFinding> Observe(HealthTime now, std::span<const HealthValue> values);
  // What is raised, critical first.
  std::vector<HealthFinding> Active() const;
  // Takes over what was raised before a restart, so that it is not raised twice. Findings that no
  // threshold has any more are answered as lost.
  std::vector<HealthFinding> Restore(HealthTime now, std::span<const HealthFinding> active);

  const std::vector<HealthThreshold>& thresholds() const { return thresholds_; }

 private:
  struct Key {
    std::size_t threshold = 0;
    std::string name;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct State {
    bool raised = false;
    // Since when the value has been on the side that would change `raised`.
    std::optional<HealthTime> turning;
    HealthFinding finding;
    std::uint64_t round = 0;  // of Observe in which the value was last told
  };

  explicit HealthWatch(std::vector<HealthThreshold> thresholds)
      : thresholds_(std::move(thresholds)) {}
  void ObserveValue(HealthTime now, std::size_t index, const HealthValue& value,
                    std::vector<HealthFinding>& changes);
  void DropLost(HealthTime now, std::vector<HealthFinding>& changes);

  std::vector<HealthThreshold> thresholds_{};
  std::map<Key, State> states_;  // only of values that are or were beyond a limit
  HealthTime last_ = HealthTime::min();
  std::uint64_t round_ = 0;
};

}  // namespace nta

#endif  // NTA_HEALTH_HEALTH_WATCH_H_
