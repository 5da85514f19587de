#include "operations/job_start.h"

#include <string>
#include <utility>

#include "app.h"
#include "logging/audit_trail.h"

namespace nta::server {
namespace {

Response Refusal(const absl::Status& status) {
  const std::string text(status.message());
  if (absl::IsFailedPrecondition(status)) return Problem(409, text);
  if (absl::IsResourceExhausted(status) || absl::IsUnavailable(status)) {
    return Busy(text, std::chrono::seconds(5));
  }
  return FromStatus(status);
}

AuditEvent EndOf(AuditEvent event, const Job& job) {
  event.outcome = job.state == JobState::kDone ? AuditOutcome::kDone : AuditOutcome::kFailed;
  event.details = {{"job", job.id}, {"state", std::string(ToString(job.state))}};
  if (!job.result.empty()) event.details.emplace_back("result", job.result);
  if (!job.error.ok()) event.details.emplace_back("error", std::string(job.error.message()));
  return event;
}

}  // namespace

Response StartJob(Services& services, const Call& call, JobSpec spec, JobWork work) {
  const Account& caller = call.principal.account;
  spec.owner = caller.username;
  const bool is_recorded = services.audit != nullptr && call.audit_record != 0;
  if (is_recorded) {
    AuditEvent event;
    event.actor = caller.username;
    event.role = ToString(caller.role);
    event.address = call.request->client.ToString();
    event.act = call.act;
    event.target = call.request->target.path;
    event.about = call.audit_record;
    spec.on_end = [&trail = *services.audit, event = std::move(event)](const Job& job) {
      trail.AppendOutcome(EndOf(event, job));
    };
  }
  const auto id = services.jobs.Start(std::move(spec), std::move(work));
  if (!id.ok()) return Refusal(id.status());
  const auto job = services.jobs.Find(*id);
  Response response = job ? Json(ToJson(*job), 202) : NoContent();
  response.ends_later = is_recorded;
  return response;
}

}  // namespace nta::server
