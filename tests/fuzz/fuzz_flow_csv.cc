// Any text as a CSV of flows, a header and lines: what is read, is written and read as the same.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "nta/export/flow_csv.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  // Headers are long: the first byte chooses one of ours, or that of the input.
  if (text.empty()) return 0;
  const auto columns = static_cast<nta::FlowCsvColumns>(text[0] & 1 ? 2 : 0);
  std::string header = nta::FlowCsvHeader(columns);
  const bool is_own = (text[0] & 2) == 0;
  text.remove_prefix(1);
  if (!is_own) {
    header = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), header.size() + 1));
  }
  while (header.ends_with('\n')) header.pop_back();
  const auto reader = nta::FlowCsvReader::Create(header);
  if (!reader.ok()) return 0;
  const std::string whole_header = nta::FlowCsvHeader(nta::FlowCsvColumns::kEverything);
  const auto whole =
      nta::FlowCsvReader::Create(whole_header.substr(0, whole_header.find_last_not_of('\n') + 1));
  if (!whole.ok()) std::abort();
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto flow = reader->Read(line);
    if (!flow.ok()) continue;
    std::string written;
    nta::AppendFlowCsv(*flow, written, nta::FlowCsvColumns::kEverything);
    written.pop_back();
    const auto again = whole->Read(written);
    if (!again.ok()) std::abort();
    std::string written_again;
    nta::AppendFlowCsv(*again, written_again, nta::FlowCsvColumns::kEverything);
    if (written_again != written + '\n') std::abort();
  }
  return 0;
}
