// PipelineRunner: a pipeline that hands out what happened in portions worth a Python object.
#ifndef NTA_BINDINGS_PYTHON_PIPELINE_RUNNER_H_
#define NTA_BINDINGS_PYTHON_PIPELINE_RUNNER_H_

#include <pybind11/pybind11.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "gil.h"
#include "guarded_detector.h"
#include "guarded_source.h"
#include "nta/export/flow_columns.h"
#include "nta/flow/flow_filter.h"
#include "nta/pipeline/packet_evidence.h"
#include "nta/pipeline/pipeline.h"
#include "python_detector.h"
#include "python_source.h"

namespace nta::python {

struct RunnerOptions {
  PipelineOptions pipeline;
  FlowFilter filter;  // of the flows that are handed out
  // Keeps the packets before each alert.
  std::optional<PacketEvidenceOptions> evidence{};
  // A portion ends after this many packets or, unless the source is a file, after this long.
  std::uint64_t batch_packets = std::numeric_limits<std::uint64_t>::max();
  std::chrono::nanoseconds interval = std::chrono::nanoseconds::max();
};

// What happened since the portion before.
struct Portion {
  FlowColumns flows;
  std::vector<Alert> alerts;
  std::uint64_t packets = 0;
  Timestamp time{};
};

// Made, used and destroyed with the interpreter's lock held; it gives the lock up while it works.
class PipelineRunner {
 public:
  explicit PipelineRunner(RunnerOptions options) : options_(std::move(options)) {
    if (options_.evidence) evidence_.emplace(*options_.evidence);
  }

  // A bound source of the library or any Python object with read(). Then the detectors, likewise.
  void SetSource(const py::object& source);
  void AddDetector(const py::object& detector);

  // Works until the portion is full or the traffic has ended; false when it had ended before.
  // Raises what a callback or a signal handler raised; what was seen until then comes with the next
  // portion. The status of a source that failed comes after everything that it gave.
  // FailedPrecondition when the pipeline, its source or a detector is in use by another thread.
  absl::StatusOr<bool> Next(Portion& portion);
  // The next portions end all flows and alerts. Any thread.
  void Stop() { stop_requested_ = true; }
  // As of the last portion.
  PipelineStats Stats() const;

  // The packets before an alert as a pcapng file. NotFound when none are kept for it.
  absl::Status WriteEvidence(const std::string& alert, const std::string& path);

  // For the cycle collector: a detector or source in Python may refer to its own pipeline.
  int Traverse(visitproc visit, void* argument) const;
  // Lets go of all Python objects; Next then answers that the traffic has ended.
  void Clear();

 private:
  absl::Status Work();
  absl::Status WorkInSessions();
  void Take();
  bool HasNews() const;
  bool IsFull(std::chrono::steady_clock::time_point start) const;
  void CheckSignals();

  RunnerOptions options_;
  std::optional<PacketEvidence> evidence_;
  PendingError error_;
  // Python's objects live as long as what borrows from them.
  std::vector<py::object> keep_alive_;
  std::shared_ptr<GuardedSource> source_;
  PythonSource* python_source_ = nullptr;  // the one inside source_, if it is one
  std::vector<std::unique_ptr<PythonDetector>> python_detectors_;
  std::vector<GuardedDetector*> detectors_;
  std::unique_ptr<Pipeline> pipeline_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> stop_requested_ = false;
  bool ended_ = false;
  absl::Status failure_;  // of the source; not yet reported
  Batch step_;
  Portion portion_;
  std::chrono::steady_clock::time_point next_signal_check_{};
  mutable std::mutex stats_mutex_;
  PipelineStats stats_;
};

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_PIPELINE_RUNNER_H_
