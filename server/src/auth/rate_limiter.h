// RateLimiter: one token bucket per key, in bounded memory.
//
//   if (auto wait = limiter.Take(AddressKey(client), clock.monotonic())) return
//   TooManyRequests(*wait);
#ifndef NTA_SERVER_AUTH_RATE_LIMITER_H_
#define NTA_SERVER_AUTH_RATE_LIMITER_H_

#include <cstddef>
#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta::server {

struct RateLimit {
  double per_second = 20;  // 0: no limit
  double burst = 60;
  // Keys remembered at the most; beyond that the one unused for longest is forgotten.
  std::size_t max_keys = 16'384;
};

// Whom an address counts for: itself, or its /64 (a single customer's network) with IPv6.
std::string AddressKey(const IpAddress& address);

// Thread-safe. Keys are cut to 64 bytes. `now` never steps back (monotonic).
class RateLimiter {
 public:
  explicit RateLimiter(RateLimit limit) : limit_(limit) {}

  // Takes one token; or answers how long until there is one.
  std::optional<Duration> Take(std::string_view key, Duration now);
  std::size_t size() const;

 private:
  struct Bucket {
    std::string key;
    double tokens = 0;
    Duration filled{};
  };

  Bucket& Find(std::string key, Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const RateLimit limit_;
  mutable absl::Mutex mutex_;
  std::list<Bucket> buckets_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<std::string, std::list<Bucket>::iterator> by_key_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_RATE_LIMITER_H_
