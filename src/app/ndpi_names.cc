#include "app/ndpi_names.h"

#include <ndpi_api.h>

#include <algorithm>
#include <array>
#include <utility>

namespace nta::internal {
namespace {

constexpr auto kApplications = std::to_array<std::pair<std::uint16_t, Application>>({
    {NDPI_PROTOCOL_FTP_CONTROL, Application::kFtp},
    {NDPI_PROTOCOL_MAIL_POP, Application::kPop3},
    {NDPI_PROTOCOL_MAIL_SMTP, Application::kSmtp},
    {NDPI_PROTOCOL_MAIL_IMAP, Application::kImap},
    {NDPI_PROTOCOL_DNS, Application::kDns},
    {NDPI_PROTOCOL_HTTP, Application::kHttp},
    {NDPI_PROTOCOL_MDNS, Application::kMdns},
    {NDPI_PROTOCOL_NTP, Application::kNtp},
    {NDPI_PROTOCOL_NETBIOS, Application::kNetbios},
    {NDPI_PROTOCOL_NFS, Application::kNfs},
    {NDPI_PROTOCOL_SSDP, Application::kSsdp},
    {NDPI_PROTOCOL_BGP, Application::kBgp},
    {NDPI_PROTOCOL_SNMP, Application::kSnmp},
    {NDPI_PROTOCOL_SMBV1, Application::kSmb},
    {NDPI_PROTOCOL_SYSLOG, Application::kSyslog},
    {NDPI_PROTOCOL_DHCP, Application::kDhcp},
    {NDPI_PROTOCOL_POSTGRES, Application::kPostgresql},
    {NDPI_PROTOCOL_MYSQL, Application::kMysql},
    {NDPI_PROTOCOL_MAIL_POPS, Application::kTls},
    {NDPI_PROTOCOL_COAP, Application::kCoap},
    {NDPI_PROTOCOL_MAIL_SMTPS, Application::kTls},
    {NDPI_PROTOCOL_DTLS, Application::kDtls},
    {NDPI_PROTOCOL_BITTORRENT, Application::kBittorrent},
    {NDPI_PROTOCOL_MEMCACHED, Application::kMemcached},
    {NDPI_PROTOCOL_SMBV23, Application::kSmb},
    {NDPI_PROTOCOL_MODBUS, Application::kModbus},
    {NDPI_PROTOCOL_RTSP, Application::kRtsp},
    {NDPI_PROTOCOL_MAIL_IMAPS, Application::kTls},
    {NDPI_PROTOCOL_MONGODB, Application::kMongodb},
    {NDPI_PROTOCOL_IRC, Application::kIrc},
    {NDPI_PROTOCOL_JABBER, Application::kXmpp},
    {NDPI_PROTOCOL_TELNET, Application::kTelnet},
    {NDPI_PROTOCOL_STUN, Application::kStun},
    {NDPI_PROTOCOL_IP_IPSEC, Application::kIke},
    {NDPI_PROTOCOL_RTP, Application::kRtp},
    {NDPI_PROTOCOL_RDP, Application::kRdp},
    {NDPI_PROTOCOL_VNC, Application::kVnc},
    {NDPI_PROTOCOL_TLS, Application::kTls},
    {NDPI_PROTOCOL_SSH, Application::kSsh},
    {NDPI_PROTOCOL_TFTP, Application::kTftp},
    {NDPI_PROTOCOL_SIP, Application::kSip},
    {NDPI_PROTOCOL_DHCPV6, Application::kDhcpv6},
    {NDPI_PROTOCOL_KERBEROS, Application::kKerberos},
    {NDPI_PROTOCOL_LDAP, Application::kLdap},
    {NDPI_PROTOCOL_MSSQL_TDS, Application::kMssql},
    {NDPI_PROTOCOL_DCERPC, Application::kRpc},
    {NDPI_PROTOCOL_NETFLOW, Application::kNetflow},
    {NDPI_PROTOCOL_HTTP_CONNECT, Application::kHttp},
    {NDPI_PROTOCOL_HTTP_PROXY, Application::kHttp},
    {NDPI_PROTOCOL_RADIUS, Application::kRadius},
    {NDPI_PROTOCOL_GTP, Application::kGtp},
    {NDPI_PROTOCOL_LLMNR, Application::kLlmnr},
    {NDPI_PROTOCOL_OPENVPN, Application::kOpenvpn},
    {NDPI_PROTOCOL_RTCP, Application::kRtcp},
    {NDPI_PROTOCOL_ORACLE, Application::kOracle},
    {NDPI_PROTOCOL_SOCKS, Application::kSocks},
    {NDPI_PROTOCOL_RTMP, Application::kRtmp},
    {NDPI_PROTOCOL_FTP_DATA, Application::kFtpData},
    {NDPI_PROTOCOL_REDIS, Application::kRedis},
    {NDPI_PROTOCOL_QUIC, Application::kQuic},
    {NDPI_PROTOCOL_WIREGUARD, Application::kWireguard},
    {NDPI_PROTOCOL_TEREDO, Application::kTeredo},
    {NDPI_PROTOCOL_MQTT, Application::kMqtt},
    {NDPI_PROTOCOL_DNP3, Application::kDnp3},
    {NDPI_PROTOCOL_S7COMM, Application::kS7comm},
    {NDPI_PROTOCOL_WEBSOCKET, Application::kWebsocket},
    {NDPI_PROTOCOL_GTP_U, Application::kGtp},
    {NDPI_PROTOCOL_GTP_C, Application::kGtp},
    {NDPI_PROTOCOL_GTP_PRIME, Application::kGtp},
    {NDPI_PROTOCOL_ETHERNET_IP, Application::kEthernetIp},
});

constexpr auto kCategories = std::to_array<std::pair<int, ApplicationCategory>>({
    {NDPI_PROTOCOL_CATEGORY_MEDIA, ApplicationCategory::kVideo},
    {NDPI_PROTOCOL_CATEGORY_VPN, ApplicationCategory::kVpn},
    {NDPI_PROTOCOL_CATEGORY_MAIL, ApplicationCategory::kMail},
    {NDPI_PROTOCOL_CATEGORY_DATA_TRANSFER, ApplicationCategory::kFileTransfer},
    {NDPI_PROTOCOL_CATEGORY_WEB, ApplicationCategory::kWeb},
    {NDPI_PROTOCOL_CATEGORY_SOCIAL_NETWORK, ApplicationCategory::kSocial},
    {NDPI_PROTOCOL_CATEGORY_DOWNLOAD_FT, ApplicationCategory::kFileTransfer},
    {NDPI_PROTOCOL_CATEGORY_GAME, ApplicationCategory::kGaming},
    {NDPI_PROTOCOL_CATEGORY_CHAT, ApplicationCategory::kMessaging},
    {NDPI_PROTOCOL_CATEGORY_VOIP, ApplicationCategory::kVoice},
    {NDPI_PROTOCOL_CATEGORY_DATABASE, ApplicationCategory::kDatabase},
    {NDPI_PROTOCOL_CATEGORY_REMOTE_ACCESS, ApplicationCategory::kRemoteAccess},
    {NDPI_PROTOCOL_CATEGORY_CLOUD, ApplicationCategory::kCloud},
    {NDPI_PROTOCOL_CATEGORY_NETWORK, ApplicationCategory::kNetworkService},
    {NDPI_PROTOCOL_CATEGORY_COLLABORATIVE, ApplicationCategory::kCloud},
    {NDPI_PROTOCOL_CATEGORY_RPC, ApplicationCategory::kNetworkService},
    {NDPI_PROTOCOL_CATEGORY_STREAMING, ApplicationCategory::kVideo},
    {NDPI_PROTOCOL_CATEGORY_SYSTEM_OS, ApplicationCategory::kNetworkService},
    {NDPI_PROTOCOL_CATEGORY_SW_UPDATE, ApplicationCategory::kSoftwareUpdate},
    {NDPI_PROTOCOL_CATEGORY_MUSIC, ApplicationCategory::kMusic},
    {NDPI_PROTOCOL_CATEGORY_VIDEO, ApplicationCategory::kVideo},
    {NDPI_PROTOCOL_CATEGORY_SHOPPING, ApplicationCategory::kWeb},
    {NDPI_PROTOCOL_CATEGORY_PRODUCTIVITY, ApplicationCategory::kCloud},
    {NDPI_PROTOCOL_CATEGORY_FILE_SHARING, ApplicationCategory::kPeerToPeer},
    {NDPI_PROTOCOL_CATEGORY_CONNECTIVITY_CHECK, ApplicationCategory::kNetworkService},
    {NDPI_PROTOCOL_CATEGORY_IOT_SCADA, ApplicationCategory::kIndustrial},
    {NDPI_PROTOCOL_CATEGORY_VIRTUAL_ASSISTANT, ApplicationCategory::kCloud},
    {CUSTOM_CATEGORY_ADVERTISEMENT, ApplicationCategory::kAdvertising},
});

}  // namespace

Application ApplicationOfNdpi(std::uint16_t protocol) {
  const auto row = std::find_if(kApplications.begin(), kApplications.end(),
                                [protocol](const auto& each) { return each.first == protocol; });
  return row == kApplications.end() ? Application::kUnknown : row->second;
}

ApplicationCategory CategoryOfNdpi(int category) {
  const auto row = std::find_if(kCategories.begin(), kCategories.end(),
                                [category](const auto& each) { return each.first == category; });
  return row == kCategories.end() ? ApplicationCategory::kUnknown : row->second;
}

}  // namespace nta::internal
