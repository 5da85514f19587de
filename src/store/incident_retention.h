// Which incidents a policy does not keep. They are documents, so every backend has them alike.
#ifndef NTA_STORE_INCIDENT_RETENTION_H_
#define NTA_STORE_INCIDENT_RETENTION_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/store/store.h"
#include "store/backend.h"

namespace nta::store {

struct IncidentUsage {
  struct Ended {
    std::string id;
    Timestamp time{};
    std::uint64_t bytes = 0;
  };
  KindUsage all;
  std::vector<Ended> ended;  // resolved or closed, the oldest first
};
// Reads every incident; of evidence only what incidents tell of it.
absl::StatusOr<IncidentUsage> ListIncidents(Backend& backend);

// How many of `usage.ended` go, from the first on.
struct IncidentsToGo {
  std::size_t by_age = 0;
  std::size_t by_bytes = 0;  // behind those
};
IncidentsToGo ChooseIncidents(const IncidentUsage& usage, const RetentionPolicy& policy,
                              Timestamp now);

// Answers how many went. One that was opened again meanwhile stays.
absl::StatusOr<std::uint64_t> DeleteIncidents(Store& store, const IncidentUsage& usage,
                                              const IncidentsToGo& going);

}  // namespace nta::store

#endif  // NTA_STORE_INCIDENT_RETENTION_H_
