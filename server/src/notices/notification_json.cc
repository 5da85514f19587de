// Channels, routes and notifications as JSON.
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "http/json_text.h"
#include "notices/notification_desk.h"

namespace nta::server {
namespace {

using Object = nlohmann::ordered_json;

std::string Dump(const Object& json) {
  return json.dump(-1, ' ', false, Object::error_handler_t::replace);
}

Object TimeJson(Timestamp time) { return time == Timestamp{} ? Object() : Object(ToString(time)); }

// The member of an object as `Value`, or `fallback` when it is not there.
template <typename Value>
absl::StatusOr<Value> Get(const Object& json, const char* name, Value fallback) {
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return fallback;
  const bool fits = std::is_same_v<Value, bool>          ? found->is_boolean()
                    : std::is_same_v<Value, std::string> ? found->is_string()
                                                         : found->is_number();
  if (!fits) return base::InvalidArgument("\"" + std::string(name) + "\" has a wrong type");
  return found->get<Value>();
}

absl::StatusOr<std::vector<std::string>> GetTexts(const Object& json, const char* name) {
  std::vector<std::string> texts;
  const auto found = json.find(name);
  if (found == json.end() || found->is_null()) return texts;
  for (const Object& one : found->is_array() ? *found : Object::array({Object()})) {
    if (!one.is_string()) {
      return base::InvalidArgument("\"" + std::string(name) + "\" is a list of texts");
    }
    texts.push_back(one.get<std::string>());
  }
  return texts;
}

absl::StatusOr<std::uint16_t> GetPort(const Object& json, std::uint16_t fallback) {
  NTA_ASSIGN_OR_RETURN(const double port, Get(json, "port", static_cast<double>(fallback)));
  if (port < 1 || port > 65535 || port != std::floor(port)) {
    return base::InvalidArgument("\"port\" is 1 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

// Of a file of the server.
absl::StatusOr<std::string> GetPath(const Object& json, const char* name) {
  NTA_ASSIGN_OR_RETURN(std::string path, Get(json, name, std::string()));
  if (!path.empty() && (path[0] != '/' || path.find('\0') != std::string::npos)) {
    return base::InvalidArgument("\"" + std::string(name) + "\" is an absolute path");
  }
  return path;
}

absl::Status KnowsOnly(const Object& json, std::initializer_list<std::string_view> names) {
  for (const auto& [name, value] : json.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return base::InvalidArgument("unknown field \"" + name.substr(0, 60) + "\"");
    }
  }
  return absl::OkStatus();
}

absl::Status ReadEmail(const Object& json, EmailOptions& email) {
  NTA_RETURN_IF_ERROR(KnowsOnly(json, {"host", "port", "security", "username", "password", "from",
                                       "to", "subject_prefix", "has_password", "ca_file"}));
  NTA_ASSIGN_OR_RETURN(email.host, Get(json, "host", std::string()));
  NTA_ASSIGN_OR_RETURN(email.port, GetPort(json, email.port));
  NTA_ASSIGN_OR_RETURN(const std::string security, Get(json, "security", std::string("starttls")));
  NTA_ASSIGN_OR_RETURN(email.security, ParseEmailSecurity(security));
  NTA_ASSIGN_OR_RETURN(email.username, Get(json, "username", std::string()));
  NTA_ASSIGN_OR_RETURN(email.password, Get(json, "password", std::string()));
  NTA_ASSIGN_OR_RETURN(email.from, Get(json, "from", std::string()));
  NTA_ASSIGN_OR_RETURN(email.to, GetTexts(json, "to"));
  NTA_ASSIGN_OR_RETURN(email.subject_prefix, Get(json, "subject_prefix", email.subject_prefix));
  NTA_ASSIGN_OR_RETURN(email.ca_file, GetPath(json, "ca_file"));
  return absl::OkStatus();
}

absl::Status ReadWebhook(const Object& json, WebhookOptions& webhook) {
  NTA_RETURN_IF_ERROR(
      KnowsOnly(json, {"url", "secret", "allowed_networks", "has_secret", "ca_file"}));
  NTA_ASSIGN_OR_RETURN(webhook.url, Get(json, "url", std::string()));
  NTA_ASSIGN_OR_RETURN(webhook.secret, Get(json, "secret", std::string()));
  NTA_ASSIGN_OR_RETURN(const auto networks, GetTexts(json, "allowed_networks"));
  for (const std::string& text : networks) {
    NTA_ASSIGN_OR_RETURN(const IpPrefix network, IpPrefix::Parse(text));
    webhook.allowed_networks.push_back(network);
  }
  NTA_ASSIGN_OR_RETURN(webhook.ca_file, GetPath(json, "ca_file"));
  return absl::OkStatus();
}

absl::Status ReadSyslog(const Object& json, SyslogOptions& syslog) {
  NTA_RETURN_IF_ERROR(KnowsOnly(json, {"host", "port", "transport", "facility", "host_name"}));
  NTA_ASSIGN_OR_RETURN(syslog.host, Get(json, "host", std::string()));
  NTA_ASSIGN_OR_RETURN(syslog.port, GetPort(json, syslog.port));
  NTA_ASSIGN_OR_RETURN(const std::string transport, Get(json, "transport", std::string("udp")));
  NTA_ASSIGN_OR_RETURN(syslog.transport, ParseSyslogTransport(transport));
  NTA_ASSIGN_OR_RETURN(const double facility, Get(json, "facility", 16.0));
  if (facility < 0 || facility > 23) return base::InvalidArgument("\"facility\" is 0 to 23");
  syslog.facility = static_cast<int>(facility);
  NTA_ASSIGN_OR_RETURN(syslog.host_name, Get(json, "host_name", std::string("-")));
  return absl::OkStatus();
}

Object Settings(const ChannelSetup& channel) {
  if (channel.kind == "email") {
    const EmailOptions& email = channel.email;
    return {{"host", email.host},
            {"port", email.port},
            {"security", std::string(ToString(email.security))},
            {"username", email.username},
            {"has_password", !email.password.empty()},
            {"from", email.from},
            {"to", email.to},
            {"subject_prefix", email.subject_prefix},
            {"ca_file", email.ca_file}};
  }
  if (channel.kind == "webhook") {
    Object networks = Object::array();
    for (const IpPrefix& network : channel.webhook.allowed_networks) {
      networks.push_back(network.ToString());
    }
    return {{"url", channel.webhook.url},
            {"has_secret", !channel.webhook.secret.empty()},
            {"allowed_networks", networks},
            {"ca_file", channel.webhook.ca_file}};
  }
  const SyslogOptions& syslog = channel.syslog;
  return {{"host", syslog.host},
          {"port", syslog.port},
          {"transport", std::string(ToString(syslog.transport))},
          {"facility", syslog.facility},
          {"host_name", syslog.host_name}};
}

absl::StatusOr<NotificationRoute> RouteFromJson(const Object& json) {
  if (!json.is_object()) return base::InvalidArgument("a route is an object");
  NTA_RETURN_IF_ERROR(
      KnowsOnly(json, {"id", "channel", "min_severity", "classes", "states", "digest_seconds"}));
  NotificationRoute route;
  NTA_ASSIGN_OR_RETURN(route.id, Get(json, "id", std::string()));
  NTA_ASSIGN_OR_RETURN(route.channel, Get(json, "channel", std::string()));
  NTA_ASSIGN_OR_RETURN(const std::string severity,
                       Get(json, "min_severity", std::string("medium")));
  NTA_ASSIGN_OR_RETURN(route.min_severity, ParseSeverity(severity));
  NTA_ASSIGN_OR_RETURN(route.classes, GetTexts(json, "classes"));
  for (const std::string& one : route.classes) {
    if (one == NotificationDesk::kDailySummaryClass) continue;
    NTA_RETURN_IF_ERROR(ParseAlertClass(one).status());
  }
  if (json.contains("states")) {
    NTA_ASSIGN_OR_RETURN(route.states, GetTexts(json, "states"));
    for (const std::string& one : route.states) NTA_RETURN_IF_ERROR(ParseAlertState(one).status());
  }
  NTA_ASSIGN_OR_RETURN(const double digest, Get(json, "digest_seconds", 0.0));
  if (!(digest >= 0 && digest <= 7 * 86400)) {
    return base::InvalidArgument("\"digest_seconds\" is 0 to 604800");
  }
  route.digest = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(digest));
  return route;
}

}  // namespace

std::string ToJson(const ChannelSetup& channel, const ChannelStats& stats) {
  return Dump({{"id", channel.id},
               {"name", channel.name},
               {"kind", channel.kind},
               {"enabled", channel.enabled},
               {"needs_secret", channel.needs_secret},
               {"settings", Settings(channel)},
               {"status",
                {{"sent", stats.sent},
                 {"delivered", stats.delivered},
                 {"failed_attempts", stats.failed_attempts},
                 {"refused", stats.refused},
                 {"dropped", stats.dropped},
                 {"queued", stats.queued},
                 {"resting", stats.resting},
                 {"last_success", TimeJson(stats.last_success)},
                 {"next_attempt", TimeJson(stats.next_attempt)},
                 {"last_error", stats.last_error}}}});
}

absl::StatusOr<ChannelSetup> ChannelFromJson(std::string_view text) {
  const Object json = Object::parse(text, nullptr, false);
  if (!json.is_object()) return base::InvalidArgument("a channel is an object");
  NTA_RETURN_IF_ERROR(
      KnowsOnly(json, {"id", "name", "kind", "enabled", "needs_secret", "settings", "status"}));
  ChannelSetup channel;
  NTA_ASSIGN_OR_RETURN(channel.id, Get(json, "id", std::string()));
  NTA_ASSIGN_OR_RETURN(channel.name, Get(json, "name", std::string()));
  NTA_ASSIGN_OR_RETURN(channel.kind, Get(json, "kind", std::string()));
  NTA_ASSIGN_OR_RETURN(channel.enabled, Get(json, "enabled", true));
  if (channel.name.empty() || channel.name.size() > 200) {
    return base::InvalidArgument("\"name\" is 1 to 200 bytes");
  }
  const auto settings = json.find("settings");
  if (settings == json.end() || !settings->is_object()) {
    return base::InvalidArgument("\"settings\" is an object");
  }
  if (channel.kind == "email") {
    NTA_RETURN_IF_ERROR(ReadEmail(*settings, channel.email));
  } else if (channel.kind == "webhook") {
    NTA_RETURN_IF_ERROR(ReadWebhook(*settings, channel.webhook));
  } else if (channel.kind == "syslog") {
    NTA_RETURN_IF_ERROR(ReadSyslog(*settings, channel.syslog));
  } else {
    return base::InvalidArgument("\"kind\" is email, webhook or syslog");
  }
  return channel;
}

std::string ToJson(const NotificationRoute& route) {
  return Dump({{"id", route.id},
               {"channel", route.channel},
               {"min_severity", std::string(ToString(route.min_severity))},
               {"classes", route.classes},
               {"states", route.states},
               {"digest_seconds", std::chrono::duration<double>(route.digest).count()}});
}

absl::StatusOr<std::vector<NotificationRoute>> RoutesFromJson(std::string_view text) {
  const Object json = Object::parse(text, nullptr, false);
  if (!json.is_array()) return base::InvalidArgument("\"routes\" is a list");
  std::vector<NotificationRoute> routes;
  for (const Object& one : json) {
    NTA_ASSIGN_OR_RETURN(NotificationRoute route, RouteFromJson(one));
    if (route.id.empty()) route.id = "route-" + std::to_string(routes.size() + 1);
    routes.push_back(std::move(route));
  }
  return routes;
}

std::string ToJson(const InAppNotification& one) {
  return Dump({{"id", one.id},
               {"time", TimeJson(one.time)},
               {"severity", std::string(ToString(one.severity))},
               {"subject", one.subject},
               {"text", one.text},
               {"alert", one.alert},
               {"read", one.read}});
}

}  // namespace nta::server
