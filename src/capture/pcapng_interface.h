// PcapngInterface: what a pcapng file says of one of its interfaces.
#ifndef NTA_CAPTURE_PCAPNG_INTERFACE_H_
#define NTA_CAPTURE_PCAPNG_INTERFACE_H_

#include <algorithm>
#include <cstdint>
#include <span>

#include "capture/pcapng_format.h"
#include "nta/capture/packet_source.h"

namespace nta::internal::pcapng {

// Time stamps of an interface.
class Clock {
 public:
  Clock() : Clock(6, 0) {}
  // As if_tsresol has it: 10^-n seconds, or 2^-n with the highest bit set; and if_tsoffset,
  // seconds.
  Clock(std::uint8_t resolution, std::int64_t offset_seconds);

  // Times that do not fit become the nearest that does.
  Timestamp ToTime(std::uint64_t ticks) const {
    if (ticks < quick_ticks_) {
      return Timestamp(
          Duration(static_cast<std::int64_t>(ticks) * nanoseconds_per_tick_ + offset_));
    }
    return Slowly(ticks);
  }
  // The largest number there is when there are more.
  std::uint64_t TicksPerSecond() const;

 private:
  Timestamp Slowly(std::uint64_t ticks) const;

  std::uint8_t resolution_;
  std::int64_t offset_seconds_;
  // For whole nanoseconds; fewer ticks than quick_ticks_ cannot overflow.
  std::int64_t nanoseconds_per_tick_ = 0;
  std::int64_t offset_ = 0;
  std::uint64_t quick_ticks_ = 0;
};

// What was lost: as the latest statistics block tells it, or as packets do of the time before them.
struct Drops {
  std::uint64_t interface = 0;
  std::uint64_t system = 0;
  std::uint64_t before_packets = 0;
};

struct Interface {
  CaptureInterface description;
  Clock clock;
  Drops drops;
};

// Link type 2, reserved 2, snap length 4, options; `body` has at least those 8 bytes.
Interface ReadInterface(ByteOrder order, std::span<const std::uint8_t> body);
// Interface 4, time 8, options; `body` has at least those 12 bytes.
void ReadStatistics(ByteOrder order, std::span<const std::uint8_t> body, Drops& drops);

}  // namespace nta::internal::pcapng

#endif  // NTA_CAPTURE_PCAPNG_INTERFACE_H_
