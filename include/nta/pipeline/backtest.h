// Backtest: what detectors and alert rules would have said of stored flows or of a capture.
//
//   auto report = nta::BacktestFlows(detectors, feed, {});
//   std::cout << report->alerts_per_day() << " alerts a day\n";
#ifndef NTA_PIPELINE_BACKTEST_H_
#define NTA_PIPELINE_BACKTEST_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/capture/packet_source.h"
#include "nta/detect/alert_rule.h"
#include "nta/detect/detector.h"
#include "nta/detect/detector_settings.h"
#include "nta/detect/suppression.h"
#include "nta/flow/flow_table.h"
#include "nta/pipeline/pipeline.h"

namespace nta {

using FlowSink = absl::FunctionRef<absl::Status(const FlowRecord&)>;
// Gives the sink every flow in the order of last_seen, and ends with the sink's first error. May be
// called several times.
using FlowFeed = std::function<absl::Status(FlowSink)>;

struct BacktestOptions {
  // With these the flows were made; they tell when a flow of the past ended.
  Duration idle_timeout = FlowTableOptions{}.idle_timeout;
  Duration active_timeout = FlowTableOptions{}.active_timeout;
  Duration closed_timeout = FlowTableOptions{}.closed_timeout;
  // Flows that are held so that starts come in their order. When that is not enough, a flow starts
  // later than it did and counts as late.
  std::size_t max_flows_held = 100'000;
  // What is hidden counts apart.
  std::vector<Suppression> suppressions{};
  // Alerts that the report holds; the others are only counted.
  std::size_t max_alerts = 1'000;
  // Cancelled when it is asked to stop.
  std::stop_token stop{};
  // Called now and then with the time of the traffic.
  std::function<void(Timestamp)> progress{};
};

struct BacktestReport {
  std::uint64_t flows = 0;
  std::uint64_t packets = 0;  // of a capture
  std::uint64_t late_flows = 0;
  Timestamp since{};  // of the traffic; equal to `until` when there was none
  Timestamp until{};
  std::uint64_t alerts = 0;  // opened and shown
  std::uint64_t hidden = 0;  // by suppressions
  std::map<std::string, std::uint64_t> by_class;
  std::map<std::string, std::uint64_t> by_severity;
  std::map<std::string, std::uint64_t> by_detector;
  std::map<std::string, std::uint64_t> by_day;  // "2026-11-22": opened on that day, UTC
  // Each in its last state, in the order of opening; no time in it is after `until`.
  std::vector<Alert> kept;
  std::vector<Timestamp> opened;  // of those
  std::vector<double> scores;     // of all that were shown, at most 100,000

  // From the first to the last packet of the traffic.
  Duration span() const { return until - since; }
  // A span shorter than a day counts as a day: an hour's three alerts are "3 a day", which is what
  // was seen and not what a day would bring.
  double days() const;
  bool is_empty() const { return flows == 0 && packets == 0; }
  bool covers_a_day() const { return span() >= std::chrono::days(1); }
  double alerts_per_day() const { return static_cast<double>(alerts) / days(); }
  // The score (bits) above which there are no more than `wanted` alerts a day.
  double ScoreFor(double wanted) const;
};

// The detectors have to be new ones. InvalidArgument for options out of range; otherwise the
// feed's error.
absl::StatusOr<BacktestReport> BacktestFlows(std::span<Detector* const> detectors,
                                             const FlowFeed& feed,
                                             const BacktestOptions& options = {});
// The same events as a live capture of these packets, so the same alerts.
absl::StatusOr<BacktestReport> BacktestCapture(std::span<Detector* const> detectors,
                                               PacketSource& source,
                                               const PipelineOptions& pipeline = {},
                                               const BacktestOptions& options = {});

// Alerts are the same when class and entity are, and the times from opening to end come within ten
// minutes of each other.
struct BacktestDifference {
  std::vector<Alert> appear;  // only in the second one
  std::vector<Alert> vanish;  // only in the first one
  std::uint64_t same = 0;
};
// Of what the reports hold.
BacktestDifference Compare(const BacktestReport& before, const BacktestReport& after);

// What whoever reads the figures has to know, in words: that the traffic is shorter than a day,
// that another configuration changes nothing, and then what does. Empty as a rule.
std::vector<std::string> NotesOn(const BacktestReport& report,
                                 const BacktestDifference* difference = nullptr);

// One way through the traffic, with detectors that are new: BacktestFlows() or BacktestCapture(),
// over the same traffic each time.
using BacktestPass =
    std::function<absl::StatusOr<BacktestReport>(std::span<Detector* const> detectors)>;

struct ThresholdPoint {
  double threshold = 0;
  std::uint64_t alerts = 0;
  double alerts_per_day = 0;
};
struct ThresholdSuggestion {
  double wanted_per_day = 5;
  // The rule's own threshold when it keeps to what is wanted, otherwise the lowest one tried that
  // does; absent when no flow counted.
  std::optional<double> threshold;
  std::optional<ThresholdPoint> current;  // of the rule as it is; absent when no flow counted
  std::vector<ThresholdPoint> points;     // what was tried, each measured, lowest threshold first
};
// Goes through the traffic twice: to see what values occur, and to count the alerts of the rule's
// own threshold and of some among them.
absl::StatusOr<ThresholdSuggestion> SuggestThreshold(const AlertRule& rule,
                                                     const BacktestPass& pass,
                                                     double wanted_per_day);
absl::StatusOr<ThresholdSuggestion> SuggestThreshold(const AlertRule& rule, const FlowFeed& feed,
                                                     double wanted_per_day,
                                                     const BacktestOptions& options = {});

struct SensitivityPoint {
  Sensitivity sensitivity = Sensitivity::kNormal;
  std::uint64_t alerts = 0;
  double alerts_per_day = 0;
};
// The thresholds of a detector are many; its sensitivity moves all of them.
struct SensitivitySuggestion {
  std::string detector;
  double wanted_per_day = 5;
  // The highest that keeps to what is wanted of this detector; absent when none does, or when there
  // was no traffic.
  std::optional<Sensitivity> sensitivity;
  std::vector<SensitivityPoint> points;  // each measured: low, normal, high
};
// Goes through the traffic three times, with all of these detectors at once; what `settings` set
// beside the sensitivity stays. Detectors whose sensitivity moves nothing (policy) are left out.
// NotFound for an unknown detector, and the errors of Configure() and of the pass.
absl::StatusOr<std::vector<SensitivitySuggestion>> SuggestSensitivities(
    const std::map<std::string, DetectorSettings>& settings, const BacktestPass& pass,
    double wanted_per_day, const DetectionOptions& base = {});

}  // namespace nta

#endif  // NTA_PIPELINE_BACKTEST_H_
