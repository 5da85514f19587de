// FirewallDesk: what people do with the firewall through the server. A draft that operators edit
// and rehearse, the rules in force that administrators change, a change that waits to be confirmed,
// and single addresses that are blocked for a time.
//
//   auto desk = FirewallDesk::Open(store, clock, std::make_unique<MemoryBackend>(), {});
//   (*desk)->EditDraft(edit, version);  (*desk)->Apply(by);  (*desk)->Confirm(token, by);
#ifndef NTA_SERVER_FIREWALL_DESK_H_
#define NTA_SERVER_FIREWALL_DESK_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "clock.h"
#include "firewall/change_control.h"
#include "nta/firewall/backend.h"
#include "nta/firewall/rehearse.h"
#include "nta/store/store.h"

namespace nta::server {

struct FirewallDeskOptions {
  // What must never be cut off; asked anew before each change. Null: nothing.
  std::function<std::vector<ProtectedPeer>()> machine{};
  std::vector<IpPrefix> protected_networks{};  // by configuration
  // Null: LocalChangeControl.
  std::function<std::unique_ptr<ChangeControl>(FirewallBackend&, const Clock&)> control{};
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

struct PendingChange {
  std::string token;
  Timestamp deadline{};
  Duration left{};
  std::string by;
};

struct BlockRequest {
  IpAddress address{};
  std::optional<Duration> lasts{};  // absent: until it is lifted
  std::string reason{};             // as Rule::comment
  std::string alert_id{};
};

struct Block {
  IpAddress address{};
  std::optional<Timestamp> expires{};
  Timestamp created{};
  std::string reason;
  std::string alert_id;
  std::string author;
};

// What a block did, by the flows that were seen of the address and the packets that were dropped.
struct BlockEffect {
  Block block;
  std::optional<std::uint64_t> dropped_packets{};  // absent: the backend does not count them
  std::optional<std::uint64_t> dropped_bytes{};
  double packets_per_second_before = 0;  // over the ten minutes before it
  double packets_per_second_since = 0;
  bool lifted = false;  // expired or taken back
};

struct FirewallState {
  std::string backend;
  RuleSet draft;  // without blocks and protected set
  std::int64_t version = 0;
  RuleSet in_force;  // as enforced, blocks and protected set included
  RuleSetDiff diff;  // from the rules in force to the draft
  std::vector<RuleCounters> counters;
  std::vector<RuleFinding> findings;  // of the draft
  std::optional<PendingChange> pending;
  // Why the last change is no longer in force, when it was not confirmed in time.
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
class FirewallDesk {
 public:
  // Puts the confirmed rules into force, and what is still blocked. Borrows `store`.
  static absl::StatusOr<std::unique_ptr<FirewallDesk>> Open(
      Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
      FirewallDeskOptions options);
  ~FirewallDesk();

  absl::StatusOr<FirewallState> State();
  // Lets `edit` change the draft. Aborted when the draft has another version (absent: any). An id
  // or set that begins with "blocked" is ours and refused.
  absl::StatusOr<std::int64_t> EditDraft(absl::FunctionRef<absl::Status(RuleSetParts&)> edit,
                                         std::optional<std::int64_t> version);
  absl::Status DiscardDraft();
  absl::StatusOr<RehearsalResult> Rehearse(const RehearsalRequest& request,
                                           const QueryControl& control);

  // The draft goes into force, and is taken back unless it is confirmed over a newer connection.
  absl::StatusOr<PendingChange> Apply(const FirewallCaller& caller, Duration confirm_within);
  absl::Status Confirm(std::string_view token, const FirewallCaller& caller);
  absl::Status RollBack(std::string_view token);

  // At once, unlike a change of rules: it is narrow and can be undone. A protected address is
  // FailedPrecondition.
  absl::StatusOr<Block> BlockAddress(const BlockRequest& request, const FirewallCaller& caller);
  absl::Status Unblock(const IpAddress& address);
  absl::StatusOr<std::vector<BlockEffect>> Effects();

  // To be called once a second: rolls back what was not confirmed, forgets what expired, and puts
  // the protection of administrators up to date.
  void Tick();
  // From now on a while this peer is protected.
  void NoteAdministrator(const IpAddress& peer);

  FirewallBackend& backend() { return *backend_; }

 private:
  struct Waiting {
    PendingChange change;
    std::uint64_t newest_connection = 0;
    RuleSetParts parts;
  };

  FirewallDesk(Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
               FirewallDeskOptions options);
  absl::Status Load();
  absl::Status LoadBlocks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LookAtPending() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  ProtectedSet Protection() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<RuleSet> Compose(RuleSetParts parts) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status Enforce() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status SaveParts(std::string_view id, const RuleSetParts& parts, std::int64_t version)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<BlockEffect> EffectOf(const Block& block, bool lifted, Timestamp now);

  Store& store_;
  const Clock clock_;
  const std::unique_ptr<FirewallBackend> backend_;
  const FirewallDeskOptions options_;
  absl::Mutex mutex_;
  std::unique_ptr<ChangeControl> control_ ABSL_GUARDED_BY(mutex_);
  RuleSetParts draft_ ABSL_GUARDED_BY(mutex_);
  std::int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  RuleSetParts confirmed_ ABSL_GUARDED_BY(mutex_);
  std::map<IpAddress, Block> blocks_ ABSL_GUARDED_BY(mutex_);
  std::map<IpAddress, Timestamp> administrators_ ABSL_GUARDED_BY(mutex_);
  std::optional<Waiting> waiting_ ABSL_GUARDED_BY(mutex_);
  std::optional<std::string> rolled_back_ ABSL_GUARDED_BY(mutex_);
  ProtectedSet enforced_protection_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_DESK_H_
