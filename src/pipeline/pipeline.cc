#include "nta/pipeline/pipeline.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/status.h"

namespace nta {
namespace {

constexpr std::size_t kReasons = static_cast<std::size_t>(DecodeReason::kNonDataFrame) + 1;

Timestamp SystemNow() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace

class Pipeline::Impl {
 public:
  Impl(PacketSource& source, PipelineOptions options)
      : source_(source), options_(std::move(options)), fragments_(options_.fragments) {
    if (!options_.clock) options_.clock = SystemNow;
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
    PipelineStats stats;
    stats.ledger = ledger_;
    stats.capture = source_.Stats();
    stats.ledger.filtered += stats.capture.filtered;
    stats.ledger.dropped += stats.capture.dropped();
    stats.ledger.received += stats.capture.filtered + stats.capture.dropped();
    if (table_) stats.flow_table = table_->Stats();
    stats.fragments = fragments_.Stats();
    stats.alerts = alerts_;
    for (std::size_t i = 1; i < kReasons; ++i) {
      if (reasons_[i] == 0) continue;
      stats.decode_reasons.emplace(ToString(static_cast<DecodeReason>(i)), reasons_[i]);
    }
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
    phase_ = Phase::kReading;
    return absl::OkStatus();
  }

  void Clear(Batch& batch) {
    batch.packets = {};
    batch.decoded = {};
    batch.events = {};
    batch.flows.clear();
    batch.alerts.clear();
    packets_.clear();
    decoded_.clear();
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
        Decode();
        table_->Add(counted_, events_);
        for (const DecodedPacket& packet : decoded_) time_ = std::max(time_, packet.time);
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
    if (now <= time_) return;
    time_ = now;
    while (!table_->AdvanceTo(now, events_)) {
      // A link that was silent for long after a flood: bounded by the size of the table.
    }
  }

  void Decode() {
    decoded_.reserve(packets_.size());
    for (const PacketView& packet : packets_) {
      DecodedPacket& decoded = decoded_.emplace_back(nta::Decode(packet, options_.decode));
      Enter(decoded);
      if (decoded.is_fragment && options_.defragment == Defragment::kPorts) {
        fragments_.Resolve(decoded);
      }
    }
    counted_ = decoded_;
    if (options_.defragment == Defragment::kOff) LeaveOutLaterFragments();
  }

  // Every packet is entered in the ledger once, here.
  void Enter(const DecodedPacket& packet) {
    ++ledger_.received;
    switch (packet.outcome) {
      case DecodeOutcome::kDecoded:
        ++ledger_.decoded;
        break;
      case DecodeOutcome::kMalformed:
        ++ledger_.malformed;
        break;
      case DecodeOutcome::kUnsupported:
        ++ledger_.unsupported;
        break;
    }
    ++reasons_[static_cast<std::size_t>(packet.reason)];
  }

  void LeaveOutLaterFragments() {
    const auto is_later = [](const DecodedPacket& packet) { return packet.is_later_fragment; };
    if (std::none_of(decoded_.begin(), decoded_.end(), is_later)) return;
    without_fragments_.clear();
    std::remove_copy_if(decoded_.begin(), decoded_.end(), std::back_inserter(without_fragments_),
                        is_later);
    counted_ = without_fragments_;
  }

  // One bounded part of the end.
  void End() {
    if (table_ && !table_->EndAll(events_)) return;
    phase_ = failure_.ok() ? Phase::kDone : Phase::kFailed;
  }

  void Detect(Batch& batch) {
    for (Detector* detector : detectors_) {
      for (const FlowEvent& event : events_) detector->Observe(event, batch.alerts);
      if (phase_ == Phase::kReading) detector->AdvanceTo(time_, batch.alerts);
      if (phase_ == Phase::kDone || phase_ == Phase::kFailed) detector->Finish(batch.alerts);
    }
    alerts_ += batch.alerts.size();
  }

  void Publish(Batch& batch) {
    batch.packets = packets_;
    batch.decoded = decoded_;
    batch.events = events_;
    batch.time = time_;
    for (const FlowEvent& event : events_) {
      if (event.type == FlowEventType::kEnded) batch.flows.push_back(event.flow);
    }
  }

  PacketSource& source_;
  PipelineOptions options_;
  FragmentTracker fragments_;
  std::optional<FlowTable> table_;
  std::vector<Detector*> detectors_;
  Phase phase_ = Phase::kNew;
  absl::Status failure_;
  PacketBatch packets_;
  std::vector<DecodedPacket> decoded_;
  std::vector<DecodedPacket> without_fragments_;
  std::span<const DecodedPacket> counted_;
  std::vector<FlowEvent> events_;
  PacketLedger ledger_;
  std::array<std::uint64_t, kReasons> reasons_{};
  std::uint64_t alerts_ = 0;
  Timestamp time_{};
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
