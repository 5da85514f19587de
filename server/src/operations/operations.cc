#include "operations/operations.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "http/worker_pool.h"
#include "logging/log.h"

namespace nta::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kStateKind = "schedule";
constexpr std::size_t kThreads = 3;
constexpr std::size_t kQueue = 64;
// Soon enough for "run now", seldom enough to cost nothing.
constexpr std::chrono::milliseconds kLook(250);

absl::StatusOr<std::optional<std::string>> LoadState(Store& store, std::string_view job) {
  const absl::StatusOr<Document> document = store.GetDocument(kStateKind, job);
  if (absl::IsNotFound(document.status())) return std::nullopt;
  if (!document.ok()) return document.status();
  return document->body;
}

absl::Status SaveState(Store& store, Timestamp now, std::string_view job, std::string_view state) {
  return store
      .PutDocument({.kind = std::string(kStateKind),
                    .id = std::string(job),
                    .body = std::string(state),
                    .updated = now,
                    .version = Document::kAnyVersion})
      .status();
}

SchedulerOptions MakeSchedulerOptions(Store& store, const Clock& clock) {
  return {.clock = clock.wall,
          .load = [&store](std::string_view job) { return LoadState(store, job); },
          .save =
              [&store, clock](std::string_view job, std::string_view state) {
                return SaveState(store, clock.wall(), job, state);
              },
          .local_offset = SystemZoneOffset};
}

std::size_t FailingJobs(const Scheduler& scheduler) {
  std::size_t failing = 0;
  for (const JobStatus& job : scheduler.Jobs()) {
    if (job.failures_in_a_row > 0 || !job.problem.empty()) ++failing;
  }
  return failing;
}

}  // namespace

Operations::Operations(Store& store, const Clock& clock, std::function<CaptureStatus()> capture,
                       StoreHealth& store_health)
    : scheduler(MakeSchedulerOptions(store, clock)),
      health({.store = store,
              .api = latency,
              .clock = clock,
              .capture = std::move(capture),
              .failing_jobs = [this] { return FailingJobs(scheduler); },
              .store_health = store_health}),
      retention(store),
      summaries(store, SystemZoneOffset),
      incidents(store) {}

absl::Status Operations::AddJobs(std::function<void(const DailySummary&)> on_summary,
                                 Recorder record) {
  NTA_RETURN_IF_ERROR(scheduler.Add(
      {.name = "health_sample",
       .description = "Measures this machine, the pipeline and the API, and raises alerts",
       .timing = Every{seconds(10)},
       .missed = MissedRuns::kSkip,
       .kept = KeptState::kPauseOnly,
       // Rates over less are noise.
       .least_interval = seconds(5)},
      [this](const nta::JobContext&) { return health.Tick(); }));
  NTA_RETURN_IF_ERROR(scheduler.Add(
      {.name = "retention",
       .description = "Deletes what the retention settings do not keep, and gives back the space",
       .timing = Every{hours(1)},
       .least_interval = minutes(1)},
      [this,
       record = std::move(record)](const nta::JobContext& context) -> absl::StatusOr<std::string> {
        const auto run = [&] { return retention.Run(context.now); };
        // What keeps everything is no act.
        NTA_ASSIGN_OR_RETURN(const RetentionSettings settings, retention.Get());
        const bool acts = settings != RetentionSettings();
        return record && acts ? record("store.retention", run) : run();
      }));
  return scheduler.Add({.name = "daily_summary",
                        .description = "Sums up the day before: traffic, alerts, losses",
                        .timing = Daily{minutes(10), DayZone::kLocal},
                        .least_interval = hours(1)},
                       [this, tell = std::move(on_summary)](
                           const nta::JobContext& context) -> absl::StatusOr<std::string> {
                         NTA_ASSIGN_OR_RETURN(const DailySummary summary,
                                              summaries.Make(context.now));
                         if (tell) tell(summary);
                         return summary.text;
                       });
}

void RunSchedule(Scheduler& scheduler, std::stop_token stop) {
  WorkerPool pool(kThreads, kQueue);
  const Scheduler::Executor execute = [&pool](std::function<void()> run) {
    // A full queue means more jobs than any server has; this thread then is a worker, too.
    if (!pool.Submit(run)) run();
  };
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    scheduler.RunDue(stop, execute);
    wake.wait_for(lock, stop, kLook, [] { return false; });
  }
}

}  // namespace nta::server
