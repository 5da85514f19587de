// SignInGuard: slows down guessing of passwords without locking the right user out.
#ifndef NTA_SERVER_AUTH_SIGN_IN_GUARD_H_
#define NTA_SERVER_AUTH_SIGN_IN_GUARD_H_

#include <list>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "auth/rate_limiter.h"
#include "nta/net/ip_address.h"

namespace nta::server {

struct SignInLimits {
  double per_address_per_minute = 5;  // 0: no limit at all
  // Twice as much, so that a guesser at one address leaves the right user, at another, half of it.
  // An address from which the account has signed in before does not share it: there the right user
  // gets in even while many addresses guess.
  double per_account_per_minute = 10;
  std::size_t max_keys = 16'384;
};

// Thread-safe, bounded memory.
class SignInGuard {
 public:
  explicit SignInGuard(SignInLimits limits);

  // Counts an attempt, before its password is looked at; answers how long to wait when there were
  // too many.
  std::optional<Duration> Take(const IpAddress& address, std::string_view username, Duration now);
  // The attempt was right: this address is known for this account from now on.
  void NoteSuccess(const IpAddress& address, std::string_view username);

 private:
  bool IsKnown(const std::string& pair);

  const std::size_t max_known_;
  RateLimiter by_address_;
  RateLimiter by_account_;
  RateLimiter by_known_pair_;
  absl::Mutex mutex_;
  std::list<std::string> known_ ABSL_GUARDED_BY(mutex_);  // most recently used first
  absl::flat_hash_map<std::string, std::list<std::string>::iterator> known_index_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_AUTH_SIGN_IN_GUARD_H_
