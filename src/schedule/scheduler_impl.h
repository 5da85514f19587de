// What a Scheduler is made of: keeping and changing jobs (scheduler.cc), running them
// (scheduler_run.cc).
#ifndef NTA_SCHEDULE_SCHEDULER_IMPL_H_
#define NTA_SCHEDULE_SCHEDULER_IMPL_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/schedule/scheduler.h"
#include "schedule/job_state.h"

namespace nta {
namespace schedule {

struct Job {
  JobOptions options;        // with the timing in use
  JobTiming default_timing;  // it was added with
  JobWork work;
  JobState state;
  bool running = false;
  bool requested = false;
  std::string problem;
};

// A job's next time can be no further away than this, unless the clock went back.
std::chrono::nanoseconds LongestWait(const JobTiming& timing);
// A message of a job as it is kept.
std::string MessageText(std::string_view text);

}  // namespace schedule

class Scheduler::Impl {
 public:
  explicit Impl(SchedulerOptions options) : options_(std::move(options)) {}

  absl::Status Add(JobOptions options, JobWork work);
  // Changes the state of a job and keeps it; undone when it cannot be kept.
  template <typename Change>
  absl::Status ChangeState(std::string_view name, const Change& change);
  absl::Status SetTiming(std::string_view name, const JobTiming& timing);
  absl::Status Reload();
  absl::Status SetPaused(std::string_view name, bool paused);
  absl::Status RunNow(std::string_view name);
  std::vector<JobStatus> Jobs() const;
  absl::StatusOr<JobStatus> GetJob(std::string_view name) const;
  std::optional<ScheduleTime> NextDue() const;
  std::size_t RunDue(std::stop_token stop, const Executor& execute);

 private:
  // `kept` in place of what is known.
  void TakeUp(schedule::Job& job, schedule::JobState kept) const;
  schedule::Job* Find(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<schedule::JobState>> Load(std::string_view name) const;
  absl::Status Save(const schedule::Job& job) const;
  // At the begin and the end of a run.
  absl::Status SaveRun(const schedule::Job& job) const {
    return job.options.kept == KeptState::kEveryRun ? Save(job) : absl::OkStatus();
  }
  ScheduleTime Next(const schedule::Job& job, ScheduleTime after) const {
    return NextTime(job.state.timing, after, options_.local_offset);
  }
  void MoveWithClock(schedule::Job& job, ScheduleTime now) const;
  // The next time after `now`, and how many passed before it.
  std::uint64_t SkipTo(schedule::Job& job, ScheduleTime now) const;
  schedule::Job* TakeDue(ScheduleTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes down that the job begins; absent when that could not be kept, and it may not run.
  std::optional<JobContext> Begin(schedule::Job& job, ScheduleTime now, std::stop_token stop)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(schedule::Job& job, const absl::StatusOr<std::string>& result);

  const SchedulerOptions options_;
  mutable absl::Mutex mutex_;
  // A deque: work that is under way keeps its address.
  std::deque<schedule::Job> jobs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta

#endif  // NTA_SCHEDULE_SCHEDULER_IMPL_H_
