#include "flow/tcp_progress.h"

#include <algorithm>

namespace nta::internal {
namespace {

// How far `a` is ahead of `b`.
std::int32_t Ahead(std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b); }

}  // namespace

SegmentKind TcpProgress::AddUnusual(std::uint32_t sequence, std::uint32_t length, bool is_syn,
                                    bool is_probe) {
  constexpr auto kFar = static_cast<std::int32_t>(kMaxDistance);
  const std::int32_t ahead = Ahead(sequence, next);
  const bool is_another = is_syn && !(has_syn && sequence == lowest);
  if (!is_known || is_another || ahead > kFar || ahead < -kFar ||
      length > kMaxDistance) {
    Restart(sequence, length, is_syn);
    return SegmentKind::kNew;
  }
  if (length == 0 || (is_probe && ahead == -1)) return SegmentKind::kNew;
  const std::uint32_t end = sequence + length;
  if (ahead >= 0) {
    if (ahead > 0) OpenHole(next, sequence);
    next = end;
    ForgetOld();
    return SegmentKind::kNew;
  }
  const std::uint32_t known_end = Ahead(end, next) > 0 ? next : end;
  const std::uint32_t first = lowest;
  bool has_unseen = FillHoles(sequence, known_end);
  if (Ahead(sequence, first) < 0) {
    has_unseen = true;
    lowest = sequence;
    if (Ahead(known_end, first) < 0) OpenHole(known_end, first);
  }
  const bool has_later = known_end != end;
  next = has_later ? end : next;
  ForgetOld();
  if (has_unseen) return SegmentKind::kOutOfOrder;
  return has_later ? SegmentKind::kNew : SegmentKind::kRetransmission;
}

void TcpProgress::Restart(std::uint32_t sequence, std::uint32_t length, bool is_syn) {
  *this = {};
  lowest = sequence;
  next = sequence + length;
  is_known = true;
  has_syn = is_syn;
}

void TcpProgress::OpenHole(std::uint32_t begin, std::uint32_t end) {
  if (hole_count == kMaxHoles) {
    if (Ahead(begin, holes[0].begin) < 0) return;
    RemoveHole(0);
  }
  std::size_t place = hole_count;
  while (place > 0 && Ahead(holes[place - 1].begin, begin) > 0) {
    holes[place] = holes[place - 1];
    --place;
  }
  holes[place] = {begin, end};
  ++hole_count;
}

// Takes [begin, end) out of the holes; whether there was anything to take.
bool TcpProgress::FillHoles(std::uint32_t begin, std::uint32_t end) {
  bool filled = false;
  for (std::size_t i = hole_count; i-- > 0;) {
    const Hole hole = holes[i];
    if (Ahead(begin, hole.end) >= 0 || Ahead(hole.begin, end) >= 0) continue;
    filled = true;
    RemoveHole(i);
    // The later part first: when only one of two fits, the lower counts as seen.
    if (Ahead(hole.end, end) > 0) OpenHole(end, hole.end);
    if (Ahead(begin, hole.begin) > 0) OpenHole(hole.begin, begin);
  }
  return filled;
}

void TcpProgress::ForgetOld() {
  if (next - lowest <= kMaxDistance) return;
  lowest = next - kMaxDistance;
  has_syn = false;
  while (hole_count > 0 && Ahead(holes[0].end, lowest) <= 0) RemoveHole(0);
}

void TcpProgress::RemoveHole(std::size_t index) {
  std::copy(holes + index + 1, holes + hole_count, holes + index);
  --hole_count;
}

}  // namespace nta::internal
