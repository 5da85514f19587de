#include "nta/schedule/scheduler.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "base/utf8.h"
#include "schedule/job_state.h"

namespace nta {
namespace {

using schedule::JobState;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxMessageBytes = 1000;
constexpr std::size_t kMaxJobs = 1000;

struct Job {
  JobOptions options;        // with the timing in use
  JobTiming default_timing;  // it was added with
  JobWork work;
  JobState state;
  bool running = false;
  bool requested = false;
  std::string problem;
};

absl::Status NotFound(std::string_view name) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no job \"" + std::string(name.substr(0, kMaxNameBytes)) + "\"");
}

absl::Status CheckName(std::string_view name) {
  const bool fits =
      !name.empty() && name.size() <= kMaxNameBytes &&
      name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-") == std::string_view::npos;
  if (fits) return absl::OkStatus();
  return base::InvalidArgument("the name of a job is 1 to 64 of a-z, 0-9, _ and -");
}

// A job's next time can be no further away than this, unless the clock went back.
nanoseconds LongestWait(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) return every->interval;
  constexpr std::chrono::hours kDayWithEveryClockChange(26);
  return kDayWithEveryClockChange;
}

// So late a run is still on time: the caller looks now and then, and other jobs take their turn.
nanoseconds Grace(const JobTiming& timing) {
  constexpr nanoseconds kMost = std::chrono::minutes(1);
  return std::min(kMost, LongestWait(timing));
}

std::string Text(std::string_view text) { return base::PrintableUtf8(text, kMaxMessageBytes); }

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

JobStatus StatusOf(const Job& job) {
  JobStatus status;
  status.options = job.options;
  status.default_timing = job.default_timing;
  status.paused = job.state.paused;
  status.running = job.running;
  status.requested = job.requested;
  if (!job.state.paused) status.next_due = job.state.next_due;
  status.runs = job.state.runs;
  status.failures = job.state.failures;
  status.missed = job.state.missed;
  status.failures_in_a_row = job.state.failures_in_a_row;
  status.history.assign(job.state.history.begin(), job.state.history.end());
  status.problem = job.problem;
  return status;
}

}  // namespace

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
  void TakeUp(Job& job, JobState kept) const;
  Job* Find(std::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::optional<JobState>> Load(std::string_view name) const;
  absl::Status Save(const Job& job) const;
  // At the begin and the end of a run.
  absl::Status SaveRun(const Job& job) const {
    return job.options.kept == KeptState::kEveryRun ? Save(job) : absl::OkStatus();
  }
  ScheduleTime Next(const Job& job, ScheduleTime after) const {
    return NextTime(job.state.timing, after, options_.local_offset);
  }
  void MoveWithClock(Job& job, ScheduleTime now) const;
  // The next time after `now`, and how many passed before it.
  std::uint64_t SkipTo(Job& job, ScheduleTime now) const;
  Job* TakeDue(ScheduleTime now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Writes down that the job begins; absent when that could not be kept, and it may not run.
  std::optional<JobContext> Begin(Job& job, ScheduleTime now, std::stop_token stop)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Finish(Job& job, const absl::StatusOr<std::string>& result);

  const SchedulerOptions options_;
  mutable absl::Mutex mutex_;
  // A deque: work that is under way keeps its address.
  std::deque<Job> jobs_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::optional<JobState>> Scheduler::Impl::Load(std::string_view name) const {
  if (!options_.load) return std::nullopt;
  NTA_ASSIGN_OR_RETURN(const std::optional<std::string> text, options_.load(name));
  if (!text) return std::nullopt;
  NTA_ASSIGN_OR_RETURN(JobState state, schedule::Decode(*text));
  return std::optional<JobState>(std::move(state));
}

absl::Status Scheduler::Impl::Save(const Job& job) const {
  if (!options_.save) return absl::OkStatus();
  return options_.save(job.options.name, schedule::Encode(job.state));
}

absl::Status Scheduler::Impl::Add(JobOptions options, JobWork work) {
  NTA_RETURN_IF_ERROR(CheckName(options.name));
  NTA_RETURN_IF_ERROR(CheckTiming(options.timing));
  if (!work) return base::InvalidArgument("a job has something to do");
  base::MutexLock lock(&mutex_);
  if (Find(options.name) != nullptr) {
    return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                            "there is a job \"" + options.name + "\" already");
  }
  if (jobs_.size() >= kMaxJobs) return base::InvalidArgument("more than 1,000 jobs");
  const ScheduleTime now = options_.clock();
  Job job;
  job.options = std::move(options);
  job.default_timing = job.options.timing;
  job.work = std::move(work);
  const absl::StatusOr<std::optional<JobState>> kept = Load(job.options.name);
  const bool known = kept.ok() && kept->has_value();
  if (known) job.state = **kept;
  if (!kept.ok()) job.problem = Text(std::string(kept.status().message()) + "; it begins anew");
  if (known && job.state.timing_is_set) job.options.timing = job.state.timing;
  // Another timing than before: its times are counted from now.
  if (!known || job.state.timing != job.options.timing) {
    job.state.timing = job.options.timing;
    job.state.next_due = Next(job, now);
  }
  if (!job.state.history.empty() && job.state.history.front().outcome == RunOutcome::kRunning) {
    JobRun& run = job.state.history.front();
    run.outcome = RunOutcome::kInterrupted;
    run.message = "the program ended before the job did";
    ++job.state.failures;
    ++job.state.failures_in_a_row;
  }
  if (const absl::Status saved = Save(job); !saved.ok() && job.problem.empty()) {
    job.problem = Text(std::string(saved.message()));
  }
  jobs_.push_back(std::move(job));
  return absl::OkStatus();
}

Job* Scheduler::Impl::Find(std::string_view name) {
  const auto found = std::find_if(jobs_.begin(), jobs_.end(),
                                  [&](const Job& job) { return job.options.name == name; });
  return found == jobs_.end() ? nullptr : &*found;
}

template <typename Change>
absl::Status Scheduler::Impl::ChangeState(std::string_view name, const Change& change) {
  base::MutexLock lock(&mutex_);
  Job* const job = Find(name);
  if (job == nullptr) return NotFound(name);
  JobState before = job->state;
  change(*job);
  const absl::Status saved = Save(*job);
  if (!saved.ok()) job->state = std::move(before);
  return saved;
}

absl::Status Scheduler::Impl::SetTiming(std::string_view name, const JobTiming& timing) {
  NTA_RETURN_IF_ERROR(CheckTiming(timing));
  NTA_RETURN_IF_ERROR(ChangeState(name, [&](Job& job) {
    job.state.timing = timing;
    job.state.timing_is_set = true;
    job.state.next_due = Next(job, options_.clock());
  }));
  base::MutexLock lock(&mutex_);
  Find(name)->options.timing = timing;
  return absl::OkStatus();
}

void Scheduler::Impl::TakeUp(Job& job, JobState kept) const {
  const JobTiming timing = kept.timing_is_set ? kept.timing : job.default_timing;
  // Times that were run for, or passed, must not come again.
  const ScheduleTime next = timing == job.options.timing ? job.state.next_due : ScheduleTime::min();
  if (job.running) {
    job.state.paused = kept.paused;
    job.state.timing_is_set = kept.timing_is_set;
  } else {
    job.state = std::move(kept);
  }
  job.options.timing = timing;
  job.state.timing = timing;
  job.state.next_due = next == ScheduleTime::min() ? Next(job, options_.clock())
                                                   : std::max(next, job.state.next_due);
  std::deque<JobRun>& history = job.state.history;
  if (!job.running && !history.empty() && history.front().outcome == RunOutcome::kRunning) {
    // What ran when those states were kept ended elsewhere.
    history.pop_front();
  }
}

absl::Status Scheduler::Impl::Reload() {
  base::MutexLock lock(&mutex_);
  absl::Status first;
  for (Job& job : jobs_) {
    absl::StatusOr<std::optional<JobState>> kept = Load(job.options.name);
    first.Update(kept.status());
    if (kept.ok() && kept->has_value()) TakeUp(job, **std::move(kept));
    first.Update(Save(job));
  }
  return first;
}

absl::Status Scheduler::Impl::SetPaused(std::string_view name, bool paused) {
  return ChangeState(name, [&](Job& job) {
    if (job.state.paused == paused) return;
    job.state.paused = paused;
    // Times that passed during the pause were not meant to be used.
    const ScheduleTime now = options_.clock();
    if (!paused && job.state.next_due <= now) job.state.next_due = Next(job, now);
  });
}

absl::Status Scheduler::Impl::RunNow(std::string_view name) {
  base::MutexLock lock(&mutex_);
  Job* const job = Find(name);
  if (job == nullptr) return NotFound(name);
  if (job->running) {
    return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                            "the job \"" + job->options.name + "\" is running");
  }
  job->requested = true;
  return absl::OkStatus();
}

std::vector<JobStatus> Scheduler::Impl::Jobs() const {
  base::MutexLock lock(&mutex_);
  std::vector<JobStatus> result;
  for (const Job& job : jobs_) result.push_back(StatusOf(job));
  return result;
}

absl::StatusOr<JobStatus> Scheduler::Impl::GetJob(std::string_view name) const {
  base::MutexLock lock(&mutex_);
  for (const Job& job : jobs_) {
    if (job.options.name == name) return StatusOf(job);
  }
  return NotFound(name);
}

std::optional<ScheduleTime> Scheduler::Impl::NextDue() const {
  base::MutexLock lock(&mutex_);
  const ScheduleTime now = options_.clock();
  std::optional<ScheduleTime> next;
  for (const Job& job : jobs_) {
    if (job.running || (job.state.paused && !job.requested)) continue;
    // After the clock went back, the job waits no longer than it ever does.
    const ScheduleTime due =
        job.requested ? now : std::min(job.state.next_due, now + LongestWait(job.state.timing));
    if (!next || due < *next) next = due;
  }
  return next;
}

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
  failed.message = Text("did not run: its state cannot be kept: " + std::string(saved.message()));
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
  run.message = Text(result.ok() ? *result : std::string(result.status().message()));
  if (result.ok()) {
    job.state.failures_in_a_row = 0;
  } else {
    ++job.state.failures;
    ++job.state.failures_in_a_row;
  }
  job.running = false;
  if (const absl::Status saved = SaveRun(job); !saved.ok()) {
    job.problem = Text("the end of the last run cannot be kept: " + std::string(saved.message()));
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

Scheduler::Scheduler(SchedulerOptions options)
    : impl_(std::make_unique<Impl>(std::move(options))) {}
Scheduler::~Scheduler() = default;

absl::Status Scheduler::Add(JobOptions options, JobWork work) {
  return impl_->Add(std::move(options), std::move(work));
}
absl::Status Scheduler::SetTiming(std::string_view name, const JobTiming& timing) {
  return impl_->SetTiming(name, timing);
}
absl::Status Scheduler::Reload() { return impl_->Reload(); }
absl::Status Scheduler::Pause(std::string_view name) { return impl_->SetPaused(name, true); }
absl::Status Scheduler::Resume(std::string_view name) { return impl_->SetPaused(name, false); }
absl::Status Scheduler::RunNow(std::string_view name) { return impl_->RunNow(name); }
std::vector<JobStatus> Scheduler::Jobs() const { return impl_->Jobs(); }
absl::StatusOr<JobStatus> Scheduler::GetJob(std::string_view name) const {
  return impl_->GetJob(name);
}
std::optional<ScheduleTime> Scheduler::NextDue() const { return impl_->NextDue(); }
std::size_t Scheduler::RunDue(std::stop_token stop) {
  return impl_->RunDue(std::move(stop), [](const std::function<void()>& run) { run(); });
}
std::size_t Scheduler::RunDue(std::stop_token stop, const Executor& execute) {
  return impl_->RunDue(std::move(stop), execute);
}

std::string_view ToString(RunCause cause) {
  switch (cause) {
    case RunCause::kSchedule:
      return "schedule";
    case RunCause::kMissed:
      return "missed";
    case RunCause::kByHand:
      return "by_hand";
  }
  return "";
}

std::string_view ToString(RunOutcome outcome) {
  switch (outcome) {
    case RunOutcome::kRunning:
      return "running";
    case RunOutcome::kOk:
      return "ok";
    case RunOutcome::kFailed:
      return "failed";
    case RunOutcome::kInterrupted:
      return "interrupted";
  }
  return "";
}

}  // namespace nta
