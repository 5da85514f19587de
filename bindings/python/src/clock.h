// The present, where a program names no time.
#ifndef NTA_BINDINGS_PYTHON_CLOCK_H_
#define NTA_BINDINGS_PYTHON_CLOCK_H_

#include <chrono>

#include "nta/net/time.h"

namespace nta::python {

inline Timestamp SystemNow() {
  return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
}

}  // namespace nta::python

#endif  // NTA_BINDINGS_PYTHON_CLOCK_H_
