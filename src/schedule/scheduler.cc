#include "nta/schedule/scheduler.h"

#include <algorithm>
#include <utility>

#include "base/mutex_lock.h"
#include "base/status.h"
#include "base/utf8.h"
#include "schedule/scheduler_impl.h"

namespace nta {
namespace {

using schedule::Job;
using schedule::JobState;
using schedule::LongestWait;
using schedule::MessageText;
using std::chrono::nanoseconds;

constexpr std::size_t kMaxNameBytes = 64;
constexpr std::size_t kMaxMessageBytes = 1000;
constexpr std::size_t kMaxJobs = 1000;

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

absl::Status CheckTimingOf(const JobOptions& options, const JobTiming& timing) {
  NTA_RETURN_IF_ERROR(CheckTiming(timing));
  const auto* every = std::get_if<Every>(&timing);
  if (every == nullptr || every->interval >= options.least_interval) return absl::OkStatus();
  return base::InvalidArgument("the job \"" + options.name + "\" runs at most " +
                               ToString(JobTiming(Every{options.least_interval})) + ": give " +
                               std::to_string(options.least_interval.count()) + " seconds or more");
}

// An older version may have taken what is too often.
void RaiseToLeast(const JobOptions& options, JobTiming& timing) {
  auto* every = std::get_if<Every>(&timing);
  if (every != nullptr) every->interval = std::max(every->interval, options.least_interval);
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

nanoseconds schedule::LongestWait(const JobTiming& timing) {
  if (const auto* every = std::get_if<Every>(&timing)) return every->interval;
  constexpr std::chrono::hours kDayWithEveryClockChange(26);
  return kDayWithEveryClockChange;
}

std::string schedule::MessageText(std::string_view text) {
  return base::PrintableUtf8(text, kMaxMessageBytes);
}

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
  NTA_RETURN_IF_ERROR(CheckTimingOf(options, options.timing));
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
  if (!kept.ok())
    job.problem = MessageText(std::string(kept.status().message()) + "; it begins anew");
  if (known && job.state.timing_is_set) {
    job.options.timing = job.state.timing;
    RaiseToLeast(job.options, job.options.timing);
  }
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
    job.problem = MessageText(std::string(saved.message()));
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
  {
    base::MutexLock lock(&mutex_);
    const Job* const job = Find(name);
    if (job == nullptr) return NotFound(name);
    NTA_RETURN_IF_ERROR(CheckTimingOf(job->options, timing));
  }
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
  JobTiming timing = kept.timing_is_set ? kept.timing : job.default_timing;
  RaiseToLeast(job.options, timing);
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
