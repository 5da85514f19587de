#include "nta/firewall/change_guard.h"

#include <sys/random.h>

#include <cerrno>
#include <string>
#include <utility>

#include "base/mutex_lock.h"
#include "base/status.h"
#include "firewall/change_marker.h"
#include "firewall/nft_client.h"
#include "firewall/watchdog.h"

namespace nta {

using firewall::ChangeFiles;
using firewall::ChangeMarker;
using firewall::FileLock;

namespace {

constexpr std::chrono::seconds kMinConfirmWithin{1};
constexpr std::chrono::seconds kLockTimeout{15};
// How long after its time a watchdog may stay silent before it is taken for dead.
constexpr std::chrono::seconds kWatchdogGrace{2};

absl::StatusOr<std::string> NewToken() {
  unsigned char bytes[16];
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) {
    return base::ErrnoStatus(errno, "cannot make a token");
  }
  std::string token;
  for (const unsigned char byte : bytes) {
    token += "0123456789abcdef"[byte >> 4];
    token += "0123456789abcdef"[byte & 15];
  }
  return token;
}

// In a time that does not tell how much of it is right.
bool SameToken(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) difference |= static_cast<unsigned>(a[i] ^ b[i]);
  return difference == 0;
}

absl::Status NotPending() {
  return absl::NotFoundError("no such change is pending: it was confirmed or taken back already");
}

}  // namespace

std::string_view ToString(GuardAct act) {
  switch (act) {
    case GuardAct::kApply:
      return "apply";
    case GuardAct::kConfirm:
      return "confirm";
    case GuardAct::kRollBack:
      break;
  }
  return "roll_back";
}

std::string_view ToString(RollBackCause cause) {
  switch (cause) {
    case RollBackCause::kNotConfirmed:
      return "not_confirmed";
    case RollBackCause::kAsked:
      return "asked";
    case RollBackCause::kRestart:
      break;
  }
  return "restart";
}

absl::StatusOr<bool> Reconcile(FirewallBackend& backend, const RuleSet& desired, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const bool in_force, backend.InForce(desired, now));
  if (in_force) return false;
  NTA_RETURN_IF_ERROR(backend.Replace(desired, now));
  return true;
}

class ChangeGuard::Impl {
 public:
  Impl(FirewallBackend& backend, ChangeGuardOptions options)
      : backend_(backend), options_(std::move(options)) {
    if (!options_.state_directory.empty()) files_.emplace(options_.state_directory);
  }

  absl::Status TakeUp(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    if (!files_) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(files_->CheckDirectory());
    NTA_ASSIGN_OR_RETURN(const std::string boot_id, firewall::BootId());
    for (const char* const file : {firewall::kConfirmedFile, firewall::kPendingFile,
                                   firewall::kRollingBackFile, firewall::kRolledBackFile}) {
      if (!files_->Exists(file)) continue;
      const auto marker = files_->Read(file);
      if (absl::IsNotFound(marker.status())) continue;
      if (!marker.ok()) {
        files_->Rename(file, firewall::kCorruptFile).IgnoreError();
        return marker.status();
      }
      pending_ = marker->change;
      deadline_since_boot_ = marker->deadline_since_boot;
    }
    if (!files_->Exists(firewall::kPendingFile)) return Settle(now);
    const auto marker = files_->Read(firewall::kPendingFile);
    const bool is_watched = marker.ok() && marker->boot_id == boot_id && options_.watchdog &&
                            firewall::WatchdogLives(*files_);
    return is_watched ? absl::OkStatus() : TakeBack(RollBackCause::kRestart, now);
  }

  absl::StatusOr<PendingChange> Apply(const RuleSet& rules, const ApplyRequest& request,
                                      Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Settle(now));
    if (pending_) {
      return base::MakeStatus(
          absl::StatusCode::kFailedPrecondition,
          "another change waits for its confirmation until " + ToString(pending_->deadline));
    }
    NTA_RETURN_IF_ERROR(CheckRequest(request));
    PendingChange change{.connection = request.connection,
                         .applied = now,
                         .deadline = now + request.confirm_within,
                         .after = rules};
    NTA_ASSIGN_OR_RETURN(change.token, NewToken());
    NTA_ASSIGN_OR_RETURN(change.before, backend_.Current(now));
    NTA_RETURN_IF_ERROR(Audit({.act = GuardAct::kApply,
                               .token = change.token,
                               .connection = change.connection,
                               .time = now,
                               .deadline = change.deadline,
                               .diff = Diff(change.before, rules)}));
    NTA_RETURN_IF_ERROR(Mark(change, request.confirm_within));
    const absl::Status applied = Enforce(rules, now);
    if (!applied.ok()) {
      // The watchdog sees that the marker is gone, and goes, too.
      if (files_) files_->Remove(firewall::kPendingFile).IgnoreError();
      return applied;
    }
    pending_ = change;
    if (files_ && !files_->Exists(firewall::kPendingFile)) {
      return absl::DeadlineExceededError(
          "the change took longer than the time to confirm it, and is taken back");
    }
    return change;
  }

  absl::Status Confirm(std::string_view token, std::string_view connection, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Settle(now));
    if (!pending_ || !SameToken(pending_->token, token)) return NotPending();
    if (connection.empty() || connection == pending_->connection) {
      return absl::PermissionDeniedError(
          "a change is confirmed over another connection than it was applied: only that shows that "
          "the machine can still be reached");
    }
    NTA_RETURN_IF_ERROR(Audit({.act = GuardAct::kConfirm,
                               .token = pending_->token,
                               .connection = std::string(connection),
                               .time = now}));
    if (!files_) {
      const RuleSet rules = std::exchange(pending_, std::nullopt)->after;
      return Keep(rules);
    }
    // Whoever renames it first, this process or the watchdog, decides.
    const absl::Status renamed = files_->Rename(firewall::kPendingFile, firewall::kConfirmedFile);
    if (absl::IsNotFound(renamed)) return NotPending();
    NTA_RETURN_IF_ERROR(renamed);
    return Settle(now);
  }

  absl::Status RollBack(std::string_view token, std::string_view connection, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Settle(now));
    if (!pending_ || !SameToken(pending_->token, token)) return NotPending();
    NTA_RETURN_IF_ERROR(Audit({.act = GuardAct::kRollBack,
                               .token = pending_->token,
                               .connection = std::string(connection),
                               .time = now,
                               .cause = RollBackCause::kAsked}));
    return TakeBack(RollBackCause::kAsked, now);
  }

  std::optional<PendingChange> pending() const {
    const base::MutexLock lock(&mutex_);
    if (!pending_ || (files_ && !files_->Exists(firewall::kPendingFile))) return std::nullopt;
    return pending_;
  }

  absl::StatusOr<std::optional<RolledBack>> AdvanceTo(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Settle(now));
    return std::exchange(told_, std::nullopt);
  }

  absl::StatusOr<bool> Reconcile(const RuleSet& desired, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    if (!files_) return nta::Reconcile(backend_, pending_ ? pending_->after : desired, now);
    // The watchdog writes under the same lock, so what is decided here still holds when it is done.
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, TakeLock());
    if (files_->Exists(firewall::kRollingBackFile)) return false;
    const bool is_pending = pending_ && files_->Exists(firewall::kPendingFile);
    return nta::Reconcile(backend_, is_pending ? pending_->after : desired, now);
  }

 private:
  absl::Status CheckRequest(const ApplyRequest& request) const {
    if (request.connection.empty()) {
      return absl::InvalidArgumentError("a change needs the connection over which it is asked");
    }
    if (request.confirm_within < kMinConfirmWithin ||
        request.confirm_within > options_.max_confirm_within) {
      return base::InvalidArgument("the time to confirm a change is 1 to " +
                                   std::to_string(options_.max_confirm_within.count()) +
                                   " seconds");
    }
    return absl::OkStatus();
  }

  absl::Status Audit(const GuardEvent& event) const {
    if (!options_.audit) return absl::OkStatus();
    const absl::Status status = options_.audit(event);
    if (status.ok()) return status;
    return base::MakeStatus(status.code(),
                            "the firewall is not changed, because the audit trail "
                            "cannot be written: " +
                                std::string(status.message()));
  }

  absl::Status Keep(const RuleSet& rules) const {
    return options_.keep ? options_.keep(rules) : absl::OkStatus();
  }

  absl::StatusOr<FileLock> TakeLock() const {
    return FileLock::Take(files_->Path(firewall::kChangeLock), kLockTimeout);
  }

  // What is to come back lies on disk, and a watchdog watches, before anything is applied.
  absl::Status Mark(const PendingChange& change, std::chrono::milliseconds confirm_within)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!files_) return absl::OkStatus();
    // Left over when a change was taken back before it was known to be applied.
    NTA_RETURN_IF_ERROR(files_->Remove(firewall::kRolledBackFile));
    ChangeMarker marker{.change = change};
    NTA_ASSIGN_OR_RETURN(marker.boot_id, firewall::BootId());
    marker.deadline_since_boot = firewall::SinceBoot() + confirm_within;
    if (options_.watchdog) marker.nftables = options_.watchdog->nftables;
    NTA_RETURN_IF_ERROR(files_->Write(firewall::kPendingFile, marker));
    deadline_since_boot_ = marker.deadline_since_boot;
    if (!options_.watchdog) return absl::OkStatus();
    const absl::Status started =
        firewall::StartWatchdog(*options_.watchdog, options_.state_directory);
    if (!started.ok()) files_->Remove(firewall::kPendingFile).IgnoreError();
    return started;
  }

  absl::Status Enforce(const RuleSet& rules, Timestamp now) {
    if (!files_) return backend_.Replace(rules, now);
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, TakeLock());
    if (!files_->Exists(firewall::kPendingFile)) {
      return absl::DeadlineExceededError(
          "the time to confirm was over before anything was applied");
    }
    return backend_.Replace(rules, now);
  }

  // Brings the files one step on, whoever left them, and pending_ in line with them.
  absl::Status Settle(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!pending_) return absl::OkStatus();
    if (!files_) {
      if (now >= pending_->deadline)
        NTA_RETURN_IF_ERROR(TakeBack(RollBackCause::kNotConfirmed, now));
      return absl::OkStatus();
    }
    if (files_->Exists(firewall::kConfirmedFile)) {
      NTA_RETURN_IF_ERROR(Keep(pending_->after));
      NTA_RETURN_IF_ERROR(files_->Remove(firewall::kConfirmedFile));
      pending_.reset();
      return absl::OkStatus();
    }
    if (files_->Exists(firewall::kPendingFile)) {
      const auto grace = options_.watchdog ? kWatchdogGrace : std::chrono::seconds(0);
      const bool is_overdue = firewall::SinceBoot() >= deadline_since_boot_ + grace;
      if (is_overdue) NTA_RETURN_IF_ERROR(TakeBack(RollBackCause::kNotConfirmed, now));
      return absl::OkStatus();
    }
    // Waits for a watchdog that is at it, by its lock, and does the work of a dead one.
    NTA_RETURN_IF_ERROR(PutBack(now));
    return Tell(now);
  }

  absl::Status TakeBack(RollBackCause cause, Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!files_) {
      NTA_RETURN_IF_ERROR(backend_.Replace(pending_->before, now));
      Remember(cause, now);
      return absl::OkStatus();
    }
    const absl::Status renamed = files_->Rename(firewall::kPendingFile, firewall::kRollingBackFile);
    // The watchdog was faster; it is in its hands.
    if (absl::IsNotFound(renamed)) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(renamed);
    cause_ = cause;
    NTA_RETURN_IF_ERROR(PutBack(now));
    return Tell(now);
  }

  absl::Status PutBack(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    NTA_ASSIGN_OR_RETURN(const FileLock file_lock, TakeLock());
    if (!files_->Exists(firewall::kRollingBackFile)) return absl::OkStatus();
    NTA_RETURN_IF_ERROR(backend_.Replace(pending_->before, now));
    return files_->Rename(firewall::kRollingBackFile, firewall::kRolledBackFile);
  }

  // The end of a change that was taken back.
  absl::Status Tell(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (files_->Exists(firewall::kRolledBackFile)) {
      NTA_RETURN_IF_ERROR(files_->Remove(firewall::kRolledBackFile));
      Remember(cause_, now);
    }
    pending_.reset();
    return absl::OkStatus();
  }

  void Remember(RollBackCause cause, Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    told_ = RolledBack{.token = pending_->token,
                       .cause = std::exchange(cause_, RollBackCause::kNotConfirmed),
                       .time = now,
                       .rules = pending_->before};
    told_->cause = cause;
    pending_.reset();
    if (cause == RollBackCause::kAsked) return;  // was said before
    // It has happened; a trail that cannot be written does not undo it.
    Audit({.act = GuardAct::kRollBack, .token = told_->token, .time = now, .cause = cause})
        .IgnoreError();
  }

  FirewallBackend& backend_;
  const ChangeGuardOptions options_;
  std::optional<ChangeFiles> files_;
  mutable absl::Mutex mutex_;
  std::optional<PendingChange> pending_ ABSL_GUARDED_BY(mutex_);
  std::chrono::nanoseconds deadline_since_boot_ ABSL_GUARDED_BY(mutex_){};
  RollBackCause cause_ ABSL_GUARDED_BY(mutex_) = RollBackCause::kNotConfirmed;
  std::optional<RolledBack> told_ ABSL_GUARDED_BY(mutex_);
};

absl::StatusOr<std::unique_ptr<ChangeGuard>> ChangeGuard::Open(FirewallBackend& backend,
                                                               ChangeGuardOptions options,
                                                               Timestamp now) {
  if (options.watchdog && options.state_directory.empty()) {
    return absl::InvalidArgumentError("a watchdog needs a state directory");
  }
  if (!options.state_directory.empty() && options.state_directory.front() != '/') {
    return absl::InvalidArgumentError("the state directory must be an absolute path");
  }
  auto impl = std::make_unique<Impl>(backend, std::move(options));
  NTA_RETURN_IF_ERROR(impl->TakeUp(now));
  return std::unique_ptr<ChangeGuard>(new ChangeGuard(std::move(impl)));
}

ChangeGuard::ChangeGuard(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ChangeGuard::~ChangeGuard() = default;

absl::StatusOr<PendingChange> ChangeGuard::Apply(const RuleSet& rules, const ApplyRequest& request,
                                                 Timestamp now) {
  return impl_->Apply(rules, request, now);
}
absl::Status ChangeGuard::Confirm(std::string_view token, std::string_view connection,
                                  Timestamp now) {
  return impl_->Confirm(token, connection, now);
}
absl::Status ChangeGuard::RollBack(std::string_view token, std::string_view connection,
                                   Timestamp now) {
  return impl_->RollBack(token, connection, now);
}
std::optional<PendingChange> ChangeGuard::pending() const { return impl_->pending(); }
absl::StatusOr<std::optional<RolledBack>> ChangeGuard::AdvanceTo(Timestamp now) {
  return impl_->AdvanceTo(now);
}
absl::StatusOr<bool> ChangeGuard::Reconcile(const RuleSet& desired, Timestamp now) {
  return impl_->Reconcile(desired, now);
}

}  // namespace nta
