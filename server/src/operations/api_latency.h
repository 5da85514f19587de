// ApiLatency: how long requests take, by route, in histograms whose classes grow with the time.
#ifndef NTA_SERVER_OPERATIONS_API_LATENCY_H_
#define NTA_SERVER_OPERATIONS_API_LATENCY_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/time.h"

namespace nta::server {

// Times from 1 us to 18 minutes in classes of a quarter octave: a quantile is at most 19 % too
// large, never too small.
class LatencyHistogram {
 public:
  void Add(Duration time);
  // Also with what was counted before taken away: what happened since.
  LatencyHistogram Since(const LatencyHistogram& before) const;
  std::uint64_t count() const { return count_; }
  // The time that `share` of the requests did not exceed; 0 when there were none.
  Duration Quantile(double share) const;

 private:
  static constexpr std::size_t kClasses = 122;
  std::array<std::uint64_t, kClasses> classes_{};
  std::uint64_t count_ = 0;
};

struct RouteLatency {
  std::string route;  // "GET /api/v1/flows"
  LatencyHistogram times;
};

struct LatencySnapshot {
  LatencyHistogram all;
  std::uint64_t server_errors = 0;  // answers of 500 and more
  std::vector<RouteLatency> routes;
};

// Thread-safe.
class ApiLatency {
 public:
  // `route` is one of a fixed table, so that the memory has a bound.
  void Record(std::string_view route, int status, Duration time);
  LatencySnapshot Snapshot() const;

 private:
  mutable absl::Mutex mutex_;
  LatencyHistogram all_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t server_errors_ ABSL_GUARDED_BY(mutex_) = 0;
  std::map<std::string, LatencyHistogram, std::less<>> routes_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_API_LATENCY_H_
