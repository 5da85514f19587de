#include "clock.h"

#include <chrono>

namespace nta::server {

Clock SystemClock() {
  return {
      .wall =
          [] { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); },
      .monotonic =
          [] {
            return std::chrono::duration_cast<Duration>(
                std::chrono::steady_clock::now().time_since_epoch());
          },
  };
}

}  // namespace nta::server
