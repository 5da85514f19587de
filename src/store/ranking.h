// Ranking: totals by key, and the greatest of them.
#ifndef NTA_STORE_RANKING_H_
#define NTA_STORE_RANKING_H_

#include <algorithm>
#include <cstdint>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "base/status.h"
#include "nta/store/store.h"
#include "store/hash_map.h"

namespace nta::store {

struct DirectedTotals {
  TrafficTotals totals;
  std::uint64_t sent = 0;
  std::uint64_t received = 0;
  std::uint64_t begun = 0;  // flows in which the first of two spoke first; for pairs only

  void Add(const DirectedTotals& other) {
    totals.bytes += other.totals.bytes;
    totals.packets += other.totals.packets;
    totals.flows += other.totals.flows;
    sent += other.sent;
    received += other.received;
    begun += other.begun;
  }
  bool empty() const { return totals == TrafficTotals{}; }
};

constexpr std::uint64_t Measured(const TrafficTotals& totals, Measure measure) {
  switch (measure) {
    case Measure::kBytes:
      return totals.bytes;
    case Measure::kPackets:
      return totals.packets;
    case Measure::kFlows:
      return totals.flows;
  }
  return 0;
}

// More keys than fit into memory are counted by parts: the same rows are added once for each.
template <typename Key>
class Ranking {
  // HashMap takes no keys that need memory of their own.
  static constexpr bool kIsFlat = std::is_nothrow_copy_constructible_v<Key>;
  using Map = std::conditional_t<kIsFlat, HashMap<Key, DirectedTotals>,
                                 std::unordered_map<Key, DirectedTotals>>;

 public:
  using Row = std::pair<Key, DirectedTotals>;

  // About 200 MB; texts are longer.
  static constexpr std::size_t kMostKeys = kIsFlat ? 2'000'000 : 500'000;

  // `parts`: a power of two.
  explicit Ranking(std::size_t parts = 1, std::size_t most_keys = kMostKeys)
      : parts_(parts), most_keys_(most_keys) {}

  // Whether Add was refused because these are too many keys.
  bool is_full() const { return is_full_; }

  // Keys that something counts for; ResourceExhausted when there are too many of them.
  absl::Status Add(const Key& key, const DirectedTotals& totals) {
    if (totals.empty() || !IsInPart(key)) return absl::OkStatus();
    const auto [place, is_new] = by_key_.try_emplace(key);
    if (is_new && by_key_.size() > most_keys_) {
      is_full_ = true;
      return base::MakeStatus(
          absl::StatusCode::kResourceExhausted,
          "too many different keys; ask for a shorter interval or a narrower filter");
    }
    place->second.Add(totals);
    return absl::OkStatus();
  }

  // The same for many. The map is larger than the caches: asking for its places ahead of time makes
  // this twice as fast.
  absl::Status AddAll(const std::vector<Row>& rows) {
    constexpr std::size_t kAhead = 8;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i + kAhead < rows.size()) by_key_.prefetch(rows[i + kAhead].first);
      NTA_RETURN_IF_ERROR(Add(rows[i].first, rows[i].second));
    }
    return absl::OkStatus();
  }

  // Zero when nothing counts for it.
  TrafficTotals Of(const Key& key) const {
    const auto place = by_key_.find(key);
    return place == by_key_.end() ? TrafficTotals{} : place->second.totals;
  }

  // Keeps the greatest of this part and begins the next one.
  void NextPart(Measure by, std::size_t limit) {
    rows_ = Greatest(by, limit);
    sum_ = Sum();
    by_key_ = Map();
    ++part_;
  }

  // Of all keys so far.
  TrafficTotals Sum() const {
    DirectedTotals sum{sum_};
    for (const auto& [key, totals] : by_key_) sum.Add(totals);
    return sum.totals;
  }

  // The greatest first; equal ones in the order of their keys.
  std::vector<Row> Greatest(Measure by, std::size_t limit) const {
    std::vector<std::pair<const Key*, const DirectedTotals*>> order;
    order.reserve(rows_.size() + by_key_.size());
    for (const auto& [key, totals] : rows_) order.emplace_back(&key, &totals);
    for (const auto& [key, totals] : by_key_) order.emplace_back(&key, &totals);
    const auto middle = order.begin() + static_cast<std::ptrdiff_t>(std::min(limit, order.size()));
    std::partial_sort(order.begin(), middle, order.end(), [by](const auto& a, const auto& b) {
      const std::uint64_t x = Measured(a.second->totals, by);
      const std::uint64_t y = Measured(b.second->totals, by);
      return x != y ? x > y : *a.first < *b.first;
    });
    std::vector<Row> rows;
    for (auto it = order.begin(); it != middle; ++it) rows.emplace_back(*it->first, *it->second);
    return rows;
  }

 private:
  bool IsInPart(const Key& key) const {
    // Not the bits by which the map tells keys apart.
    return parts_ == 1 || (absl::HashOf(key) >> 40 & (parts_ - 1)) == part_;
  }

  std::size_t parts_;
  std::size_t most_keys_;
  std::size_t part_ = 0;
  bool is_full_ = false;
  Map by_key_;             // of this part
  std::vector<Row> rows_;  // the greatest of those before
  TrafficTotals sum_;      // of those before
};

}  // namespace nta::store

#endif  // NTA_STORE_RANKING_H_
