// JobState: what is kept of a job between two lives of the program.
#ifndef NTA_SCHEDULE_JOB_STATE_H_
#define NTA_SCHEDULE_JOB_STATE_H_

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/schedule/scheduler.h"

namespace nta::schedule {

struct JobState {
  JobTiming timing;            // by which next_due was found
  bool timing_is_set = false;  // by SetTiming
  bool paused = false;
  ScheduleTime next_due{};
  std::uint64_t runs = 0;
  std::uint64_t failures = 0;
  std::uint64_t missed = 0;
  std::uint64_t failures_in_a_row = 0;
  std::deque<JobRun> history;  // newest first; the first one may be running
};

// One line of JSON.
std::string Encode(const JobState& state);
// DataLoss when the text is not what Encode makes.
absl::StatusOr<JobState> Decode(std::string_view text);

}  // namespace nta::schedule

#endif  // NTA_SCHEDULE_JOB_STATE_H_
