#include "app.h"

#include <string>

#include "app_fixture.h"
#include "text.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

std::string HeaderOf(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

class SignedInTest : public AppTest {
 protected:
  SignedInTest() {
    Restart(Generous());
    AddUser("root", "admin");
    AddUser("alice", "viewer");
  }
};

TEST_F(SignedInTest, LoginTellsWhoSignedIn) {
  const Response response = Login("alice");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body,
              HasSubstr(R"("expires_in":900,"user":{"username":"alice","role":"viewer"})"));
  const Response me = Call("GET", "/api/v1/me", TextMember(response.body, "token"));
  EXPECT_EQ(me.body, R"({"username":"alice","role":"viewer"})");
}

TEST_F(SignedInTest, WrongPasswordAndUnknownUserLookTheSame) {
  const Response wrong = Login("alice", "not the right one");
  const Response unknown = Login("nobody", "not the right one");
  const Response impossible = Login("no such name!", "x");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(wrong.body, unknown.body);
  EXPECT_EQ(wrong.body, impossible.body);
}

TEST_F(SignedInTest, MegabytePasswordsAreRefused) {
  EXPECT_EQ(Login("alice", std::string(60'000, 'x')).status, 401);
}

TEST_F(SignedInTest, TokensEndAfterFifteenMinutes) {
  const Tokens tokens = SignIn("alice");
  Pass(899s);
  EXPECT_EQ(Me(tokens.access), 200);
  Pass(1s);
  EXPECT_EQ(Me(tokens.access), 401);
}

TEST_F(SignedInTest, LogoutEndsBothTokensAtOnce) {
  const Tokens tokens = SignIn("alice");
  EXPECT_EQ(Call("POST", "/api/v1/logout", tokens.access,
                 R"({"refresh_token":")" + tokens.refresh + "\"}")
                .status,
            204);
  EXPECT_EQ(Me(tokens.access), 401);
  EXPECT_EQ(
      Call("POST", "/api/v1/refresh", {}, R"({"refresh_token":")" + tokens.refresh + "\"}").status,
      401);
}

TEST_F(SignedInTest, LogoutNeedsNoRefreshToken) {
  for (const char* body : {"", "{}", R"({"refresh_token":null})"}) {
    const Tokens tokens = SignIn("alice");
    EXPECT_EQ(Call("POST", "/api/v1/logout", tokens.access, body).status, 204) << body;
    EXPECT_EQ(Me(tokens.access), 401);
  }
}

TEST_F(SignedInTest, LogoutEndsNoOtherUsersSession) {
  const Tokens alice = SignIn("alice");
  const Tokens root = SignIn("root");
  Call("POST", "/api/v1/logout", alice.access, R"({"refresh_token":")" + root.refresh + "\"}");
  EXPECT_EQ(Me(root.access), 200);
}

TEST_F(SignedInTest, RefreshGivesNewTokensOnce) {
  const Tokens tokens = SignIn("alice");
  const std::string body = R"({"refresh_token":")" + tokens.refresh + "\"}";
  const Response first = Call("POST", "/api/v1/refresh", {}, body);
  ASSERT_EQ(first.status, 200);
  EXPECT_EQ(Me(TextMember(first.body, "token")), 200);
  EXPECT_EQ(Call("POST", "/api/v1/refresh", {}, body).status, 401);
  // Two parties held the token: the whole session has ended.
  EXPECT_EQ(Me(TextMember(first.body, "token")), 401);
}

TEST_F(SignedInTest, DemotionEndsTheSession) {
  AddUser("second", "admin");
  const Tokens second = SignIn("second");
  const Tokens root = SignIn("root");
  EXPECT_EQ(Call("GET", "/api/v1/users", second.access).status, 200);
  EXPECT_EQ(Call("PATCH", "/api/v1/users/second", root.access, R"({"role":"viewer"})").status, 200);
  EXPECT_EQ(Me(second.access), 401);
  EXPECT_EQ(Call("GET", "/api/v1/users", SignIn("second").access).status, 403);
}

TEST_F(SignedInTest, DeletionEndsTheSession) {
  const Tokens alice = SignIn("alice");
  const Tokens root = SignIn("root");
  EXPECT_EQ(Me(alice.access), 200);
  EXPECT_EQ(Call("DELETE", "/api/v1/users/alice", root.access).status, 204);
  EXPECT_EQ(Me(alice.access), 401);
  // Nor does a new user of the same name inherit it.
  EXPECT_EQ(Call("POST", "/api/v1/users", root.access,
                 R"({"username":"alice","password":"another password","role":"admin"})")
                .status,
            201);
  EXPECT_EQ(Me(alice.access), 401);
}

TEST_F(SignedInTest, ChangeByAnotherProcessIsNoticedWithinASecond) {
  const Tokens alice = SignIn("alice");
  EXPECT_EQ(Me(alice.access), 200);
  User user = *store_->GetUser("alice");
  ++user.generation;
  ASSERT_TRUE(store_->UpdateUser(user).ok());
  Pass(1s);
  EXPECT_EQ(Me(alice.access), 401);
}

TEST_F(SignedInTest, NewPasswordEndsEveryOtherSession) {
  const Tokens mine = SignIn("alice");
  const Tokens other = SignIn("alice");
  EXPECT_EQ(
      Call("POST", "/api/v1/me/password", mine.access,
           R"({"current_password":"correct horse battery","new_password":"a better password"})")
          .status,
      204);
  EXPECT_EQ(Me(other.access), 401);
  EXPECT_EQ(
      Call("POST", "/api/v1/refresh", {}, R"({"refresh_token":")" + other.refresh + "\"}").status,
      401);
  EXPECT_EQ(Login("alice").status, 401);
  // This session goes on with its refresh token; its access token was of the old password.
  EXPECT_EQ(Me(mine.access), 401);
  const Response next =
      Call("POST", "/api/v1/refresh", {}, R"({"refresh_token":")" + mine.refresh + "\"}");
  ASSERT_EQ(next.status, 200);
  EXPECT_EQ(Me(TextMember(next.body, "token")), 200);
}

TEST_F(SignedInTest, NewPasswordNeedsTheOldOne) {
  const Tokens mine = SignIn("alice");
  EXPECT_EQ(Call("POST", "/api/v1/me/password", mine.access,
                 R"({"current_password":"not the right one","new_password":"a better password"})")
                .status,
            403);
  EXPECT_EQ(Me(mine.access), 200);
}

TEST_F(SignedInTest, PasswordsHave12To256Characters) {
  const Tokens root = SignIn("root");
  const auto add = [&](const std::string& name, const std::string& password) {
    return Call("POST", "/api/v1/users", root.access,
                R"({"username":")" + name + R"(","role":"viewer","password":)" +
                    JsonQuote(password) + "}")
        .status;
  };
  EXPECT_EQ(add("a", std::string(11, 'x')), 400);
  EXPECT_EQ(add("a", std::string(257, 'x')), 400);
  EXPECT_EQ(add("a", std::string(12, 'x')), 201);
  EXPECT_EQ(add("b", std::string(256, 'x')), 201);
  std::string umlauts;
  for (int i = 0; i < 12; ++i) umlauts += "\xC3\xA4";
  EXPECT_EQ(add("c", umlauts.substr(0, 22)), 400);
  EXPECT_EQ(add("c", umlauts), 201);
}

TEST_F(SignedInTest, TheLastAdministratorStays) {
  const Tokens root = SignIn("root");
  EXPECT_EQ(Call("DELETE", "/api/v1/users/root", root.access).status, 409);
  EXPECT_EQ(Call("PATCH", "/api/v1/users/root", root.access, R"({"role":"viewer"})").status, 409);
  EXPECT_EQ(Call("GET", "/api/v1/users", root.access).status, 200);
}

TEST_F(SignedInTest, NamesThatCannotBeToldApartOrAddressedAreRefused) {
  const Tokens root = SignIn("root");
  const auto add = [&](std::string_view name) {
    return Call("POST", "/api/v1/users", root.access,
                R"({"username":")" + std::string(name) + R"(","role":"viewer","password":")" +
                    std::string(kPassword) + R"("})")
        .status;
  };
  EXPECT_EQ(add("."), 400);
  EXPECT_EQ(add(".."), 400);
  EXPECT_EQ(add("Alice"), 409);
  EXPECT_EQ(add("..."), 201);
}

TEST_F(SignedInTest, UsersAreListedWithoutTheirHashes) {
  const Response users = Call("GET", "/api/v1/users", SignIn("root").access);
  EXPECT_THAT(
      users.body,
      HasSubstr(
          R"({"username":"alice","role":"viewer","created":"2027-01-15T08:00:00.000000000Z"})"));
  EXPECT_THAT(users.body, Not(HasSubstr("argon2")));
}

TEST_F(SignedInTest, SessionsSurviveARestartAndSignedOutOnesDoNotComeBack) {
  const Tokens alice = SignIn("alice");
  const Tokens gone = SignIn("alice");
  Call("POST", "/api/v1/logout", gone.access);
  Restart(Generous());
  services_->sessions.Load(*store_->GetSetting(kSessionsSetting));
  EXPECT_EQ(Me(alice.access), 200);
  EXPECT_EQ(Me(gone.access), 401);
}

TEST_F(SignedInTest, TokensAreTakenFromTheHeaderAloneAndOnlyAsBearer) {
  const std::string token = SignIn("alice").access;
  EXPECT_EQ(Call("GET", "/api/v1/capture?token=" + token).status, 401);
  const std::vector<std::string> wrong = {token, "Basic " + token, "Bearer", "Bearer  " + token,
                                          "Bearer " + token + " x"};
  for (const std::string& authorization : wrong) {
    Request request;
    request.method = "GET";
    request.target.path = "/api/v1/me";
    request.authorization = authorization;
    EXPECT_EQ(Send(request).status, 401) << authorization;
  }
}

TEST_F(SignedInTest, AStreamNeedsAFreshTicketOfALiveSession) {
  const Tokens alice = SignIn("alice");
  const auto ticket = [&] {
    return TextMember(Call("POST", "/api/v1/stream/ticket", alice.access).body, "ticket");
  };
  const std::string used = ticket();
  EXPECT_NE(Call("GET", "/api/v1/stream?ticket=" + used).stream, nullptr);
  EXPECT_EQ(Call("GET", "/api/v1/stream?ticket=" + used).status, 401);
  const std::string late = ticket();
  Pass(30s);
  EXPECT_EQ(Call("GET", "/api/v1/stream?ticket=" + late).status, 401);
  const std::string revoked = ticket();
  Call("POST", "/api/v1/logout", alice.access);
  EXPECT_EQ(Call("GET", "/api/v1/stream?ticket=" + revoked).status, 401);
  EXPECT_EQ(Call("GET", "/api/v1/stream").status, 401);
}

TEST_F(SignedInTest, NinthStreamOfAUserIsRefusedWithRetryAfter) {
  const Tokens alice = SignIn("alice");
  Response last;
  std::vector<Response> open;
  for (int i = 0; i < 9; ++i) {
    const std::string ticket =
        TextMember(Call("POST", "/api/v1/stream/ticket", alice.access).body, "ticket");
    open.push_back(Call("GET", "/api/v1/stream?ticket=" + ticket));
  }
  EXPECT_EQ(open[7].status, 200);
  EXPECT_EQ(open[8].status, 503);
  EXPECT_NE(HeaderOf(open[8], "Retry-After"), "");
}

TEST_F(SignedInTest, BadParametersAreNamed) {
  const std::string token = SignIn("alice").access;
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"/api/v1/flows?limit=0", "limit"},
      {"/api/v1/flows?limit=1001", "limit"},
      {"/api/v1/flows?limit=1e3", "limit"},
      {"/api/v1/flows?order=id;drop", "order"},
      {"/api/v1/flows?since=yesterday", "since"},
      {"/api/v1/flows?since=-5y", "since"},
      {"/api/v1/flows?since=now&until=-1h", "since"},
      {"/api/v1/flows?until=2026-13-01T00:00:00Z", "until"},
      {"/api/v1/flows?since=-99999999999999999999d", "since"},
      {"/api/v1/flows?limit=1&limit=2", "limit"},
      {"/api/v1/flows?unknown=1", "unknown"},
      {"/api/v1/flows?where=dprt%3D1", "where"},
      {"/api/v1/series?step=61", "step"},
      {"/api/v1/series?step=0", "step"},
      {"/api/v1/series?step=60&since=-3000d", "step"},
      {"/api/v1/series?address=10.0.0.256", "address"},
      {"/api/v1/series?by=host", "by"},
      {"/api/v1/top?dimension=username", "dimension"},
      {"/api/v1/top?by=1", "by"},
      {"/api/v1/top?limit=101", "limit"},
      {"/api/v1/conversations?by=hosts", "by"},
      {"/api/v1/conversations?limit=101", "limit"},
      {"/api/v1/conversations?dimension=address", "dimension"},
      {"/api/v1/hosts/10.0.0.1?where=dprt%3D1", "where"},
      {"/api/v1/hosts/10.0.0.1?since=now&until=-1h", "since"},
      {"/api/v1/alerts?class=nonsense", "class"},
      {"/api/v1/alerts?severity=7", "severity"},
  };
  for (const auto& [target, parameter] : cases) {
    const Response response = Call("GET", target, token);
    EXPECT_EQ(response.status, 400) << target;
    EXPECT_EQ(response.content_type, "application/problem+json");
    EXPECT_THAT(response.body, HasSubstr(parameter)) << target;
  }
}

TEST_F(SignedInTest, ABadFilterTellsWhere) {
  const Response response =
      Call("GET", "/api/v1/flows?where=src%3D10.0.0.0/8+and+dprt%3D1", SignIn("alice").access);
  EXPECT_EQ(response.status, 400);
  EXPECT_THAT(response.body, HasSubstr(R"("position":19)"));
}

TEST_F(SignedInTest, HostileTextsReachNoStatement) {
  const std::string token = SignIn("root").access;
  for (const char* text : {"'%20or%201=1--", "%22;drop%20table%20flows;--",
                           "x'%20union%20select%20password_hash%20from%20users--", "%F0%9F%98%80",
                           "%25%25%25", "$.a[0]", "\\", "*"}) {
    for (const char* target :
         {"/api/v1/flows?cursor=", "/api/v1/flows?where=", "/api/v1/flows?order=",
          "/api/v1/flows?since=", "/api/v1/alerts?cursor=", "/api/v1/alerts?class=",
          "/api/v1/top?dimension=", "/api/v1/series?address=", "/api/v1/conversations?where=",
          "/api/v1/hosts/10.0.0.1?where=", "/api/v1/hosts/"}) {
      const Response response = Call("GET", std::string(target) + text, token);
      EXPECT_EQ(response.status, 400) << target << text;
      EXPECT_THAT(response.body, Not(HasSubstr("sqlite"))) << target << text;
    }
    EXPECT_EQ(
        Call("PATCH", std::string("/api/v1/users/") + text, token, R"({"role":"viewer"})").status,
        404);
  }
  EXPECT_EQ(store_->Users()->size(), 2U);
}

TEST_F(SignedInTest, BodiesAreFlatJsonOfKnownFields) {
  for (const char* body :
       {"", "x", "[]", "{\"username\":\"a\"}", R"({"username":1,"password":"x"})",
        R"({"username":"a","password":"b","role":"admin"})",
        R"({"username":"a","username":"b","password":"c"})",
        R"({"username":{"$ne":null},"password":"x"})"}) {
    Request request;
    request.method = "POST";
    request.target.path = "/api/login";
    request.content_type = "application/json";
    request.body = body;
    EXPECT_EQ(Send(request).status, 400) << body;
  }
}

TEST_F(SignedInTest, BodiesThatNobodyReadsAreRefused) {
  const Tokens root = SignIn("root");
  for (const char* path : {"/api/v1/exports", "/api/v1/stream/ticket"}) {
    EXPECT_EQ(Call("POST", path, root.access, R"({"where":"dport=22"})").status, 400) << path;
    EXPECT_EQ(Call("POST", path, root.access, "x").status, 400) << path;
    EXPECT_NE(Call("POST", path, root.access, "{}").status, 400) << path;
  }
}

TEST_F(SignedInTest, OtherMediaTypesAreRefused) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                           "multipart/form-data", "application/jsonx"}) {
    Request request;
    request.method = "POST";
    request.target.path = "/api/login";
    request.content_type = type;
    request.body = R"({"username":"alice","password":"correct horse battery"})";
    EXPECT_EQ(Send(request).status, 415) << type;
    request.content_type = "Application/JSON; charset=utf-8";
    EXPECT_EQ(Send(request).status, 200);
  }
}

TEST_F(SignedInTest, WrongMethodsAreToldTheRightOnes) {
  const Response response = Call("PUT", "/api/v1/users");
  EXPECT_EQ(response.status, 405);
  EXPECT_EQ(HeaderOf(response, "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(Call("OPTIONS", "/api/login").status, 405);
  EXPECT_EQ(Call("POST", "/").status, 405);
  EXPECT_EQ(Call("TRACE", "/api/v1/me").status, 405);
}

TEST_F(SignedInTest, UnknownApiPathsAreNotTheDashboard) {
  EXPECT_EQ(Call("GET", "/api/v1/nothing").status, 404);
  EXPECT_EQ(Call("GET", "/api").status, 404);
  EXPECT_EQ(Call("GET", "/overview").content_type, "text/html; charset=utf-8");
}

TEST_F(SignedInTest, HealthNamesWhatFails) {
  EXPECT_EQ(Call("GET", "/healthz").body, R"({"status":"ok"})");
  capture_.state = CaptureState::kFailed;
  services_->store_health.Tell(absl::ResourceExhaustedError("full"), monotonic_);
  const Response response = Call("GET", "/healthz");
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, HasSubstr("store, capture"));
}

class SetupTest : public AppTest {
 protected:
  SetupTest() {
    Restart(Generous());
    EXPECT_TRUE(store_->PutSetting(kBootstrapSetting, Digest("the token")).ok());
  }

  Response Setup(std::string_view token, std::string_view name = "root",
                 std::string_view password = kPassword) {
    return Call("POST", "/api/v1/setup", {},
                R"({"bootstrap_token":)" + JsonQuote(token) + R"(,"username":)" + JsonQuote(name) +
                    R"(,"password":)" + JsonQuote(password) + "}");
  }
};

TEST_F(SetupTest, TheTokenMakesOneAdministrator) {
  EXPECT_EQ(Call("GET", "/api/v1/setup").body, R"({"needed":true})");
  const Response response = Setup("the token");
  EXPECT_EQ(response.status, 201);
  EXPECT_EQ(Call("GET", "/api/v1/users", TextMember(response.body, "token")).status, 200);
  EXPECT_EQ(Call("GET", "/api/v1/setup").body, R"({"needed":false})");
  EXPECT_EQ(Setup("the token", "second").status, 409);
}

TEST_F(SetupTest, AWrongTokenOrPasswordMakesNobody) {
  EXPECT_EQ(Setup("another token").status, 401);
  EXPECT_EQ(Setup("").status, 401);
  EXPECT_EQ(Setup("the token", "root", "short").status, 400);
  EXPECT_EQ(Setup("the token", "no spaces please").status, 400);
  EXPECT_TRUE(store_->Users()->empty());
  EXPECT_EQ(Setup("the token").status, 201);
}

TEST_F(SetupTest, AnEmptyTokenOpensNothingOnceTheTokenIsUsedUp) {
  ASSERT_EQ(Setup("the token").status, 201);
  EXPECT_EQ(*store_->GetSetting(kBootstrapSetting), "");
  EXPECT_EQ(Setup("").status, 409);
}

class LimitsTest : public AppTest {
 protected:
  LimitsTest() {
    AddUser("alice", "viewer");
    AddUser("bob", "viewer");
  }
};

TEST_F(LimitsTest, AnAddressHasABurstOf60Requests) {
  int answered = 0;
  Response last;
  for (int i = 0; i < 100; ++i) {
    last = Call("GET", "/api/v1/me");
    if (last.status == 401) ++answered;
  }
  EXPECT_EQ(answered, 60);
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(HeaderOf(last, "Retry-After"), "1");
  EXPECT_EQ(Call("GET", "/api/v1/me", {}, {}, "192.0.2.2").status, 401);
  Pass(1s);
  EXPECT_EQ(Call("GET", "/api/v1/me").status, 401);
}

TEST_F(LimitsTest, AUserHasABurstOf120RequestsOverAllAddresses) {
  const std::string token = SignIn("alice").access;
  int answered = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string client = "192.0.2." + std::to_string(i % 20 + 10);
    if (Call("GET", "/api/v1/me", token, {}, client).status == 200) ++answered;
  }
  EXPECT_EQ(answered, 120);
}

TEST_F(LimitsTest, RightPasswordsAreRefusedAfterFiveGuessesUntilTimeHasPassed) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Login("alice", "not the right one").status, 401);
  const Response response = Login("alice");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(HeaderOf(response, "Retry-After"), "12");
  EXPECT_EQ(Login("alice", kPassword, "192.0.2.2").status, 200);
  Pass(12s);
  EXPECT_EQ(Login("alice").status, 200);
}

TEST_F(LimitsTest, GuessingTheOwnPasswordIsLimitedToo) {
  const std::string token = SignIn("alice").access;
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    const int status =
        Call("POST", "/api/v1/me/password", token,
             R"({"current_password":"not the right one","new_password":"a better password"})")
            .status;
    if (status == 403) ++answered;
  }
  EXPECT_EQ(answered, 4);  // the sign-in was the fifth
}

TEST_F(LimitsTest, HealthAndDashboardStayReachable) {
  for (int i = 0; i < 100; ++i) Call("GET", "/api/v1/me");
  EXPECT_EQ(Call("GET", "/healthz").status, 200);
  EXPECT_EQ(Call("GET", "/").status, 200);
}

TEST(FromStatus, TellsNothingOfTheInside) {
  const Response response =
      FromStatus(absl::InternalError("near \"SELECT\": syntax error in /var/lib/nta/nta.db"));
  EXPECT_EQ(response.status, 503);
  EXPECT_THAT(response.body, Not(HasSubstr("SELECT")));
  EXPECT_THAT(response.body, Not(HasSubstr("/var")));
}

TEST(ParseTarget, DecodesPathAndQuery) {
  const auto target =
      ParseTarget("/api/v1/flows?where=src%3D10.0.0.0%2F8+and+port%3D1&x=%C3%A4&flag");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->path, "/api/v1/flows");
  EXPECT_THAT(target->query,
              testing::ElementsAre(testing::Pair("where", "src=10.0.0.0/8 and port=1"),
                                   testing::Pair("x", "\xC3\xA4"), testing::Pair("flag", "")));
  EXPECT_EQ(ParseTarget("http://127.0.0.1:8080/healthz")->path, "/healthz");
}

TEST(ParseTarget, RefusesWhatIsNotOne) {
  for (const char* raw : {"", "*", "api", "/%", "/%1", "/%zz", "/%00", "/%0a", "/a?b=%00", "/%FF",
                          "/%C0%AF", "/\x01", "/a#b", "ftp://a/b", "http://"}) {
    EXPECT_FALSE(ParseTarget(raw).ok()) << raw;
  }
}

}  // namespace
}  // namespace nta::server
