// How the counts of a flow are spread over time: the one rule that rollups and raw queries share.
//
// A flow is taken to have run at a constant rate from first_seen to last_seen: of a count c,
// floor(c * elapsed / duration) falls before a time. Differences of these whole numbers are what
// falls into an interval, so adjacent intervals always add up to c exactly. The flow itself counts
// at last_seen.
#ifndef NTA_STORE_MINUTES_H_
#define NTA_STORE_MINUTES_H_

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>

#include "nta/store/store.h"

namespace nta::store {

// Minutes since 1970-01-01T00:00Z.
using Minute = std::int64_t;
inline constexpr std::int64_t kMinuteNanoseconds = 60'000'000'000;
inline constexpr Minute kLastMinute = std::numeric_limits<std::int64_t>::max() / kMinuteNanoseconds;

// Bounds the rollup rows of one flow. The flow table ends flows after a day at the latest.
inline constexpr std::chrono::hours kLongestFlow{7 * 24};
// Counters up to here are exact in JSON and in SQLite's arithmetic.
inline constexpr std::uint64_t kMaxCount = std::uint64_t{1} << 53;

// The minute that `time` falls into.
constexpr Minute FloorMinute(Timestamp time) {
  const std::int64_t count = time.time_since_epoch().count();
  return count / kMinuteNanoseconds - (count % kMinuteNanoseconds < 0 ? 1 : 0);
}
// The first minute that does not begin before `time`.
constexpr Minute CeilMinute(Timestamp time) {
  const std::int64_t count = time.time_since_epoch().count();
  return count / kMinuteNanoseconds + (count % kMinuteNanoseconds > 0 ? 1 : 0);
}
// The start of a minute, as near as a Timestamp can say it.
constexpr Timestamp StartOf(Minute minute) {
  if (minute > kLastMinute) return Timestamp::max();
  if (minute < -kLastMinute) return Timestamp::min();
  return Timestamp(Duration(minute * kMinuteNanoseconds));
}

// since <= minute < until.
struct MinuteRange {
  Minute since = 0;
  Minute until = 0;
};
constexpr MinuteRange Covering(const TimeInterval& interval) {
  return {FloorMinute(interval.since),
          std::max(FloorMinute(interval.since), CeilMinute(interval.until))};
}

// What of a flow falls into an interval.
struct Share {
  std::uint64_t forward_bytes = 0;
  std::uint64_t reverse_bytes = 0;
  std::uint64_t packets = 0;
  std::uint64_t flows = 0;

  std::uint64_t bytes() const { return forward_bytes + reverse_bytes; }
  bool empty() const {
    return forward_bytes == 0 && reverse_bytes == 0 && packets == 0 && flows == 0;
  }
};

// What counts of a flow, and when.
struct Span {
  Timestamp first_seen;
  Timestamp last_seen;
  Share whole;  // flows is 1
};

inline std::uint64_t CountBefore(std::uint64_t count, const Span& flow, Timestamp time) {
  __extension__ using Wide = unsigned __int128;
  if (time <= flow.first_seen) return 0;
  if (time >= flow.last_seen) return count;
  const auto elapsed = static_cast<std::uint64_t>((time - flow.first_seen).count());
  const auto duration = static_cast<std::uint64_t>((flow.last_seen - flow.first_seen).count());
  return static_cast<std::uint64_t>(static_cast<Wide>(count) * elapsed / duration);
}

inline Share ShareBefore(const Span& flow, Timestamp time) {
  return {CountBefore(flow.whole.forward_bytes, flow, time),
          CountBefore(flow.whole.reverse_bytes, flow, time),
          CountBefore(flow.whole.packets, flow, time),
          flow.last_seen < time ? std::uint64_t{1} : 0};
}

inline Share ShareBetween(const Share& before, const Share& after) {
  return {after.forward_bytes - before.forward_bytes, after.reverse_bytes - before.reverse_bytes,
          after.packets - before.packets, after.flows - before.flows};
}

inline Share ShareOf(const Span& flow, const TimeInterval& interval) {
  if (interval.since <= flow.first_seen && flow.last_seen < interval.until) return flow.whole;
  return ShareBetween(ShareBefore(flow, interval.since), ShareBefore(flow, interval.until));
}

// Calls visit(minute, share) for each minute from first_seen to last_seen in which something
// counts.
template <typename Visitor>
void ForEachMinute(const Span& flow, Visitor visit) {
  const Minute last = FloorMinute(flow.last_seen);
  Minute minute = FloorMinute(flow.first_seen);
  if (minute == last) return visit(minute, flow.whole);
  Share before;
  for (; minute <= last; ++minute) {
    // The last minute of time has no end that could be named.
    const Share after = minute == last ? flow.whole : ShareBefore(flow, StartOf(minute + 1));
    const Share share = ShareBetween(before, after);
    if (!share.empty()) visit(minute, share);
    before = after;
  }
}

}  // namespace nta::store

#endif  // NTA_STORE_MINUTES_H_
