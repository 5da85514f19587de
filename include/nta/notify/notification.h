// Notification: what people and machines are told, whatever the way it takes.
//
//   nta::Notification news = nta::AlertNotification(alert, nta::ToJson(alert));
#ifndef NTA_NOTIFY_NOTIFICATION_H_
#define NTA_NOTIFY_NOTIFICATION_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "nta/detect/alert.h"
#include "nta/net/time.h"

namespace nta {

struct Notification {
  std::string id{};  // of the alert; the same for a second attempt, so that receivers can tell
  Timestamp time{};
  Severity severity = Severity::kInfo;
  std::string kind{};                                        // "alert", "digest", "test"
  std::string subject{};                                     // one line
  std::string text{};                                        // a sentence or a few
  std::vector<std::pair<std::string, std::string>> facts{};  // name and value, in order
  // For machines: a JSON value, or empty.
  std::string json{};
  std::string alert_class{};  // of an alert
  std::string state{};        // of an alert: "open", "updated", "closed"

  friend bool operator==(const Notification&, const Notification&) = default;
};

// `json` is the alert as JSON, as machines shall get it.
Notification AlertNotification(const Alert& alert, std::string json);
// Several in one. `all` has at least one entry; at most 50 of them are spelled out.
Notification DigestNotification(std::span<const Notification> all, Timestamp now);
// What the test button sends.
Notification TestNotification(Timestamp now);

// A way to tell somebody. Implement it to add your own. One thread at a time.
class NotificationChannel {
 public:
  virtual ~NotificationChannel() = default;

  // "email", "webhook", "syslog", or your own
  virtual std::string_view kind() const = 0;
  // Delivers, or says why not: InvalidArgument when this notification will never be taken; anything
  // else is worth another attempt. Errors hold no secrets.
  virtual absl::Status Send(const Notification& notification, Timestamp now) = 0;
};

}  // namespace nta

#endif  // NTA_NOTIFY_NOTIFICATION_H_
