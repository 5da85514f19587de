#include "traffic/live_feed.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

#include "base/status.h"
#include "logging/log.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr milliseconds kTick(250);
constexpr seconds kTalkersEvery(2);
constexpr seconds kHeartbeatEvery(15);
constexpr seconds kStoreCheckEvery(5);
constexpr seconds kStorePatience(30);
constexpr seconds kMakeRoomEvery(60);
constexpr std::size_t kTalkers = 10;

// True once per period.
bool IsDue(Duration& next, Duration now, Duration period) {
  if (now < next) return false;
  next = now + period;
  return true;
}

}  // namespace

LiveFeed::LiveFeed(Services& services, CaptureLoop& capture, TrafficSampler& sampler,
                   Connections& connections, WorkerPool& pool)
    : services_(services),
      capture_(capture),
      sampler_(sampler),
      connections_(connections),
      pool_(pool) {
  const CaptureStatus status = capture_.status();
  last_state_ = status.state;
  last_message_ = status.message;
}

void LiveFeed::Run(std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Tick();
    wake.wait_for(lock, stop, kTick, [] { return false; });
  }
}

void LiveFeed::Tick() {
  const Duration now = services_.clock.monotonic();
  // First, while the queues of quick clients are empty.
  if (IsDue(next_heartbeat_, now, kHeartbeatEvery)) services_.streams.Heartbeat();
  PublishSamples();
  PublishCaptureState();
  if (IsDue(next_talkers_, now, kTalkersEvery)) PublishTalkers();
  if (IsDue(next_store_check_, now, kStoreCheckEvery)) CheckStore();
  if (IsDue(next_second_, now, seconds(1))) {
    connections_.StopAbandoned();
    connections_.EndOverdue(now);
    services_.streams.EndAbandoned();
    CheckSessions();
    // At once: what waits in memory for a full disk is lost when the power fails.
    TellStore(capture_.status().store.last_error);
    if (absl::IsResourceExhausted(services_.store_health.trouble())) MakeRoom(now);
  }
}

void LiveFeed::TellStore(const absl::Status& status) {
  // Once, not every second.
  if (services_.store_health.Tell(status, services_.clock.monotonic())) {
    Log(LogLevel::kError, "store", "the store fails", {{"error", std::string(status.message())}});
  }
}

// The hourly job may be long off, and what the schedule keeps of it has no room either.
void LiveFeed::MakeRoom(Duration now) {
  if (!make_room_ || making_room_ || !IsDue(next_room_, now, kMakeRoomEvery)) return;
  making_room_ = true;
  const bool submitted = pool_.Submit([this] {
    make_room_();
    making_room_ = false;
  });
  if (!submitted) making_room_ = false;
}

void LiveFeed::PublishSamples() {
  for (const TrafficSample& sample : sampler_.Samples(next_sample_)) {
    services_.streams.PublishSample(nta::ToJson(sample));
    next_sample_ = sample.time + seconds(1);
  }
}

void LiveFeed::PublishTalkers() {
  if (services_.streams.size() == 0) return;
  std::string json = R"({"window_seconds":60,"talkers":[)";
  const std::vector<Talker> talkers = sampler_.TopTalkers(kTalkers);
  for (const Talker& talker : talkers) json.append(nta::ToJson(talker)).push_back(',');
  if (!talkers.empty()) json.pop_back();
  services_.streams.Publish("talkers", json + "]}");
}

void LiveFeed::PublishCaptureState() {
  const CaptureStatus status = capture_.status();
  if (status.state == last_state_ && status.message == last_message_) return;
  last_state_ = status.state;
  last_message_ = status.message;
  services_.streams.Publish("capture", ToJson(status));
}

void LiveFeed::CheckStore() {
  const Duration now = services_.clock.monotonic();
  if (store_busy_.exchange(true)) {
    // The question before this one is still waiting for its answer.
    if (now - store_asked_ > kStorePatience) {
      TellStore(base::MakeStatus(absl::StatusCode::kUnavailable, "the store does not answer"));
    }
    return;
  }
  store_asked_ = now;
  const bool submitted = pool_.Submit([this] {
    AskStore();
    store_busy_ = false;
  });
  if (!submitted) store_busy_ = false;
}

void LiveFeed::AskStore() {
  absl::Status status = services_.store.GetSetting(kSessionsSetting).status();
  if (absl::IsNotFound(status)) status = absl::OkStatus();
  if (status.ok()) status = RecordCapture();
  if (status.ok()) status = services_.detection.SaveCounts();
  if (status.ok()) status = capture_.status().store.last_error;
  TellStore(status);
  if (status.ok() && services_.store_health.Probe(services_.store, services_.clock.monotonic())) {
    Log(LogLevel::kInfo, "store", "the store works again");
  }
}

absl::Status LiveFeed::RecordCapture() {
  absl::MutexLock lock(&record_mutex_);
  const auto captured = capture_.captured();
  if (!captured) return absl::OkStatus();
  if (captured->until > marked_until_.load()) {
    const absl::Status status = services_.store.MarkCaptured(
        {std::max(captured->since, marked_until_.load()), captured->until});
    if (!status.ok()) return status;
    marked_until_ = captured->until;
  }
  const CaptureStatus status = capture_.status();
  const CaptureCounts now{status.ledger.received, status.ledger.dropped, status.flow_table.evicted,
                          status.store.flows_dropped};
  const absl::Status recorded = services_.store.RecordCapture(
      captured->until,
      {now.packets_seen - recorded_.packets_seen, now.packets_dropped - recorded_.packets_dropped,
       now.flows_evicted - recorded_.flows_evicted, now.flows_dropped - recorded_.flows_dropped});
  if (recorded.ok()) recorded_ = now;
  return recorded;
}

void LiveFeed::CheckSessions() {
  if (services_.logins != nullptr) services_.logins->Tick(services_.clock.wall());
  std::vector<StreamOwner> owners = services_.streams.Owners();
  if (owners.empty() || sessions_asked_.exchange(true)) return;
  const bool submitted = pool_.Submit([this, owners = std::move(owners)] {
    for (const StreamOwner& owner : owners) {
      if (!IsAlive(services_, owner)) services_.streams.EndSession(owner.session);
    }
    sessions_asked_ = false;
  });
  if (!submitted) sessions_asked_ = false;
}

}  // namespace nta::server
