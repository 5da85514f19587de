// Jobs: long work that a request begins and others follow: backups, exports, rehearsals.
//
//   auto id = services.jobs.Start({.kind = "export", .owner = user}, [=](JobContext& job) { ... });
#ifndef NTA_SERVER_OPERATIONS_JOBS_H_
#define NTA_SERVER_OPERATIONS_JOBS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "http/body_file.h"

namespace nta::server {

enum class JobState : std::uint8_t { kRunning, kDone, kFailed, kCancelled };
std::string_view ToString(JobState state);

struct Job {
  std::string id;
  std::string kind;
  std::string owner;
  JobState state = JobState::kRunning;
  double progress = 0;  // 0 to 1
  std::string doing;    // what it is at, for people
  Timestamp started{};
  std::optional<Timestamp> ended;
  absl::Status error;                    // of kFailed
  std::string result;                    // of kDone: a JSON value, or empty
  std::shared_ptr<const BodyFile> file;  // of kDone: what to download, if anything
  std::string file_name;
  std::string file_type;
};

struct JobSpec {
  std::string kind{};
  std::string owner{};
  // Only one job of its kind at a time.
  bool exclusive = false;
  // Only while no other job runs, and none begins meanwhile.
  bool alone = false;
  // Told how it ended, before anybody else sees it.
  std::function<void(const Job&)> on_end{};
};

class Jobs;

// What the work sees. For the thread of the work only.
class JobContext {
 public:
  const std::stop_token& stop() const { return stop_; }
  // `progress` from 0 to 1, and what is being done.
  void Report(double progress, std::string_view doing);
  // What to download when the job is done.
  void OfferFile(std::shared_ptr<const BodyFile> file, std::string name, std::string type);

 private:
  friend class Jobs;
  JobContext(Jobs& jobs, Job& job, std::stop_token stop)
      : jobs_(jobs), job_(job), stop_(std::move(stop)) {}

  Jobs& jobs_;
  Job& job_;
  const std::stop_token stop_;
};

// The result as JSON, or empty. Cancelled after a requested stop.
using JobWork = std::function<absl::StatusOr<std::string>(JobContext&)>;

// Thread-safe. Each job has a thread of its own; the end stops and awaits them all.
class Jobs {
 public:
  static constexpr std::size_t kMaxRunning = 4;
  static constexpr std::size_t kMaxKept = 64;  // the oldest that have ended are forgotten
  static constexpr Duration kKeptFor = std::chrono::hours(1);

  explicit Jobs(Clock clock) : clock_(std::move(clock)) {}
  ~Jobs() { Shutdown(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // The job's id. ResourceExhausted when too many run; FailedPrecondition, with a text for people,
  // when one runs that this one cannot run beside.
  absl::StatusOr<std::string> Start(JobSpec spec, JobWork work);
  std::optional<Job> Find(std::string_view id);
  std::vector<Job> List();  // the newest first
  // False when there is no such job. A job that has ended stays as it is.
  bool Cancel(std::string_view id);
  void Shutdown();

 private:
  struct Entry {
    Job job;
    bool alone = false;
    std::function<void(const Job&)> on_end;
    std::jthread thread;
  };
  friend class JobContext;

  void Run(Entry& entry, const JobWork& work, std::stop_token stop);
  void Forget() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Clock clock_;
  absl::Mutex mutex_;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, std::unique_ptr<Entry>, std::less<>> jobs_ ABSL_GUARDED_BY(mutex_);
};

std::string ToJson(const Job& job);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_JOBS_H_
