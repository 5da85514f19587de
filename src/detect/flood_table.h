// FloodTable: a fixed number of FloodEntries, found by address.
#ifndef NTA_SRC_DETECT_FLOOD_TABLE_H_
#define NTA_SRC_DETECT_FLOOD_TABLE_H_

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "base/keyed_hash.h"
#include "detect/contact.h"
#include "detect/flood_entry.h"

namespace nta::detect {

// An address, or the first one of a prefix, in words.
struct FloodKey {
  AddressWords words;
  bool is_v4 = true;

  static FloodKey Of(const IpAddress& address) { return {WordsOf(address), address.is_v4()}; }
  // Of its /24 or /48.
  FloodKey Prefix() const { return {{words.high & (is_v4 ? kFirstThree : kFirstSix), 0}, is_v4}; }
  std::uint64_t Hash(const base::KeyedHash& hash) const { return hash(words.high, words.low); }
  // Another one, so that a prefix and its first address have nothing in common.
  std::uint64_t PrefixHash(const base::KeyedHash& hash) const {
    return hash(words.high, ~words.low);
  }
  IpAddress Address() const {
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &words.high, 8);
    std::memcpy(bytes.data() + 8, &words.low, 8);
    return is_v4 ? IpAddress::V4(std::span<const std::uint8_t, 16>(bytes).first<4>())
                 : IpAddress::V6(bytes);
  }

 private:
  static constexpr auto kFirstThree =
      std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{255, 255, 255});
  static constexpr auto kFirstSix =
      std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{255, 255, 255, 255, 255, 255});
};

// Sets of eight entries. In a full set a newcomer takes the place of the entry with the fewest
// packets, but only after it has knocked as often as that entry has packets (HeavyKeeper's idea:
// Gong et al. 2018), so a flood of invented destinations pushes out nobody who has traffic.
//
// Most look-ups find nothing, and read no more than the eight one-byte tags of a set: those of
// 8,192 entries stay in the first-level cache.
class FloodTable {
 public:
  static constexpr std::size_t kWays = 8;

  explicit FloodTable(std::size_t entries)
      : size_(std::bit_ceil(std::max<std::size_t>(entries, kWays) / kWays)),
        tags_(size_),
        weights_(size_),
        entries_(size_ * kWays) {}

  // Where an address probably is, as long as nothing was added or removed.
  struct Hint {
    static constexpr std::uint32_t kNowhere = ~0u;
    std::uint32_t index = kNowhere;
    std::uint32_t change = 0;
  };

  // Fetches what Find will look at.
  Hint Prefetch(std::uint64_t hash) const {
    const std::size_t at = hash & (size_ - 1);
    const std::uint64_t ways = WaysOf(at, TagOf(hash));
    if (ways == 0) return {.index = Hint::kNowhere, .change = changes_};
    const std::size_t index = IndexOf(at, ways);
    const auto* entry = reinterpret_cast<const char*>(&entries_[index]);
    __builtin_prefetch(entry, 1);
    __builtin_prefetch(entry + 64, 1);
    return {.index = static_cast<std::uint32_t>(index), .change = changes_};
  }

  // The same as without the hint.
  FloodEntry* Find(const FloodKey& key, std::uint64_t hash, const Hint& hint) {
    if (hint.change == changes_) {
      if (hint.index == Hint::kNowhere) return nullptr;
      FloodEntry& entry = entries_[hint.index];
      if (IsSame(entry.address, key)) return &entry;
    }
    return Find(key, hash);
  }
  // Null when it is not there.
  FloodEntry* Find(const FloodKey& key, std::uint64_t hash) {
    const std::size_t at = hash & (size_ - 1);
    for (std::uint64_t ways = WaysOf(at, TagOf(hash)); ways != 0; ways &= ways - 1) {
      FloodEntry& entry = entries_[IndexOf(at, ways)];
      if (IsSame(entry.address, key)) return &entry;
    }
    return nullptr;
  }

  // The tick is over: its packets keep an entry from being replaced.
  void Weigh(std::size_t index, std::int64_t tick) {
    Weights& set = weights_[index / kWays];
    const std::size_t way = index % kWays;
    Age(set, way, tick);
    const std::uint32_t sum = set.packets[way] + std::exchange(entries_[index].weight, 0u);
    set.packets[way] = static_cast<std::uint16_t>(std::min(sum, kMostWeight));
  }

  // A new entry for an address that is not there; null when it has to knock again.
  FloodEntry* Add(const FloodKey& key, std::uint64_t hash, std::int64_t tick) {
    const std::size_t at = hash & (size_ - 1);
    if (const std::uint64_t free = WaysOf(at, 0); free != 0) {
      return Take(IndexOf(at, free), key.Address(), hash);
    }
    Weights& set = weights_[at];
    std::size_t lightest = 0;
    std::uint32_t least = ~0u;
    for (std::size_t way = 0; way < kWays; ++way) {
      Age(set, way, tick);
      const std::uint32_t weight = set.packets[way] + entries_[at * kWays + way].weight;
      if (weight >= least) continue;
      lightest = way;
      least = weight;
    }
    if (least > 0) {
      if (set.packets[lightest] > 0) {
        --set.packets[lightest];
      } else {
        --entries_[at * kWays + lightest].weight;
      }
      ++refused_;
      return nullptr;
    }
    ++evicted_;
    return Take(at * kWays + lightest, key.Address(), hash);
  }

  // For saved states; null when the set is full.
  FloodEntry* AddIfFree(const FloodKey& key, std::uint64_t hash, std::uint16_t weight,
                        std::int64_t tick) {
    const std::size_t at = hash & (size_ - 1);
    const std::uint64_t free = WaysOf(at, 0);
    if (free == 0) return nullptr;
    const std::size_t index = IndexOf(at, free);
    weights_[at].packets[index % kWays] = weight;
    weights_[at].ages[index % kWays] = static_cast<std::uint16_t>(tick);
    return Take(index, key.Address(), hash);
  }
  void Remove(std::size_t index) {
    SetTag(index, 0);
    weights_[index / kWays].packets[index % kWays] = 0;
    entries_[index].used = false;
    entries_[index].weight = 0;
  }
  std::uint16_t WeightOf(const FloodEntry& entry, std::int64_t tick) const {
    const std::size_t index = IndexOf(entry);
    Weights set = weights_[index / kWays];
    Age(set, index % kWays, tick);
    return set.packets[index % kWays];
  }

  std::size_t IndexOf(const FloodEntry& entry) const {
    return static_cast<std::size_t>(&entry - entries_.data());
  }
  FloodEntry& at(std::size_t index) { return entries_[index]; }
  std::size_t size() const { return entries_.size(); }
  std::uint64_t evicted() const { return evicted_; }
  std::uint64_t refused() const { return refused_; }
  std::size_t memory_bytes() const {
    return size_ * (sizeof(std::uint64_t) + sizeof(Weights)) +
           entries_.capacity() * sizeof(FloodEntry);
  }
  template <typename Visit>
  void ForEach(const Visit& visit) const {
    for (const FloodEntry& entry : entries_) {
      if (entry.used) visit(entry);
    }
  }

 private:
  static constexpr std::uint32_t kMostWeight = 0xffff;
  // Half a line of the cache.
  struct alignas(32) Weights {
    std::array<std::uint16_t, kWays> packets{};  // lately, halved each tick
    std::array<std::uint16_t, kWays> ages{};     // the tick of that, its low bits
  };

  // In two words, where comparing arrays calls a function.
  static bool IsSame(const IpAddress& address, const FloodKey& key) {
    const AddressWords words = WordsOf(address);
    return ((words.high ^ key.words.high) | (words.low ^ key.words.low)) == 0 &&
           address.is_v4() == key.is_v4;
  }
  // Never 0, which marks what is free.
  static std::uint8_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint8_t>(std::max<std::uint64_t>(hash >> 56, 1));
  }
  void SetTag(std::size_t index, std::uint8_t tag) {
    ++changes_;
    const std::size_t shift = index % kWays * 8;
    std::uint64_t& tags = tags_[index / kWays];
    tags = (tags & ~(std::uint64_t{0xff} << shift)) | std::uint64_t{tag} << shift;
  }
  // The highest bit of each byte that may be the tag: the lowest of them is, others may differ by
  // a borrow, so whoever asks for more than the first has to look.
  std::uint64_t WaysOf(std::size_t at, std::uint8_t tag) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t difference = tags_[at] ^ (tag * kOnes);
    return (difference - kOnes) & ~difference & (kOnes << 7);
  }
  static std::size_t IndexOf(std::size_t at, std::uint64_t ways) {
    return at * kWays + static_cast<std::size_t>(std::countr_zero(ways)) / 8;
  }
  static void Age(Weights& set, std::size_t way, std::int64_t tick) {
    const auto now = static_cast<std::uint16_t>(tick);
    const auto rested = static_cast<std::uint16_t>(now - set.ages[way]);
    if (rested == 0) return;
    set.packets[way] =
        rested > 15 ? std::uint16_t{0} : static_cast<std::uint16_t>(set.packets[way] >> rested);
    set.ages[way] = now;
  }
  FloodEntry* Take(std::size_t index, const IpAddress& address, std::uint64_t hash) {
    SetTag(index, TagOf(hash));
    entries_[index].Renew(address);
    return &entries_[index];
  }

  std::size_t size_;           // sets
  std::uint32_t changes_ = 0;  // of tags
  std::vector<std::uint64_t> tags_;
  std::vector<Weights> weights_;
  std::vector<FloodEntry> entries_;
  std::uint64_t evicted_ = 0;
  std::uint64_t refused_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_TABLE_H_
