// Notices: what has happened to the server itself and stays to be read until somebody dismisses it.
#ifndef NTA_SERVER_NOTICES_NOTICES_H_
#define NTA_SERVER_NOTICES_NOTICES_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "nta/store/store.h"

namespace nta::server {

struct Notice {
  std::string id;
  std::string kind;  // "store.salvaged", "store.empty", "backup.restored", "backup.recovered"
  std::string text;  // a sentence or two for people; no paths
  Timestamp time{};
};
std::string ToJson(const Notice& notice);

// Kept as documents of the store. Thread-safe.
class Notices {
 public:
  static constexpr std::size_t kMost = 32;  // the oldest go

  // Borrows `store`.
  explicit Notices(Store& store) : store_(store) {}

  // Reads them from the store: at the start, and after a restore.
  void Load();
  // Also logs it. A notice that cannot be stored is kept in memory all the same.
  void Add(std::string_view kind, std::string_view text, Timestamp now);
  // NotFound.
  absl::Status Dismiss(std::string_view id);
  std::vector<Notice> List() const;  // newest first

 private:
  Store& store_;
  mutable absl::Mutex mutex_;
  std::vector<Notice> notices_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace nta::server

#endif  // NTA_SERVER_NOTICES_NOTICES_H_
