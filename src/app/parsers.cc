#include "app/parsers.h"

#include <algorithm>
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

// What a parser asks of a byte behind the first one, of 16 bytes or more: most of those that take
// any first byte, or zero, need not be called for traffic that nobody knows.
struct LaterByte {
  const Parser* parser;
  std::size_t offset;  // 1 to 4
  FirstBytes bytes;
};
constexpr auto kLaterBytes = std::to_array<LaterByte>({
    {&kHttp2Parser, 3, FirstBytes::Of({4, ' '})},  // the type SETTINGS; "PRI "
    {&kSmbParser, 4, FirstBytes::Range(0xFC, 0xFF)},
    {&kMongodbParser, 3, FirstBytes::Range(0, 2)},  // lengths up to 48,000,000, little endian
    {&kMysqlParser, 2, FirstBytes::Of({0})},        // lengths up to 1,024, little endian
    {&kMysqlParser, 3, FirstBytes::Of({0})},        // the first packet
    {&kMysqlParser, 4, FirstBytes::Of({10, 0xFF})},
    {&kKerberosStreamParser, 1, FirstBytes::Range(0, 0x10)},  // lengths up to a mebibyte
    {&kKerberosStreamParser, 4, FirstBytes::Range(0x6A, 0x7E)},
    {&kPostgresqlParser, 1, FirstBytes::Of({0})},
    {&kPostgresqlParser, 4, FirstBytes::Of({0, 4})},  // version 3, or a request's number
    {&kOracleParser, 4, FirstBytes::Of({1})},         // the type CONNECT
    {&kModbusParser, 2, FirstBytes::Of({0})},         // the protocol's number is 0
    {&kModbusParser, 3, FirstBytes::Of({0})},
    {&kModbusParser, 4, FirstBytes::Of({0, 1})},
    {&kOpenvpnStreamParser, 2, FirstBytes::Of({0x38, 0x40, 0x50})},
    {&kNetflowParser, 1, FirstBytes::Range(1, 10)},
});

}  // namespace

std::span<const Parser* const> TcpParsers() { return kTcpParsers; }
std::span<const Parser* const> UdpParsers() { return kUdpParsers; }

ParserTable::ParserTable(std::span<const Parser* const> parsers) : parsers_(parsers) {
  for (std::size_t i = 0; i < parsers.size(); ++i) {
    for (std::size_t byte = 0; byte < candidates_.size(); ++byte) {
      if (parsers[i]->first_bytes.Contains(byte)) candidates_[byte] |= std::uint64_t{1} << i;
    }
  }
  for (auto& of_byte : later_) of_byte.fill(~std::uint64_t{0});
  for (const LaterByte& later : kLaterBytes) {
    const auto place = std::ranges::find(parsers, later.parser);
    if (place == parsers.end()) continue;
    const std::uint64_t bit = std::uint64_t{1} << (place - parsers.begin());
    for (std::size_t byte = 0; byte < 256; ++byte) {
      if (!later.bytes.Contains(byte)) later_[later.offset - 1][byte] &= ~bit;
    }
  }
}

MatchResult ParserTable::Match(const Payload& payload) const {
  MatchResult result;
  for (std::uint64_t left = CandidatesFor(payload.bytes); left != 0; left &= left - 1) {
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
