#include "operations/scheduled_jobs.h"

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "logging/audit_trail.h"
#include "logging/logs.h"
#include "operations/backups.h"

namespace nta::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// Files that are put aside for their size are so in the middle of a line's way to the disk, and
// recorded at the next look.
class LogRotations {
 public:
  explicit LogRotations(Services& services) : services_(services), seen_(Count()) {}

  absl::StatusOr<std::string> Look() {
    NTA_RETURN_IF_ERROR(services_.logs->RotateIfDue(services_.clock.wall()));
    const std::uint64_t count = Count();
    const std::uint64_t fresh = count - std::exchange(seen_, count);
    if (fresh == 0) return "nothing is due";
    const std::string text = std::to_string(fresh) + " files put aside for their size or age";
    if (services_.audit != nullptr) {
      NTA_RETURN_IF_ERROR(services_.audit->Record("scheduler", "log.rotate", "",
                                                  AuditOutcome::kDone, {{"result", text}}));
    }
    return text;
  }

 private:
  std::uint64_t Count() const {
    std::uint64_t count = 0;
    for (const LogState& state : services_.logs->State()) count += state.file.rotations;
    return count;
  }

  Services& services_;
  std::uint64_t seen_;
};

absl::StatusOr<std::string> WriteCheckpoint(Services& services) {
  NTA_RETURN_IF_ERROR(services.audit->Checkpoint().status());
  return "written";
}

absl::StatusOr<std::string> BackUp(Services& services, const std::stop_token& stop) {
  return DoRecorded(
      services, "scheduler", "backup.create", "", [&]() -> absl::StatusOr<std::string> {
        NTA_ASSIGN_OR_RETURN(
            const BackupInfo made,
            services.backups->Make(services, {.time = services.clock.wall()}, true,
                                   {.create = {.stop = stop}, .verify = {.stop = stop}}));
        return "backup " + made.name + " made and verified";
      });
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
         .kept = KeptState::kPauseOnly,
         .least_interval = std::chrono::seconds(10)},
        [rotations = std::make_shared<LogRotations>(services)](const nta::JobContext&) {
          return rotations->Look();
        }));
  }
  if (services.audit != nullptr) {
    NTA_RETURN_IF_ERROR(scheduler.Add(
        {.name = "audit_checkpoint",
         .description = "Writes down how far the audit trail goes, so that a cut end is noticed",
         .timing = Every{hours(1)},
         .least_interval = minutes(1)},
        [&services](const nta::JobContext&) { return WriteCheckpoint(services); }));
  }
  if (services.backups == nullptr) return absl::OkStatus();
  return scheduler.Add(
      {.name = "backup",
       .description = "Backs up the database, verifies the backup by a test "
                      "restore, and prunes old ones",
       .timing = Daily{hours(3), DayZone::kLocal},
       .least_interval = minutes(5)},
      [&services](const nta::JobContext& context) { return BackUp(services, context.stop); });
}

}  // namespace nta::server
