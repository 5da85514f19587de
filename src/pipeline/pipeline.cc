#include "nta/pipeline/pipeline.h"

#include <optional>
#include <utility>

#include "base/status.h"
#include "base/system_clock.h"
#include "pipeline/decode_stage.h"

namespace nta {
class Pipeline::Impl {
 public:
  Impl(PacketSource& source, PipelineOptions options)
      : source_(source), options_(std::move(options)), stage_(options_) {
    if (!options_.clock) options_.clock = base::SystemNow;
  }

  void AddDetector(Detector& detector) { detectors_.push_back(&detector); }

  absl::StatusOr<StepResult> Step(Batch& batch) {
    Clear(batch);
    if (phase_ == Phase::kFailed) {
      phase_ = Phase::kDone;
      return std::exchange(failure_, absl::OkStatus());
    }
    if (phase_ == Phase::kDone) return StepResult::kEnd;
    if (phase_ == Phase::kNew) NTA_RETURN_IF_ERROR(Start());
    if (phase_ == Phase::kReading) Read();
    if (phase_ == Phase::kEnding) End();
    Detect(batch);
    Publish(batch);
    return phase_ == Phase::kDone ? StepResult::kEnd : StepResult::kMore;
  }

  void Stop() {
    if (phase_ == Phase::kNew || phase_ == Phase::kReading) phase_ = Phase::kEnding;
  }

  PipelineStats Stats() const {
    PipelineStats stats = stage_.Stats(source_);
    if (table_) stats.flow_table = table_->Stats();
    if (inspector_) stats.applications = inspector_->Stats();
    if (names_) stats.names = names_->Stats();
    stats.alerts = alerts_;
    return stats;
  }

 private:
  enum class Phase : std::uint8_t { kNew, kReading, kEnding, kFailed, kDone };

  absl::Status Start() {
    // Detectors need starts and outcomes; without them only the end of a flow has a listener.
    if (!detectors_.empty()) options_.flow_table.events = FlowEventSelection::kAll;
    auto table = FlowTable::Create(options_.flow_table);
    if (!table.ok()) {
      phase_ = Phase::kDone;
      return table.status();
    }
    table_.emplace(*std::move(table));
    if (absl::Status status = StartInspector(); !status.ok()) {
      phase_ = Phase::kDone;
      return status;
    }
    phase_ = Phase::kReading;
    return absl::OkStatus();
  }

  absl::Status StartInspector() {
    if (!options_.applications) return absl::OkStatus();
    names_.emplace(options_.names);
    NTA_ASSIGN_OR_RETURN(ApplicationInspector inspector,
                         ApplicationInspector::Create(*options_.applications, &*names_));
    inspector_.emplace(std::move(inspector));
    table_->SetInspector(&*inspector_);
    return absl::OkStatus();
  }

  void Clear(Batch& batch) {
    batch.packets = {};
    batch.decoded = {};
    batch.events = {};
    batch.flows.clear();
    batch.alerts.clear();
    packets_.clear();
    stage_.Clear();
    events_.clear();
  }

  void Read() {
    absl::StatusOr<ReadResult> result = source_.Read(packets_);
    if (!result.ok()) {
      // What was seen so far is reported before the error is.
      failure_ = std::move(result).status();
      packets_.clear();
      phase_ = Phase::kEnding;
      return;
    }
    switch (*result) {
      case ReadResult::kPackets:
        stage_.Decode(packets_);
        table_->Add(stage_.counted(), stage_.clocks(), events_);
        break;
      case ReadResult::kTimeout:
        if (source_.is_live()) AdvanceTo(options_.clock() - options_.lateness);
        break;
      case ReadResult::kEnd:
        phase_ = Phase::kEnding;
        break;
    }
  }

  void AdvanceTo(Timestamp now) {
    if (now <= stage_.clock().now()) return;
    stage_.clock().AdvanceTo(now);
    // After a flood has ended more flows may be due than fit into a batch: the rest ends with the
    // next ones.
    constexpr int kCallsPerBatch = 4;
    for (int i = 0; i < kCallsPerBatch && !table_->AdvanceTo(now, events_); ++i) {
    }
  }

  // One bounded part of the end.
  void End() {
    if (table_ && !table_->EndAll(events_)) return;
    phase_ = failure_.ok() ? Phase::kDone : Phase::kFailed;
  }

  void Detect(Batch& batch) {
    const Timestamp now = stage_.clock().now();
    for (Detector* detector : detectors_) {
      if (!packets_.empty()) detector->ObservePackets(packets_, stage_.decoded(), batch.alerts);
      for (const FlowEvent& event : events_) detector->Observe(event, batch.alerts);
      if (phase_ == Phase::kReading) detector->AdvanceTo(now, batch.alerts);
      if (phase_ == Phase::kDone || phase_ == Phase::kFailed) detector->Finish(batch.alerts);
    }
    alerts_ += batch.alerts.size();
  }

  void Publish(Batch& batch) {
    batch.packets = packets_;
    batch.decoded = stage_.decoded();
    batch.events = events_;
    batch.time = stage_.clock().now();
    for (const FlowEvent& event : events_) {
      if (event.closes_record()) batch.flows.push_back(event.flow);
    }
  }

  PacketSource& source_;
  PipelineOptions options_;
  internal::DecodeStage stage_;
  std::optional<NameTable> names_;
  std::optional<ApplicationInspector> inspector_;  // borrows names_
  std::optional<FlowTable> table_;                 // borrows inspector_
  std::vector<Detector*> detectors_;
  Phase phase_ = Phase::kNew;
  absl::Status failure_;
  PacketBatch packets_;
  std::vector<FlowEvent> events_;
  std::uint64_t alerts_ = 0;
};

Pipeline::Pipeline(PacketSource& source, PipelineOptions options)
    : impl_(std::make_unique<Impl>(source, std::move(options))) {}
Pipeline::~Pipeline() = default;
Pipeline::Pipeline(Pipeline&&) noexcept = default;
Pipeline& Pipeline::operator=(Pipeline&&) noexcept = default;

void Pipeline::AddDetector(Detector& detector) { impl_->AddDetector(detector); }

absl::StatusOr<StepResult> Pipeline::Step(Batch& batch) { return impl_->Step(batch); }

absl::Status Pipeline::Run(absl::FunctionRef<absl::Status(const Batch&)> sink,
                           std::stop_token stop) {
  Batch batch;
  while (true) {
    if (stop.stop_requested()) Stop();
    NTA_ASSIGN_OR_RETURN(const StepResult result, Step(batch));
    NTA_RETURN_IF_ERROR(sink(batch));
    if (result == StepResult::kEnd) return absl::OkStatus();
  }
}

void Pipeline::Stop() { impl_->Stop(); }

PipelineStats Pipeline::Stats() const { return impl_->Stats(); }

}  // namespace nta
