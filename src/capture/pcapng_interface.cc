#include "capture/pcapng_interface.h"

#include <limits>
#include <string>

namespace nta::internal::pcapng {
namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t kSecond = 1'000'000'000;
// File names and the like; the format allows 64 KiB, times 65,536 interfaces.
constexpr std::size_t kMaxTextBytes = 256;

constexpr bool IsBinary(std::uint8_t resolution) { return (resolution & 0x80) != 0; }
constexpr int Exponent(std::uint8_t resolution) { return resolution & 0x7f; }

std::string Text(std::span<const std::uint8_t> value) {
  return std::string(ToText(value.first(std::min(value.size(), kMaxTextBytes))));
}

}  // namespace

Clock::Clock(std::uint8_t resolution, std::int64_t offset_seconds)
    : resolution_(resolution), offset_seconds_(offset_seconds) {
  // 30 years either way and 200 years of ticks stay far from the ends of the range.
  constexpr std::int64_t kQuickOffset = 946'080'000;
  constexpr std::int64_t kQuickTime = 100 * 365 * std::int64_t{86'400} * kSecond;
  if (IsBinary(resolution) || Exponent(resolution) > 9) return;
  if (offset_seconds < -kQuickOffset || offset_seconds > kQuickOffset) return;
  nanoseconds_per_tick_ = 1;
  for (int i = Exponent(resolution); i < 9; ++i) nanoseconds_per_tick_ *= 10;
  offset_ = offset_seconds * kSecond;
  quick_ticks_ = static_cast<std::uint64_t>(kQuickTime / nanoseconds_per_tick_);
}

Timestamp Clock::Slowly(std::uint64_t ticks) const {
  const int exponent = Exponent(resolution_);
  Wide nanoseconds = ticks;
  if (IsBinary(resolution_)) {
    nanoseconds = nanoseconds * kSecond >> exponent;
  } else {
    for (int i = exponent; i < 9; ++i) nanoseconds *= 10;
    for (int i = 9; i < exponent && nanoseconds != 0; ++i) nanoseconds /= 10;
  }
  nanoseconds += Wide{offset_seconds_} * kSecond;
  const Wide min = kMinPacketTime.time_since_epoch().count();
  const Wide max = kMaxPacketTime.time_since_epoch().count();
  return Timestamp(Duration(static_cast<std::int64_t>(std::clamp(nanoseconds, min, max))));
}

std::uint64_t Clock::TicksPerSecond() const {
  const auto base = static_cast<std::uint64_t>(IsBinary(resolution_) ? 2 : 10);
  constexpr std::uint64_t kMax = std::numeric_limits<std::uint64_t>::max();
  std::uint64_t ticks = 1;
  for (int i = 0; i < Exponent(resolution_); ++i) {
    if (ticks > kMax / base) return kMax;
    ticks *= base;
  }
  return ticks;
}

Interface ReadInterface(ByteOrder order, std::span<const std::uint8_t> body) {
  Interface interface;
  CaptureInterface& description = interface.description;
  description.link_type = static_cast<LinkType>(order.Load16(body.data()));
  if (const std::uint32_t snap_length = order.Load32(body.data() + 4); snap_length != 0) {
    description.snap_length = snap_length;
  }
  std::uint8_t resolution = 6;
  std::int64_t offset_seconds = 0;
  ForEachOption(order, body.subspan(8),
                [&](std::uint16_t code, std::span<const std::uint8_t> value) {
                  if (code == kOptionInterfaceName) description.name = Text(value);
                  if (code == kOptionInterfaceDescription) description.description = Text(value);
                  if (code == kOptionTimeResolution && value.size() == 1) resolution = value[0];
                  if (code == kOptionTimeOffset && value.size() == 8) {
                    offset_seconds = static_cast<std::int64_t>(order.Load64(value.data()));
                  }
                });
  interface.clock = Clock(resolution, offset_seconds);
  description.ticks_per_second = interface.clock.TicksPerSecond();
  return interface;
}

void ReadStatistics(ByteOrder order, std::span<const std::uint8_t> body, Drops& drops) {
  ForEachOption(order, body.subspan(kStatisticsHeaderBytes),
                [&](std::uint16_t code, std::span<const std::uint8_t> value) {
                  if (value.size() != 8) return;
                  const std::uint64_t count = order.Load64(value.data());
                  if (code == kOptionStatisticsInterfaceDrops) drops.interface = count;
                  if (code == kOptionStatisticsSystemDrops) drops.system = count;
                });
}

}  // namespace nta::internal::pcapng
