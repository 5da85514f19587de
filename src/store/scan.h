// Scanning stored flows: block after block, those that cannot matter skipped.
#ifndef NTA_STORE_SCAN_H_
#define NTA_STORE_SCAN_H_

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nta/flow/flow_filter.h"
#include "nta/store/store.h"
#include "store/blocks.h"
#include "store/filter_eval.h"
#include "store/minutes.h"
#include "store/sqlite.h"

namespace nta::store {

// Which columns a count needs besides bytes and packets.
struct TrafficNeeds {
  bool times = false;
  bool protocol = false;
  bool ports = false;
  bool application = false;  // category and evidence, too
  bool source = false;
  bool destination = false;
  bool names = false;        // of both sides, and the server's
  bool server_name = false;  // only that one
  bool vlan = false;

  static TrafficNeeds All() {
    return {.times = true,
            .protocol = true,
            .ports = true,
            .application = true,
            .source = true,
            .destination = true};
  }
};
// Those columns; the others are empty. Valid while the batch lives.
absl::StatusOr<TrafficColumns> Traffic(FlowBatch& batch, const TrafficNeeds& needs);

// The flows of one block that count in an interval.
class CountedFlows {
 public:
  CountedFlows(const TrafficColumns& columns, const Mask& mask, const TimeInterval& interval,
               bool all_inside)
      : columns_(columns), mask_(mask), interval_(interval), all_inside_(all_inside) {}

  const TrafficColumns& columns() const { return columns_; }
  std::size_t size() const { return mask_.size(); }

  // Calls visit(row, share) for each flow that is selected and has a share.
  template <typename Visitor>
  void ForEach(Visitor visit) const {
    for (std::size_t i = 0; i < mask_.size(); ++i) {
      if (mask_[i] == 0) continue;
      if (all_inside_) {
        visit(i, Share{columns_.forward_bytes[i], columns_.reverse_bytes[i],
                       columns_.forward_packets[i] + columns_.reverse_packets[i], 1});
        continue;
      }
      const Share share = ShareOf(FlowSpan(i), interval_);
      if (!share.empty()) visit(i, share);
    }
  }
  // When the flow ran; only with TrafficNeeds::times.
  Span FlowSpan(std::size_t i) const;
  bool selected(std::size_t i) const { return mask_[i] != 0; }

 private:
  const TrafficColumns& columns_;
  const Mask& mask_;
  const TimeInterval& interval_;
  const bool all_inside_;
};

// Calls visit for each of the blocks that has flows which match and overlap the interval, until it
// fails. The connection's deadline is looked at between blocks.
absl::Status ScanTraffic(Connection& connection, const std::vector<BlockInfo>& blocks,
                         const TimeInterval& interval, const FlowFilter& filter, TrafficNeeds needs,
                         absl::FunctionRef<absl::Status(const CountedFlows&)> visit);

}  // namespace nta::store

#endif  // NTA_STORE_SCAN_H_
