// LinkTypeOfDlt: from libpcap's numbers to those of capture files.
#ifndef NTA_CAPTURE_LINK_TYPE_H_
#define NTA_CAPTURE_LINK_TYPE_H_

#include "nta/packet/packet.h"

namespace nta::internal {

// Most DLT_ numbers are the same on every system and in files; a few old ones are not
// (https://www.tcpdump.org/linktypes.html).
LinkType LinkTypeOfDlt(int dlt);

}  // namespace nta::internal

#endif  // NTA_CAPTURE_LINK_TYPE_H_
