#include "base/status.h"
#include "nta/app/ndpi_namer.h"

namespace nta {

bool HasNdpi() { return false; }

absl::StatusOr<std::unique_ptr<ApplicationNamer>> CreateNdpiNamer(NdpiOptions) {
  return base::MakeStatus(absl::StatusCode::kUnimplemented,
                          "libnta was built without nDPI (NTA_WITH_NDPI)");
}

}  // namespace nta
