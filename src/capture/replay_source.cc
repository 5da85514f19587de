#include "nta/capture/replay_source.h"

#include <algorithm>
#include <utility>

#include "base/status.h"

namespace nta {

absl::StatusOr<std::unique_ptr<ReplaySource>> ReplaySource::Open(Opener opener,
                                                                 ReplayOptions options) {
  if (!options.now || !options.sleep) {
    return base::InvalidArgument("a replay needs a clock and a way to sleep");
  }
  if (!(options.speed > 0)) return base::InvalidArgument("the speed of a replay must be positive");
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<PacketSource> recording, opener());
  return std::unique_ptr<ReplaySource>(
      new ReplaySource(std::move(opener), std::move(options), std::move(recording)));
}

ReplaySource::ReplaySource(Opener opener, ReplayOptions options,
                           std::unique_ptr<PacketSource> recording)
    : opener_(std::move(opener)), options_(std::move(options)), recording_(std::move(recording)) {}

absl::StatusOr<ReadResult> ReplaySource::Read(PacketBatch& batch) {
  batch.clear();
  if (next_ == pending_.size()) {
    NTA_ASSIGN_OR_RETURN(const ReadResult result, Refill());
    if (result != ReadResult::kPackets) return result;
  }
  // Packets that are not due yet are waited for; those that are due by then go out together.
  const Timestamp now = options_.now();
  const Timestamp due = DueTime(pending_[next_]);
  if (due > now) {
    options_.sleep(std::min(due - now, options_.timeout));
    if (due > now + options_.timeout) return ReadResult::kTimeout;
  }
  const Timestamp until = std::max(options_.now(), due);
  for (; next_ < pending_.size(); ++next_) {
    PacketView packet = pending_[next_];
    packet.time = DueTime(packet);
    if (packet.time > until) break;
    last_due_ = std::max(last_due_, packet.time);
    batch.push_back(packet);
    ++stats_.received;
    stats_.received_bytes += packet.bytes.size();
  }
  return ReadResult::kPackets;
}

// When the packet goes out, which is also its new time stamp.
Timestamp ReplaySource::DueTime(const PacketView& packet) const {
  const auto recorded = static_cast<double>((packet.time - recorded_start_).count());
  return replay_start_ + Duration(static_cast<std::int64_t>(recorded / options_.speed));
}

absl::StatusOr<ReadResult> ReplaySource::Refill() {
  next_ = 0;
  NTA_ASSIGN_OR_RETURN(const ReadResult result, recording_->Read(pending_));
  switch (result) {
    case ReadResult::kPackets:
      if (!round_started_) StartRound();
      return result;
    case ReadResult::kTimeout:
      return result;
    case ReadResult::kEnd:
      break;
  }
  // A recording without packets would be opened again and again.
  if (options_.repeat == ReplayRepeat::kOnce || !round_started_) return ReadResult::kEnd;
  NTA_ASSIGN_OR_RETURN(recording_, opener_());
  round_started_ = false;
  return ReadResult::kTimeout;
}

void ReplaySource::StartRound() {
  const bool is_first = stats_.received == 0;
  recorded_start_ = pending_.front().time;
  replay_start_ = is_first ? options_.now() : std::max(options_.now(), last_due_ + options_.pause);
  round_started_ = true;
}

std::shared_ptr<const void> ReplaySource::Retain() {
  return recording_ == nullptr ? nullptr : recording_->Retain();
}

CaptureStats ReplaySource::Stats() const { return stats_; }

std::string ReplaySource::name() const { return recording_->name(); }

std::vector<CaptureInterface> ReplaySource::Interfaces() const { return recording_->Interfaces(); }

}  // namespace nta
