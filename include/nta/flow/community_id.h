// CommunityId(): the name of a flow that other tools (Zeek, Suricata, Wireshark, ...) give it, too.
//
//   nta::CommunityId(flow)      // "1:LQU9qZlK+B5F3KDmev6m5PMibrg="
#ifndef NTA_FLOW_COMMUNITY_ID_H_
#define NTA_FLOW_COMMUNITY_ID_H_

#include <cstdint>
#include <string>

#include "nta/flow/flow_record.h"

namespace nta {

// Community ID version 1 (github.com/corelight/community-id-spec): SHA-1 of seed, addresses,
// protocol and ports, the same for both directions. The seed must be that of the other tools. ICMP
// has the type of `flow.icmp` in place of ports. Empty if the cryptographic library refuses SHA-1.
std::string CommunityId(const FlowRecord& flow, std::uint16_t seed = 0);

}  // namespace nta

#endif  // NTA_FLOW_COMMUNITY_ID_H_
