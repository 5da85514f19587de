#include "store/pair_counter.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <limits>
#include <utility>

#include "absl/hash/hash.h"
#include "base/status.h"
#include "store/address_order.h"

namespace nta::store {
namespace {

constexpr std::uint64_t kNoEnd = std::numeric_limits<std::uint64_t>::max();

std::vector<std::uint64_t> HashesOf(const std::vector<IpAddress>& addresses) {
  std::vector<std::uint64_t> hashes;
  hashes.reserve(addresses.size());
  for (const IpAddress& address : addresses) hashes.push_back(absl::HashOf(address));
  return hashes;
}

}  // namespace

absl::Status PairCounter::Count(Scan scan) {
  ++scans_;
  NTA_RETURN_IF_ERROR(scan([this](const CountedFlows& flows) { return AddFirst(flows); }));
  KeepGreatest();
  if (groups_.empty()) return absl::OkStatus();
  // So few groups that their pairs fit into memory and mostly into the caches; far more than are
  // wanted, because some groups have much for having many pairs.
  const std::size_t likely = std::max<std::size_t>(limits_.groups / 64, 8 * limit_);
  const std::uint64_t least = MeasureOfGroups(std::min(likely, groups_.size() - 1));
  NTA_ASSIGN_OR_RETURN(const bool counted, CountChosen(scan, {0, groups_.size(), least, kNoEnd}));
  // Whatever is in the other groups has less than these rows.
  if (counted && least > 0 && Least() >= least) return absl::OkStatus();
  return CountRest(scan, counted ? least : kNoEnd);
}

absl::Status PairCounter::CountRest(Scan scan, std::uint64_t before) {
  std::size_t at_once = GroupsAtOnce();
  for (std::size_t first = 0; first < groups_.size();) {
    const Chosen chosen{first, std::min(first + at_once, groups_.size()), Least(), before};
    NTA_ASSIGN_OR_RETURN(const bool counted, CountChosen(scan, chosen));
    if (counted) {
      first = chosen.end;
      continue;
    }
    if (at_once == 1) {
      return base::MakeStatus(
          absl::StatusCode::kResourceExhausted,
          "too many different keys; ask for a shorter interval or a narrower filter");
    }
    at_once = std::max<std::size_t>(at_once / 2, 1);
  }
  return absl::OkStatus();
}

absl::Status PairCounter::AddFirst(const CountedFlows& flows) {
  if (!groups_.empty()) {
    AddToGroups(flows);
    return absl::OkStatus();
  }
  flows.ForEach([&](std::size_t, const Share& share) { AddToTotal(share); });
  NTA_RETURN_IF_ERROR(AddPairs(flows, [](std::size_t, std::size_t) { return true; }));
  if (pairs_.size() <= limits_.first_pairs) return absl::OkStatus();
  groups_.resize(limits_.groups);
  for (const auto& [pair, totals] : pairs_) {
    source_hashes_.assign(1, absl::HashOf(pair.first));
    destination_hashes_.assign(1, absl::HashOf(pair.second));
    groups_[GroupOf(0, 0)] += Measured(totals.totals, by_);
  }
  pairs_ = {};
  return absl::OkStatus();
}

void PairCounter::AddToTotal(const Share& share) {
  total_.bytes += share.bytes();
  total_.packets += share.packets;
  total_.flows += share.flows;
}

void PairCounter::AddToGroups(const CountedFlows& flows) {
  HashAddresses(flows);
  const AddressColumn& source = *flows.columns().source;
  const AddressColumn& destination = *flows.columns().destination;
  // Their places first: asked for ahead of time, they are there when it is their turn.
  constexpr std::size_t kAhead = 32;
  group_of_flow_.resize(flows.size() + kAhead);
  for (std::size_t i = 0; i < flows.size(); ++i) {
    group_of_flow_[i] = static_cast<std::uint32_t>(GroupOf(source.index[i], destination.index[i]));
  }
  flows.ForEach([&](std::size_t i, const Share& share) {
    __builtin_prefetch(&groups_[group_of_flow_[i + kAhead]], 1);
    groups_[group_of_flow_[i]] += Measured({share.bytes(), share.packets, share.flows}, by_);
    AddToTotal(share);
  });
}

absl::StatusOr<bool> PairCounter::CountChosen(Scan scan, const Chosen& chosen) {
  is_chosen_.assign(groups_.size(), false);
  bool is_any = false;
  for (std::size_t group = chosen.first; group < chosen.end; ++group) {
    if (groups_[group] < chosen.least || groups_[group] >= chosen.before) continue;
    is_chosen_[group] = true;
    is_any = true;
  }
  if (!is_any) return true;
  ++scans_;
  pairs_ = {};
  bool fits = true;
  const absl::Status status = scan([&](const CountedFlows& flows) -> absl::Status {
    NTA_RETURN_IF_ERROR(AddChosen(flows));
    fits = pairs_.size() <= limits_.most_pairs;
    // Which ends the reading, and is no error.
    return fits ? absl::OkStatus() : base::MakeStatus(absl::StatusCode::kOutOfRange, "");
  });
  if (!fits) return false;
  NTA_RETURN_IF_ERROR(status);
  KeepGreatest();
  return true;
}

absl::Status PairCounter::AddChosen(const CountedFlows& flows) {
  HashAddresses(flows);
  return AddPairs(flows, [this](std::size_t source, std::size_t destination) {
    return is_chosen_[GroupOf(source, destination)];
  });
}

void PairCounter::HashAddresses(const CountedFlows& flows) {
  source_hashes_ = HashesOf(flows.columns().source->dictionary);
  destination_hashes_ = HashesOf(flows.columns().destination->dictionary);
}

std::size_t PairCounter::GroupOf(std::size_t source, std::size_t destination) const {
  // The same for both directions.
  std::uint64_t hash = source_hashes_[source] + destination_hashes_[destination];
  hash ^= hash >> 32;
  hash *= 0x9e3779b97f4a7c15;
  return static_cast<std::size_t>(hash >> (64 - std::countr_zero(limits_.groups)));
}

template <typename Wanted>
absl::Status PairCounter::AddPairs(const CountedFlows& flows, Wanted wanted) {
  const AddressColumn& source = *flows.columns().source;
  const AddressColumn& destination = *flows.columns().destination;
  HashMap<std::uint64_t, DirectedTotals> by_places;
  flows.ForEach([&](std::size_t i, const Share& share) {
    if (!wanted(source.index[i], destination.index[i])) return;
    const std::uint64_t places = std::uint64_t{source.index[i]} << 32 | destination.index[i];
    by_places[places].Add({{share.bytes(), share.packets, share.flows},
                           share.forward_bytes,
                           share.reverse_bytes,
                           share.flows});
  });
  for (auto& [places, totals] : by_places) {
    if (totals.empty()) continue;
    const IpAddress& from = source.dictionary[places >> 32];
    const IpAddress& to = destination.dictionary[places & 0xffffffff];
    const bool in_order = CompareAddresses(from, to) <= 0;
    if (!in_order) {
      std::swap(totals.sent, totals.received);
      totals.begun = totals.totals.flows - totals.begun;
    }
    pairs_[in_order ? Pair(from, to) : Pair(to, from)].Add(totals);
  }
  return absl::OkStatus();
}

void PairCounter::KeepGreatest() {
  rows_.reserve(rows_.size() + std::min(limit_, pairs_.size()));
  std::vector<const std::pair<const Pair, DirectedTotals>*> order;
  order.reserve(pairs_.size());
  for (const auto& row : pairs_) order.push_back(&row);
  const auto before = [this](const auto& a, const auto& b) {
    const std::uint64_t x = Measured(a.second.totals, by_);
    const std::uint64_t y = Measured(b.second.totals, by_);
    return x != y ? x > y : a.first < b.first;
  };
  const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(limit_, order.size()));
  std::partial_sort(order.begin(), middle, order.end(),
                    [&](const auto* a, const auto* b) { return before(*a, *b); });
  for (auto it = order.begin(); it != middle; ++it) rows_.emplace_back((*it)->first, (*it)->second);
  std::sort(rows_.begin(), rows_.end(), before);
  if (rows_.size() > limit_) rows_.resize(limit_);
  pairs_ = {};
}

std::uint64_t PairCounter::Least() const {
  return rows_.size() < limit_ ? 0 : Measured(rows_.back().second.totals, by_);
}

std::uint64_t PairCounter::MeasureOfGroups(std::size_t place) const {
  std::vector<std::uint64_t> order = groups_;
  const auto nth = order.begin() + static_cast<std::ptrdiff_t>(place);
  std::nth_element(order.begin(), nth, order.end(), std::greater<>());
  return *nth;
}

std::size_t PairCounter::GroupsAtOnce() const {
  // From how many groups are empty it follows how many pairs there are. When nearly none is, that
  // says little, and too many pairs are found out.
  const auto all = static_cast<double>(groups_.size());
  const auto empty = static_cast<double>(std::count(groups_.begin(), groups_.end(), 0U));
  const double pairs_per_group = std::log(all / std::max(empty, 1.0));
  const double at_once = 0.8 * static_cast<double>(limits_.most_pairs) / pairs_per_group;
  return std::max<std::size_t>(static_cast<std::size_t>(std::min(at_once, all)), 1);
}

}  // namespace nta::store
