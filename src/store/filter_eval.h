// A flow filter on whole columns instead of flow by flow.
#ifndef NTA_STORE_FILTER_EVAL_H_
#define NTA_STORE_FILTER_EVAL_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/flow/flow_filter.h"
#include "store/flow_batch.h"

namespace nta::store {

// 1 for each flow of a batch that is selected, else 0.
using Mask = std::vector<std::uint8_t>;

// Selects exactly the flows that filter.Matches(). Decodes the columns that it looks at only.
absl::StatusOr<Mask> Select(const FlowFilter& filter, FlowBatch& batch);

}  // namespace nta::store

#endif  // NTA_STORE_FILTER_EVAL_H_
