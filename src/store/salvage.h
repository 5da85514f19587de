// Salvage: what to do with a store that is damaged.
#ifndef NTA_STORE_SALVAGE_H_
#define NTA_STORE_SALVAGE_H_

#include <string>

#include "absl/status/statusor.h"
#include "nta/store/store.h"

namespace nta::store {

// Moves the file and its log out of the way; answers where it is now.
absl::StatusOr<std::string> Quarantine(const std::string& path);

// Brings what can be read of the file at `path`, page by page, into `store` and counts it; the file
// stays as it is.
absl::Status Salvage(const std::string& path, Store& store, SalvageReport& report);

}  // namespace nta::store

#endif  // NTA_STORE_SALVAGE_H_
