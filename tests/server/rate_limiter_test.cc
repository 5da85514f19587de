#include "auth/rate_limiter.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "auth/sign_in_guard.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;

IpAddress Parse(std::string_view text) { return *IpAddress::Parse(text); }

TEST(RateLimiter, AllowsABurstThenTheRate) {
  RateLimiter limiter({.per_second = 2, .burst = 3});
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(limiter.Take("a", 0s)) << i;
  const auto wait = limiter.Take("a", 0s);
  ASSERT_TRUE(wait);
  EXPECT_EQ(*wait, 500ms);
  EXPECT_FALSE(limiter.Take("a", 500ms));
  EXPECT_TRUE(limiter.Take("a", 500ms));
}

TEST(RateLimiter, NeverSavesMoreThanTheBurst) {
  RateLimiter limiter({.per_second = 2, .burst = 3});
  EXPECT_FALSE(limiter.Take("a", 0s));
  int allowed = 0;
  while (!limiter.Take("a", 24h)) ++allowed;
  EXPECT_EQ(allowed, 3);
}

TEST(RateLimiter, CountsKeysApart) {
  RateLimiter limiter({.per_second = 1, .burst = 1});
  EXPECT_FALSE(limiter.Take("a", 0s));
  EXPECT_FALSE(limiter.Take("b", 0s));
  EXPECT_TRUE(limiter.Take("a", 0s));
}

TEST(RateLimiter, StaysWithinItsTableWhenAMillionAddressesCome) {
  RateLimiter limiter({.per_second = 1, .burst = 1, .max_keys = 1000});
  for (std::uint32_t i = 0; i < 1'000'000; ++i) {
    limiter.Take(std::to_string(i), Duration(i));
    if (i % 100'000 == 0) {
      EXPECT_LE(limiter.size(), 1000U);
    }
  }
  EXPECT_EQ(limiter.size(), 1000U);
}

TEST(RateLimiter, ForgetsTheLeastRecentlyUsedFirst) {
  RateLimiter limiter({.per_second = 0.001, .burst = 1, .max_keys = 2});
  EXPECT_FALSE(limiter.Take("busy", 0s));
  EXPECT_FALSE(limiter.Take("old", 0s));
  EXPECT_TRUE(limiter.Take("busy", 0s));
  EXPECT_FALSE(limiter.Take("new", 0s));  // drops "old"
  EXPECT_TRUE(limiter.Take("busy", 0s));
}

TEST(RateLimiter, IsOffAtZero) {
  RateLimiter limiter({.per_second = 0, .burst = 0});
  for (int i = 0; i < 1000; ++i) EXPECT_FALSE(limiter.Take("a", 0s));
  EXPECT_EQ(limiter.size(), 0U);
}

TEST(AddressKey, TakesAnIpv6NetworkAsOne) {
  EXPECT_EQ(AddressKey(Parse("2001:db8:1:2::1")),
            AddressKey(Parse("2001:db8:1:2:ffff:ffff:ffff:ffff")));
  EXPECT_NE(AddressKey(Parse("2001:db8:1:2::1")), AddressKey(Parse("2001:db8:1:3::1")));
}

TEST(AddressKey, TakesAMappedIpv4AddressAsIpv4) {
  EXPECT_EQ(AddressKey(Parse("::ffff:192.0.2.1")), AddressKey(Parse("192.0.2.1")));
  EXPECT_NE(AddressKey(Parse("192.0.2.1")), AddressKey(Parse("192.0.2.2")));
}

TEST(SignInGuard, EvaluatesAtMostTenGuessesAMinuteForAnAccount) {
  SignInGuard guard({});
  int evaluated = 0;
  for (std::uint8_t host = 1; host < 250; ++host) {
    for (int i = 0; i < 40; ++i) {
      if (!guard.Take(IpAddress::V4(192, 0, 2, host), "alice", 0s)) ++evaluated;
    }
  }
  EXPECT_EQ(evaluated, 10);
}

TEST(SignInGuard, EvaluatesAtMostFiveAttemptsAMinuteFromAnAddress) {
  SignInGuard guard({});
  int evaluated = 0;
  for (int i = 0; i < 1000; ++i) {
    if (!guard.Take(Parse("192.0.2.1"), "user" + std::to_string(i), 0s)) ++evaluated;
  }
  EXPECT_EQ(evaluated, 5);
  EXPECT_FALSE(guard.Take(Parse("192.0.2.1"), "alice", 12s));
}

TEST(SignInGuard, LetsTheRightUserInWhileOneAddressGuesses) {
  SignInGuard guard({});
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 10; ++i) guard.Take(Parse("203.0.113.9"), "alice", second * 1s);
  }
  EXPECT_FALSE(guard.Take(Parse("192.0.2.1"), "alice", 600s));
}

TEST(SignInGuard, LetsTheRightUserInFromAKnownAddressWhileManyAddressesGuess) {
  SignInGuard guard({});
  guard.NoteSuccess(Parse("192.0.2.1"), "alice");
  for (std::uint8_t host = 1; host < 250; ++host)
    guard.Take(IpAddress::V4(203, 0, 113, host), "alice", 0s);
  EXPECT_TRUE(guard.Take(Parse("192.0.2.77"), "alice", 0s));
  EXPECT_FALSE(guard.Take(Parse("192.0.2.1"), "alice", 0s));
  EXPECT_TRUE(guard.Take(Parse("192.0.2.1"), "bob", 0s) == std::nullopt);
}

TEST(SignInGuard, KeepsLongNamesApart) {
  SignInGuard guard({.per_address_per_minute = 100, .per_account_per_minute = 1});
  const std::string prefix(200, 'a');
  EXPECT_FALSE(guard.Take(Parse("192.0.2.1"), prefix + "1", 0s));
  EXPECT_FALSE(guard.Take(Parse("192.0.2.1"), prefix + "2", 0s));
}

}  // namespace
}  // namespace nta::server
