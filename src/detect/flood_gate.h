// FloodGate: who gets enough packets to be worth an entry.
#ifndef NTA_SRC_DETECT_FLOOD_GATE_H_
#define NTA_SRC_DETECT_FLOOD_GATE_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nta::detect {

// Nearly all destinations of a network get a few packets now and then, far below what any flood
// has. They cost four bytes that stay in the cache, instead of an entry of half a kilobyte.
class FloodGate {
 public:
  // A load that opens the gate.
  static constexpr std::uint32_t kOpen = 255;

  explicit FloodGate(std::size_t cells)
      : mask_(std::bit_ceil(std::max<std::size_t>(cells, 64)) - 1), cells_(mask_ + 1) {}

  void Prefetch(std::uint64_t hash) const { __builtin_prefetch(&cells_[IndexOf(hash)], 1); }

  // A packet that is worth `load`; true when there were enough of them within a tick or so. Two
  // destinations that share a cell in the same tick add up: one of them gets an entry too early,
  // none too late.
  bool Pass(std::uint64_t hash, std::uint32_t load, std::int64_t tick) {
    Cell& cell = cells_[IndexOf(hash)];
    const auto now = static_cast<std::uint8_t>(tick);
    const std::uint16_t tag = TagOf(hash);
    if (cell.tick != now) {
      const auto rested = static_cast<std::uint8_t>(now - cell.tick);
      // A quarter of the tick before counts, of the same destination.
      const bool goes_on = cell.tag == tag && rested == 1;
      cell.load = goes_on ? static_cast<std::uint8_t>(cell.load / 4) : std::uint8_t{0};
      cell.tick = now;
    }
    cell.tag = tag;
    const std::uint32_t sum = cell.load + load;
    cell.load = static_cast<std::uint8_t>(std::min(sum, kOpen));
    return sum >= kOpen;
  }
  // Whether the destination has got a packet, as far as is remembered.
  bool Knows(std::uint64_t hash) const { return cells_[IndexOf(hash)].tag == TagOf(hash); }

  std::size_t memory_bytes() const { return cells_.capacity() * sizeof(Cell); }

  template <typename Archive, typename Gate>
  static void Fields(Archive& archive, Gate& gate) {
    for (auto& cell : gate.cells_) {
      archive(cell.tag);
      archive(cell.tick);
      archive(cell.load);
    }
  }

 private:
  struct Cell {
    std::uint16_t tag = 0;  // of the destination that came last; 0: none
    std::uint8_t tick = 0;  // of the load, the low bits of it
    std::uint8_t load = 0;
  };

  // Other bits than FloodTable looks at.
  std::size_t IndexOf(std::uint64_t hash) const { return (hash >> 16) & mask_; }
  static std::uint16_t TagOf(std::uint64_t hash) {
    return static_cast<std::uint16_t>(hash >> 48 | 1);
  }

  std::size_t mask_;
  std::vector<Cell> cells_;
};

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_FLOOD_GATE_H_
