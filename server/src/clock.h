// Clock: the present, handed to whoever needs it, so that tests can drive it.
#ifndef NTA_SERVER_CLOCK_H_
#define NTA_SERVER_CLOCK_H_

#include <functional>

#include "nta/net/time.h"

namespace nta::server {

struct Clock {
  std::function<Timestamp()> wall;      // for what people and tokens see
  std::function<Duration()> monotonic;  // for intervals and limits: never steps
};

Clock SystemClock();

}  // namespace nta::server

#endif  // NTA_SERVER_CLOCK_H_
