// DNS over UDP and TCP, and its relatives with the same messages: mDNS and LLMNR.
#ifndef NTA_APP_DNS_H_
#define NTA_APP_DNS_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kDnsParser;     // UDP
extern const Parser kDnsTcpParser;  // TCP
extern const Parser kMdnsParser;    // UDP, port 5353
extern const Parser kLlmnrParser;   // UDP and TCP, port 5355

}  // namespace nta::internal

#endif  // NTA_APP_DNS_H_
