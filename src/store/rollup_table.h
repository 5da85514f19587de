// RollupTable: the tables of totals per minute, hour, quarter of a day and day.
//
// A bucket (a minute, an hour, ...) has its totals in one or more parts, whose sums count. Each
// block of flows adds a part; parts are merged before they become many.
#ifndef NTA_STORE_ROLLUP_TABLE_H_
#define NTA_STORE_ROLLUP_TABLE_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "store/minutes.h"
#include "store/rollup_part.h"
#include "store/rollup_storage.h"

namespace nta::store {

inline constexpr RollupLevel kAllLevels[] = {RollupLevel::kMinute, RollupLevel::kHour,
                                             RollupLevel::kQuarter, RollupLevel::kDay};

constexpr Minute MinutesOf(RollupLevel level) {
  constexpr Minute kMinutes[] = {1, 60, 360, 1440};
  return kMinutes[static_cast<std::size_t>(level)];
}
constexpr Minute FloorDivide(Minute a, Minute b) { return a / b - (a % b < 0 ? 1 : 0); }
// The start of the bucket that a minute lies in, and of the first bucket that does not begin before
// it.
constexpr Minute BucketFloor(Minute minute, RollupLevel level) {
  return FloorDivide(minute, MinutesOf(level)) * MinutesOf(level);
}
constexpr Minute BucketCeil(Minute minute, RollupLevel level) {
  return -BucketFloor(-minute, level);
}

// A stretch of time that one level answers.
struct LevelRange {
  RollupLevel level = RollupLevel::kMinute;
  MinuteRange range;
};
// The fewest buckets that make up the range, in the order of time. `finest` is the shortest that
// may be used; what does not fit it is left out.
std::vector<LevelRange> SplitByLevel(const MinuteRange& range,
                                     RollupLevel finest = RollupLevel::kMinute);

// What one bucket gets.
struct EncodedPart {
  Minute start = 0;
  Bytes traffic;
  std::optional<Bytes> addresses;
};

// The start of the bucket that the part with this id belongs to.
Minute StartOfPart(RollupLevel level, std::int64_t id);

class RollupTable {
 public:
  // Borrows `storage`.
  explicit RollupTable(RollupStorage& storage) : storage_(storage) {}

  // In the caller's transaction.
  absl::Status Add(RollupLevel level, const EncodedPart& part, Compressor& compressor);
  // Deletes the buckets that begin before `minute`. In the caller's transaction.
  absl::Status DeleteBefore(RollupLevel level, Minute minute);

  // Calls visit(start of the bucket, part) for each part in the range.
  absl::Status ForEachTraffic(const LevelRange& range, TrafficSection section,
                              absl::FunctionRef<absl::Status(Minute, const TrafficPart&)> visit);
  // With `only`, parts without that address are left out.
  absl::Status ForEachAddresses(const LevelRange& range,
                                absl::FunctionRef<absl::Status(Minute, const AddressPart&)> visit,
                                const IpAddress* only = nullptr);
  absl::Status ForEachBucket(const LevelRange& range, absl::FunctionRef<void(Minute)> visit);
  // The first minute with traffic and the one after the last; both 0 when there is none.
  absl::StatusOr<MinuteRange> Kept();

 private:
  absl::StatusOr<std::vector<PartSize>> PartsOf(RollupLevel level, Minute start);
  absl::Status Insert(RollupLevel level, std::int64_t id, const EncodedPart& part);
  absl::StatusOr<std::uint64_t> AddressRowsOf(RollupLevel level, std::int64_t id);
  // Merges the last ones; in the end there are at most `most` unless they are large.
  absl::Status MergeNewest(RollupLevel level, std::vector<PartSize> parts, std::size_t most,
                           Compressor& compressor);
  absl::Status Merge(RollupLevel level, const std::vector<PartSize>& parts, Compressor& compressor);

  RollupStorage& storage_;
  Decompressor decompressor_;
};

}  // namespace nta::store

#endif  // NTA_STORE_ROLLUP_TABLE_H_
