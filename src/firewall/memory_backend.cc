#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "base/mutex_lock.h"
#include "base/status.h"
#include "firewall/match.h"
#include "nta/firewall/backend.h"

namespace nta {
namespace {

// Tokens of one rate limit. Time that runs backwards adds none.
class TokenBucket {
 public:
  bool Take(const RateLimit& limit, Timestamp now) {
    const auto burst = static_cast<double>(limit.burst);
    if (!started_) {
      started_ = true;
      tokens_ = burst;
      last_ = now;
    }
    if (now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min(burst, tokens_ + passed.count() * limit.packets_per_second);
      last_ = now;
    }
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  bool started_ = false;
  double tokens_ = 0;
  Timestamp last_{};
};

struct RuleState {
  RuleCounters counters;
  TokenBucket bucket;
};

}  // namespace

class MemoryBackend::Impl {
 public:
  RuleSet Current(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    Expire(now);
    return rules_;
  }

  void Replace(const RuleSet& rules, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    std::map<std::string, RuleState, std::less<>> states;
    for (const Rule& rule : rules.rules()) {
      RuleState& state = states[rule.id];
      state.counters.rule_id = rule.id;
      const Rule* old_rule = rules_.FindRule(rule.id);
      if (old_rule != nullptr && *old_rule == rule) state = states_[rule.id];
    }
    states_ = std::move(states);
    rules_ = rules;
    Expire(now);
  }

  std::vector<RuleCounters> Counters(Timestamp now) {
    const base::MutexLock lock(&mutex_);
    Expire(now);
    std::vector<RuleCounters> counters;
    for (const Rule& rule : rules_.rules()) counters.push_back(states_[rule.id].counters);
    return counters;
  }

  absl::Status Add(std::string_view set, std::span<const SetElement> elements, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(rules_, WithElements(rules_, set, elements));
    Expire(now);
    return absl::OkStatus();
  }
  absl::Status Remove(std::string_view set, std::span<const IpPrefix> prefixes, Timestamp now) {
    const base::MutexLock lock(&mutex_);
    NTA_ASSIGN_OR_RETURN(rules_, WithoutElements(rules_, set, prefixes));
    Expire(now);
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<ElementCounters>> CountersOf(std::string_view name,
                                                          std::span<const IpAddress> addresses,
                                                          Timestamp now) {
    const base::MutexLock lock(&mutex_);
    Expire(now);
    const AddressSet* set = rules_.FindSet(name);
    if (set == nullptr) {
      return base::MakeStatus(absl::StatusCode::kNotFound,
                              "there is no set \"" + std::string(name.substr(0, 40)) + "\"");
    }
    std::vector<ElementCounters> counters;
    for (const IpAddress& address : addresses) {
      if (!firewall::SetContains(*set, address, now)) continue;
      const auto found = elements_.find({std::string(name), address});
      counters.push_back({.address = address});
      if (found == elements_.end()) continue;
      counters.back().packets = found->second.packets;
      counters.back().bytes = found->second.bytes;
    }
    return counters;
  }

  Decision Offer(const PacketFacts& packet, std::uint64_t bytes) {
    const base::MutexLock lock(&mutex_);
    const Timestamp now = packet.time.value_or(Timestamp());
    const auto over = [&](const Rule& rule) -> std::optional<bool> {
      return !states_[rule.id].bucket.Take(*rule.rate_limit, now);
    };
    if (!packet.direction) return Evaluate(rules_, packet).decision;
    const Evaluation answer = firewall::EvaluateDirected(rules_, *packet.direction, packet, over);
    if (answer.decision == Decision::kUndecidable || answer.rule_id.empty()) {
      return answer.decision;
    }
    RuleCounters& counters = states_[std::string(answer.rule_id)].counters;
    ++counters.packets;
    counters.bytes += bytes;
    CountElements(*rules_.FindRule(answer.rule_id), packet, bytes);
    return answer.decision;
  }

 private:
  void CountElements(const Rule& rule, const PacketFacts& packet, std::uint64_t bytes)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    for (const bool source : {true, false}) {
      const std::optional<IpAddress>& address = source ? packet.source : packet.destination;
      for (const std::string& name : (source ? rule.source : rule.destination).sets) {
        const AddressSet* set = rules_.FindSet(name);
        if (!address || set->kind != AddressSetKind::kHosts) continue;
        if (!firewall::SetContains(*set, *address, packet.time)) continue;
        RuleCounters& counters = elements_[{name, *address}];
        ++counters.packets;
        counters.bytes += bytes;
      }
    }
  }
  void Expire(Timestamp now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    const std::optional<Timestamp> next = rules_.NextExpiry();
    if (next && *next <= now) rules_ = rules_.WithoutExpired(now);
  }

  absl::Mutex mutex_;
  RuleSet rules_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, RuleState, std::less<>> states_ ABSL_GUARDED_BY(mutex_);
  // Of addresses in sets of hosts; no more than there were elements.
  std::map<std::pair<std::string, IpAddress>, RuleCounters> elements_ ABSL_GUARDED_BY(mutex_);
};

MemoryBackend::MemoryBackend() : impl_(std::make_unique<Impl>()) {}
MemoryBackend::~MemoryBackend() = default;
MemoryBackend::MemoryBackend(MemoryBackend&&) noexcept = default;
MemoryBackend& MemoryBackend::operator=(MemoryBackend&&) noexcept = default;

absl::StatusOr<RuleSet> MemoryBackend::Current(Timestamp now) { return impl_->Current(now); }

absl::Status MemoryBackend::Replace(const RuleSet& rules, Timestamp now) {
  impl_->Replace(rules, now);
  return absl::OkStatus();
}

absl::StatusOr<std::vector<RuleCounters>> MemoryBackend::Counters(Timestamp now) {
  return impl_->Counters(now);
}

absl::Status MemoryBackend::AddToSet(std::string_view set, std::span<const SetElement> elements,
                                     Timestamp now) {
  return impl_->Add(set, elements, now);
}

absl::Status MemoryBackend::RemoveFromSet(std::string_view set, std::span<const IpPrefix> prefixes,
                                          Timestamp now) {
  return impl_->Remove(set, prefixes, now);
}

absl::StatusOr<std::vector<ElementCounters>> MemoryBackend::CountersOf(
    std::string_view set, std::span<const IpAddress> addresses, Timestamp now) {
  return impl_->CountersOf(set, addresses, now);
}

Decision MemoryBackend::Offer(const PacketFacts& packet, std::uint64_t bytes) {
  return impl_->Offer(packet, bytes);
}

}  // namespace nta
