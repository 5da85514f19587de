#include "scheduled_jobs.h"

#include <chrono>
#include <string>

#include "audit_trail.h"
#include "backups.h"
#include "base/status.h"
#include "logs.h"

namespace nta::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

absl::StatusOr<std::string> RotateLogs(Services& services) {
  NTA_RETURN_IF_ERROR(services.logs->RotateIfDue(services.clock.wall()));
  return "looked at";
}

absl::StatusOr<std::string> WriteCheckpoint(Services& services) {
  NTA_RETURN_IF_ERROR(services.audit->Checkpoint().status());
  return "written";
}

absl::StatusOr<std::string> BackUp(Services& services, const std::stop_token& stop) {
  const Backups& backups = *services.backups;
  NTA_ASSIGN_OR_RETURN(const BackupInfo made,
                       backups.Create({.time = services.clock.wall()}, {.stop = stop}));
  NTA_RETURN_IF_ERROR(
      backups.Verify(made.name, {.time = services.clock.wall()}, {.stop = stop}).status());
  NTA_ASSIGN_OR_RETURN(const PrunePolicy policy, Backups::LoadPolicy(services));
  NTA_RETURN_IF_ERROR(backups.repository().Prune(policy).status());
  return "backup " + made.name + " made and verified";
}

}  // namespace

absl::Status AddScheduledJobs(Services& services) {
  Scheduler& scheduler = services.operations.scheduler;
  if (services.logs != nullptr) {
    NTA_RETURN_IF_ERROR(scheduler.Add(
        {.name = "log_rotation",
         .description = "Begins new log files when the old ones are as old as the settings say",
         .timing = Every{minutes(1)},
         .missed = MissedRuns::kSkip,
         .kept = KeptState::kPauseOnly},
        [&services](const nta::JobContext&) { return RotateLogs(services); }));
  }
  if (services.audit != nullptr) {
    NTA_RETURN_IF_ERROR(scheduler.Add(
        {.name = "audit_checkpoint",
         .description = "Writes down how far the audit trail goes, so that a cut end is noticed",
         .timing = Every{hours(1)}},
        [&services](const nta::JobContext&) { return WriteCheckpoint(services); }));
  }
  if (services.backups == nullptr) return absl::OkStatus();
  return scheduler.Add(
      {.name = "backup",
       .description = "Backs up the database, verifies the backup by a test "
                      "restore, and prunes old ones",
       .timing = Daily{hours(3), DayZone::kLocal}},
      [&services](const nta::JobContext& context) { return BackUp(services, context.stop); });
}

}  // namespace nta::server
