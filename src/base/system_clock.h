// The present, for what is live when its user gives no clock.
#ifndef NTA_BASE_SYSTEM_CLOCK_H_
#define NTA_BASE_SYSTEM_CLOCK_H_

#include <chrono>

namespace nta::base {

inline std::chrono::sys_time<std::chrono::nanoseconds> SystemNow() {
  return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
}

}  // namespace nta::base

#endif  // NTA_BASE_SYSTEM_CLOCK_H_
