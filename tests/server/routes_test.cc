// What holds for every route.
#include "http/routes.h"

#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app_fixture.h"
#include "http/openapi.h"

namespace nta::server {
namespace {

using testing::HasSubstr;

// What docs/rest_api.md says. A route without a line here fails the test below, and so does a line
// without a route.
const std::vector<std::pair<std::string, Access>> kDeclared = {
    {"GET /api/v1/setup", Access::kAnyone},
    {"POST /api/v1/setup", Access::kAnyone},
    {"POST /api/login", Access::kAnyone},
    {"POST /api/v1/refresh", Access::kAnyone},
    {"POST /api/v1/logout", Access::kViewer},
    {"GET /api/v1/me", Access::kViewer},
    {"POST /api/v1/me/password", Access::kViewer},
    {"GET /api/v1/users", Access::kAdmin},
    {"POST /api/v1/users", Access::kAdmin},
    {"PATCH /api/v1/users/{username}", Access::kAdmin},
    {"DELETE /api/v1/users/{username}", Access::kAdmin},
    {"GET /api/v1/summary", Access::kViewer},
    {"GET /api/traffic", Access::kViewer},
    {"GET /api/v1/flows", Access::kViewer},
    {"GET /api/v1/series", Access::kViewer},
    {"GET /api/v1/top", Access::kViewer},
    {"GET /api/v1/alerts", Access::kViewer},
    {"GET /api/anomalies", Access::kViewer},
    {"GET /api/v1/alerts/{id}", Access::kViewer},
    {"GET /api/v1/alerts/{id}/packets", Access::kOperator},
    {"GET /api/v1/threats", Access::kViewer},
    {"POST /api/v1/alerts/{id}/acknowledge", Access::kOperator},
    {"DELETE /api/v1/alerts/{id}/acknowledge", Access::kOperator},
    {"POST /api/v1/alerts/{id}/notes", Access::kOperator},
    {"POST /api/v1/alerts/{id}/suppress", Access::kOperator},
    {"GET /api/v1/alert-rules", Access::kViewer},
    {"POST /api/v1/alert-rules", Access::kOperator},
    {"POST /api/v1/alert-rules/validate", Access::kViewer},
    {"GET /api/v1/alert-rules/{id}", Access::kViewer},
    {"PUT /api/v1/alert-rules/{id}", Access::kOperator},
    {"DELETE /api/v1/alert-rules/{id}", Access::kOperator},
    {"GET /api/v1/suppressions", Access::kViewer},
    {"POST /api/v1/suppressions", Access::kOperator},
    {"PUT /api/v1/suppressions/{id}", Access::kOperator},
    {"DELETE /api/v1/suppressions/{id}", Access::kOperator},
    {"GET /api/v1/detectors", Access::kViewer},
    {"PUT /api/v1/detectors/{name}", Access::kAdmin},
    {"POST /api/v1/backtest", Access::kOperator},
    {"POST /api/v1/backtest/capture", Access::kOperator},
    {"POST /api/v1/alerts/{id}/backtest", Access::kOperator},
    {"POST /api/v1/alert-rules/dry-run", Access::kOperator},
    {"GET /api/v1/notifications", Access::kViewer},
    {"POST /api/v1/notifications/read", Access::kViewer},
    {"DELETE /api/v1/notifications", Access::kViewer},
    {"GET /api/v1/notification-channels", Access::kAdmin},
    {"POST /api/v1/notification-channels", Access::kAdmin},
    {"PUT /api/v1/notification-channels/{id}", Access::kAdmin},
    {"DELETE /api/v1/notification-channels/{id}", Access::kAdmin},
    {"POST /api/v1/notification-channels/{id}/test", Access::kAdmin},
    {"GET /api/v1/notification-routes", Access::kAdmin},
    {"PUT /api/v1/notification-routes", Access::kAdmin},
    {"GET /api/v1/conversations", Access::kViewer},
    {"GET /api/v1/hosts/{address}", Access::kViewer},
    {"GET /api/v1/applications", Access::kViewer},
    {"GET /api/v1/names", Access::kViewer},
    {"GET /api/v1/capture", Access::kViewer},
    {"GET /api/firewall/rules", Access::kViewer},
    {"POST /api/firewall/rules", Access::kOperator},
    {"GET /api/v1/firewall/rules", Access::kViewer},
    {"POST /api/v1/firewall/rules", Access::kOperator},
    {"PUT /api/v1/firewall/rules", Access::kOperator},
    {"PUT /api/v1/firewall/rules/{id}", Access::kOperator},
    {"DELETE /api/v1/firewall/rules/{id}", Access::kOperator},
    {"PUT /api/v1/firewall/order", Access::kOperator},
    {"DELETE /api/v1/firewall/draft", Access::kOperator},
    {"GET /api/v1/firewall/diff", Access::kViewer},
    {"POST /api/v1/firewall/rehearse", Access::kOperator},
    {"POST /api/v1/firewall/apply", Access::kAdmin},
    {"POST /api/v1/firewall/confirm", Access::kAdmin},
    {"POST /api/v1/firewall/rollback", Access::kAdmin},
    {"POST /api/v1/firewall/block", Access::kAdmin},
    {"POST /api/v1/firewall/unblock", Access::kAdmin},
    {"GET /api/v1/firewall/effect", Access::kViewer},
    {"POST /api/v1/firewall/import", Access::kAdmin},
    {"POST /api/v1/firewall/propose", Access::kOperator},
    {"POST /api/v1/firewall/accept", Access::kAdmin},
    {"GET /api/v1/firewall/proposals", Access::kViewer},
    {"GET /api/v1/firewall/policies", Access::kViewer},
    {"PUT /api/v1/firewall/policies", Access::kAdmin},
    {"POST /api/v1/firewall/dismiss", Access::kOperator},
    {"GET /api/v1/firewall/allow-list", Access::kViewer},
    {"PUT /api/v1/firewall/allow-list", Access::kAdmin},
    {"POST /api/v1/stream/ticket", Access::kViewer},
    {"GET /api/v1/stream", Access::kTicket},
    {"GET /api/v1/jobs", Access::kViewer},
    {"GET /api/v1/jobs/{id}", Access::kViewer},
    {"GET /api/v1/jobs/{id}/file", Access::kViewer},
    {"DELETE /api/v1/jobs/{id}", Access::kViewer},
    {"GET /api/v1/health", Access::kViewer},
    {"GET /api/system_health", Access::kViewer},
    {"GET /api/v1/health/series", Access::kViewer},
    {"GET /api/v1/health/names", Access::kViewer},
    {"GET /api/v1/health/thresholds", Access::kViewer},
    {"PUT /api/v1/health/thresholds", Access::kAdmin},
    {"GET /api/v1/incidents", Access::kViewer},
    {"GET /api/incidents", Access::kViewer},
    {"POST /api/v1/incidents", Access::kOperator},
    {"POST /api/incidents", Access::kOperator},
    {"GET /api/v1/incidents/{id}", Access::kViewer},
    {"PATCH /api/v1/incidents/{id}", Access::kOperator},
    {"DELETE /api/v1/incidents/{id}", Access::kAdmin},
    {"POST /api/v1/incidents/{id}/comments", Access::kOperator},
    {"POST /api/v1/incidents/{id}/links", Access::kOperator},
    {"DELETE /api/v1/incidents/{id}/links/{link}", Access::kOperator},
    {"POST /api/v1/incidents/{id}/evidence", Access::kOperator},
    {"POST /api/v1/incidents/{id}/evidence/flows", Access::kOperator},
    {"POST /api/v1/incidents/{id}/evidence/packets", Access::kOperator},
    {"GET /api/v1/incidents/{id}/evidence/{evidence}", Access::kViewer},
    {"DELETE /api/v1/incidents/{id}/evidence/{evidence}", Access::kOperator},
    {"GET /api/v1/incidents/{id}/export", Access::kViewer},
    {"GET /api/v1/schedule", Access::kViewer},
    {"POST /api/v1/schedule/{job}/pause", Access::kAdmin},
    {"POST /api/v1/schedule/{job}/resume", Access::kAdmin},
    {"POST /api/v1/schedule/{job}/run", Access::kAdmin},
    {"PUT /api/v1/schedule/{job}/timing", Access::kAdmin},
    {"GET /api/v1/settings/retention", Access::kViewer},
    {"PUT /api/v1/settings/retention", Access::kAdmin},
    {"GET /api/v1/settings/retention/preview", Access::kAdmin},
    {"GET /api/v1/daily_summaries", Access::kViewer},
    {"GET /api/v1/logs", Access::kOperator},
    {"GET /api/logs", Access::kOperator},
    {"GET /api/v1/logs/security", Access::kOperator},
    {"GET /api/logs/security", Access::kOperator},
    {"GET /api/v1/logs/files", Access::kOperator},
    {"GET /api/v1/logs/download", Access::kOperator},
    {"GET /api/v1/logs/rotation", Access::kOperator},
    {"PUT /api/v1/logs/rotation", Access::kAdmin},
    {"POST /api/v1/logs/rotate", Access::kAdmin},
    {"GET /api/v1/logs/audit", Access::kAdmin},
    {"GET /api/logs/audit", Access::kAdmin},
    {"GET /api/v1/logs/audit/export", Access::kAdmin},
    {"POST /api/v1/logs/audit/verify", Access::kAdmin},
    {"POST /api/v1/logs/audit/checkpoint", Access::kAdmin},
    {"POST /api/v1/exports", Access::kViewer},
    {"POST /api/v1/imports", Access::kOperator},
    {"GET /api/v1/backups", Access::kAdmin},
    {"POST /api/v1/backups", Access::kAdmin},
    {"POST /api/backup/create", Access::kAdmin},
    {"POST /api/backup/restore", Access::kAdmin},
    {"POST /api/v1/backups/upload", Access::kAdmin},
    {"POST /api/v1/backups/prune", Access::kAdmin},
    {"GET /api/v1/backups/{name}", Access::kAdmin},
    {"DELETE /api/v1/backups/{name}", Access::kAdmin},
    {"GET /api/v1/backups/{name}/file", Access::kAdmin},
    {"POST /api/v1/backups/{name}/verify", Access::kAdmin},
    {"POST /api/v1/backups/{name}/restore", Access::kAdmin},
    {"GET /api/v1/backup_policy", Access::kAdmin},
    {"PUT /api/v1/backup_policy", Access::kAdmin},
    {"GET /api/v1/notices", Access::kViewer},
    {"DELETE /api/v1/notices/{id}", Access::kAdmin},
    {"GET /api/v1/openapi.json", Access::kAnyone},
    {"GET /healthz", Access::kAnyone},
    {"GET /readyz", Access::kAnyone},
    {"GET /metrics", Access::kAnyone},
};

TEST(Routes, AreTheDeclaredOnesWithTheirRoles) {
  std::vector<std::pair<std::string, Access>> routes;
  for (const Route& route : AllRoutes())
    routes.emplace_back(route.method + " " + route.path, route.access);
  EXPECT_THAT(routes, testing::UnorderedElementsAreArray(kDeclared));
}

TEST(Routes, HaveAHandlerASummaryAndUniqueNames) {
  std::set<std::string> seen;
  for (const Route& route : AllRoutes()) {
    EXPECT_NE(route.handler, nullptr) << route.path;
    EXPECT_FALSE(route.summary.empty()) << route.path;
    EXPECT_TRUE(seen.insert(route.method + route.path).second) << route.path;
  }
}

TEST(Routes, NameTheActWhenTheyChangeSomething) {
  // Tokens and tickets of a session that is in the trail already, and a question.
  const std::set<std::string> exempt = {"/api/v1/refresh", "/api/v1/stream/ticket",
                                        "/api/v1/alert-rules/validate"};
  for (const Route& route : AllRoutes()) {
    if (route.method == "GET" || exempt.contains(route.path)) continue;
    EXPECT_FALSE(route.audit.empty()) << route.method << " " << route.path;
  }
}

TEST(Routes, AllStandInTheOpenApiDescription) {
  const std::string description = MakeOpenApi(AllRoutes());
  EXPECT_THAT(description, HasSubstr(R"("openapi":"3.1.0")"));
  for (const Route& route : AllRoutes()) {
    EXPECT_THAT(description, HasSubstr("\"" + route.path + "\":{"));
    EXPECT_THAT(description, HasSubstr("\"summary\":" + JsonQuote(route.summary)));
    for (const Parameter& parameter : route.parameters) {
      EXPECT_THAT(description, HasSubstr("\"name\":\"" + parameter.name + "\",\"in\":\"query\""));
    }
    for (const Field& field : route.fields) {
      EXPECT_THAT(description, HasSubstr("\"" + field.name + "\":{\"type\":\"" +
                                         std::string(ToString(field.type)) + "\""));
    }
  }
}

TEST(Routes, WhateverGoesOnAfterItsAnswerIsAJob) {
  const auto description = nlohmann::json::parse(MakeOpenApi(AllRoutes()));
  int jobs = 0;
  for (const auto& [path, methods] : description["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) {
      if (!operation["responses"].contains("202")) continue;
      ++jobs;
      EXPECT_EQ(operation["responses"]["202"]["content"]["application/json"]["schema"]["$ref"],
                "#/components/schemas/Job")
          << method << " " << path;
    }
  }
  EXPECT_GE(jobs, 10);
  for (const char* member : {"id", "state", "progress", "result"}) {
    EXPECT_TRUE(description["components"]["schemas"]["Job"]["properties"].contains(member));
  }
}

TEST(FindRoute, TellsPathsAndMethodsApart) {
  const std::vector<Route> routes = AllRoutes();
  EXPECT_EQ(FindRoute(routes, "GET", "/api/v1/users").route->path, "/api/v1/users");
  EXPECT_EQ(FindRoute(routes, "HEAD", "/api/v1/me").route->path, "/api/v1/me");
  const Match user = FindRoute(routes, "DELETE", "/api/v1/users/alice");
  ASSERT_NE(user.route, nullptr);
  EXPECT_EQ(user.path.at("username"), "alice");
  for (const char* path : {"/api/v1/users/", "/api/v1/users/a/b", "/api/v1", "/api/v1/",
                           "/api/v1/ME", "/api//v1/me", "", "/", "/api/v1/me/"}) {
    EXPECT_EQ(FindRoute(routes, "GET", path).route, nullptr) << path;
  }
  const Match wrong = FindRoute(routes, "PUT", "/api/v1/users");
  EXPECT_EQ(wrong.route, nullptr);
  EXPECT_THAT(wrong.allowed, testing::UnorderedElementsAre("GET", "HEAD", "POST"));
}

enum class Bearer { kNothing, kGarbage, kExpired, kViewer, kOperator, kAdmin };

class RoleMatrixTest : public AppTest, public testing::WithParamInterface<Bearer> {
 protected:
  RoleMatrixTest() {
    Restart(Generous());
    AddUser("viewer", "viewer");
    AddUser("operator", "operator");
    AddUser("admin", "admin");
  }

  std::string Token() {
    switch (GetParam()) {
      case Bearer::kNothing:
        return "";
      case Bearer::kGarbage:
        return "garbage";
      case Bearer::kExpired: {
        const std::string token = SignIn("admin").access;
        Pass(std::chrono::seconds(901));
        return token;
      }
      case Bearer::kViewer:
        return SignIn("viewer").access;
      case Bearer::kOperator:
        return SignIn("operator").access;
      case Bearer::kAdmin:
        return SignIn("admin").access;
    }
    return "";
  }

  // 401 or 403 where the route says so; 0: the call goes through to its handler.
  int Refusal(Access access) const {
    if (access == Access::kAnyone) return 0;
    if (access == Access::kTicket) return 401;  // a token is no ticket
    const int rank = GetParam() == Bearer::kAdmin      ? 3
                     : GetParam() == Bearer::kOperator ? 2
                     : GetParam() == Bearer::kViewer   ? 1
                                                       : 0;
    const int needed = access == Access::kAdmin ? 3 : access == Access::kOperator ? 2 : 1;
    if (rank == 0) return 401;
    return rank < needed ? 403 : 0;
  }
};

TEST_P(RoleMatrixTest, EachRouteLetsInWhomItDeclares) {
  for (const Route& route : AllRoutes()) {
    // A session per route: some of them end it.
    const std::string token = Token();
    std::string path = route.path;
    for (std::size_t at = 0; (at = path.find('{')) != std::string::npos;)
      path.replace(at, path.find('}') + 1 - at, "nobody");
    if (const std::size_t at = path.find('{'); at != std::string::npos)
      path.replace(at, path.find('}') - at + 1, "nobody");
    const Response response = Call(route.method, path, token, route.fields.empty() ? "" : "{}");
    const int refusal = Refusal(route.access);
    SCOPED_TRACE(route.method + " " + path + ": " + response.body);
    if (refusal != 0) {
      EXPECT_EQ(response.status, refusal);
    } else {
      EXPECT_NE(response.status, 401);
      EXPECT_NE(response.status, 403);
      EXPECT_LT(response.status, 500);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(AllBearers, RoleMatrixTest,
                         testing::Values(Bearer::kNothing, Bearer::kGarbage, Bearer::kExpired,
                                         Bearer::kViewer, Bearer::kOperator, Bearer::kAdmin));

}  // namespace
}  // namespace nta::server
