// Throttle: rests between pieces of work, so that others get the machine.
#ifndef NTA_BACKUP_THROTTLE_H_
#define NTA_BACKUP_THROTTLE_H_

#include <time.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace nta::backup {

class Throttle {
 public:
  // Works in the part `duty` of the time.
  Throttle(double duty, std::stop_token stop)
      : rest_per_work_(1 / std::clamp(duty, 0.05, 1.0) - 1), stop_(std::move(stop)) {}

  // After a piece of work: rests as long as it owes for the time since the last rest. Time of a
  // processor counts: on a machine that is busy with others the scheduler already holds us back.
  void Rest() {
    const auto owed =
        std::chrono::duration_cast<std::chrono::nanoseconds>((Used() - since_) * rest_per_work_);
    // Short sleeps cost more than they give.
    if (owed < std::chrono::microseconds(500)) return;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop_,
                  std::min<std::chrono::nanoseconds>(owed, std::chrono::milliseconds(200)),
                  [] { return false; });
    since_ = Used();
  }

 private:
  // By this thread.
  static std::chrono::nanoseconds Used() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }

  const double rest_per_work_;
  const std::stop_token stop_;
  std::chrono::nanoseconds since_ = Used();
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_THROTTLE_H_
