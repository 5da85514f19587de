// AlertRule: a user's own condition on traffic (docs/alert_rules.md).
//
//   auto condition = nta::RuleCondition::Parse(
//       "count() > 100 per source_address in 60s where dport=22");
//   auto detector = nta::RuleDetector::Create({.id = "ssh", .title = "SSH flood",
//                                              .condition = *condition});
#ifndef NTA_DETECT_ALERT_RULE_H_
#define NTA_DETECT_ALERT_RULE_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/flow/flow_filter.h"

namespace nta {

enum class RuleAggregate : std::uint8_t {
  kCount,     // count(): flows that began in the window
  kSum,       // sum(bytes), sum(packets): spread evenly over the time of each flow
  kDistinct,  // distinct(field): different values among flows that began in the window
  kRate,  // rate(flows), rate(bytes), rate(packets): count or sum in a second, the window's mean
};
enum class RuleMeasure : std::uint8_t { kFlows, kBytes, kPackets };

// What flows are grouped by, and what distinct() counts.
enum class RuleField : std::uint8_t {
  kSourceAddress,
  kDestinationAddress,
  kSourcePort,
  kDestinationPort,
  kProtocol,
  kVlan,
  kApplication,
  kServerName,
};
std::string_view ToString(RuleField field);  // "source_address", ...

enum class RuleWindow : std::uint8_t {
  kSliding,   // moves in steps of a twentieth of its length
  kTumbling,  // whole multiples of its length since 1970
};

// The parsed form of a rule's text, immutable.
class RuleCondition {
 public:
  static constexpr Duration kShortestWindow = std::chrono::seconds(1);
  static constexpr Duration kLongestWindow = std::chrono::days(7);
  // distinct() counts no further.
  static constexpr double kMostDistinct = 65'536;

  // InvalidArgument: `at 8: expected > or >=, found "="`. With `error`, also as a struct.
  static absl::StatusOr<RuleCondition> Parse(std::string_view text, FilterError* error = nullptr);

  RuleAggregate aggregate() const { return aggregate_; }
  RuleMeasure measure() const { return measure_; }
  RuleField distinct_field() const { return distinct_; }
  // Whether the threshold itself raises an alert: >= instead of >.
  bool is_inclusive() const { return inclusive_; }
  double threshold() const { return threshold_; }
  std::span<const RuleField> per() const { return per_; }  // 0 to 2
  Duration window() const { return window_; }
  RuleWindow window_kind() const { return window_kind_; }
  const FlowFilter& filter() const { return filter_; }

  // Whether a flow counts as soon as it begins: all that is asked of it is known from its first
  // packet. Otherwise it counts when its record closes.
  bool counts_at_start() const { return counts_at_start_; }
  bool IsExceededBy(double value) const {
    return inclusive_ ? value >= threshold_ : value > threshold_;
  }
  // The same condition with another threshold.
  RuleCondition WithThreshold(double threshold) const;
  // "flows", "bytes", "packets/s", "different ports": of what is compared.
  std::string unit() const;
  // A canonical text that parses to the same condition.
  std::string ToString() const;

 private:
  friend class RuleParser;
  RuleCondition() = default;

  RuleAggregate aggregate_ = RuleAggregate::kCount;
  RuleMeasure measure_ = RuleMeasure::kFlows;
  RuleField distinct_ = RuleField::kSourceAddress;
  bool inclusive_ = false;
  double threshold_ = 0;
  std::vector<RuleField> per_;
  Duration window_ = std::chrono::minutes(1);
  RuleWindow window_kind_ = RuleWindow::kSliding;
  FlowFilter filter_;
  bool counts_at_start_ = false;
};

struct AlertRule {
  std::string id{};     // 1 to 64 of a-z, 0-9, "-" and "_"
  std::string title{};  // for people; 1 to 480 bytes without control characters
  RuleCondition condition;
  Severity severity = Severity::kMedium;
  // An alert closes once the measure has stayed below this part of the threshold for `hold`.
  double close_below = 0.5;  // more than 0, at most 1
  Duration hold = std::chrono::minutes(5);
};

// InvalidArgument names what is wrong with the id, the title, close_below or hold.
absl::Status Validate(const AlertRule& rule);

}  // namespace nta

#endif  // NTA_DETECT_ALERT_RULE_H_
