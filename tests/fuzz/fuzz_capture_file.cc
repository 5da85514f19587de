// Any bytes as a capture file, through the parsers that PcapFileReader drives.
#include <algorithm>
#include <cstdlib>

#include "capture/record_parser.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::span<const std::uint8_t> rest(data, size);
  auto parser = nta::internal::RecordParser::ForFile(rest.first(std::min<std::size_t>(size, 16)));
  if (!parser.ok()) return 0;
  nta::PacketBatch batch;
  while (true) {
    batch.clear();
    const nta::internal::ParseStop stop = (*parser)->Parse(rest, 8, batch);
    using Reason = nta::internal::ParseStop::Reason;
    if (stop.consumed > rest.size()) std::abort();
    for (const nta::PacketView& packet : batch) {
      if (packet.bytes.empty()) continue;
      const std::uint8_t* const end = packet.bytes.data() + packet.bytes.size();
      if (packet.bytes.data() < rest.data() || end > rest.data() + stop.consumed) std::abort();
    }
    for (const nta::PacketComment& comment : (*parser)->comments()) {
      if (comment.packet >= batch.size()) std::abort();
    }
    rest = rest.subspan(stop.consumed);
    if (stop.reason == Reason::kDamaged) return 0;
    if (stop.reason == Reason::kNeedMore || stop.reason == Reason::kSkip) {
      if (stop.size <= rest.size()) std::abort();
      return 0;
    }
    if (batch.empty()) std::abort();  // would never end
  }
}
