#include "firewall/desk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/status.h"
#include "firewall/alert_subject.h"
#include "firewall/desk_json.h"
#include "logging/log.h"

namespace nta::server {
namespace {

constexpr std::string_view kKind = "firewall";
constexpr std::string_view kDraft = "draft";
constexpr std::string_view kInForce = "in_force";
constexpr std::string_view kReserved = "blocked";
constexpr std::size_t kMaxAdministrators = 256;
constexpr Duration kFindingsStay = std::chrono::seconds(30);
constexpr Duration kReconcileEvery = std::chrono::seconds(2);
// Where changes are told of, too: should a notice get lost, and for rules that expire.
constexpr Duration kReconcileToldEvery = std::chrono::seconds(30);

absl::Status Failed(std::string_view message) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition, message);
}

IpPrefix HostOf(const IpAddress& address) {
  return *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
}

bool IsReserved(std::string_view name) { return name.starts_with(kReserved); }

absl::Status CheckNotReserved(const RuleSetParts& parts) {
  for (const Rule& rule : parts.rules) {
    if (!IsReserved(rule.id)) continue;
    return base::InvalidArgument("rule \"" + rule.id +
                                 "\": ids that begin with \"blocked\" are the server's own");
  }
  for (const AddressSet& set : parts.sets) {
    if (!IsReserved(set.name)) continue;
    return base::InvalidArgument("set \"" + set.name +
                                 "\": names that begin with \"blocked\" are the server's own");
  }
  return absl::OkStatus();
}

// What people wrote, without what the server puts beside it.
RuleSetParts WrittenByPeople(const RuleSet& rules) {
  RuleSetParts parts = rules.parts();
  std::erase_if(parts.rules, [](const Rule& rule) { return IsReserved(rule.id); });
  std::erase_if(parts.sets, [](const AddressSet& set) { return IsReserved(set.name); });
  parts.protected_set = ProtectedSet();
  return parts;
}

// Nothing when there is no such document.
absl::StatusOr<std::optional<Document>> Load(const Store& store, std::string_view id) {
  auto document = store.GetDocument(kKind, id);
  if (absl::IsNotFound(document.status())) return std::optional<Document>();
  if (!document.ok()) return document.status();
  return std::optional<Document>(*std::move(document));
}

absl::StatusOr<RuleSetParts> PartsOf(const std::optional<Document>& document) {
  if (!document) return RuleSetParts();
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, RuleSetFromJson(document->body));
  return rules.parts();
}

}  // namespace

FirewallDesk::FirewallDesk(Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
                           FirewallDeskOptions options)
    : store_(store),
      clock_(std::move(clock)),
      backend_(std::move(backend)),
      options_(std::move(options)),
      response_(*backend_, WithHooks(options_.response)) {}

FirewallDesk::~FirewallDesk() = default;

absl::StatusOr<std::unique_ptr<FirewallDesk>> FirewallDesk::Open(
    Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
    FirewallDeskOptions options) {
  std::unique_ptr<FirewallDesk> desk(
      new FirewallDesk(store, std::move(clock), std::move(backend), std::move(options)));
  NTA_RETURN_IF_ERROR(desk->Load());
  return desk;
}

absl::Status FirewallDesk::TakeUp() {
  NTA_ASSIGN_OR_RETURN(const auto draft, nta::server::Load(store_, kDraft));
  NTA_ASSIGN_OR_RETURN(const auto in_force, nta::server::Load(store_, kInForce));
  NTA_ASSIGN_OR_RETURN(draft_, PartsOf(draft ? draft : in_force));
  NTA_ASSIGN_OR_RETURN(confirmed_, PartsOf(in_force));
  version_ = draft ? draft->version : 0;
  NTA_RETURN_IF_ERROR(LoadSettings());
  NTA_RETURN_IF_ERROR(LoadBlocks());
  findings_version_ = -1;
  return absl::OkStatus();
}

absl::Status FirewallDesk::Load() {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(TakeUp());
  ChangeGuardOptions guard = options_.guard;
  // The guard calls it from within its own functions, which are called under the lock.
  guard.keep = [this](const RuleSet& rules) ABSL_NO_THREAD_SAFETY_ANALYSIS { return Keep(rules); };
  guard.audit = [this](const GuardEvent& event) { return RecordChange(event); };
  NTA_ASSIGN_OR_RETURN(guard_, ChangeGuard::Open(*backend_, std::move(guard), clock_.wall()));
  NTA_RETURN_IF_ERROR(Advance());
  return guard_->pending() || !IsInUse() ? absl::OkStatus() : Enforce();
}

absl::Status FirewallDesk::Reload() {
  const absl::MutexLock lock(&mutex_);
  if (const std::optional<PendingChange> pending = guard_->pending()) {
    NTA_RETURN_IF_ERROR(guard_->RollBack(pending->token, "", clock_.wall()));
    NTA_RETURN_IF_ERROR(Advance());
  }
  const bool was_in_use = IsInUse();
  std::set<IpAddress> blocked;
  for (const ActiveBlock& block : response_.blocks()) blocked.insert(block.address);
  NTA_RETURN_IF_ERROR(response_.UnblockAll({blocked.begin(), blocked.end()}, clock_.wall()));
  // That they ended is nothing for the other store, which may have the same ones.
  NTA_RETURN_IF_ERROR(response_.AdvanceTo(clock_.wall()).status());
  proposals_.clear();
  rolled_back_.reset();
  NTA_RETURN_IF_ERROR(TakeUp());
  return was_in_use || IsInUse() ? Enforce() : absl::OkStatus();
}

bool FirewallDesk::IsInUse() const {
  return !confirmed_.rules.empty() || confirmed_.defaults != DefaultVerdicts() ||
         blocks_by_itself_ || !response_.blocks().empty();
}

absl::StatusOr<ProtectedSet> FirewallDesk::Protection() {
  std::vector<IpAddress> administrators;
  for (const auto& [peer, until] : administrators_) administrators.push_back(peer);
  ProtectedSet safe;
  if (options_.protection) {
    NTA_ASSIGN_OR_RETURN(safe, options_.protection(administrators));
  } else {
    for (const IpAddress& peer : administrators) {
      safe.peers.push_back({HostOf(peer), ProtectedRole::kAdministrator});
    }
  }
  response_.SetProtectedSet(safe);
  return safe;
}

absl::StatusOr<RuleSet> FirewallDesk::Compose(RuleSetParts parts) {
  NTA_ASSIGN_OR_RETURN(parts.protected_set, Protection());
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, RuleSet::Create(std::move(parts)));
  NTA_ASSIGN_OR_RETURN(RuleSet composed, response_.Desired(rules, clock_.wall()));
  NTA_RETURN_IF_ERROR(CheckProtection(composed));
  return composed;
}

// The confirmed rules, blocks and protected set as they are now.
absl::Status FirewallDesk::Enforce() {
  NTA_ASSIGN_OR_RETURN(RuleSet rules, Compose(confirmed_));
  NTA_RETURN_IF_ERROR(guard_->Reconcile(rules, clock_.wall()).status());
  enforced_ = std::move(rules);
  return absl::OkStatus();
}

absl::Status FirewallDesk::Keep(const RuleSet& rules) {
  const RuleSetParts parts = WrittenByPeople(rules);
  NTA_RETURN_IF_ERROR(SaveParts(kInForce, parts, Document::kAnyVersion));
  confirmed_ = parts;
  return absl::OkStatus();
}

absl::Status FirewallDesk::SaveParts(std::string_view id, const RuleSetParts& parts,
                                     std::int64_t version) {
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, RuleSet::Create(parts));
  NTA_ASSIGN_OR_RETURN(const Document saved, store_.PutDocument({.kind = std::string(kKind),
                                                                 .id = std::string(id),
                                                                 .body = nta::ToJson(rules),
                                                                 .updated = clock_.wall(),
                                                                 .version = version}));
  if (id == kDraft) version_ = saved.version;
  return absl::OkStatus();
}

absl::StatusOr<FirewallState> FirewallDesk::State() {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(Advance());
  const Timestamp now = clock_.wall();
  FirewallState state;
  state.backend = std::string(backend_->name());
  state.note = options_.note;
  NTA_ASSIGN_OR_RETURN(state.draft, RuleSet::Create(draft_));
  state.version = version_;
  NTA_ASSIGN_OR_RETURN(state.in_force, backend_->Current(now));
  const std::optional<PendingChange> pending = guard_->pending();
  NTA_ASSIGN_OR_RETURN(const RuleSet before,
                       RuleSet::Create(pending ? WrittenByPeople(pending->after) : confirmed_));
  state.diff = Diff(before, state.draft);
  NTA_ASSIGN_OR_RETURN(state.counters, backend_->Counters(now));
  NTA_RETURN_IF_ERROR(FindProblemsOfDraft());
  state.findings = findings_;
  for (RuleFinding& finding : FindNeverHit(state.draft, state.counters)) {
    state.findings.push_back(std::move(finding));
  }
  if (pending) {
    state.waiting = WaitingChange{.token = pending->token,
                                  .deadline = pending->deadline,
                                  .left = std::max(Duration(0), pending->deadline - now),
                                  .by = applied_by_};
  }
  state.rolled_back = rolled_back_;
  return state;
}

absl::Status FirewallDesk::FindProblemsOfDraft() {
  if (findings_version_ == version_ && clock_.monotonic() < findings_until_) {
    return absl::OkStatus();
  }
  NTA_ASSIGN_OR_RETURN(const RuleSet composed, Compose(draft_));
  findings_.clear();
  for (RuleFinding& finding : FindProblems(composed, clock_.wall())) {
    // Blocks come and go: nobody wrote them, and nobody's rule is wrong because of them.
    if (IsReserved(finding.rule_id) || IsReserved(finding.because_of.value_or(""))) continue;
    findings_.push_back(std::move(finding));
  }
  findings_version_ = version_;
  findings_until_ = clock_.monotonic() + kFindingsStay;
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> FirewallDesk::EditDraft(
    absl::FunctionRef<absl::Status(RuleSetParts&)> edit, std::optional<std::int64_t> version) {
  const absl::MutexLock lock(&mutex_);
  if (version && *version != version_) {
    return base::MakeStatus(
        absl::StatusCode::kAborted,
        "the draft was changed meanwhile; it has version " + std::to_string(version_));
  }
  RuleSetParts parts = draft_;
  NTA_RETURN_IF_ERROR(edit(parts));
  parts.protected_set = ProtectedSet();
  NTA_RETURN_IF_ERROR(CheckNotReserved(parts));
  NTA_ASSIGN_OR_RETURN(const RuleSet checked, RuleSet::Create(std::move(parts)));
  NTA_RETURN_IF_ERROR(SaveParts(kDraft, checked.parts(), version_));
  draft_ = checked.parts();
  return version_;
}

absl::Status FirewallDesk::DiscardDraft() {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(SaveParts(kDraft, confirmed_, version_));
  draft_ = confirmed_;
  return absl::OkStatus();
}

absl::StatusOr<WaitingChange> FirewallDesk::Apply(const FirewallCaller& caller,
                                                  std::chrono::milliseconds confirm_within) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(Advance());
  const Timestamp now = clock_.wall();
  administrators_[caller.address] = now + options_.administrator_stays;
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, Compose(draft_));
  NTA_ASSIGN_OR_RETURN(const PendingChange change,
                       guard_->Apply(rules,
                                     {.connection = std::to_string(caller.connection),
                                      .confirm_within = confirm_within},
                                     now));
  rolled_back_.reset();
  applied_by_ = caller.username;
  newest_when_applied_ = caller.newest_connection;
  return WaitingChange{.token = change.token,
                       .deadline = change.deadline,
                       .left = change.deadline - now,
                       .by = caller.username};
}

// What the guard took back by itself.
absl::Status FirewallDesk::Advance() {
  NTA_ASSIGN_OR_RETURN(const auto rolled_back, guard_->AdvanceTo(clock_.wall()));
  if (!rolled_back) return absl::OkStatus();
  if (rolled_back->cause == RollBackCause::kAsked) return absl::OkStatus();
  rolled_back_ = rolled_back->cause == RollBackCause::kRestart
                     ? "a change was not confirmed when the machine or the server went down"
                     : "the change was not confirmed in time";
  *rolled_back_ += ": the rules of before are in force again";
  Log(LogLevel::kWarning, "firewall: " + *rolled_back_);
  // Blocks that came meanwhile are not in the old rules.
  return IsInUse() ? Enforce() : absl::OkStatus();
}

absl::Status FirewallDesk::Confirm(std::string_view token, const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(Advance());
  if (!guard_->pending()) {
    return Failed(rolled_back_ ? *rolled_back_ : std::string("no change waits to be confirmed"));
  }
  if (caller.connection <= newest_when_applied_) {
    return base::MakeStatus(absl::StatusCode::kOutOfRange,
                            "this connection is older than the change: a new one must show that "
                            "the machine is still to be reached");
  }
  const absl::Status status =
      guard_->Confirm(token, std::to_string(caller.connection), clock_.wall());
  if (!absl::IsNotFound(status)) return status;
  return base::MakeStatus(absl::StatusCode::kPermissionDenied,
                          "the token is not that of the change that waits");
}

absl::Status FirewallDesk::RollBack(std::string_view token, const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(Advance());
  if (!guard_->pending()) return Failed("no change waits to be confirmed");
  NTA_RETURN_IF_ERROR(guard_->RollBack(token, std::to_string(caller.connection), clock_.wall()));
  NTA_RETURN_IF_ERROR(Advance());
  return IsInUse() ? Enforce() : absl::OkStatus();
}

absl::StatusOr<NftablesImport> FirewallDesk::Import(std::string_view family,
                                                    std::string_view table) {
  if (options_.import) return options_.import(family, table);
  return base::MakeStatus(absl::StatusCode::kUnimplemented,
                          "only the backend nftables can read other tables; this server has \"" +
                              std::string(backend_->name()) + "\"");
}

void FirewallDesk::Tick() {
  const absl::MutexLock lock(&mutex_);
  // The same trouble every quarter of a second is told once.
  const auto warn = [this](const std::string& what, const absl::Status& status)
                        ABSL_NO_THREAD_SAFETY_ANALYSIS {
                          const std::string text = what + ": " + std::string(status.message());
                          if (status.ok() || text == last_warning_) return;
                          last_warning_ = text;
                          Log(LogLevel::kError, "firewall: " + text);
                        };
  warn("a change that was not confirmed cannot be taken back", Advance());
  const Timestamp now = clock_.wall();
  const absl::Status measured = response_.AdvanceTo(now).status();
  Settle(measured.ok());
  warn("the effect of blocks cannot be measured", measured);
  std::erase_if(administrators_, [&](const auto& entry) { return entry.second <= now; });
  const bool changed = options_.changed && options_.changed();
  if (changed) next_reconcile_ = clock_.monotonic();
  if (guard_->pending() || !IsInUse() || clock_.monotonic() < next_reconcile_) return;
  next_reconcile_ = clock_.monotonic() + (options_.changed ? kReconcileToldEvery : kReconcileEvery);
  warn("the rules cannot be put into force", Enforce());
}

void FirewallDesk::NoteAdministrator(const IpAddress& peer) {
  const absl::MutexLock lock(&mutex_);
  if (administrators_.size() >= kMaxAdministrators && !administrators_.contains(peer)) return;
  // A new one is protected at the next tick.
  if (!administrators_.contains(peer)) next_reconcile_ = Duration();
  administrators_[peer] = clock_.wall() + options_.administrator_stays;
}

}  // namespace nta::server
