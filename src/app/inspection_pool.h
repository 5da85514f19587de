// InspectionPool: the inspections under way, oldest first.
#ifndef NTA_APP_INSPECTION_POOL_H_
#define NTA_APP_INSPECTION_POOL_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "app/chunked_array.h"
#include "app/inspection.h"

namespace nta::internal {

class InspectionPool {
 public:
  Inspection& operator[](std::uint32_t i) { return inspections_[i]; }
  std::size_t active() const { return active_; }
  // kNoInspection when there is none.
  std::uint32_t oldest() const { return oldest_; }
  std::size_t buffered_bytes() const { return buffered_bytes_; }
  std::size_t memory_bytes() const {
    return inspections_.memory_bytes() + free_.capacity() * sizeof(std::uint32_t) + buffered_bytes_;
  }

  std::uint32_t Begin(std::uint32_t slot) {
    if (free_.empty()) Grow();
    const std::uint32_t i = free_.back();
    free_.pop_back();
    Inspection& inspection = inspections_[i];
    inspection.slot = slot;
    inspection.older = newest_;
    if (newest_ != kNoInspection) inspections_[newest_].newer = i;
    newest_ = i;
    if (oldest_ == kNoInspection) oldest_ = i;
    ++active_;
    return i;
  }

  // Gives its memory back.
  void End(std::uint32_t i) {
    Inspection& inspection = inspections_[i];
    (inspection.older != kNoInspection ? inspections_[inspection.older].newer : oldest_) =
        inspection.newer;
    (inspection.newer != kNoInspection ? inspections_[inspection.newer].older : newest_) =
        inspection.older;
    buffered_bytes_ -= inspection.buffered_bytes;
    inspection = Inspection{};
    free_.push_back(i);
    --active_;
  }

  // After whatever may have changed the buffers of inspection `i`.
  void Recount(std::uint32_t i) {
    Inspection& inspection = inspections_[i];
    const std::size_t now = inspection.CountBuffered();
    buffered_bytes_ = buffered_bytes_ - inspection.buffered_bytes + now;
    inspection.buffered_bytes = static_cast<std::uint32_t>(now);
  }

 private:
  void Grow() {
    const auto before = static_cast<std::uint32_t>(inspections_.size());
    inspections_.GrowTo(before + 1);
    for (auto i = static_cast<std::uint32_t>(inspections_.size()); i > before; --i) {
      free_.push_back(i - 1);
    }
  }

  ChunkedArray<Inspection> inspections_;
  std::vector<std::uint32_t> free_;
  std::size_t active_ = 0;
  std::size_t buffered_bytes_ = 0;
  std::uint32_t oldest_ = kNoInspection;
  std::uint32_t newest_ = kNoInspection;
};

}  // namespace nta::internal

#endif  // NTA_APP_INSPECTION_POOL_H_
