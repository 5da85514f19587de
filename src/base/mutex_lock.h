// MutexLock: an absl::MutexLock that ThreadSanitizer understands.
//
// Distributions compile Abseil without ThreadSanitizer, which then sees neither lock nor unlock and
// takes every guarded access for a race. Telling it at the places where we lock keeps real races
// visible.
#ifndef NTA_BASE_MUTEX_LOCK_H_
#define NTA_BASE_MUTEX_LOCK_H_

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"

#if defined(__SANITIZE_THREAD__)
#include <sanitizer/tsan_interface.h>
#endif

namespace nta::base {

class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(absl::Mutex* mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex) : mutex_(mutex) {
    mutex_->Lock();
    Acquired();
  }
  ~MutexLock() ABSL_UNLOCK_FUNCTION() {
    Releasing();
    mutex_->Unlock();
  }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // As absl::Mutex::AwaitWithTimeout: true when holds() does. It is called under the lock, by
  // whichever thread unlocks.
  template <typename Condition>
  bool AwaitWithTimeout(const Condition& holds, absl::Duration timeout) {
    const auto watched = [&] {
      Acquired();
      const bool result = holds();
      Releasing();
      return result;
    };
    Releasing();
    const bool result = mutex_->AwaitWithTimeout(absl::Condition(&watched), timeout);
    Acquired();
    return result;
  }

 private:
#if defined(__SANITIZE_THREAD__)
  void Acquired() { __tsan_acquire(mutex_); }
  void Releasing() { __tsan_release(mutex_); }
#else
  void Acquired() {}
  void Releasing() {}
#endif

  absl::Mutex* mutex_;
};

}  // namespace nta::base

#endif  // NTA_BASE_MUTEX_LOCK_H_
