// Intrusive doubly linked lists over numbered slots: the timer wheel and the queues of the flow
// table.
#ifndef NTA_FLOW_LINKED_SLOTS_H_
#define NTA_FLOW_LINKED_SLOTS_H_

#include <cstdint>

#include "base/lazy_array.h"

namespace nta::internal {

inline constexpr std::uint32_t kNoSlot = 0xffffffff;

struct SlotList {
  std::uint32_t head = kNoSlot;
  std::uint32_t tail = kNoSlot;
  std::uint32_t size = 0;
};

struct SlotLink {
  std::uint32_t previous;
  std::uint32_t next;
};

// Every list that a slot can be in, side by side, because they change together.
struct SlotNode {
  SlotLink queue;
  SlotLink timer;
  std::uint32_t timer_list;  // number of the wheel's list
};
using SlotNodes = base::LazyArray<SlotNode>;

// One list membership per slot. Slots are numbered from 0; 0-initialised memory is never read
// before a push.
template <SlotLink SlotNode::*kLink>
class SlotLinks {
 public:
  static void PushBack(SlotNodes& nodes, SlotList& list, std::uint32_t slot) {
    nodes[slot].*kLink = {list.tail, kNoSlot};
    if (list.tail != kNoSlot) {
      (nodes[list.tail].*kLink).next = slot;
    } else {
      list.head = slot;
    }
    list.tail = slot;
    ++list.size;
  }
  static void PushFront(SlotNodes& nodes, SlotList& list, std::uint32_t slot) {
    nodes[slot].*kLink = {kNoSlot, list.head};
    if (list.head != kNoSlot) {
      (nodes[list.head].*kLink).previous = slot;
    } else {
      list.tail = slot;
    }
    list.head = slot;
    ++list.size;
  }
  static void Remove(SlotNodes& nodes, SlotList& list, std::uint32_t slot) {
    const SlotLink link = nodes[slot].*kLink;
    (link.previous != kNoSlot ? (nodes[link.previous].*kLink).next : list.head) = link.next;
    (link.next != kNoSlot ? (nodes[link.next].*kLink).previous : list.tail) = link.previous;
    --list.size;
  }
};

using QueueLinks = SlotLinks<&SlotNode::queue>;
using TimerLinks = SlotLinks<&SlotNode::timer>;

}  // namespace nta::internal

#endif  // NTA_FLOW_LINKED_SLOTS_H_
