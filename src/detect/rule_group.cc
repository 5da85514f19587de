#include "detect/rule_group.h"

#include <algorithm>

namespace nta::detect {
namespace {

constexpr std::size_t kMaxPeers = 8;
constexpr std::size_t kMaxSamples = 3;
constexpr auto kMaxValues = static_cast<std::size_t>(RuleCondition::kMostDistinct);

bool Before(const RuleStep& step, std::int64_t index) { return step.index < index; }

}  // namespace

std::int64_t RuleSteps::IndexOf(Timestamp time) const {
  const std::int64_t count = time.time_since_epoch().count();
  const std::int64_t length = step.count();
  // Rounds down before 1970, too.
  return count >= 0 ? count / length : (count - length + 1) / length;
}

RuleStep& RuleGroup::StepAt(std::int64_t index) {
  if (steps_.empty() || steps_.back().index < index) return steps_.emplace_back(RuleStep{index, 0});
  const auto place = std::lower_bound(steps_.begin(), steps_.end(), index, Before);
  return place->index == index ? *place : *steps_.insert(place, RuleStep{index, 0});
}

void RuleGroup::Trim(const RuleSteps& steps) {
  const std::int64_t oldest = newest() - steps.kept + 1;
  if (steps_.front().index >= oldest) return;
  // A silence longer than a window ends what peers had to do with it.
  const auto first_kept = std::lower_bound(steps_.begin(), steps_.end(), oldest, Before);
  if (std::next(first_kept) == steps_.end()) peers.clear();
  steps_.erase(steps_.begin(), first_kept);
}

bool RuleGroup::Add(const RuleSteps& steps, std::int64_t index, double amount) {
  if (!steps_.empty() && index <= newest() - steps.kept) return false;
  StepAt(index).amount += amount;
  Trim(steps);
  return true;
}

bool RuleGroup::Spread(const RuleSteps& steps, Timestamp first, Timestamp last, double amount) {
  const std::int64_t last_index = steps.IndexOf(last);
  const std::int64_t first_index = std::min(steps.IndexOf(first), last_index);
  if (first_index == last_index) return Add(steps, last_index, amount);
  const auto length = static_cast<double>((last - first).count());
  // The newest step first, so that what is too old is known.
  const std::int64_t oldest = std::max(newest(), last_index) - steps.kept + 1;
  bool all = first_index >= oldest;
  for (std::int64_t index = last_index; index >= std::max(first_index, oldest); --index) {
    const Timestamp begin = std::max(first, steps.Begin(index));
    const Timestamp end = std::min(last, steps.Begin(index + 1));
    const double part = amount * static_cast<double>((end - begin).count()) / length;
    all = Add(steps, index, part) && all;
  }
  return all;
}

RuleGroup::Counted RuleGroup::AddValue(const RuleSteps& steps, std::int64_t index,
                                       RuleValue value) {
  if (!steps_.empty() && index <= newest() - steps.kept) return Counted::kLate;
  const auto found = values_.find(value);
  if (found == values_.end()) {
    // Values that no window holds any more make room.
    if (values_.size() >= clean_at_) {
      const std::int64_t oldest = std::max(newest(), index) - steps.window + 1;
      absl::erase_if(values_, [&](const auto& entry) {
        if (entry.second >= oldest) return false;
        value_bytes_ -= HeapBytes(entry.first);
        return true;
      });
      clean_at_ = std::clamp(2 * values_.size(), kFirstCleaning, kMaxValues);
    }
    if (values_.size() >= kMaxValues) return Counted::kFull;
    value_bytes_ += HeapBytes(value);
    values_.emplace(std::move(value), index);
    StepAt(index).amount += 1;
  } else if (found->second < index) {
    // It counts where it was seen last.
    const auto old = std::lower_bound(steps_.begin(), steps_.end(), found->second, Before);
    if (old != steps_.end() && old->index == found->second) old->amount -= 1;
    found->second = index;
    StepAt(index).amount += 1;
  }
  if (!steps_.empty()) Trim(steps);
  return Counted::kYes;
}

WindowValue RuleGroup::Greatest(const RuleSteps& steps, std::int64_t first,
                                std::int64_t last) const {
  WindowValue best{0, last};
  double sum = 0;
  // Windows that end at a step which holds something: no other window holds more.
  auto tail = std::lower_bound(steps_.begin(), steps_.end(), first - steps.window + 1, Before);
  for (auto head = tail; head != steps_.end() && head->index <= last + steps.window - 1; ++head) {
    sum += head->amount;
    while (tail->index <= head->index - steps.window) sum -= (tail++)->amount;
    if (head->index >= first && sum > best.value) best = {sum, head->index};
  }
  return best;
}

void RuleGroup::NotePeer(const IpAddress& address, double amount) {
  const auto known = std::find_if(peers.begin(), peers.end(),
                                  [&](const RulePeer& peer) { return peer.address == address; });
  if (known != peers.end()) {
    known->amount += amount;
  } else if (peers.size() < kMaxPeers) {
    peers.push_back({address, amount});
  } else {
    // Space-Saving (Metwally 2005): the newcomer takes the place of the smallest, and its count.
    const auto least =
        std::min_element(peers.begin(), peers.end(),
                         [](const RulePeer& a, const RulePeer& b) { return a.amount < b.amount; });
    *least = {address, least->amount + amount};
  }
}

void RuleGroup::NoteSample(const FiveTuple& tuple) {
  if (samples.size() == kMaxSamples) samples.erase(samples.begin());
  samples.push_back(tuple);
}

std::size_t RuleGroup::memory_bytes() const {
  // A slot of the map holds the pair and a control byte.
  constexpr std::size_t kSlot = sizeof(std::pair<const RuleValue, std::int64_t>) + 1;
  return sizeof(RuleGroup) + steps_.capacity() * sizeof(RuleStep) + values_.capacity() * kSlot +
         value_bytes_ + peers.capacity() * sizeof(RulePeer) +
         samples.capacity() * sizeof(FiveTuple) + HeapBytes(key[0]) + HeapBytes(key[1]);
}

}  // namespace nta::detect
