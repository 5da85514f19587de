// Any bytes as records of an audit trail, from the front and from the end.
#include <cstdlib>
#include <span>

#include "audit/record_codec.h"
#include "audit/segment.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace audit = nta::audit;
  std::span<const std::uint8_t> rest(data, size);
  // May be more than there is: then the record begins before these bytes.
  if (audit::SizeFromTail(rest) > audit::kMaxRecordBytes) std::abort();
  audit::RawRecord record;
  while (audit::ParseRecord(rest, record) == audit::Parsed::kRecord) {
    if (record.bytes.size() < audit::kMinRecordBytes || record.bytes.size() > rest.size()) {
      std::abort();
    }
    static_cast<void>(audit::DecodeRecord(record));
    static_cast<void>(audit::ParseSegmentHead(record));
    rest = rest.subspan(record.bytes.size());
  }
  return 0;
}
