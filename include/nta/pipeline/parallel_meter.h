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
  int workers = 2;             // threads that work, the caller's included: 1 to 256
  // Packets that a worker reads and decodes at a time. Of a live source less, when less has come.
  std::size_t block_packets = 512;
};

// Each worker takes its turn to read a block of packets, decodes it while others read on, and
// counts the flows whose symmetric hash falls to it, block after block. The records are those of a
// Pipeline without detectors but for their order; except which flows are evicted at the cap, and
// which names of addresses had been learned when a record was made. Memory beside the flow tables:
// two blocks and a half a worker.
class ParallelMeter {
 public:
  // Borrows `source` until the meter ends.
  explicit ParallelMeter(PacketSource& source, ParallelMeterOptions options = {});
  ~ParallelMeter();

  // Until the end, an error or a stop. The calling thread is one of the workers; the others end
  // with it. The sink is called by one worker at a time. A source's error is returned after
  // everything seen before it was reported; the sink's error ends the run.
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
