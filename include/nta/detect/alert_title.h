// AlertTitle: what an alert is, in few words for people.
//
//   std::cout << nta::AlertTitle(alert) << ": " << alert.summary << '\n';
#ifndef NTA_DETECT_ALERT_TITLE_H_
#define NTA_DETECT_ALERT_TITLE_H_

#include <string>

#include "nta/detect/alert.h"

namespace nta {

// "Port scan"; for an alert rule its own title; for what policy forbids which policy that is:
// "Internal service reached from outside".
std::string AlertTitle(const Alert& alert);

}  // namespace nta

#endif  // NTA_DETECT_ALERT_TITLE_H_
