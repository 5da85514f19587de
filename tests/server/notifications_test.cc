// Channels, routes and the notifications of users, through REST.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "app_fixture.h"
#include "nta/json/json.h"

namespace nta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class NotificationsTest : public AppTest {
 protected:
  NotificationsTest() {
    std::string pattern = testing::TempDir() + "nta-desk-XXXXXX";
    directory_ = mkdtemp(pattern.data());
    Restart(Generous());
    AddUser("vera", "viewer");
    AddUser("otto", "operator");
    AddUser("anna", "admin");
    Load();
  }
  ~NotificationsTest() override {
    app_.reset();
    services_.reset();
    std::filesystem::remove_all(directory_);
  }
  void Load() {
    ASSERT_TRUE(services_->notifications.Open(directory_ + "/queue", std::string(32, 'n')).ok());
    viewer_ = SignIn("vera").access;
    operator_ = SignIn("otto").access;
    admin_ = SignIn("anna").access;
  }
  void Offer(int number, Severity severity = Severity::kHigh) {
    Alert alert;
    alert.id = "a" + std::to_string(number);
    alert.time = wall_;
    alert.severity = severity;
    alert.summary = "something happened " + std::to_string(number);
    services_->notifications.Offer(alert, nta::ToJson(alert));
  }
  std::string List(const std::string& token) {
    return Call("GET", "/api/v1/notifications", token).body;
  }

  std::string directory_;
  std::string viewer_;
  std::string operator_;
  std::string admin_;
};

TEST_F(NotificationsTest, ADayIsToldToTheRoutesThatAskForIt) {
  const Response made =
      Call("POST", "/api/v1/notification-channels", admin_,
           R"({"kind":"syslog","name":"log","settings":{"host":"127.0.0.1","port":9}})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string id = TextMember(made.body, "id");
  const auto routes = [&](const std::string& more) {
    return Call("PUT", "/api/v1/notification-routes", admin_,
                R"({"routes":[{"id":"a","channel":")" + id + R"(","min_severity":"high"})" + more +
                    "]}")
        .status;
  };
  const auto queued = [&] { return services_->notifications.Stats()[id].queued; };
  EXPECT_EQ(routes(""), 200);
  services_->notifications.OfferSummary("2027-01-14", "a quiet day", "{}");
  EXPECT_EQ(queued(), 0u);
  EXPECT_EQ(routes(R"(,{"id":"b","channel":")" + id +
                   R"(","min_severity":"info","classes":["daily_summary"]})"),
            200);
  services_->notifications.OfferSummary("2027-01-14", "a quiet day", "{}");
  EXPECT_EQ(queued(), 1u);
  Offer(1, Severity::kLow);  // not of that class
  EXPECT_EQ(queued(), 1u);
}

TEST_F(NotificationsTest, EachUserHasTheirOwnMarks) {
  Offer(1);
  Offer(2);
  Offer(3, Severity::kLow);  // not worth a bell
  EXPECT_THAT(List(viewer_), HasSubstr(R"("unread":2)"));
  EXPECT_THAT(List(viewer_), HasSubstr(R"("alert":"a2")"));
  const std::string newest = TextMember(List(viewer_), "id");
  EXPECT_THAT(
      Call("POST", "/api/v1/notifications/read", viewer_, R"({"id":")" + newest + R"("})").body,
      HasSubstr(R"("unread":1)"));
  EXPECT_THAT(List(operator_), HasSubstr(R"("unread":2)"));
  EXPECT_THAT(Call("POST", "/api/v1/notifications/read", viewer_).body, HasSubstr(R"("unread":0)"));
  EXPECT_EQ(Call("DELETE", "/api/v1/notifications", viewer_).status, 204);
  EXPECT_THAT(List(viewer_), HasSubstr(R"("notifications":[])"));
  EXPECT_THAT(List(operator_), HasSubstr(R"("alert":"a1")"));
  Offer(4);
  EXPECT_THAT(List(viewer_), HasSubstr(R"("unread":1)"));
  EXPECT_EQ(Call("POST", "/api/v1/notifications/read", viewer_, R"({"id":"x"})").status, 404);
}

TEST_F(NotificationsTest, TheyOutliveARestartAndAreBounded) {
  for (int i = 0; i < 1200; ++i) {
    Offer(i);
    if (i % 50 == 0) services_->notifications.Step();
  }
  services_->notifications.Step();
  Call("POST", "/api/v1/notifications/read", viewer_);
  Offer(2000);
  services_->notifications.Step();
  Restart(Generous());
  Load();
  const std::string list = List(viewer_);
  EXPECT_THAT(list, HasSubstr(R"("unread":1)"));
  EXPECT_THAT(list, HasSubstr(R"("alert":"a2000")"));
  EXPECT_THAT(list, HasSubstr(R"("alert":"a1199")"));
  EXPECT_THAT(list, Not(HasSubstr(R"("alert":"a500")")));
  const auto page = store_->Documents({.kind = "notification", .limit = 10'000});
  EXPECT_LE(page->documents.size(), NotificationDesk::kMostKept);
}

TEST_F(NotificationsTest, SecretsGoInAndNeverComeOut) {
  const std::string secret = "canary-s3cret-42";
  const Response mail =
      Call("POST", "/api/v1/notification-channels", admin_,
           R"({"name":"Mail","kind":"email","settings":{"host":"127.0.0.1","port":1,
        "username":"robot","password":")" +
               secret + R"(","from":"nta@example.org","to":["ops@example.org"]}})");
  ASSERT_EQ(mail.status, 201) << mail.body;
  const Response hook = Call("POST", "/api/v1/notification-channels", admin_,
                             R"({"name":"Hook","kind":"webhook","settings":{"url":
        "https://hooks.example.com/x","secret":")" +
                                 secret + R"("}})");
  ASSERT_EQ(hook.status, 201) << hook.body;
  const std::string id = TextMember(mail.body, "id");
  EXPECT_THAT(mail.body, HasSubstr(R"("has_password":true)"));
  const Response tested = Call("POST", "/api/v1/notification-channels/" + id + "/test", admin_);
  EXPECT_EQ(tested.status, 200);
  EXPECT_THAT(tested.body, HasSubstr(R"("delivered":false)"));
  for (const std::string& text : {mail.body, hook.body, tested.body,
                                  Call("GET", "/api/v1/notification-channels", admin_).body}) {
    EXPECT_THAT(text, Not(HasSubstr(secret)));
  }
  // Neither do they stand in the store as they are, where a backup would carry them off.
  const auto kept = store_->Documents({.kind = "notification_channel", .limit = 100});
  ASSERT_TRUE(kept.ok()) << kept.status();
  for (const Document& document : kept->documents) {
    EXPECT_THAT(document.body, Not(HasSubstr(secret)));
    EXPECT_THAT(document.body, Not(HasSubstr("Y2FuYXJ5")));
  }
  Restart(Generous());
  Load();
  EXPECT_THAT(Call("GET", "/api/v1/notification-channels", admin_).body,
              HasSubstr(R"("has_password":true)"));
  // Left out it stays; but it is not sent to another server than the one it was meant for.
  const std::string change = R"({"name":"Mail","kind":"email","settings":{"host":"HOST","port":1,
      "username":"robot","from":"nta@example.org","to":["ops@example.org"]}})";
  const auto with_host = [&](const std::string& host) {
    std::string body = change;
    return body.replace(body.find("HOST"), 4, host);
  };
  const std::string path = "/api/v1/notification-channels/" + id;
  EXPECT_THAT(Call("PUT", path, admin_, with_host("127.0.0.1")).body,
              HasSubstr(R"("has_password":true)"));
  EXPECT_THAT(Call("PUT", path, admin_, with_host("evil.example.net")).body,
              HasSubstr(R"("has_password":false)"));
}

// As after a restore on another machine, where notify.key is another one.
TEST_F(NotificationsTest, ASecretThatCannotBeReadAnyMoreMustBeEnteredAgain) {
  const std::string settings =
      R"({"host":"127.0.0.1","port":1,"username":"robot","from":"a@b.example","to":["c@d.example"])";
  const std::string without = R"({"name":"Mail","kind":"email","settings":)" + settings + "}}";
  const std::string with =
      R"({"name":"Mail","kind":"email","settings":)" + settings + R"(,"password":"pw"}})";
  const std::string id =
      TextMember(Call("POST", "/api/v1/notification-channels", admin_, with).body, "id");
  const std::string hook = R"({"name":"Hook","kind":"webhook","settings":{"url":
      "https://hooks.example.com/x","secret":"s"}})";
  const std::string hook_id =
      TextMember(Call("POST", "/api/v1/notification-channels", admin_, hook).body, "id");
  Call("PUT", "/api/v1/notification-routes", admin_,
       R"({"routes":[{"channel":")" + hook_id + R"("}]})");
  Restart(Generous());
  ASSERT_TRUE(services_->notifications.Open(directory_ + "/queue", std::string(32, 'x')).ok());
  admin_ = SignIn("anna").access;
  const std::string list = Call("GET", "/api/v1/notification-channels", admin_).body;
  EXPECT_THAT(list,
              HasSubstr(R"("name":"Mail","kind":"email","enabled":true,"needs_secret":true)"));
  EXPECT_THAT(list,
              HasSubstr(R"("name":"Hook","kind":"webhook","enabled":true,"needs_secret":true)"));
  // Nothing goes out unsigned meanwhile; it waits.
  Offer(1);
  services_->notifications.Step();
  EXPECT_EQ(services_->notifications.Stats()[hook_id].queued, 1U);
  EXPECT_EQ(services_->notifications.Stats()[hook_id].failed_attempts, 0U);
  const std::string path = "/api/v1/notification-channels/" + id;
  const Response tested = Call("POST", path + "/test", admin_);
  EXPECT_THAT(tested.body, HasSubstr("enter it again"));
  EXPECT_EQ(Call("PUT", path, admin_, without).status, 409);
  EXPECT_EQ(
      Call("PUT", "/api/v1/notification-channels/" + hook_id, admin_,
           R"({"name":"Hook","kind":"webhook","settings":{"url":"https://hooks.example.com/x"}})")
          .status,
      409);
  const Response entered = Call("PUT", path, admin_, with);
  EXPECT_EQ(entered.status, 200) << entered.body;
  EXPECT_THAT(entered.body, HasSubstr(R"("needs_secret":false)"));
  EXPECT_EQ(Call("PUT", path, admin_, without).status, 200);
}

TEST_F(NotificationsTest, AnotherStoreBringsItsOwnChannelsAndMarks) {
  Offer(1);
  services_->notifications.Step();
  const Response made = Call("POST", "/api/v1/notification-channels", admin_,
                             R"({"name":"Log","kind":"syslog","settings":{"host":"127.0.0.1"}})");
  ASSERT_EQ(made.status, 201);
  const std::string id = TextMember(made.body, "id");
  // As a restore does.
  ASSERT_TRUE(store_->RemoveDocument("notification_channel", id).ok());
  const auto page = store_->Documents({.kind = "notification", .limit = 10});
  ASSERT_TRUE(page.ok());
  for (const Document& one : page->documents) {
    ASSERT_TRUE(store_->RemoveDocument("notification", one.id).ok());
  }
  ASSERT_TRUE(services_->notifications.Reload().ok());
  EXPECT_EQ(Call("GET", "/api/v1/notification-channels", admin_).body, R"({"channels":[]})");
  EXPECT_THAT(List(viewer_), HasSubstr(R"("notifications":[])"));
}

TEST_F(NotificationsTest, RoutesLeadAlertsToTheirChannel) {
  const int receiver = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(bind(receiver, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  socklen_t size = sizeof(address);
  getsockname(receiver, reinterpret_cast<sockaddr*>(&address), &size);
  const Response channel =
      Call("POST", "/api/v1/notification-channels", admin_,
           R"({"name":"Log","kind":"syslog","settings":{"host":"127.0.0.1","port":)" +
               std::to_string(ntohs(address.sin_port)) + "}}");
  ASSERT_EQ(channel.status, 201) << channel.body;
  const std::string id = TextMember(channel.body, "id");
  const Response routes = Call("PUT", "/api/v1/notification-routes", admin_,
                               R"({"routes":[{"channel":")" + id + R"(","min_severity":"high"}]})");
  ASSERT_EQ(routes.status, 200) << routes.body;
  EXPECT_THAT(routes.body, HasSubstr(R"("min_severity":"high")"));
  Offer(1, Severity::kMedium);
  Offer(2, Severity::kHigh);
  services_->notifications.Step();
  std::array<char, 4096> datagram{};
  const ssize_t length = recv(receiver, datagram.data(), datagram.size(), MSG_DONTWAIT);
  ASSERT_GT(length, 0);
  EXPECT_THAT(std::string(datagram.data(), static_cast<std::size_t>(length)),
              HasSubstr("something happened 2"));
  EXPECT_LT(recv(receiver, datagram.data(), datagram.size(), MSG_DONTWAIT), 0);
  close(receiver);
  EXPECT_THAT(Call("GET", "/api/v1/notification-channels", admin_).body, HasSubstr(R"("sent":1)"));
  EXPECT_EQ(Call("DELETE", "/api/v1/notification-channels/" + id, admin_).status, 409);
  EXPECT_EQ(Call("PUT", "/api/v1/notification-routes", admin_, R"({"routes":[]})").status, 200);
  EXPECT_EQ(Call("DELETE", "/api/v1/notification-channels/" + id, admin_).status, 204);
}

TEST_F(NotificationsTest, OnlyAdministratorsSetThemUp) {
  for (const std::string& token : {viewer_, operator_}) {
    EXPECT_EQ(Call("GET", "/api/v1/notification-channels", token).status, 403);
    EXPECT_EQ(Call("GET", "/api/v1/notification-routes", token).status, 403);
  }
  for (
      const char* body :
      {R"({"name":"x","kind":"pigeon","settings":{}})",
       R"({"name":"x","kind":"email","settings":{}})",
       R"({"name":"x","kind":"webhook","settings":{"url":"file:///etc/passwd"}})",
       R"({"name":"x","kind":"webhook","settings":{"url":"http://127.0.0.1/"}})",
       R"({"name":"x","kind":"syslog","settings":{"host":"a","port":0}})",
       R"({"name":"","kind":"syslog","settings":{"host":"a"}})",
       R"({"name":"x","kind":"email","settings":{"host":"h","security":"none","username":"u",
            "from":"a@b.c","to":["a@b.c"]}})",
       R"({"name":"x","kind":"email","settings":{"host":"h","from":"a@b.c\r\nX: y","to":["a@b.c"]}})",
       R"({"name":"x","kind":"syslog","settings":{"host":"a","extra":1}})"}) {
    const Response response = Call("POST", "/api/v1/notification-channels", admin_, body);
    EXPECT_TRUE(response.status == 400 || response.status == 403) << body << response.body;
  }
  for (const char* body :
       {R"({"routes":[{"channel":"none"}]})", R"({"routes":[{"channel":1}]})", R"({"routes":[1]})",
        R"({"routes":[{"channel":"x","min_severity":"loud"}]})"}) {
    EXPECT_EQ(Call("PUT", "/api/v1/notification-routes", admin_, body).status, 400) << body;
  }
}

}  // namespace
}  // namespace nta::server
