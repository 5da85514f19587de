// Arithmetic with time stamps from captures, which may hold anything: results stop at the ends of
// the range.
#ifndef NTA_SRC_DETECT_SATURATING_TIME_H_
#define NTA_SRC_DETECT_SATURATING_TIME_H_

#include <cstdint>

#include "nta/net/time.h"

namespace nta::detect {

inline Timestamp After(Timestamp time, Duration span) {
  std::int64_t sum = 0;
  if (__builtin_add_overflow(time.time_since_epoch().count(), span.count(), &sum)) {
    return span.count() > 0 ? Timestamp::max() : Timestamp::min();
  }
  return Timestamp(Duration(sum));
}

inline Duration Since(Timestamp earlier, Timestamp later) {
  std::int64_t difference = 0;
  if (__builtin_sub_overflow(later.time_since_epoch().count(), earlier.time_since_epoch().count(),
                             &difference)) {
    return later > earlier ? Duration::max() : Duration::min();
  }
  return Duration(difference);
}

}  // namespace nta::detect

#endif  // NTA_SRC_DETECT_SATURATING_TIME_H_
