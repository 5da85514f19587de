// Any text as a block list: bounded, and every answer is an entry.
#include <cstdlib>
#include <string_view>

#include "nta/detect/block_list.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto list = nta::BlockList::Parse(text, "fuzz", 100);
  if (!list.ok()) return 0;
  if (list->size() > 100) std::abort();
  const auto by_name = list->Match(text.substr(0, 100));
  const auto by_address = list->Match(nta::IpAddress::V4(10, 0, 0, 1));
  if ((by_name && by_name->empty()) || (by_address && by_address->empty())) std::abort();
  return 0;
}
