// From alerts to blocks: proposals, policies and the allow list.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "firewall/alert_subject.h"
#include "firewall/desk.h"
#include "firewall/desk_json.h"
#include "http/json_text.h"
#include "logging/log.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxProposals = 100;
constexpr std::string_view kKind = "firewall";
constexpr std::string_view kPolicies = "policies";
constexpr std::string_view kAllowList = "allow_list";

absl::Status NoProposal() {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no proposal for that alert; ask for one");
}

bool AnyAutomatic(const std::map<std::string, ResponsePolicy>& policies) {
  return std::any_of(policies.begin(), policies.end(),
                     [](const auto& entry) { return entry.second == ResponsePolicy::kAutomatic; });
}

}  // namespace

absl::Status FirewallDesk::LoadSettings() {
  NTA_ASSIGN_OR_RETURN(const auto policies, Policies());
  response_.SetPolicies(policies);
  blocks_by_itself_ = AnyAutomatic(policies);
  NTA_ASSIGN_OR_RETURN(std::vector<IpPrefix> allowed, AllowList());
  allowed.insert(allowed.end(), options_.response.allow_list.begin(),
                 options_.response.allow_list.end());
  response_.SetAllowList(std::move(allowed));
  return absl::OkStatus();
}

std::deque<BlockProposal>::iterator FirewallDesk::FindProposal(std::string_view alert_id) {
  return std::find_if(proposals_.begin(), proposals_.end(), [&](const BlockProposal& proposal) {
    return proposal.subject.alert_id == alert_id;
  });
}

void FirewallDesk::KeepProposal(BlockProposal proposal) {
  const auto found = FindProposal(proposal.subject.alert_id);
  if (found != proposals_.end()) {
    // An alert that goes on is told of again and again.
    if (proposal.rehearsal.empty()) proposal.rehearsal = std::move(found->rehearsal);
    proposals_.erase(found);
  }
  proposals_.push_front(std::move(proposal));
  if (proposals_.size() > kMaxProposals) proposals_.pop_back();
}

absl::StatusOr<BlockProposal> FirewallDesk::Propose(const Alert& alert,
                                                    const TimeInterval& interval,
                                                    const QueryControl& control) {
  NTA_ASSIGN_OR_RETURN(const ResponseSubject subject, SubjectOf(alert));
  BlockProposal proposal;
  {
    const absl::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Protection().status());
    NTA_ASSIGN_OR_RETURN(proposal, response_.Propose(subject, clock_.wall()));
  }
  NTA_ASSIGN_OR_RETURN(proposal.rehearsal, RehearseBlock(proposal, interval, control));
  const absl::MutexLock lock(&mutex_);
  KeepProposal(proposal);
  return proposal;
}

absl::StatusOr<std::string> FirewallDesk::RehearseBlock(const BlockProposal& proposal,
                                                        const TimeInterval& interval,
                                                        const QueryControl& control) {
  std::optional<RuleSet> with;
  RehearsalOptions options{.now = clock_.wall()};
  {
    const absl::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(options.in_force, Compose(confirmed_));
    NTA_ASSIGN_OR_RETURN(with, response_.RulesWith(*options.in_force, proposal, options.now));
  }
  NTA_ASSIGN_OR_RETURN(const FlowFilter filter,
                       FlowFilter::Parse("host=" + proposal.subject.offender.ToString()));
  NTA_ASSIGN_OR_RETURN(const RehearsalResult result,
                       RehearseSets(*with, std::move(options), interval, filter, control));
  return nta::ToJson(result);
}

bool FirewallDesk::RehearseProposal(const TimeInterval& interval, const QueryControl& control) {
  BlockProposal proposal;
  {
    const absl::MutexLock lock(&mutex_);
    const auto found = std::find_if(proposals_.begin(), proposals_.end(),
                                    [](const BlockProposal& one) { return one.rehearsal.empty(); });
    if (found == proposals_.end()) return false;
    proposal = *found;
  }
  auto rehearsal = RehearseBlock(proposal, interval, control);
  if (absl::IsCancelled(rehearsal.status())) return false;
  const absl::MutexLock lock(&mutex_);
  const auto found = FindProposal(proposal.subject.alert_id);
  if (found == proposals_.end()) return true;
  // Said instead of tried for ever.
  found->rehearsal =
      rehearsal.ok() ? *std::move(rehearsal)
                     : JsonObject().Add("error", std::string(rehearsal.status().message())).Take();
  return true;
}

absl::StatusOr<PlacedBlock> FirewallDesk::Accept(std::string_view alert_id,
                                                 const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  const auto found = FindProposal(alert_id);
  if (found == proposals_.end()) return NoProposal();
  administrators_[caller.address] = clock_.wall() + options_.administrator_stays;
  NTA_RETURN_IF_ERROR(PrepareToBlock());
  auto replaced = BlockLike(found->subject.offender, found->scope);
  auto block = response_.Accept(*found, caller.username, clock_.wall());
  Settle(block.ok());
  if (!block.ok()) return block.status();
  proposals_.erase(found);
  return PlacedBlock{{*std::move(block)}, std::move(replaced)};
}

absl::Status FirewallDesk::Dismiss(std::string_view alert_id) {
  const absl::MutexLock lock(&mutex_);
  const auto found = FindProposal(alert_id);
  if (found == proposals_.end()) return NoProposal();
  proposals_.erase(found);
  return absl::OkStatus();
}

absl::StatusOr<PlacedBlock> FirewallDesk::BlockFor(const Alert& alert,
                                                   std::optional<IpAddress> address,
                                                   std::optional<BlockScope> scope,
                                                   BlockRequest request,
                                                   const FirewallCaller& caller) {
  NTA_ASSIGN_OR_RETURN(const ResponseSubject subject, SubjectOf(alert));
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(Protection().status());
  const bool is_offender = !address || *address == subject.offender;
  request.address = address.value_or(subject.offender);
  request.alert_id = subject.alert_id;
  request.alert_class = subject.alert_class;
  if (is_offender) {
    NTA_ASSIGN_OR_RETURN(const BlockProposal proposal, response_.Propose(subject, clock_.wall()));
    request.packets_per_second = subject.packets_per_second;
    request.scope = scope.value_or(proposal.scope);
    request.ends_when_over = !request.ttl;
    if (!request.ttl) request.ttl = proposal.ttl;
  } else if (scope) {
    request.scope = *scope;
  }
  auto block = BlockLocked(std::move(request), caller);
  const auto found = FindProposal(alert.id);
  if (block.ok() && is_offender && found != proposals_.end()) proposals_.erase(found);
  return block;
}

std::vector<BlockProposal> FirewallDesk::Proposals() {
  const absl::MutexLock lock(&mutex_);
  return {proposals_.begin(), proposals_.end()};
}

bool FirewallDesk::IsDropped(const ResponseSubject& subject, const Alert& alert) const {
  if (!enforced_ || !subject.protocol || !alert.entity.destination) return false;
  const IpAddress destination = *alert.entity.destination;
  const std::vector<ProtectedPeer>& peers = enforced_->protected_set().peers;
  const bool is_own = std::any_of(peers.begin(), peers.end(), [&](const ProtectedPeer& peer) {
    return peer.role == ProtectedRole::kOwn && peer.prefix.Contains(destination);
  });
  // What others send each other may not come through this machine at all.
  if (!is_own) return false;
  PacketFacts packet{.direction = RuleDirection::kIn,
                     .source = subject.offender,
                     .destination = destination,
                     .protocol = *subject.protocol};
  packet.destination_port = subject.port;
  packet.state = ConnectionState::kNew;
  packet.is_reply = false;
  packet.time = clock_.wall();
  const Evaluation answer = Evaluate(*enforced_, packet);
  return answer.decision == Decision::kDrop || answer.decision == Decision::kReject;
}

void FirewallDesk::OnAlert(const Alert& alert) {
  if (alert.state == AlertState::kClosed) return;
  const auto subject = SubjectOf(alert);
  if (!subject.ok()) return;
  const absl::MutexLock lock(&mutex_);
  if (IsDropped(*subject, alert)) return;
  absl::Status status = blocks_by_itself_ ? PrepareToBlock() : Protection().status();
  absl::StatusOr<ResponseAnswer> answer = status.ok() ? response_.Handle(*subject, clock_.wall())
                                                      : absl::StatusOr<ResponseAnswer>(status);
  Settle(answer.ok());
  if (!answer.ok()) {
    Log(LogLevel::kWarning,
        "firewall: no answer to alert " + alert.id + ": " + std::string(answer.status().message()));
  } else if (answer->act == ResponseAct::kBlocked) {
    Log(LogLevel::kWarning, "firewall: blocked " + answer->block->id + " for alert " + alert.id);
  } else if (answer->act == ResponseAct::kProposed && answer->proposal) {
    KeepProposal(*std::move(answer->proposal));
  }
}

absl::StatusOr<std::map<std::string, ResponsePolicy>> FirewallDesk::Policies() {
  const auto document = store_.GetDocument(kKind, kPolicies);
  if (absl::IsNotFound(document.status())) return std::map<std::string, ResponsePolicy>();
  if (!document.ok()) return document.status();
  return PoliciesFromJson(document->body);
}

absl::Status FirewallDesk::SetPolicies(const std::map<std::string, ResponsePolicy>& policies) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(SaveSetting(kPolicies, ToJson(policies)));
  response_.SetPolicies(policies);
  blocks_by_itself_ = AnyAutomatic(policies);
  // What automatic blocks need is there before the first of them.
  next_reconcile_ = Duration();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<IpPrefix>> FirewallDesk::AllowList() {
  const auto document = store_.GetDocument(kKind, kAllowList);
  if (absl::IsNotFound(document.status())) return std::vector<IpPrefix>();
  if (!document.ok()) return document.status();
  return PrefixesFromJson(document->body);
}

absl::Status FirewallDesk::SetAllowList(const std::vector<IpPrefix>& prefixes) {
  const absl::MutexLock lock(&mutex_);
  NTA_RETURN_IF_ERROR(SaveSetting(kAllowList, ToJson(prefixes)));
  NTA_RETURN_IF_ERROR(LoadSettings());
  for (const ActiveBlock& block : response_.blocks()) {
    const bool is_allowed =
        std::any_of(prefixes.begin(), prefixes.end(),
                    [&](const IpPrefix& prefix) { return prefix.Contains(block.address); });
    if (!is_allowed || response_.BlocksOf(block.address).empty()) continue;
    const absl::Status lifted = response_.Unblock(block.address, clock_.wall());
    Settle(lifted.ok());
    NTA_RETURN_IF_ERROR(lifted);
  }
  return absl::OkStatus();
}

absl::Status FirewallDesk::SaveSetting(std::string_view id, std::string body) {
  return store_
      .PutDocument({.kind = std::string(kKind),
                    .id = std::string(id),
                    .body = std::move(body),
                    .updated = clock_.wall(),
                    .version = Document::kAnyVersion})
      .status();
}

}  // namespace nta::server
