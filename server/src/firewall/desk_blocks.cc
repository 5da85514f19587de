// The desk's blocks, and what it tries on stored flows.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "firewall/alert_subject.h"
#include "firewall/desk.h"
#include "firewall/desk_json.h"
#include "log.h"

namespace nta::server {
namespace {

constexpr std::size_t kMaxProposals = 100;

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

absl::Status FirewallDesk::LoadBlocks() {
  DocumentQuery query{.kind = std::string(kBlockKind), .limit = 10'000};
  std::vector<ActiveBlock> blocks;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const DocumentPage page, store_.Documents(query));
    for (const Document& document : page.documents) {
      auto block = ActiveBlockFromJson(document.body);
      if (block.ok()) {
        blocks.push_back(*std::move(block));
      } else {
        Log(LogLevel::kWarning, "firewall: the block \"" + document.id +
                                    "\" cannot be read: " + std::string(block.status().message()));
      }
    }
    if (page.next_cursor.empty()) break;
    query.cursor = page.next_cursor;
  }
  response_.Restore(blocks, clock_.wall());
  return absl::OkStatus();
}

absl::Status FirewallDesk::SaveBlock(const ActiveBlock& block) {
  return store_
      .PutDocument({.kind = std::string(kBlockKind),
                    .id = block.id,
                    .body = nta::ToJson(block),
                    .updated = clock_.wall(),
                    .version = Document::kAnyVersion})
      .status();
}

absl::StatusOr<ActiveBlock> FirewallDesk::Block(BlockRequest request,
                                                const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  const Timestamp now = clock_.wall();
  administrators_[caller.address] = now + options_.administrator_stays;
  NTA_RETURN_IF_ERROR(Protection().status());
  // Only a firewall that has our sets can take a block at once.
  if (!IsInUse() && !guard_->pending()) NTA_RETURN_IF_ERROR(Enforce());
  request.author = caller.username;
  NTA_ASSIGN_OR_RETURN(ActiveBlock block, response_.Block(request, now));
  NTA_RETURN_IF_ERROR(SaveBlock(block));
  return block;
}

absl::Status FirewallDesk::Unblock(const IpAddress& address) {
  const absl::MutexLock lock(&mutex_);
  const std::vector<ActiveBlock> blocks = response_.BlocksOf(address);
  NTA_RETURN_IF_ERROR(response_.Unblock(address, clock_.wall()));
  for (const ActiveBlock& block : blocks) {
    const absl::Status gone = store_.RemoveDocument(kBlockKind, block.id);
    if (!gone.ok() && !absl::IsNotFound(gone)) return gone;
  }
  return absl::OkStatus();
}

std::vector<ActiveBlock> FirewallDesk::Blocks() const { return response_.blocks(); }

absl::StatusOr<BlockProposal> FirewallDesk::Propose(const Alert& alert,
                                                    const TimeInterval& interval,
                                                    const QueryControl& control) {
  NTA_ASSIGN_OR_RETURN(const ResponseSubject subject, SubjectOf(alert));
  const Timestamp now = clock_.wall();
  std::optional<RuleSet> with;
  RehearsalOptions options{.now = now};
  absl::StatusOr<BlockProposal> proposal = BlockProposal();
  {
    const absl::MutexLock lock(&mutex_);
    NTA_RETURN_IF_ERROR(Protection().status());
    proposal = response_.Propose(subject, now);
    if (!proposal.ok()) return proposal;
    NTA_ASSIGN_OR_RETURN(options.in_force, Compose(confirmed_));
    NTA_ASSIGN_OR_RETURN(with, response_.RulesWith(*options.in_force, *proposal, now));
  }
  NTA_ASSIGN_OR_RETURN(
      const RehearsalResult result,
      RehearseSets(*with, std::move(options), interval,
                   *FlowFilter::Parse("host=" + subject.offender.ToString()), control));
  proposal->rehearsal = nta::ToJson(result);
  const absl::MutexLock lock(&mutex_);
  std::erase_if(proposals_,
                [&](const BlockProposal& other) { return other.subject.alert_id == alert.id; });
  proposals_.push_front(*proposal);
  if (proposals_.size() > kMaxProposals) proposals_.pop_back();
  return proposal;
}

absl::StatusOr<ActiveBlock> FirewallDesk::Accept(std::string_view alert_id,
                                                 const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  const auto found = std::find_if(
      proposals_.begin(), proposals_.end(),
      [&](const BlockProposal& proposal) { return proposal.subject.alert_id == alert_id; });
  if (found == proposals_.end()) {
    return base::MakeStatus(absl::StatusCode::kNotFound,
                            "there is no proposal for that alert; ask for one");
  }
  administrators_[caller.address] = clock_.wall() + options_.administrator_stays;
  NTA_RETURN_IF_ERROR(Protection().status());
  if (!IsInUse() && !guard_->pending()) NTA_RETURN_IF_ERROR(Enforce());
  NTA_ASSIGN_OR_RETURN(ActiveBlock block, response_.Accept(*found, caller.username, clock_.wall()));
  proposals_.erase(found);
  NTA_RETURN_IF_ERROR(SaveBlock(block));
  return block;
}

std::vector<BlockProposal> FirewallDesk::Proposals() {
  const absl::MutexLock lock(&mutex_);
  return {proposals_.begin(), proposals_.end()};
}

void FirewallDesk::OnAlert(const Alert& alert) {
  if (alert.state == AlertState::kClosed) return;
  const auto subject = SubjectOf(alert);
  if (!subject.ok()) return;
  const absl::MutexLock lock(&mutex_);
  const Timestamp now = clock_.wall();
  absl::Status status = Protection().status();
  const bool is_ready = IsInUse() || guard_->pending();
  absl::StatusOr<ResponseAnswer> answer =
      status.ok() ? response_.Handle(*subject, now) : absl::StatusOr<ResponseAnswer>(status);
  // The first block of all: our sets are not there yet.
  if (!is_ready && absl::IsNotFound(answer.status())) {
    status = Enforce();
    if (status.ok()) answer = response_.Handle(*subject, now);
  }
  if (!answer.ok()) {
    Log(LogLevel::kWarning,
        "firewall: no answer to alert " + alert.id + ": " + std::string(answer.status().message()));
  } else if (answer->act == ResponseAct::kBlocked) {
    Log(LogLevel::kWarning, "firewall: blocked " + answer->block->id + " for alert " + alert.id);
    const absl::Status saved = SaveBlock(*answer->block);
    if (!saved.ok()) Log(LogLevel::kError, "firewall: " + std::string(saved.message()));
  } else if (answer->act == ResponseAct::kProposed && answer->proposal) {
    std::erase_if(proposals_,
                  [&](const BlockProposal& other) { return other.subject.alert_id == alert.id; });
    proposals_.push_front(*answer->proposal);
    if (proposals_.size() > kMaxProposals) proposals_.pop_back();
  }
}

absl::StatusOr<std::map<std::string, ResponsePolicy>> FirewallDesk::Policies() {
  const auto document = store_.GetDocument("firewall", "policies");
  if (absl::IsNotFound(document.status())) return std::map<std::string, ResponsePolicy>();
  if (!document.ok()) return document.status();
  return PoliciesFromJson(document->body);
}

absl::Status FirewallDesk::SetPolicies(const std::map<std::string, ResponsePolicy>& policies) {
  NTA_RETURN_IF_ERROR(store_
                          .PutDocument({.kind = "firewall",
                                        .id = "policies",
                                        .body = ToJson(policies),
                                        .updated = clock_.wall(),
                                        .version = Document::kAnyVersion})
                          .status());
  response_.SetPolicies(policies);
  return absl::OkStatus();
}

absl::StatusOr<RehearsalResult> FirewallDesk::Rehearse(const RehearsalRequest& request,
                                                       const QueryControl& control) {
  RehearsalOptions options{.role = request.role,
                           .translated = request.translated,
                           .interface = request.interface,
                           .now = clock_.wall(),
                           .sessions = request.sessions};
  std::optional<RuleSet> proposed;
  {
    const absl::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(proposed, Compose(request.rules ? request.rules->parts() : draft_));
    NTA_ASSIGN_OR_RETURN(options.in_force, Compose(confirmed_));
  }
  return RehearseSets(*proposed, std::move(options), request.interval, request.filter, control);
}

absl::StatusOr<RehearsalResult> FirewallDesk::RehearseSets(const RuleSet& proposed,
                                                           RehearsalOptions options,
                                                           const TimeInterval& interval,
                                                           const FlowFilter& filter,
                                                           const QueryControl& control) const {
  for (const ProtectedPeer& peer : proposed.protected_set().peers) {
    if (peer.role == ProtectedRole::kOwn) options.own_addresses.push_back(peer.prefix.address());
  }
  NTA_ASSIGN_OR_RETURN(Rehearsal rehearsal, Rehearsal::Create(proposed, std::move(options)));
  NTA_RETURN_IF_ERROR(store_.ScanFlows(
      interval, filter,
      [&rehearsal](const StoredColumns& columns) { return rehearsal.Add(ToColumns(columns)); },
      control));
  return rehearsal.Finish();
}

}  // namespace nta::server
