#include "auth/sessions.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace nta::server {
namespace {

using namespace std::chrono_literals;

class SessionsTest : public testing::Test {
 protected:
  Timestamp now_{1'800'000'000s};
  Sessions sessions_{SessionLimits{.max_sessions = 4, .max_per_user = 2}, [this] { return now_; }};

  bool Alive(const SessionGrant& grant) const {
    return sessions_.IsAlive(grant.id, grant.username, grant.generation);
  }
};

TEST_F(SessionsTest, LiveFromSignInToSignOut) {
  const SessionGrant grant = sessions_.Start("alice", 0);
  EXPECT_TRUE(Alive(grant));
  sessions_.End(grant.id);
  EXPECT_FALSE(Alive(grant));
  EXPECT_FALSE(sessions_.Rotate(grant.refresh_token).ok());
}

TEST_F(SessionsTest, AreTheirUsersAndGenerationsOnly) {
  const SessionGrant grant = sessions_.Start("alice", 7);
  EXPECT_FALSE(sessions_.IsAlive(grant.id, "bob", 7));
  EXPECT_FALSE(sessions_.IsAlive(grant.id, "alice", 8));
  EXPECT_FALSE(sessions_.IsAlive("", "alice", 7));
}

TEST_F(SessionsTest, GiveANewRefreshTokenForEachOldOne) {
  const SessionGrant first = sessions_.Start("alice", 0);
  const auto second = sessions_.Rotate(first.refresh_token);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(second->id, first.id);
  EXPECT_NE(second->refresh_token, first.refresh_token);
  EXPECT_TRUE(sessions_.Rotate(second->refresh_token).ok());
}

TEST_F(SessionsTest, EndWhenARefreshTokenIsUsedTwice) {
  const SessionGrant first = sessions_.Start("alice", 0);
  const auto second = sessions_.Rotate(first.refresh_token);
  ASSERT_TRUE(second.ok());
  EXPECT_FALSE(sessions_.Rotate(first.refresh_token).ok());
  EXPECT_FALSE(Alive(*second));
  EXPECT_FALSE(sessions_.Rotate(second->refresh_token).ok());
}

TEST_F(SessionsTest, RefuseForeignRefreshTokens) {
  const SessionGrant grant = sessions_.Start("alice", 0);
  for (const std::string& token :
       {std::string(), std::string("."), grant.id, std::string("x.y"),
        std::string(1 << 20, 'a') + ".b", grant.refresh_token.substr(grant.id.size())}) {
    EXPECT_FALSE(sessions_.Rotate(token).ok());
  }
  EXPECT_TRUE(Alive(grant));
}

TEST_F(SessionsTest, EndAfterAWeekUnused) {
  const SessionGrant grant = sessions_.Start("alice", 0);
  now_ += 24h * 7;
  EXPECT_TRUE(Alive(grant));
  now_ += 1s;
  EXPECT_FALSE(Alive(grant));
  EXPECT_FALSE(sessions_.Rotate(grant.refresh_token).ok());
}

TEST_F(SessionsTest, EndAfterAMonthHoweverOftenUsed) {
  SessionGrant grant = sessions_.Start("alice", 0);
  for (int day = 0; day < 30; ++day) {
    now_ += 24h;
    const auto next = sessions_.Rotate(grant.refresh_token);
    ASSERT_TRUE(next.ok()) << day;
    grant = *next;
  }
  now_ += 1s;
  EXPECT_FALSE(Alive(grant));
  EXPECT_FALSE(sessions_.Rotate(grant.refresh_token).ok());
}

TEST_F(SessionsTest, MakeRoomByEndingTheOldestOfTheUser) {
  const SessionGrant first = sessions_.Start("alice", 0);
  now_ += 1s;
  const SessionGrant second = sessions_.Start("alice", 0);
  now_ += 1s;
  const SessionGrant third = sessions_.Start("alice", 0);
  EXPECT_FALSE(Alive(first));
  EXPECT_TRUE(Alive(second));
  EXPECT_TRUE(Alive(third));
}

TEST_F(SessionsTest, StayWithinTheirNumber) {
  for (int i = 0; i < 1000; ++i) {
    now_ += 1s;
    sessions_.Start("user" + std::to_string(i), 0);
  }
  EXPECT_EQ(sessions_.size(), 4U);
}

TEST_F(SessionsTest, OfAUserEndTogetherButForOne) {
  const SessionGrant mine = sessions_.Start("alice", 0);
  const SessionGrant other = sessions_.Start("alice", 0);
  const SessionGrant bobs = sessions_.Start("bob", 0);
  sessions_.EndAllOf("alice", mine.id);
  EXPECT_TRUE(Alive(mine));
  EXPECT_FALSE(Alive(other));
  EXPECT_TRUE(Alive(bobs));
}

TEST_F(SessionsTest, SurviveBeingSavedAndLoaded) {
  const SessionGrant grant = sessions_.Start("alice", 5);
  Sessions restored({}, [this] { return now_; });
  restored.Load(sessions_.Save());
  EXPECT_TRUE(restored.IsAlive(grant.id, "alice", 5));
  EXPECT_TRUE(restored.Rotate(grant.refresh_token).ok());
}

TEST_F(SessionsTest, AreSavedWithoutTheirSecrets) {
  const SessionGrant grant = sessions_.Start("alice", 0);
  const std::string secret = grant.refresh_token.substr(grant.refresh_token.find('.') + 1);
  EXPECT_EQ(sessions_.Save().find(secret), std::string::npos);
}

TEST_F(SessionsTest, LoadNothingFromGarbage) {
  Sessions restored({}, [this] { return now_; });
  for (const char* text : {"", "\n\n\n", "{}", "{\"id\":1}\n[]\n{", "\xFF\xFF", "null"})
    restored.Load(text);
  EXPECT_EQ(restored.size(), 0U);
}

}  // namespace
}  // namespace nta::server
