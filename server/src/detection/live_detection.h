// LiveDetection: the detectors and rules that watch what is captured, and the suppressions on top;
// all of them may be changed while they run.
#ifndef NTA_SERVER_DETECTION_LIVE_DETECTION_H_
#define NTA_SERVER_DETECTION_LIVE_DETECTION_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "nta/detect/alert_rule.h"
#include "nta/detect/default_detectors.h"
#include "nta/detect/detector.h"
#include "nta/detect/suppression.h"

namespace nta::server {

struct DetectorStatus {
  std::string name;
  std::size_t memory_bytes = 0;
  std::size_t memory_limit_bytes = 0;
  std::uint64_t evictions = 0;
  std::uint64_t alerts = 0;                  // states, since the server started
  std::optional<std::size_t> block_entries;  // of the detector that has block lists
  std::string problem;                       // why a list was not read again; empty: none
};

// The error of a block list, with the place but without the words of the file: it may be any file
// of the machine, and what it holds is not for whoever asked for it.
std::string WithoutContents(const absl::Status& status);

// Traffic that is no news to any detector, because our own blocks drop it. Asked by the thread that
// captures, so neither may wait.
struct CutTest {
  std::function<bool()> any{};  // whether there may be such traffic at all
  std::function<bool(const FiveTuple&, Timestamp)> is_cut{};
};

// The methods of Detector are for the thread that captures; all others are thread-safe. A change
// takes effect with the next event.
class LiveDetection final : public Detector {
 public:
  LiveDetection();
  ~LiveDetection() override;

  // What the command line asks for: its block lists are used where the options of SetDetectors have
  // none, and the detectors that it turns off stay off. Before SetDetectors.
  void SetBase(DetectionOptions base);
  // InvalidArgument when the options name an unknown detector or a rule is invalid; then nothing
  // changes. A detector whose options stay, and a rule that stays, go on with what they know.
  absl::Status SetDetectors(const DetectionOptions& options);
  // The options with what SetBase adds.
  DetectionOptions WithBase(DetectionOptions options) const;
  absl::Status SetRules(const std::vector<AlertRule>& rules);
  // Before the first packet.
  void SkipCut(CutTest cut) { cut_ = std::move(cut); }
  absl::Status SetSuppressions(std::vector<Suppression> suppressions);
  void AddSuppressionCount(const std::string& id, const SuppressionCount& count);
  std::map<std::string, SuppressionCount> SuppressionCounts() const;
  // Marks what is hidden.
  void Filter(std::vector<Alert>& alerts);
  std::vector<DetectorStatus> Status() const;

  std::string_view name() const override { return "live"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override;
  void ObservePackets(std::span<const PacketView> packets, std::span<const DecodedPacket> decoded,
                      std::vector<Alert>& alerts) override;
  void ObserveEvent(const SecurityEvent& event, std::vector<Alert>& alerts) override;
  void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) override;
  void Finish(std::vector<Alert>& alerts) override;
  std::size_t memory_bytes() const override { return 0; }
  std::string Save() const override { return ""; }
  absl::Status Load(std::string_view) override { return absl::OkStatus(); }

 private:
  struct Running {
    std::shared_ptr<Detector> detector;  // shared with the list that is to be taken over
    std::string prefix{};                // of the ids of its alerts
    std::string rule{};                  // the rule's text and settings; empty for others
    std::uint64_t alerts = 0;
  };

  bool IsCut(const FlowEvent& event) const;
  void TakeOver(std::vector<Alert>& alerts);
  // Lets each detector add to `alerts`, and names what it added.
  template <typename Act>
  void ForEach(std::vector<Alert>& alerts, const Act& act);
  void Note();
  std::string NextPrefix(const std::string& name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  std::vector<Running> running_;  // of the thread that captures
  Timestamp noted_{};
  CutTest cut_;
  std::vector<PacketView> passed_packets_;  // of the burst; kept for their memory
  std::vector<DecodedPacket> passed_decoded_;
  std::atomic<bool> changed_{false};

  mutable absl::Mutex mutex_;
  DetectionOptions base_ ABSL_GUARDED_BY(mutex_);
  std::vector<Running> detectors_ ABSL_GUARDED_BY(mutex_);  // wanted
  std::vector<Running> rules_ ABSL_GUARDED_BY(mutex_);      // wanted
  std::map<std::string, int> made_ ABSL_GUARDED_BY(mutex_);
  std::vector<DetectorStatus> status_ ABSL_GUARDED_BY(mutex_);
  AlertFilter filter_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_DETECTION_LIVE_DETECTION_H_
