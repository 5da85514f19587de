#include "http/routes.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace nta::server {
namespace {

// The values of a pattern's {names} when `path` fits it.
std::optional<TextMap> Fit(std::string_view pattern, std::string_view path) {
  TextMap values;
  while (true) {
    const std::string_view expected = pattern.substr(0, pattern.find('/'));
    const std::string_view segment = path.substr(0, path.find('/'));
    if (expected.starts_with('{')) {
      if (segment.empty()) return std::nullopt;
      values.emplace(expected.substr(1, expected.size() - 2), segment);
    } else if (expected != segment) {
      return std::nullopt;
    }
    const bool pattern_ends = expected.size() == pattern.size();
    const bool path_ends = segment.size() == path.size();
    if (pattern_ends || path_ends)
      return pattern_ends && path_ends ? std::optional(values) : std::nullopt;
    pattern.remove_prefix(expected.size() + 1);
    path.remove_prefix(segment.size() + 1);
  }
}

}  // namespace

std::string_view ToString(Access access) {
  switch (access) {
    case Access::kAnyone:
      return "anyone";
    case Access::kTicket:
      return "ticket";
    case Access::kViewer:
      return "viewer";
    case Access::kOperator:
      return "operator";
    case Access::kAdmin:
      return "admin";
  }
  return "";
}

std::string_view ToString(FieldType type) {
  switch (type) {
    case FieldType::kText:
    case FieldType::kSecret:
      return "string";
    case FieldType::kInteger:
      return "integer";
    case FieldType::kNumber:
      return "number";
    case FieldType::kBoolean:
      return "boolean";
    case FieldType::kArray:
      return "array";
    case FieldType::kObject:
      return "object";
  }
  return "";
}

std::vector<Route> AllRoutes() {
  std::vector<Route> routes;
  for (std::vector<Route> part : {
           AuthRoutes(),     UserRoutes(),         TrafficRoutes(),
           HostRoutes(),     StreamRoutes(),       JobRoutes(),
           FirewallRoutes(), FirewallActRoutes(),  FirewallResponseRoutes(),
           HealthRoutes(),   IncidentRoutes(),     ScheduleRoutes(),
           AlertRoutes(),    DetectionRoutes(),    DetectorRoutes(),
           BacktestRoutes(), NotificationRoutes(), LogRoutes(),
           AuditRoutes(),    TransferRoutes(),     BackupRoutes(),
           NoticeRoutes(),   NameRoutes(),         MetricsRoutes(),
       }) {
    std::move(part.begin(), part.end(), std::back_inserter(routes));
  }
  return routes;
}

Route Reading(std::string path, Handler handler, std::string summary,
              std::vector<Parameter> parameters, std::string answer) {
  return {.method = "GET",
          .path = std::move(path),
          .access = Access::kViewer,
          .work = Work::kStore,
          .handler = handler,
          .summary = std::move(summary),
          .parameters = std::move(parameters),
          .fields = {},
          .answer = std::move(answer)};
}

std::vector<Parameter> WithInterval(std::vector<Parameter> parameters) {
  parameters.insert(
      parameters.begin(),
      {{"since",
        "inclusive; RFC 3339, or relative as -15m, -24h, now; default: an hour before until",
        {}},
       {"until", "exclusive; default: now", {}}});
  return parameters;
}

Match FindRoute(const std::vector<Route>& routes, std::string_view method, std::string_view path) {
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  Match match;
  for (const Route& route : routes) {
    std::optional<TextMap> values = Fit(route.path, path);
    if (!values) continue;
    match.allowed.push_back(route.method);
    if (route.method == "GET") match.allowed.push_back("HEAD");
    if (route.method == wanted) {
      match.route = &route;
      match.path = *std::move(values);
    }
  }
  return match;
}

}  // namespace nta::server
