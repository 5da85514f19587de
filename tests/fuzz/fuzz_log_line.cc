// Any line as one of a log: what is read, is written as a line that is read, too.
#include <cstdlib>
#include <string>
#include <string_view>

#include "log/log_line.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto head = nta::log::ParseHead(line);
  if (!head) return 0;
  if (!head->rest.empty() && (head->rest.data() < line.data() ||
                              head->rest.data() + head->rest.size() > line.data() + line.size())) {
    std::abort();
  }
  const auto event = nta::log::ParseRest(*head);
  if (!event) return 0;
  for (const std::string& written : {nta::log::JsonLine(*event), nta::log::TextLine(*event)}) {
    std::string_view again = written;
    while (again.ends_with('\n')) again.remove_suffix(1);
    if (again.find('\n') != std::string_view::npos) std::abort();
    const auto head_again = nta::log::ParseHead(again);
    if (!head_again || !nta::log::ParseRest(*head_again)) std::abort();
  }
  return 0;
}
