// Any text as a flow filter: what parses, writes a text that parses to the same.
#include <cstdlib>
#include <string>

#include "nta/flow/flow_filter.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  nta::FilterError error;
  const auto filter = nta::FlowFilter::Parse(text, &error);
  if (!filter.ok()) {
    if (error.position > size || error.message.empty()) std::abort();
    return 0;
  }
  const nta::FlowRecord flow;
  const std::string canonical = filter->ToString();
  const auto again = nta::FlowFilter::Parse(canonical);
  if (canonical.size() > 4096) return 0;
  if (!again.ok() || again->ToString() != canonical ||
      again->Matches(flow) != filter->Matches(flow))
    std::abort();
  return 0;
}
