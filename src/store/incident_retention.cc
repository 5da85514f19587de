#include "store/incident_retention.h"

#include <algorithm>

#include "base/status.h"
#include "nta/store/incidents.h"
#include "store/incident_json.h"

namespace nta::store {
namespace {

// As it is kept: text, and files as base64.
std::uint64_t BytesOf(const Document& document, const Incident& incident) {
  std::uint64_t bytes = document.id.size() + document.body.size();
  for (const IncidentEvidence& evidence : incident.evidence) {
    bytes += (evidence.size_bytes + 2) / 3 * 4;
  }
  return bytes;
}

}  // namespace

absl::StatusOr<IncidentUsage> ListIncidents(Backend& backend) {
  IncidentUsage usage;
  DocumentQuery query{.kind = std::string(kIncidentKind), .limit = 100, .cursor = {}};
  do {
    NTA_ASSIGN_OR_RETURN(const DocumentPage page, backend.Documents(query));
    for (const Document& document : page.documents) {
      const absl::StatusOr<Incident> incident = DecodeIncident(document.body);
      ++usage.all.count;
      // What nobody can read is not deleted by itself either.
      const std::uint64_t bytes =
          incident.ok() ? BytesOf(document, *incident) : document.body.size();
      usage.all.bytes += bytes;
      if (incident.ok() && incident->ended) {
        usage.ended.push_back({incident->id, *incident->ended, bytes});
      }
    }
    query.cursor = page.next_cursor;
  } while (!query.cursor.empty());
  std::stable_sort(usage.ended.begin(), usage.ended.end(),
                   [](const auto& a, const auto& b) { return a.time < b.time; });
  return usage;
}

IncidentsToGo ChooseIncidents(const IncidentUsage& usage, const RetentionPolicy& policy,
                              Timestamp now) {
  IncidentsToGo going;
  std::uint64_t bytes = usage.all.bytes;
  for (const IncidentUsage::Ended& incident : usage.ended) {
    if (policy.incident_age && incident.time < now - *policy.incident_age) {
      ++going.by_age;
    } else if (policy.incident_bytes && bytes > *policy.incident_bytes) {
      ++going.by_bytes;
    } else {
      break;
    }
    bytes -= incident.bytes;
  }
  return going;
}

absl::StatusOr<std::uint64_t> DeleteIncidents(Store& store, const IncidentUsage& usage,
                                              const IncidentsToGo& going) {
  Incidents incidents(store);
  std::uint64_t deleted = 0;
  for (std::size_t i = 0; i < going.by_age + going.by_bytes; ++i) {
    const IncidentUsage::Ended& old = usage.ended[i];
    const absl::StatusOr<Incident> present = incidents.Get(old.id);
    if (absl::IsNotFound(present.status())) continue;
    NTA_RETURN_IF_ERROR(present.status());
    if (present->ended != old.time) continue;
    NTA_RETURN_IF_ERROR(incidents.Remove(old.id));
    ++deleted;
  }
  return deleted;
}

}  // namespace nta::store
