// What a store asks of the file system before SQLite touches it.
#ifndef NTA_STORE_FILE_H_
#define NTA_STORE_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace nta::store {

// Creates an empty file that only its owner may read (SQLite gives its log the same mode) when
// `create` says so, or checks that what is there can be a store. Errors as Store::Open.
absl::Status CreateOrCheckFile(const std::string& path, bool create);

// An empty file beside `path` that only its owner may read; its name.
absl::StatusOr<std::string> MakeTemporaryFile(const std::string& path);
// Those of processes that were killed before they could.
void RemoveTemporaryFiles(const std::string& path);

// With its log; that there is none is no error.
void RemoveFile(const std::string& path);
// Of a closed store, for good: a power failure does not undo it.
absl::Status RenameFile(const std::string& from, const std::string& to);

// Whether `path` names one of the files of the store at `store`: the same name, or a link to it.
bool IsPartOf(const std::string& store, const std::string& path);

// `path` so that SQLite takes it for nothing but the name of a file.
std::string SqlitePath(const std::string& path);

}  // namespace nta::store

#endif  // NTA_STORE_FILE_H_
