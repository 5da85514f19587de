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

// Trivial, because it lives in zeroed memory. Seen is [lowest, next) but for the holes; numbers
// wrap (RFC 9293 3.4), so all of it lies within 2^30 before `next`, the greatest window there is.
struct TcpProgress {
  // A hole that opens when there are so many makes the lowest count as seen.
  static constexpr std::size_t kMaxHoles = 4;
  static constexpr std::uint32_t kMaxDistance = 1 << 30;

  struct Hole {
    std::uint32_t begin;
    std::uint32_t end;
  };

  std::uint32_t next;    // one after the highest number seen
  std::uint32_t lowest;  // the first number, or the lowest seen since
  Hole holes[kMaxHoles];  // ascending
  std::uint8_t hole_count;
  bool is_known;  // a segment was seen
  bool has_syn;   // `lowest` is the initial number

  // A segment of `length` numbers, SYN and FIN included. `is_probe`: it may be a keep-alive, that
  // is, one byte of payload and nothing else.
  SegmentKind Add(std::uint32_t sequence, std::uint32_t length, bool is_syn, bool is_probe) {
    if (is_known && !is_syn && sequence == next && length <= kMaxDistance) [[likely]] {
      next += length;
      if (next - lowest > kMaxDistance) ForgetOld();
      return SegmentKind::kNew;
    }
    return AddUnusual(sequence, length, is_syn, is_probe);
  }

 private:
  SegmentKind AddUnusual(std::uint32_t sequence, std::uint32_t length, bool is_syn, bool is_probe);
  void Restart(std::uint32_t sequence, std::uint32_t length, bool is_syn);
  void OpenHole(std::uint32_t begin, std::uint32_t end);
  bool FillHoles(std::uint32_t begin, std::uint32_t end);
  void ForgetOld();
  void RemoveHole(std::size_t index);
};

}  // namespace nta::internal

#endif  // NTA_FLOW_TCP_PROGRESS_H_
