// A process that is killed at each point of a rotation.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <random>

#include "log_fixture.h"

namespace nta {
namespace {

constexpr int kLines = 2000;

class RotationKillTest : public LogTest {
 protected:
  LogRotation Rotation() const { return {.keep = 100, .compression = LogCompression::kZstd}; }

  // A log of 2 MB that does not shrink when it is packed, so that packing takes many steps.
  std::string MakeLog() {
    std::minstd_rand random(1);
    std::string log;
    for (int i = 0; i < kLines; ++i) {
      LogEvent event = Event(std::to_string(i));
      std::string noise;
      while (noise.size() < 900) noise += static_cast<char>('!' + random() % 90);
      event.fields = {{"noise", noise}};
      log += FormatLogLine(event, LogFormat::kJson);
    }
    return log;
  }

  // Opens the log, stops, and rotates once.
  [[noreturn]] void RotateInChild() {
    auto sink = RotatingFileSink::Open({.path = path(), .rotation = Rotation()});
    if (!sink.ok() || ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(2);
    raise(SIGSTOP);
    _exit((*sink)->RotateNow().ok() ? 0 : 3);
  }

  // Lets a child run into its rotation and kills it at its system call `stop` (each stops twice: on
  // the way in and out). True when it had ended before. -1 in `problem`: may not trace.
  bool RotateAndKillAt(int stop, int& problem) {
    const pid_t child = fork();
    if (child == 0) RotateInChild();
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
      problem = -1;
      return true;
    }
    for (int i = 0; i < stop; ++i) {
      if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) break;
      waitpid(child, &status, 0);
      if (WIFEXITED(status)) {
        problem = WEXITSTATUS(status);
        return true;
      }
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return false;
  }
};

TEST_F(RotationKillTest, LeavesExactlyTheOldOrTheNewFilesWithEveryLineOnce) {
  int old_states = 0;
  int new_states = 0;
  std::vector<std::string> expected;
  for (int i = 0; i < kLines; ++i) expected.push_back(std::to_string(i));
  const std::string log = MakeLog();
  int points = 0;
  for (bool ended = false; !ended; ++points) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    std::ofstream(path(), std::ios::binary) << log;
    int problem = 0;
    ended = RotateAndKillAt(points + 1, problem);
    if (problem == -1) GTEST_SKIP() << "this process may not trace another";
    ASSERT_EQ(problem, 0);
    // What a reader finds before anybody has mended anything.
    ASSERT_EQ(Messages({.order = LogOrder::kOldestFirst}), expected) << "point " << points;
    OpenSink(Rotation());
    ASSERT_EQ(Messages({.order = LogOrder::kOldestFirst}), expected) << "point " << points;
    const std::vector<std::string> files = Files();
    if (files == std::vector<std::string>{"server.log"}) {
      ++old_states;
    } else {
      ASSERT_THAT(files, testing::ElementsAre("server.log", "server.log.000001.zst"));
      ASSERT_EQ(std::filesystem::file_size(path()), 0u);
      ++new_states;
    }
  }
  RecordProperty("points", points);
  printf("%d points: %d old, %d new\n", points, old_states, new_states);
  EXPECT_GE(points, 100);
  EXPECT_GT(old_states, 0);
  EXPECT_GT(new_states, 0);
}

// Anywhere while lines are written and files rotate and are packed; 100 times with NTA_KILLS=100.
TEST_F(RotationKillTest, AWriterThatIsKilledLosesNoLineItHadWritten) {
  const char* wanted = getenv("NTA_KILLS");
  const int kills = wanted != nullptr ? atoi(wanted) : 20;
  int next = 0;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      LogRotation rotation = Rotation();
      rotation.max_bytes = 4096;
      rotation.keep = 10'000;
      auto sink = RotatingFileSink::Open({.path = path(), .rotation = rotation});
      if (!sink.ok()) _exit(1);
      for (int i = next;; ++i) {
        if (!(*sink)->Write(Event(std::to_string(i))).ok()) _exit(1);
        if (write(ends[1], "x", 1) != 1) _exit(1);
      }
    }
    close(ends[1]);
    int acknowledged = next;
    char byte = 0;
    for (int i = 0; i < 200 + 37 * (round % 11); ++i) {
      ASSERT_EQ(read(ends[0], &byte, 1), 1);
      ++acknowledged;
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (read(ends[0], &byte, 1) == 1) ++acknowledged;
    close(ends[0]);
    const std::vector<std::string> messages =
        Messages({.order = LogOrder::kOldestFirst, .limit = 10'000});
    ASSERT_GE(messages.size(), static_cast<std::size_t>(acknowledged));
    ASSERT_LE(messages.size(), static_cast<std::size_t>(acknowledged) + 1);
    for (std::size_t i = 0; i < messages.size(); ++i) ASSERT_EQ(messages[i], std::to_string(i));
    next = static_cast<int>(messages.size());
  }
}

}  // namespace
}  // namespace nta
