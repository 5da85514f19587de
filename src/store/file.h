// What a store asks of the file system before SQLite touches it.
#ifndef NTA_STORE_FILE_H_
#define NTA_STORE_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace nta::store {

// Creates an empty file that only its owner may read (SQLite gives its log the same mode), or
// checks that what is there can be a store. Errors as Store::Open.
absl::Status CreateOrCheckFile(const std::string& path);

// `path` so that SQLite takes it for nothing but the name of a file.
std::string SqlitePath(const std::string& path);

}  // namespace nta::store

#endif  // NTA_STORE_FILE_H_
