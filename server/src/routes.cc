#include "routes.h"

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

std::vector<Route> AllRoutes() {
  std::vector<Route> routes;
  for (std::vector<Route> part : {AuthRoutes(), UserRoutes(), TrafficRoutes(), StreamRoutes()}) {
    std::move(part.begin(), part.end(), std::back_inserter(routes));
  }
  return routes;
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
