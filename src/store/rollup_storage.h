// RollupStorage: where the parts of totals are kept; each backend has its own.
#ifndef NTA_STORE_ROLLUP_STORAGE_H_
#define NTA_STORE_ROLLUP_STORAGE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::store {

// Quarters save an interval of a day most of its hours, which have nearly as many addresses as
// they.
enum class RollupLevel : std::uint8_t { kMinute, kHour, kQuarter, kDay };
inline constexpr std::size_t kRollupLevels = 4;

// An encoded part, borrowed. What was not asked for is empty.
struct PartBytes {
  std::int64_t id = 0;
  std::span<const std::uint8_t> traffic;
  std::optional<std::span<const std::uint8_t>> addresses;
};

struct PartSize {
  std::int64_t id;
  std::int64_t bytes;
};

// [first, end) of ids.
struct IdRange {
  std::int64_t first = 0;
  std::int64_t end = 0;
};

class RollupStorage {
 public:
  enum class Want : std::uint8_t { kIds, kTraffic, kAddresses, kBoth };

  virtual ~RollupStorage() = default;

  virtual absl::StatusOr<std::vector<PartSize>> Sizes(RollupLevel level, const IdRange& ids) = 0;
  // In the order of ids, until visit fails. With kAddresses only parts that have them.
  virtual absl::Status Read(RollupLevel level, const IdRange& ids, Want want,
                            absl::FunctionRef<absl::Status(const PartBytes&)> visit) = 0;
  virtual absl::Status Insert(RollupLevel level, const PartBytes& part) = 0;
  virtual absl::Status Delete(RollupLevel level, const IdRange& ids) = 0;
  // The least and the greatest id; absent when there is none.
  virtual absl::StatusOr<std::optional<std::pair<std::int64_t, std::int64_t>>> Ends(
      RollupLevel level) = 0;
};

}  // namespace nta::store

#endif  // NTA_STORE_ROLLUP_STORAGE_H_
