// Incidents as JSON: what documents keep.
#ifndef NTA_STORE_INCIDENT_JSON_H_
#define NTA_STORE_INCIDENT_JSON_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/store/incident.h"

namespace nta::store {

// Of the documents that keep incidents.
inline constexpr std::string_view kIncidentKind = "incident";

// Everything but the version, which is the document's.
std::string EncodeIncident(const Incident& incident);
// DataLoss when the text is not what EncodeIncident makes.
absl::StatusOr<Incident> DecodeIncident(std::string_view text);
// The text again, on one line, when it is JSON of at most `most` bytes.
absl::StatusOr<std::string> CheckJson(std::string_view text, std::size_t most);
std::string QuoteJson(std::string_view text);

}  // namespace nta::store

#endif  // NTA_STORE_INCIDENT_JSON_H_
