// DataLock: while it lives, no other nta-server uses the same data directory.
#ifndef NTA_SERVER_DATA_LOCK_H_
#define NTA_SERVER_DATA_LOCK_H_

#include <string>
#include <utility>

#include "absl/status/statusor.h"

namespace nta::server {

class DataLock {
 public:
  // Unavailable when another process holds it. The kernel lets go of it when the process ends,
  // however it ends.
  static absl::StatusOr<DataLock> Take(const std::string& directory);
  DataLock(DataLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  DataLock& operator=(DataLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~DataLock();

 private:
  explicit DataLock(int descriptor) : descriptor_(descriptor) {}

  int descriptor_;
};

}  // namespace nta::server

#endif  // NTA_SERVER_DATA_LOCK_H_
