#include "auth/rate_limiter.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace nta::server {
namespace {

constexpr std::size_t kMaxKeyBytes = 64;
constexpr int kIpv6NetworkBytes = 8;
constexpr std::size_t kMappedPrefixBytes = 12;

// ::ffff:a.b.c.d is the IPv4 host a.b.c.d, which a dual-stack socket shows that way.
std::optional<IpAddress> MappedV4(const IpAddress& address) {
  const auto& bytes = address.padded_bytes();
  const bool mapped = address.version() == 6 && bytes[10] == 0xFF && bytes[11] == 0xFF &&
                      std::all_of(bytes.begin(), bytes.begin() + 10, [](auto b) { return b == 0; });
  if (!mapped) return std::nullopt;
  return IpAddress::V4(bytes[kMappedPrefixBytes], bytes[13], bytes[14], bytes[15]);
}

}  // namespace

std::string AddressKey(const IpAddress& address) {
  if (address.is_v4()) return address.ToString();
  if (const auto mapped = MappedV4(address)) return mapped->ToString();
  const auto bytes = address.bytes();
  std::string key = "6";
  for (int i = 0; i < kIpv6NetworkBytes; ++i) {
    key.push_back(static_cast<char>(bytes[static_cast<std::size_t>(i)]));
  }
  return key;
}

RateLimiter::Bucket& RateLimiter::Find(std::string key, Duration now) {
  if (const auto found = by_key_.find(key); found != by_key_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, found->second);
    return buckets_.front();
  }
  if (by_key_.size() >= limit_.max_keys) {
    by_key_.erase(buckets_.back().key);
    buckets_.pop_back();
  }
  buckets_.push_front({.key = std::move(key), .tokens = limit_.burst, .filled = now});
  by_key_.emplace(buckets_.front().key, buckets_.begin());
  return buckets_.front();
}

std::optional<Duration> RateLimiter::Take(std::string_view key, Duration now) {
  if (limit_.per_second <= 0) return std::nullopt;
  absl::MutexLock lock(&mutex_);
  Bucket& bucket = Find(std::string(key.substr(0, kMaxKeyBytes)), now);
  const std::chrono::duration<double> passed = now - bucket.filled;
  bucket.tokens = std::min(limit_.burst, bucket.tokens + passed.count() * limit_.per_second);
  bucket.filled = now;
  if (bucket.tokens >= 1) {
    bucket.tokens -= 1;
    return std::nullopt;
  }
  const std::chrono::duration<double> wait((1 - bucket.tokens) / limit_.per_second);
  return std::chrono::duration_cast<Duration>(wait);
}

std::size_t RateLimiter::size() const {
  absl::MutexLock lock(&mutex_);
  return by_key_.size();
}

}  // namespace nta::server
