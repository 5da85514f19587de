// Settings of detectors, and what a backtest runs, as JSON.
#ifndef NTA_SERVER_DETECTION_DETECTOR_JSON_H_
#define NTA_SERVER_DETECTION_DETECTOR_JSON_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "detection/live_detection.h"
#include "nta/detect/detector_settings.h"

namespace nta::server {

using AllDetectorSettings = std::map<std::string, DetectorSettings, std::less<>>;

// Of the store; what is not valid is left out.
AllDetectorSettings SettingsFromJson(std::string_view json);
std::string ToJson(const AllDetectorSettings& settings);

// A change of settings: {"enabled", "sensitivity", "options"}, each optional; an option that is
// null has its default again. Answers what `settings` become. InvalidArgument for other members;
// whether options are known and in bounds is for Configure to say.
absl::StatusOr<DetectorSettings> ChangedBy(std::string_view json, DetectorSettings settings);

// A row of the detectors' list. `status` is null while the detector does not run.
std::string ToJson(const DetectorInfo& info, const DetectorSettings& settings,
                   const DetectorStatus* status);

// One side of a backtest as the request has it: an expression, a rule's id, or detectors with
// settings in place of those in use.
struct BacktestSubject {
  std::string expression{};
  std::string rule{};
  std::vector<std::string> detectors{};   // none: all that are on
  std::optional<std::string> settings{};  // as ChangedBy takes them
};
absl::StatusOr<BacktestSubject> SubjectFromJson(std::string_view json);

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_DETECTOR_JSON_H_
