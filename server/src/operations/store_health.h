// StoreHealth: whether the store can be written, without flapping. A disk that is full still takes
// a small write now and then.
#ifndef NTA_SERVER_OPERATIONS_STORE_HEALTH_H_
#define NTA_SERVER_OPERATIONS_STORE_HEALTH_H_

#include <chrono>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "nta/net/time.h"
#include "nta/store/store.h"

namespace nta::server {

// Thread-safe.
class StoreHealth {
 public:
  // Trouble lasts for so long after its last sign.
  static constexpr Duration kHold = std::chrono::seconds(15);

  // What something that was asked of the store, or written to it, came to at `now` (monotonic). OK
  // says nothing. True when trouble begins with it.
  bool Tell(const absl::Status& status, Duration now);
  // Writes into the store: little while all is well; when trouble might be over, as much as whoever
  // stores flows does. True when trouble ends with it.
  bool Probe(Store& store, Duration now);

  bool is_well() const { return trouble().ok(); }
  // The last sign of the trouble that lasts; OK when there is none.
  absl::Status trouble() const;

 private:
  mutable absl::Mutex mutex_;
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);
  Duration last_sign_ ABSL_GUARDED_BY(mutex_){};
};

// "the disk is full", for people who may not know of the server's inner things.
std::string WhyInWords(const absl::Status& trouble);

}  // namespace nta::server

#endif  // NTA_SERVER_OPERATIONS_STORE_HEALTH_H_
