// Rules, suppressions, what people say of alerts, and backtests as JSON, for the API and for the
// store.
#ifndef NTA_SERVER_DETECTION_DETECTION_JSON_H_
#define NTA_SERVER_DETECTION_DETECTION_JSON_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert_rule.h"
#include "nta/detect/suppression.h"
#include "nta/pipeline/backtest.h"

namespace nta::server {

struct StoredRule {
  AlertRule rule;
  bool enabled = true;
  std::string author{};
  Timestamp updated{};
};

struct StoredSuppression {
  Suppression suppression;
  SuppressionCount hidden;
};

struct AlertNote {
  std::string author;
  Timestamp time{};
  std::string text;
};
// What people have said of an alert.
struct AlertHandling {
  std::string acknowledged_by;  // empty: nobody has
  Timestamp acknowledged{};
  std::vector<AlertNote> notes;
};

// `position` is set when the expression is wrong at a place.
absl::StatusOr<StoredRule> RuleFromJson(std::string_view json,
                                        std::optional<std::size_t>* position = nullptr);
std::string ToJson(const StoredRule& rule);
// Without id: the caller makes one.
absl::StatusOr<StoredSuppression> SuppressionFromJson(std::string_view json);
std::string ToJson(const StoredSuppression& suppression);
AlertHandling HandlingFromJson(std::string_view json);  // empty for what is not valid
std::string ToJson(const AlertHandling& handling);

std::string ToJson(const BacktestReport& report, double wanted_per_day);
std::string ToJson(const BacktestDifference& difference);
std::string ToJson(const ThresholdSuggestion& suggestion);
std::string ToJson(const std::vector<SensitivitySuggestion>& suggestions, double wanted_per_day);

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_DETECTION_JSON_H_
