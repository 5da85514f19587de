// Pipeline: joins a packet source, the decoder, a flow table and detectors.
//
//   nta::Pipeline pipeline(*capture);
//   pipeline.AddDetector(scans);
//   absl::Status status = pipeline.Run([](const nta::Batch& batch) { ...; return absl::OkStatus();
//   });
#ifndef NTA_PIPELINE_PIPELINE_H_
#define NTA_PIPELINE_PIPELINE_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/app/application_inspector.h"
#include "nta/app/name_table.h"
#include "nta/capture/packet_source.h"
#include "nta/detect/detector.h"
#include "nta/flow/flow_table.h"
#include "nta/flow/fragment_tracker.h"
#include "nta/packet/decode.h"

namespace nta {

// Where every packet went: received = decoded + malformed + unsupported + filtered + dropped,
// always and exactly.
struct PacketLedger {
  std::uint64_t received = 0;
  std::uint64_t decoded = 0;
  std::uint64_t malformed = 0;
  std::uint64_t unsupported = 0;
  std::uint64_t filtered = 0;  // kept out by a filter
  std::uint64_t dropped = 0;   // lost by the interface, the kernel or a full queue

  bool Balances() const {
    return received == decoded + malformed + unsupported + filtered + dropped;
  }
  friend bool operator==(const PacketLedger&, const PacketLedger&) = default;
};

struct PipelineStats {
  PacketLedger ledger;
  CaptureStats capture;
  FlowTableStats flow_table;
  FragmentStats fragments;
  ApplicationInspectorStats applications;
  NameTableStats names;
  std::uint64_t alerts = 0;
  // Packets by the reason for which decoding stopped early, without zeros: {"unknown_link_type":
  // 3}.
  std::map<std::string, std::uint64_t> decode_reasons;
  // What was not read, by name and number: {"ethertype 0x88cc (lldp)": 3, "link_type 147": 1}; and
  // IP packets whose protocol has no ports or messages that we read: {"ip protocol 50 (esp)": 2}.
  // At most 64 names of the former a thread; the others are "other".
  std::map<std::string, std::uint64_t> unsupported;
};

enum class Defragment : std::uint8_t {
  kPorts,  // later fragments count in the flow of their first one
  kOff,    // later fragments count nowhere
};

struct PipelineOptions {
  FlowTableOptions flow_table{};
  DecodeOptions decode{};
  Defragment defragment = Defragment::kPorts;
  FragmentTrackerOptions fragments{};
  // Says what flows carry and names their ends; see docs/applications.md for what that costs.
  std::optional<ApplicationInspectorOptions> applications{};
  // The names of addresses, learned and shown when there is `applications`.
  NameTableOptions names{};
  // The present, for live sources only; the system clock when empty.
  std::function<Timestamp()> clock{};
  // A live source that is silent passes time up to this long before the present, because packets
  // may still be on their way.
  Duration lateness = std::chrono::seconds(1);
};

// What one Step brought. Spans borrow from the pipeline and its source: valid until the next Step.
struct Batch {
  std::span<const PacketView> packets;
  std::span<const DecodedPacket> decoded;  // parallel to packets
  std::span<const FlowEvent> events;       // starts and updates only when there are detectors
  std::vector<FlowRecord> flows;           // that ended
  std::vector<Alert> alerts;
  Timestamp time{};  // up to which everything was seen
};

enum class StepResult : std::uint8_t { kMore, kEnd };

// One thread at a time, shared-nothing: run several pipelines for several cores.
class Pipeline {
 public:
  // Borrows `source` until the pipeline ends. Options out of range show in the first Step.
  explicit Pipeline(PacketSource& source, PipelineOptions options = {});
  ~Pipeline();
  Pipeline(Pipeline&&) noexcept;
  Pipeline& operator=(Pipeline&&) noexcept;

  // Borrows `detector` until the pipeline ends. Call before the first Step.
  void AddDetector(Detector& detector);
  void AddDetector(Detector&& detector) = delete;

  // Reads one burst and passes it through; empty batches happen. After the end of the source
  // further steps release what is left (the last flows, the end of alerts), the last of them with
  // kEnd. A source's error is returned likewise: after steps that reported everything seen before
  // it.
  absl::StatusOr<StepResult> Step(Batch& batch);
  // Steps until the end, an error, or a stop (which ends all flows, as the end of the source does).
  // The sink's error stops the loop at once.
  absl::Status Run(absl::FunctionRef<absl::Status(const Batch&)> sink, std::stop_token stop = {});
  // Reads no further: the next steps end all flows and alerts.
  void Stop();

  PipelineStats Stats() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nta

#endif  // NTA_PIPELINE_PIPELINE_H_
