// Detector: flow events in, alerts out. Implement it to add your own.
//
//   class Mine final : public nta::Detector { ... };
//   pipeline.AddDetector(mine);
#ifndef NTA_DETECT_DETECTOR_H_
#define NTA_DETECT_DETECTOR_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "nta/detect/alert.h"
#include "nta/flow/flow_record.h"

namespace nta {

// Contract: reads no clock (time is that of the events), keeps no more memory than it declares,
// gives the same alerts for the same events. One thread at a time.
class Detector {
 public:
  virtual ~Detector() = default;

  virtual std::string_view name() const = 0;
  // Looks at one event and appends what it finds. Events come in order of their time, but for late
  // packets.
  virtual void Observe(const FlowEvent& event, std::vector<Alert>& alerts) = 0;
  // Time has passed: attempts without answer fail, alerts without news close.
  virtual void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) = 0;
  // The traffic has ended: closes every open alert.
  virtual void Finish(std::vector<Alert>& alerts) = 0;
  // Now in use, counted by the detector itself.
  virtual std::size_t memory_bytes() const = 0;
  // The state as bytes: versioned, with a checksum.
  virtual std::string Save() const = 0;
  // InvalidArgument for another detector's or a newer state, DataLoss for a damaged one; then
  // nothing has changed.
  virtual absl::Status Load(std::string_view state) = 0;
};

}  // namespace nta

#endif  // NTA_DETECT_DETECTOR_H_
