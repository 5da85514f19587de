#include "traffic/capture_loop.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "base/status.h"
#include "http/json_text.h"
#include "logging/log.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

// A file is read faster than a disk writes: reading waits while this many flows do.
constexpr std::size_t kMaxWaitingFlows = 50'000;
// Live sources let time pass at least every second or so.
constexpr std::chrono::seconds kLongestPause(60);

// Sleeps, but not beyond a stop.
void SleepFor(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  wake.wait_for(lock, stop, time, [] { return false; });
}

std::string Message(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}

void Add(PacketLedger& sum, const PacketLedger& ledger) {
  sum.received += ledger.received;
  sum.decoded += ledger.decoded;
  sum.malformed += ledger.malformed;
  sum.unsupported += ledger.unsupported;
  sum.filtered += ledger.filtered;
  sum.dropped += ledger.dropped;
}

void Add(CaptureStats& sum, const CaptureStats& stats) {
  sum.received += stats.received;
  sum.dropped_buffer += stats.dropped_buffer;
  sum.dropped_interface += stats.dropped_interface;
  sum.outages += stats.outages;
  sum.outage_time += stats.outage_time;
}

std::uint64_t OutageSeconds(const CaptureStats& stats) {
  return static_cast<std::uint64_t>(
      std::chrono::floor<std::chrono::seconds>(stats.outage_time).count());
}

// What is counted adds up; what is held is that of the table in use.
void AddCounters(FlowTableStats& sum, const FlowTableStats& stats) {
  sum += stats;
  sum.active = stats.active;
  sum.capacity = stats.capacity;
  sum.memory_bytes = stats.memory_bytes;
}

}  // namespace

std::string_view ToString(CaptureKind kind) {
  switch (kind) {
    case CaptureKind::kInterface:
      return "interface";
    case CaptureKind::kFile:
      return "file";
    case CaptureKind::kReplay:
      return "replay";
  }
  return "";
}

std::string_view ToString(CaptureState state) {
  switch (state) {
    case CaptureState::kRunning:
      return "running";
    case CaptureState::kEnded:
      return "ended";
    case CaptureState::kFailed:
      return "failed";
  }
  return "";
}

std::string ToJson(const CaptureStatus& status) {
  const StoreWriterStats& store = status.store;
  const CaptureStats& capture = status.capture;
  JsonObject reasons;
  for (const auto& [name, packets] : status.decode_reasons) reasons.Add(name, packets);
  return JsonObject()
      .Add("source", status.source)
      .Add("kind", ToString(status.kind))
      .Add("state", ToString(status.state))
      .Add("message", status.message)
      .AddJson("ledger", nta::ToJson(status.ledger))
      .AddJson("flow_table", nta::ToJson(status.flow_table))
      .AddJson("store", JsonObject()
                            .Add("flows_written", store.flows_written)
                            .Add("flows_dropped", store.flows_dropped)
                            .Add("queue", std::uint64_t{store.queue})
                            .Take())
      .AddJson("capture", JsonObject()
                              .Add("received", capture.received)
                              .Add("dropped_buffer", capture.dropped_buffer)
                              .Add("dropped_interface", capture.dropped_interface)
                              .Add("outages", capture.outages)
                              .Add("outage_seconds", OutageSeconds(capture))
                              .Take())
      .AddJson("decode_reasons", reasons.Take())
      .Take();
}

CaptureLoop::CaptureLoop(CaptureLoopOptions options, StoreWriter& writer, TrafficSampler& sampler,
                         std::function<void(const Alert&)> on_alert)
    : options_(std::move(options)),
      writer_(writer),
      sampler_(sampler),
      on_alert_(std::move(on_alert)),
      own_detection_(std::make_unique<LiveDetection>()),
      detection_(own_detection_.get()),
      evidence_(options_.evidence) {
  status_.source = options_.source;
  status_.kind = options_.kind;
  status_.flow_table.capacity = options_.pipeline.flow_table.max_flows;
}

absl::Status CaptureLoop::Open() {
  if (!options_.open) {
    SetState(CaptureState::kEnded, "no capture source was named");
    return absl::OkStatus();
  }
  absl::StatusOr<std::unique_ptr<PacketSource>> source = options_.open();
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  SetState(CaptureState::kRunning, "");
  absl::MutexLock lock(&mutex_);
  captured_.reset();
  return absl::OkStatus();
}

void CaptureLoop::Run(std::stop_token stop) {
  while (!stop.stop_requested()) {
    if (source_ != nullptr) CaptureOnce(stop);
    if (options_.kind != CaptureKind::kInterface || !options_.open) return;
    SleepFor(options_.retry_after, stop);
    if (stop.stop_requested()) return;
    // Still away is no news; the first failure told it.
    if (Open().ok())
      Log(LogLevel::kInfo, "capture", "capture runs again", {{"source", options_.source}});
  }
}

void CaptureLoop::CaptureOnce(std::stop_token stop) {
  Pipeline pipeline(*source_, options_.pipeline);
  pipeline.AddDetector(*detection_);
  const absl::Status status = pipeline.Run(
      [&](const Batch& batch) {
        Deliver(batch, pipeline.Stats());
        WaitForWriter(stop);
        return absl::OkStatus();
      },
      stop);
  AddToBase(pipeline.Stats());
  if (status.ok()) {
    SetState(CaptureState::kEnded, "");
  } else {
    Log(LogLevel::kError, "capture", "capture failed",
        {{"source", options_.source}, {"error", Message(status)}});
    SetState(CaptureState::kFailed, Message(status));
  }
  source_ = nullptr;
}

void CaptureLoop::Deliver(const Batch& batch, const PipelineStats& stats) {
  const PipelineStats total = Total(stats);
  sampler_.Observe(batch, total);
  std::vector<Alert> alerts = batch.alerts;
  KeepEvidence(batch, alerts);
  detection_->Filter(alerts);
  for (const Alert& alert : alerts) {
    // What is hidden is kept, but nobody is told.
    if (alert.suppressed_by.empty()) on_alert_(alert);
  }
  if (!batch.flows.empty() || !alerts.empty()) writer_.Add(batch.flows, alerts);
  absl::MutexLock lock(&mutex_);
  status_.ledger = total.ledger;
  status_.flow_table = total.flow_table;
  status_.capture = total.capture;
  status_.decode_reasons = total.decode_reasons;
  if (batch.time == Timestamp{}) return;
  // A machine that slept has captured nothing meanwhile.
  const bool live = options_.kind != CaptureKind::kFile;
  if (live && captured_ && batch.time - captured_->until > kLongestPause) captured_.reset();
  if (!captured_)
    captured_ = {batch.packets.empty() ? batch.time : batch.packets.front().time, batch.time};
  captured_->until = std::max(captured_->until, batch.time);
}

void CaptureLoop::KeepEvidence(const Batch& batch, std::vector<Alert>& alerts) {
  absl::MutexLock lock(&evidence_mutex_);
  evidence_.Observe(batch.packets);
  for (Alert& alert : alerts) {
    alert.id.insert(0, options_.alert_prefix);
    evidence_.Keep(alert);
  }
}

absl::Status CaptureLoop::WriteEvidence(std::string_view alert_id, const std::string& path) const {
  absl::MutexLock lock(&evidence_mutex_);
  return evidence_.WritePcap(alert_id, path);
}

std::size_t CaptureLoop::EvidencePackets(std::string_view alert_id) const {
  absl::MutexLock lock(&evidence_mutex_);
  const auto packets = evidence_.Packets(alert_id);
  return packets.ok() ? packets->size() : 0;
}

void CaptureLoop::SetState(CaptureState state, std::string message) {
  absl::MutexLock lock(&mutex_);
  status_.state = state;
  status_.message = std::move(message);
}

PipelineStats CaptureLoop::Total(const PipelineStats& stats) const {
  PipelineStats total = stats;
  total.ledger = base_.ledger;
  Add(total.ledger, stats.ledger);
  total.flow_table = base_.flow_table;
  AddCounters(total.flow_table, stats.flow_table);
  total.capture = base_.capture;
  Add(total.capture, stats.capture);
  for (const auto& [name, packets] : base_.decode_reasons) total.decode_reasons[name] += packets;
  total.alerts += base_.alerts;
  return total;
}

void CaptureLoop::AddToBase(const PipelineStats& stats) { base_ = Total(stats); }

void CaptureLoop::WaitForWriter(std::stop_token stop) {
  if (options_.kind != CaptureKind::kFile) return;
  while (!stop.stop_requested() && writer_.Stats().queue > kMaxWaitingFlows) {
    SleepFor(std::chrono::milliseconds(20), stop);
  }
}

CaptureStatus CaptureLoop::status() const {
  CaptureStatus status;
  {
    absl::MutexLock lock(&mutex_);
    status = status_;
    if (captured_) status.seen_until = captured_->until;
  }
  status.store = writer_.Stats();
  return status;
}

std::optional<TimeInterval> CaptureLoop::captured() const {
  absl::MutexLock lock(&mutex_);
  return captured_;
}

}  // namespace nta::server
