// SubjectOf: what of an alert the firewall can answer.
#ifndef NTA_SERVER_FIREWALL_ALERT_SUBJECT_H_
#define NTA_SERVER_FIREWALL_ALERT_SUBJECT_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/detect/alert.h"
#include "nta/firewall/response.h"

namespace nta::server {

// FailedPrecondition: the alert names nobody to block. Scans and floods count as one-way: their
// sources need not be who they seem to be.
absl::StatusOr<ResponseSubject> SubjectOf(const Alert& alert);

struct ClassAnswer {
  std::string alert_class{};
  std::string why_not{};  // alerts of this class never block unasked; empty: they may
};
// Of all classes of alerts.
std::vector<ClassAnswer> AnsweringClasses();

}  // namespace nta::server

#endif  // NTA_SERVER_FIREWALL_ALERT_SUBJECT_H_
