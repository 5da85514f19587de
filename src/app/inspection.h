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
  // TCP sequence number of the first byte that was not consumed.
  std::uint32_t base = 0;
  std::uint32_t bytes = 0;
  std::uint16_t packets = 0;
  bool is_started = false;
  bool is_at_start = true;  // nothing was consumed or given up yet
  std::unique_ptr<StreamBuffer> buffer;
  // UDP: how the last datagram began.
  std::array<std::uint8_t, kRememberedBytes> last_datagram{};
  std::uint8_t last_datagram_bytes = 0;

  std::span<const std::uint8_t> LastDatagram() const {
    return std::span(last_datagram).first(last_datagram_bytes);
  }
  void Remember(std::span<const std::uint8_t> datagram) {
    last_datagram_bytes = static_cast<std::uint8_t>(std::min(datagram.size(), kRememberedBytes));
    std::ranges::copy(datagram.first(last_datagram_bytes), last_datagram.begin());
  }

  std::size_t memory_bytes() const { return buffer == nullptr ? 0 : buffer->memory_bytes(); }
};

struct Inspection {
  std::array<Stream, 2> streams;  // forward, reverse
  std::unique_ptr<StreamBuffer> scratch;
  const Parser* parser = nullptr;
  ParserMemory memory{};
  std::uint32_t slot = 0;
  std::uint32_t buffered_bytes = 0;  // as last counted
  // A list in the order in which inspections began.
  std::uint32_t older = kNoInspection;
  std::uint32_t newer = kNoInspection;
  bool is_nested = false;    // inside a protocol that is known already
  bool has_changes = false;  // that nobody was told of

  std::size_t CountBuffered() const {
    return streams[0].memory_bytes() + streams[1].memory_bytes() +
           (scratch == nullptr ? 0 : scratch->memory_bytes());
  }
};

}  // namespace nta::internal

#endif  // NTA_APP_INSPECTION_H_
