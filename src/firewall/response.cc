#include "nta/firewall/response.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <set>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "base/mutex_lock.h"
#include "base/status.h"
#include "base/utf8.h"
#include "firewall/block_sets.h"
#include "firewall/cut_traffic.h"

namespace nta {

using firewall::BlockSetName;

namespace {

constexpr std::size_t kMaxReasonBytes = 200;
// Counting one address takes some 10 us; more wait for the next call.
constexpr std::size_t kMeasuredAtOnce = 2000;
constexpr Duration kStopgap = std::chrono::seconds(5);
// Whoever sends these need not see an answer, so their sources are easily forged.
constexpr std::array<std::string_view, 5> kForgeable = {"syn_flood", "udp_flood", "icmp_flood",
                                                        "amplification", "flash_crowd"};

IpPrefix HostOf(const IpAddress& address) {
  return IpPrefix::Create(address, address.is_v4() ? 32 : 128).value_or(IpPrefix());
}

std::string IdOf(const IpAddress& address, const BlockScope& scope) {
  return scope == BlockScope() ? address.ToString() : address.ToString() + " " + scope.ToString();
}

}  // namespace

bool IsEasilyForged(std::string_view alert_class) {
  return std::find(kForgeable.begin(), kForgeable.end(), alert_class) != kForgeable.end();
}

bool BlockScope::Covers(const BlockScope& other) const {
  if (protocol && protocol != other.protocol) return false;
  return !port || port == other.port;
}

std::string BlockScope::ToString() const {
  if (!protocol) return "all traffic";
  if (!port) return ProtocolName(*protocol);
  return ProtocolName(*protocol) + " port " + std::to_string(*port);
}

class Response::Impl {
 public:
  Impl(FirewallBackend& backend, ResponseOptions options)
      : backend_(backend), options_(std::move(options)), cut_(2 * options_.max_blocks) {}

  absl::StatusOr<ResponseAnswer> Handle(const ResponseSubject& subject, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    const BlockScope wanted{.protocol = subject.protocol, .port = subject.port};
    ResponseAnswer answer;
    if (const ActiveBlock* const block = Covering(subject.offender, wanted, now)) {
      answer.reason = "the block of " + block->id + " covers it already";
      answer.block = *block;
      return answer;
    }
    const auto own = options_.policies.find(subject.alert_class);
    const ResponsePolicy policy =
        own == options_.policies.end() ? options_.default_policy : own->second;
    if (policy == ResponsePolicy::kOff) {
      answer.reason = "the policy for " + base::PrintableUtf8(subject.alert_class, 40) + " is off";
      return answer;
    }
    auto proposal = MakeProposal(subject);
    if (!proposal.ok()) {
      answer.reason = std::string(proposal.status().message());
      return answer;
    }
    answer.act = ResponseAct::kProposed;
    answer.reason = proposal->reason;
    if (policy == ResponsePolicy::kAutomatic && proposal->may_be_automatic) {
      NTA_ASSIGN_OR_RETURN(answer.block, AcceptLocked(*proposal, kResponseAuthor, now));
      answer.act = ResponseAct::kBlocked;
    }
    answer.proposal = *std::move(proposal);
    return answer;
  }

  absl::StatusOr<BlockProposal> Propose(const ResponseSubject& subject) const {
    const base::MutexLock lock(&mutex_);
    return MakeProposal(subject);
  }

  absl::StatusOr<ActiveBlock> Accept(const BlockProposal& proposal, std::string_view author,
                                     Timestamp now) {
    const base::MutexLock lock(&mutex_);
    return AcceptLocked(proposal, author, now);
  }

  absl::StatusOr<std::vector<ActiveBlock>> BlockAll(const std::vector<BlockRequest>& requests,
                                                    Timestamp now) {
    const base::MutexLock lock(&mutex_);
    std::vector<ActiveBlock> blocks;
    for (const BlockRequest& request : requests) {
      NTA_ASSIGN_OR_RETURN(ActiveBlock block, ToBlock(request, now));
      blocks.push_back(std::move(block));
    }
    NTA_RETURN_IF_ERROR(Enforce(blocks, now));
    return blocks;
  }

  absl::Status UnblockAll(const std::vector<IpAddress>& addresses, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    std::vector<ActiveBlock> gone;
    for (const IpAddress& address : addresses) {
      const auto found = blocks_.find(address);
      if (found == blocks_.end()) {
        return base::MakeStatus(absl::StatusCode::kNotFound,
                                "no block of " + address.ToString() + " is in force");
      }
      gone.insert(gone.end(), found->second.begin(), found->second.end());
    }
    return Lift(gone, BlockEnd::kUnblocked, now);
  }

  absl::StatusOr<std::vector<EndedBlock>> AdvanceTo(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    std::vector<ActiveBlock> expired;
    for (const auto& [address, list] : blocks_) {
      for (const ActiveBlock& block : list) {
        if (block.until && *block.until <= now) expired.push_back(block);
      }
    }
    // The kernel has let them go by itself, so nothing can keep them.
    for (const ActiveBlock& block : expired) {
      Tell(block, BlockEnd::kExpired).IgnoreError();
      Forget(block, BlockEnd::kExpired, now);
    }
    NTA_RETURN_IF_ERROR(Measure(now));
    return std::exchange(ended_, {});
  }

  std::vector<ActiveBlock> blocks() const {
    const base::MutexLock lock(&mutex_);
    std::vector<ActiveBlock> all;
    for (const auto& [address, list] : blocks_) all.insert(all.end(), list.begin(), list.end());
    std::sort(all.begin(), all.end(), [](const ActiveBlock& a, const ActiveBlock& b) {
      return a.address != b.address ? a.address < b.address : a.id < b.id;
    });
    return all;
  }

  std::vector<ActiveBlock> BlocksOf(const IpAddress& address) const {
    const base::MutexLock lock(&mutex_);
    const auto found = blocks_.find(address);
    return found == blocks_.end() ? std::vector<ActiveBlock>() : found->second;
  }

  bool IsCut(const FiveTuple& flow, Timestamp time) const { return cut_.IsCut(flow, time); }

  bool MayBeCut() const { return cut_.MayBeCut(); }

  absl::StatusOr<RuleSet> Desired(const RuleSet& rules, Timestamp now) const {
    const base::MutexLock lock(&mutex_);
    return Compose(rules, {}, now);
  }

  absl::StatusOr<RuleSet> RulesWith(const RuleSet& rules, const BlockProposal& proposal,
                                    Timestamp now) const {
    const base::MutexLock lock(&mutex_);
    const ActiveBlock block{
        .address = proposal.subject.offender, .scope = proposal.scope, .until = now + proposal.ttl};
    return Compose(rules, {block}, now);
  }

  void Restore(const std::vector<ActiveBlock>& blocks, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    for (ActiveBlock block : blocks) {
      if (block.until && *block.until <= now) continue;
      block.id = IdOf(block.address, block.scope);
      cut_.Begin(block, now);
      Put(std::move(block));
    }
  }

  void SetProtectedSet(ProtectedSet protected_set) {
    const base::MutexLock lock(&mutex_);
    protected_set_ = std::move(protected_set);
  }
  void SetAllowList(std::vector<IpPrefix> prefixes) {
    const base::MutexLock lock(&mutex_);
    options_.allow_list = std::move(prefixes);
  }
  void SetPolicies(std::map<std::string, ResponsePolicy> policies) {
    const base::MutexLock lock(&mutex_);
    options_.policies = std::move(policies);
  }

 private:
  struct Measured {
    std::uint64_t packets = 0;  // as the kernel counted at `time`
    std::uint64_t bytes = 0;
    Timestamp time{};
  };

  const ActiveBlock* Covering(const IpAddress& address, const BlockScope& scope,
                              Timestamp now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    const auto found = blocks_.find(address);
    if (found == blocks_.end()) return nullptr;
    for (const ActiveBlock& block : found->second) {
      if (block.scope.Covers(scope) && (!block.until || *block.until > now)) return &block;
    }
    return nullptr;
  }

  absl::Status CheckTarget(const IpAddress& address) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    const bool is_nobody =
        address == IpAddress() || address == IpAddress::V6(std::array<std::uint8_t, 16>{});
    if (is_nobody || address.is_multicast() || address.is_loopback()) {
      return base::InvalidArgument(address.ToString() + " is no address of a host to block");
    }
    for (const IpPrefix& prefix : options_.allow_list) {
      if (!prefix.Contains(address)) continue;
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              address.ToString() + " is in " + prefix.ToString() +
                                  " of the allow list, and is never blocked");
    }
    for (const ProtectedPeer& peer : protected_set_.peers) {
      if (!peer.prefix.Contains(address)) continue;
      return base::MakeStatus(absl::StatusCode::kFailedPrecondition,
                              address.ToString() + " is protected (" +
                                  std::string(ToString(peer.role)) + "), and is never blocked");
    }
    return absl::OkStatus();
  }

  absl::StatusOr<BlockProposal> MakeProposal(const ResponseSubject& subject) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    NTA_RETURN_IF_ERROR(CheckTarget(subject.offender));
    BlockProposal proposal{.subject = subject};
    proposal.scope.protocol = subject.protocol;
    if (subject.protocol && HasPorts(*subject.protocol)) proposal.scope.port = subject.port;
    if (!HasScope(proposal.scope) && scopes_.size() >= options_.max_scopes) proposal.scope = {};
    proposal.ttl = options_.ttl;
    const auto history = history_.find(subject.offender);
    for (int i = 0; history != history_.end() && i < history->second.times; ++i) {
      proposal.ttl = std::min(2 * proposal.ttl, options_.max_ttl);
    }
    proposal.ttl = std::min(proposal.ttl, options_.max_ttl);
    proposal.may_be_automatic = !subject.is_one_way && !IsEasilyForged(subject.alert_class);
    proposal.reason =
        proposal.may_be_automatic ? "the offender answered, so its address is its own"
        : subject.is_one_way
            ? "nothing shows that the offender received an answer: its address may be forged"
            : "the sources of such an attack are easily forged, or are customers";
    return proposal;
  }

  absl::StatusOr<ActiveBlock> AcceptLocked(const BlockProposal& proposal, std::string_view author,
                                           Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const ResponseSubject& subject = proposal.subject;
    NTA_ASSIGN_OR_RETURN(const ActiveBlock block,
                         ToBlock({.address = subject.offender,
                                  .scope = proposal.scope,
                                  .ttl = proposal.ttl,
                                  .author = std::string(author),
                                  .reason = subject.alert_class,
                                  .alert_id = subject.alert_id,
                                  .alert_class = subject.alert_class,
                                  .packets_per_second = subject.packets_per_second,
                                  .ends_when_over = true},
                                 now));
    NTA_RETURN_IF_ERROR(Enforce({block}, now));
    return block;
  }

  absl::StatusOr<ActiveBlock> ToBlock(const BlockRequest& request, Timestamp now) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    NTA_RETURN_IF_ERROR(CheckTarget(request.address));
    if (request.ttl && *request.ttl <= Duration(0)) {
      return base::InvalidArgument("a block lasts longer than nothing");
    }
    if (request.scope.port && (!request.scope.protocol || !HasPorts(*request.scope.protocol))) {
      return base::InvalidArgument("a block of a port needs a protocol with ports");
    }
    ActiveBlock block{.id = IdOf(request.address, request.scope),
                      .address = request.address,
                      .scope = request.scope,
                      .since = now,
                      .alert_id = request.alert_id,
                      .alert_class = request.alert_class,
                      .author = request.author,
                      .reason = base::PrintableUtf8(request.reason, kMaxReasonBytes),
                      .ends_when_over = request.ends_when_over};
    block.effect.packets_per_second_before = request.packets_per_second;
    if (request.ttl) block.until = now + *request.ttl;
    return block;
  }

  absl::Status Tell(const ActiveBlock& block, BlockEnd end) ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return options_.before_end ? options_.before_end(block, end) : absl::OkStatus();
  }

  // In force first, remembered then.
  absl::Status Enforce(const std::vector<ActiveBlock>& blocks, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (count_ + blocks.size() > options_.max_blocks) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "there are " + std::to_string(count_) + " blocks; at most " +
                                  std::to_string(options_.max_blocks) + " are kept");
    }
    std::vector<BlockScope> scopes;
    for (const ActiveBlock& block : blocks) {
      if (options_.before_block) NTA_RETURN_IF_ERROR(options_.before_block(block));
      if (std::find(scopes.begin(), scopes.end(), block.scope) == scopes.end()) {
        scopes.push_back(block.scope);
      }
    }
    for (std::size_t i = 0; i < scopes.size(); ++i) {
      const absl::Status added = AddElements(scopes[i], blocks, now);
      if (added.ok()) continue;
      for (std::size_t j = 0; j < i; ++j) RemoveElements(scopes[j], blocks, now).IgnoreError();
      return added;
    }
    for (const ActiveBlock& block : blocks) {
      cut_.Begin(block, now);
      Put(block);
      measured_.erase(block.id);
    }
    return absl::OkStatus();
  }

  absl::Status AddElements(const BlockScope& scope, const std::vector<ActiveBlock>& blocks,
                           Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::vector<SetElement> elements;
    for (const ActiveBlock& block : blocks) {
      if (block.scope == scope) {
        elements.push_back({.prefix = HostOf(block.address), .expires = block.until});
      }
    }
    if (HasScope(scope)) {
      const absl::Status status = backend_.AddToSet(BlockSetName(scope), elements, now);
      if (!absl::IsNotFound(status)) return status;
    } else if (scopes_.size() >= options_.max_scopes) {
      return base::MakeStatus(absl::StatusCode::kResourceExhausted,
                              "blocks of " + std::to_string(scopes_.size()) +
                                  " different kinds are in force; block all traffic instead");
    } else {
      scopes_.push_back(scope);
    }
    // The first block of this kind: its set and its rules come into force.
    return AddRules(scope, elements, blocks, now);
  }

  // Rules take some 30 ms. Meanwhile all traffic of these hosts is cut, and for a few seconds at
  // the most should this process end now.
  absl::Status AddRules(const BlockScope& scope, std::vector<SetElement> elements,
                        const std::vector<ActiveBlock>& blocks, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::erase_if(elements, [&](const SetElement& element) {
      return Covering(element.prefix.address(), BlockScope(), now) != nullptr;
    });
    for (SetElement& element : elements) element.expires = now + kStopgap;
    const bool bridged =
        scope != BlockScope() && backend_.AddToSet(BlockSetName({}), elements, now).ok();
    const auto replaced = [&]() -> absl::Status {
      NTA_ASSIGN_OR_RETURN(const RuleSet current, backend_.Current(now));
      NTA_ASSIGN_OR_RETURN(const RuleSet wanted, Compose(current, blocks, now));
      return backend_.Replace(wanted, now);
    };
    const absl::Status status = replaced();
    if (!status.ok() && bridged) {
      std::vector<IpPrefix> prefixes;
      for (const SetElement& element : elements) prefixes.push_back(element.prefix);
      backend_.RemoveFromSet(BlockSetName({}), prefixes, now).IgnoreError();
    }
    return status;
  }

  absl::Status RemoveElements(const BlockScope& scope, const std::vector<ActiveBlock>& blocks,
                              Timestamp now) {
    std::vector<IpPrefix> prefixes;
    for (const ActiveBlock& block : blocks) {
      if (block.scope == scope) prefixes.push_back(HostOf(block.address));
    }
    if (prefixes.empty()) return absl::OkStatus();
    const absl::Status status = backend_.RemoveFromSet(BlockSetName(scope), prefixes, now);
    return absl::IsNotFound(status) ? absl::OkStatus() : status;
  }

  absl::Status Lift(const std::vector<ActiveBlock>& blocks, BlockEnd end, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const ActiveBlock& block : blocks) NTA_RETURN_IF_ERROR(Tell(block, end));
    for (const BlockScope& scope : scopes_) NTA_RETURN_IF_ERROR(RemoveElements(scope, blocks, now));
    for (const ActiveBlock& block : blocks) Forget(block, end, now);
    return absl::OkStatus();
  }

  bool HasScope(const BlockScope& scope) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return std::find(scopes_.begin(), scopes_.end(), scope) != scopes_.end();
  }

  void Put(ActiveBlock block) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!HasScope(block.scope)) scopes_.push_back(block.scope);
    std::vector<ActiveBlock>& list = blocks_[block.address];
    const auto same = std::find_if(list.begin(), list.end(), [&](const ActiveBlock& other) {
      return other.scope == block.scope;
    });
    if (same == list.end()) {
      list.push_back(std::move(block));
      ++count_;
    } else {
      // What it counted so far stays with it.
      block.effect.packets = same->effect.packets;
      block.effect.bytes = same->effect.bytes;
      *same = std::move(block);
    }
  }

  void Forget(const ActiveBlock& block, BlockEnd end, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const auto found = blocks_.find(block.address);
    if (found == blocks_.end()) return;
    if (std::erase_if(found->second,
                      [&](const ActiveBlock& other) { return other.scope == block.scope; }) == 0) {
      return;
    }
    --count_;
    if (found->second.empty()) blocks_.erase(found);
    measured_.erase(block.id);
    cut_.End(block, now);
    ended_.push_back({.block = block, .end = end, .time = now});
    if (ended_.size() > options_.max_blocks) ended_.erase(ended_.begin());
    if (end == BlockEnd::kUnblocked) {
      history_.erase(block.address);
      return;
    }
    if (history_.size() >= options_.max_blocks) {
      absl::erase_if(history_,
                     [&](const auto& entry) { return now - entry.second.last > options_.max_ttl; });
    }
    if (history_.size() >= options_.max_blocks && !history_.contains(block.address)) return;
    History& history = history_[block.address];
    history = {.times = std::min(history.times + 1, 30), .last = now};
  }

  // What the kernel counted since the last time, for as many blocks as one call can.
  absl::Status Measure(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    std::map<std::string, std::vector<IpAddress>> by_set;
    std::size_t number = 0;
    const std::size_t total = blocks_.size();
    for (const auto& [address, list] : blocks_) {
      // In turns: those behind the place where the last call stopped.
      const std::size_t turn =
          (number++ + total - measure_from_ % std::max<std::size_t>(total, 1)) %
          std::max<std::size_t>(total, 1);
      if (turn >= kMeasuredAtOnce) continue;
      for (const ActiveBlock& block : list) by_set[BlockSetName(block.scope)].push_back(address);
    }
    measure_from_ += kMeasuredAtOnce;
    std::vector<ActiveBlock> over;
    for (const auto& [set, addresses] : by_set) {
      const auto counters = backend_.CountersOf(set, addresses, now);
      if (absl::IsUnimplemented(counters.status())) return absl::OkStatus();
      if (absl::IsNotFound(counters.status())) continue;  // to be put right by Reconcile()
      NTA_RETURN_IF_ERROR(counters.status());
      for (const ElementCounters& one : *counters) {
        for (ActiveBlock& block : blocks_[one.address]) {
          if (BlockSetName(block.scope) != set) continue;
          Count(block, one, now);
          if (IsOver(block, now)) over.push_back(block);
        }
      }
    }
    return over.empty() ? absl::OkStatus() : Lift(over, BlockEnd::kOver, now);
  }

  void Count(ActiveBlock& block, const ElementCounters& counters, Timestamp now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Measured& before = measured_.try_emplace(block.id, Measured{.time = block.since}).first->second;
    // An element that was made anew counts from 0.
    const bool goes_on = counters.packets >= before.packets && counters.bytes >= before.bytes;
    const std::uint64_t packets = counters.packets - (goes_on ? before.packets : 0);
    block.effect.packets += packets;
    block.effect.bytes += counters.bytes - (goes_on ? before.bytes : 0);
    const std::chrono::duration<double> passed = now - before.time;
    if (passed.count() > 0) {
      block.effect.packets_per_second_now = static_cast<double>(packets) / passed.count();
    }
    if (packets > 0) {
      block.effect.last_hit = now;
      cut_.Prove(block, now);
    }
    before = {.packets = counters.packets, .bytes = counters.bytes, .time = now};
  }

  bool IsOver(const ActiveBlock& block, Timestamp now) const {
    if (!block.ends_when_over || options_.lift_after <= Duration(0)) return false;
    return now - std::max(block.since, block.effect.last_hit.value_or(block.since)) >=
           options_.lift_after;
  }

  // With the blocks there are, and `more` in their place or beside them.
  absl::StatusOr<RuleSet> Compose(const RuleSet& rules, const std::vector<ActiveBlock>& more,
                                  Timestamp now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    std::vector<BlockScope> scopes = scopes_;
    for (const ActiveBlock& block : more) {
      if (std::find(scopes.begin(), scopes.end(), block.scope) == scopes.end()) {
        scopes.push_back(block.scope);
      }
    }
    std::vector<AddressSet> sets;
    for (const BlockScope& scope : scopes) {
      sets.push_back({.name = BlockSetName(scope), .elements = ElementsOf(scope, more, now)});
    }
    return firewall::WithBlockSets(rules, std::move(sets), scopes);
  }

  std::vector<SetElement> ElementsOf(const BlockScope& scope, const std::vector<ActiveBlock>& more,
                                     Timestamp now) const ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    absl::flat_hash_map<IpAddress, std::optional<Timestamp>> ends;
    for (const auto& [address, list] : blocks_) {
      for (const ActiveBlock& block : list) {
        const bool is_over = block.until && *block.until <= now;
        if (block.scope == scope && !is_over) ends[address] = block.until;
      }
    }
    for (const ActiveBlock& block : more) {
      if (block.scope == scope) ends[block.address] = block.until;
    }
    std::vector<SetElement> elements;
    elements.reserve(ends.size());
    for (const auto& [address, end] : ends) {
      elements.push_back({.prefix = HostOf(address), .expires = end});
    }
    return elements;
  }

  struct History {
    int times = 0;
    Timestamp last{};
  };

  FirewallBackend& backend_;
  mutable absl::Mutex mutex_;
  ResponseOptions options_ ABSL_GUARDED_BY(mutex_);
  firewall::CutTraffic cut_;
  ProtectedSet protected_set_ ABSL_GUARDED_BY(mutex_);
  // The one of all traffic first, so that blocks of whole hosts never wait for rules.
  std::vector<BlockScope> scopes_ ABSL_GUARDED_BY(mutex_){BlockScope()};
  absl::flat_hash_map<IpAddress, std::vector<ActiveBlock>> blocks_ ABSL_GUARDED_BY(mutex_);
  std::size_t count_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<std::string, Measured> measured_ ABSL_GUARDED_BY(mutex_);
  std::size_t measure_from_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<IpAddress, History> history_ ABSL_GUARDED_BY(mutex_);
  std::vector<EndedBlock> ended_ ABSL_GUARDED_BY(mutex_);
};

Response::Response(FirewallBackend& backend, ResponseOptions options)
    : impl_(std::make_unique<Impl>(backend, std::move(options))) {}
Response::~Response() = default;

absl::StatusOr<ResponseAnswer> Response::Handle(const ResponseSubject& subject, Timestamp now) {
  return impl_->Handle(subject, now);
}
absl::StatusOr<BlockProposal> Response::Propose(const ResponseSubject& subject, Timestamp) const {
  return impl_->Propose(subject);
}
absl::StatusOr<ActiveBlock> Response::Accept(const BlockProposal& proposal, std::string_view author,
                                             Timestamp now) {
  return impl_->Accept(proposal, author, now);
}
absl::StatusOr<ActiveBlock> Response::Block(const BlockRequest& request, Timestamp now) {
  NTA_ASSIGN_OR_RETURN(const std::vector<ActiveBlock> blocks, impl_->BlockAll({request}, now));
  return blocks.front();
}
absl::StatusOr<std::vector<ActiveBlock>> Response::BlockAll(
    const std::vector<BlockRequest>& requests, Timestamp now) {
  return impl_->BlockAll(requests, now);
}
absl::Status Response::Unblock(const IpAddress& address, Timestamp now) {
  return impl_->UnblockAll({address}, now);
}
absl::Status Response::UnblockAll(const std::vector<IpAddress>& addresses, Timestamp now) {
  return impl_->UnblockAll(addresses, now);
}
absl::StatusOr<std::vector<EndedBlock>> Response::AdvanceTo(Timestamp now) {
  return impl_->AdvanceTo(now);
}
std::vector<ActiveBlock> Response::blocks() const { return impl_->blocks(); }
std::vector<ActiveBlock> Response::BlocksOf(const IpAddress& address) const {
  return impl_->BlocksOf(address);
}
bool Response::IsCut(const FiveTuple& flow, Timestamp now) const { return impl_->IsCut(flow, now); }
bool Response::MayBeCut() const { return impl_->MayBeCut(); }
absl::StatusOr<RuleSet> Response::Desired(const RuleSet& rules, Timestamp now) const {
  return impl_->Desired(rules, now);
}
absl::StatusOr<RuleSet> Response::RulesWith(const RuleSet& rules, const BlockProposal& proposal,
                                            Timestamp now) const {
  return impl_->RulesWith(rules, proposal, now);
}
void Response::Restore(const std::vector<ActiveBlock>& blocks, Timestamp now) {
  impl_->Restore(blocks, now);
}
void Response::SetProtectedSet(ProtectedSet protected_set) {
  impl_->SetProtectedSet(std::move(protected_set));
}
void Response::SetAllowList(std::vector<IpPrefix> prefixes) {
  impl_->SetAllowList(std::move(prefixes));
}
void Response::SetPolicies(std::map<std::string, ResponsePolicy> policies) {
  impl_->SetPolicies(std::move(policies));
}

}  // namespace nta
