// EmailChannel: notifications by SMTP (RFC 5321), through libcurl.
//
//   auto mail = nta::EmailChannel::Create({.host = "mail.example.org", .username = "nta",
//       .password = password, .from = "nta@example.org", .to = {"ops@example.org"}});
#ifndef NTA_NOTIFY_EMAIL_H_
#define NTA_NOTIFY_EMAIL_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/notify/notification.h"

namespace nta {

enum class EmailSecurity : std::uint8_t {
  kStartTls,  // refuses to go on when the server does not offer it
  kTls,       // from the first byte
  kNone,      // only without a password
};
std::string_view ToString(EmailSecurity security);  // "starttls", "tls", "none"
absl::StatusOr<EmailSecurity> ParseEmailSecurity(std::string_view text);

struct EmailOptions {
  std::string host{};
  std::uint16_t port = 587;
  EmailSecurity security = EmailSecurity::kStartTls;
  std::string username{};  // empty: no authentication
  std::string password{};
  std::string from{};  // "nta@example.org"
  std::vector<std::string> to{};
  std::string subject_prefix = "[nta]";
  // Certificates (PEM) that are trusted instead of the system's.
  std::string ca_file{};
  std::chrono::seconds timeout{20};
};

// The message: RFC 5322 headers, a plain text and a small HTML part. Nothing in the notification
// can add a header: control characters become spaces, other bytes than ASCII are encoded (RFC
// 2047).
std::string FormatEmail(const EmailOptions& options, const Notification& notification,
                        Timestamp now);

class EmailChannel final : public NotificationChannel {
 public:
  // InvalidArgument for a host or address that could be more than one, for none, or for a password
  // without TLS.
  static absl::StatusOr<std::unique_ptr<EmailChannel>> Create(EmailOptions options);

  std::string_view kind() const override { return "email"; }
  absl::Status Send(const Notification& notification, Timestamp now) override;

 private:
  explicit EmailChannel(EmailOptions options) : options_(std::move(options)) {}

  const EmailOptions options_;
};

}  // namespace nta

#endif  // NTA_NOTIFY_EMAIL_H_
