// Any bytes as a capture file, through the parsers that PcapFileReader drives.
#include <algorithm>
#include <cstdlib>

#include "capture/record_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest(data, size);
  auto parser = nta::internal::RecordParser::ForFile(rest.first(std::min<std::size_t>(size, 16)));
  if (!parser.ok()) return 0;
  while (true) {
    const nta::internal::Record record = (*parser)->Next(rest);
    using Kind = nta::internal::Record::Kind;
    if (record.kind == Kind::kDamaged) return 0;
    if (record.kind == Kind::kNeedMore) {
      if (record.size <= rest.size()) std::abort();
      return 0;
    }
    if (record.size == 0) std::abort();  // would never end
    if (record.size > rest.size()) {
      if (record.kind == Kind::kPacket) std::abort();
      return 0;
    }
    if (record.kind == Kind::kPacket && !record.packet.bytes.empty()) {
      const std::uint8_t* const end = record.packet.bytes.data() + record.packet.bytes.size();
      if (record.packet.bytes.data() < rest.data() || end > rest.data() + record.size) std::abort();
    }
    rest = rest.subspan(record.size);
  }
}
