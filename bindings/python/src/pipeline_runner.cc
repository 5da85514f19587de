#include "pipeline_runner.h"

#include <optional>
#include <utility>

#include "errors.h"

namespace nta::python {
namespace {

// A handler of Ctrl-C waits this long at the most. Taking the lock costs about a microsecond.
constexpr std::chrono::milliseconds kSignalInterval(50);

struct Clears {
  std::atomic<bool>& flag;
  ~Clears() { flag = false; }
};

}  // namespace

void PipelineRunner::SetSource(const py::object& source) {
  if (py::isinstance<GuardedSource>(source)) {
    source_ = source.cast<std::shared_ptr<GuardedSource>>();
    keep_alive_.push_back(source);
  } else {
    auto adapter = std::make_unique<PythonSource>(source, error_);
    python_source_ = adapter.get();
    source_ = std::make_shared<GuardedSource>(std::move(adapter));
  }
  pipeline_ = std::make_unique<Pipeline>(*source_, options_.pipeline);
}

void PipelineRunner::AddDetector(const py::object& detector) {
  if (py::isinstance<GuardedDetector>(detector)) {
    detectors_.push_back(&detector.cast<GuardedDetector&>());
    keep_alive_.push_back(detector);
    pipeline_->AddDetector(detectors_.back()->detector());
    return;
  }
  python_detectors_.push_back(std::make_unique<PythonDetector>(detector, error_));
  pipeline_->AddDetector(*python_detectors_.back());
}

absl::StatusOr<bool> PipelineRunner::Next(Portion& portion) {
  if (running_.exchange(true)) {
    return absl::FailedPreconditionError("the pipeline is running already");
  }
  const Clears guard{running_};
  if (!ended_) {
    const absl::Status status = WithoutGil([this] { return Work(); });
    error_.Rethrow();
    if (!status.ok()) return status;
  }
  if (!HasNews()) {
    if (!failure_.ok()) return std::exchange(failure_, absl::OkStatus());
    if (ended_) return false;
  }
  portion = std::exchange(portion_, {});
  return true;
}

PipelineStats PipelineRunner::Stats() const {
  const std::lock_guard lock(stats_mutex_);
  return stats_;
}

absl::Status PipelineRunner::WriteEvidence(const std::string& alert, const std::string& path) {
  if (running_.exchange(true)) {
    return absl::FailedPreconditionError("the pipeline is running");
  }
  const Clears guard{running_};
  if (!evidence_) {
    return absl::FailedPreconditionError("the pipeline was made without evidence=True");
  }
  return evidence_->WritePcap(alert, path);
}

int PipelineRunner::Traverse(visitproc visit, void* arg) const {
  for (const py::object& object : keep_alive_) Py_VISIT(object.ptr());
  for (const auto& detector : python_detectors_) {
    if (const int result = detector->Traverse(visit, arg); result != 0) return result;
  }
  return python_source_ == nullptr ? 0 : python_source_->Traverse(visit, arg);
}

void PipelineRunner::Clear() {
  ended_ = true;
  pipeline_.reset();
  python_detectors_.clear();
  detectors_.clear();
  python_source_ = nullptr;
  source_.reset();
  keep_alive_.clear();
}

absl::Status PipelineRunner::Work() {
  absl::Status status = WorkInSessions();
  PipelineStats stats = pipeline_->Stats();
  const std::lock_guard lock(stats_mutex_);
  stats_ = std::move(stats);
  return status;
}

absl::Status PipelineRunner::WorkInSessions() {
  const GuardedSource::Session session(*source_);
  if (!session.status().ok()) return session.status();
  std::vector<std::unique_ptr<GuardedDetector::Session>> sessions;
  for (GuardedDetector* detector : detectors_) {
    sessions.push_back(std::make_unique<GuardedDetector::Session>(*detector));
    if (absl::Status status = sessions.back()->status(); !status.ok()) return status;
  }
  const auto start = std::chrono::steady_clock::now();
  while (!IsFull(start) && !error_.raised()) {
    if (stop_requested_) pipeline_->Stop();
    const absl::StatusOr<StepResult> result = pipeline_->Step(step_);
    ended_ = !result.ok() || *result == StepResult::kEnd;
    if (!result.ok()) failure_ = result.status();
    Take();
    if (ended_) break;
    // A callback failed: there is nobody to go on for. The next portions bring what is left.
    if (error_.raised()) pipeline_->Stop();
    CheckSignals();
  }
  return absl::OkStatus();
}

void PipelineRunner::Take() {
  // So that portions without flows have the same columns as others.
  if (options_.pipeline.flow_table.statistics) portion_.flows.EnableStatistics();
  portion_.packets += step_.packets.size();
  portion_.time = step_.time;
  for (const FlowRecord& flow : step_.flows) {
    if (options_.filter.Matches(flow)) portion_.flows.Append(flow);
  }
  if (evidence_) {
    evidence_->Observe(step_.packets);
    for (const Alert& alert : step_.alerts) evidence_->Keep(alert);
  }
  for (Alert& alert : step_.alerts) portion_.alerts.push_back(std::move(alert));
}

bool PipelineRunner::HasNews() const {
  return portion_.packets > 0 || portion_.flows.size() > 0 || !portion_.alerts.empty();
}

bool PipelineRunner::IsFull(std::chrono::steady_clock::time_point start) const {
  if (portion_.packets >= options_.batch_packets) return true;
  if (options_.interval == std::chrono::nanoseconds::max()) return false;
  return std::chrono::steady_clock::now() - start >= options_.interval;
}

void PipelineRunner::CheckSignals() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_signal_check_) return;
  next_signal_check_ = now + kSignalInterval;
  WithGil([this] {
    if (PyErr_CheckSignals() != 0) error_.Capture();
  });
}

}  // namespace nta::python
