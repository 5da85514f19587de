#include "nta/log/rotating_file_sink.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <map>
#include <thread>

#include "log_fixture.h"

namespace nta {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using RotatingFileSinkTest = LogTest;

TEST_F(RotatingFileSinkTest, PutsTheFileAsideBeforeItGrowsTooLarge) {
  auto sink = OpenSink({.max_bytes = 4096, .keep = 3, .compression = LogCompression::kNone});
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(sink->Write(Event(std::to_string(i))).ok());
  EXPECT_EQ(Files().size(), 4u);
  for (const std::string& name : Files()) {
    EXPECT_LE(std::filesystem::file_size(directory_ + "/" + name), 4096u) << name;
    struct stat info {};
    ASSERT_EQ(stat((directory_ + "/" + name).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
  }
  // The newest are kept, in order and without a gap.
  const std::vector<std::string> messages = Messages({.order = LogOrder::kOldestFirst});
  ASSERT_GT(messages.size(), 90u);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    EXPECT_EQ(messages[i], std::to_string(200 - messages.size() + i));
  }
}

TEST_F(RotatingFileSinkTest, PutsTheFileAsideWhenItIsOld) {
  const LogRotation daily{.max_age = std::chrono::hours(24), .compression = LogCompression::kNone};
  auto sink = OpenSink(daily);
  ASSERT_TRUE(sink->Write(Event("monday")).ok());
  time_ += std::chrono::hours(23);
  ASSERT_TRUE(sink->Write(Event("late")).ok());
  // The age counts from the first line, also for who opens the file later.
  sink.reset();
  sink = OpenSink(daily);
  time_ += std::chrono::hours(1);
  ASSERT_TRUE(sink->Write(Event("tuesday")).ok());
  EXPECT_THAT(Files(), ElementsAre("server.log", "server.log.000001"));
  EXPECT_THAT(ReadAll(path()), HasSubstr("tuesday"));
  // Nothing needs to be logged for it.
  ASSERT_TRUE(sink->RotateIfDue(time_ + std::chrono::hours(23)).ok());
  EXPECT_EQ(Files().size(), 2u);
  ASSERT_TRUE(sink->RotateIfDue(time_ + std::chrono::hours(24)).ok());
  EXPECT_EQ(Files().size(), 3u);
  // A clock that steps back is no reason.
  time_ -= std::chrono::hours(1000);
  ASSERT_TRUE(sink->Write(Event("back")).ok());
  EXPECT_EQ(sink->Stats().rotations, 2u);
}

TEST_F(RotatingFileSinkTest, PacksAndClearsAwayAsTheSettingsSay) {
  auto sink = OpenSink({.keep = 10, .compression = LogCompression::kNone});
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(sink->Write(Event("x")).ok());
    ASSERT_TRUE(sink->RotateNow().ok());
  }
  ASSERT_TRUE(sink->RotateNow().ok());  // an empty file stays
  ASSERT_TRUE(sink->SetRotation({.keep = 3, .compression = LogCompression::kZstd}).ok());
  EXPECT_THAT(Files(), ElementsAre("server.log", "server.log.000002.zst", "server.log.000003.zst",
                                   "server.log.000004.zst"));
  ASSERT_TRUE(sink->SetRotation({.keep = 2, .compression = LogCompression::kGzip}).ok());
  ASSERT_TRUE(sink->Write(Event("y")).ok());
  ASSERT_TRUE(sink->RotateNow().ok());
  EXPECT_THAT(Files(), ElementsAre("server.log", "server.log.000004.zst", "server.log.000005.gz"));
  EXPECT_FALSE(sink->SetRotation({.max_bytes = 100}).ok());
  EXPECT_FALSE(sink->SetRotation({.keep = 0}).ok());
  EXPECT_FALSE(sink->SetRotation({.max_age = Duration(-1)}).ok());
  EXPECT_EQ(sink->rotation().keep, 2u);
}

TEST_F(RotatingFileSinkTest, OnlyOneSinkWritesAFile) {
  auto sink = OpenSink({});
  EXPECT_TRUE(absl::IsUnavailable(RotatingFileSink::Open({.path = path()}).status()));
  sink.reset();
  EXPECT_NE(OpenSink({}), nullptr);
}

TEST_F(RotatingFileSinkTest, GoesOnInANewFileWhenTheOldOneWasMovedAway) {
  auto sink = OpenSink({});
  ASSERT_TRUE(sink->Write(Event("before")).ok());
  ASSERT_TRUE(sink->Reopen().ok());  // nothing has changed
  std::filesystem::rename(path(), directory_ + "/moved.log");
  ASSERT_TRUE(sink->Write(Event("between")).ok());
  ASSERT_TRUE(sink->Reopen().ok());
  ASSERT_TRUE(sink->Write(Event("after")).ok());
  EXPECT_THAT(ReadAll(directory_ + "/moved.log"), HasSubstr("between"));
  EXPECT_THAT(Messages(), ElementsAre("after"));
}

TEST_F(RotatingFileSinkTest, FollowsNoLinksAndWritesNoDevices) {
  std::filesystem::create_symlink("/dev/null", path());
  const auto link = RotatingFileSink::Open({.path = path()});
  EXPECT_TRUE(absl::IsFailedPrecondition(link.status())) << link.status();
  EXPECT_TRUE(absl::IsFailedPrecondition(RotatingFileSink::Open({.path = "/dev/null"}).status()));
  EXPECT_TRUE(
      absl::IsNotFound(RotatingFileSink::Open({.path = directory_ + "/missing/x.log"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(RotatingFileSink::Open({}).status()));
}

TEST_F(RotatingFileSinkTest, CutsOffAHalfLineThatACrashLeft) {
  auto sink = OpenSink({});
  ASSERT_TRUE(sink->Write(Event("whole")).ok());
  sink.reset();
  std::ofstream(path(), std::ios::app) << R"({"time":"2027-01-15T)";
  sink = OpenSink({});
  ASSERT_TRUE(sink->Write(Event("next")).ok());
  EXPECT_THAT(Messages(), ElementsAre("next", "whole"));
  EXPECT_EQ(ReadLog(path(), {})->unreadable, 0u);
}

// A disk that is full: files may not grow beyond a size.
TEST_F(RotatingFileSinkTest, AFullDiskLosesWholeEventsAndTellsHowMany) {
  auto sink = OpenSink({});
  ASSERT_TRUE(sink->Write(Event("first")).ok());
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(path()) + 50;  // within the next line
  setrlimit(RLIMIT_FSIZE, &full);
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(sink->Write(Event("lost")).ok());
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_TRUE(sink->Write(Event("again")).ok());
  EXPECT_EQ(sink->Stats().lost, 3u);
  const auto page = ReadLog(path(), {});
  ASSERT_EQ(page->events.size(), 3u);
  EXPECT_EQ(page->unreadable, 0u);
  EXPECT_EQ(page->events[0].message, "again");
  EXPECT_THAT(page->events[1].message, HasSubstr("events were lost"));
  EXPECT_EQ(std::get<std::int64_t>(page->events[1].fields.at(0).value), 3);
}

TEST_F(RotatingFileSinkTest, ARotationThatFailsLosesNothing) {
  auto sink = OpenSink({.max_bytes = 4096, .compression = LogCompression::kNone});
  // The name of the file to be put aside is taken by a directory that is not empty.
  std::filesystem::create_directories(directory_ + "/server.log.000001/x");
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(sink->Write(Event(std::to_string(i))).ok());
  EXPECT_FALSE(sink->Stats().last_error.ok());
  EXPECT_FALSE(sink->RotateNow().ok());
  std::filesystem::remove_all(directory_ + "/server.log.000001");
  EXPECT_TRUE(sink->RotateNow().ok());
  EXPECT_EQ(Messages().size(), 100u);
}

// 1,000 rotations under 4 writers.
TEST_F(RotatingFileSinkTest, LosesAndDoublesNoLineWhileManyWriteAndItRotates) {
  constexpr int kWriters = 4;
  constexpr std::uint64_t kRotations = 1000;
  auto sink = OpenSink({.max_bytes = 4096, .keep = 10'000, .compression = LogCompression::kNone});
  std::vector<std::thread> writers;
  std::vector<int> written(kWriters, 0);
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      while (sink->Stats().rotations < kRotations) {
        LogEvent event{.time = Timestamp(std::chrono::seconds(1'800'000'000)),
                       .component = std::to_string(w),
                       .message = std::to_string(written[static_cast<std::size_t>(w)])};
        event.fields = {{"padding", std::string(100, 'x')}};
        if (sink->Write(event).ok()) ++written[static_cast<std::size_t>(w)];
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_GE(sink->Stats().rotations, kRotations);
  EXPECT_EQ(sink->Stats().lost, 0u);
  std::map<std::string, int> next;
  std::uint64_t lines = 0;
  LogQuery query{.order = LogOrder::kOldestFirst, .limit = 10'000};
  do {
    const auto page = ReadLog(path(), query);
    ASSERT_TRUE(page.ok());
    EXPECT_EQ(page->unreadable, 0u);
    for (const LogEvent& event : page->events) {
      // Each writer's lines come once and in their order.
      ASSERT_EQ(event.message, std::to_string(next[event.component]++));
      ++lines;
    }
    query.cursor = page->next_cursor;
  } while (!query.cursor.empty());
  for (int w = 0; w < kWriters; ++w) {
    EXPECT_EQ(next[std::to_string(w)], written[static_cast<std::size_t>(w)]);
  }
  EXPECT_EQ(lines, sink->Stats().lines);
}

TEST_F(RotatingFileSinkTest, ReadersSeeEveryLineOnceWhileFilesArePackedAway) {
  auto sink = OpenSink({.max_bytes = 4096, .keep = 10'000, .compression = LogCompression::kZstd});
  std::atomic<int> written{0};
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; i < 3000; ++i) {
      if (sink->Write(Event(std::to_string(i))).ok()) written = i + 1;
    }
    stop = true;
  });
  int rounds = 0;
  do {
    const int at_least = written;
    LogQuery query{.order = LogOrder::kOldestFirst, .limit = 10'000};
    const auto page = ReadLog(path(), query);
    if (!page.ok()) continue;  // not there yet
    ASSERT_GE(page->events.size(), static_cast<std::size_t>(at_least));
    for (std::size_t i = 0; i < page->events.size(); ++i) {
      ASSERT_EQ(page->events[i].message, std::to_string(i));
    }
    ++rounds;
  } while (!stop);
  writer.join();
  EXPECT_GT(rounds, 1);
}

}  // namespace
}  // namespace nta
