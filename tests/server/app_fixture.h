// AppTest: an App over a store in memory, with a clock that tests drive and cheap password hashes.
#ifndef NTA_TESTS_SERVER_APP_FIXTURE_H_
#define NTA_TESTS_SERVER_APP_FIXTURE_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "app.h"
#include "http/json_text.h"

namespace nta::server {

inline constexpr std::string_view kPassword = "correct horse battery";

// The text member `name` of a JSON object, wherever it stands; empty when there is none.
inline std::string TextMember(const std::string& json, const std::string& name) {
  const std::string begin = "\"" + name + "\":\"";
  const std::size_t at = json.find(begin);
  if (at == std::string::npos) return "";
  const std::size_t start = at + begin.size();
  return json.substr(start, json.find('"', start) - start);
}

struct Tokens {
  std::string access;
  std::string refresh;
};

class AppTest : public testing::Test {
 protected:
  AppTest() { Restart({}); }

  // A new server process on the same store.
  void Restart(AppLimits limits) {
    if (store_ == nullptr) store_ = *Store::Open({.path = ":memory:"});
    services_ = std::make_unique<Services>(
        *store_, *TokenSigner::Create(std::string(32, 'k')),
        *PasswordHasher::Create({.passes = 1, .memory_bytes = 8192}), *StaticFiles::Load(""),
        Clock{.wall = [this] { return wall_; }, .monotonic = [this] { return monotonic_; }}, limits,
        [this] { return capture_; });
    services_->firewall = *FirewallDesk::Open(*store_, services_->clock,
                                              std::make_unique<MemoryBackend>(), firewall_options_);
    app_ = std::make_unique<App>(*services_);
  }

  // Limits that no test reaches by accident.
  static AppLimits Generous() {
    AppLimits limits;
    limits.per_address.per_second = 0;
    limits.per_user.per_second = 0;
    limits.sign_in.per_address_per_minute = 0;
    limits.sign_in.per_account_per_minute = 0;
    return limits;
  }

  void AddUser(std::string_view name, std::string_view role) {
    ASSERT_TRUE(store_
                    ->AddUser({.username = std::string(name),
                               .password_hash = *services_->passwords.Hash(kPassword),
                               .role = std::string(role),
                               .created = wall_})
                    .ok());
  }

  Response Send(Request request) {
    Plan plan = app_->Prepare(request);
    return plan.answer ? *std::move(plan.answer) : app_->Finish(plan);
  }

  Response Call(std::string_view method, std::string_view target, std::string_view token = {},
                std::string_view body = {}, std::string_view client = "192.0.2.1") {
    Request request;
    request.method = method;
    request.target = *ParseTarget(target);
    if (!token.empty()) request.authorization = "Bearer " + std::string(token);
    if (!body.empty()) request.content_type = "application/json";
    request.body = body;
    request.client = *IpAddress::Parse(client);
    request.connection = connection_;
    request.newest_connection = newest_connection_;
    return Send(std::move(request));
  }

  Response Login(std::string_view name, std::string_view password = kPassword,
                 std::string_view client = "192.0.2.1") {
    return Call("POST", "/api/login", {},
                R"({"username":)" + JsonQuote(name) + R"(,"password":)" + JsonQuote(password) + "}",
                client);
  }

  Tokens SignIn(std::string_view name, std::string_view password = kPassword) {
    const Response response = Login(name, password);
    EXPECT_EQ(response.status, 200) << response.body;
    return {TextMember(response.body, "token"), TextMember(response.body, "refresh_token")};
  }

  int Me(std::string_view token) { return Call("GET", "/api/v1/me", token).status; }

  void Pass(Duration time) {
    wall_ += time;
    monotonic_ += time;
  }

  Timestamp wall_{std::chrono::seconds(1'800'000'000)};
  Duration monotonic_{std::chrono::hours(1)};
  CaptureStatus capture_;
  FirewallDeskOptions firewall_options_;
  std::uint64_t connection_ = 1;
  std::uint64_t newest_connection_ = 1;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Services> services_;
  std::unique_ptr<App> app_;
};

}  // namespace nta::server

#endif  // NTA_TESTS_SERVER_APP_FIXTURE_H_
