#include "app.h"
#include "http/json_text.h"
#include "http/routes.h"

namespace nta::server {
namespace {

bool MayLookAt(const Call& call, const Job& job) {
  const Account& account = call.principal.account;
  return account.role == Role::kAdmin || account.username == job.owner;
}

// Another's job is as if it were not there.
std::optional<Job> FindJob(Services& services, const Call& call) {
  std::optional<Job> job = services.jobs.Find(call.Path("id"));
  return job && MayLookAt(call, *job) ? std::move(job) : std::nullopt;
}

Response NoSuchJob() { return Problem(404, "there is no such job; it may be over an hour old"); }

Response ListJobs(Services& services, const Call& call) {
  std::vector<Job> jobs = services.jobs.List();
  std::erase_if(jobs, [&](const Job& job) { return !MayLookAt(call, job); });
  return Json(JsonObject()
                  .AddJson("jobs", JsonList(jobs, [](const Job& job) { return ToJson(job); }))
                  .Take());
}

Response GetJob(Services& services, const Call& call) {
  const std::optional<Job> job = FindJob(services, call);
  return job ? Json(ToJson(*job)) : NoSuchJob();
}

Response GetJobFile(Services& services, const Call& call) {
  const std::optional<Job> job = FindJob(services, call);
  if (!job) return NoSuchJob();
  if (job->state != JobState::kDone) return Problem(409, "the job is not done");
  if (job->file == nullptr) return Problem(404, "the job left no file");
  return Download(job->file, job->file_name, job->file_type);
}

Response CancelJob(Services& services, const Call& call) {
  if (!FindJob(services, call)) return NoSuchJob();
  services.jobs.Cancel(call.Path("id"));
  return NoContent();
}

}  // namespace

std::vector<Route> JobRoutes() {
  const std::string job =
      "a job: id, kind, owner, state, progress, doing, started, ended, error, result, file";
  return {
      Reading("/api/v1/jobs", ListJobs, "My long work, the newest first; an administrator sees all",
              {}, "jobs, each as by its id"),
      Reading("/api/v1/jobs/{id}", GetJob, "How far a job is", {}, job),
      Reading("/api/v1/jobs/{id}/file", GetJobFile, "The file that a job made", {}, "the file"),
      {.method = "DELETE",
       .path = "/api/v1/jobs/{id}",
       .access = Access::kViewer,
       .work = Work::kInline,
       .handler = CancelJob,
       .summary = "Stop a job; it leaves nothing behind",
       .parameters = {},
       .fields = {},
       .success = 204,
       .audit = "job.cancel"},
  };
}

}  // namespace nta::server
