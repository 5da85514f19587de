#include "auth/sign_in_guard.h"

#include "text.h"

namespace nta::server {
namespace {

constexpr double kSecondsPerMinute = 60;

RateLimit PerMinute(double count, std::size_t max_keys) {
  return {.per_second = count / kSecondsPerMinute, .burst = count, .max_keys = max_keys};
}

// A digest, because a long name must not push the address out of the key.
std::string PairKey(const IpAddress& address, std::string_view username) {
  return Digest(AddressKey(address) + "\n" + std::string(username));
}

}  // namespace

SignInGuard::SignInGuard(SignInLimits limits)
    : max_known_(limits.max_keys),
      by_address_(PerMinute(limits.per_address_per_minute, limits.max_keys)),
      by_account_(PerMinute(limits.per_account_per_minute, limits.max_keys)),
      by_known_pair_(PerMinute(limits.per_address_per_minute, limits.max_keys)) {}

bool SignInGuard::IsKnown(const std::string& pair) {
  absl::MutexLock lock(&mutex_);
  const auto found = known_index_.find(pair);
  if (found == known_index_.end()) return false;
  known_.splice(known_.begin(), known_, found->second);
  return true;
}

std::optional<Duration> SignInGuard::Take(const IpAddress& address, std::string_view username,
                                          Duration now) {
  if (const auto wait = by_address_.Take(AddressKey(address), now)) return wait;
  const std::string pair = PairKey(address, username);
  return IsKnown(pair) ? by_known_pair_.Take(pair, now) : by_account_.Take(Digest(username), now);
}

void SignInGuard::NoteSuccess(const IpAddress& address, std::string_view username) {
  std::string pair = PairKey(address, username);
  if (IsKnown(pair)) return;
  absl::MutexLock lock(&mutex_);
  if (known_index_.contains(pair)) return;
  if (known_.size() >= max_known_) {
    known_index_.erase(known_.back());
    known_.pop_back();
  }
  known_.push_front(std::move(pair));
  known_index_.emplace(known_.front(), known_.begin());
}

}  // namespace nta::server
