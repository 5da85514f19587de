// SchedulerTest: a scheduler with a clock that tests drive, and a place to keep states that
// outlives it.
#ifndef NTA_TESTS_SCHEDULE_SCHEDULE_FIXTURE_H_
#define NTA_TESTS_SCHEDULE_SCHEDULE_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nta/schedule/scheduler.h"

namespace nta {

class SchedulerTest : public testing::Test {
 protected:
  SchedulerTest() { Restart(); }

  // The program ends, however it ends, and starts anew on what was kept.
  void Restart() {
    scheduler_ = std::make_unique<Scheduler>(SchedulerOptions{
        .clock = [this] { return now_; },
        .load = [this](std::string_view job) -> absl::StatusOr<std::optional<std::string>> {
          if (!load_status_.ok()) return load_status_;
          const auto found = kept_.find(std::string(job));
          if (found == kept_.end()) return std::nullopt;
          return found->second;
        },
        .save = [this](std::string_view job, std::string_view state) -> absl::Status {
          if (!save_status_.ok()) return save_status_;
          ++saves_;
          kept_[std::string(job)] = state;
          return absl::OkStatus();
        },
        .local_offset = offset_});
  }

  absl::Status Add(const std::string& name, JobTiming timing,
                   MissedRuns missed = MissedRuns::kRunOnce,
                   KeptState kept = KeptState::kEveryRun) {
    return scheduler_->Add({.name = name, .timing = timing, .missed = missed, .kept = kept},
                           [this, name](const JobContext& context) {
                             runs_.push_back(name);
                             contexts_.push_back(context);
                             return result_;
                           });
  }

  JobStatus Status(const std::string& name) { return *scheduler_->GetJob(name); }
  std::size_t RunAt(ScheduleTime now) {
    now_ = now;
    return scheduler_->RunDue();
  }

  static constexpr ScheduleTime kStart{std::chrono::seconds(1'800'000'000)};
  ScheduleTime now_ = kStart;
  ZoneOffset offset_ = [](ScheduleTime) { return std::chrono::seconds(0); };
  std::map<std::string, std::string> kept_;
  int saves_ = 0;
  absl::Status load_status_;
  absl::Status save_status_;
  absl::StatusOr<std::string> result_ = std::string("done");
  std::vector<std::string> runs_;
  std::vector<JobContext> contexts_;
  std::unique_ptr<Scheduler> scheduler_;
};

}  // namespace nta

#endif  // NTA_TESTS_SCHEDULE_SCHEDULE_FIXTURE_H_
