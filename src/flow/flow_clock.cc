#include "nta/flow/flow_clock.h"

#include <algorithm>

namespace nta {

Timestamp FlowClock::PassLate(Timestamp packet_time) {
  // Written so that no time, however far away, overflows.
  const bool is_reordered =
      packet_time >= std::max(now_, Timestamp::min() + kMaxReordering) - kMaxReordering;
  if (!is_reordered) now_ = packet_time;
  return now_;
}

void FlowClock::AdvanceTo(Timestamp time) {
  if (time > now_) now_ = time;
}

}  // namespace nta
