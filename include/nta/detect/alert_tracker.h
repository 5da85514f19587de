// AlertTracker: the life of a detector's alerts, so that people get few of them.
//
//   tracker.Raise({.alert_class = nta::AlertClass::kSynFlood, .entity = {.destination = victim},
//                  .severity = nta::Severity::kHigh, .magnitude = rate}, now,
//                 [&](nta::Alert& alert) { alert.summary = ...; }, alerts);
#ifndef NTA_DETECT_ALERT_TRACKER_H_
#define NTA_DETECT_ALERT_TRACKER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nta/detect/alert.h"
#include "nta/net/time.h"

namespace nta {

struct AlertTrackerOptions {
  // An alert is reported again when it has grown this many times, ...
  double update_growth = 10;
  // ... but no more often than this; what came in between is reported when the time is up. Only a
  // rise of severity does not wait.
  Duration update_interval = std::chrono::minutes(1);
  // The same thing again within this time is the same alert, with the same id, opened again.
  Duration reopen_within = std::chrono::minutes(10);
  // Storm guard. With so many alerts of a class open within one prefix (of their sources, or of
  // their destinations), or so many opened anywhere within an hour, further ones are counted in one
  // alert about all of them instead of being shown.
  std::size_t storm_alerts = 50;
  int storm_prefix_v4 = 24;
  int storm_prefix_v6 = 48;
  std::size_t max_per_hour = 200;
  // The alert about a storm closes after this long without a further one.
  Duration storm_quiet = std::chrono::minutes(5);
  // Alerts that are open, or may be opened again, at the most. When all are open, further ones
  // count as a storm. About 2 KB each.
  std::size_t max_alerts = 128;
};

struct AlertFinding {
  AlertClass alert_class = AlertClass::kTrafficAnomaly;
  AlertEntity entity;  // with the class: what makes two findings the same alert
  Severity severity = Severity::kMedium;
  // What has to grow tenfold before people hear of it again; `observed`, as a rule.
  double magnitude = 1;
  // The alert closes after this long without a further finding. Duration::max(): only by Close().
  Duration hold = std::chrono::minutes(5);
};

struct AlertTrackerStats {
  std::uint64_t opened = 0;    // alerts, not counting those opened again
  std::uint64_t reopened = 0;  // within reopen_within
  std::uint64_t updated = 0;   // states reported in between
  std::uint64_t closed = 0;
  std::uint64_t suppressed = 0;  // findings held back by the storm guard
  std::uint64_t storms = 0;      // alerts about storms, opened
  std::size_t active = 0;        // open now, alerts about storms included

  friend bool operator==(const AlertTrackerStats&, const AlertTrackerStats&) = default;
};

// Reads no clock. Same findings, same alerts, however often AdvanceTo is called. One thread at a
// time.
class AlertTracker {
 public:
  // Sets what only the detector knows: score, observed, evidence, summary, ... The tracker has set
  // detector, class, entity, severity, first_seen and last_seen before, and sets id, time, state
  // and count afterwards.
  using Fill = absl::FunctionRef<void(Alert&)>;

  // `detector` goes into the alerts and their ids: "flood-000001".
  explicit AlertTracker(std::string detector, AlertTrackerOptions options = {});
  ~AlertTracker();
  AlertTracker(AlertTracker&&) noexcept;
  AlertTracker& operator=(AlertTracker&&) noexcept;

  // The detector has found something, for the first time or again. False when the storm guard held
  // it back; then `fill` was not necessarily called.
  bool Raise(const AlertFinding& finding, Timestamp now, Fill fill, std::vector<Alert>& alerts);
  // It is over. Does nothing unless it is open.
  void Close(AlertClass alert_class, const AlertEntity& entity, Timestamp now, Fill fill,
             std::vector<Alert>& alerts);
  bool IsOpen(AlertClass alert_class, const AlertEntity& entity) const;
  // Reports what has waited for its minute and closes what is quiet, each with the time at which it
  // fell due.
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts);
  // Closes everything, in the order of opening.
  void Finish(std::vector<Alert>& alerts);

  AlertTrackerStats Stats() const;
  std::size_t memory_bytes() const;
  // With these options: what memory_bytes() stays below as long as no alert exceeds 4 KB.
  std::size_t memory_limit_bytes() const;
  // For the state of the detector that owns the tracker.
  std::string Save() const;
  absl::Status Load(std::string_view state);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_DETECT_ALERT_TRACKER_H_
