// FlowReplay: records of the past as the events that a flow table gave when they were the present.
#ifndef NTA_SRC_PIPELINE_FLOW_REPLAY_H_
#define NTA_SRC_PIPELINE_FLOW_REPLAY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "nta/flow/flow_record.h"
#include "nta/net/five_tuple.h"
#include "nta/pipeline/backtest.h"

namespace nta::internal {

// Records come in the order of last_seen, events go out in the order of their time. A record does
// not tell when its answer came: that is given right after the start.
class FlowReplay {
 public:
  using Sink = std::function<void(const FlowEvent&)>;

  FlowReplay(const BacktestOptions& options, Sink sink);

  void Add(const FlowRecord& flow);
  void Finish();
  std::uint64_t late_flows() const { return late_flows_; }

 private:
  struct Pending {
    Timestamp time{};
    std::uint64_t number = 0;  // orders events of one time
    FlowEventType type = FlowEventType::kEnded;
    bool closes = false;
    // Shared by the events of one flow.
    std::shared_ptr<const FlowRecord> flow;
  };
  struct Later {
    bool operator()(const Pending& a, const Pending& b) const {
      return a.time != b.time ? a.time > b.time : a.number > b.number;
    }
  };

  void Push(Timestamp time, FlowEventType type, bool closes,
            const std::shared_ptr<const FlowRecord>& flow);
  void EmitUntil(Timestamp time);
  void EmitFirst();
  Timestamp CloseTime(const FlowRecord& flow) const;
  bool GoesOn(const FlowRecord& flow);

  const Duration idle_timeout_;
  const Duration active_timeout_;
  const Duration closed_timeout_;
  const std::size_t max_events_;
  const Sink sink_;
  std::priority_queue<Pending, std::vector<Pending>, Later> pending_;
  std::uint64_t number_ = 0;
  std::uint64_t late_flows_ = 0;
  Timestamp emitted_ = Timestamp::min();
  // Flows of which the active timeout closed a record, and when.
  absl::flat_hash_map<FiveTuple, Timestamp> going_on_;
};

}  // namespace nta::internal

#endif  // NTA_SRC_PIPELINE_FLOW_REPLAY_H_
