// FlowClock: the time of a stream of packets, told by the packets themselves.
//
//   nta::FlowClock clock;
//   nta::Timestamp now = clock.Pass(packet.time);
#ifndef NTA_FLOW_FLOW_CLOCK_H_
#define NTA_FLOW_FLOW_CLOCK_H_

#include <chrono>

#include "nta/net/time.h"

namespace nta {

// Packets of several queues overtake each other a little: then the clock stands still. A packet
// that is older than that sets the clock back, so that one wrong time stamp far in the future does
// not stop the expiry of all that follow.
class FlowClock {
 public:
  static constexpr Duration kMaxReordering = std::chrono::seconds(1);

  // The time after a packet of this time.
  Timestamp Pass(Timestamp packet_time) {
    // Asked for each packet; nearly all come in order.
    if (packet_time >= now_) return now_ = packet_time;
    return PassLate(packet_time);
  }
  // Silence has lasted until `time`; an earlier time does nothing.
  void AdvanceTo(Timestamp time);
  Timestamp now() const { return now_; }

 private:
  Timestamp PassLate(Timestamp packet_time);

  Timestamp now_ = Timestamp::min();
};

}  // namespace nta

#endif  // NTA_FLOW_FLOW_CLOCK_H_
