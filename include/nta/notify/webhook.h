// WebhookChannel: notifications as signed HTTP POST requests, to addresses that may be told.
//
//   auto hook = nta::WebhookChannel::Create({.url = "https://chat.example.org/hook",
//                                            .secret = secret});
#ifndef NTA_NOTIFY_WEBHOOK_H_
#define NTA_NOTIFY_WEBHOOK_H_

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nta/net/ip_address.h"
#include "nta/notify/notification.h"

namespace nta {

// The addresses of a host name.
using HostResolver = std::function<absl::StatusOr<std::vector<IpAddress>>(const std::string& host)>;

struct WebhookOptions {
  std::string url{};     // http or https
  std::string secret{};  // for the signature; empty: requests are not signed
  // Networks of one's own that may be told, although they are not public ("10.1.0.0/16").
  std::vector<IpPrefix> allowed_networks{};
  std::string ca_file{};  // PEM; instead of the system's
  std::chrono::seconds timeout{10};
  HostResolver resolver{};  // empty: the system's
};

// Where a request goes: the address was looked up once, and is used as it was checked.
struct WebhookTarget {
  std::string url;
  std::string host;
  std::uint16_t port = 0;
  IpAddress address;
};

// Whether the address belongs to the public internet: not loopback, private, link-local, shared,
// reserved, documentation or multicast, and no IPv6 address that holds such an IPv4 one.
bool IsPublicAddress(const IpAddress& address);

// InvalidArgument for an address that is no web address (other schemes, user names, no host),
// PermissionDenied when any address of its host is neither public nor allowed, Unavailable when the
// host has none.
absl::StatusOr<WebhookTarget> FindWebhookTarget(const WebhookOptions& options);

// "v1=<hex>": HMAC-SHA256 with `secret` over "<timestamp>.<body>", where timestamp is seconds since
// 1970 in decimal.
std::string SignWebhook(std::string_view secret, std::int64_t timestamp, std::string_view body);
// What receivers do: true when the signature is right and no older or newer than `tolerance`.
bool VerifyWebhook(std::string_view secret, std::int64_t timestamp, std::string_view body,
                   std::string_view signature, std::int64_t now,
                   std::chrono::seconds tolerance = std::chrono::minutes(5));

// The request has the headers X-Nta-Timestamp, X-Nta-Signature and X-Nta-Delivery (the id), follows
// no redirect, uses no proxy and reads 4 KiB of the answer at the most.
class WebhookChannel final : public NotificationChannel {
 public:
  // InvalidArgument as FindWebhookTarget has it; the host is looked up when something is sent.
  static absl::StatusOr<std::unique_ptr<WebhookChannel>> Create(WebhookOptions options);

  std::string_view kind() const override { return "webhook"; }
  absl::Status Send(const Notification& notification, Timestamp now) override;

 private:
  explicit WebhookChannel(WebhookOptions options) : options_(std::move(options)) {}

  const WebhookOptions options_;
};

// {"id", "time", "severity", "kind", "subject", "text", "alert" or "alerts"}
std::string FormatWebhook(const Notification& notification);

}  // namespace nta

#endif  // NTA_NOTIFY_WEBHOOK_H_
