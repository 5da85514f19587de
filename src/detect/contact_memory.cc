#include "detect/contact_memory.h"

#include <algorithm>
#include <utility>

#include "detect/saturating_time.h"

namespace nta::detect {
namespace {

constexpr std::size_t kFirstSlots = 1024;  // a power of two, as all later sizes

std::uint64_t NotZero(std::uint64_t fingerprint) { return fingerprint == 0 ? 1 : fingerprint; }

}  // namespace

bool FingerprintSet::Contains(std::uint64_t fingerprint) const {
  if (slots_.empty()) return false;
  fingerprint = NotZero(fingerprint);
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = fingerprint & mask; slots_[i] != 0; i = (i + 1) & mask) {
    if (slots_[i] == fingerprint) return true;
  }
  return false;
}

bool FingerprintSet::Insert(std::uint64_t fingerprint) {
  // At most three quarters full: probing stays short and always ends at an empty slot.
  if (4 * (size_ + 1) > 3 * slots_.size()) Grow();
  fingerprint = NotZero(fingerprint);
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = fingerprint & mask;
  for (; slots_[i] != 0; i = (i + 1) & mask) {
    if (slots_[i] == fingerprint) return false;
  }
  slots_[i] = fingerprint;
  ++size_;
  return true;
}

void FingerprintSet::Clear() {
  slots_ = {};
  size_ = 0;
}

void FingerprintSet::Grow() {
  std::vector<std::uint64_t> old(slots_.empty() ? kFirstSlots : 2 * slots_.size());
  std::swap(old, slots_);
  size_ = 0;
  for (const std::uint64_t fingerprint : old) {
    if (fingerprint != 0) Insert(fingerprint);
  }
}

ContactMemory::ContactMemory(std::size_t capacity, Duration period)
    : per_generation_(std::max<std::size_t>(capacity / 2, 1)), period_(period) {}

bool ContactMemory::SeenBefore(std::uint64_t fingerprint, Timestamp now) {
  if (generations_[1].size() == 0) young_since_ = now;
  if (generations_[1].size() >= per_generation_ || Since(young_since_, now) >= period_) Rotate(now);
  const bool was_young = !generations_[1].Insert(fingerprint);
  return was_young || generations_[0].Contains(fingerprint);
}

bool ContactMemory::Contains(std::uint64_t fingerprint) const {
  return generations_[1].Contains(fingerprint) || generations_[0].Contains(fingerprint);
}

std::size_t ContactMemory::memory_bytes() const {
  return generations_[0].memory_bytes() + generations_[1].memory_bytes();
}

void ContactMemory::Restore(std::size_t index, std::uint64_t fingerprint) {
  // A state saved under a larger capacity: what does not fit is forgotten.
  if (generations_[index].size() < per_generation_) generations_[index].Insert(fingerprint);
}

void ContactMemory::Rotate(Timestamp now) {
  generations_[0].Clear();
  std::swap(generations_[0], generations_[1]);
  young_since_ = now;
}

}  // namespace nta::detect
