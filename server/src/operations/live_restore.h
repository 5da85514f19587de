// LiveRestore: a restore under everybody's feet: who may go on, and what is read anew.
#ifndef NTA_SERVER_OPERATIONS_LIVE_RESTORE_H_
#define NTA_SERVER_OPERATIONS_LIVE_RESTORE_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "nta/store/store.h"

namespace nta::server {

struct Services;

// A store that was unpacked to be looked at.
absl::StatusOr<std::unique_ptr<Store>> OpenStaged(const std::string& path);

// What is said to the staged store, and to the services when it is in place.
class LiveRestore {
 public:
  explicit LiveRestore(Services& services) : services_(services) {}

  // FailedPrecondition when nobody could sign in after it.
  absl::Status Prepare(const std::string& staged);
  void Finish();

 private:
  Services& services_;
  std::optional<absl::MutexLock> lock_;
  std::vector<std::string> changed_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_LIVE_RESTORE_H_
