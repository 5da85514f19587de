// ChangeGuard: a change of the firewall that takes itself back unless someone confirms that they
// can still reach the machine.
//
//   auto guard = nta::ChangeGuard::Open(backend, {.state_directory = "/var/lib/nta/firewall",
//                                                 .watchdog = nta::WatchdogOptions{}}, now);
//   auto change = (*guard)->Apply(rules, {.connection = "7", .confirm_within = 60s}, now);
//   ...   // over another connection:
//   absl::Status status = (*guard)->Confirm(change->token, "8", now);
//
// With a watchdog the old rules come back whatever becomes of this process: it is a program of its
// own, started and ready before anything is applied, that survives kill -9 of everything but
// itself. What it is to do lies on disk, so that even after a crash of the machine the next Open()
// does it.
#ifndef NTA_FIREWALL_CHANGE_GUARD_H_
#define NTA_FIREWALL_CHANGE_GUARD_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/rule_set.h"
#include "nta/net/time.h"

namespace nta {

enum class GuardAct : std::uint8_t { kApply = 0, kConfirm = 1, kRollBack = 2 };
std::string_view ToString(GuardAct act);  // "apply", "confirm", "roll_back"

// Why a change was taken back. Numbers are persisted.
enum class RollBackCause : std::uint8_t {
  kNotConfirmed = 0,  // in time
  kAsked = 1,
  kRestart = 2,  // the machine, or everything that watched, had gone down
};
std::string_view ToString(RollBackCause cause);  // "not_confirmed", "asked", "restart"

// What is about to happen, or (a kRollBack that nobody asked for) what has happened.
struct GuardEvent {
  GuardAct act = GuardAct::kApply;
  std::string token{};
  std::string connection{};  // who asks; empty when nobody does
  Timestamp time{};
  std::optional<Timestamp> deadline{};  // kApply: when it is taken back unless confirmed
  std::optional<RollBackCause> cause{};
  RuleSetDiff diff{};  // kApply: what changes
};

struct WatchdogOptions {
  // nta-firewall-guard; empty: beside the running program, or in the system's directories.
  std::string program{};
  // Of the backend that it is to write to.
  NftablesOptions nftables{};
  std::chrono::milliseconds start_timeout{5000};
};

struct ChangeGuardOptions {
  // Exists, belongs to us and is nobody else's business (0700). Empty: nothing is kept, and a
  // change does not outlive the process: for MemoryBackend.
  std::string state_directory{};
  // Needs a state_directory. Absent: the process itself takes changes back, in AdvanceTo().
  std::optional<WatchdogOptions> watchdog{};
  // Called before anything happens; it does not happen when this fails. Only a roll-back that is
  // due goes ahead in any case.
  std::function<absl::Status(const GuardEvent&)> audit{};
  // Called with rules that were confirmed, to make them the desired state. May be called again for
  // the same rules after a crash. When it fails, Confirm() says so, and AdvanceTo() tries again.
  std::function<absl::Status(const RuleSet&)> keep{};
  std::chrono::seconds max_confirm_within{3600};
};

struct ApplyRequest {
  // Identifies the connection over which it was asked; the confirmation must come over another.
  std::string connection{};
  std::chrono::milliseconds confirm_within{60'000};
};

struct PendingChange {
  std::string token{};  // what confirms it; unguessable
  std::string connection{};
  Timestamp applied{};
  Timestamp deadline{};
  RuleSet before{};
  RuleSet after{};
};

struct RolledBack {
  std::string token{};
  RollBackCause cause = RollBackCause::kNotConfirmed;
  Timestamp time{};
  RuleSet rules{};  // those that are in force again
};

// One pending change at a time. Thread-safe; `backend` outlives it.
class ChangeGuard final {
 public:
  // Takes up what an earlier process left: a change that its watchdog still watches stays pending;
  // one that nobody watches any more is taken back now; one that was confirmed is kept. DataLoss:
  // what it left cannot be read, and was set aside in the state directory. FailedPrecondition: the
  // directory is open to others.
  static absl::StatusOr<std::unique_ptr<ChangeGuard>> Open(FirewallBackend& backend,
                                                           ChangeGuardOptions options,
                                                           Timestamp now);
  ~ChangeGuard();

  // FailedPrecondition: another change is pending. InvalidArgument: no connection, or a time below
  // a second or above the maximum. Otherwise what the audit, the watchdog or the backend says; then
  // the old rules are in force.
  absl::StatusOr<PendingChange> Apply(const RuleSet& rules, const ApplyRequest& request,
                                      Timestamp now);
  // NotFound: no such change is pending (any more). PermissionDenied: over the connection that
  // applied it.
  absl::Status Confirm(std::string_view token, std::string_view connection, Timestamp now);
  // Takes the change back at once.
  absl::Status RollBack(std::string_view token, std::string_view connection, Timestamp now);

  std::optional<PendingChange> pending() const;
  // To be called every second or so: takes back what is due when no watchdog does, and tells once
  // of every change that was taken back, by whomever.
  absl::StatusOr<std::optional<RolledBack>> AdvanceTo(Timestamp now);

  // Makes what is in force what should be: the pending change, or else `desired`. Whether something
  // had to be put right.
  absl::StatusOr<bool> Reconcile(const RuleSet& desired, Timestamp now);

 private:
  class Impl;
  explicit ChangeGuard(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The same for a backend without a guard.
absl::StatusOr<bool> Reconcile(FirewallBackend& backend, const RuleSet& desired, Timestamp now);

}  // namespace nta

#endif  // NTA_FIREWALL_CHANGE_GUARD_H_
