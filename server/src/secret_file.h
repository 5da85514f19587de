// The signing key: 32 random bytes in a file that only its owner can read.
#ifndef NTA_SERVER_SECRET_FILE_H_
#define NTA_SERVER_SECRET_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace nta::server {

// Reads the key, or makes it when there is none. FailedPrecondition when others may read the file,
// when it is no regular file (links are not followed), or when it is too short: a weak key is never
// used and never silently replaced.
absl::StatusOr<std::string> LoadOrCreateSecret(const std::string& path);

}  // namespace nta::server

#endif  // NTA_SERVER_SECRET_FILE_H_
