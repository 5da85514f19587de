// ScanFlows: the flows of a query one after the other, for what the store keeps no totals of.
//
//   auto scan = ScanFlows(store, query, [&](const StoredFlow& flow) { tally.Add(flow.flow); });
#ifndef NTA_SERVER_TRAFFIC_FLOW_SCAN_H_
#define NTA_SERVER_TRAFFIC_FLOW_SCAN_H_

#include <chrono>
#include <cstddef>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "nta/store/store.h"

namespace nta::server {

// A request must not hold a thread for long, however many flows there are.
struct ScanLimits {
  std::size_t max_flows = 100'000;
  std::chrono::milliseconds max_time{5'000};
  QueryControl control{};  // of each page
};

struct FlowScan {
  std::size_t examined = 0;
  bool complete = true;  // false: there were more flows than the limits allow
  CaptureCounts capture{};
};

// In the order of the query; its limit and cursor are not looked at. Memory: one page of flows.
absl::StatusOr<FlowScan> ScanFlows(const Store& store, FlowQuery query,
                                   absl::FunctionRef<void(const StoredFlow&)> visit,
                                   ScanLimits limits = {});

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_FLOW_SCAN_H_
