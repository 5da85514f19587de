#include "traffic/flow_scan.h"

#include <algorithm>

#include "base/status.h"

namespace nta::server {
namespace {

constexpr std::size_t kPage = 5'000;

}  // namespace

absl::StatusOr<FlowScan> ScanFlows(const Store& store, FlowQuery query,
                                   absl::FunctionRef<void(const StoredFlow&)> visit,
                                   ScanLimits limits) {
  const auto deadline = std::chrono::steady_clock::now() + limits.max_time;
  FlowScan scan;
  query.cursor.clear();
  while (true) {
    query.limit = std::min(kPage, limits.max_flows - scan.examined);
    NTA_ASSIGN_OR_RETURN(const FlowPage page, store.Flows(query, limits.control));
    for (const StoredFlow& flow : page.flows) visit(flow);
    scan.examined += page.flows.size();
    scan.capture = page.capture;
    if (page.next_cursor.empty()) return scan;
    query.cursor = page.next_cursor;
    if (scan.examined >= limits.max_flows || std::chrono::steady_clock::now() >= deadline) {
      scan.complete = false;
      return scan;
    }
  }
}

}  // namespace nta::server
