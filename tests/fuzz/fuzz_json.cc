// Any text as the JSON of values: what is read is written and read again.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "nta/json/json.h"
#include "nta/json/operations.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto flow = nta::FlowFromJson(text);
  if (flow.ok() && !nta::FlowFromJson(nta::ToJson(*flow)).ok()) __builtin_trap();
  const auto alert = nta::AlertFromJson(text);
  if (alert.ok() && !nta::AlertFromJson(nta::ToJson(*alert)).ok()) __builtin_trap();
  static_cast<void>(nta::HealthThresholdsFromJson(text));
  static_cast<void>(nta::HealthFindingsFromJson(text));
  return 0;
}
