// GuardedDetector: a detector of the library, as a Python object that any thread may hold.
#ifndef NTA_BINDINGS_PYTHON_GUARDED_DETECTOR_H_
#define NTA_BINDINGS_PYTHON_GUARDED_DETECTOR_H_

#include <atomic>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "nta/detect/detector.h"

namespace nta::python {

class GuardedDetector {
 public:
  explicit GuardedDetector(std::unique_ptr<Detector> detector) : detector_(std::move(detector)) {}

  // The right to call the detector, for one thread at a time.
  class Session {
   public:
    explicit Session(GuardedDetector& owner) : owner_(owner), ok_(!owner.busy_.exchange(true)) {}
    ~Session() {
      if (ok_) owner_.busy_ = false;
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    // FailedPrecondition when another thread has a session.
    absl::Status status() const {
      if (ok_) return absl::OkStatus();
      return absl::FailedPreconditionError("detector " + std::string(owner_.detector_->name()) +
                                           " is in use by another pipeline");
    }

   private:
    GuardedDetector& owner_;
    const bool ok_;
  };

  // Only within a session.
  Detector& detector() { return *detector_; }

 private:
  std::unique_ptr<Detector> detector_;
  std::atomic<bool> busy_ = false;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_GUARDED_DETECTOR_H_
