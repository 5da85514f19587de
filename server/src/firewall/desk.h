// FirewallDesk: what people do with the firewall through the server. A draft that operators edit
// and rehearse, the rules in force that administrators change, a change that waits to be confirmed,
// and blocks that came from alerts or from people.
//
//   auto desk = FirewallDesk::Open(store, clock, std::make_unique<MemoryBackend>(), {});
//   (*desk)->EditDraft(edit, version);  (*desk)->Apply(by, 60s);  (*desk)->Confirm(token, by);
#ifndef NTA_SERVER_FIREWALL_DESK_H_
#define NTA_SERVER_FIREWALL_DESK_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/change_guard.h"
#include "nta/firewall/nftables_backend.h"
#include "nta/firewall/rehearse.h"
#include "nta/firewall/response.h"
#include "nta/store/store.h"

namespace nta::server {

// What the firewall is about to do by itself.
struct FirewallAct {
  std::string act{};     // "firewall.block", "firewall.lift", ...
  std::string target{};  // a block's id
  std::vector<std::pair<std::string, std::string>> details{};
};

struct FirewallDeskOptions {
  // What must never be cut off, with these administrators; asked anew before each change. Null:
  // only they.
  std::function<absl::StatusOr<ProtectedSet>(const std::vector<IpAddress>&)> protection{};
  // `keep` and `audit` are the desk's own.
  ChangeGuardOptions guard{};
  // The hooks are the desk's own.
  ResponseOptions response{};
  // Records an act before it is done; it is not done when this fails, unless it happens anyway: a
  // block that expires, a change that is due to be taken back. Null: nothing is recorded.
  std::function<absl::Status(const FirewallAct&)> audit{};
  // Reads a table of somebody else. Null: not possible with this backend.
  std::function<absl::StatusOr<NftablesImport>(std::string_view, std::string_view)> import{};
  // Whether someone else may have changed what is in force since the last call. Null: what is in
  // force is compared every two seconds; otherwise then, and every half a minute.
  std::function<bool()> changed{};
  std::string note{};  // for people: why this backend and no other
  // An administrator's peer is protected for so long after it was last seen.
  Duration administrator_stays = std::chrono::minutes(30);
};

// Who asks, and over which connection.
struct FirewallCaller {
  std::string username{};
  IpAddress address{};
  std::uint64_t connection = 0;         // numbered as they are opened
  std::uint64_t newest_connection = 0;  // the highest number so far
};

struct WaitingChange {
  std::string token;
  Timestamp deadline{};
  Duration left{};
  std::string by;
};

struct FirewallState {
  std::string backend;
  std::string note;
  RuleSet draft;  // without blocks and protected set
  std::int64_t version = 0;
  RuleSet in_force;  // as enforced, blocks and protected set included
  RuleSetDiff diff;  // from the confirmed rules, or those that wait, to the draft
  std::vector<RuleCounters> counters;
  std::vector<RuleFinding> findings;  // of the draft
  std::optional<WaitingChange> waiting;
  // Why the last change is no longer in force, when it was taken back.
  std::optional<std::string> rolled_back;
};

struct RehearsalRequest {
  TimeInterval interval{};
  FlowFilter filter{};
  MachineRole role = MachineRole::kUnknown;
  std::vector<IpPrefix> translated{};
  std::optional<std::string> interface {};
  std::vector<AdministratorSession> sessions{};
  std::optional<RuleSet> rules{};  // absent: the draft
};

// Thread-safe.
// A block that is in force now, and the one that it took the place of.
struct PlacedBlock : ActiveBlock {
  std::optional<ActiveBlock> replaced{};
};

class FirewallDesk {
 public:
  // Puts the confirmed rules into force, and what is still blocked. A server that was never told a
  // rule leaves the machine's firewall alone. Borrows `store`.
  static absl::StatusOr<std::unique_ptr<FirewallDesk>> Open(
      Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
      FirewallDeskOptions options);
  ~FirewallDesk();

  // Another store took the place of the one before: its draft, rules, blocks and policies hold from
  // now on. A change that waits to be confirmed is taken back.
  absl::Status Reload();

  absl::StatusOr<FirewallState> State();
  // Lets `edit` change the draft. Aborted when the draft has another version (absent: any). An id
  // or set that begins with "blocked" is ours and refused.
  absl::StatusOr<std::int64_t> EditDraft(absl::FunctionRef<absl::Status(RuleSetParts&)> edit,
                                         std::optional<std::int64_t> version);
  absl::Status DiscardDraft();
  absl::StatusOr<RehearsalResult> Rehearse(const RehearsalRequest& request,
                                           const QueryControl& control);

  // The draft goes into force, and is taken back unless it is confirmed over a newer connection.
  absl::StatusOr<WaitingChange> Apply(const FirewallCaller& caller,
                                      std::chrono::milliseconds confirm_within);
  // OutOfRange: over a connection that is older than the change.
  absl::Status Confirm(std::string_view token, const FirewallCaller& caller);
  absl::Status RollBack(std::string_view token, const FirewallCaller& caller);

  // At once, unlike a change of rules: it is narrow and can be undone.
  // A block of the same address and scope takes the place of the one there was, and its reason
  // when it has none of its own.
  absl::StatusOr<PlacedBlock> Block(BlockRequest request, const FirewallCaller& caller);
  absl::Status Unblock(const IpAddress& address);
  std::vector<ActiveBlock> Blocks() const;
  // What an alert calls for, with a rehearsal on the flows of `interval`; kept until it is
  // accepted.
  absl::StatusOr<BlockProposal> Propose(const Alert& alert, const TimeInterval& interval,
                                        const QueryControl& control);
  absl::StatusOr<PlacedBlock> Accept(std::string_view alert_id, const FirewallCaller& caller);
  absl::Status Dismiss(std::string_view alert_id);
  std::vector<BlockProposal> Proposals();
  // Rehearses the newest proposal that has not been; for a thread that may take its time. False
  // when there is none.
  bool RehearseProposal(const TimeInterval& interval, const QueryControl& control);
  // Blocks at once for an alert that has been seen, with nothing proposed before. What is absent is
  // taken from the alert: whom, and the narrowest scope that covers it. Without an end: as long as
  // a proposal, and lifted before when the attack is over.
  absl::StatusOr<PlacedBlock> BlockFor(const Alert& alert, std::optional<IpAddress> address,
                                       std::optional<BlockScope> scope, BlockRequest request,
                                       const FirewallCaller& caller);
  // Does what the policy of the alert's class says.
  void OnAlert(const Alert& alert);
  absl::StatusOr<std::map<std::string, ResponsePolicy>> Policies();
  absl::Status SetPolicies(const std::map<std::string, ResponsePolicy>& policies);
  // Networks that are never blocked, by whomever.
  absl::StatusOr<std::vector<IpPrefix>> AllowList();
  absl::Status SetAllowList(const std::vector<IpPrefix>& prefixes);
  // Response::IsCut() and MayBeCut() tell what is no news for a detector.
  const nta::Response& response() const { return response_; }

  // Unimplemented without nftables.
  absl::StatusOr<NftablesImport> Import(std::string_view family, std::string_view table);

  // To be called some times a second: takes back what was not confirmed, measures and ends blocks,
  // and puts right what somebody else changed in our table.
  void Tick();
  // From now on a while this peer is protected.
  void NoteAdministrator(const IpAddress& peer);

  FirewallBackend& backend() { return *backend_; }

 private:
  FirewallDesk(Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
               FirewallDeskOptions options);
  absl::Status Load();
  absl::Status TakeUp() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadBlocks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsInUse() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<ProtectedSet> Protection() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // With blocks and protected set.
  absl::StatusOr<RuleSet> Compose(RuleSetParts parts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Enforce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status FindProblemsOfDraft() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Keep(const RuleSet& rules) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveParts(std::string_view id, const RuleSetParts& parts, std::int64_t version)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveBlock(const ActiveBlock& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status ForgetBlock(const std::string& id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ResponseOptions WithHooks(ResponseOptions options);
  absl::Status BeforeBlock(const ActiveBlock& block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status BeforeEnd(const ActiveBlock& block, BlockEnd end)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Record(const FirewallAct& act) const;
  absl::Status RecordChange(const GuardEvent& event) const;
  // After a call of response_: what the store says of the blocks that it touched is what is so.
  void Settle(bool succeeded) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Only a firewall that has our sets can take a block at once.
  absl::Status PrepareToBlock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<ActiveBlock> BlockLike(const IpAddress& address, const BlockScope& scope) const;
  absl::StatusOr<PlacedBlock> BlockLocked(BlockRequest request, const FirewallCaller& caller)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether a rule in force, other than a block, drops what the alert is about anyway.
  bool IsDropped(const ResponseSubject& subject, const Alert& alert) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void KeepProposal(BlockProposal proposal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::deque<BlockProposal>::iterator FindProposal(std::string_view alert_id)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::string> RehearseBlock(const BlockProposal& proposal,
                                            const TimeInterval& interval,
                                            const QueryControl& control);
  absl::Status SaveSetting(std::string_view id, std::string body)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadSettings() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<RehearsalResult> RehearseSets(const RuleSet& proposed, RehearsalOptions options,
                                               const TimeInterval& interval,
                                               const FlowFilter& filter,
                                               const QueryControl& control) const;

  Store& store_;
  const Clock clock_;
  const std::unique_ptr<FirewallBackend> backend_;
  const FirewallDeskOptions options_;
  absl::Mutex mutex_;
  nta::Response response_;
  std::unique_ptr<ChangeGuard> guard_ ABSL_GUARDED_BY(mutex_);
  RuleSetParts draft_ ABSL_GUARDED_BY(mutex_);
  std::int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  RuleSetParts confirmed_ ABSL_GUARDED_BY(mutex_);
  std::map<IpAddress, Timestamp> administrators_ ABSL_GUARDED_BY(mutex_);
  std::deque<BlockProposal> proposals_ ABSL_GUARDED_BY(mutex_);
  std::vector<ActiveBlock> touched_ ABSL_GUARDED_BY(mutex_);  // since the last Settle()
  bool blocks_by_itself_ ABSL_GUARDED_BY(mutex_) = false;     // a policy says so
  // What was put into force last; absent: nothing since the start.
  std::optional<RuleSet> enforced_ ABSL_GUARDED_BY(mutex_);
  std::string applied_by_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t newest_when_applied_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<std::string> rolled_back_ ABSL_GUARDED_BY(mutex_);
  // Of the draft with version findings_version_; thousands of rules take a while to compare.
  std::vector<RuleFinding> findings_ ABSL_GUARDED_BY(mutex_);
  std::int64_t findings_version_ ABSL_GUARDED_BY(mutex_) = -1;
  Duration findings_until_ ABSL_GUARDED_BY(mutex_){};
  Duration next_reconcile_ ABSL_GUARDED_BY(mutex_){};
  std::string last_warning_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_DESK_H_
