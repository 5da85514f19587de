#include "firewall/intervals.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace nta::firewall {
namespace {

IpAddress Make(std::span<const std::uint8_t> bytes) {
  if (bytes.size() == 4) return IpAddress::V4(bytes.first<4>());
  return IpAddress::V6(bytes.first<16>());
}

// Adds 1 or -1; absent when it wraps.
std::optional<IpAddress> Step(const IpAddress& address, bool up) {
  std::array<std::uint8_t, 16> bytes{};
  const std::size_t size = address.bytes().size();
  std::copy(address.bytes().begin(), address.bytes().end(), bytes.begin());
  for (std::size_t i = size; i-- > 0;) {
    const std::uint8_t limit = up ? 0xff : 0;
    if (bytes[i] != limit) {
      bytes[i] = static_cast<std::uint8_t>(up ? bytes[i] + 1 : bytes[i] - 1);
      return Make(std::span(bytes).first(size));
    }
    bytes[i] = static_cast<std::uint8_t>(~limit);
  }
  return std::nullopt;
}

}  // namespace

std::optional<IpAddress> Successor(const IpAddress& address) { return Step(address, true); }
std::optional<IpAddress> Predecessor(const IpAddress& address) { return Step(address, false); }

std::vector<AddressRange> Union(std::vector<AddressRange> ranges) {
  std::sort(ranges.begin(), ranges.end());
  std::vector<AddressRange> result;
  for (const AddressRange& range : ranges) {
    if (!result.empty() && result.back().last.version() == range.first.version()) {
      AddressRange& back = result.back();
      const auto next = Successor(back.last);
      if (!next || range.first <= *next) {
        back.last = std::max(back.last, range.last);
        continue;
      }
    }
    result.push_back(range);
  }
  return result;
}

std::vector<AddressRange> Union(std::span<const IpPrefix> prefixes) {
  std::vector<AddressRange> ranges;
  ranges.reserve(prefixes.size());
  for (const IpPrefix& prefix : prefixes) ranges.push_back({prefix.address(), prefix.Last()});
  return Union(std::move(ranges));
}

std::vector<PortRange> Union(std::span<const PortRange> ranges) {
  std::vector<PortRange> sorted(ranges.begin(), ranges.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<PortRange> result;
  for (const PortRange& range : sorted) {
    if (!result.empty() && range.first <= result.back().last + 1) {
      result.back().last = std::max(result.back().last, range.last);
    } else {
      result.push_back(range);
    }
  }
  return result;
}

std::vector<IpPrefix> ToPrefixes(const AddressRange& range) {
  std::vector<IpPrefix> result;
  const int bits = range.first.is_v4() ? 32 : 128;
  IpAddress first = range.first;
  while (true) {
    // The widest prefix that starts at `first` and does not reach past the range.
    int length = bits;
    std::optional<IpPrefix> best;
    for (; length >= 0; --length) {
      const auto prefix = IpPrefix::Create(first, length);
      if (!prefix.ok() || prefix->address() != first || prefix->Last() > range.last) break;
      best = *prefix;
    }
    if (!best) return result;
    result.push_back(*best);
    const auto next = Successor(best->Last());
    if (!next || *next > range.last) return result;
    first = *next;
  }
}

std::vector<IpPrefix> ToPrefixes(std::span<const AddressRange> ranges) {
  std::vector<IpPrefix> result;
  for (const AddressRange& range : ranges) {
    const auto prefixes = ToPrefixes(range);
    result.insert(result.end(), prefixes.begin(), prefixes.end());
  }
  return result;
}

}  // namespace nta::firewall
