// HealthMonitor: the machine, this process, the pipeline and the API, sampled, kept and watched.
#ifndef NTA_SERVER_OPERATIONS_HEALTH_MONITOR_H_
#define NTA_SERVER_OPERATIONS_HEALTH_MONITOR_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "nta/detect/alert.h"
#include "nta/health/health.h"
#include "nta/health/health_watch.h"
#include "nta/health/rates.h"
#include "nta/store/store.h"
#include "operations/api_latency.h"
#include "operations/store_health.h"
#include "traffic/capture_loop.h"

namespace nta::server {

struct HealthParts {
  Store& store;
  const ApiLatency& api;
  Clock clock;
  std::function<CaptureStatus()> capture;
  // Jobs of the schedule whose last run failed.
  std::function<std::size_t()> failing_jobs;
  StoreHealth& store_health;
};

// Thread-safe.
class HealthMonitor {
 public:
  static constexpr std::string_view kThresholdsSetting = "server.health_thresholds";
  static constexpr std::string_view kActiveSetting = "server.health_active";

  // Keeps what it borrows in `parts` until its end.
  explicit HealthMonitor(HealthParts parts);

  // Before the first tick. File systems that the server's files are on are watched in any case.
  void SetOptions(HealthOptions options);
  // Told of every finding that is raised or over, as an alert; in the thread of Tick.
  void SetListener(std::function<void(const Alert&)> listener);
  // Takes up the thresholds of the store, those by default when it has none, and what was raised
  // before a restart; also when another store took its place.
  absl::Status Restore();

  // Samples, watches, and writes the means of each minute into the store. What was done, in words.
  absl::StatusOr<std::string> Tick();
  // How things are now; docs/health.md. Sampled anew when the last sample is old.
  std::string Json();

  std::vector<HealthThreshold> Thresholds() const;
  // InvalidArgument as HealthWatch::Create; kept in the store.
  absl::Status SetThresholds(std::vector<HealthThreshold> thresholds);
  static std::vector<HealthThreshold> DefaultThresholds();

 private:
  // What the server counts, at one moment.
  struct Counters {
    Duration monotonic{};
    CaptureStatus capture;
    LatencySnapshot api;
  };
  struct Latest {
    HealthSample sample;
    HealthRates rates;
    Counters counters;
    std::vector<HealthValue> values;
    LatencyHistogram api;  // of the last minute
    double seconds = 0;    // since the sample before
  };
  // What the API had answered by then.
  struct Answered {
    Duration monotonic{};
    LatencyHistogram times;
  };
  struct Mean {
    double sum = 0;
    std::uint64_t count = 0;
  };

  // How things are, with rates since `before`.
  Latest Look(const std::optional<Latest>& before) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AddPipeline(const Counters* before, Latest& latest) const;
  void AddApi(const Counters* before, Latest& latest) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  LatencyHistogram LastMinute(const Counters& now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The samples of the minute that is over; empty while it lasts.
  std::vector<Sample> Collect(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveActive() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::string ApiJson() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const HealthParts parts_;
  mutable absl::Mutex mutex_;
  HealthOptions options_ ABSL_GUARDED_BY(mutex_);
  std::function<void(const Alert&)> listener_ ABSL_GUARDED_BY(mutex_);
  HealthWatch watch_ ABSL_GUARDED_BY(mutex_);
  // The newest, and that of the last tick: what is watched is measured from tick to tick, whoever
  // asks in between.
  std::optional<Latest> latest_ ABSL_GUARDED_BY(mutex_);
  std::optional<Latest> ticked_ ABSL_GUARDED_BY(mutex_);
  // At each tick of the last minute, and the one before it.
  std::deque<Answered> answered_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, Mean> means_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::chrono::sys_time<std::chrono::minutes>> minute_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_HEALTH_MONITOR_H_
