// DurableScope: commits that survive a power failure.
#ifndef NTA_STORE_DURABLE_SCOPE_H_
#define NTA_STORE_DURABLE_SCOPE_H_

#include "absl/status/status.h"
#include "store/sqlite.h"

namespace nta::store {

// While it lives, what is committed survives a power failure, too. Traffic makes do with surviving
// the end of the process: the last moments before a power failure are lost either way.
class DurableScope {
 public:
  explicit DurableScope(Connection& connection) : connection_(connection) {
    status_ = connection_.Execute("PRAGMA synchronous=FULL");
  }
  ~DurableScope() { connection_.Execute("PRAGMA synchronous=NORMAL").IgnoreError(); }
  DurableScope(const DurableScope&) = delete;
  DurableScope& operator=(const DurableScope&) = delete;
  const absl::Status& status() const { return status_; }

 private:
  Connection& connection_;
  absl::Status status_;
};

}  // namespace nta::store

#endif  // NTA_STORE_DURABLE_SCOPE_H_
