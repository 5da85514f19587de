// Health, schedules and their settings as JSON texts, with the field names of their structs.
//
//   std::cout << nta::ToJson(sample, nta::RatesBetween(before, sample)) << '\n';
#ifndef NTA_JSON_OPERATIONS_H_
#define NTA_JSON_OPERATIONS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/health/health.h"
#include "nta/health/health_watch.h"
#include "nta/health/rates.h"
#include "nta/schedule/scheduler.h"

namespace nta {

// One object on one line; each disk, interface, ... with its counters and, where there are any, its
// rates ("read_bytes_per_second"). docs/health.md.
std::string ToJson(const HealthSample& sample, const HealthRates& rates);
std::string ToJson(const HealthFinding& finding);
std::string ToJson(const HealthThreshold& threshold);
// docs/schedule.md.
std::string ToJson(const JobStatus& status);

// An array of what ToJson(HealthThreshold) gives. InvalidArgument names what is wrong.
absl::StatusOr<std::vector<HealthThreshold>> HealthThresholdsFromJson(std::string_view text);
// An array of what ToJson(HealthFinding) gives.
absl::StatusOr<std::vector<HealthFinding>> HealthFindingsFromJson(std::string_view text);

}  // namespace nta

#endif  // NTA_JSON_OPERATIONS_H_
