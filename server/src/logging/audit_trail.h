// AuditTrail: acts of users and of the server itself, recorded before they are done.
#ifndef NTA_SERVER_LOGGING_AUDIT_TRAIL_H_
#define NTA_SERVER_LOGGING_AUDIT_TRAIL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "clock.h"
#include "http/routes.h"
#include "logging/logs.h"
#include "nta/audit/audit_log.h"
#include "nta/audit/audit_reader.h"
#include "nta/audit/audit_verify.h"

namespace nta::server {

struct AuditTrailOptions {
  std::string directory;
  std::string verification_key;  // empty: "verification.key" in the directory
  std::string checkpoints;       // a text file; empty: "checkpoints.txt" in the directory
};

// Thread-safe.
class AuditTrail {
 public:
  // Goes on with the trail. What was found wrong with it is in `logs`, too; so are checkpoints, as
  // audit events. Borrows `logs`, which may be null.
  static absl::StatusOr<std::unique_ptr<AuditTrail>> Open(AuditTrailOptions options, Clock clock,
                                                          Logs* logs);

  // An act of the server itself or of one of its tasks: "system", "scheduler". On the disk when it
  // returns; an error means that the act must not be done.
  absl::Status Record(std::string_view actor, std::string_view act, std::string_view target,
                      AuditOutcome outcome,
                      std::vector<std::pair<std::string, std::string>> details = {});
  // The sequence of the record; an error means that the act must not be done.
  absl::StatusOr<std::uint64_t> Append(AuditEvent event);
  // How an act ended that cannot be undone any more: a record that cannot be written is logged.
  void AppendOutcome(AuditEvent event);

  // Into the file and the logs. For a scheduler, now and then; done by itself after many records.
  absl::StatusOr<AuditCheckpoint> Checkpoint();
  absl::StatusOr<AuditReport> Verify() const;
  AuditLogState State() const { return log_->State(); }
  const std::string& directory() const { return log_->directory(); }

 private:
  AuditTrail(AuditTrailOptions options, Clock clock, Logs* logs, std::unique_ptr<AuditLog> log);

  const AuditTrailOptions options_;
  const Clock clock_;
  Logs* const logs_;
  const std::unique_ptr<AuditLog> log_;
  std::atomic<std::uint64_t> next_checkpoint_;
};

// Calls the route's handler. When the route names an act, it is recorded first with what was asked
// for, and its outcome afterwards; when it cannot be recorded it is not done, and the answer is
// 503.
Response Handle(Services& services, const Route& route, Call& call);

// An act of the server itself, recorded before and after; the text of `work` is its result. When it
// cannot be recorded it is not done.
absl::StatusOr<std::string> DoRecorded(Services& services, std::string_view actor,
                                       std::string_view act, std::string_view target,
                                       const std::function<absl::StatusOr<std::string>()>& work);

}  // namespace nta::server

#endif  // NTA_SERVER_LOGGING_AUDIT_TRAIL_H_
