#include "flow/tcp_progress.h"

#include <algorithm>

namespace nta::internal {
namespace {

using Hole = TcpHoles::Hole;

// How far `a` is ahead of `b`.
std::int32_t Ahead(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

class HoleList {
 public:
  HoleList(TcpHoles& holes, std::uint8_t& count) : holes_(holes.holes), count_(count) {}

  void Open(std::uint32_t begin, std::uint32_t end) {
    if (count_ == TcpHoles::kMax) {
      if (Ahead(begin, holes_[0].begin) < 0) return;
      Remove(0);
    }
    std::size_t place = count_;
    while (place > 0 && Ahead(holes_[place - 1].begin, begin) > 0) {
      holes_[place] = holes_[place - 1];
      --place;
    }
    holes_[place] = {begin, end};
    ++count_;
  }

  // Takes [begin, end) out of the holes; whether there was anything to take.
  bool Fill(std::uint32_t begin, std::uint32_t end) {
    bool filled = false;
    for (std::size_t i = count_; i-- > 0;) {
      const Hole hole = holes_[i];
      if (Ahead(begin, hole.end) >= 0 || Ahead(hole.begin, end) >= 0) continue;
      filled = true;
      Remove(i);
      // The later part first: when only one of the two fits, the lower counts as seen.
      if (Ahead(hole.end, end) > 0) Open(end, hole.end);
      if (Ahead(begin, hole.begin) > 0) Open(hole.begin, begin);
    }
    return filled;
  }

  void ForgetBelow(std::uint32_t lowest) {
    while (count_ > 0 && Ahead(holes_[0].end, lowest) <= 0) Remove(0);
  }

 private:
  void Remove(std::size_t index) {
    std::copy(holes_ + index + 1, holes_ + count_, holes_ + index);
    --count_;
  }

  Hole* holes_;
  std::uint8_t& count_;
};

}  // namespace

bool TcpProgress::AddUnusual(const TcpSegment& segment) {
  constexpr auto kFar = static_cast<std::int32_t>(kMaxDistance);
  const std::int32_t ahead = Ahead(segment.sequence, next);
  const bool is_another = segment.is_syn && !(has_syn && segment.sequence == lowest);
  if (!is_known || is_another || ahead > kFar || ahead < -kFar || segment.length > kMaxDistance) {
    *this = {.next = segment.sequence + segment.length,
             .lowest = segment.sequence,
             .hole_count = 0,
             .is_known = true,
             .has_syn = segment.is_syn};
    return true;
  }
  return segment.length == 0 || (segment.may_probe && ahead == -1);
}

SegmentKind TcpProgress::AddWithHoles(const TcpSegment& segment, TcpHoles& holes) {
  HoleList list(holes, hole_count);
  const std::uint32_t begin = segment.sequence;
  const std::uint32_t end = begin + segment.length;
  SegmentKind kind = SegmentKind::kNew;
  const std::uint32_t highest = next;
  if (Ahead(end, next) > 0) next = end;
  if (Ahead(begin, highest) >= 0) {
    if (begin != highest) list.Open(highest, begin);
  } else {
    const std::uint32_t known_end = Ahead(end, highest) > 0 ? highest : end;
    bool has_unseen = list.Fill(begin, known_end);
    if (Ahead(begin, lowest) < 0) {
      has_unseen = true;
      if (Ahead(known_end, lowest) < 0) list.Open(known_end, lowest);
      lowest = begin;
    }
    if (has_unseen) {
      kind = SegmentKind::kOutOfOrder;
    } else if (known_end == end) {
      kind = SegmentKind::kRetransmission;
    }
  }
  if (next - lowest > kMaxDistance) lowest = next - kMaxDistance;
  list.ForgetBelow(lowest);
  return kind;
}

}  // namespace nta::internal
