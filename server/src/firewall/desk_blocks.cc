// The desk's blocks: the store knows of each before the kernel does, and the audit trail of those
// that nobody asked for.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "firewall/desk.h"
#include "firewall/desk_json.h"
#include "logging/log.h"

namespace nta::server {

absl::Status FirewallDesk::LoadBlocks() {
  DocumentQuery query{.kind = std::string(kBlockKind), .limit = 10'000};
  std::vector<ActiveBlock> blocks;
  while (true) {
    NTA_ASSIGN_OR_RETURN(const DocumentPage page, store_.Documents(query));
    for (const Document& document : page.documents) {
      auto block = ActiveBlockFromJson(document.body);
      if (block.ok()) {
        // Those that ended while nothing ran are forgotten.
        const bool is_over = block->until && *block->until <= clock_.wall();
        if (is_over) NTA_RETURN_IF_ERROR(BeforeEnd(*block, BlockEnd::kExpired));
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
  Settle(true);
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

absl::Status FirewallDesk::ForgetBlock(const std::string& id) {
  const absl::Status gone = store_.RemoveDocument(kBlockKind, id);
  return absl::IsNotFound(gone) ? absl::OkStatus() : gone;
}

absl::Status FirewallDesk::Record(const FirewallAct& act) const {
  return options_.audit ? options_.audit(act) : absl::OkStatus();
}

absl::Status FirewallDesk::RecordChange(const GuardEvent& event) const {
  FirewallAct act{.act = "firewall.change." + std::string(nta::ToString(event.act))};
  if (event.deadline) act.details.emplace_back("taken_back_at", nta::ToString(*event.deadline));
  if (event.cause) act.details.emplace_back("cause", nta::ToString(*event.cause));
  if (!event.diff.empty()) act.details.emplace_back("diff", event.diff.ToString());
  return Record(act);
}

// They are called from within response_, which is called under the lock.
ResponseOptions FirewallDesk::WithHooks(ResponseOptions options) {
  options.before_block = [this](const ActiveBlock& block)
                             ABSL_NO_THREAD_SAFETY_ANALYSIS { return BeforeBlock(block); };
  options.before_end = [this](const ActiveBlock& block, BlockEnd end)
                           ABSL_NO_THREAD_SAFETY_ANALYSIS { return BeforeEnd(block, end); };
  return options;
}

absl::Status FirewallDesk::BeforeBlock(const ActiveBlock& block) {
  NTA_RETURN_IF_ERROR(
      Record({.act = "firewall.block",
              .target = block.id,
              .details = {{"by", block.author},
                          {"alert", block.alert_id},
                          {"until", block.until ? nta::ToString(*block.until) : "lifted"}}}));
  touched_.push_back(block);
  return SaveBlock(block);
}

absl::Status FirewallDesk::BeforeEnd(const ActiveBlock& block, BlockEnd end) {
  constexpr std::string_view kActs[] = {"firewall.expire", "firewall.unblock", "firewall.lift"};
  const absl::Status recorded = Record(
      {.act = std::string(kActs[static_cast<std::size_t>(end)]),
       .target = block.id,
       .details = {{"alert", block.alert_id}, {"packets", std::to_string(block.effect.packets)}}});
  if (end != BlockEnd::kExpired) NTA_RETURN_IF_ERROR(recorded);
  if (!recorded.ok()) Log(LogLevel::kError, "firewall: " + std::string(recorded.message()));
  touched_.push_back(block);
  return ForgetBlock(block.id);
}

void FirewallDesk::Settle(bool succeeded) {
  const std::vector<ActiveBlock> touched = std::exchange(touched_, {});
  if (succeeded) return;
  for (const ActiveBlock& block : touched) {
    const std::vector<ActiveBlock> there = response_.BlocksOf(block.address);
    const auto found = std::find_if(there.begin(), there.end(),
                                    [&](const ActiveBlock& one) { return one.id == block.id; });
    const absl::Status status = found == there.end() ? ForgetBlock(block.id) : SaveBlock(*found);
    if (status.ok()) continue;
    Log(LogLevel::kError,
        "firewall: the block " + block.id + " cannot be kept: " + std::string(status.message()));
    // The store still says that it is wanted: so it is, and the next reconciliation tries again.
    if (found == there.end()) response_.Restore({block}, clock_.wall());
  }
}

absl::Status FirewallDesk::PrepareToBlock() {
  NTA_RETURN_IF_ERROR(Protection().status());
  return enforced_ || guard_->pending() ? absl::OkStatus() : Enforce();
}

std::optional<ActiveBlock> FirewallDesk::BlockLike(const IpAddress& address,
                                                   const BlockScope& scope) const {
  for (ActiveBlock& block : response_.BlocksOf(address)) {
    if (block.scope == scope) return std::move(block);
  }
  return std::nullopt;
}

absl::StatusOr<PlacedBlock> FirewallDesk::BlockLocked(BlockRequest request,
                                                      const FirewallCaller& caller) {
  administrators_[caller.address] = clock_.wall() + options_.administrator_stays;
  NTA_RETURN_IF_ERROR(PrepareToBlock());
  request.author = caller.username;
  auto replaced = BlockLike(request.address, request.scope);
  if (replaced && request.reason.empty()) request.reason = replaced->reason;
  auto block = response_.Block(request, clock_.wall());
  Settle(block.ok());
  if (!block.ok()) return block.status();
  return PlacedBlock{{*std::move(block)}, std::move(replaced)};
}

absl::StatusOr<PlacedBlock> FirewallDesk::Block(BlockRequest request,
                                                const FirewallCaller& caller) {
  const absl::MutexLock lock(&mutex_);
  return BlockLocked(std::move(request), caller);
}

absl::Status FirewallDesk::Unblock(const IpAddress& address) {
  const absl::MutexLock lock(&mutex_);
  const absl::Status status = response_.Unblock(address, clock_.wall());
  Settle(status.ok());
  return status;
}

std::vector<ActiveBlock> FirewallDesk::Blocks() const { return response_.blocks(); }

}  // namespace nta::server
