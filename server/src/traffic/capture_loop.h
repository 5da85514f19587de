// CaptureLoop: one thread that reads packets, and hands what they become to the store and the live
// stream.
#ifndef NTA_SERVER_TRAFFIC_CAPTURE_LOOP_H_
#define NTA_SERVER_TRAFFIC_CAPTURE_LOOP_H_

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "detection/live_detection.h"
#include "nta/capture/packet_source.h"
#include "nta/pipeline/packet_evidence.h"
#include "nta/pipeline/pipeline.h"
#include "nta/pipeline/traffic_sampler.h"
#include "nta/store/store.h"
#include "nta/store/store_writer.h"

namespace nta::server {

enum class CaptureKind : std::uint8_t { kInterface, kFile, kReplay };
std::string_view ToString(CaptureKind kind);  // "interface", "file", "replay"
enum class CaptureState : std::uint8_t { kRunning, kEnded, kFailed };
std::string_view ToString(CaptureState state);  // "running", "ended", "failed"

struct CaptureStatus {
  std::string source;
  CaptureKind kind = CaptureKind::kFile;
  CaptureState state = CaptureState::kRunning;
  std::string message;  // why it failed
  PacketLedger ledger;
  FlowTableStats flow_table;
  StoreWriterStats store;
  CaptureStats capture;
  // Packets by what kept them from being decoded in full.
  std::map<std::string, std::uint64_t> decode_reasons;
  std::optional<Timestamp> seen_until;  // the end of what was captured
};
// The capture object of docs/rest_api.md.
std::string ToJson(const CaptureStatus& status);

struct CaptureLoopOptions {
  std::string source;  // what people call it
  CaptureKind kind = CaptureKind::kFile;
  // Opens the source: at the start, and again after it failed. Empty: nothing is captured.
  std::function<absl::StatusOr<std::unique_ptr<PacketSource>>()> open;
  PipelineOptions pipeline;
  // The packets before alerts, kept in memory.
  PacketEvidenceOptions evidence;
  // A failed interface is tried again after this long; files are not.
  std::chrono::milliseconds retry_after{2000};
  // Goes before the ids of alerts, which each engine counts from one: no run may overwrite alerts
  // of an earlier one.
  std::string alert_prefix;
};

// Run by one thread; status(), captured() and WriteEvidence() by any.
class CaptureLoop {
 public:
  // Borrows all three until the loop ends. `on_alert` is called by the thread that runs.
  CaptureLoop(CaptureLoopOptions options, StoreWriter& writer, TrafficSampler& sampler,
              std::function<void(const Alert&)> on_alert);

  // Borrows what watches the traffic; without it the detectors of the library do, as they are.
  // Before Run.
  void UseDetection(LiveDetection& detection) { detection_ = &detection; }
  // Opens the source for the first time, so that a mistake shows before anything else starts.
  absl::Status Open();
  // Captures until the source ends or `stop` is requested; then every flow has ended and was handed
  // on.
  void Run(std::stop_token stop);

  CaptureStatus status() const;
  // The packets before an alert, as a pcapng file. NotFound when they are not, or no longer, kept.
  absl::Status WriteEvidence(std::string_view alert_id, const std::string& path) const;
  // How many those are; 0 when none are, or are no longer, kept.
  std::size_t EvidencePackets(std::string_view alert_id) const;
  // The time that was watched without a break, up to now: since the first packet of a file, or
  // since the interface was opened. Absent before that.
  std::optional<TimeInterval> captured() const;

 private:
  // One opened source from its first packet to its end.
  void CaptureOnce(std::stop_token stop);
  void Deliver(const Batch& batch, const PipelineStats& stats);
  // Gives the alerts their ids and keeps the packets before them.
  void KeepEvidence(const Batch& batch, std::vector<Alert>& alerts);
  void SetState(CaptureState state, std::string message);
  void AddToBase(const PipelineStats& stats);
  PipelineStats Total(const PipelineStats& stats) const;
  void WaitForWriter(std::stop_token stop);

  const CaptureLoopOptions options_;
  StoreWriter& writer_;
  TrafficSampler& sampler_;
  const std::function<void(const Alert&)> on_alert_;
  const std::unique_ptr<LiveDetection> own_detection_;
  LiveDetection* detection_;
  std::unique_ptr<PacketSource> source_;
  PipelineStats base_;  // of the sources before this one
  mutable absl::Mutex evidence_mutex_;
  PacketEvidence evidence_ ABSL_GUARDED_BY(evidence_mutex_);
  mutable absl::Mutex mutex_;
  CaptureStatus status_ ABSL_GUARDED_BY(mutex_);
  std::optional<TimeInterval> captured_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_TRAFFIC_CAPTURE_LOOP_H_
