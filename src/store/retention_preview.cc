#include "store/retention_preview.h"

#include <algorithm>
#include <chrono>

#include "base/status.h"
#include "store/checks.h"
#include "store/incident_retention.h"
#include "store/usage.h"

namespace nta::store {
namespace {

// Flows that ended before `time`, a whole hour, from the totals.
absl::StatusOr<std::uint64_t> CountFlowsBefore(Backend& backend, Timestamp time) {
  TopQuery query{.interval = {Timestamp::min(), time}, .dimension = TopDimension::kProtocol};
  query.limit = 1;
  NTA_ASSIGN_OR_RETURN(const TopResult before, backend.Top(query, {}));
  return before.total.flows;
}

// What is left to a kind when so many have gone.
KindUsage Without(KindUsage usage, std::uint64_t gone) {
  const std::uint64_t left = usage.count - std::min(usage.count, gone);
  if (usage.count > 0) {
    usage.bytes =
        static_cast<std::uint64_t>(static_cast<double>(usage.bytes) * static_cast<double>(left) /
                                   static_cast<double>(usage.count));
  }
  usage.count = left;
  return usage;
}

absl::Status AddAges(Backend& backend, const RetentionPolicy& policy, Timestamp now,
                     RetentionPreview& preview) {
  if (policy.flow_age) {
    const auto cut = std::chrono::floor<std::chrono::hours>(now - *policy.flow_age);
    NTA_ASSIGN_OR_RETURN(preview.flows, CountFlowsBefore(backend, cut));
  }
  if (policy.alert_age) {
    NTA_ASSIGN_OR_RETURN(preview.alerts,
                         backend.CountBefore(RowKind::kAlerts, now - *policy.alert_age));
  }
  if (policy.sample_age) {
    NTA_ASSIGN_OR_RETURN(preview.samples,
                         backend.CountBefore(RowKind::kSamples, now - *policy.sample_age));
  }
  return absl::OkStatus();
}

absl::Status AddBytes(Backend& backend, const RetentionPolicy& policy, RetentionPreview& preview) {
  if (!policy.flow_bytes && !policy.alert_bytes && !policy.sample_bytes) return absl::OkStatus();
  NTA_ASSIGN_OR_RETURN(const StoreUsage usage, backend.Usage());
  if (policy.flow_bytes) {
    preview.flows_by_bytes = RowsBeyond(Without(usage.flows, preview.flows), *policy.flow_bytes);
  }
  if (policy.alert_bytes) {
    preview.alerts_by_bytes =
        RowsBeyond(Without(usage.alerts, preview.alerts), *policy.alert_bytes);
  }
  if (policy.sample_bytes) {
    preview.samples_by_bytes =
        RowsBeyond(Without(usage.samples, preview.samples), *policy.sample_bytes);
  }
  return absl::OkStatus();
}

absl::Status AddSize(Backend& backend, std::uint64_t most, RetentionPreview& preview) {
  NTA_ASSIGN_OR_RETURN(const StoreSize size, backend.Size());
  const KindUsage all{.count = size.flows, .bytes = size.file_bytes - size.free_bytes};
  preview.over_max_bytes = all.bytes > most;
  if (!preview.over_max_bytes) return absl::OkStatus();
  preview.excess_bytes = all.bytes - most;
  preview.flows_by_size = RowsBeyond(all, most);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RetentionPreview> PreviewRetention(Backend& backend, const RetentionPolicy& policy,
                                                  Timestamp now) {
  NTA_RETURN_IF_ERROR(CheckRetention(policy));
  RetentionPreview preview;
  NTA_RETURN_IF_ERROR(AddAges(backend, policy, now, preview));
  NTA_RETURN_IF_ERROR(AddBytes(backend, policy, preview));
  if (policy.incident_age || policy.incident_bytes) {
    NTA_ASSIGN_OR_RETURN(const IncidentUsage usage, ListIncidents(backend));
    const IncidentsToGo going = ChooseIncidents(usage, policy, now);
    preview.incidents = going.by_age;
    preview.incidents_by_bytes = going.by_bytes;
  }
  if (policy.max_bytes) NTA_RETURN_IF_ERROR(AddSize(backend, *policy.max_bytes, preview));
  return preview;
}

}  // namespace nta::store
