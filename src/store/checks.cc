#include "store/checks.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>

#include "base/status.h"
#include "store/minutes.h"

namespace nta::store {
namespace {

std::string Name(std::string_view kind, std::string_view id) {
  return std::string(kind) + " \"" + std::string(id) + "\"";
}

}  // namespace

absl::Status CheckFlow(const FlowRecord& flow) {
  if (flow.last_seen < flow.first_seen) {
    return base::InvalidArgument("a flow must not end before it begins");
  }
  // Unsigned, because the difference of far times overflows.
  const auto duration = static_cast<std::uint64_t>(flow.last_seen.time_since_epoch().count()) -
                        static_cast<std::uint64_t>(flow.first_seen.time_since_epoch().count());
  if (duration > static_cast<std::uint64_t>(Duration(kLongestFlow).count())) {
    return base::InvalidArgument("a flow must not last longer than 7 days");
  }
  if (FloorMinute(flow.first_seen) < -kLastMinute || FloorMinute(flow.last_seen) >= kLastMinute) {
    return base::InvalidArgument("a flow must lie between the years 1678 and 2262");
  }
  for (const FlowDirection* direction : {&flow.forward, &flow.reverse}) {
    if (direction->packets > kMaxCount || direction->wire_bytes > kMaxCount ||
        direction->ip_bytes > kMaxCount || direction->payload_bytes > kMaxCount) {
      return base::InvalidArgument("a counter of a flow must not exceed 2^53");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckFlows(std::span<const FlowRecord> flows) {
  for (std::size_t i = 0; i < flows.size(); ++i) {
    if (const absl::Status status = CheckFlow(flows[i]); !status.ok()) {
      return base::InvalidArgument("flow " + std::to_string(i) + ": " +
                                   std::string(status.message()));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckCounts(const CaptureCounts& counts) {
  for (const std::uint64_t count :
       {counts.packets_seen, counts.packets_dropped, counts.flows_evicted, counts.flows_dropped}) {
    if (count > kMaxCount) return base::InvalidArgument("a count must not exceed 2^53");
  }
  return absl::OkStatus();
}

absl::Status CheckInterval(const TimeInterval& interval) {
  return interval.since <= interval.until
             ? absl::OkStatus()
             : base::InvalidArgument("the interval ends before it begins");
}

absl::Status CheckLimit(std::size_t limit, std::size_t most) {
  return limit >= 1 && limit <= most
             ? absl::OkStatus()
             : base::InvalidArgument("limit must be from 1 to " + std::to_string(most));
}

absl::Status CheckName(std::string_view what, std::string_view name) {
  constexpr std::size_t kMaxNameBytes = 256;
  if (!name.empty() && name.size() <= kMaxNameBytes) return absl::OkStatus();
  return base::InvalidArgument(std::string(what) + " must have 1 to 256 bytes");
}

absl::Status CheckSetting(std::string_view name, std::string_view value) {
  constexpr std::size_t kMaxValueBytes = 1 << 20;
  NTA_RETURN_IF_ERROR(CheckName("the name of a setting", name));
  if (value.size() <= kMaxValueBytes) return absl::OkStatus();
  return base::InvalidArgument("the value of a setting must not exceed 1 MiB");
}

absl::Status CheckVersion(const Document& document, std::int64_t present) {
  if (document.version == Document::kAnyVersion || document.version == present) {
    return absl::OkStatus();
  }
  if (document.version == 0) {
    return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                            "there is " + Name(document.kind, document.id) + " already");
  }
  if (present == 0) return NoDocument(document.kind, document.id);
  return base::MakeStatus(absl::StatusCode::kAborted, Name(document.kind, document.id) +
                                                          " was changed meanwhile (version " +
                                                          std::to_string(present) + ", not " +
                                                          std::to_string(document.version) + ")");
}

absl::Status CheckDocument(const Document& document) {
  constexpr std::size_t kMaxBodyBytes = 4 << 20;
  NTA_RETURN_IF_ERROR(CheckName("the kind of a document", document.kind));
  NTA_RETURN_IF_ERROR(CheckName("the id of a document", document.id));
  if (document.body.size() > kMaxBodyBytes) {
    return base::InvalidArgument("a document must not exceed 4 MiB");
  }
  return absl::OkStatus();
}

absl::Status CheckSamples(std::span<const Sample> samples) {
  for (const Sample& sample : samples) {
    NTA_RETURN_IF_ERROR(CheckName("the name of a sample", sample.name));
    if (std::isfinite(sample.value)) continue;
    return base::InvalidArgument("the sample \"" + sample.name + "\" is not a finite number");
  }
  return absl::OkStatus();
}

absl::Status CheckSampleQuery(const SampleQuery& query) {
  NTA_RETURN_IF_ERROR(CheckInterval({query.since, query.until}));
  if (query.names.empty() || query.names.size() > 256) {
    return base::InvalidArgument("samples are asked for by 1 to 256 names");
  }
  if (query.step < std::chrono::seconds(1) || query.step > std::chrono::days(366)) {
    return base::InvalidArgument("the step of samples must be from a second to a year");
  }
  return absl::OkStatus();
}

absl::Status CheckRetention(const RetentionPolicy& policy) {
  for (const auto& age :
       {policy.flow_age, policy.alert_age, policy.sample_age, policy.incident_age}) {
    if (age && *age < std::chrono::hours(1)) {
      return base::InvalidArgument("what is kept is kept for an hour at least");
    }
  }
  return absl::OkStatus();
}

absl::Status NoAlert(std::string_view id) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no alert \"" + std::string(id) + "\"");
}

absl::Status NoUser(std::string_view username) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "there is no user \"" + std::string(username) + "\"");
}

absl::Status UserExists(std::string_view username) {
  return base::MakeStatus(absl::StatusCode::kAlreadyExists,
                          "there is a user \"" + std::string(username) + "\" already");
}

absl::Status IsLastAdmin(std::string_view username) {
  return base::MakeStatus(
      absl::StatusCode::kFailedPrecondition,
      "\"" + std::string(username) + "\" is the last administrator and stays one");
}

absl::Status NoSetting(std::string_view name) {
  return base::MakeStatus(absl::StatusCode::kNotFound,
                          "the setting \"" + std::string(name) + "\" is not set");
}

absl::Status NoDocument(std::string_view kind, std::string_view id) {
  return base::MakeStatus(absl::StatusCode::kNotFound, "there is no " + Name(kind, id));
}

absl::Status TooManySteps() {
  return base::InvalidArgument("more than 10,000 steps: ask for a longer step");
}

SampleSteps::SampleSteps(const SampleQuery& query)
    : step_(query.step),
      since_(Floor(query.since)),
      until_(query.until > Timestamp::max() - step_ ? Timestamp::max()
                                                    : Floor(query.until - Duration(1)) + step_) {}

Timestamp SampleSteps::Floor(Timestamp time) const {
  const Duration since_1970 = time.time_since_epoch();
  const Duration over = (since_1970 % step_ + step_) % step_;
  return since_1970 < Duration::min() + over ? Timestamp::min() : time - over;
}

bool SampleSteps::Add(Timestamp time, double value) {
  constexpr std::size_t kMaxSteps = 10'000;
  const Timestamp start = Floor(time);
  if (points_.empty() || points_.back().time != start) {
    if (points_.size() == kMaxSteps) return false;
    points_.push_back({.time = start, .count = 0, .minimum = value, .mean = 0, .maximum = value});
  }
  SamplePoint& point = points_.back();
  ++point.count;
  point.minimum = std::min(point.minimum, value);
  point.maximum = std::max(point.maximum, value);
  point.mean += (value - point.mean) / static_cast<double>(point.count);
  return true;
}

}  // namespace nta::store
