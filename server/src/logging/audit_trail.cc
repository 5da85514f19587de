#include "logging/audit_trail.h"

#include <algorithm>
#include <cstdio>
#include <exception>

#include "app.h"
#include "base/status.h"
#include "logging/audit_details.h"
#include "logging/log.h"

namespace nta::server {
namespace {

// Records after which a checkpoint is due.
constexpr std::uint64_t kCheckpointEvery = 500;

AuditOutcome OutcomeOf(int status) {
  if (status < 400) return AuditOutcome::kDone;
  return status < 500 ? AuditOutcome::kRefused : AuditOutcome::kFailed;
}

AuditEvent BeginOf(const Route& route, const Call& call) {
  AuditEvent event;
  event.actor = call.principal.account.username;
  if (!event.actor.empty()) event.role = ToString(call.principal.account.role);
  event.address = call.request->client.ToString();
  event.act = route.audit;
  event.target = call.request->target.path;
  event.outcome = AuditOutcome::kBegun;
  event.details = DetailsOf(route, call);
  return event;
}

// The record of how it ended. Handlers may tell who it turned out to be, what it was about, and
// more.
AuditEvent EndOf(AuditEvent event, std::uint64_t begun, const Response& response) {
  event.about = begun;
  event.outcome = OutcomeOf(response.status);
  event.details = {{"status", std::to_string(response.status)}};
  for (const auto& [name, value] : response.audit) {
    if (name == "actor") {
      event.actor = value;
    } else if (name == "role") {
      event.role = value;
    } else if (name == "target") {
      event.target = value;
    } else {
      event.details.emplace_back(name, value);
    }
  }
  return event;
}

// Checkpoints of another chain: its key was lost, or somebody took the whole trail away. They are
// kept beside, and it is told.
void PutOldCheckpointsAside(const std::string& path, const std::string& chain, Logs* logs) {
  const auto checkpoints = ReadAuditCheckpoints(path);
  if (!checkpoints.ok() || checkpoints->empty() || checkpoints->back().chain == chain) return;
  const std::string old = checkpoints->back().chain.substr(0, 8);
  const std::string message =
      "the audit trail is another one than the checkpoints were made of: chain " + old + " is gone";
  Log(LogLevel::kError, "audit", message);
  if (logs != nullptr) logs->Security(LogLevel::kError, std::nullopt, "audit", message);
  if (std::rename(path.c_str(), (path + '.' + old).c_str()) != 0) {
    Log(LogLevel::kError, "audit", "cannot put old checkpoints aside", {{"file", path}});
  }
}

Response Refuse(Services& services, const Call& call, const absl::Status& status) {
  Log(LogLevel::kError, "audit", "an act was refused: the audit trail cannot be written",
      {{"error", std::string(status.message())}, {"path", call.request->target.path}});
  NoteSecurity(services, LogLevel::kError, call.request->client, "audit.unwritable",
               "an act was refused: the audit trail cannot be written");
  return Busy("the audit trail cannot be written; nothing was done", std::chrono::seconds(10));
}

// Nothing of ours throws, but libraries below do, if only for lack of memory. That costs one
// request, not the server.
Response Answer(Services& services, const Route& route, const Call& call) {
  try {
    return route.handler(services, call);
  } catch (const std::exception& error) {
    Log(LogLevel::kError, "http", "a request failed inside the server",
        {{"method", route.method}, {"path", route.path}, {"error", error.what()}});
    return Problem(500, "an error inside the server; its log says more");
  }
}

}  // namespace

AuditTrail::AuditTrail(AuditTrailOptions options, Clock clock, Logs* logs,
                       std::unique_ptr<AuditLog> log)
    : options_(std::move(options)),
      clock_(std::move(clock)),
      logs_(logs),
      log_(std::move(log)),
      next_checkpoint_(log_->State().count + kCheckpointEvery) {}

absl::StatusOr<std::unique_ptr<AuditTrail>> AuditTrail::Open(AuditTrailOptions options, Clock clock,
                                                             Logs* logs) {
  if (options.checkpoints.empty()) options.checkpoints = options.directory + "/checkpoints.txt";
  NTA_ASSIGN_OR_RETURN(std::unique_ptr<AuditLog> log,
                       AuditLog::Open({.directory = options.directory,
                                       .verification_key_path = options.verification_key,
                                       .lost_key = LostAuditKey::kStartNewChain},
                                      clock.wall()));
  const std::string damage = log->State().damage;
  if (!damage.empty()) {
    const std::string message = "the audit trail was damaged: " + damage;
    Log(LogLevel::kError, "audit", message);
    if (logs != nullptr) logs->Security(LogLevel::kError, std::nullopt, "audit", message);
  }
  PutOldCheckpointsAside(options.checkpoints, log->State().chain, logs);
  return std::unique_ptr<AuditTrail>(
      new AuditTrail(std::move(options), std::move(clock), logs, std::move(log)));
}

absl::StatusOr<std::uint64_t> AuditTrail::Append(AuditEvent event) {
  event.time = clock_.wall();
  NTA_ASSIGN_OR_RETURN(const std::uint64_t sequence, log_->Append(event));
  std::uint64_t due = next_checkpoint_.load();
  if (sequence >= due &&
      next_checkpoint_.compare_exchange_strong(due, sequence + kCheckpointEvery)) {
    const absl::Status status = Checkpoint().status();
    if (!status.ok()) {
      Log(LogLevel::kError, "audit", "cannot write a checkpoint",
          {{"error", std::string(status.message())}});
    }
  }
  return sequence;
}

void AuditTrail::AppendOutcome(AuditEvent event) {
  const std::uint64_t begun = event.about;
  const absl::Status status = Append(std::move(event)).status();
  if (status.ok()) return;
  Log(LogLevel::kError, "audit", "the outcome of an act cannot be recorded",
      {{"begun", begun}, {"error", std::string(status.message())}});
}

absl::Status AuditTrail::Record(std::string_view actor, std::string_view act,
                                std::string_view target, AuditOutcome outcome,
                                std::vector<std::pair<std::string, std::string>> details) {
  AuditEvent event;
  event.actor = actor;
  event.act = act;
  event.target = target;
  event.outcome = outcome;
  event.details = std::move(details);
  return Append(std::move(event)).status();
}

absl::StatusOr<AuditCheckpoint> AuditTrail::Checkpoint() {
  const AuditCheckpoint checkpoint = log_->Checkpoint(clock_.wall());
  if (logs_ != nullptr) {
    logs_->logger().Log({.time = {},
                         .level = LogLevel::kInfo,
                         .kind = LogKind::kAudit,
                         .component = "audit.checkpoint",
                         .message = ToString(checkpoint),
                         .fields = {}});
  }
  NTA_RETURN_IF_ERROR(AppendAuditCheckpoint(options_.checkpoints, checkpoint));
  return checkpoint;
}

absl::StatusOr<AuditReport> AuditTrail::Verify() const {
  AuditVerifyOptions options{.verification_key_path = options_.verification_key,
                             .count = log_->State().count};
  if (auto checkpoints = ReadAuditCheckpoints(options_.checkpoints); checkpoints.ok()) {
    options.checkpoints = *std::move(checkpoints);
  }
  auto report = VerifyAudit(log_->directory(), options);
  if (!absl::IsFailedPrecondition(report.status())) return report;
  // The key was taken away, as it should be: what can be checked without it is.
  options.verification_key_path.clear();
  return VerifyAudit(log_->directory(), options);
}

Response Handle(Services& services, const Route& route, Call& call) {
  if (route.audit.empty() || services.audit == nullptr) return Answer(services, route, call);
  const AuditEvent event = BeginOf(route, call);
  const absl::StatusOr<std::uint64_t> begun = services.audit->Append(event);
  if (!begun.ok()) return Refuse(services, call, begun.status());
  call.act = route.audit;
  call.audit_record = *begun;
  Response response = Answer(services, route, call);
  if (!response.ends_later) {
    services.audit->AppendOutcome(EndOf(event, *begun, response));
  }
  return response;
}

absl::StatusOr<std::string> DoRecorded(Services& services, std::string_view actor,
                                       std::string_view act, std::string_view target,
                                       const std::function<absl::StatusOr<std::string>()>& work) {
  if (services.audit == nullptr) return work();
  AuditEvent event;
  event.actor = actor;
  event.act = act;
  event.target = target;
  event.outcome = AuditOutcome::kBegun;
  NTA_ASSIGN_OR_RETURN(event.about, services.audit->Append(event));
  absl::StatusOr<std::string> result = work();
  event.outcome = result.ok() ? AuditOutcome::kDone : AuditOutcome::kFailed;
  const std::string text = result.ok() ? *result : std::string(result.status().message());
  if (!text.empty()) event.details = {{result.ok() ? "result" : "error", text}};
  services.audit->AppendOutcome(std::move(event));
  return result;
}

}  // namespace nta::server
