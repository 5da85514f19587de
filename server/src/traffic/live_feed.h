// LiveFeed: one thread that looks, four times a second, at what live streams and health checks
// should know.
#ifndef NTA_SERVER_TRAFFIC_LIVE_FEED_H_
#define NTA_SERVER_TRAFFIC_LIVE_FEED_H_

#include <atomic>
#include <functional>
#include <stop_token>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "app.h"
#include "http/connections.h"
#include "http/worker_pool.h"
#include "nta/pipeline/traffic_sampler.h"
#include "traffic/capture_loop.h"

namespace nta::server {

// Tick by one thread.
class LiveFeed {
 public:
  // Borrows all until the feed ends. Work that may block goes to `pool`.
  LiveFeed(Services& services, CaptureLoop& capture, TrafficSampler& sampler,
           Connections& connections, WorkerPool& pool);

  // Ticks until `stop`.
  void Run(std::stop_token stop);
  // Publishes what became known; looks after sessions, deadlines and the store when it is time. For
  // Run and tests.
  void Tick();

  // Called when the disk is full, each minute until it is not, by a thread that may wait; before
  // Run.
  void SetMakeRoom(std::function<void()> make_room) { make_room_ = std::move(make_room); }

  // Brings into the store what was captured, and what was lost, since the last call. Waits for
  // the disk; thread-safe.
  absl::Status RecordCapture();

 private:
  void PublishSamples();
  void PublishTalkers();
  void PublishCaptureState();
  void CheckStore();
  void TellStore(const absl::Status& status);
  // Whether the store answers and takes what is written; in a thread that may wait.
  void AskStore();
  void MakeRoom(Duration now);
  void CheckSessions();

  Services& services_;
  CaptureLoop& capture_;
  TrafficSampler& sampler_;
  Connections& connections_;
  WorkerPool& pool_;
  Timestamp next_sample_{};
  Duration next_talkers_{};
  Duration next_heartbeat_{};
  Duration next_second_{};
  Duration next_store_check_{};
  Duration store_asked_{};
  CaptureState last_state_ = CaptureState::kRunning;
  std::string last_message_;
  std::atomic<bool> sessions_asked_{false};
  std::atomic<bool> store_busy_{false};
  std::function<void()> make_room_;
  Duration next_room_{};
  std::atomic<bool> making_room_{false};
  std::atomic<Timestamp> marked_until_{Timestamp::min()};
  absl::Mutex record_mutex_;
  CaptureCounts recorded_ ABSL_GUARDED_BY(record_mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_LIVE_FEED_H_
