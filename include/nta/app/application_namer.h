// ApplicationNamer: names flows that ApplicationInspector's own parsers have no name for.
//
//   nta::ApplicationInspectorOptions options;
//   options.make_namer = [] { return nta::CreateNdpiNamer(); };  // nta/app/ndpi_namer.h
#ifndef NTA_APP_APPLICATION_NAMER_H_
#define NTA_APP_APPLICATION_NAMER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "nta/flow/application.h"
#include "nta/flow/flow_inspector.h"

namespace nta {

// What a namer says of a flow, from its payload: a guess by port or address is no name.
struct NamedApplication {
  Application application = Application::kUnknown;  // of our list, when it has it
  ApplicationCategory category = ApplicationCategory::kUnknown;
  std::string detail;  // a name beyond our list: "git", "steam"; may be empty
};

// Asked by an inspector, on its thread, about flows that it has not named itself. What it says
// never takes the place of what the inspector's own parsers say.
class ApplicationNamer {
 public:
  virtual ~ApplicationNamer() = default;

  // A packet with captured payload of a flow that has no name; `slot` as in FlowInspector. False
  // when no further packet of the flow need be shown.
  virtual bool Look(FlowSlot slot, bool is_forward, const DecodedPacket& packet) = 0;
  // Null while it knows nothing. Valid until the next call of another method.
  virtual const NamedApplication* NameOf(FlowSlot slot) const = 0;
  // The flow is over, or has a name from elsewhere. For slots that were never shown, too.
  virtual void Forget(FlowSlot slot) = 0;
  virtual std::size_t memory_bytes() const = 0;
};

// One for each inspector.
using ApplicationNamerFactory = std::function<absl::StatusOr<std::unique_ptr<ApplicationNamer>>()>;

}  // namespace nta

#endif  // NTA_APP_APPLICATION_NAMER_H_
