// Flow CSV: flows as lines of text (docs/formats.md).
//
//   std::cout << nta::kFlowCsvHeader << '\n';
//   nta::AppendFlowCsv(flow, line);
#ifndef NTA_EXPORT_FLOW_CSV_H_
#define NTA_EXPORT_FLOW_CSV_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "nta/flow/flow_record.h"

namespace nta {

// The column names, without a line end.
inline constexpr std::string_view kFlowCsvHeader =
    "first_seen,last_seen,protocol,source_address,source_port,destination_address,destination_port,"
    "vlan,forward_packets,forward_wire_bytes,forward_ip_bytes,forward_payload_bytes,reverse_"
    "packets,"
    "reverse_wire_bytes,reverse_ip_bytes,reverse_payload_bytes,forward_tcp_flags,reverse_tcp_flags,"
    "application,end_reason";

enum class FlowCsvColumns : std::uint8_t {
  kStandard,    // those of kFlowCsvHeader
  kStatistics,  // and after them what docs/flow_features.md defines
};
std::string FlowCsvHeader(FlowCsvColumns columns);

// Appends one line with its '\n'. Times are integer nanoseconds since 1970 UTC; absent values are
// empty. An application that only a port speaks for is absent.
void AppendFlowCsv(const FlowRecord& flow, std::string& out,
                   FlowCsvColumns columns = FlowCsvColumns::kStandard);

}  // namespace nta

#endif  // NTA_EXPORT_FLOW_CSV_H_
