#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>

#include "auth/passwords.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;

TEST(WorkerPool, RefusesWhatItsQueueCannotHold) {
  WorkerPool pool(1, 2);
  std::latch started(1);
  std::latch release(1);
  ASSERT_TRUE(pool.Submit([&] {
    started.count_down();
    release.wait();
  }));
  started.wait();
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_TRUE(pool.Submit([] {}));
  EXPECT_FALSE(pool.Submit([] {}));
  EXPECT_FALSE(pool.Drain(0s));
  release.count_down();
  EXPECT_TRUE(pool.Drain(60s));
  EXPECT_TRUE(pool.Submit([] {}));
}

TEST(WorkerPool, RunsNoMoreThanItsThreadsAtOnce) {
  std::atomic<int> running{0};
  std::atomic<int> most{0};
  std::atomic<int> done{0};
  {
    WorkerPool pool(2, 100);
    for (int i = 0; i < 100; ++i) {
      pool.Submit([&] {
        const int now = ++running;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        --running;
        ++done;
      });
    }
  }
  EXPECT_EQ(done, 100);
  EXPECT_LE(most, 2);
}

TEST(PasswordHasher, KnowsItsPasswordsAndNoOthers) {
  const PasswordHasher hasher = *PasswordHasher::Create({.passes = 1, .memory_bytes = 8192});
  const std::string hash = *hasher.Hash("correct horse battery");
  EXPECT_EQ(hash.substr(0, 10), "$argon2id$");
  EXPECT_TRUE(hasher.Verify(hash, "correct horse battery"));
  EXPECT_FALSE(hasher.Verify(hash, "correct horse batterx"));
  EXPECT_FALSE(hasher.Verify("", "correct horse battery"));
  EXPECT_FALSE(hasher.Verify(std::string(1 << 16, '$'), "correct horse battery"));
  EXPECT_NE(*hasher.Hash("correct horse battery"), hash);
}

TEST(PasswordHasher, TakesTheMemoryThatOwaspRecommends) {
  const PasswordHasher hasher = *PasswordHasher::Create();
  EXPECT_NE(hasher.Hash("correct horse battery")->find("$m=19456,t=2,p=1$"), std::string::npos);
}

}  // namespace
}  // namespace nta::server
