// Inspection: what the inspector keeps of one flow while it looks into it.
#ifndef NTA_APP_INSPECTION_H_
#define NTA_APP_INSPECTION_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "app/findings.h"
#include "app/parser.h"
#include "app/stream_buffer.h"

namespace nta::internal {

inline constexpr std::uint32_t kNoInspection = 0xFFFFFFFF;

// One direction.
struct Stream {
  std::unique_ptr<StreamBuffer> buffer;
  // TCP sequence number of the first byte that was not consumed.
  std::uint32_t base = 0;
  std::uint32_t bytes = 0;
  std::uint16_t packets = 0;
  // The low half of the sequence number that comes next, when the SYN-ACK told or bytes came.
  std::uint16_t expected = 0;
  bool knows_expected = false;
  bool is_started = false;
  bool is_at_start = true;   // nothing was consumed or given up yet
  bool is_in_order = false;  // `base` is where the last packet before ended: nothing is missing

  std::size_t memory_bytes() const { return buffer == nullptr ? 0 : buffer->memory_bytes(); }
  // As if nothing was seen but so many packets that said nothing.
  void Restart(std::uint16_t earlier_packets) {
    buffer.reset();
    base = bytes = 0;
    packets = earlier_packets;
    knows_expected = is_started = is_in_order = false;
    is_at_start = earlier_packets == 0;
  }
  void Expect(std::uint16_t sequence) {
    expected = sequence;
    knows_expected = true;
  }
  // With the first number that was seen.
  void StartAt(std::uint32_t sequence) {
    is_started = true;
    is_in_order = knows_expected && expected == static_cast<std::uint16_t>(sequence);
    base = sequence;
  }
};

// UDP: how the last datagrams of both directions began, while nobody recognises them.
class LastDatagrams {
 public:
  std::span<const std::uint8_t> Of(bool is_forward) const {
    const Beginning& beginning = beginnings_[is_forward ? 0 : 1];
    return std::span(beginning.bytes).first(beginning.size);
  }
  void Remember(bool is_forward, std::span<const std::uint8_t> datagram) {
    Beginning& beginning = beginnings_[is_forward ? 0 : 1];
    beginning.size = static_cast<std::uint8_t>(std::min(datagram.size(), kRememberedBytes));
    std::ranges::copy(datagram.first(beginning.size), beginning.bytes.begin());
  }

 private:
  struct Beginning {
    std::array<std::uint8_t, kRememberedBytes> bytes{};
    std::uint8_t size = 0;
  };
  std::array<Beginning, 2> beginnings_;
};

// Two cache lines: every packet under inspection has to fetch them.
struct alignas(64) Inspection {
  std::array<Stream, 2> streams;  // forward, reverse
  const Parser* parser = nullptr;
  std::uint32_t slot = 0;
  std::uint32_t generation = 0;      // counts the flows that were inspected in this place
  std::uint32_t buffered_bytes = 0;  // as last counted
  bool is_active = false;
  bool is_waiting = false;   // nobody said yes, but somebody wants to see more
  bool is_nested = false;    // inside a protocol that is known already
  bool has_changes = false;  // that nobody was told of
  ParserMemory memory{};
  std::unique_ptr<StreamBuffer> scratch;
  std::unique_ptr<LastDatagrams> datagrams;

  std::span<const std::uint8_t> LastDatagram(bool is_forward) const {
    return datagrams == nullptr ? std::span<const std::uint8_t>() : datagrams->Of(is_forward);
  }
  // For a flow of which nothing is kept but how many packets each side sent.
  void Restart(const std::array<std::uint8_t, 2>& packets) {
    for (std::size_t i = 0; i < 2; ++i) streams[i].Restart(packets[i]);
    parser = nullptr;
    is_waiting = is_nested = has_changes = false;
    memory = {};
    scratch.reset();
    datagrams.reset();
  }
  // What another one has found so far, which holds nothing any more. This one was released.
  void TakeOver(Inspection&& other) {
    for (std::size_t i = 0; i < 2; ++i) streams[i] = std::move(other.streams[i]);
    parser = other.parser;
    is_waiting = other.is_waiting;
    is_nested = other.is_nested;
    has_changes = other.has_changes;
    memory = other.memory;
    scratch = std::move(other.scratch);
    datagrams = std::move(other.datagrams);
  }
  // Returns the buffers; the rest is as it was.
  void Release() {
    for (Stream& stream : streams) stream.buffer.reset();
    scratch.reset();
    datagrams.reset();
  }
  // Whether the next packet of the flow needs this.
  bool HoldsSomething() const {
    return parser != nullptr || is_nested || datagrams != nullptr || streams[0].buffer != nullptr ||
           streams[1].buffer != nullptr;
  }
  std::size_t CountBuffered() const {
    return streams[0].memory_bytes() + streams[1].memory_bytes() +
           (scratch == nullptr ? 0 : scratch->memory_bytes()) +
           (datagrams == nullptr ? 0 : sizeof(*datagrams));
  }
};
static_assert(sizeof(Inspection) == 128);

}  // namespace nta::internal

#endif  // NTA_APP_INSPECTION_H_
