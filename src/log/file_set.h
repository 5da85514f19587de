// The files of one log: the one that is written and those put aside.
#ifndef NTA_LOG_FILE_SET_H_
#define NTA_LOG_FILE_SET_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "nta/log/rotating_file_sink.h"

namespace nta::log {

struct PutAside {
  std::uint64_t number = 0;
  LogCompression packing = LogCompression::kNone;
  std::string path;
};

// "", ".gz", ".zst".
std::string_view Extension(LogCompression packing);
// "server.log.000017", to which an extension may follow.
std::string NumberedPath(const std::string& path, std::uint64_t number);

// By number; of one number the unpacked first. `leftovers` are packed files that were never
// finished. NotFound when there is no such directory.
absl::StatusOr<std::vector<PutAside>> ListPutAside(const std::string& path,
                                                   std::vector<std::string>* leftovers);

// Replaces a file by its packed self, so that at every instant one of the two is complete.
absl::Status Pack(const PutAside& file, LogCompression packing);

// Makes names in the directory of `path` last.
absl::Status SyncDirectory(const std::string& path);

// Packs what is not packed, and clears away what is beyond `rotation.keep`, half done or there
// twice.
absl::Status TidyUp(const std::string& path, const LogRotation& rotation);

}  // namespace nta::log

#endif  // NTA_LOG_FILE_SET_H_
