#include "nta/log/log_sink.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "log/log_line.h"
#include "log_fixture.h"

namespace nta {
namespace {

TEST(Logger, GivesSinksWhatTheyWant) {
  Timestamp now{std::chrono::seconds(5)};
  Logger logger({.clock = [&now] { return now; }});
  std::vector<std::string> all;
  std::vector<std::string> security;
  logger.AddSink(std::make_unique<CallbackLogSink>(
      [&](const LogEvent& event) { all.push_back(event.message); }));
  logger.AddSink(std::make_unique<CallbackLogSink>(
                     [&](const LogEvent& event) { security.push_back(event.message); }),
                 {.kind = LogKind::kSecurity, .min_level = LogLevel::kWarning});
  logger.Debug("a", "not on");
  logger.Info("a", "one");
  logger.Log({.level = LogLevel::kInfo, .kind = LogKind::kSecurity, .message = "two"});
  logger.Log({.level = LogLevel::kWarning, .kind = LogKind::kSecurity, .message = "three"});
  logger.SetLevel(LogLevel::kDebug);
  logger.Debug("a", "four");
  EXPECT_THAT(all, testing::ElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(security, testing::ElementsAre("three"));
  EXPECT_EQ(logger.Stats().events, 4u);
}

class FailingSink final : public LogSink {
 public:
  absl::Status Write(const LogEvent&) override { return absl::UnavailableError("broken"); }
};

TEST(Logger, NoLevelSilencesWhatIsOfTheKindAudit) {
  Logger logger({.min_level = LogLevel::kError});
  std::vector<std::string> all;
  logger.AddSink(std::make_unique<CallbackLogSink>(
      [&](const LogEvent& event) { all.push_back(event.message); }));
  logger.Log({.level = LogLevel::kInfo, .kind = LogKind::kSecurity, .message = "one"});
  logger.Log({.level = LogLevel::kInfo, .kind = LogKind::kAudit, .message = "two"});
  EXPECT_THAT(all, testing::ElementsAre("two"));
}

TEST(Logger, ASinkThatFailsIsCountedAndHarmsNobody) {
  Logger logger({});
  std::size_t seen = 0;
  logger.AddSink(std::make_unique<FailingSink>());
  logger.AddSink(std::make_unique<CallbackLogSink>([&](const LogEvent&) { ++seen; }));
  for (int i = 0; i < 5; ++i) logger.Info("a", "b");
  EXPECT_EQ(seen, 5u);
  EXPECT_EQ(logger.Stats().failed, 5u);
  EXPECT_TRUE(absl::IsUnavailable(logger.Stats().last_error));
}

// A disk that does nothing until it is told to.
class SlowSink final : public LogSink {
 public:
  absl::Status Write(const LogEvent& event) override {
    std::unique_lock lock(mutex_);
    open_.wait(lock, [this] { return is_open_; });
    written_.push_back(event);
    return absl::OkStatus();
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    open_.notify_all();
  }
  std::vector<LogEvent> written() {
    const std::lock_guard lock(mutex_);
    return written_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  bool is_open_ = false;
  std::vector<LogEvent> written_;
};

TEST(QueuedLogSink, NeverWaitsForASlowDiskAndCountsWhatItDrops) {
  auto slow = std::make_unique<SlowSink>();
  SlowSink& disk = *slow;
  QueuedLogSink queue(std::move(slow), {.max_events = 100, .max_bytes = 1 << 20});
  constexpr std::uint64_t kEvents = 10'000;
  std::uint64_t refused = 0;
  for (std::uint64_t i = 0; i < kEvents; ++i) {
    refused += queue.Write({.message = std::to_string(i)}).ok() ? 0 : 1;
  }
  EXPECT_EQ(queue.dropped(), refused);
  // The queue, and what the thread had taken from it.
  EXPECT_GE(refused, kEvents - 201);
  disk.Open();
  ASSERT_TRUE(queue.Flush().ok());
  ASSERT_TRUE(queue.Write({.message = "after"}).ok());
  ASSERT_TRUE(queue.Flush().ok());
  // Where events were lost, a note with their number stands ahead of the next one.
  std::uint64_t written = 0;
  std::uint64_t noted = 0;
  for (const LogEvent& event : disk.written()) {
    if (event.level == LogLevel::kWarning) {
      noted += std::stoull(log::ValueText(event.fields.at(0).value));
    } else {
      ++written;
    }
  }
  EXPECT_EQ(written, kEvents - refused + 1);
  EXPECT_EQ(noted, refused);
  EXPECT_EQ(disk.written().back().message, "after");
}

TEST(QueuedLogSink, IsBoundedInBytes) {
  auto slow = std::make_unique<SlowSink>();
  SlowSink& disk = *slow;
  QueuedLogSink queue(std::move(slow), {.max_events = 1'000'000, .max_bytes = 100'000});
  std::size_t taken = 0;
  for (int i = 0; i < 1000; ++i) {
    taken += queue.Write({.message = std::string(1000, 'x')}).ok() ? 1 : 0;
  }
  EXPECT_LE(taken, 200u);
  EXPECT_GE(taken, 50u);
  disk.Open();
}

TEST(QueuedLogSink, WritesWhatIsQueuedBeforeItEnds) {
  std::atomic<int> written{0};
  {
    QueuedLogSink queue(std::make_unique<CallbackLogSink>([&](const LogEvent&) { ++written; }), {});
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(queue.Write({.message = "x"}).ok());
  }
  EXPECT_EQ(written, 1000);
}

}  // namespace
}  // namespace nta
