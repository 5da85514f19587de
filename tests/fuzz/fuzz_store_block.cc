// Columns, summaries and totals of a store from hostile bytes: an answer or DataLoss, within
// bounds.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "store/block_summary.h"
#include "store/checksum.h"
#include "store/column_codec.h"
#include "store/rollup_part.h"
#include "store/statistics_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace nta::store;
  if (size < 2) return 0;
  const std::uint8_t kind = data[0];
  const std::size_t rows = data[1];
  // With the right checksum, so that what lies behind it is reached.
  Bytes bytes(data + 2, data + size);
  const std::uint32_t checksum = Checksum(bytes);
  ByteWriter(bytes).U32(checksum);
  Decompressor decompressor;
  switch (kind % 7) {
    case 0:
      static_cast<void>(DecodeNumberColumn(bytes, rows, {}, decompressor));
      break;
    case 1:
      static_cast<void>(DecodeAddressColumn(bytes, rows, decompressor));
      break;
    case 2:
      static_cast<void>(DecodeTextColumn(bytes, rows, decompressor));
      break;
    case 3:
      static_cast<void>(BlockSummary::Decode(bytes));
      break;
    case 4:
      static_cast<void>(DecodeTrafficPart(bytes, TrafficSection::kAll, decompressor));
      break;
    case 5:
      static_cast<void>(DecodeAddressPart(bytes, decompressor));
      break;
    default: {
      nta::FlowStatistics statistics;
      static_cast<void>(
          DecodeStatistics({reinterpret_cast<const char*>(data) + 1, size - 1}, statistics));
    }
  }
  return 0;
}
