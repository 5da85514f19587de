// What the routes of incidents share with those of their evidence.
#ifndef NTA_SERVER_HANDLERS_INCIDENT_EVIDENCE_H_
#define NTA_SERVER_HANDLERS_INCIDENT_EVIDENCE_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "app.h"

namespace nta::server {

IncidentActor ActorOf(Services& services, const Call& call);
// Errors of incidents name a field or a number, and hold no inner thing.
Response FromIncidentStatus(const absl::Status& status);
Response AnswerIncident(const absl::StatusOr<Incident>& incident, int success = 200);
absl::StatusOr<std::int64_t> ReadNumber(std::string_view text);
absl::StatusOr<Timestamp> ReadTime(const Call& call, std::string_view name, Timestamp now);

Response PostEvidence(Services& services, const Call& call);
// Stored flows as evidence.
Response PostEvidenceFlows(Services& services, const Call& call);
// The packets before an alert as evidence.
Response PostEvidencePackets(Services& services, const Call& call);
Response GetEvidence(Services& services, const Call& call);
Response DeleteEvidence(Services& services, const Call& call);
Response ExportIncident(Services& services, const Call& call);

}  // namespace nta::server

#endif  // NTA_SERVER_HANDLERS_INCIDENT_EVIDENCE_H_
