// What nta-server does by itself at set times, beside the jobs of Operations.
#ifndef NTA_SERVER_OPERATIONS_SCHEDULED_JOBS_H_
#define NTA_SERVER_OPERATIONS_SCHEDULED_JOBS_H_

#include "absl/status/status.h"
#include "app.h"

namespace nta::server {

// Log rotation by age, checkpoints of the audit trail, and a verified backup every night, each when
// there is something to do it with. Borrows `services`.
absl::Status AddScheduledJobs(Services& services);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_SCHEDULED_JOBS_H_
