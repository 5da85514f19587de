// What to set so that people get as many alerts as they want.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <utility>

#include "base/status.h"
#include "nta/detect/rule_detector.h"
#include "nta/pipeline/backtest.h"

namespace nta {
namespace {

constexpr std::array kSensitivities{Sensitivity::kLow, Sensitivity::kNormal, Sensitivity::kHigh};

absl::Status CheckWanted(double wanted_per_day) {
  if (wanted_per_day >= 0 && wanted_per_day <= 1e6) return absl::OkStatus();
  return base::InvalidArgument("the alerts a day that are wanted are 0 to 1,000,000");
}

std::uint64_t AlertsOf(const BacktestReport& report, std::string_view detector) {
  const auto count = report.by_detector.find(std::string(detector));
  return count == report.by_detector.end() ? 0 : count->second;
}

// The least number of two digits that is not below: 134 becomes 140.
double RoundUp(double number) {
  if (number <= 0) return 0;
  const double unit = std::pow(10, std::floor(std::log10(number)) - 1);
  const double rounded = std::ceil(number / unit - 1e-9) * unit;
  return number < 10 ? std::ceil(number) : std::round(rounded);
}

// Some of the values that occur, near where as many are greater as alerts are wanted.
std::vector<double> Candidates(const std::vector<double>& peaks, double wanted, double own) {
  std::set<double> candidates;
  for (const double factor : {0.0, 0.25, 0.5, 1.0, 2.0, 4.0}) {
    const auto place = static_cast<std::size_t>(std::min(wanted * factor, 1e6));
    candidates.insert(RoundUp(peaks[std::min(place, peaks.size() - 1)]));
  }
  candidates.erase(0);
  candidates.insert(own);
  return {candidates.begin(), candidates.end()};
}

absl::StatusOr<std::vector<RuleDetector>> WithThresholds(const AlertRule& rule,
                                                         std::span<const double> thresholds) {
  std::vector<RuleDetector> detectors;
  for (const double threshold : thresholds) {
    AlertRule candidate = rule;
    candidate.id = "t" + std::to_string(detectors.size());
    candidate.condition = rule.condition.WithThreshold(threshold);
    NTA_ASSIGN_OR_RETURN(RuleDetector detector, RuleDetector::Create(candidate));
    detectors.push_back(std::move(detector));
  }
  return detectors;
}

// Those of which the sensitivity moves something, in the order of DefaultDetectors.
std::vector<std::string> Movable(const std::map<std::string, DetectorSettings>& settings) {
  std::vector<std::string> names;
  for (const DetectorInfo& info : DetectorCatalogue()) {
    const bool moves = std::any_of(info.options.begin(), info.options.end(),
                                   [](const DetectorOption& option) { return option.is_scaled; });
    if (moves && settings.contains(info.name)) names.push_back(info.name);
  }
  return names;
}

// All of them at one sensitivity, run over the traffic.
absl::StatusOr<BacktestReport> RunAt(Sensitivity sensitivity, std::span<const std::string> names,
                                     const std::map<std::string, DetectorSettings>& settings,
                                     DetectionOptions options, const BacktestPass& pass) {
  DetectorList list;
  std::vector<Detector*> pointers;
  for (const std::string& name : names) {
    DetectorSettings tried = settings.at(name);
    tried.sensitivity = sensitivity;
    NTA_RETURN_IF_ERROR(Configure(name, tried, options));
    NTA_ASSIGN_OR_RETURN(std::unique_ptr<Detector> detector, MakeDetector(name, options));
    list.push_back(std::move(detector));
    pointers.push_back(list.back().get());
  }
  return pass(pointers);
}

}  // namespace

absl::StatusOr<ThresholdSuggestion> SuggestThreshold(const AlertRule& rule,
                                                     const BacktestPass& pass,
                                                     double wanted_per_day) {
  NTA_RETURN_IF_ERROR(CheckWanted(wanted_per_day));
  AlertRule silent = rule;
  silent.condition = rule.condition.WithThreshold(std::numeric_limits<double>::max());
  NTA_ASSIGN_OR_RETURN(RuleDetector watcher, RuleDetector::Create(silent));
  Detector* const first[] = {&watcher};
  NTA_ASSIGN_OR_RETURN(const BacktestReport all, pass(first));
  ThresholdSuggestion suggestion{
      .wanted_per_day = wanted_per_day, .threshold = {}, .current = {}, .points = {}};
  const std::vector<double> peaks = watcher.Peaks();
  if (peaks.empty()) return suggestion;
  const double own = rule.condition.threshold();
  NTA_ASSIGN_OR_RETURN(std::vector<RuleDetector> detectors,
                       WithThresholds(rule, Candidates(peaks, wanted_per_day * all.days(), own)));
  std::vector<Detector*> pointers;
  for (RuleDetector& detector : detectors) pointers.push_back(&detector);
  NTA_ASSIGN_OR_RETURN(const BacktestReport report, pass(pointers));
  for (const RuleDetector& detector : detectors) {
    ThresholdPoint point{.threshold = detector.rule().condition.threshold(),
                         .alerts = AlertsOf(report, detector.name()),
                         .alerts_per_day = 0};
    point.alerts_per_day = static_cast<double>(point.alerts) / report.days();
    if (!suggestion.threshold && point.alerts_per_day <= wanted_per_day) {
      suggestion.threshold = point.threshold;
    }
    if (point.threshold == own) suggestion.current = point;
    suggestion.points.push_back(point);
  }
  // Who wrote the rule meant its threshold; it is not lowered for being quiet.
  if (suggestion.current && suggestion.current->alerts_per_day <= wanted_per_day) {
    suggestion.threshold = own;
  }
  return suggestion;
}

absl::StatusOr<ThresholdSuggestion> SuggestThreshold(const AlertRule& rule, const FlowFeed& feed,
                                                     double wanted_per_day,
                                                     const BacktestOptions& options) {
  return SuggestThreshold(rule, BacktestPass([&](std::span<Detector* const> detectors) {
                            return BacktestFlows(detectors, feed, options);
                          }),
                          wanted_per_day);
}

absl::StatusOr<std::vector<SensitivitySuggestion>> SuggestSensitivities(
    const std::map<std::string, DetectorSettings>& settings, const BacktestPass& pass,
    double wanted_per_day, const DetectionOptions& base) {
  NTA_RETURN_IF_ERROR(CheckWanted(wanted_per_day));
  // What is wrong with a name or a setting shows before the first pass.
  DetectionOptions checked = base;
  for (const auto& [name, one] : settings) NTA_RETURN_IF_ERROR(Configure(name, one, checked));
  const std::vector<std::string> names = Movable(settings);
  std::vector<SensitivitySuggestion> suggestions;
  for (const std::string& name : names) {
    suggestions.push_back(
        {.detector = name, .wanted_per_day = wanted_per_day, .sensitivity = {}, .points = {}});
  }
  if (names.empty()) return suggestions;
  // From low to high: the highest that keeps to what is wanted is the last one.
  for (const Sensitivity sensitivity : kSensitivities) {
    NTA_ASSIGN_OR_RETURN(const BacktestReport report,
                         RunAt(sensitivity, names, settings, base, pass));
    for (SensitivitySuggestion& suggestion : suggestions) {
      SensitivityPoint point{.sensitivity = sensitivity,
                             .alerts = AlertsOf(report, suggestion.detector),
                             .alerts_per_day = 0};
      point.alerts_per_day = static_cast<double>(point.alerts) / report.days();
      suggestion.points.push_back(point);
      const bool keeps = point.alerts_per_day <= wanted_per_day && !report.is_empty();
      if (keeps) suggestion.sensitivity = sensitivity;
    }
  }
  return suggestions;
}

}  // namespace nta
