#include "base/status.h"
#include "store/backend.h"

namespace nta::store {

absl::StatusOr<std::unique_ptr<Backend>> OpenPostgres(const StoreOptions&) {
  return base::MakeStatus(absl::StatusCode::kUnimplemented,
                          "this libnta was built without PostgreSQL (libpq)");
}

}  // namespace nta::store
