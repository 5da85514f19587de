// Application, ApplicationCategory: what a flow carries, by name and stable number
// (docs/applications.md).
//
//   if (flow.application == nta::Application::kTls) std::cout << flow.metadata->Find(...);
#ifndef NTA_FLOW_APPLICATION_H_
#define NTA_FLOW_APPLICATION_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "absl/status/statusor.h"

namespace nta {

// Numbers are persisted: append only.
enum class Application : std::uint16_t {
  kUnknown = 0,
  kDns = 1,
  kMdns = 2,
  kLlmnr = 3,
  kNetbios = 4,
  kTls = 5,
  kDtls = 6,
  kQuic = 7,
  kHttp = 8,
  kHttp2 = 9,
  kWebsocket = 10,
  kSsh = 11,
  kTelnet = 12,
  kFtp = 13,
  kFtpData = 14,
  kTftp = 15,
  kSmtp = 16,
  kPop3 = 17,
  kImap = 18,
  kSip = 19,
  kRtp = 20,
  kRtcp = 21,
  kRtsp = 22,
  kStun = 23,
  kDhcp = 24,
  kDhcpv6 = 25,
  kNtp = 26,
  kSnmp = 27,
  kSyslog = 28,
  kSmb = 29,
  kRdp = 30,
  kVnc = 31,
  kLdap = 32,
  kKerberos = 33,
  kRadius = 34,
  kMqtt = 35,
  kCoap = 36,
  kModbus = 37,
  kDnp3 = 38,
  kS7comm = 39,
  kEthernetIp = 40,
  kBacnet = 41,
  kBittorrent = 42,
  kWireguard = 43,
  kOpenvpn = 44,
  kIke = 45,
  kMysql = 46,
  kPostgresql = 47,
  kRedis = 48,
  kMongodb = 49,
  kMssql = 50,
  kOracle = 51,
  kMemcached = 52,
  kBgp = 53,
  kSsdp = 54,
  kIrc = 55,
  kXmpp = 56,
  kSocks = 57,
  kRpc = 58,
  kNfs = 59,
  kNetflow = 60,
  kRtmp = 61,
  kVxlan = 62,
  kGtp = 63,
  kTeredo = 64,
  kIcmp = 65,
  kGeneve = 66,
};
std::string_view ToString(Application application);  // "dns", "tls", ...; "unknown"
absl::StatusOr<Application> ParseApplication(std::string_view text);
// All of them, kUnknown first, ordered by number.
std::span<const Application> Applications();

// What the traffic serves. Numbers are persisted: append only.
enum class ApplicationCategory : std::uint8_t {
  kUnknown = 0,
  kWeb = 1,
  kNameResolution = 2,
  kNetworkService = 3,  // addresses, time, routing, management
  kMail = 4,
  kFileTransfer = 5,
  kRemoteAccess = 6,
  kAuthentication = 7,
  kDatabase = 8,
  kVoice = 9,  // and video calls
  kVideo = 10,
  kMusic = 11,
  kMessaging = 12,
  kSocial = 13,
  kGaming = 14,
  kCloud = 15,
  kSoftwareUpdate = 16,
  kAdvertising = 17,
  kVpn = 18,  // and other tunnels
  kPeerToPeer = 19,
  kIot = 20,
  kIndustrial = 21,
};
std::string_view ToString(ApplicationCategory category);  // "web", "name_resolution", ...
absl::StatusOr<ApplicationCategory> ParseApplicationCategory(std::string_view text);
// All of them, kUnknown first, ordered by number.
std::span<const ApplicationCategory> ApplicationCategories();
// The category of an application of which nothing else is known.
ApplicationCategory CategoryOf(Application application);

// How an application is known. Numbers are persisted. A port is a guess, not knowledge.
enum class ApplicationEvidence : std::uint8_t {
  kNone = 0,
  kPort = 1,     // a well-known port and nothing against it
  kName = 2,     // a host name that was resolved or asked for
  kPayload = 3,  // the protocol's own messages
};
std::string_view ToString(ApplicationEvidence evidence);  // "none", "port", "name", "payload"
absl::StatusOr<ApplicationEvidence> ParseApplicationEvidence(std::string_view text);

}  // namespace nta

#endif  // NTA_FLOW_APPLICATION_H_
