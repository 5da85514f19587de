// Values as columns, and back.
#ifndef NTA_STORE_ROWS_H_
#define NTA_STORE_ROWS_H_

#include <string_view>

#include "nta/flow/flow_record.h"
#include "store/sqlite.h"

namespace nta::store {

// The columns of a flow behind its id, in the order of BindFlow and ReadFlow.
inline constexpr std::string_view kFlowColumns =
    "first_seen, last_seen, protocol, source_address, source_port, destination_address, "
    "destination_port, vlan, forward_packets, forward_wire_bytes, forward_ip_bytes, "
    "forward_payload_bytes, reverse_packets, reverse_wire_bytes, reverse_ip_bytes, "
    "reverse_payload_bytes, forward_tcp_flags, reverse_tcp_flags, outcome, end_reason";

void BindFlow(Statement& statement, const FlowRecord& flow);
// DataLoss when a column holds what no flow has.
absl::StatusOr<FlowRecord> ReadFlow(Statement& statement, int first_column);

// 4 or 16 bytes.
absl::StatusOr<IpAddress> ReadAddress(Statement& statement, int column);

inline std::int64_t ToInteger(Timestamp time) { return time.time_since_epoch().count(); }
inline Timestamp ToTimestamp(std::int64_t nanoseconds) { return Timestamp(Duration(nanoseconds)); }

}  // namespace nta::store

#endif  // NTA_STORE_ROWS_H_
