// Storm guard: how many alerts of a class are open where, and what is held back.
#ifndef NTA_SRC_DETECT_ALERT_STORM_H_
#define NTA_SRC_DETECT_ALERT_STORM_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "detect/alert_life.h"
#include "nta/detect/alert_tracker.h"
#include "nta/net/ip_address.h"

namespace nta::detect {

// Alerts of a class within a prefix of their sources or of their destinations, or all of a class.
struct StormKey {
  enum class Side : std::uint8_t { kAll = 0, kSource = 1, kDestination = 2 };
  AlertClass alert_class{};
  Side side = Side::kAll;
  IpPrefix prefix;

  friend auto operator<=>(const StormKey&, const StormKey&) = default;
};

struct StormGroup {
  static constexpr std::size_t kSamples = 10;

  std::size_t open = 0;       // alerts, not counting those held back
  std::uint64_t in_hour = 0;  // opened since `hour`
  Timestamp hour{};
  std::uint64_t suppressed = 0;      // since the storm began
  std::vector<std::string> samples;  // of what is held back, latest last
  std::optional<AlertLife> storm;

  bool idle() const { return open == 0 && !storm; }
};

// Whom a finding is about, in one line: "192.0.2.1 -> 198.51.100.7 tcp/22".
std::string EntityText(const AlertEntity& entity);
// The groups that a finding belongs to, narrowest first, the class as a whole last.
std::vector<StormKey> StormKeysOf(AlertClass alert_class, const AlertEntity& entity,
                                  const AlertTrackerOptions& options);
// Everything about a storm that its counts say.
void FillStorm(const StormKey& key, const StormGroup& group, Alert& alert);

// The latest findings that were held back: found again they are no news.
class HeldBack {
 public:
  // False when it was there already.
  bool Insert(std::uint64_t fingerprint);
  std::size_t memory_bytes() const;
  const std::deque<std::uint64_t>& order() const { return order_; }

  static constexpr std::size_t kMost = 4096;

 private:
  absl::flat_hash_set<std::uint64_t> set_;
  std::deque<std::uint64_t> order_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_ALERT_STORM_H_
