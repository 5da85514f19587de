#include "firewall/desk.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "firewall/desk_json.h"
#include "log.h"

namespace nta::server {
namespace {

constexpr std::string_view kKind = "firewall";
constexpr std::string_view kDraft = "draft";
constexpr std::string_view kInForce = "in_force";
constexpr std::string_view kBlockKind = "firewall_block";
constexpr std::string_view kReserved = "blocked";
constexpr std::size_t kMaxBlocks = 100'000;
constexpr std::size_t kEffectsListed = 200;
constexpr Duration kMaxAdministratorStays = std::chrono::hours(24);
constexpr std::size_t kMaxAdministrators = 256;

absl::Status Failed(std::string_view message) {
  return base::MakeStatus(absl::StatusCode::kFailedPrecondition, message);
}

IpPrefix HostOf(const IpAddress& address) {
  return *IpPrefix::Create(address, address.is_v4() ? 32 : 128);
}

Rule BlockRule(std::string id, RuleDirection direction, bool source) {
  Rule rule{.id = std::move(id), .direction = direction, .verdict = RuleVerdict::kDrop};
  (source ? rule.source : rule.destination).sets = {std::string(kReserved)};
  rule.comment = "addresses that are blocked for a time";
  return rule;
}

// Ahead of all others, so that no rule lets a blocked address in.
std::vector<Rule> BlockRules() {
  return {BlockRule("blocked-in", RuleDirection::kIn, true),
          BlockRule("blocked-out", RuleDirection::kOut, false),
          BlockRule("blocked-from", RuleDirection::kForward, true),
          BlockRule("blocked-to", RuleDirection::kForward, false)};
}

absl::Status CheckNotReserved(const RuleSetParts& parts) {
  for (const Rule& rule : parts.rules) {
    if (!rule.id.starts_with(kReserved)) continue;
    return base::InvalidArgument("rule \"" + rule.id +
                                 "\": ids that begin with \"blocked\" are the server's own");
  }
  for (const AddressSet& set : parts.sets) {
    if (!set.name.starts_with(kReserved)) continue;
    return base::InvalidArgument("set \"" + set.name +
                                 "\": names that begin with \"blocked\" are the server's own");
  }
  return absl::OkStatus();
}

// What a document holds; nothing when there is none.
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

RehearsalColumns ToColumns(const StoredColumns& columns) {
  return {.source_addresses = columns.source_addresses,
          .source = columns.source,
          .destination_addresses = columns.destination_addresses,
          .destination = columns.destination,
          .protocol = columns.protocol,
          .source_port = columns.source_port,
          .destination_port = columns.destination_port,
          .icmp_type = columns.icmp_type,
          .tcp_state = columns.tcp_state,
          .forward_packets = columns.forward_packets,
          .reverse_packets = columns.reverse_packets,
          .forward_bytes = columns.forward_bytes,
          .reverse_bytes = columns.reverse_bytes,
          .selected = columns.selected};
}

}  // namespace

FirewallDesk::FirewallDesk(Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
                           FirewallDeskOptions options)
    : store_(store),
      clock_(std::move(clock)),
      backend_(std::move(backend)),
      options_(std::move(options)),
      control_(options_.control ? options_.control(*backend_, clock_)
                                : LocalChangeControl(*backend_, clock_)) {}

FirewallDesk::~FirewallDesk() = default;

absl::StatusOr<std::unique_ptr<FirewallDesk>> FirewallDesk::Open(
    Store& store, Clock clock, std::unique_ptr<FirewallBackend> backend,
    FirewallDeskOptions options) {
  std::unique_ptr<FirewallDesk> desk(
      new FirewallDesk(store, std::move(clock), std::move(backend), std::move(options)));
  NTA_RETURN_IF_ERROR(desk->Load());
  return desk;
}

absl::Status FirewallDesk::Load() {
  const absl::MutexLock lock(&mutex_);
  NTA_ASSIGN_OR_RETURN(const auto draft, nta::server::Load(store_, kDraft));
  NTA_ASSIGN_OR_RETURN(const auto in_force, nta::server::Load(store_, kInForce));
  NTA_ASSIGN_OR_RETURN(draft_, PartsOf(draft ? draft : in_force));
  NTA_ASSIGN_OR_RETURN(confirmed_, PartsOf(in_force));
  version_ = draft ? draft->version : 0;
  NTA_RETURN_IF_ERROR(LoadBlocks());
  // A server that was never told a rule leaves the machine's firewall alone.
  if (!in_force && blocks_.empty()) {
    enforced_protection_ = Protection();
    return absl::OkStatus();
  }
  return Enforce();
}

absl::Status FirewallDesk::LoadBlocks() {
  DocumentQuery query{.kind = std::string(kBlockKind), .limit = 10'000};
  const Timestamp now = clock_.wall();
  while (true) {
    NTA_ASSIGN_OR_RETURN(const DocumentPage page, store_.Documents(query));
    for (const Document& document : page.documents) {
      const auto block = BlockFromJson(document.body);
      if (!block.ok()) {
        Log(LogLevel::kWarning, "firewall: the block \"" + document.id +
                                    "\" cannot be read: " + std::string(block.status().message()));
        continue;
      }
      if (!block->expires || *block->expires > now) blocks_.emplace(block->address, *block);
    }
    if (page.next_cursor.empty()) return absl::OkStatus();
    query.cursor = page.next_cursor;
  }
}

ProtectedSet FirewallDesk::Protection() {
  ProtectedSet safe;
  if (options_.machine) safe.peers = options_.machine();
  for (const IpPrefix& network : options_.protected_networks) {
    safe.peers.push_back({network, ProtectedRole::kConfigured});
  }
  for (const auto& [peer, until] : administrators_) {
    safe.peers.push_back({HostOf(peer), ProtectedRole::kAdministrator});
  }
  std::sort(safe.peers.begin(), safe.peers.end());
  safe.peers.erase(std::unique(safe.peers.begin(), safe.peers.end()), safe.peers.end());
  return safe;
}

absl::StatusOr<RuleSet> FirewallDesk::Compose(RuleSetParts parts) {
  std::vector<Rule> rules = BlockRules();
  std::move(parts.rules.begin(), parts.rules.end(), std::back_inserter(rules));
  parts.rules = std::move(rules);
  AddressSet blocked{.name = std::string(kReserved)};
  for (const auto& [address, block] : blocks_) {
    blocked.elements.push_back({HostOf(address), block.expires});
  }
  parts.sets.push_back(std::move(blocked));
  parts.protected_set = Protection();
  NTA_ASSIGN_OR_RETURN(RuleSet composed, RuleSet::Create(std::move(parts)));
  NTA_RETURN_IF_ERROR(CheckProtection(composed));
  return composed;
}

// The confirmed rules, blocks and protected set as they are now.
absl::Status FirewallDesk::Enforce() {
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, Compose(confirmed_));
  NTA_RETURN_IF_ERROR(backend_->Replace(rules, clock_.wall()));
  enforced_protection_ = rules.protected_set();
  return absl::OkStatus();
}

absl::Status FirewallDesk::SaveParts(std::string_view id, const RuleSetParts& parts,
                                     std::int64_t version) {
  RuleSetParts kept = parts;
  kept.protected_set = ProtectedSet();
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, RuleSet::Create(std::move(kept)));
  NTA_ASSIGN_OR_RETURN(const Document saved, store_.PutDocument({.kind = std::string(kKind),
                                                                 .id = std::string(id),
                                                                 .body = ToJson(rules),
                                                                 .updated = clock_.wall(),
                                                                 .version = version}));
  if (id == kDraft) version_ = saved.version;
  return absl::OkStatus();
}

absl::StatusOr<FirewallState> FirewallDesk::State() {
  const absl::MutexLock lock(&mutex_);
  const absl::Status looked = LookAtPending();
  if (!looked.ok()) return looked;
  const Timestamp now = clock_.wall();
  FirewallState state;
  state.backend = std::string(backend_->name());
  NTA_ASSIGN_OR_RETURN(state.draft, RuleSet::Create(draft_));
  state.version = version_;
  NTA_ASSIGN_OR_RETURN(state.in_force, backend_->Current(now));
  NTA_ASSIGN_OR_RETURN(const RuleSet before, RuleSet::Create(confirmed_));
  state.diff = Diff(waiting_ ? *RuleSet::Create(waiting_->parts) : before, state.draft);
  NTA_ASSIGN_OR_RETURN(state.counters, backend_->Counters(now));
  NTA_ASSIGN_OR_RETURN(const RuleSet composed, Compose(draft_));
  for (RuleFinding& finding : FindProblems(composed, now)) {
    if (!finding.rule_id.starts_with(kReserved)) state.findings.push_back(std::move(finding));
  }
  for (RuleFinding& finding : FindNeverHit(state.draft, state.counters)) {
    state.findings.push_back(std::move(finding));
  }
  if (waiting_) {
    state.pending = waiting_->change;
    state.pending->left = std::max(Duration(0), waiting_->change.deadline - now);
  }
  state.rolled_back = rolled_back_;
  return state;
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

absl::StatusOr<RehearsalResult> FirewallDesk::Rehearse(const RehearsalRequest& request,
                                                       const QueryControl& control) {
  const Timestamp now = clock_.wall();
  RehearsalOptions options{.role = request.role,
                           .translated = request.translated,
                           .interface = request.interface,
                           .now = now,
                           .sessions = request.sessions};
  std::optional<RuleSet> proposed;
  {
    const absl::MutexLock lock(&mutex_);
    RuleSetParts parts = request.rules ? request.rules->parts() : draft_;
    NTA_RETURN_IF_ERROR(CheckNotReserved(parts));
    NTA_ASSIGN_OR_RETURN(proposed, Compose(std::move(parts)));
    NTA_ASSIGN_OR_RETURN(options.in_force, Compose(confirmed_));
  }
  for (const ProtectedPeer& peer : proposed->protected_set().peers) {
    if (peer.role == ProtectedRole::kOwn) options.own_addresses.push_back(peer.prefix.address());
  }
  NTA_ASSIGN_OR_RETURN(Rehearsal rehearsal, Rehearsal::Create(*proposed, std::move(options)));
  NTA_RETURN_IF_ERROR(store_.ScanFlows(
      request.interval, request.filter,
      [&rehearsal](const StoredColumns& columns) { return rehearsal.Add(ToColumns(columns)); },
      control));
  return rehearsal.Finish();
}

absl::StatusOr<PendingChange> FirewallDesk::Apply(const FirewallCaller& caller,
                                                  Duration confirm_within) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(LookAtPending());
  if (waiting_) return Failed("another change waits to be confirmed");
  administrators_[caller.address] = clock_.wall() + options_.administrator_stays;
  NTA_ASSIGN_OR_RETURN(const RuleSet rules, Compose(draft_));
  // What stands in the way of a way back must show before the change, not after.
  NTA_RETURN_IF_ERROR(Enforce());
  NTA_ASSIGN_OR_RETURN(std::string token, control_->Apply(rules, confirm_within));
  enforced_protection_ = rules.protected_set();
  rolled_back_.reset();
  waiting_ = {.change = {.token = std::move(token),
                         .deadline = clock_.wall() + confirm_within,
                         .left = confirm_within,
                         .by = caller.username},
              .newest_connection = caller.newest_connection,
              .parts = draft_};
  return waiting_->change;
}

absl::Status FirewallDesk::LookAtPending() {
  if (!waiting_) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const bool pending, control_->IsPending());
  if (pending) return absl::OkStatus();
  rolled_back_ = "the change by " + waiting_->change.by +
                 " was not confirmed in time: the rules of before are in force again";
  Log(LogLevel::kWarning, "firewall: " + *rolled_back_);
  waiting_.reset();
  // Blocks that came meanwhile are not in the old rules.
  return Enforce();
}

absl::Status FirewallDesk::Confirm(std::string_view token, const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(LookAtPending());
  if (!waiting_) {
    return Failed(rolled_back_ ? *rolled_back_ : std::string("no change waits to be confirmed"));
  }
  if (caller.connection <= waiting_->newest_connection) {
    return Failed(
        "this connection is older than the change: a new one must show that the machine is still "
        "to be reached");
  }
  // In the store first: a restart between the two keeps what the administrator wanted.
  const RuleSetParts before = confirmed_;
  NTA_RETURN_IF_ERROR(SaveParts(kInForce, waiting_->parts, Document::kAnyVersion));
  const absl::Status confirmed = control_->Confirm(token);
  if (!confirmed.ok()) {
    const absl::Status restored = SaveParts(kInForce, before, Document::kAnyVersion);
    return restored.ok() ? confirmed : restored;
  }
  confirmed_ = waiting_->parts;
  waiting_.reset();
  return absl::OkStatus();
}

absl::Status FirewallDesk::RollBack(std::string_view token) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(LookAtPending());
  if (!waiting_) return Failed("no change waits to be confirmed");
  NTA_RETURN_IF_ERROR(control_->RollBack(token));
  waiting_.reset();
  return Enforce();
}

absl::StatusOr<Block> FirewallDesk::BlockAddress(const BlockRequest& request,
                                                 const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  const Timestamp now = clock_.wall();
  if (caller.connection > 0) {
    administrators_[caller.address] = now + options_.administrator_stays;
  }
  const ProtectedSet safe = Protection();
  for (const ProtectedPeer& peer : safe.peers) {
    if (!peer.prefix.Contains(request.address)) continue;
    return Failed(request.address.ToString() + " is protected (" +
                  std::string(ToString(peer.role)) + ") and cannot be blocked");
  }
  if (request.address.is_loopback() || request.address.is_multicast()) {
    return base::InvalidArgument(request.address.ToString() + " is no host that could be blocked");
  }
  if (blocks_.size() >= kMaxBlocks) {
    return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                            "100000 addresses are blocked already; lift some or use a rule");
  }
  Rule as_rule{.id = "x", .verdict = RuleVerdict::kDrop, .comment = request.reason};
  as_rule.protocol = kProtocolTcp;
  NTA_RETURN_IF_ERROR(CheckRule(as_rule));
  Block block{.address = request.address,
              .created = now,
              .reason = request.reason,
              .alert_id = request.alert_id,
              .author = caller.username};
  if (request.lasts) block.expires = now + *request.lasts;
  const auto known = blocks_.find(request.address);
  const std::optional<Block> before =
      known == blocks_.end() ? std::nullopt : std::optional(known->second);
  NTA_RETURN_IF_ERROR(store_
                          .PutDocument({.kind = std::string(kBlockKind),
                                        .id = request.address.ToString(),
                                        .body = ToJson(block),
                                        .updated = now,
                                        .version = Document::kAnyVersion})
                          .status());
  blocks_[request.address] = block;
  const SetElement element[] = {{HostOf(request.address), block.expires}};
  absl::Status status = backend_->AddToSet(kReserved, element, now);
  // The first block of all: the set is not there yet.
  if (absl::IsNotFound(status)) status = Enforce();
  if (status.ok()) return block;
  if (before) {
    blocks_[request.address] = *before;
  } else {
    blocks_.erase(request.address);
    const absl::Status removed = store_.RemoveDocument(kBlockKind, request.address.ToString());
    if (!removed.ok()) return removed;
  }
  return status;
}

absl::Status FirewallDesk::Unblock(const IpAddress& address) {
  const absl::MutexLock lock(&mutex_);
  if (!blocks_.contains(address)) {
    return base::MakeStatus(absl::StatusCode::kNotFound, address.ToString() + " is not blocked");
  }
  const IpPrefix prefix[] = {HostOf(address)};
  NTA_RETURN_IF_ERROR(backend_->RemoveFromSet(kReserved, prefix, clock_.wall()));
  NTA_RETURN_IF_ERROR(store_.RemoveDocument(kBlockKind, address.ToString()));
  blocks_.erase(address);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BlockEffect>> FirewallDesk::Effects() {
  std::vector<Block> blocks;
  {
    const absl::MutexLock lock(&mutex_);
    for (const auto& [address, block] : blocks_) blocks.push_back(block);
  }
  std::sort(blocks.begin(), blocks.end(),
            [](const Block& a, const Block& b) { return a.created > b.created; });
  if (blocks.size() > kEffectsListed) blocks.resize(kEffectsListed);
  std::vector<BlockEffect> effects;
  for (const Block& block : blocks) {
    NTA_ASSIGN_OR_RETURN(BlockEffect effect, EffectOf(block, false, clock_.wall()));
    effects.push_back(std::move(effect));
  }
  return effects;
}

absl::StatusOr<BlockEffect> FirewallDesk::EffectOf(const Block& block, bool lifted, Timestamp now) {
  constexpr Duration kBefore = std::chrono::minutes(10);
  BlockEffect effect{.block = block};
  effect.lifted = lifted;
  NTA_ASSIGN_OR_RETURN(const FlowFilter filter,
                       FlowFilter::Parse("src=" + block.address.ToString()));
  std::uint64_t before = 0;
  std::uint64_t since = 0;
  const auto sum = [&](const TimeInterval& interval, std::uint64_t& packets) {
    return store_.ScanFlows(interval, filter, [&packets](const StoredColumns& columns) {
      for (std::size_t i = 0; i < columns.selected.size(); ++i) {
        if (columns.selected[i] != 0) packets += columns.forward_packets[i];
      }
      return absl::OkStatus();
    });
  };
  NTA_RETURN_IF_ERROR(sum({block.created - kBefore, block.created}, before));
  NTA_RETURN_IF_ERROR(sum({block.created, now + Duration(1)}, since));
  const std::chrono::duration<double> passed =
      std::max<Duration>(now - block.created, std::chrono::seconds(1));
  effect.packets_per_second_before =
      static_cast<double>(before) / std::chrono::duration<double>(kBefore).count();
  effect.packets_per_second_since = static_cast<double>(since) / passed.count();
  return effect;
}

void FirewallDesk::Tick() {
  const absl::MutexLock lock(&mutex_);
  const auto warn = [](const std::string& what, const absl::Status& status) {
    if (status.ok()) return;
    Log(LogLevel::kError, "firewall: " + what + ": " + std::string(status.message()));
  };
  warn("the change that was not confirmed cannot be taken back", LookAtPending());
  const Timestamp now = clock_.wall();
  std::erase_if(blocks_, [&](const auto& entry) {
    const bool over = entry.second.expires && *entry.second.expires <= now;
    if (over) {
      warn("a block that expired cannot be forgotten",
           store_.RemoveDocument(kBlockKind, entry.first.ToString()));
    }
    return over;
  });
  std::erase_if(administrators_, [&](const auto& entry) { return entry.second <= now; });
  // While a change waits, its own protection stays as it was judged.
  if (waiting_ || Protection() == enforced_protection_) return;
  const bool in_use =
      !confirmed_.rules.empty() || !blocks_.empty() || confirmed_.defaults != DefaultVerdicts();
  if (in_use) warn("the protected set cannot be brought up to date", Enforce());
}

void FirewallDesk::NoteAdministrator(const IpAddress& peer) {
  const absl::MutexLock lock(&mutex_);
  if (administrators_.size() >= kMaxAdministrators && !administrators_.contains(peer)) return;
  administrators_[peer] =
      clock_.wall() + std::min(options_.administrator_stays, kMaxAdministratorStays);
}

}  // namespace nta::server
