// The rows of the protocols, one for each transport; parsers.cc says in which order they are asked.
#ifndef NTA_APP_ROWS_H_
#define NTA_APP_ROWS_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kBacnetParser;
extern const Parser kBittorrentParser;
extern const Parser kBittorrentStreamParser;
extern const Parser kCoapParser;
extern const Parser kDhcpParser;
extern const Parser kDhcpv6Parser;
extern const Parser kGeneveParser;
extern const Parser kGtpParser;
extern const Parser kIkeParser;
extern const Parser kKerberosParser;
extern const Parser kKerberosStreamParser;
extern const Parser kNetbiosParser;
extern const Parser kNetbiosSessionParser;
extern const Parser kNetflowParser;
extern const Parser kNtpParser;
extern const Parser kOpenvpnParser;
extern const Parser kOpenvpnStreamParser;
extern const Parser kRadiusParser;
extern const Parser kRpcParser;
extern const Parser kRpcStreamParser;
extern const Parser kRtcpParser;
extern const Parser kRtpParser;
extern const Parser kSnmpParser;
extern const Parser kSsdpParser;
extern const Parser kStunParser;
extern const Parser kSyslogParser;
extern const Parser kSyslogStreamParser;
extern const Parser kTeredoParser;
extern const Parser kTftpParser;
extern const Parser kVxlanParser;
extern const Parser kWireguardParser;

}  // namespace nta::internal

#endif  // NTA_APP_ROWS_H_
