// ReplaySource: a recorded capture at the speed at which it was recorded.
//
//   nta::ReplaySource replay(reader_factory, {.clock = nta::SystemClock(), .repeat =
//   nta::ReplayRepeat::kForever});
#ifndef NTA_CAPTURE_REPLAY_SOURCE_H_
#define NTA_CAPTURE_REPLAY_SOURCE_H_

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "nta/capture/packet_source.h"

namespace nta {

enum class ReplayRepeat { kOnce, kForever };

struct ReplayOptions {
  // The present time and a way to let it pass; both are the caller's, so that a test can drive
  // them.
  std::function<Timestamp()> now;
  std::function<void(Duration)> sleep;
  double speed = 1.0;  // 2.0 is twice as fast
  ReplayRepeat repeat = ReplayRepeat::kOnce;
  // Silence between the last packet of one round and the first of the next.
  Duration pause = std::chrono::seconds(1);
  // Read answers kTimeout when no packet is due within this time.
  Duration timeout = std::chrono::milliseconds(100);
};

// Hands out the packets of another source when they are due, with time stamps moved to the present:
// the first packet of each round is stamped with the time at which it is handed out, the others
// keep their distance (divided by speed).
class ReplaySource final : public PacketSource {
 public:
  // Opens the recording; called once per round.
  using Opener = std::function<absl::StatusOr<std::unique_ptr<PacketSource>>()>;

  // Fails as the opener fails.
  static absl::StatusOr<std::unique_ptr<ReplaySource>> Open(Opener opener, ReplayOptions options);

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override;
  std::shared_ptr<const void> Retain() override;
  CaptureStats Stats() const override;
  bool is_live() const override { return true; }
  std::string name() const override;
  std::vector<CaptureInterface> Interfaces() const override;

 private:
  ReplaySource(Opener opener, ReplayOptions options, std::unique_ptr<PacketSource> recording);
  absl::StatusOr<ReadResult> Refill();
  void StartRound();
  Timestamp DueTime(const PacketView& packet) const;

  Opener opener_;
  ReplayOptions options_;
  std::unique_ptr<PacketSource> recording_;
  PacketBatch pending_;
  std::size_t next_ = 0;
  bool round_started_ = false;
  Timestamp recorded_start_{};
  Timestamp replay_start_{};
  Timestamp last_due_{};
  CaptureStats stats_;
};

}  // namespace nta

#endif  // NTA_CAPTURE_REPLAY_SOURCE_H_
