// HashMap: absl::flat_hash_map that stays whole when there is no memory for it to grow.
#ifndef NTA_STORE_HASH_MAP_H_
#define NTA_STORE_HASH_MAP_H_

#include <algorithm>
#include <cstddef>
#include <new>
#include <utility>

#include "absl/container/flat_hash_map.h"

namespace nta::store {

// absl's map notes its new capacity before it asks for the memory: when that throws (it is made for
// programs without exceptions), its destructor frees what it never had. So it grows here, into a
// map that is forgotten instead of destroyed when there is no memory for it. Keys and values are
// moved without exceptions; nothing is erased but everything.
template <typename Key, typename Value>
class HashMap {
  using Map = absl::flat_hash_map<Key, Value>;

 public:
  using value_type = typename Map::value_type;

  HashMap() = default;
  HashMap(HashMap&& other) noexcept
      : map_(std::move(other.map_)), room_(std::exchange(other.room_, 0)) {}
  HashMap& operator=(HashMap&& other) noexcept {
    map_ = std::move(other.map_);
    room_ = std::exchange(other.room_, 0);
    return *this;
  }

  Value& operator[](const Key& key) { return try_emplace(key).first->second; }
  template <typename... Arguments>
  auto try_emplace(const Key& key, Arguments&&... arguments) {
    if (map_.size() == room_) Grow();
    return map_.try_emplace(key, std::forward<Arguments>(arguments)...);
  }
  void clear() {
    map_.clear();
    if (map_.bucket_count() == 0) room_ = 0;  // a large one gives its memory back
  }

  auto find(const Key& key) const { return map_.find(key); }
  void prefetch(const Key& key) const { map_.prefetch(key); }
  std::size_t size() const { return map_.size(); }
  auto begin() const { return map_.begin(); }
  auto end() const { return map_.end(); }
  auto begin() { return map_.begin(); }
  auto end() { return map_.end(); }

 private:
  void Grow() {
    // What a capacity of 2^n - 1 has room for.
    constexpr std::size_t kFirst = 14;
    const std::size_t room = std::max(kFirst, 2 * room_);
    alignas(Map) std::byte place[sizeof(Map)];
    Map* bigger = new (place) Map();
    bigger->reserve(room);  // when it throws, `bigger` holds nothing and is left as it is
    for (auto& [key, value] : map_) bigger->try_emplace(key, std::move(value));
    map_ = std::move(*bigger);
    bigger->~Map();
    room_ = room;
  }

  Map map_;
  std::size_t room_ = 0;  // so many fit in without growing
};

}  // namespace nta::store

#endif  // NTA_STORE_HASH_MAP_H_
