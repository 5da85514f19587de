// Notifications: each user's own, and the channels and routes that take them out of the house.
#include <algorithm>
#include <string>
#include <utility>

#include "app.h"
#include "base/status.h"
#include "http/json_text.h"
#include "text.h"

namespace nta::server {
namespace {

Response FromNotifyStatus(const absl::Status& status) {
  const std::string message(status.message().data(), status.message().size());
  if (absl::IsNotFound(status)) return Problem(404, message);
  // An address that may not be told is a mistake of the request.
  if (absl::IsPermissionDenied(status)) return Problem(400, message);
  if (absl::IsAlreadyExists(status) || absl::IsFailedPrecondition(status)) {
    return Problem(409, message);
  }
  return FromStatus(status);
}

Response ListNotifications(Services& services, const Call& call) {
  const auto list = services.notifications.List(call.principal.account.username);
  const auto unread = std::count_if(list.begin(), list.end(),
                                    [](const InAppNotification& one) { return !one.read; });
  return Json(JsonObject()
                  .Add("unread", static_cast<std::uint64_t>(unread))
                  .AddJson("notifications",
                           JsonList(list, [](const InAppNotification& one) { return ToJson(one); }))
                  .Take());
}

Response PostRead(Services& services, const Call& call) {
  const absl::Status status =
      services.notifications.MarkRead(call.principal.account.username, call.Body("id"));
  return status.ok() ? ListNotifications(services, call) : FromNotifyStatus(status);
}

Response ClearNotifications(Services& services, const Call& call) {
  const absl::Status status = services.notifications.Clear(call.principal.account.username);
  return status.ok() ? NoContent() : FromNotifyStatus(status);
}

Response ListChannels(Services& services, const Call&) {
  const auto channels = services.notifications.Channels();
  const auto stats = services.notifications.Stats();
  return Json(JsonObject()
                  .AddJson("channels", JsonList(channels,
                                                [&](const ChannelSetup& one) {
                                                  const auto found = stats.find(one.id);
                                                  return ToJson(one, found == stats.end()
                                                                         ? ChannelStats{}
                                                                         : found->second);
                                                }))
                  .Take());
}

Response SaveChannel(Services& services, const Call& call, std::string id, bool is_new) {
  auto channel = ChannelFromJson(call.request->body);
  if (!channel.ok()) return FromNotifyStatus(channel.status());
  channel->id = std::move(id);
  const auto saved = services.notifications.PutChannel(*std::move(channel), is_new);
  if (!saved.ok()) return FromNotifyStatus(saved.status());
  return Json(ToJson(*saved, {}), is_new ? 201 : 200);
}

Response PostChannel(Services& services, const Call& call) {
  return SaveChannel(services, call, RandomToken(9), true);
}

Response PutChannel(Services& services, const Call& call) {
  return SaveChannel(services, call, std::string(call.Path("id")), false);
}

Response DeleteChannel(Services& services, const Call& call) {
  const absl::Status status = services.notifications.RemoveChannel(call.Path("id"));
  return status.ok() ? NoContent() : FromNotifyStatus(status);
}

// Always 200 for a channel that is there: that the message did not arrive is the answer.
Response PostTest(Services& services, const Call& call) {
  const absl::Status status = services.notifications.TestChannel(call.Path("id"));
  if (absl::IsNotFound(status)) return FromNotifyStatus(status);
  return Json(JsonObject()
                  .AddJson("delivered", status.ok() ? "true" : "false")
                  .Add("message", Printable(std::string(status.message())))
                  .Take());
}

Response ListRoutes(Services& services, const Call&) {
  const auto routes = services.notifications.Routes();
  return Json(
      JsonObject()
          .AddJson("routes",
                   JsonList(routes, [](const NotificationRoute& one) { return ToJson(one); }))
          .Take());
}

Response PutRoutes(Services& services, const Call& call) {
  auto routes = RoutesFromJson(call.Body("routes"));
  if (!routes.ok()) return FromNotifyStatus(routes.status());
  const absl::Status status = services.notifications.SetRoutes(*std::move(routes));
  return status.ok() ? ListRoutes(services, call) : FromNotifyStatus(status);
}

Route Mine(std::string method, std::string path, Handler handler, std::string summary,
           std::vector<Field> fields, std::string audit) {
  const bool removes = method == "DELETE";
  return {.method = std::move(method),
          .path = std::move(path),
          .access = Access::kViewer,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = {},
          .fields = std::move(fields),
          .success = removes ? 204 : 200,
          .answer = removes ? "" : "unread, notifications",
          .audit = std::move(audit)};
}

}  // namespace

std::vector<Route> NotificationRoutes() {
  const std::vector<Field> channel_fields = {
      {"name", "for people"},
      {"kind", "email, webhook or syslog"},
      {"settings", "see docs/notifications.md; password and secret are never given back",
       Need::kRequired, FieldType::kObject},
      {"enabled", "default true", Need::kOptional, FieldType::kBoolean}};
  const std::string channel = "id, name, kind, enabled, settings, status";
  Route list = Reading("/api/v1/notifications", ListNotifications, "My notifications, newest first",
                       {}, "unread, notifications");
  Route channels = Reading("/api/v1/notification-channels", ListChannels,
                           "Where notifications can go, and how that works", {}, "channels");
  Route routes =
      Reading("/api/v1/notification-routes", ListRoutes, "What goes where", {}, "routes");
  channels.access = routes.access = Access::kAdmin;
  const auto admin = [&](std::string method, std::string path, Handler handler, std::string summary,
                         std::vector<Field> fields, std::string answer, std::string audit) {
    Route route = Mine(std::move(method), std::move(path), handler, std::move(summary),
                       std::move(fields), std::move(audit));
    route.access = Access::kAdmin;
    route.answer = std::move(answer);
    return route;
  };
  Route add = admin("POST", "/api/v1/notification-channels", PostChannel, "Add a channel",
                    channel_fields, channel, "notification_channel.create");
  add.success = 201;
  return {
      list,
      Mine("POST", "/api/v1/notifications/read", PostRead, "Mark one, or all, as read",
           {{"id", "left out: all", Need::kOptional}}, "notification.read"),
      Mine("DELETE", "/api/v1/notifications", ClearNotifications, "Clear my notifications", {},
           "notification.clear"),
      channels,
      add,
      admin("PUT", "/api/v1/notification-channels/{id}", PutChannel,
            "Change a channel; a password or secret that is left out stays, unless the server it "
            "is sent to changes",
            channel_fields, channel, "notification_channel.change"),
      admin("DELETE", "/api/v1/notification-channels/{id}", DeleteChannel, "Remove a channel", {},
            "", "notification_channel.delete"),
      admin("POST", "/api/v1/notification-channels/{id}/test", PostTest, "Send a test message", {},
            "delivered, message", "notification_channel.test"),
      routes,
      admin("PUT", "/api/v1/notification-routes", PutRoutes, "Set all routes",
            {{"routes", "id, channel, min_severity, classes, states, digest_seconds",
              Need::kRequired, FieldType::kArray}},
            "routes", "notification_routes.change"),
  };
}

}  // namespace nta::server
