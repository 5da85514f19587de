// RecentTable: values by key, the latest used of them, a bounded number.
#ifndef NTA_SRC_DETECT_RECENT_TABLE_H_
#define NTA_SRC_DETECT_RECENT_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <list>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace nta::detect {

// Pointers stay valid until the value is forgotten. Hashing is Abseil's, which is seeded per
// process.
template <typename Key, typename Value>
class RecentTable {
 public:
  explicit RecentTable(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  // Null when it is not there; does not count as a use.
  Value* Find(const Key& key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &found->second->second;
  }
  // The latest used now.
  Value& FindOrAdd(const Key& key) {
    const auto found = index_.find(key);
    if (found != index_.end()) {
      order_.splice(order_.end(), order_, found->second);
      return found->second->second;
    }
    if (index_.size() >= capacity_) {
      index_.erase(order_.front().first);
      order_.pop_front();
      ++evicted_;
    }
    order_.emplace_back(key, Value{});
    index_.emplace(key, std::prev(order_.end()));
    return order_.back().second;
  }
  void Remove(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return;
    order_.erase(found->second);
    index_.erase(found);
  }

  // Oldest use first.
  const std::list<std::pair<Key, Value>>& entries() const { return order_; }
  std::list<std::pair<Key, Value>>& entries() { return order_; }
  std::size_t size() const { return index_.size(); }
  std::size_t capacity() const { return capacity_; }
  std::uint64_t evicted() const { return evicted_; }
  // Without what values hold on the heap.
  std::size_t memory_bytes() const { return size() * kEntryBytes + index_.capacity() * kSlotBytes; }
  std::size_t memory_limit_bytes() const { return capacity_ * (kEntryBytes + 4 * kSlotBytes); }

 private:
  // A node of the list with its links and what the allocator adds.
  static constexpr std::size_t kEntryBytes = sizeof(std::pair<Key, Value>) + 2 * sizeof(void*) + 16;
  static constexpr std::size_t kSlotBytes = sizeof(Key) + sizeof(void*) + 1;

  std::size_t capacity_;
  std::list<std::pair<Key, Value>> order_;
  absl::flat_hash_map<Key, typename std::list<std::pair<Key, Value>>::iterator> index_;
  std::uint64_t evicted_ = 0;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_RECENT_TABLE_H_
