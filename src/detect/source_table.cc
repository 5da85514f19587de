#include "detect/source_table.h"

#include <utility>

namespace nta::detect {

SourceTable::SourceTable(std::size_t max_sources, std::uint64_t hash_seed)
    : max_sources_(max_sources),
      max_heap_bytes_(max_sources * kHeapBytesPerSource),
      index_(0, AddressHash{base::KeyedHash(hash_seed)}) {}

std::size_t SourceTable::AddressHash::operator()(const IpAddress& address) const {
  const AddressWords words = WordsOf(address);
  return hash(words.high, words.low + static_cast<std::uint64_t>(address.version()));
}

ScanSource* SourceTable::Find(const IpAddress& address) {
  const auto found = index_.find(address);
  return found == index_.end() ? nullptr : &slots_[found->second];
}

ScanSource& SourceTable::FindOrAdd(const IpAddress& address,
                                   absl::FunctionRef<void(ScanSource&)> forget) {
  if (ScanSource* source = Find(address)) return *source;
  while (index_.size() >= max_sources_ && ForgetOne(nullptr, forget)) {
  }
  ScanSource source;
  source.address = address;
  return Restore(std::move(source));
}

ScanSource& SourceTable::Restore(ScanSource source) {
  const std::uint32_t slot = TakeSlot();
  slots_[slot] = std::move(source);
  heap_bytes_ += slots_[slot].memory_bytes();
  index_[slots_[slot].address] = slot;
  Append(slot);
  return slots_[slot];
}

void SourceTable::Touch(ScanSource& source, bool repeated) {
  const std::uint32_t slot = index_.find(source.address)->second;
  Unlink(slot);
  source.repeated = repeated;
  Append(slot);
}

void SourceTable::Settle(ScanSource& source, std::size_t bytes_before,
                         absl::FunctionRef<void(ScanSource&)> forget) {
  heap_bytes_ = heap_bytes_ - bytes_before + source.memory_bytes();
  while (heap_bytes_ > max_heap_bytes_ && ForgetOne(&source, forget)) {
  }
}

std::size_t SourceTable::memory_bytes() const {
  return slots_.size() * sizeof(ScanSource) + free_.capacity() * sizeof(std::uint32_t) +
         index_.capacity() * (sizeof(std::pair<IpAddress, std::uint32_t>) + 1) + heap_bytes_;
}

void SourceTable::ForEach(absl::FunctionRef<void(const ScanSource&)> visit) const {
  for (const List& list : lists_) {
    for (std::uint32_t slot = list.oldest; slot != kNone; slot = slots_[slot].next) {
      visit(slots_[slot]);
    }
  }
}

void SourceTable::Append(std::uint32_t slot) {
  ScanSource& source = slots_[slot];
  List& list = lists_[source.repeated ? 1 : 0];
  source.previous = list.latest;
  source.next = kNone;
  (list.latest == kNone ? list.oldest : slots_[list.latest].next) = slot;
  list.latest = slot;
  ++list.size;
}

void SourceTable::Unlink(std::uint32_t slot) {
  ScanSource& source = slots_[slot];
  List& list = lists_[source.repeated ? 1 : 0];
  (source.previous == kNone ? list.oldest : slots_[source.previous].next) = source.next;
  (source.next == kNone ? list.latest : slots_[source.next].previous) = source.previous;
  --list.size;
}

std::uint32_t SourceTable::TakeSlot() {
  if (!free_.empty()) {
    const std::uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  slots_.emplace_back();
  return static_cast<std::uint32_t>(slots_.size() - 1);
}

bool SourceTable::ForgetOne(const ScanSource* keep, absl::FunctionRef<void(ScanSource&)> forget) {
  const bool singles_first = lists_[0].size * 8 >= index_.size() || lists_[1].size == 0;
  const std::size_t first = singles_first ? 0 : 1;
  for (const std::size_t i : {first, 1 - first}) {
    std::uint32_t slot = lists_[i].oldest;
    if (slot != kNone && &slots_[slot] == keep) slot = slots_[slot].next;
    if (slot == kNone) continue;
    heap_bytes_ -= slots_[slot].memory_bytes();
    forget(slots_[slot]);
    Unlink(slot);
    index_.erase(slots_[slot].address);
    slots_[slot] = ScanSource{};
    free_.push_back(slot);
    return true;
  }
  return false;
}

}  // namespace nta::detect
