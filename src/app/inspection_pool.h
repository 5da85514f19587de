// InspectionPool: the inspections under way, oldest first.
#ifndef NTA_APP_INSPECTION_POOL_H_
#define NTA_APP_INSPECTION_POOL_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "app/chunked_array.h"
#include "app/inspection.h"

namespace nta::internal {

class InspectionPool {
 public:
  Inspection& operator[](std::uint32_t i) { return inspections_[i]; }
  void Prefetch(std::uint32_t i) const {
    const char* const inspection = reinterpret_cast<const char*>(&inspections_[i]);
    __builtin_prefetch(inspection, 1);
    __builtin_prefetch(inspection + 64, 1);
  }
  std::size_t active() const { return active_; }
  std::size_t buffered_bytes() const { return buffered_bytes_; }
  std::size_t memory_bytes() const {
    return inspections_.memory_bytes() + free_.capacity() * sizeof(std::uint32_t) +
           begun_.size() * sizeof(Begun) + buffered_bytes_;
  }

  std::uint32_t Begin(std::uint32_t slot, Inspection&& begun) {
    if (free_.empty()) Grow();
    const std::uint32_t i = free_.back();
    free_.pop_back();
    Inspection& inspection = inspections_[i];
    inspection.TakeOver(std::move(begun));
    inspection.slot = slot;
    inspection.is_active = true;
    // What has ended meanwhile is dropped when it makes up most of the queue.
    if (begun_.size() > 2 * active_ + kMinQueue) Compact();
    begun_.push_back({i, inspection.generation});
    ++active_;
    return i;
  }

  // Gives its memory back.
  void End(std::uint32_t i) {
    Inspection& inspection = inspections_[i];
    buffered_bytes_ -= inspection.buffered_bytes;
    inspection.Release();
    inspection.buffered_bytes = 0;
    inspection.is_active = false;
    ++inspection.generation;
    free_.push_back(i);
    if (--active_ == 0) ReturnMemory();
  }

  // The one that began first. There must be one.
  std::uint32_t Oldest() {
    while (!IsUnderWay(begun_.front())) begun_.pop_front();
    return begun_.front().index;
  }

  // After whatever may have changed the buffers of inspection `i`.
  void Recount(std::uint32_t i) {
    Inspection& inspection = inspections_[i];
    const std::size_t now = inspection.CountBuffered();
    buffered_bytes_ = buffered_bytes_ - inspection.buffered_bytes + now;
    inspection.buffered_bytes = static_cast<std::uint32_t>(now);
  }

 private:
  // An entry of the queue outlives its inspection, so that ending one touches no other.
  struct Begun {
    std::uint32_t index = 0;
    std::uint32_t generation = 0;
  };
  static constexpr std::size_t kMinQueue = 1024;

  bool IsUnderWay(const Begun& begun) const {
    const Inspection& inspection = inspections_[begun.index];
    return inspection.is_active && inspection.generation == begun.generation;
  }
  void Compact() {
    std::erase_if(begun_, [this](const Begun& begun) { return !IsUnderWay(begun); });
  }
  // Nothing is under way: what a busy hour needed is given back, but for what a calm one needs.
  void ReturnMemory() {
    begun_.clear();
    if (inspections_.size() <= inspections_.kChunk) return;
    inspections_.Clear();
    std::vector<std::uint32_t>().swap(free_);
    std::deque<Begun>().swap(begun_);
  }
  void Grow() {
    const auto before = static_cast<std::uint32_t>(inspections_.size());
    inspections_.GrowTo(before + 1);
    for (auto i = static_cast<std::uint32_t>(inspections_.size()); i > before; --i) {
      free_.push_back(i - 1);
    }
  }

  ChunkedArray<Inspection> inspections_;
  std::vector<std::uint32_t> free_;
  std::deque<Begun> begun_;
  std::size_t active_ = 0;
  std::size_t buffered_bytes_ = 0;
};

}  // namespace nta::internal

#endif  // NTA_APP_INSPECTION_POOL_H_
