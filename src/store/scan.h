// ScanFlows: the flows that have a share in an interval.
#ifndef NTA_STORE_SCAN_H_
#define NTA_STORE_SCAN_H_

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nta/flow/flow_filter.h"
#include "nta/store/store.h"
#include "store/sqlite.h"

namespace nta::store {

// Calls visit for each flow that matches and overlaps the interval, in no particular order, until
// it fails.
absl::Status ScanFlows(Connection& connection, const TimeInterval& interval,
                       const FlowFilter& filter,
                       absl::FunctionRef<absl::Status(const FlowRecord&)> visit);

}  // namespace nta::store

#endif  // NTA_STORE_SCAN_H_
