// FlowIndex: from a key's hash to its slot. Open addressing with linear probing and backward-shift
// deletion.
#ifndef NTA_FLOW_FLOW_INDEX_H_
#define NTA_FLOW_FLOW_INDEX_H_

#include <algorithm>
#include <bit>
#include <cstdint>

#include "base/lazy_array.h"
#include "flow/linked_slots.h"

namespace nta::internal {

// A bucket is 32 bits of the hash and the slot plus one (0: empty). At least half of the buckets
// stay empty, so a probe ends after two on average; the memory is reserved for the full table at
// once and taken as it is touched, so that the index never has to be rebuilt.
class FlowIndex {
 public:
  static std::size_t BytesFor(std::size_t max_entries) {
    return std::bit_ceil(std::max<std::size_t>(2 * max_entries, 16)) * sizeof(std::uint64_t);
  }

  static absl::StatusOr<FlowIndex> Create(std::size_t max_entries) {
    FlowIndex index;
    const std::size_t buckets = BytesFor(max_entries) / sizeof(std::uint64_t);
    NTA_ASSIGN_OR_RETURN(index.buckets_, base::LazyArray<std::uint64_t>::Create(buckets));
    index.mask_ = buckets - 1;
    return index;
  }

  void Prefetch(std::uint64_t hash) const {
    const std::size_t home = Home(Tag(hash));
    __builtin_prefetch(&buckets_[home]);
    // A probe that starts near the end of a cache line often goes on in the next one.
    __builtin_prefetch(&buckets_[(home + 3) & mask_]);
  }

  // The first slot whose hash may match, without looking at its key; kNoSlot when there is none.
  // For prefetching.
  std::uint32_t Guess(std::uint64_t hash) const {
    const std::uint32_t tag = Tag(hash);
    const std::uint64_t bucket = buckets_[Home(tag)];
    return TagOf(bucket) == tag && bucket != 0 ? SlotOf(bucket) : kNoSlot;
  }

  // The slot with this hash for which matches(slot) holds, or kNoSlot.
  template <typename Matches>
  std::uint32_t Find(std::uint64_t hash, const Matches& matches) const {
    const std::uint32_t tag = Tag(hash);
    for (std::size_t i = Home(tag);; i = (i + 1) & mask_) {
      const std::uint64_t bucket = buckets_[i];
      if (bucket == 0) return kNoSlot;
      if (TagOf(bucket) == tag && matches(SlotOf(bucket))) return SlotOf(bucket);
    }
  }

  // The key must not be present.
  void Insert(std::uint64_t hash, std::uint32_t slot) {
    const std::uint32_t tag = Tag(hash);
    std::size_t i = Home(tag);
    while (buckets_[i] != 0) i = (i + 1) & mask_;
    buckets_[i] = static_cast<std::uint64_t>(tag) << 32 | (slot + 1);
  }

  // The slot must be present under this hash.
  void Erase(std::uint64_t hash, std::uint32_t slot) {
    std::size_t hole = Home(Tag(hash));
    while (buckets_[hole] == 0 || SlotOf(buckets_[hole]) != slot) hole = (hole + 1) & mask_;
    for (std::size_t i = (hole + 1) & mask_; buckets_[i] != 0; i = (i + 1) & mask_) {
      // A bucket may move into the hole unless its home lies between the hole and itself.
      const std::size_t distance = (i - Home(TagOf(buckets_[i]))) & mask_;
      if (distance >= ((i - hole) & mask_)) {
        buckets_[hole] = buckets_[i];
        hole = i;
      }
    }
    buckets_[hole] = 0;
  }

  std::size_t memory_bytes() const { return buckets_.size() * sizeof(std::uint64_t); }

 private:
  static std::uint32_t Tag(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  static std::uint32_t TagOf(std::uint64_t bucket) {
    return static_cast<std::uint32_t>(bucket >> 32);
  }
  static std::uint32_t SlotOf(std::uint64_t bucket) {
    return static_cast<std::uint32_t>(bucket) - 1;
  }
  std::size_t Home(std::uint32_t tag) const { return tag & mask_; }

  base::LazyArray<std::uint64_t> buckets_;
  std::size_t mask_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_FLOW_FLOW_INDEX_H_
