#include "capture/link_type.h"

#include <pcap/dlt.h>

namespace nta::internal {

LinkType LinkTypeOfDlt(int dlt) {
  switch (dlt) {
    case DLT_RAW:  // of tunnel devices; 101 in files
      return LinkType::kRaw;
    case DLT_ATM_RFC1483:
      return LinkType::kAtmRfc1483;
    default:
      return static_cast<LinkType>(dlt);
  }
}

}  // namespace nta::internal
