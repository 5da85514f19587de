// TarWriter: files into a tar archive (POSIX.1-1988 "ustar"), piece by piece.
#ifndef NTA_STORE_TAR_WRITER_H_
#define NTA_STORE_TAR_WRITER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "nta/net/time.h"

namespace nta::store {

class TarWriter {
 public:
  using Write = std::function<absl::Status(std::string_view)>;
  // Borrows `write`. All files have `time`.
  TarWriter(const Write& write, Timestamp time) : write_(write), time_(time) {}

  // A file of exactly `size` bytes follows by Append. `name` has at most 100 bytes.
  absl::Status Begin(std::string_view name, std::uint64_t size);
  absl::Status Append(std::string_view bytes);
  absl::Status Add(std::string_view name, std::string_view bytes);
  absl::Status Finish();

 private:
  // Fills the last file up to a whole block.
  absl::Status Pad();

  const Write& write_;
  const Timestamp time_;
  std::uint64_t in_file_ = 0;
};

}  // namespace nta::store

#endif  // NTA_STORE_TAR_WRITER_H_
