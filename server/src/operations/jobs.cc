#include "operations/jobs.h"

#include <algorithm>
#include <atomic>

#include "base/status.h"
#include "http/json_text.h"
#include "text.h"

namespace nta::server {

std::string_view ToString(JobState state) {
  switch (state) {
    case JobState::kRunning:
      return "running";
    case JobState::kDone:
      return "done";
    case JobState::kFailed:
      return "failed";
    case JobState::kCancelled:
      return "cancelled";
  }
  return "";
}

namespace {

std::string WithArticle(const std::string& kind) {
  const std::string words = kind.starts_with("backup.") ? kind.substr(7) + " of a backup" : kind;
  return (std::string_view("aeiou").find(words.front()) == std::string_view::npos ? "a " : "an ") +
         words;
}

// Whether a job of `spec` may run beside one that runs.
absl::Status CheckBeside(const JobSpec& spec, const Job& other, bool other_is_alone) {
  const bool same = spec.exclusive && other.kind == spec.kind;
  if (!same && !spec.alone && !other_is_alone) return absl::OkStatus();
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                          WithArticle(other.kind) + " is running, begun by " + other.owner +
                              ": wait for its end or cancel it (job " + other.id + ")");
}

}  // namespace

void JobContext::Report(double progress, std::string_view doing) {
  absl::MutexLock lock(&jobs_.mutex_);
  job_.progress = std::clamp(progress, 0.0, 1.0);
  job_.doing = doing;
}

void JobContext::OfferFile(std::shared_ptr<const BodyFile> file, std::string name,
                           std::string type) {
  absl::MutexLock lock(&jobs_.mutex_);
  job_.file = std::move(file);
  job_.file_name = std::move(name);
  job_.file_type = std::move(type);
}

absl::StatusOr<std::string> Jobs::Start(JobSpec spec, JobWork work) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return base::MakeStatus(absl::StatusCode::kUnavailable, "the server is stopping");
  Forget();
  std::size_t running = 0;
  for (const auto& [id, entry] : jobs_) {
    if (entry->job.state != JobState::kRunning) continue;
    ++running;
    NTA_RETURN_IF_ERROR(CheckBeside(spec, entry->job, entry->alone));
  }
  if (running >= kMaxRunning) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                            "too many jobs are running; wait for one to end");
  }
  auto owned = std::make_unique<Entry>();
  Entry& entry = *owned;
  entry.job.id = RandomToken(12);
  entry.job.kind = std::move(spec.kind);
  entry.job.owner = std::move(spec.owner);
  entry.job.started = clock_.wall();
  entry.alone = spec.alone;
  entry.on_end = std::move(spec.on_end);
  const std::string id = entry.job.id;
  jobs_.emplace(id, std::move(owned));
  entry.thread = std::jthread([this, &entry, work = std::move(work)](std::stop_token stop) {
    Run(entry, work, std::move(stop));
  });
  return id;
}

// What a library below throws costs one job, not the server.
static absl::StatusOr<std::string> Outcome(const JobWork& work, JobContext& context) {
  try {
    return work(context);
  } catch (const std::exception& error) {
    return absl::InternalError(error.what());
  }
}

void Jobs::Run(Entry& entry, const JobWork& work, std::stop_token stop) {
  JobContext context(*this, entry.job, stop);
  absl::StatusOr<std::string> result = Outcome(work, context);
  Job ended;
  {
    absl::MutexLock lock(&mutex_);
    ended = entry.job;
  }
  ended.ended = clock_.wall();
  if (result.ok()) {
    ended.state = JobState::kDone;
    ended.progress = 1;
    ended.result = *std::move(result);
  } else {
    const bool cancelled = stop.stop_requested() && absl::IsCancelled(result.status());
    ended.state = cancelled ? JobState::kCancelled : JobState::kFailed;
    ended.error = result.status();
    ended.file = nullptr;
  }
  if (entry.on_end) entry.on_end(ended);
  absl::MutexLock lock(&mutex_);
  entry.job = std::move(ended);
}

std::optional<Job> Jobs::Find(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  Forget();
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? std::nullopt : std::optional(found->second->job);
}

std::vector<Job> Jobs::List() {
  absl::MutexLock lock(&mutex_);
  Forget();
  std::vector<Job> list;
  list.reserve(jobs_.size());
  for (const auto& [id, entry] : jobs_) list.push_back(entry->job);
  std::sort(list.begin(), list.end(),
            [](const Job& a, const Job& b) { return a.started > b.started; });
  return list;
}

bool Jobs::Cancel(std::string_view id) {
  absl::MutexLock lock(&mutex_);
  const auto found = jobs_.find(id);
  if (found == jobs_.end()) return false;
  found->second->thread.request_stop();
  return true;
}

// Joins threads under the lock: a job that has ended does not ask for it again.
void Jobs::Forget() {
  const Timestamp now = clock_.wall();
  std::vector<std::pair<Timestamp, std::string>> ended;
  for (const auto& [id, entry] : jobs_) {
    if (entry->job.ended) ended.emplace_back(*entry->job.ended, id);
  }
  std::sort(ended.begin(), ended.end());
  const std::size_t too_many = ended.size() > kMaxKept ? ended.size() - kMaxKept : 0;
  for (std::size_t i = 0; i < ended.size(); ++i) {
    if (i >= too_many && now - ended[i].first < kKeptFor) continue;
    jobs_.erase(ended[i].second);
  }
}

void Jobs::Shutdown() {
  std::vector<std::unique_ptr<Entry>> left;  // whose end awaits their threads, without the lock
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  for (auto& [id, entry] : jobs_) {
    entry->thread.request_stop();
    left.push_back(std::move(entry));
  }
  jobs_.clear();
}

std::string ToJson(const Job& job) {
  JsonObject json;
  json.Add("id", job.id).Add("kind", job.kind).Add("owner", job.owner);
  json.Add("state", ToString(job.state));
  json.AddJson("progress", std::to_string(job.progress)).Add("doing", job.doing);
  json.Add("started", nta::ToString(job.started));
  if (job.ended) json.Add("ended", nta::ToString(*job.ended));
  if (job.state == JobState::kFailed) json.Add("error", std::string(job.error.message()));
  if (!job.result.empty()) json.AddJson("result", job.result);
  if (job.state == JobState::kDone && job.file != nullptr) {
    json.AddJson("file", JsonObject()
                             .Add("name", job.file_name)
                             .Add("type", job.file_type)
                             .Add("bytes", job.file->size())
                             .Take());
  }
  return json.Take();
}

}  // namespace nta::server
