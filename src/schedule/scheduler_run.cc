// When jobs run: what is due, what was missed, begin and end of each run.
#include <algorithm>
#include <exception>
#include <utility>

#include "base/mutex_lock.h"
#include "base/status.h"
#include "schedule/scheduler_impl.h"

namespace nta {
namespace {

using schedule::Job;
using schedule::JobState;
using schedule::LongestWait;
using schedule::MessageText;
using std::chrono::nanoseconds;

// So late a run is still on time: the caller looks now and then, and other jobs take their turn.
nanoseconds Grace(const JobTiming& timing) {
  constexpr nanoseconds kMost = std::chrono::minutes(1);
  return std::min(kMost, LongestWait(timing));
}

absl::StatusOr<std::string> Call(const JobWork& work, const JobContext& context) {
  // One job that throws must not take the others with it.
  try {
    return work(context);
  } catch (const std::exception& error) {
    return base::MakeStatus(absl::StatusCode::kInternal, error.what());
  } catch (...) {
    return base::MakeStatus(absl::StatusCode::kInternal, "the job threw what is no exception");
  }
}

}  // namespace

void Scheduler::Impl::MoveWithClock(Job& job, ScheduleTime now) const {
  if (job.state.next_due - now > LongestWait(job.state.timing)) {
    job.state.next_due = Next(job, now);
  }
}

std::uint64_t Scheduler::Impl::SkipTo(Job& job, ScheduleTime now) const {
  std::uint64_t passed = 0;
  ScheduleTime& next = job.state.next_due;
  if (const auto* every = std::get_if<Every>(&job.state.timing)) {
    // By division: a clock that was years behind must not cost a turn for each second.
    const auto count = (now - next) / nanoseconds(every->interval) + 1;
    passed = static_cast<std::uint64_t>(count);
    next += count * nanoseconds(every->interval);
  } else {
    constexpr nanoseconds kDay = std::chrono::days(1);
    constexpr int kStepByStep = 10;
    if (const auto days = (now - next) / kDay; days > kStepByStep) {
      passed = static_cast<std::uint64_t>(days) + 1;
      next = Next(job, now);
    }
    while (next <= now) {
      ++passed;
      next = Next(job, next);
    }
  }
  return passed;
}

Job* Scheduler::Impl::TakeDue(ScheduleTime now) {
  Job* longest = nullptr;
  for (Job& job : jobs_) {
    if (job.running) continue;
    MoveWithClock(job, now);
    const bool due = job.requested || (!job.state.paused && job.state.next_due <= now);
    if (due && (longest == nullptr || job.state.next_due < longest->state.next_due)) longest = &job;
  }
  if (longest != nullptr) longest->running = true;
  return longest;
}

std::optional<JobContext> Scheduler::Impl::Begin(Job& job, ScheduleTime now, std::stop_token stop) {
  const JobState before = job.state;
  const bool by_hand = std::exchange(job.requested, false);
  const ScheduleTime due = by_hand ? now : job.state.next_due;
  // A run by hand leaves the times as they are; when it is due anyway, it serves both.
  const bool passes = !job.state.paused && job.state.next_due <= now;
  const bool late = passes && !by_hand && now - due > Grace(job.state.timing);
  const bool skip = late && job.options.missed == MissedRuns::kSkip;
  std::uint64_t missed = passes ? SkipTo(job, now) : 0;
  if (missed > 0 && !skip) --missed;  // the one that this run is for
  job.state.missed += missed;
  const JobRun run{.due = due,
                   .started = now,
                   .finished = std::nullopt,
                   .cause = by_hand ? RunCause::kByHand
                            : late  ? RunCause::kMissed
                                    : RunCause::kSchedule,
                   .outcome = RunOutcome::kRunning,
                   .message = {},
                   .missed = missed};
  if (!skip) {
    job.state.history.push_front(run);
    if (job.state.history.size() > kKeptRuns) job.state.history.pop_back();
    ++job.state.runs;
  }
  const absl::Status saved = SaveRun(job);
  if (saved.ok()) {
    job.problem.clear();
    if (!skip) return JobContext{due, now, run.cause, std::move(stop)};
    job.running = false;
    return std::nullopt;
  }
  // What cannot be written down could run twice after a crash: it does not run, and says so. Its
  // time has passed, or it would be tried again at once and for ever.
  job.state = before;
  if (passes) job.state.missed += SkipTo(job, now);
  ++job.state.failures;
  ++job.state.failures_in_a_row;
  JobRun failed = run;
  failed.finished = now;
  failed.outcome = RunOutcome::kFailed;
  failed.message =
      MessageText("did not run: its state cannot be kept: " + std::string(saved.message()));
  job.problem = failed.message;
  job.state.history.push_front(std::move(failed));
  if (job.state.history.size() > kKeptRuns) job.state.history.pop_back();
  job.running = false;
  return std::nullopt;
}

void Scheduler::Impl::Finish(Job& job, const absl::StatusOr<std::string>& result) {
  base::MutexLock lock(&mutex_);
  JobRun& run = job.state.history.front();
  run.finished = options_.clock();
  run.outcome = result.ok() ? RunOutcome::kOk : RunOutcome::kFailed;
  run.message = MessageText(result.ok() ? *result : std::string(result.status().message()));
  if (result.ok()) {
    job.state.failures_in_a_row = 0;
  } else {
    ++job.state.failures;
    ++job.state.failures_in_a_row;
  }
  job.running = false;
  if (const absl::Status saved = SaveRun(job); !saved.ok()) {
    job.problem =
        MessageText("the end of the last run cannot be kept: " + std::string(saved.message()));
  }
}

std::size_t Scheduler::Impl::RunDue(std::stop_token stop, const Executor& execute) {
  std::size_t count = 0;
  // What is due now, once each: a job that is due again when it ends waits for the next call.
  const ScheduleTime now = options_.clock();
  while (!stop.stop_requested()) {
    Job* job = nullptr;
    std::optional<JobContext> context;
    {
      base::MutexLock lock(&mutex_);
      job = TakeDue(now);
      if (job == nullptr) break;
      context = Begin(*job, now, stop);
    }
    if (!context) continue;
    ++count;
    execute([this, job, context = *std::move(context)] { Finish(*job, Call(job->work, context)); });
  }
  return count;
}

}  // namespace nta
