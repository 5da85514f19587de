// SyslogChannel: notifications as syslog messages (RFC 5424) over UDP (RFC 5426) or TCP (RFC 6587).
//
//   auto syslog = nta::SyslogChannel::Create({.host = "192.0.2.20"});
#ifndef NTA_NOTIFY_SYSLOG_H_
#define NTA_NOTIFY_SYSLOG_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "nta/notify/notification.h"

namespace nta {

enum class SyslogTransport : std::uint8_t { kUdp, kTcp };
std::string_view ToString(SyslogTransport transport);  // "udp", "tcp"
absl::StatusOr<SyslogTransport> ParseSyslogTransport(std::string_view text);

struct SyslogOptions {
  std::string host{};
  std::uint16_t port = 514;
  SyslogTransport transport = SyslogTransport::kUdp;
  int facility = 16;  // local0; 0 to 23
  std::string app_name = "nta";
  std::string host_name = "-";  // of this machine
  std::chrono::seconds timeout{10};
};

// One message, without framing: control characters of the notification are gone, and at most 8,192
// bytes are left of it.
std::string FormatSyslog(const SyslogOptions& options, const Notification& notification);

class SyslogChannel final : public NotificationChannel {
 public:
  static absl::StatusOr<std::unique_ptr<SyslogChannel>> Create(SyslogOptions options);

  std::string_view kind() const override { return "syslog"; }
  // Over UDP nobody says whether it has come.
  absl::Status Send(const Notification& notification, Timestamp now) override;

 private:
  explicit SyslogChannel(SyslogOptions options) : options_(std::move(options)) {}

  const SyslogOptions options_;
};

}  // namespace nta

#endif  // NTA_NOTIFY_SYSLOG_H_
