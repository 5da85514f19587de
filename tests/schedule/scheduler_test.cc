#include "nta/schedule/scheduler.h"

#include <atomic>
#include <stdexcept>
#include <thread>

#include "schedule/schedule_fixture.h"

namespace nta {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST_F(SchedulerTest, RunsAJobEachTimeItsIntervalHasPassed) {
  ASSERT_TRUE(Add("sample", Every{30s}).ok());
  EXPECT_EQ(RunAt(kStart), 0u);
  EXPECT_EQ(RunAt(kStart + 29s), 0u);
  EXPECT_EQ(RunAt(kStart + 30s), 1u);
  EXPECT_EQ(RunAt(kStart + 30s), 0u);
  EXPECT_EQ(RunAt(kStart + 61s), 1u);
  // Times do not drift with the caller.
  EXPECT_EQ(scheduler_->NextDue(), kStart + 90s);
  EXPECT_EQ(contexts_[1].due, kStart + 60s);
  EXPECT_EQ(contexts_[1].now, kStart + 61s);
  const JobStatus status = Status("sample");
  EXPECT_EQ(status.runs, 2u);
  EXPECT_EQ(status.missed, 0u);
  ASSERT_THAT(status.history, SizeIs(2));
  EXPECT_EQ(status.history[0].outcome, RunOutcome::kOk);
  EXPECT_EQ(status.history[0].message, "done");
}

TEST_F(SchedulerTest, TheLongestDueRunsFirst) {
  ASSERT_TRUE(Add("slow", Every{60s}).ok());
  ASSERT_TRUE(Add("quick", Every{10s}).ok());
  ASSERT_TRUE(Add("middle", Every{20s}).ok());
  EXPECT_EQ(RunAt(kStart + 60s), 3u);
  EXPECT_THAT(runs_, ElementsAre("quick", "middle", "slow"));
}

// The seed's defect: its pause switched a job on, and its resume off.
TEST_F(SchedulerTest, APausedJobDoesNotRunAndAResumedOneDoes) {
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  ASSERT_TRUE(scheduler_->Pause("job").ok());
  EXPECT_TRUE(Status("job").paused);
  EXPECT_EQ(Status("job").next_due, std::nullopt);
  EXPECT_EQ(scheduler_->NextDue(), std::nullopt);
  EXPECT_EQ(RunAt(kStart + 100s), 0u);
  ASSERT_TRUE(scheduler_->Pause("job").ok());  // twice is not "on again"
  EXPECT_EQ(RunAt(kStart + 101s), 0u);
  ASSERT_TRUE(scheduler_->Resume("job").ok());
  EXPECT_FALSE(Status("job").paused);
  EXPECT_EQ(RunAt(kStart + 105s), 0u);  // counted from the resume, not made up for
  EXPECT_EQ(RunAt(kStart + 111s), 1u);
  EXPECT_EQ(Status("job").missed, 0u);
}

TEST_F(SchedulerTest, APauseOutlivesTheProgram) {
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  ASSERT_TRUE(scheduler_->Pause("job").ok());
  Restart();
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  EXPECT_TRUE(Status("job").paused);
  EXPECT_EQ(RunAt(kStart + 1h), 0u);
  ASSERT_TRUE(scheduler_->Resume("job").ok());
  Restart();
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  EXPECT_FALSE(Status("job").paused);
}

// The seed's other defect: a job that failed left no trace.
TEST_F(SchedulerTest, AFailureIsSeenAndTheJobGoesOn) {
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  result_ = absl::UnavailableError("the disk is away");
  RunAt(kStart + 10s);
  RunAt(kStart + 20s);
  JobStatus status = Status("job");
  EXPECT_EQ(status.failures, 2u);
  EXPECT_EQ(status.failures_in_a_row, 2u);
  EXPECT_EQ(status.history[0].outcome, RunOutcome::kFailed);
  EXPECT_EQ(status.history[0].message, "the disk is away");
  result_ = std::string("fine");
  RunAt(kStart + 30s);
  status = Status("job");
  EXPECT_EQ(status.failures, 2u);
  EXPECT_EQ(status.failures_in_a_row, 0u);
}

TEST_F(SchedulerTest, AJobThatThrowsFailsAndHoldsUpNoOther) {
  ASSERT_TRUE(scheduler_
                  ->Add({.name = "bad", .timing = Every{10s}},
                        [](const JobContext&) -> absl::StatusOr<std::string> {
                          throw std::runtime_error("no\x1b[2Jse");
                        })
                  .ok());
  ASSERT_TRUE(Add("good", Every{10s}).ok());
  EXPECT_EQ(RunAt(kStart + 10s), 2u);
  EXPECT_THAT(runs_, ElementsAre("good"));
  EXPECT_EQ(Status("bad").history[0].outcome, RunOutcome::kFailed);
  EXPECT_EQ(Status("bad").history[0].message.find('\x1b'), std::string::npos);
  EXPECT_FALSE(Status("bad").running);
}

TEST_F(SchedulerTest, NothingRunsTwiceAfterARestart) {
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  RunAt(kStart + 1h);
  Restart();
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  EXPECT_EQ(RunAt(kStart + 1h), 0u);
  EXPECT_EQ(RunAt(kStart + 90min), 0u);
  EXPECT_EQ(RunAt(kStart + 2h), 1u);
  EXPECT_EQ(Status("job").runs, 2u);
}

TEST_F(SchedulerTest, ARestartDoesNotPutAJobOff) {
  for (int i = 0; i < 5; ++i) {
    Restart();
    ASSERT_TRUE(Add("job", Every{1h}).ok());
    EXPECT_EQ(RunAt(kStart + 10min * i), 0u);
  }
  EXPECT_EQ(RunAt(kStart + 1h), 1u);
}

TEST_F(SchedulerTest, ARunThatACrashEndedIsSeenAndNotRepeated) {
  int begun = 0;
  std::map<std::string, std::string> at_crash;
  const auto add = [&] {
    return scheduler_->Add({.name = "job", .timing = Every{1h}}, [&](const JobContext&) {
      ++begun;
      at_crash = kept_;  // all that a crash right now would leave
      return std::string();
    });
  };
  ASSERT_TRUE(add().ok());
  RunAt(kStart + 1h);
  kept_ = at_crash;
  Restart();
  ASSERT_TRUE(add().ok());
  EXPECT_EQ(RunAt(kStart + 1h), 0u);
  const JobStatus status = Status("job");
  ASSERT_THAT(status.history, SizeIs(1));
  EXPECT_EQ(status.history[0].outcome, RunOutcome::kInterrupted);
  EXPECT_EQ(status.history[0].finished, std::nullopt);
  EXPECT_EQ(status.failures, 1u);
  EXPECT_EQ(begun, 1);
  EXPECT_EQ(RunAt(kStart + 2h), 1u);
}

TEST_F(SchedulerTest, WhatCannotBeWrittenDownDoesNotRun) {
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  save_status_ = absl::ResourceExhaustedError("the disk is full");
  EXPECT_EQ(RunAt(kStart + 10s), 0u);
  EXPECT_THAT(runs_, IsEmpty());
  EXPECT_THAT(Status("job").problem, HasSubstr("the disk is full"));
  EXPECT_EQ(Status("job").failures, 1u);
  EXPECT_EQ(RunAt(kStart + 11s), 0u);  // not again and again
  EXPECT_EQ(Status("job").failures, 1u);
  EXPECT_FALSE(scheduler_->Pause("job").ok());
  EXPECT_FALSE(Status("job").paused);
  save_status_ = absl::OkStatus();
  EXPECT_EQ(RunAt(kStart + 20s), 1u);
  EXPECT_THAT(Status("job").problem, IsEmpty());
}

TEST_F(SchedulerTest, OneRunMakesUpForAllThatWereMissed) {
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  Restart();
  now_ = kStart + 10h + 30min;
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  EXPECT_EQ(scheduler_->RunDue(), 1u);
  EXPECT_EQ(scheduler_->RunDue(), 0u);
  const JobStatus status = Status("job");
  EXPECT_EQ(status.missed, 9u);
  EXPECT_EQ(status.history[0].cause, RunCause::kMissed);
  EXPECT_EQ(status.history[0].missed, 9u);
  EXPECT_EQ(status.next_due, kStart + 11h);
}

TEST_F(SchedulerTest, MissedTimesCanBeSkipped) {
  ASSERT_TRUE(Add("job", Daily{3h}, MissedRuns::kSkip).ok());
  const ScheduleTime due = *Status("job").next_due;
  EXPECT_EQ(RunAt(due + 6h), 0u);
  EXPECT_EQ(Status("job").missed, 1u);
  EXPECT_EQ(Status("job").next_due, due + 24h);
  EXPECT_EQ(RunAt(due + 24h + 5s), 1u);  // looked at it a little later: that is on time
  EXPECT_EQ(Status("job").missed, 1u);
}

TEST_F(SchedulerTest, RunsByHandPausedOrNotAndKeepsItsTimes) {
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  ASSERT_TRUE(scheduler_->RunNow("job").ok());
  EXPECT_TRUE(Status("job").requested);
  EXPECT_EQ(scheduler_->NextDue(), kStart);
  EXPECT_EQ(RunAt(kStart + 1s), 1u);
  EXPECT_EQ(contexts_[0].cause, RunCause::kByHand);
  EXPECT_EQ(RunAt(kStart + 2s), 0u);
  EXPECT_EQ(Status("job").next_due, kStart + 1h);
  ASSERT_TRUE(scheduler_->Pause("job").ok());
  ASSERT_TRUE(scheduler_->RunNow("job").ok());
  EXPECT_EQ(RunAt(kStart + 3s), 1u);
  EXPECT_TRUE(Status("job").paused);
}

TEST_F(SchedulerTest, AJobThatRunsIsNotStartedAgain) {
  std::vector<std::function<void()>> later;
  const Scheduler::Executor keep = [&](std::function<void()> run) {
    later.push_back(std::move(run));
  };
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  now_ = kStart + 10s;
  EXPECT_EQ(scheduler_->RunDue({}, keep), 1u);
  EXPECT_TRUE(Status("job").running);
  EXPECT_EQ(Status("job").history[0].outcome, RunOutcome::kRunning);
  EXPECT_EQ(scheduler_->RunNow("job").code(), absl::StatusCode::kFailedPrecondition);
  now_ = kStart + 45s;
  EXPECT_EQ(scheduler_->RunDue({}, keep), 0u);
  EXPECT_EQ(scheduler_->NextDue(), std::nullopt);
  later[0]();
  EXPECT_FALSE(Status("job").running);
  EXPECT_EQ(Status("job").history[0].finished, kStart + 45s);
  EXPECT_EQ(scheduler_->RunDue({}, keep), 1u);
  EXPECT_EQ(Status("job").missed, 2u);
  later[1]();
}

TEST_F(SchedulerTest, AClockThatWentBackHoldsNothingUp) {
  now_ = kStart + 87600h;  // ten years ahead, as of a machine without a battery
  ASSERT_TRUE(Add("hourly", Every{1h}).ok());
  ASSERT_TRUE(Add("daily", Daily{3h}).ok());
  Restart();
  now_ = kStart;
  ASSERT_TRUE(Add("hourly", Every{1h}).ok());
  ASSERT_TRUE(Add("daily", Daily{3h}).ok());
  scheduler_->RunDue();
  EXPECT_THAT(runs_, IsEmpty());
  EXPECT_LE(*scheduler_->NextDue(), kStart + 1h);
  EXPECT_EQ(Status("hourly").next_due, kStart + 1h);
  EXPECT_LE(*Status("daily").next_due, kStart + 24h);
}

TEST_F(SchedulerTest, AClockThatJumpsAheadRunsEachJobOnce) {
  ASSERT_TRUE(Add("every", Every{1s}).ok());
  ASSERT_TRUE(Add("daily", Daily{3h}).ok());
  EXPECT_EQ(RunAt(kStart + 87600h), 2u);
  EXPECT_EQ(scheduler_->RunDue(), 0u);
  EXPECT_EQ(Status("every").missed, 87600u * 3600 - 1);
  EXPECT_EQ(Status("daily").missed, 3649u);
}

TEST_F(SchedulerTest, ANewTimingCountsFromNowOnAndStays) {
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  ASSERT_TRUE(scheduler_->SetTiming("job", Every{10s}).ok());
  EXPECT_EQ(RunAt(kStart + 10s), 1u);
  EXPECT_EQ(Status("job").options.timing, JobTiming(Every{10s}));
  EXPECT_FALSE(scheduler_->SetTiming("job", Every{0s}).ok());
  EXPECT_FALSE(scheduler_->SetTiming("none", Every{1s}).ok());
}

TEST_F(SchedulerTest, NoJobRunsMoreOftenThanItMay) {
  const auto add = [this](std::chrono::seconds least, JobTiming timing) {
    return scheduler_->Add({.name = "backup", .timing = timing, .least_interval = least},
                           [](const JobContext&) { return std::string(); });
  };
  EXPECT_TRUE(absl::IsInvalidArgument(add(300s, Every{299s})));
  ASSERT_TRUE(add(1s, Every{1h}).ok());
  ASSERT_TRUE(scheduler_->SetTiming("backup", Every{2s}).ok());
  Restart();
  // What was taken before there was a bound.
  ASSERT_TRUE(add(300s, Every{1h}).ok());
  EXPECT_EQ(Status("backup").options.timing, JobTiming(Every{300s}));
  const absl::Status refused = scheduler_->SetTiming("backup", Every{299s});
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()),
              testing::HasSubstr("at most every 5 min: give 300 seconds or more"));
  EXPECT_EQ(Status("backup").options.timing, JobTiming(Every{300s}));
  EXPECT_TRUE(scheduler_->SetTiming("backup", Every{300s}).ok());
  EXPECT_TRUE(scheduler_->SetTiming("backup", Daily{3h}).ok());
}

TEST_F(SchedulerTest, ATimingThatWasSetHoldsAfterARestart) {
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  ASSERT_TRUE(scheduler_->SetTiming("job", Every{60s}).ok());
  Restart();
  ASSERT_TRUE(Add("job", Every{10s}).ok());
  EXPECT_EQ(Status("job").options.timing, JobTiming(Every{60s}));
  EXPECT_EQ(Status("job").default_timing, JobTiming(Every{10s}));
  EXPECT_EQ(Status("job").next_due, kStart + 60s);
}

TEST_F(SchedulerTest, OtherStatesAreTakenUpAndNothingRunsTwice) {
  ASSERT_TRUE(Add("paused", Every{10s}).ok());
  ASSERT_TRUE(Add("timed", Every{10s}).ok());
  ASSERT_TRUE(Add("run", Every{100s}).ok());
  ASSERT_TRUE(scheduler_->Pause("paused").ok());
  ASSERT_TRUE(scheduler_->SetTiming("timed", Every{1000s}).ok());
  const auto old = kept_;
  ASSERT_TRUE(scheduler_->Resume("paused").ok());
  ASSERT_TRUE(scheduler_->SetTiming("timed", Every{5s}).ok());
  RunAt(kStart + 150s);
  ASSERT_EQ(Status("run").next_due, kStart + 200s);
  runs_.clear();

  kept_ = old;
  ASSERT_TRUE(scheduler_->Reload().ok());
  EXPECT_TRUE(Status("paused").paused);
  EXPECT_EQ(Status("timed").options.timing, JobTiming(Every{1000s}));
  // It ran for its time already, though the old state does not know.
  EXPECT_EQ(Status("run").next_due, kStart + 200s);
  EXPECT_EQ(scheduler_->RunDue(), 0u);
  Restart();
  ASSERT_TRUE(Add("run", Every{100s}).ok());
  EXPECT_EQ(scheduler_->RunDue(), 0u);
  EXPECT_TRUE(runs_.empty());
}

TEST_F(SchedulerTest, ADamagedStateBeginsAnewAndSaysSo) {
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  const std::string good = kept_["job"];
  std::vector<std::string> bad = {"", "{}", "null", "[1]", "{\"timing\":{}}", std::string(9, '\0')};
  for (std::size_t size = 0; size < good.size(); size += 7) bad.push_back(good.substr(0, size));
  for (const char* number :
       {"1e400", "-1", "99999999999999999999", "\"x\"", "9223372036854775807"}) {
    std::string text = good;
    const std::size_t at = text.find("\"next_due\":") + 11;
    text.replace(at, text.find(',', at) - at, number);
    if (number != std::string("-1")) bad.push_back(text);
  }
  for (const std::string& text : bad) {
    kept_["job"] = text;
    now_ = kStart + 10h;
    Restart();
    ASSERT_TRUE(Add("job", Every{1h}).ok());
    EXPECT_THAT(Status("job").problem, HasSubstr("begins anew")) << text;
    EXPECT_EQ(scheduler_->RunDue(), 0u) << text;  // never twice: not now, then
    EXPECT_EQ(Status("job").next_due, kStart + 11h);
  }
}

TEST_F(SchedulerTest, AStateThatCannotBeReadBeginsAnewAndSaysSo) {
  load_status_ = absl::UnavailableError("locked");
  ASSERT_TRUE(Add("job", Every{1h}).ok());
  EXPECT_THAT(Status("job").problem, HasSubstr("locked"));
}

TEST_F(SchedulerTest, HistoryIsBounded) {
  ASSERT_TRUE(Add("job", Every{1s}).ok());
  result_ = std::string(100'000, 'x');
  for (int i = 1; i <= 100; ++i) RunAt(kStart + 1s * i);
  EXPECT_THAT(Status("job").history, SizeIs(Scheduler::kKeptRuns));
  EXPECT_EQ(Status("job").runs, 100u);
  EXPECT_LT(kept_["job"].size(), 64u << 10);
}

TEST_F(SchedulerTest, AJobThatMayRunAgainWritesNothingButItsPause) {
  const auto add = [&] {
    return Add("sample", Every{10s}, MissedRuns::kSkip, KeptState::kPauseOnly);
  };
  ASSERT_TRUE(add().ok());
  const int before = saves_;
  for (int i = 1; i <= 20; ++i) EXPECT_EQ(RunAt(kStart + 10s * i), 1u);
  EXPECT_EQ(saves_, before);
  ASSERT_TRUE(scheduler_->Pause("sample").ok());
  Restart();
  ASSERT_TRUE(add().ok());
  EXPECT_TRUE(Status("sample").paused);
}

TEST_F(SchedulerTest, RefusesWhatIsNoJob) {
  EXPECT_EQ(Add("", Every{1s}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("../x", Every{1s}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add(std::string(65, 'x'), Every{1s}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("x", Every{0s}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("x", Daily{24h}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Add("x", Daily{-1min}).code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(scheduler_->Add({.name = "x"}, nullptr).code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(Add("x", Every{1s}).ok());
  EXPECT_EQ(Add("x", Every{1s}).code(), absl::StatusCode::kAlreadyExists);
  for (const absl::Status& status : {scheduler_->Pause("y"), scheduler_->Resume("y"),
                                     scheduler_->RunNow("y"), scheduler_->GetJob("y").status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  }
}

TEST_F(SchedulerTest, AStopKeepsTheRestFromStarting) {
  std::stop_source stop;
  ASSERT_TRUE(scheduler_
                  ->Add({.name = "first", .timing = Every{1s}},
                        [&](const JobContext& context) {
                          stop.request_stop();
                          EXPECT_TRUE(context.stop.stop_requested());
                          return std::string();
                        })
                  .ok());
  ASSERT_TRUE(Add("second", Every{2s}).ok());
  now_ = kStart + 10s;
  EXPECT_EQ(scheduler_->RunDue(stop.get_token()), 1u);
  EXPECT_THAT(runs_, IsEmpty());
}

TEST_F(SchedulerTest, ThreadsShareTheJobsAndRunEachOnce) {
  std::atomic<int> running = 0;
  std::atomic<int> ran = 0;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(scheduler_
                    ->Add({.name = "job" + std::to_string(i), .timing = Every{1s}},
                          [&](const JobContext&) {
                            ++running;
                            ++ran;
                            --running;
                            return std::string();
                          })
                    .ok());
  }
  now_ = kStart + 1s;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { scheduler_->RunDue(); });
  for (int i = 0; i < 50; ++i) scheduler_->Jobs();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ran, 20);
  EXPECT_EQ(running, 0);
}

}  // namespace
}  // namespace nta
