// Any text as the header, the manifest and the verdict of a backup: an answer or DataLoss, and what
// is read is written and read as the same.
#include <cstdlib>
#include <string_view>

#include "backup/manifest.h"

namespace {

template <typename Parse>
void Check(std::string_view text, Parse parse) {
  const auto value = parse(text);
  if (!value.ok()) return;
  const auto written = nta::backup::ToText(*value);
  const auto again = parse(std::string_view(written));
  if (!again.ok() || nta::backup::ToText(*again) != written) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  Check(text, nta::backup::ParseHeader);
  Check(text, nta::backup::ParseManifest);
  Check(text, nta::backup::ParseVerdict);
  return 0;
}
