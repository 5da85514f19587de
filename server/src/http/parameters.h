// Reading the parameters of a call. Errors are InvalidArgument and name the parameter.
#ifndef NTA_SERVER_HTTP_PARAMETERS_H_
#define NTA_SERVER_HTTP_PARAMETERS_H_

#include <cstddef>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "http/routes.h"
#include "nta/flow/flow_filter.h"
#include "nta/net/time.h"
#include "nta/store/store.h"

namespace nta::server {

// RFC 3339, "now", or so long ago: "-90s", "-15m", "-24h", "-7d".
absl::StatusOr<Timestamp> ParseMoment(std::string_view text, Timestamp now);

// `since` and `until`; the last hour by default.
absl::StatusOr<TimeInterval> ReadInterval(const Call& call, Timestamp now);

struct LimitRange {
  std::size_t default_value = 100;
  std::size_t max = 1000;
};
absl::StatusOr<std::size_t> ReadLimit(const Call& call, LimitRange range);

// `name`, one of "bytes", "packets", "flows"; bytes by default.
absl::StatusOr<Measure> ReadMeasure(const Call& call, std::string_view name);

// `where`; or the answer that says at which byte it is wrong.
std::optional<Response> ReadFilter(const Call& call, FlowFilter& filter);

// Of a question to the store: given up when whoever asked is gone.
inline QueryControl ControlOf(const Call& call) { return {.stop = call.request->stop}; }

// `step` in seconds; by default one that gives about 240 points.
absl::StatusOr<std::chrono::seconds> ReadStep(const Call& call, const TimeInterval& interval);

}  // namespace nta::server

#endif  // NTA_SERVER_HTTP_PARAMETERS_H_
