// AlertQueue: alerts from the thread that captures to one that may take its time.
#ifndef NTA_SERVER_DETECTION_ALERT_QUEUE_H_
#define NTA_SERVER_DETECTION_ALERT_QUEUE_H_

#include <chrono>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "nta/detect/alert.h"

namespace nta::server {

// Thread-safe. What does not fit is left out: an alert that goes on comes again.
class AlertQueue {
 public:
  static constexpr std::size_t kMost = 1'000;

  void Add(const Alert& alert) {
    absl::MutexLock lock(&mutex_);
    if (alerts_.size() < kMost) alerts_.push_back(alert);
  }
  // Waits for alerts, up to `time`.
  std::vector<Alert> Take(std::chrono::nanoseconds time) {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithTimeout(absl::Condition(this, &AlertQueue::HasAny), absl::FromChrono(time));
    return std::exchange(alerts_, {});
  }

 private:
  bool HasAny() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !alerts_.empty(); }

  absl::Mutex mutex_;
  std::vector<Alert> alerts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_ALERT_QUEUE_H_
