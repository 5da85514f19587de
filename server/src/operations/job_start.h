// Long work that a request begins.
#ifndef NTA_SERVER_OPERATIONS_JOB_START_H_
#define NTA_SERVER_OPERATIONS_JOB_START_H_

#include "http/http.h"
#include "http/routes.h"
#include "operations/jobs.h"

namespace nta::server {

struct Services;

// Begins a job of the caller's: 202 with the job, or why it cannot begin. How it ends is recorded
// in the audit trail as the outcome of the request's act. `spec` needs no owner.
Response StartJob(Services& services, const Call& call, JobSpec spec, JobWork work);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_JOB_START_H_
