// A process that is killed at each point of a rotation.
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <random>

#include "log_fixture.h"

namespace nta {
namespace {

constexpr int kLines = 2000;

class RotationKillTest : public LogTest {
 protected:
  LogRotation Rotation() const { return {.keep = 100, .compression = LogCompression::kZstd}; }

  // A log that does not shrink when it is packed: with 2,000 lines 2 MB, so that packing takes many
  // steps.
  std::string MakeLog(int lines) {
    std::minstd_rand random(1);
    std::string log;
    for (int i = 0; i < lines; ++i) {
      LogEvent event = Event(std::to_string(i));
      std::string noise;
      while (noise.size() < 900) noise += static_cast<char>('!' + random() % 90);
      event.fields = {{"noise", noise}};
      log += FormatLogLine(event, LogFormat::kJson);
    }
    return log;
  }

  void BeginAnew(const std::string& log) {
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directory(directory_);
    std::ofstream(path(), std::ios::binary) << log;
  }

  // A process that has opened the log, and stands before its rotation.
  pid_t StartRotation() {
    const pid_t child = fork();
    if (child != 0) return child;
    auto sink = RotatingFileSink::Open({.path = path(), .rotation = Rotation()});
    if (!sink.ok() || ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(2);
    raise(SIGSTOP);
    _exit((*sink)->RotateNow().ok() ? 0 : 3);
  }

  struct Killed {
    bool may_not_trace = false;
    std::optional<int> exit_status;  // when it had ended before
  };

  // Lets a child go `steps` steps into its rotation and kills it there. A step is a system call's
  // way in or out (PTRACE_SYSCALL) or an instruction (PTRACE_SINGLESTEP). `look` is called after
  // each and ends it sooner with false.
  Killed RotateAndKillAt(
      int steps, __ptrace_request step, const std::function<bool()>& look = [] { return true; }) {
    const pid_t child = StartRotation();
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) return {.may_not_trace = true, .exit_status = 0};
    for (int i = 0; i < steps && look(); ++i) {
      if (ptrace(step, child, nullptr, nullptr) != 0) break;
      waitpid(child, &status, 0);
      if (WIFEXITED(status)) return {.exit_status = WEXITSTATUS(status)};
    }
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    return {};
  }

  // How many instructions of a rotation come before the one that decides, the rename.
  int InstructionsBeforeTheRename() {
    int count = -1;
    const std::string put_aside = path() + ".000001";
    RotateAndKillAt(1'000'000, PTRACE_SINGLESTEP, [&] {
      ++count;
      return access(put_aside.c_str(), F_OK) != 0;
    });
    return count;
  }

  // True when the files are the new ones, false when they are the old ones; anything else fails.
  void ExpectOldOrNew(int lines, bool& is_new) {
    std::vector<std::string> expected;
    for (int i = 0; i < lines; ++i) expected.push_back(std::to_string(i));
    const auto messages = [&] { return Messages({.order = LogOrder::kOldestFirst}); };
    // What a reader finds before anybody has mended anything.
    ASSERT_EQ(messages(), expected);
    OpenSink(Rotation());
    ASSERT_EQ(messages(), expected);
    const std::vector<std::string> files = Files();
    is_new = files != std::vector<std::string>{"server.log"};
    if (!is_new) return;
    ASSERT_THAT(files, testing::ElementsAre("server.log", "server.log.000001.zst"));
    ASSERT_EQ(std::filesystem::file_size(path()), 0u);
  }
};

TEST_F(RotationKillTest, LeavesExactlyTheOldOrTheNewFilesWithEveryLineOnce) {
  int old_states = 0;
  int new_states = 0;
  const std::string log = MakeLog(kLines);
  int points = 0;
  for (bool ended = false; !ended; ++points) {
    BeginAnew(log);
    const Killed killed = RotateAndKillAt(points + 1, PTRACE_SYSCALL);
    if (killed.may_not_trace) GTEST_SKIP() << "this process may not trace another";
    ended = killed.exit_status.has_value();
    ASSERT_EQ(killed.exit_status.value_or(0), 0);
    bool is_new = false;
    ExpectOldOrNew(kLines, is_new);
    if (HasFatalFailure()) FAIL() << "point " << points;
    (is_new ? new_states : old_states)++;
  }
  RecordProperty("points", points);
  printf("%d points: %d old, %d new\n", points, old_states, new_states);
  EXPECT_GE(points, 100);
  EXPECT_GT(old_states, 0);
  EXPECT_GT(new_states, 0);
}

// The rename that decides is among the first system calls of a rotation, so the moments are chosen
// by instruction: half of them before it, half after.
TEST_F(RotationKillTest, KilledAtAnyInstructionAroundItsRenameItIsExactlyOldOrExactlyNew) {
  constexpr int kRounds = 100;
  constexpr int kFewLines = 20;
  const std::string log = MakeLog(kFewLines);
  BeginAnew(log);
  const int before = InstructionsBeforeTheRename();
  if (before <= 0) GTEST_SKIP() << "this process may not step through another";
  std::minstd_rand random(20261123);
  std::uniform_int_distribution<int> moment(0, 2 * before);
  int old_states = 0;
  int new_states = 0;
  for (int round = 0; round < kRounds; ++round) {
    BeginAnew(log);
    const int at = moment(random);
    const Killed killed = RotateAndKillAt(at, PTRACE_SINGLESTEP);
    ASSERT_FALSE(killed.exit_status) << at;
    bool is_new = false;
    ExpectOldOrNew(kFewLines, is_new);
    if (HasFatalFailure()) FAIL() << "instruction " << at << " of " << before;
    (is_new ? new_states : old_states)++;
  }
  printf("%d rounds: %d old, %d new (%d instructions before the rename)\n", kRounds, old_states,
         new_states, before);
  EXPECT_GE(old_states, 10);
  EXPECT_GE(new_states, 10);
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
