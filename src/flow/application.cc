#include "nta/flow/application.h"

#include <array>
#include <string>

#include "base/status.h"

namespace nta {
namespace {

struct ApplicationRow {
  Application application;
  std::string_view name;
  ApplicationCategory category;
};

// Ordered by number, without gaps: a number is the index of its row.
constexpr auto kApplications = std::to_array<ApplicationRow>({
    {Application::kUnknown, "unknown", ApplicationCategory::kUnknown},
    {Application::kDns, "dns", ApplicationCategory::kNameResolution},
    {Application::kMdns, "mdns", ApplicationCategory::kNameResolution},
    {Application::kLlmnr, "llmnr", ApplicationCategory::kNameResolution},
    {Application::kNetbios, "netbios", ApplicationCategory::kNameResolution},
    {Application::kTls, "tls", ApplicationCategory::kWeb},
    {Application::kDtls, "dtls", ApplicationCategory::kNetworkService},
    {Application::kQuic, "quic", ApplicationCategory::kWeb},
    {Application::kHttp, "http", ApplicationCategory::kWeb},
    {Application::kHttp2, "http2", ApplicationCategory::kWeb},
    {Application::kWebsocket, "websocket", ApplicationCategory::kWeb},
    {Application::kSsh, "ssh", ApplicationCategory::kRemoteAccess},
    {Application::kTelnet, "telnet", ApplicationCategory::kRemoteAccess},
    {Application::kFtp, "ftp", ApplicationCategory::kFileTransfer},
    {Application::kFtpData, "ftp_data", ApplicationCategory::kFileTransfer},
    {Application::kTftp, "tftp", ApplicationCategory::kFileTransfer},
    {Application::kSmtp, "smtp", ApplicationCategory::kMail},
    {Application::kPop3, "pop3", ApplicationCategory::kMail},
    {Application::kImap, "imap", ApplicationCategory::kMail},
    {Application::kSip, "sip", ApplicationCategory::kVoice},
    {Application::kRtp, "rtp", ApplicationCategory::kVoice},
    {Application::kRtcp, "rtcp", ApplicationCategory::kVoice},
    {Application::kRtsp, "rtsp", ApplicationCategory::kVideo},
    {Application::kStun, "stun", ApplicationCategory::kNetworkService},
    {Application::kDhcp, "dhcp", ApplicationCategory::kNetworkService},
    {Application::kDhcpv6, "dhcpv6", ApplicationCategory::kNetworkService},
    {Application::kNtp, "ntp", ApplicationCategory::kNetworkService},
    {Application::kSnmp, "snmp", ApplicationCategory::kNetworkService},
    {Application::kSyslog, "syslog", ApplicationCategory::kNetworkService},
    {Application::kSmb, "smb", ApplicationCategory::kFileTransfer},
    {Application::kRdp, "rdp", ApplicationCategory::kRemoteAccess},
    {Application::kVnc, "vnc", ApplicationCategory::kRemoteAccess},
    {Application::kLdap, "ldap", ApplicationCategory::kAuthentication},
    {Application::kKerberos, "kerberos", ApplicationCategory::kAuthentication},
    {Application::kRadius, "radius", ApplicationCategory::kAuthentication},
    {Application::kMqtt, "mqtt", ApplicationCategory::kIot},
    {Application::kCoap, "coap", ApplicationCategory::kIot},
    {Application::kModbus, "modbus", ApplicationCategory::kIndustrial},
    {Application::kDnp3, "dnp3", ApplicationCategory::kIndustrial},
    {Application::kS7comm, "s7comm", ApplicationCategory::kIndustrial},
    {Application::kEthernetIp, "ethernet_ip", ApplicationCategory::kIndustrial},
    {Application::kBacnet, "bacnet", ApplicationCategory::kIndustrial},
    {Application::kBittorrent, "bittorrent", ApplicationCategory::kPeerToPeer},
    {Application::kWireguard, "wireguard", ApplicationCategory::kVpn},
    {Application::kOpenvpn, "openvpn", ApplicationCategory::kVpn},
    {Application::kIke, "ike", ApplicationCategory::kVpn},
    {Application::kMysql, "mysql", ApplicationCategory::kDatabase},
    {Application::kPostgresql, "postgresql", ApplicationCategory::kDatabase},
    {Application::kRedis, "redis", ApplicationCategory::kDatabase},
    {Application::kMongodb, "mongodb", ApplicationCategory::kDatabase},
    {Application::kMssql, "mssql", ApplicationCategory::kDatabase},
    {Application::kOracle, "oracle", ApplicationCategory::kDatabase},
    {Application::kMemcached, "memcached", ApplicationCategory::kDatabase},
    {Application::kBgp, "bgp", ApplicationCategory::kNetworkService},
    {Application::kSsdp, "ssdp", ApplicationCategory::kNetworkService},
    {Application::kIrc, "irc", ApplicationCategory::kMessaging},
    {Application::kXmpp, "xmpp", ApplicationCategory::kMessaging},
    {Application::kSocks, "socks", ApplicationCategory::kWeb},
    {Application::kRpc, "rpc", ApplicationCategory::kNetworkService},
    {Application::kNfs, "nfs", ApplicationCategory::kFileTransfer},
    {Application::kNetflow, "netflow", ApplicationCategory::kNetworkService},
    {Application::kRtmp, "rtmp", ApplicationCategory::kVideo},
    {Application::kVxlan, "vxlan", ApplicationCategory::kVpn},
    {Application::kGtp, "gtp", ApplicationCategory::kVpn},
    {Application::kTeredo, "teredo", ApplicationCategory::kVpn},
    {Application::kIcmp, "icmp", ApplicationCategory::kNetworkService},
    {Application::kGeneve, "geneve", ApplicationCategory::kVpn},
});

constexpr std::array<std::string_view, 22> kCategories = {
    "unknown",
    "web",
    "name_resolution",
    "network_service",
    "mail",
    "file_transfer",
    "remote_access",
    "authentication",
    "database",
    "voice",
    "video",
    "music",
    "messaging",
    "social",
    "gaming",
    "cloud",
    "software_update",
    "advertising",
    "vpn",
    "peer_to_peer",
    "iot",
    "industrial",
};

constexpr std::array<std::string_view, 4> kEvidence = {"none", "port", "name", "payload"};

constexpr auto kNumbers = [] {
  std::array<Application, kApplications.size()> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = kApplications[i].application;
  return numbers;
}();

constexpr auto kCategoryNumbers = [] {
  std::array<ApplicationCategory, kCategories.size()> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<ApplicationCategory>(i);
  }
  return numbers;
}();

constexpr bool IsOrdered() {
  for (std::size_t i = 0; i < kApplications.size(); ++i) {
    if (static_cast<std::size_t>(kApplications[i].application) != i) return false;
  }
  return true;
}
static_assert(IsOrdered());

absl::Status NotKnown(std::string_view what, std::string_view text) {
  return base::InvalidArgument("not " + std::string(what) + ": \"" +
                               std::string(text.substr(0, 64)) + '"');
}

// The index of `text` as an enumerator.
template <typename Enum, std::size_t kSize>
absl::StatusOr<Enum> ParseName(const std::array<std::string_view, kSize>& names,
                               std::string_view text, std::string_view what) {
  for (std::size_t i = 0; i < kSize; ++i) {
    if (names[i] == text) return static_cast<Enum>(i);
  }
  return NotKnown(what, text);
}

template <typename Enum, std::size_t kSize>
std::string_view NameOf(const std::array<std::string_view, kSize>& names, Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < kSize ? names[i] : names[0];
}

}  // namespace

std::string_view ToString(Application application) {
  const auto i = static_cast<std::size_t>(application);
  return kApplications[i < kApplications.size() ? i : 0].name;
}

absl::StatusOr<Application> ParseApplication(std::string_view text) {
  for (const ApplicationRow& row : kApplications) {
    if (row.name == text) return row.application;
  }
  return NotKnown("an application", text);
}

std::span<const Application> Applications() { return kNumbers; }

std::string_view ToString(ApplicationCategory category) { return NameOf(kCategories, category); }

absl::StatusOr<ApplicationCategory> ParseApplicationCategory(std::string_view text) {
  return ParseName<ApplicationCategory>(kCategories, text, "an application category");
}

std::span<const ApplicationCategory> ApplicationCategories() { return kCategoryNumbers; }

ApplicationCategory CategoryOf(Application application) {
  const auto i = static_cast<std::size_t>(application);
  return kApplications[i < kApplications.size() ? i : 0].category;
}

std::string_view ToString(ApplicationEvidence evidence) { return NameOf(kEvidence, evidence); }

absl::StatusOr<ApplicationEvidence> ParseApplicationEvidence(std::string_view text) {
  return ParseName<ApplicationEvidence>(kEvidence, text, "application evidence");
}

}  // namespace nta
