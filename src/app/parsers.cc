#include "app/parsers.h"

#include <bit>

#include "app/dns.h"
#include "app/dtls.h"
#include "app/http.h"
#include "app/quic.h"
#include "app/rows.h"
#include "app/ssh.h"
#include "app/tls.h"

namespace nta::internal {
namespace {

constexpr auto kTcpParsers = std::to_array<const Parser*>({
    &kTlsParser,
    &kHttpParser,
    &kHttp2Parser,
    &kSshParser,
    &kDnsTcpParser,
    &kDceRpcParser,
    &kSmbParser,
    &kNetbiosSessionParser,
    &kBittorrentStreamParser,
    &kBgpParser,
    &kVncParser,
    &kRtspParser,
    &kSipParser,
    &kXmppParser,
    &kDnp3Parser,
    &kMqttParser,
    &kMongodbParser,
    &kRdpParser,
    &kS7commParser,
    &kMssqlParser,
    &kPostgresqlParser,
    &kLdapParser,
    &kKerberosStreamParser,
    &kOracleParser,
    &kMysqlParser,
    &kRpcStreamParser,
    &kEthernetIpParser,
    &kSmtpParser,
    &kFtpParser,
    &kPop3Parser,
    &kImapParser,
    &kIrcParser,
    &kRedisParser,
    &kMemcachedStreamParser,
    &kTelnetParser,
    &kRtmpParser,
    &kOpenvpnStreamParser,
    &kSocksParser,
    &kModbusParser,
    &kSyslogStreamParser,
    &kFtpDataParser,
});
constexpr auto kUdpParsers = std::to_array<const Parser*>({
    &kDnsParser,        &kMdnsParser,       &kLlmnrParser,     &kQuicParser,    &kDtlsParser,
    &kSnmpParser,       &kLdapParser,       &kKerberosParser,  &kSipParser,     &kSsdpParser,
    &kSyslogParser,     &kDhcpParser,       &kStunParser,      &kIkeParser,     &kNetbiosParser,
    &kNtpParser,        &kRpcParser,        &kRadiusParser,    &kBacnetParser,  &kDnp3Parser,
    &kEthernetIpParser, &kNetflowParser,    &kGtpParser,       &kVxlanParser,   &kGeneveParser,
    &kTeredoParser,     &kBittorrentParser, &kWireguardParser, &kOpenvpnParser, &kMemcachedParser,
    &kDhcpv6Parser,     &kTftpParser,       &kCoapParser,      &kRtcpParser,    &kRtpParser,
});
static_assert(kTcpParsers.size() <= 64 && kUdpParsers.size() <= 64);

}  // namespace

std::span<const Parser* const> TcpParsers() { return kTcpParsers; }
std::span<const Parser* const> UdpParsers() { return kUdpParsers; }

ParserTable::ParserTable(std::span<const Parser* const> parsers) : parsers_(parsers) {
  for (std::size_t i = 0; i < parsers.size(); ++i) {
    for (std::size_t byte = 0; byte < candidates_.size(); ++byte) {
      if (parsers[i]->first_bytes.Contains(byte)) candidates_[byte] |= std::uint64_t{1} << i;
    }
  }
}

MatchResult ParserTable::Match(const Payload& payload) const {
  MatchResult result;
  for (std::uint64_t left = candidates_[payload.bytes[0]]; left != 0; left &= left - 1) {
    const Parser* parser = parsers_[static_cast<std::size_t>(std::countr_zero(left))];
    switch (parser->match(payload)) {
      case Verdict::kNo:
        break;
      case Verdict::kNeedMore:
        result.need_more = true;
        break;
      case Verdict::kYes:
        return {parser, false};
    }
  }
  return result;
}

}  // namespace nta::internal
