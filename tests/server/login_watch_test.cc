// Guesses at the server's own passwords are alerts like any others.
#include "detection/login_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app_fixture.h"

namespace nta::server {
namespace {

class LoginWatchTest : public AppTest {
 protected:
  LoginWatchTest() {
    Restart(Generous());
    services_->logins = std::make_unique<LoginWatch>("7-server-", [this](const auto& alerts) {
      alerts_.insert(alerts_.end(), alerts.begin(), alerts.end());
    });
    AddUser("anna", "viewer");
  }

  std::vector<Alert> alerts_;
};

TEST_F(LoginWatchTest, TenWrongPasswordsAreAnAlertThatNamesTheClient) {
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(Login("anna", "wrong horse battery", "203.0.113.9").status, 401);
    Pass(std::chrono::seconds(2));
  }
  ASSERT_FALSE(alerts_.empty());
  EXPECT_EQ(alerts_[0].id, "7-server-brute_force-000001");
  EXPECT_EQ(alerts_.back().id, alerts_[0].id) << "one alert, told again when it became more severe";
  EXPECT_EQ(alerts_[0].alert_class, AlertClass::kBruteForce);
  EXPECT_EQ(alerts_[0].entity.source, *IpAddress::Parse("203.0.113.9"));
  EXPECT_EQ(alerts_[0].entity.service, "nta-server");
  EXPECT_EQ(std::get<std::vector<std::string>>(alerts_[0].evidence.at("sample_users")),
            std::vector<std::string>{"anna"});
  EXPECT_EQ(Login("anna", kPassword, "203.0.113.9").status, 200);
  EXPECT_EQ(alerts_.back().alert_class, AlertClass::kUnauthorisedAccess);
  EXPECT_EQ(alerts_.back().severity, Severity::kCritical);
  services_->logins->Tick(wall_ + std::chrono::hours(1));
  EXPECT_EQ(alerts_.back().state, AlertState::kClosed);
}

TEST_F(LoginWatchTest, ASignInAfterFailuresAtOtherAccountsIsNoBreakIn) {
  AddUser("operator", "operator");
  for (int i = 0; i < 25; ++i) {
    Login(i < 12 ? "anna" : "nobody" + std::to_string(i), "wrong horse battery", "203.0.113.9");
    Pass(std::chrono::seconds(2));
  }
  alerts_.clear();
  EXPECT_EQ(Login("operator", kPassword, "203.0.113.9").status, 200);
  ASSERT_EQ(alerts_.size(), 1u);
  EXPECT_EQ(alerts_[0].alert_class, AlertClass::kUnauthorisedAccess);
  EXPECT_EQ(alerts_[0].severity, Severity::kMedium);
  EXPECT_THAT(alerts_[0].summary, ::testing::HasSubstr("0 of them at that account"));
  // The account that was guessed at is another matter.
  EXPECT_EQ(Login("anna", kPassword, "203.0.113.9").status, 200);
  EXPECT_EQ(alerts_.back().severity, Severity::kCritical);
  EXPECT_THAT(alerts_.back().summary, ::testing::HasSubstr("as \"anna\" after 12 failed"));
}

TEST_F(LoginWatchTest, WhatIsTypedInPlaceOfANameIsInNoAlert) {
  for (int i = 0; i < 12; ++i) {
    Login("hunter2", "wrong horse battery");
    Pass(std::chrono::seconds(2));
  }
  ASSERT_FALSE(alerts_.empty());
  for (const Alert& alert : alerts_) EXPECT_FALSE(alert.evidence.contains("sample_users"));
}

TEST_F(LoginWatchTest, PeopleWhoMistypeAreSilent) {
  for (int i = 0; i < 3; ++i) Login("anna", "wrong horse battery");
  Login("anna");
  EXPECT_TRUE(alerts_.empty());
}

}  // namespace
}  // namespace nta::server
