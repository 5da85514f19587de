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

// Links for one list membership per slot. Slots are numbered from 0; 0-initialised memory is never
// read before a push.
class SlotLinks {
 public:
  static absl::StatusOr<SlotLinks> Create(std::size_t slots) {
    SlotLinks links;
    NTA_ASSIGN_OR_RETURN(links.links_, base::LazyArray<Link>::Create(slots));
    return links;
  }

  void PushBack(SlotList& list, std::uint32_t slot) {
    links_[slot] = {list.tail, kNoSlot};
    if (list.tail != kNoSlot) {
      links_[list.tail].next = slot;
    } else {
      list.head = slot;
    }
    list.tail = slot;
    ++list.size;
  }
  void Remove(SlotList& list, std::uint32_t slot) {
    const Link link = links_[slot];
    (link.previous != kNoSlot ? links_[link.previous].next : list.head) = link.next;
    (link.next != kNoSlot ? links_[link.next].previous : list.tail) = link.previous;
    --list.size;
  }
  std::uint32_t Next(std::uint32_t slot) const { return links_[slot].next; }

 private:
  struct Link {
    std::uint32_t previous;
    std::uint32_t next;
  };

  base::LazyArray<Link> links_;
};

}  // namespace nta::internal

#endif  // NTA_FLOW_LINKED_SLOTS_H_
