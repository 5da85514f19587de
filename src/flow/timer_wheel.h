// TimerWheel: which slots are due, without ever looking at those that are not.
//
// Time is cut into ticks; a slot waits in the list of its tick. A deadline beyond the wheel's
// horizon waits in the last list and is asked again. Callers keep the true deadline: a slot that
// comes due too early is scheduled anew, so a packet never has to move its flow.
#ifndef NTA_FLOW_TIMER_WHEEL_H_
#define NTA_FLOW_TIMER_WHEEL_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>

#include "flow/linked_slots.h"
#include "nta/net/time.h"

namespace nta::internal {

class TimerWheel {
 public:
  TimerWheel() : lists_(std::make_unique<std::array<SlotList, kLists>>()) {}

  // True when something may be due: a tick has passed, or the last one was not emptied.
  bool HasPassed(std::int64_t now) const {
    return TickOf(now) > tick_ || (*lists_)[ListOf(tick_)].head != kNoSlot;
  }

  void Schedule(SlotNodes& nodes, std::uint32_t slot, std::int64_t deadline) {
    // A deadline in the current tick comes due with the next one.
    const std::int64_t ahead = std::clamp<std::int64_t>(TickOf(deadline) - tick_, 0, kLists - 2);
    const std::size_t list = ListOf(tick_ + ahead + 1);
    nodes[slot].timer_list = static_cast<std::uint32_t>(list);
    TimerLinks::PushBack(nodes, (*lists_)[list], slot);
  }
  void Cancel(SlotNodes& nodes, std::uint32_t slot) {
    TimerLinks::Remove(nodes, (*lists_)[nodes[slot].timer_list], slot);
  }

  // Takes the next slot of the ticks that have passed until `now`; kNoSlot when there is none left.
  std::uint32_t TakeDue(SlotNodes& nodes, std::int64_t now) {
    const std::int64_t target = TickOf(now);
    // After a jump further than the horizon every list is due exactly once.
    tick_ = std::max(tick_, target - kLists);
    while (tick_ <= target) {
      SlotList& list = (*lists_)[ListOf(tick_)];
      if (list.head != kNoSlot) return Take(nodes, list);
      if (tick_ == target) break;
      ++tick_;
    }
    return kNoSlot;
  }
  // The clock was set back. Slots keep their lists: they come due too early or once around later,
  // and are asked again.
  void SetBack(std::int64_t now) { tick_ = std::min(tick_, TickOf(now)); }

  // Takes any slot, those that come due first first; kNoSlot when the wheel is empty. `ahead` is 0
  // at first and remembers which lists were found empty.
  std::uint32_t TakeAny(SlotNodes& nodes, std::int64_t& ahead) {
    for (; ahead < kLists; ++ahead) {
      SlotList& list = (*lists_)[ListOf(tick_ + ahead)];
      if (list.head != kNoSlot) return Take(nodes, list);
    }
    return kNoSlot;
  }

 private:
  static constexpr std::int64_t kLists = 4096;
  static constexpr int kTickBits = 26;  // 67 ms; the horizon is 275 s

  static constexpr std::int64_t TickOf(std::int64_t time) { return time >> kTickBits; }
  static std::size_t ListOf(std::int64_t tick) {
    return static_cast<std::size_t>(tick & (kLists - 1));
  }
  static std::uint32_t Take(SlotNodes& nodes, SlotList& list) {
    const std::uint32_t slot = list.head;
    TimerLinks::Remove(nodes, list, slot);
    return slot;
  }

  std::unique_ptr<std::array<SlotList, kLists>> lists_;
  std::int64_t tick_ = TickOf(kMinPacketTime.time_since_epoch().count());
};

}  // namespace nta::internal

#endif  // NTA_FLOW_TIMER_WHEEL_H_
