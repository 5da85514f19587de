// The tables of a store file, how they came about, and how a file is opened.
#ifndef NTA_STORE_SCHEMA_H_
#define NTA_STORE_SCHEMA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/schema_version.h"
#include "store/sqlite.h"

namespace nta::store {

// The writing connection to the file at `path`, created where `create` allows it and migrated where
// needed. Errors as Store::Open; a file that is refused is left as it was.
absl::StatusOr<std::unique_ptr<Connection>> OpenForWriting(const std::string& path, bool create);
// A further connection to a file that OpenForWriting has accepted; it cannot change anything.
absl::StatusOr<std::unique_ptr<Connection>> OpenForReading(const std::string& path);

// An empty store beside the one at `path` that nobody else sees and that ends with its connection.
absl::StatusOr<std::unique_ptr<Connection>> OpenScratch(const std::string& path);

bool IsInMemory(const std::string& path);

}  // namespace nta::store

#endif  // NTA_STORE_SCHEMA_H_
