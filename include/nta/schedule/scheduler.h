// Scheduler: jobs that run by themselves, and tell when they did not.
//
//   nta::Scheduler scheduler({.clock = Now, .load = LoadText, .save = SaveText});
//   scheduler.Add({.name = "retention", .timing = nta::Daily{.at = 3h}}, DeleteOldFlows);
//   while (!stopping) { scheduler.RunDue(); WaitUntil(scheduler.NextDue()); }
//
// It has no thread of its own: RunDue() does the work, in the caller's.
#ifndef NTA_SCHEDULE_SCHEDULER_H_
#define NTA_SCHEDULE_SCHEDULER_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/schedule/job_timing.h"

namespace nta {

// What becomes of times that passed while nothing could run: the program was off, or another run
// took too long.
enum class MissedRuns : std::uint8_t {
  kRunOnce = 0,  // one run makes up for all of them
  kSkip = 1,     // they are counted; the next run is at the next time
};

enum class RunCause : std::uint8_t { kSchedule = 0, kMissed = 1, kByHand = 2 };
std::string_view ToString(RunCause cause);  // "schedule", "missed", "by_hand"

enum class RunOutcome : std::uint8_t {
  kRunning = 0,
  kOk = 1,
  kFailed = 2,
  kInterrupted = 3,  // the program ended before the job did
};
std::string_view ToString(RunOutcome outcome);  // "running", "ok", "failed", "interrupted"

struct JobRun {
  ScheduleTime due{};  // the time it ran for
  ScheduleTime started{};
  std::optional<ScheduleTime> finished{};  // absent while it runs, and when it was interrupted
  RunCause cause = RunCause::kSchedule;
  RunOutcome outcome = RunOutcome::kRunning;
  std::string message{};     // why it failed, or what the job wants to tell
  std::uint64_t missed = 0;  // times that had passed unused before this run

  friend bool operator==(const JobRun&, const JobRun&) = default;
};

// How much of a job outlives the program.
enum class KeptState : std::uint8_t {
  kEveryRun = 0,  // nothing runs twice for the same time
  // Only whether it is paused: for what runs often and may as well run again, as a measurement.
  kPauseOnly = 1,
};

struct JobOptions {
  std::string name{};         // 1 to 64 of a-z, 0-9, _ and -
  std::string description{};  // for people
  JobTiming timing = Every{std::chrono::hours(1)};
  MissedRuns missed = MissedRuns::kRunOnce;
  KeptState kept = KeptState::kEveryRun;
  // No shorter interval makes sense for it: none is taken, and one that was kept is raised to it.
  std::chrono::seconds least_interval{1};
};

struct JobStatus {
  JobOptions options;        // with the timing in use
  JobTiming default_timing;  // it was added with
  bool paused = false;
  bool running = false;
  bool requested = false;                  // RunNow was called and RunDue has not come to it
  std::optional<ScheduleTime> next_due{};  // absent while paused
  // Since the job was first added, over all restarts.
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;  // interrupted ones included
  std::uint64_t missed = 0;
  std::uint64_t failures_in_a_row = 0;
  // The latest, newest first, at most kKeptRuns.
  std::vector<JobRun> history{};
  // Why the state that was kept could not be read or written; empty when all is well.
  std::string problem{};
};

// What a job is given.
struct JobContext {
  ScheduleTime due{};
  ScheduleTime now{};
  RunCause cause = RunCause::kSchedule;
  std::stop_token stop{};  // a long job looks at it now and then
};

// The text of an OK run is kept as its message: what was done, in a sentence. What the job throws
// counts as a failure.
using JobWork = std::function<absl::StatusOr<std::string>(const JobContext&)>;

struct SchedulerOptions {
  std::function<ScheduleTime()> clock{};  // required
  // Where the state of each job is kept, by its name: a JSON text of a few KiB. Both empty: it is
  // not kept. `load` answers nothing for a job that is not known. `save` must not answer OK before
  // the text would survive a crash: what it holds is what keeps a job from running twice.
  std::function<absl::StatusOr<std::optional<std::string>>(std::string_view job)> load{};
  std::function<absl::Status(std::string_view job, std::string_view state)> save{};
  ZoneOffset local_offset = SystemZoneOffset;
};

// Thread-safe. A job never runs twice at the same time, nor twice for the same time: that it begins
// is saved before it does (KeptState::kEveryRun), so a crash costs a run and never doubles one.
class Scheduler {
 public:
  static constexpr std::size_t kKeptRuns = 30;

  explicit Scheduler(SchedulerOptions options);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // The job's state is loaded: what was paused stays so, and a run that was under way counts as
  // interrupted. The first time of a new job is one interval from now. AlreadyExists,
  // InvalidArgument. A state that cannot be read begins anew, and JobStatus::problem says so.
  absl::Status Add(JobOptions options, JobWork work);
  // Changes the times of a job; its next time is counted from now. It is kept, and from then on
  // holds whatever timing the job is added with. NotFound, InvalidArgument.
  absl::Status SetTiming(std::string_view name, const JobTiming& timing);
  // Takes up what is kept now, because other states took the place of the ones before: who restores
  // a backup calls it. No time that was run for or passed already runs again; a run that is under
  // way goes on. Jobs of which nothing is kept stay as they are. The first error, with the other
  // jobs taken up.
  absl::Status Reload();

  // A paused job does not run until it is resumed or told to; times that pass meanwhile are not
  // missed. NotFound. Each is kept before it answers OK.
  absl::Status Pause(std::string_view name);
  absl::Status Resume(std::string_view name);
  // RunDue runs it at once, paused or not; its times stay as they are. NotFound;
  // FailedPrecondition while it runs.
  absl::Status RunNow(std::string_view name);

  std::vector<JobStatus> Jobs() const;  // in the order in which they were added
  absl::StatusOr<JobStatus> GetJob(std::string_view name) const;  // NotFound
  // When RunDue has something to do next; absent when never. Now or earlier when it has already.
  std::optional<ScheduleTime> NextDue() const;

  // Runs what is due, one after the other, the longest due first; answers how many ran. Several
  // threads may call it at once: each takes other jobs.
  std::size_t RunDue(std::stop_token stop = {});
  // As above, but hands each run to `execute`, which calls it once, now or later, from any thread;
  // the scheduler must outlive that.
  using Executor = std::function<void(std::function<void()>)>;
  std::size_t RunDue(std::stop_token stop, const Executor& execute);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_SCHEDULE_SCHEDULER_H_
