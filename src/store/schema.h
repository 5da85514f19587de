// The tables of a store file, how they came about, and how a file is opened.
#ifndef NTA_STORE_SCHEMA_H_
#define NTA_STORE_SCHEMA_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "store/sqlite.h"

namespace nta::store {

// "nta1" in ASCII, in the header of the file: what `file` and other programs see.
inline constexpr std::int64_t kApplicationId = 0x6e746131;
// Raised by every migration.
inline constexpr std::int64_t kSchemaVersion = 2;

// The writing connection to the file at `path`, created or migrated where needed. Errors as
// Store::Open; a file that is refused is left as it was.
absl::StatusOr<std::unique_ptr<Connection>> OpenForWriting(const std::string& path);
// A further connection to a file that OpenForWriting has accepted; it cannot change anything.
absl::StatusOr<std::unique_ptr<Connection>> OpenForReading(const std::string& path);

bool IsInMemory(const std::string& path);

}  // namespace nta::store

#endif  // NTA_STORE_SCHEMA_H_
