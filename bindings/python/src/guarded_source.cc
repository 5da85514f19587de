#include "guarded_source.h"

#include <algorithm>
#include <utility>

namespace nta::python {

absl::StatusOr<ReadResult> GuardedSource::Read(PacketBatch& batch) {
  return ReadWith(&PacketSource::Read, batch);
}

absl::StatusOr<ReadResult> GuardedSource::ReadNow(PacketBatch& batch) {
  return ReadWith(&PacketSource::ReadNow, batch);
}

absl::StatusOr<ReadResult> GuardedSource::ReadWith(Reader reader, PacketBatch& batch) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_)
      return absl::FailedPreconditionError("cannot read \"" + name_ + "\": it is closed");
  }
  absl::StatusOr<ReadResult> result = (source_.get()->*reader)(batch);
  // Only this thread changes interfaces_. New ones are rare: they are asked for when a packet names
  // one, or no more packets come.
  const bool is_new = std::any_of(batch.begin(), batch.end(), [this](const PacketView& packet) {
    return packet.interface_id >= interfaces_.size();
  });
  const bool has_ended = !result.ok() || *result == ReadResult::kEnd;
  std::vector<CaptureInterface> interfaces;
  if (is_new || has_ended) interfaces = source_->Interfaces();
  const std::lock_guard lock(mutex_);
  stats_ = source_->Stats();
  if (is_new || has_ended) interfaces_ = std::move(interfaces);
  return result;
}

std::vector<CaptureInterface> GuardedSource::Interfaces() const {
  const std::lock_guard lock(mutex_);
  return interfaces_;
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
