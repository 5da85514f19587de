// Series and tops by what the store keeps no totals of: counted from the flows themselves.
#ifndef NTA_SERVER_COUNTED_TRAFFIC_H_
#define NTA_SERVER_COUNTED_TRAFFIC_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "flow_scan.h"
#include "flow_tally.h"
#include "nta/store/store.h"

namespace nta::server {

// What a flow counts under; empty: nothing that is known.
using FlowKey = std::string_view (*)(const FlowRecord&);

// As Store::Series, one line a key, "unknown" being that of flows without one.
absl::StatusOr<SeriesResult> CountSeries(const Store& store, const SeriesQuery& query, FlowKey key,
                                         const QueryControl& control = {});

struct CountedTop {
  TrafficTotals total;
  TrafficTotals other;  // of flows without a key
  std::vector<KeyTotals> rows;
  FlowScan scan;
};

// As Store::Top, but of the flows that ended in the interval, each as a whole.
absl::StatusOr<CountedTop> CountTop(const Store& store, const TopQuery& query, FlowKey key,
                                    const QueryControl& control = {});
// As the answer of /api/v1/top.
std::string ToJson(const CountedTop& top, const TopQuery& query, std::string_view dimension);

}  // namespace nta::server

#endif  // NTA_SERVER_COUNTED_TRAFFIC_H_
