// FloodTable: a fixed number of FloodEntries, found by address.
#ifndef NTA_SRC_DETECT_FLOOD_TABLE_H_
#define NTA_SRC_DETECT_FLOOD_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "detect/flood_entry.h"

namespace nta::detect {

// Sets of eight entries. In a full set a newcomer takes the place of the entry with the fewest
// packets, but only after it has knocked as often as that entry has packets (HeavyKeeper's idea:
// Gong et al. 2018), so a flood of invented destinations pushes out nobody who has traffic. The
// memory is taken when an entry of it is first needed.
class FloodTable {
 public:
  static constexpr std::size_t kWays = 8;

  explicit FloodTable(std::size_t entries)
      : size_(std::bit_ceil(std::max<std::size_t>(entries, kWays) / kWays)),
        sets_(size_),
        entries_(size_ * kWays) {}

  // Two steps ahead of Find: where to look, and, when it is there, what will be found.
  void PrefetchSet(std::uint64_t hash) const { __builtin_prefetch(&sets_[hash & (size_ - 1)]); }
  void PrefetchEntry(std::uint64_t hash) const {
    const std::size_t at = hash & (size_ - 1);
    const std::size_t way = WayOf(sets_[at], TagOf(hash));
    if (way == kWays) return;
    const auto* entry = reinterpret_cast<const char*>(&entries_[at * kWays + way]);
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + 64, 1);
  }

  // Null when it is not there.
  FloodEntry* Find(const IpAddress& address, std::uint64_t hash) {
    const std::size_t at = hash & (size_ - 1);
    const std::uint32_t tag = TagOf(hash);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (sets_[at].tags[way] != tag) continue;
      FloodEntry& entry = entries_[at * kWays + way];
      if (IsSame(entry.address, address)) return &entry;
    }
    return nullptr;
  }

  // Another packet of an entry: what keeps it from being replaced.
  void Weigh(const FloodEntry& entry, std::int64_t tick) {
    const std::size_t index = IndexOf(entry);
    Set& set = sets_[index / kWays];
    const std::size_t way = index % kWays;
    Age(set, way, tick);
    if (set.weights[way] < kMostWeight) ++set.weights[way];
  }

  // A new entry for an address that is not there; null when it has to knock again.
  FloodEntry* Add(const IpAddress& address, std::uint64_t hash, std::int64_t tick) {
    const std::size_t at = hash & (size_ - 1);
    Set& set = sets_[at];
    std::size_t lightest = 0;
    for (std::size_t way = 0; way < kWays; ++way) {
      if (set.tags[way] == 0) return Take(at, way, address, hash);
      Age(set, way, tick);
      if (set.weights[way] < set.weights[lightest]) lightest = way;
    }
    if (set.weights[lightest] > 0) {
      --set.weights[lightest];
      ++refused_;
      return nullptr;
    }
    ++evicted_;
    return Take(at, lightest, address, hash);
  }

  // For saved states; null when the set is full.
  FloodEntry* AddIfFree(const IpAddress& address, std::uint64_t hash, std::uint16_t weight,
                        std::int64_t tick) {
    const std::size_t at = hash & (size_ - 1);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (sets_[at].tags[way] != 0) continue;
      sets_[at].weights[way] = weight;
      sets_[at].ages[way] = static_cast<std::uint16_t>(tick);
      return Take(at, way, address, hash);
    }
    return nullptr;
  }
  std::uint16_t WeightOf(const FloodEntry& entry, std::int64_t tick) const {
    const std::size_t index = IndexOf(entry);
    Set set = sets_[index / kWays];
    Age(set, index % kWays, tick);
    return set.weights[index % kWays];
  }

  std::size_t IndexOf(const FloodEntry& entry) const {
    return static_cast<std::size_t>(&entry - entries_.data());
  }
  FloodEntry& at(std::size_t index) { return entries_[index]; }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t evicted() const { return evicted_; }
  std::uint64_t refused() const { return refused_; }
  std::size_t memory_bytes() const {
    return sets_.capacity() * sizeof(Set) + entries_.capacity() * sizeof(FloodEntry);
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const FloodEntry& entry : entries_) {
      if (entry.used) visit(entry);
    }
  }

 private:
  static constexpr std::uint16_t kMostWeight = 0xffff;
  // One line of the cache.
  struct alignas(64) Set {
    std::array<std::uint32_t, kWays> tags{};     // of the hashes; 0: free
    std::array<std::uint16_t, kWays> weights{};  // packets lately, halved each tick
    std::array<std::uint16_t, kWays> ages{};     // the tick of the weight, its low bits
  };

  // In two words, where comparing arrays calls a function.
  static bool IsSame(const IpAddress& a, const IpAddress& b) {
    std::array<std::uint64_t, 2> left;
    std::array<std::uint64_t, 2> right;
    std::memcpy(left.data(), a.padded_bytes().data(), 16);
    std::memcpy(right.data(), b.padded_bytes().data(), 16);
    return ((left[0] ^ right[0]) | (left[1] ^ right[1])) == 0 && a.is_v4() == b.is_v4();
  }
  static std::uint32_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) | 1;
  }
  static std::size_t WayOf(const Set& set, std::uint32_t tag) {
    std::size_t way = 0;
    while (way < kWays && set.tags[way] != tag) ++way;
    return way;
  }
  static void Age(Set& set, std::size_t way, std::int64_t tick) {
    const auto now = static_cast<std::uint16_t>(tick);
    const auto rested = static_cast<std::uint16_t>(now - set.ages[way]);
    if (rested == 0) return;
    set.weights[way] =
        rested > 15 ? std::uint16_t{0} : static_cast<std::uint16_t>(set.weights[way] >> rested);
    set.ages[way] = now;
  }
  FloodEntry* Take(std::size_t at, std::size_t way, const IpAddress& address, std::uint64_t hash) {
    sets_[at].tags[way] = TagOf(hash);
    FloodEntry& entry = entries_[at * kWays + way];
    entry.Renew(address);
    return &entry;
  }

  std::size_t size_;  // sets
  std::vector<Set> sets_;
  std::vector<FloodEntry> entries_;
  std::uint64_t evicted_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_TABLE_H_
