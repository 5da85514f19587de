// What of a request is worth a record in the audit trail.
#ifndef NTA_SERVER_LOGGING_AUDIT_DETAILS_H_
#define NTA_SERVER_LOGGING_AUDIT_DETAILS_H_

#include <string>
#include <string_view>

#include "http/http.h"
#include "http/routes.h"

namespace nta::server {

// What was asked for: parameters and fields of the body by their names, secrets as "[redacted]".
// The path is the record's target.
NamedValues DetailsOf(const Route& route, const Call& call);

// JSON with the values of all members that are secrets by their name redacted, at every depth.
std::string WithoutSecrets(std::string_view json);

}  // namespace nta::server

#endif  // NTA_SERVER_LOGGING_AUDIT_DETAILS_H_
