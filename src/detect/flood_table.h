// FloodTable: a fixed number of FloodEntries, found by address.
#ifndef NTA_SRC_DETECT_FLOOD_TABLE_H_
#define NTA_SRC_DETECT_FLOOD_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
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
      : sets_(std::bit_ceil(std::max<std::size_t>(entries, kWays) / kWays)),
        tags_(sets_),
        entries_(sets_ * kWays) {}

  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&tags_[hash & (sets_ - 1)]); }

  // Null when it is not there.
  FloodEntry* Find(const IpAddress& address, std::uint64_t hash) {
    const std::size_t set = hash & (sets_ - 1);
    const std::uint32_t tag = TagOf(hash);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (tags_[set][way] != tag) continue;
      FloodEntry& entry = entries_[set * kWays + way];
      if (entry.address == address) return &entry;
    }
    return nullptr;
  }

  // A new entry for an address that is not there; null when it has to knock again. `forget` is told
  // which entry goes.
  template <typename Forget>
  FloodEntry* Add(const IpAddress& address, std::uint64_t hash, std::int64_t tick,
                  const Forget& forget) {
    const std::size_t set = hash & (sets_ - 1);
    std::size_t lightest = 0;
    std::uint32_t least = ~std::uint32_t{0};
    for (std::size_t way = 0; way < kWays; ++way) {
      if (tags_[set][way] == 0) return Take(set, way, address, hash);
      const FloodEntry& entry = entries_[set * kWays + way];
      const std::int64_t rested = std::clamp<std::int64_t>(tick - entry.tick, 0, 31);
      const std::uint32_t weight = entry.weight >> rested;
      if (weight < least) {
        least = weight;
        lightest = way;
      }
    }
    FloodEntry& entry = entries_[set * kWays + lightest];
    if (least > 0) {
      --entry.weight;
      ++refused_;
      return nullptr;
    }
    ++evicted_;
    forget(entry);
    return Take(set, lightest, address, hash);
  }

  // For saved states; null when the set is full.
  FloodEntry* AddIfFree(const IpAddress& address, std::uint64_t hash) {
    const std::size_t set = hash & (sets_ - 1);
    for (std::size_t way = 0; way < kWays; ++way) {
      if (tags_[set][way] == 0) return Take(set, way, address, hash);
    }
    return nullptr;
  }

  std::size_t IndexOf(const FloodEntry& entry) const {
    return static_cast<std::size_t>(&entry - entries_.data());
  }
  FloodEntry& at(std::size_t index) { return entries_[index]; }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t evicted() const { return evicted_; }
  std::uint64_t refused() const { return refused_; }
  std::size_t memory_bytes() const {
    return tags_.capacity() * sizeof(tags_[0]) + entries_.capacity() * sizeof(FloodEntry);
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const FloodEntry& entry : entries_) {
      if (entry.used) visit(entry);
    }
  }

 private:
  static std::uint32_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) | 1;  // 0 is free
  }
  FloodEntry* Take(std::size_t set, std::size_t way, const IpAddress& address, std::uint64_t hash) {
    tags_[set][way] = TagOf(hash);
    FloodEntry& entry = entries_[set * kWays + way];
    entry = FloodEntry{};
    entry.address = address;
    entry.used = true;
    return &entry;
  }

  std::size_t sets_;
  std::vector<std::array<std::uint32_t, kWays>> tags_;
  std::vector<FloodEntry> entries_;
  std::uint64_t evicted_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_TABLE_H_
