// FlowBatch: flows as columns that never change, shared by every view of them.
#ifndef NTA_BINDINGS_PYTHON_FLOW_BATCH_H_
#define NTA_BINDINGS_PYTHON_FLOW_BATCH_H_

#include <memory>
#include <optional>
#include <utility>

#include "nta/export/flow_columns.h"
#include "nta/pipeline/pipeline.h"
#include "nta/store/store.h"

namespace nta::python {

class FlowBatch {
 public:
  explicit FlowBatch(FlowColumns columns, std::optional<PipelineStats> stats = std::nullopt)
      : columns_(std::make_shared<const FlowColumns>(std::move(columns))),
        stats_(std::move(stats)) {}
  FlowBatch(FlowColumns columns, const CaptureCounts& capture)
      : columns_(std::make_shared<const FlowColumns>(std::move(columns))), capture_(capture) {}

  std::size_t size() const { return columns_->size(); }
  // Shared, because NumPy and Arrow views outlive the batch.
  const std::shared_ptr<const FlowColumns>& columns() const { return columns_; }
  // Of the run that read these flows; absent when they are a part or come from elsewhere.
  const std::optional<PipelineStats>& stats() const { return stats_; }
  // What was captured and lost meanwhile, when a store answered.
  const std::optional<CaptureCounts>& capture() const { return capture_; }

 private:
  std::shared_ptr<const FlowColumns> columns_;
  std::optional<PipelineStats> stats_;
  std::optional<CaptureCounts> capture_;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_FLOW_BATCH_H_
