// DetectionDesk: the rules, suppressions and settings of detectors that people keep in the store,
// and what runs because of them.
#ifndef NTA_SERVER_DETECTION_DETECTION_DESK_H_
#define NTA_SERVER_DETECTION_DETECTION_DESK_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "detection/detection_json.h"
#include "detection/detector_json.h"
#include "detection/live_detection.h"
#include "nta/store/store.h"

namespace nta::server {

inline constexpr std::size_t kMostRules = 200;
inline constexpr std::size_t kMostSuppressions = 2000;

// The options that settings stand for. What this version of the library does not know, or not any
// more, is left out.
DetectionOptions OptionsFor(const AllDetectorSettings& settings);

// Thread-safe; methods that answer a status wait for the disk.
class DetectionDesk {
 public:
  // Borrows `store`.
  DetectionDesk(Store& store, Clock clock) : store_(store), clock_(std::move(clock)) {}

  // Takes up what the store holds, in place of what was known: at the start, and when another store
  // took its place. What cannot be read any more is left out and logged.
  absl::Status Load();
  // The same when another store took the place of the one before: what only that one held goes.
  absl::Status Reload();
  LiveDetection& live() { return live_; }

  std::vector<StoredRule> Rules() const;
  absl::StatusOr<StoredRule> GetRule(std::string_view id) const;
  // AlreadyExists, or ResourceExhausted at kMostRules.
  absl::StatusOr<StoredRule> AddRule(StoredRule rule);
  absl::StatusOr<StoredRule> ChangeRule(StoredRule rule);
  absl::Status RemoveRule(std::string_view id);

  // With the counts of now.
  std::vector<StoredSuppression> Suppressions() const;
  absl::StatusOr<StoredSuppression> AddSuppression(Suppression suppression);
  absl::StatusOr<StoredSuppression> ChangeSuppression(Suppression suppression);
  absl::Status RemoveSuppression(std::string_view id);
  // Brings counts that have changed into the store.
  absl::Status SaveCounts();

  AllDetectorSettings Settings() const;
  // InvalidArgument for options that the detector does not have or take, and for block lists that
  // cannot be read; then nothing changes.
  absl::Status ChangeSettings(const std::string& detector, const DetectorSettings& settings);
  // What runs, with what the command line asked for.
  DetectionOptions OptionsInUse() const;

  // What people said of an alert; empty when nobody has.
  AlertHandling Handling(std::string_view alert) const;
  absl::Status Handle(const std::string& alert,
                      const std::function<absl::Status(AlertHandling&)>& change);

 private:
  absl::Status TakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Put(std::string_view kind, const std::string& id, std::string body);
  absl::Status RunRules() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status RunSuppressions() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TakeCounts() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  Store& store_;
  const Clock clock_;
  LiveDetection live_;
  mutable absl::Mutex mutex_;
  std::map<std::string, StoredRule, std::less<>> rules_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, StoredSuppression, std::less<>> suppressions_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, SuppressionCount, std::less<>> saved_ ABSL_GUARDED_BY(mutex_);
  AllDetectorSettings settings_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_DETECTION_DESK_H_
