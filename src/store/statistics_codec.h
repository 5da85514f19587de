// FlowStatistics as bytes, and back (docs/store_format.md).
#ifndef NTA_STORE_STATISTICS_CODEC_H_
#define NTA_STORE_STATISTICS_CODEC_H_

#include <string>
#include <string_view>

#include "nta/flow/flow_statistics.h"

namespace nta::store {

std::string EncodeStatistics(const FlowStatistics& statistics);
// False when the bytes are damaged.
bool DecodeStatistics(std::string_view bytes, FlowStatistics& statistics);

}  // namespace nta::store

#endif  // NTA_STORE_STATISTICS_CODEC_H_
