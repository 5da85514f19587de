// The rows of the protocols, one for each transport; parsers.cc says in which order they are asked.
#ifndef NTA_APP_ROWS_H_
#define NTA_APP_ROWS_H_

#include "app/parser.h"

namespace nta::internal {

extern const Parser kBacnetParser;
extern const Parser kBgpParser;
extern const Parser kBittorrentParser;
extern const Parser kBittorrentStreamParser;
extern const Parser kCoapParser;
extern const Parser kDceRpcParser;
extern const Parser kDhcpParser;
extern const Parser kDhcpv6Parser;
extern const Parser kDnp3Parser;
extern const Parser kEthernetIpParser;
extern const Parser kFtpDataParser;
extern const Parser kFtpParser;
extern const Parser kGeneveParser;
extern const Parser kGtpParser;
extern const Parser kIkeParser;
extern const Parser kImapParser;
extern const Parser kIrcParser;
extern const Parser kKerberosParser;
extern const Parser kKerberosStreamParser;
extern const Parser kLdapParser;
extern const Parser kMemcachedParser;
extern const Parser kMemcachedStreamParser;
extern const Parser kModbusParser;
extern const Parser kMongodbParser;
extern const Parser kMqttParser;
extern const Parser kMssqlParser;
extern const Parser kMysqlParser;
extern const Parser kNetbiosParser;
extern const Parser kNetbiosSessionParser;
extern const Parser kNetflowParser;
extern const Parser kNtpParser;
extern const Parser kOpenvpnParser;
extern const Parser kOpenvpnStreamParser;
extern const Parser kOracleParser;
extern const Parser kPop3Parser;
extern const Parser kPostgresqlParser;
extern const Parser kRadiusParser;
extern const Parser kRdpParser;
extern const Parser kRedisParser;
extern const Parser kRpcParser;
extern const Parser kRpcStreamParser;
extern const Parser kRtcpParser;
extern const Parser kRtmpParser;
extern const Parser kRtpParser;
extern const Parser kRtspParser;
extern const Parser kS7commParser;
extern const Parser kSipParser;
extern const Parser kSmbParser;
extern const Parser kSmtpParser;
extern const Parser kSnmpParser;
extern const Parser kSocksParser;
extern const Parser kSsdpParser;
extern const Parser kStunParser;
extern const Parser kSyslogParser;
extern const Parser kSyslogStreamParser;
extern const Parser kTelnetParser;
extern const Parser kTeredoParser;
extern const Parser kTftpParser;
extern const Parser kVncParser;
extern const Parser kVxlanParser;
extern const Parser kWireguardParser;
extern const Parser kXmppParser;

}  // namespace nta::internal

#endif  // NTA_APP_ROWS_H_
