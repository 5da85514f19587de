// DailySummaries: what each day was, in a few numbers and one sentence.
#ifndef NTA_SERVER_OPERATIONS_DAILY_SUMMARY_H_
#define NTA_SERVER_OPERATIONS_DAILY_SUMMARY_H_

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/time.h"
#include "nta/schedule/job_timing.h"
#include "nta/store/store.h"

namespace nta::server {

struct DailySummary {
  std::string day;   // "2026-11-21", of the local calendar
  std::string text;  // for a mail or a log line
  std::string json;  // docs/rest_api.md
};

// Thread-safe.
class DailySummaries {
 public:
  static constexpr std::string_view kKind = "daily_summary";
  static constexpr std::size_t kKept = 400;

  // Borrows `store`.
  DailySummaries(Store& store, ZoneOffset offset) : store_(store), offset_(std::move(offset)) {}

  // Sums up the local day before the one of `now`, keeps it, and forgets the oldest beyond kKept.
  absl::StatusOr<DailySummary> Make(Timestamp now);
  // Newest first.
  absl::StatusOr<std::vector<std::string>> Latest(std::size_t limit) const;

 private:
  Store& store_;
  const ZoneOffset offset_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_DAILY_SUMMARY_H_
