// CreateNdpiNamer(): names from nDPI, an optional component (NTA_WITH_NDPI, docs/applications.md).
//
//   if (nta::HasNdpi()) options.make_namer = [] { return nta::CreateNdpiNamer(); };
#ifndef NTA_APP_NDPI_NAMER_H_
#define NTA_APP_NDPI_NAMER_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "nta/app/application_namer.h"

namespace nta {

struct NdpiOptions {
  // Flows that nDPI looks at at once, 1 to 1,000,000, about 2 KiB each. When there are so many,
  // further ones are not shown to it.
  std::size_t max_flows = 16'384;
  // Packets with payload of one flow that are shown to it, 1 to 255.
  std::uint32_t max_packets = 16;
};

// Whether libnta was built with nDPI.
bool HasNdpi();

// Unimplemented when libnta was built without nDPI; FailedPrecondition when the nDPI that is
// installed is not the one that it was built with; InvalidArgument for an option out of range.
absl::StatusOr<std::unique_ptr<ApplicationNamer>> CreateNdpiNamer(NdpiOptions options = {});

}  // namespace nta

#endif  // NTA_APP_NDPI_NAMER_H_
