// LoginWatch: sign-ins to this server, through the detector that watches everybody else's.
#ifndef NTA_SERVER_DETECTION_LOGIN_WATCH_H_
#define NTA_SERVER_DETECTION_LOGIN_WATCH_H_

#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "nta/detect/brute_force_detector.h"

namespace nta::server {

// Thread-safe.
class LoginWatch {
 public:
  // `prefix` goes before the ids of alerts. `sink` takes them, under no lock of ours.
  LoginWatch(std::string prefix, std::function<void(const std::vector<Alert>&)> sink);

  // `user` only when there is such an account: people type passwords there.
  void Report(const IpAddress& client, SecurityOutcome outcome, std::string user, Timestamp now);
  // Closes what is over.
  void Tick(Timestamp now);

 private:
  void Deliver(std::vector<Alert> alerts);

  const std::string prefix_;
  const std::function<void(const std::vector<Alert>&)> sink_;
  absl::Mutex mutex_;
  BruteForceDetector detector_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_LOGIN_WATCH_H_
