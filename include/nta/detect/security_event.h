// SecurityEvent: what an application knows and packets do not show, such as a failed log-in.
//
//   detector.ObserveEvent({.time = now, .source = client, .service = "https", .user = "root",
//                          .outcome = nta::SecurityOutcome::kFailure}, alerts);
#ifndef NTA_DETECT_SECURITY_EVENT_H_
#define NTA_DETECT_SECURITY_EVENT_H_

#include <cstdint>
#include <optional>
#include <string>

#include "nta/net/ip_address.h"
#include "nta/net/time.h"

namespace nta {

enum class SecurityEventKind : std::uint8_t { kLogin = 0 };

enum class SecurityOutcome : std::uint8_t { kSuccess = 0, kFailure = 1 };

struct SecurityEvent {
  Timestamp time{};
  SecurityEventKind kind = SecurityEventKind::kLogin;
  IpAddress source;                      // who tried
  std::optional<IpAddress> destination;  // on which host, if that is known
  std::string service;                   // "ssh", "nta-server"
  std::string user;                      // empty: not known
  SecurityOutcome outcome = SecurityOutcome::kFailure;
  std::string reason;  // "wrong password"

  friend bool operator==(const SecurityEvent&, const SecurityEvent&) = default;
};

}  // namespace nta

#endif  // NTA_DETECT_SECURITY_EVENT_H_
