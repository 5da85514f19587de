// ParallelMeter: the flows of one source, counted by several threads.
//
//   nta::ParallelMeter meter(*capture, {.workers = 2});
//   absl::Status status = meter.Run([](std::span<const nta::FlowRecord> flows) { ...; return
//   absl::OkStatus(); });
#ifndef NTA_PIPELINE_PARALLEL_METER_H_
#define NTA_PIPELINE_PARALLEL_METER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stop_token>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "nta/pipeline/pipeline.h"

namespace nta {

struct ParallelMeterOptions {
  PipelineOptions pipeline{};  // max_flows is shared out among the workers
  int workers = 2;             // 1 to 256
  // Bursts that may wait for a worker; then reading waits, so a live source drops and counts.
  std::size_t queue_bursts = 64;
};

// Reads and decodes on the calling thread; each worker counts the flows whose symmetric hash falls
// to it. The records are those of a Pipeline without detectors but for their order. Two exceptions:
// which flows are evicted at the cap, and where flows are split when time stamps go back by more
// than FlowClock::kMaxReordering; no packet is lost or counted twice in either.
class ParallelMeter {
 public:
  // Borrows `source` until the meter ends.
  explicit ParallelMeter(PacketSource& source, ParallelMeterOptions options = {});
  ~ParallelMeter();

  // Until the end, an error or a stop; its threads end with it. The sink is called by one worker at
  // a time. A source's error is returned after everything seen before it was reported; the sink's
  // error ends the run.
  absl::Status Run(absl::FunctionRef<absl::Status(std::span<const FlowRecord>)> sink,
                   std::stop_token stop = {});
  // After Run.
  PipelineStats Stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_PIPELINE_PARALLEL_METER_H_
