// Operations: what the server does by itself. It watches its health, runs its jobs, deletes what is
// too old, sums up each day, and keeps the incidents.
#ifndef NTA_SERVER_OPERATIONS_OPERATIONS_H_
#define NTA_SERVER_OPERATIONS_OPERATIONS_H_

#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "clock.h"
#include "nta/schedule/scheduler.h"
#include "nta/store/incidents.h"
#include "nta/store/store.h"
#include "operations/api_latency.h"
#include "operations/daily_summary.h"
#include "operations/health_monitor.h"
#include "operations/retention.h"
#include "operations/store_health.h"
#include "traffic/capture_loop.h"

namespace nta::server {

// Thread-safe, as each of its members is.
struct Operations {
  // Borrows `store` and `store_health`.
  Operations(Store& store, const Clock& clock, std::function<CaptureStatus()> capture,
             StoreHealth& store_health);

  ApiLatency latency;
  Scheduler scheduler;
  HealthMonitor health;
  Retention retention;
  DailySummaries summaries;
  Incidents incidents;

  // Does an act of the schedule and records it in the audit trail; does not do it when it cannot be
  // recorded. Absent: nothing is recorded.
  using Recorder = std::function<absl::StatusOr<std::string>(
      std::string_view act, const std::function<absl::StatusOr<std::string>()>& work)>;
  // The jobs above, under the names of docs/schedule.md. `on_summary` is told of each day.
  absl::Status AddJobs(std::function<void(const DailySummary&)> on_summary, Recorder record = {});
};

// Runs what is due until a stop is requested, in threads of its own, so that a backup of an hour
// holds up no health sample. Returns when all that it started has ended.
void RunSchedule(Scheduler& scheduler, std::stop_token stop);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_OPERATIONS_H_
