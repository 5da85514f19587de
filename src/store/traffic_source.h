// TrafficSource: flows and their totals as the queries see them, whichever backend keeps them.
#ifndef NTA_STORE_TRAFFIC_SOURCE_H_
#define NTA_STORE_TRAFFIC_SOURCE_H_

#include <cstdint>
#include <optional>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"
#include "nta/store/store.h"
#include "store/minutes.h"
#include "store/rollup_table.h"
#include "store/scan.h"

namespace nta::store {

// Which flows, by the totals that they are in.
enum class FlowsIn : std::uint8_t {
  kAny,
  kNoTotals,             // in none: the newest
  kNotAddressesMinute,   // not in those of addresses per minute
  kOnlyLongerAddresses,  // in all but those of addresses per minute
};

// All that it says is of one moment. One thread at a time.
class TrafficSource {
 public:
  virtual ~TrafficSource() = default;

  // Calls visit for batches of those flows that match and overlap the interval, until it fails.
  virtual absl::Status Scan(FlowsIn which, const TimeInterval& interval, const FlowFilter& filter,
                            TrafficNeeds needs,
                            absl::FunctionRef<absl::Status(const CountedFlows&)> visit) = 0;
  virtual RollupTable& rollups() = 0;
  // From the first minute of the flows that are in no totals to behind their last.
  virtual absl::StatusOr<std::optional<MinuteRange>> MinutesWithoutTotals() = 0;
  // Calls visit for each range of captured minutes that overlaps `range`.
  virtual absl::Status ForEachCaptured(const MinuteRange& range,
                                       absl::FunctionRef<void(const MinuteRange&)> visit) = 0;
  // From the first captured minute to behind the last.
  virtual absl::StatusOr<std::optional<MinuteRange>> Captured() = 0;
  virtual absl::StatusOr<CaptureCounts> Counts(const TimeInterval& interval) = 0;
  virtual absl::StatusOr<std::uint64_t> CountAlerts(const TimeInterval& interval) = 0;
  virtual absl::Status CheckDeadline() const = 0;
};

// From the first minute of traffic or capture that is kept to behind the last.
absl::StatusOr<MinuteRange> KeptMinutes(TrafficSource& source);
// The minutes of an interval; an end that is left open is that of what is kept.
absl::StatusOr<MinuteRange> AskedMinutes(TrafficSource& source, const TimeInterval& interval);

absl::StatusOr<TopResult> QueryTop(TrafficSource& source, const TopQuery& query);
absl::StatusOr<SeriesResult> QuerySeries(TrafficSource& source, const SeriesQuery& query);
absl::StatusOr<ConversationResult> QueryConversations(TrafficSource& source,
                                                      const ConversationQuery& query);
absl::StatusOr<NameResult> QueryNames(TrafficSource& source, const NameQuery& query);
absl::StatusOr<TrafficSummary> QuerySummary(TrafficSource& source, const TimeInterval& interval);

}  // namespace nta::store

#endif  // NTA_STORE_TRAFFIC_SOURCE_H_
