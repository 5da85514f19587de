#include "firewall/cut_traffic.h"

#include <algorithm>
#include <chrono>

#include "base/mutex_lock.h"

namespace nta::firewall {
namespace {

// A block that counted nothing for so long may not stand in the way of this traffic at all, as with
// a capture of a mirrored port: then what arrives is news.
constexpr Duration kBelieved = std::chrono::seconds(30);
// Flows are told of when they end, which is long after their last packet.
constexpr Duration kRemembered = std::chrono::hours(1);
constexpr Duration kForgetEvery = std::chrono::minutes(1);

BlockScope ScopeOf(const FiveTuple& flow) {
  BlockScope scope{.protocol = flow.protocol};
  if (HasPorts(flow.protocol)) scope.port = flow.destination.port;
  return scope;
}

}  // namespace

CutTraffic::Span* CutTraffic::FindOpen(const ActiveBlock& block, Timestamp now) {
  const auto found = spans_.find(block.address);
  if (found == spans_.end()) return nullptr;
  for (Span& span : found->second) {
    if (span.scope == block.scope && span.end > now) return &span;
  }
  return nullptr;
}

void CutTraffic::Begin(const ActiveBlock& block, Timestamp now) {
  const base::MutexLock lock(&mutex_);
  ForgetOld(now);
  const Timestamp end = block.until.value_or(Timestamp::max());
  if (Span* const span = FindOpen(block, now)) {
    span->end = end;
    return;
  }
  if (count_ >= max_spans_) return;
  spans_[block.address].push_back({.scope = block.scope, .begin = now, .end = end});
  ++count_;
  is_empty_ = false;
}

void CutTraffic::Prove(const ActiveBlock& block, Timestamp now) {
  const base::MutexLock lock(&mutex_);
  if (Span* const span = FindOpen(block, now)) span->is_proven = true;
}

void CutTraffic::End(const ActiveBlock& block, Timestamp now) {
  const base::MutexLock lock(&mutex_);
  ForgetOld(now);
  if (Span* const span = FindOpen(block, now)) span->end = now;
}

void CutTraffic::ForgetOld(Timestamp now) {
  if (now < next_forget_) return;
  next_forget_ = now + kForgetEvery;
  absl::erase_if(spans_, [&](auto& entry) {
    count_ -= std::erase_if(entry.second, [now](const Span& span) {
      return span.end < now && now - span.end > kRemembered;
    });
    return entry.second.empty();
  });
  is_empty_ = spans_.empty();
}

bool CutTraffic::Cuts(const std::vector<Span>& spans, const BlockScope& scope, Timestamp time) {
  return std::any_of(spans.begin(), spans.end(), [&](const Span& span) {
    return span.begin <= time && time < span.end &&
           (span.is_proven || time - span.begin < kBelieved) && span.scope.Covers(scope);
  });
}

bool CutTraffic::IsCut(const FiveTuple& flow, Timestamp time) const {
  if (!MayBeCut()) return false;
  const base::MutexLock lock(&mutex_);
  const auto by_source = spans_.find(flow.source.address);
  if (by_source != spans_.end() && Cuts(by_source->second, ScopeOf(flow), time)) return true;
  // Only blocks of a whole host cut what is sent to it.
  const auto by_destination = spans_.find(flow.destination.address);
  return by_destination != spans_.end() && Cuts(by_destination->second, BlockScope(), time);
}

}  // namespace nta::firewall
