// Detector: packets, flow events and events of the host application in, alerts out. Implement it to
// add your own.
//
//   class Mine final : public nta::Detector { ... };
//   pipeline.AddDetector(mine);
#ifndef NTA_DETECT_DETECTOR_H_
#define NTA_DETECT_DETECTOR_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "nta/detect/alert.h"
#include "nta/detect/security_event.h"
#include "nta/flow/flow_record.h"
#include "nta/packet/decode.h"
#include "nta/packet/packet.h"

namespace nta {

// Contract: reads no clock (time is that of the events), keeps no more memory than it declares,
// gives the same alerts for the same events, however they are cut into bursts and however often the
// time is told. One thread at a time.
class Detector {
 public:
  virtual ~Detector() = default;

  virtual std::string_view name() const = 0;
  // Looks at one event and appends what it finds. Events come in order of their time, but for late
  // packets.
  virtual void Observe(const FlowEvent& event, std::vector<Alert>& alerts) = 0;
  // Looks at a burst of packets and what decoding made of them, index by index, before the flow
  // events of the same burst. Only for detectors that see what flows do not show.
  virtual void ObservePackets(std::span<const PacketView>, std::span<const DecodedPacket>,
                              std::vector<Alert>&) {}
  // Looks at what the application around the library reports: a log-in, say.
  virtual void ObserveEvent(const SecurityEvent&, std::vector<Alert>&) {}
  // Time has passed: attempts without answer fail, alerts without news close.
  virtual void AdvanceTo(Timestamp now, std::vector<Alert>& alerts) = 0;
  // The traffic has ended: closes every open alert.
  virtual void Finish(std::vector<Alert>& alerts) = 0;
  // Now in use, counted by the detector itself.
  virtual std::size_t memory_bytes() const = 0;
  // What memory_bytes() never exceeds with these options, whatever the traffic. 0: not declared.
  virtual std::size_t memory_limit_bytes() const { return 0; }
  // What was forgotten or left uncounted to stay within the limit.
  virtual std::uint64_t evictions() const { return 0; }
  // The state as bytes: versioned, with a checksum.
  virtual std::string Save() const = 0;
  // InvalidArgument for another detector's or a newer state, DataLoss for a damaged one; then
  // nothing has changed.
  virtual absl::Status Load(std::string_view state) = 0;
};

}  // namespace nta

#endif  // NTA_DETECT_DETECTOR_H_
