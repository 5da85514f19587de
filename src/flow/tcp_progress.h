// TcpProgress: which sequence numbers of one direction of a TCP flow were seen.
#ifndef NTA_FLOW_TCP_PROGRESS_H_
#define NTA_FLOW_TCP_PROGRESS_H_

#include <cstddef>
#include <cstdint>

namespace nta::internal {

enum class SegmentKind : std::uint8_t {
  kNew,             // the next numbers, or later ones; or no numbers at all
  kRetransmission,  // every number had been seen
  kOutOfOrder,      // behind the highest number, with some not seen before
};

struct TcpSegment {
  std::uint32_t sequence;
  std::uint32_t length;  // in numbers: SYN and FIN take one each
  bool is_syn;
  bool may_probe;  // one byte of payload and nothing else: a keep-alive, where it is the last one
};

// What is missing in the middle, ascending. Kept apart because few flows have any.
struct TcpHoles {
  // A hole that opens when there are so many makes the lowest count as seen.
  static constexpr std::size_t kMax = 4;

  struct Hole {
    std::uint32_t begin;
    std::uint32_t end;
  };
  Hole holes[kMax];
};

// Trivial, because it lives in zeroed memory. Seen is [lowest, next) but for the holes; numbers
// wrap (RFC 9293 3.4), so all of it lies within 2^30 before `next`, the greatest window there is.
struct TcpProgress {
  static constexpr std::uint32_t kMaxDistance = 1 << 30;

  std::uint32_t next;    // one after the highest number seen
  std::uint32_t lowest;  // the first number, or the lowest seen since
  std::uint8_t hole_count;
  bool is_known;  // a segment was seen
  bool has_syn;   // `lowest` is the initial number

  // Whether the segment was counted without looking at the holes: it is kNew then. Otherwise it
  // is AddWithHoles' turn.
  bool Add(const TcpSegment& segment) {
    const bool is_next = is_known && !segment.is_syn && segment.sequence == next &&
                         segment.length <= kMaxDistance && hole_count == 0;
    if (!is_next) return AddUnusual(segment);
    next += segment.length;
    if (next - lowest > kMaxDistance) lowest = next - kMaxDistance;
    return true;
  }
  SegmentKind AddWithHoles(const TcpSegment& segment, TcpHoles& holes);

 private:
  bool AddUnusual(const TcpSegment& segment);
};

}  // namespace nta::internal

#endif  // NTA_FLOW_TCP_PROGRESS_H_
