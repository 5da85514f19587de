// Throttle: rests between pieces of work, so that others get the machine.
#ifndef NTA_BACKUP_THROTTLE_H_
#define NTA_BACKUP_THROTTLE_H_

#include <sched.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

  // After a piece of work: rests as long as it owes for the time since the last rest. What counts
  // is the time of a processor, because on a machine that is busy with others the scheduler already
  // holds us back; and at least as long as it waited, for the disk or a lock that somebody else
  // wants, too.
  void Rest() {
    const auto worked = Used() - since_;
    const auto waited = std::chrono::steady_clock::now() - began_ - worked;
    auto owed = std::chrono::duration_cast<std::chrono::nanoseconds>(worked * rest_per_work_);
    if (rest_per_work_ > 0) owed = std::max<std::chrono::nanoseconds>(owed, waited);
    // Short sleeps cost more than they give.
    if (owed < std::chrono::microseconds(500)) return;
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop_,
                  std::min<std::chrono::nanoseconds>(owed, std::chrono::milliseconds(200)),
                  [] { return false; });
    since_ = Used();
    began_ = std::chrono::steady_clock::now();
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
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

// While it lives, this thread gives way: it does not take a core from a thread that runs, and its
// reads and writes come after those of others. What the system does not allow stays as it is.
class GivesWay {
 public:
  GivesWay() : policy_(sched_getscheduler(0)), priority_(syscall(SYS_ioprio_get, kThread, 0)) {
    const sched_param none{};
    if (policy_ == SCHED_OTHER) sched_setscheduler(0, SCHED_BATCH, &none);
    if (priority_ >= 0) syscall(SYS_ioprio_set, kThread, 0, kLowest);
  }
  ~GivesWay() {
    const sched_param none{};
    if (policy_ == SCHED_OTHER) sched_setscheduler(0, SCHED_OTHER, &none);
    if (priority_ >= 0) syscall(SYS_ioprio_set, kThread, 0, priority_);
  }
  GivesWay(const GivesWay&) = delete;
  GivesWay& operator=(const GivesWay&) = delete;

 private:
  // Of the kernel: IOPRIO_WHO_PROCESS; class "best effort", level 7.
  static constexpr int kThread = 1;
  static constexpr int kLowest = (2 << 13) | 7;

  const int policy_;
  const long priority_;
};

}  // namespace nta::backup

#endif  // NTA_BACKUP_THROTTLE_H_
