// What findings of the health watch mean, in words for a tired person.
#ifndef NTA_SERVER_OPERATIONS_HEALTH_WORDS_H_
#define NTA_SERVER_OPERATIONS_HEALTH_WORDS_H_

#include <string>
#include <vector>

#include "nta/detect/alert.h"
#include "nta/health/health_watch.h"

namespace nta::server {

// "The file system /srv is 93 % full."
std::string InWords(const HealthFinding& finding);
// The alert of a finding: one id from when it is raised until it is over.
Alert ToAlert(const HealthFinding& finding);
// Of the values that the server itself adds: the stages of its pipeline, its store, API and jobs.
std::vector<HealthThreshold> ServerHealthThresholds();

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_HEALTH_WORDS_H_
