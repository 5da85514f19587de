#include "guarded_source.h"

#include <utility>

namespace nta::python {

absl::StatusOr<ReadResult> GuardedSource::Read(PacketBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_)
      return absl::FailedPreconditionError("cannot read \"" + name_ + "\": it is closed");
  }
  absl::StatusOr<ReadResult> result = source_->Read(batch);
  const std::lock_guard lock(mutex_);
  stats_ = source_->Stats();
  return result;
}

CaptureStats GuardedSource::Stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

void GuardedSource::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  if (!in_session_) source_.reset();
}

absl::Status GuardedSource::Enter() {
  const std::lock_guard lock(mutex_);
  if (closed_) return absl::FailedPreconditionError("cannot read \"" + name_ + "\": it is closed");
  if (in_session_) {
    return absl::FailedPreconditionError("cannot read \"" + name_ + "\": it is being read already");
  }
  in_session_ = true;
  return absl::OkStatus();
}

void GuardedSource::Leave() {
  const std::lock_guard lock(mutex_);
  in_session_ = false;
  if (closed_) source_.reset();
}

}  // namespace nta::python
