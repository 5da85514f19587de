// Log files and audit trail behind the API.
#include "logging/logs.h"

#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app_fixture.h"
#include "logging/audit_trail.h"
#include "logging/log_settings.h"

namespace nta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class LogsTest : public AppTest {
 protected:
  LogsTest() {
    std::string name = testing::TempDir() + "nta-server-logs-XXXXXX";
    directory_ = mkdtemp(name.data());
    Restart(Generous());
    Attach();
    AddUser("viewer", "viewer");
    AddUser("operator", "operator");
    AddUser("admin", "admin");
  }
  ~LogsTest() override {
    services_->logs = nullptr;
    services_->audit = nullptr;
    std::filesystem::remove_all(directory_);
  }

  void Attach() {
    logs_ = *Logs::Open({.directory = directory_ + "/logs",
                         .rotation = {.compression = LogCompression::kNone},
                         .syslog = "",
                         .to_stderr = false,
                         .clock = services_->clock});
    audit_ = *AuditTrail::Open(
        {.directory = directory_ + "/audit", .verification_key = "", .checkpoints = ""},
        services_->clock, logs_.get());
    services_->logs = logs_.get();
    services_->audit = audit_.get();
  }

  // All of the trail but what the trail writes itself, oldest first.
  std::vector<AuditEvent> Trail() const {
    std::vector<AuditEvent> events;
    EXPECT_TRUE(ExportAudit(audit_->directory(), {}, [&](const AuditRecord& record) {
                  if (record.event.act != kAuditSegmentAct) events.push_back(record.event);
                  return absl::OkStatus();
                }).ok());
    return events;
  }

  // Every byte of every file that was written.
  std::string AllFiles() const {
    std::stringstream all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_)) {
      if (entry.is_regular_file()) all << std::ifstream(entry.path(), std::ios::binary).rdbuf();
    }
    return all.str();
  }

  std::string directory_;
  std::unique_ptr<Logs> logs_;
  std::unique_ptr<AuditTrail> audit_;
};

TEST_F(LogsTest, WhatALibraryThrowsCostsOneRequestAndIsRecordedAsFailed) {
  Route route;
  route.method = "POST";
  route.path = "/api/v1/test";
  route.audit = "test.act";
  route.handler = [](Services&, const server::Call&) -> Response { throw std::bad_alloc(); };
  const Request request;
  server::Call call;
  call.request = &request;
  EXPECT_EQ(Handle(*services_, route, call).status, 500);
  const std::vector<AuditEvent> trail = Trail();
  ASSERT_FALSE(trail.empty());
  EXPECT_EQ(trail.back().act, "test.act");
  EXPECT_EQ(trail.back().outcome, AuditOutcome::kFailed);
}

TEST_F(LogsTest, AnActIsRecordedBeforeItIsDoneAndItsOutcomeAfter) {
  const std::string token = SignIn("admin").access;
  EXPECT_EQ(Call("PATCH", "/api/v1/users/viewer", token, R"({"role":"operator"})").status, 200);
  EXPECT_EQ(Call("DELETE", "/api/v1/users/nobody", token).status, 404);
  const std::vector<AuditEvent> trail = Trail();
  ASSERT_EQ(trail.size(), 6u);
  EXPECT_EQ(trail[0].act, "session.sign_in");
  EXPECT_EQ(trail[0].outcome, AuditOutcome::kBegun);
  EXPECT_EQ(trail[0].actor, "");  // not known before the password was right
  EXPECT_EQ(trail[0].address, "192.0.2.1");
  EXPECT_EQ(trail[1].outcome, AuditOutcome::kDone);
  EXPECT_EQ(trail[1].actor, "admin");
  EXPECT_EQ(trail[1].about, 2u);  // the first record is that of the file
  EXPECT_EQ(trail[2].act, "user.change");
  EXPECT_EQ(trail[2].actor, "admin");
  EXPECT_EQ(trail[2].role, "admin");
  EXPECT_EQ(trail[2].target, "/api/v1/users/viewer");
  EXPECT_EQ(trail[3].target, "viewer");
  EXPECT_THAT(trail[3].details,
              testing::Contains(std::pair<std::string, std::string>("new_role", "operator")));
  EXPECT_EQ(trail[5].outcome, AuditOutcome::kRefused);
  EXPECT_THAT(trail[5].details,
              testing::Contains(std::pair<std::string, std::string>("status", "404")));
}

using Detail = std::pair<std::string, std::string>;

TEST_F(LogsTest, TheTrailSaysWhatWasAskedForWithoutSecrets) {
  const std::string token = SignIn("admin").access;
  Call("POST", "/api/v1/firewall/block", token,
       R"({"address":"203.0.113.9","seconds":600,"reason":"scans us"})");
  Call("POST", "/api/v1/users", token,
       R"({"username":"new","password":"canary-password-1","role":"operator"})");
  Call("POST", "/api/v1/notification-channels", token,
       R"({"kind":"webhook","name":"hook","settings":)"
       R"({"url":"http://127.0.0.1:9/x","secret":"canary-secret-2"}})");
  Call("POST", "/api/v1/logout", token, R"({"refresh_token":"canary-token-3"})");
  std::map<std::string, std::vector<Detail>> asked;
  for (const AuditEvent& event : Trail()) {
    if (event.outcome == AuditOutcome::kBegun) asked[event.act] = event.details;
    for (const auto& [name, value] : event.details) EXPECT_THAT(value, Not(HasSubstr("canary")));
  }
  EXPECT_THAT(asked["firewall.block"],
              testing::IsSupersetOf({Detail("address", "203.0.113.9"), Detail("reason", "scans us"),
                                     Detail("seconds", "600")}));
  EXPECT_THAT(asked["user.create"],
              testing::IsSupersetOf({Detail("username", "new"), Detail("role", "operator"),
                                     Detail("password", "[redacted]")}));
  EXPECT_THAT(asked["session.sign_out"],
              testing::ElementsAre(Detail("refresh_token", "[redacted]")));
  EXPECT_THAT(asked["notification_channel.create"],
              testing::Contains(testing::Pair("settings", HasSubstr(R"("secret":"[redacted]")"))));
}

TEST_F(LogsTest, EachFieldThatIsASecretIsOneByItsType) {
  for (const Route& route : AllRoutes()) {
    for (const Field& field : route.fields) {
      EXPECT_EQ(IsSecretName(field.name),
                field.type == FieldType::kSecret && field.name != "username")
          << route.path << " " << field.name;
    }
  }
}

TEST_F(LogsTest, AJobsOutcomeIsThatOfItsEnd) {
  const std::string token = SignIn("admin").access;
  const auto await = [&](const Response& begun) {
    EXPECT_EQ(begun.status, 202) << begun.body;
    const std::string id = TextMember(begun.body, "id");
    while (services_->jobs.Find(id)->state == JobState::kRunning) std::this_thread::yield();
  };
  await(Call("POST", "/api/v1/exports", token));
  Request wrong;
  wrong.method = "POST";
  wrong.target = *ParseTarget("/api/v1/imports");
  wrong.authorization = "Bearer " + token;
  wrong.client = *IpAddress::Parse("192.0.2.1");
  wrong.upload = std::make_shared<BodyFile>(*BodyFile::Create(directory_));
  ASSERT_TRUE(wrong.upload->Append("no flows\n").ok());
  await(Send(std::move(wrong)));
  std::vector<AuditEvent> ends;
  for (const AuditEvent& event : Trail()) {
    if (event.act.starts_with("flows.") && event.outcome != AuditOutcome::kBegun) {
      ends.push_back(event);
    }
  }
  ASSERT_EQ(ends.size(), 2u);  // each act has one outcome
  EXPECT_EQ(ends[0].act, "flows.export");
  EXPECT_EQ(ends[0].outcome, AuditOutcome::kDone);
  EXPECT_EQ(ends[0].actor, "admin");
  EXPECT_GT(ends[0].about, 0u);
  EXPECT_THAT(ends[0].details, testing::Contains(Detail("result", R"({"flows":0})")));
  EXPECT_EQ(ends[1].outcome, AuditOutcome::kFailed);
  EXPECT_THAT(ends[1].details, testing::Contains(Detail("state", "failed")));
  EXPECT_THAT(ends[1].details, testing::Contains(testing::Pair("error", testing::Ne(""))));
}

TEST_F(LogsTest, ActsOfTheServerItselfAreRecordedAndNotDoneWhenTheyCannotBe) {
  EXPECT_EQ(*DoRecorded(*services_, "scheduler", "store.retention", "",
                        [] { return absl::StatusOr<std::string>("deleted 3 flows"); }),
            "deleted 3 flows");
  const std::vector<AuditEvent> trail = Trail();
  ASSERT_EQ(trail.size(), 2u);
  EXPECT_EQ(trail[0].outcome, AuditOutcome::kBegun);
  EXPECT_EQ(trail[1].actor, "scheduler");
  EXPECT_EQ(trail[1].outcome, AuditOutcome::kDone);
  EXPECT_THAT(trail[1].details, testing::ElementsAre(Detail("result", "deleted 3 flows")));
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(directory_ + "/audit/audit.000001.log") + 10;
  setrlimit(RLIMIT_FSIZE, &full);
  bool was_done = false;
  const auto refused = DoRecorded(*services_, "scheduler", "backup.prune", "", [&] {
    was_done = true;
    return absl::StatusOr<std::string>("");
  });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_FALSE(refused.ok());
  EXPECT_FALSE(was_done);
}

TEST_F(LogsTest, FailedSignInsAreRecordedWithoutNamesThatNobodyHas) {
  EXPECT_EQ(Login("admin", "not the password").status, 401);
  EXPECT_EQ(Login("hunter2-typed-here", "not the password").status, 401);
  const std::vector<AuditEvent> trail = Trail();
  ASSERT_EQ(trail.size(), 4u);
  EXPECT_EQ(trail[1].outcome, AuditOutcome::kRefused);
  EXPECT_EQ(trail[1].target, "admin");
  EXPECT_EQ(trail[3].outcome, AuditOutcome::kRefused);
  ASSERT_TRUE(logs_->Flush().ok());
  EXPECT_THAT(AllFiles(), Not(HasSubstr("hunter2")));
}

TEST_F(LogsTest, AnActIsRefusedWhenItCannotBeRecorded) {
  const std::string token = SignIn("admin").access;
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(directory_ + "/audit/audit.000001.log") + 10;
  setrlimit(RLIMIT_FSIZE, &full);
  const Response refused = Call("DELETE", "/api/v1/users/viewer", token);
  const Response sign_in = Login("operator");
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("nothing was done"));
  EXPECT_EQ(sign_in.status, 503);
  EXPECT_TRUE(store_->GetUser("viewer").ok());
  // What needs no record goes on; with space again, acts do, too.
  EXPECT_EQ(Me(token), 200);
  EXPECT_EQ(Call("DELETE", "/api/v1/users/viewer", token).status, 204);
  EXPECT_TRUE(audit_->Verify()->ok());
}

TEST_F(LogsTest, TheTrailIsReadVerifiedAndExportedAndSaysSo) {
  const std::string token = SignIn("admin").access;
  Response response = Call("GET", "/api/logs/audit?act=session&limit=1", token);
  ASSERT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("act":"session.sign_in")"));
  EXPECT_THAT(response.body, HasSubstr(R"("outcome":"done")"));
  const std::string cursor = TextMember(response.body, "next_cursor");
  ASSERT_FALSE(cursor.empty());
  response = Call("GET", "/api/logs/audit?act=session&limit=1&cursor=" + cursor, token);
  EXPECT_THAT(response.body, HasSubstr(R"("outcome":"begun")"));
  response = Call("POST", "/api/v1/logs/audit/verify", token);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("ok":true)"));
  EXPECT_THAT(response.body, HasSubstr("as they were written"));
  response = Call("GET", "/api/v1/logs/audit/export?format=csv", token);
  ASSERT_EQ(response.status, 200);
  ASSERT_NE(response.file, nullptr);
  EXPECT_THAT(*response.file->Read(0, 1 << 20), HasSubstr("session.sign_in"));
  response = Call("POST", "/api/v1/logs/audit/checkpoint", token);
  EXPECT_THAT(response.body, HasSubstr("nta-audit-checkpoint 1 chain="));
  std::vector<std::string> acts;
  for (const AuditEvent& event : Trail()) {
    if (event.outcome == AuditOutcome::kBegun) acts.push_back(event.act);
  }
  EXPECT_THAT(acts, testing::ElementsAre("session.sign_in", "audit.read", "audit.read",
                                         "audit.verify", "audit.export", "audit.checkpoint"));
  EXPECT_EQ(Call("GET", "/api/logs/audit?outcome=odd", token).status, 400);
  EXPECT_EQ(Call("GET", "/api/logs/audit?cursor=odd", token).status, 400);
}

TEST_F(LogsTest, ADamagedTrailIsReportedInWordsAndInTheSecurityLog) {
  const std::string token = SignIn("admin").access;
  {
    std::fstream file(directory_ + "/audit/audit.000001.log",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(60);
    file.put('X');
  }
  const Response response = Call("POST", "/api/v1/logs/audit/verify", token);
  EXPECT_THAT(response.body, HasSubstr(R"("ok":false)"));
  EXPECT_THAT(response.body, HasSubstr("NOT as it was written"));
  EXPECT_THAT(Call("GET", "/api/logs/security?component=audit", token).body,
              HasSubstr("NOT as it was written"));
}

TEST_F(LogsTest, WhoTriedWhatIsInTheSecurityLog) {
  Login("admin", "not the password");
  const std::string viewer = SignIn("viewer").access;
  EXPECT_EQ(Call("GET", "/api/v1/users", viewer).status, 403);
  EXPECT_EQ(Call("GET", "/api/v1/me", "not.a.token").status, 401);
  const std::string token = SignIn("operator").access;
  const Response response = Call("GET", "/api/logs/security?order=time", token);
  ASSERT_EQ(response.status, 200) << response.body;
  for (const char* component :
       {"sign_in.failed", "sign_in.good", "role.lacking", "session.bad_token"}) {
    EXPECT_THAT(response.body, HasSubstr(R"("component":")" + std::string(component) + '"'));
  }
  EXPECT_THAT(response.body, HasSubstr(R"("username":"viewer")"));
  // Kinds are kept apart.
  EXPECT_THAT(Call("GET", "/api/logs", token).body, Not(HasSubstr("sign_in")));
  EXPECT_THAT(Call("GET", "/api/logs?kind=security", token).body, HasSubstr("sign_in"));
}

TEST_F(LogsTest, OneGuesserDoesNotFillTheSecurityLog) {
  for (int i = 0; i < 500; ++i) Call("GET", "/api/v1/me", "not.a.token", {}, "198.51.100.1");
  Call("GET", "/api/v1/me", "not.a.token", {}, "198.51.100.2");
  ASSERT_TRUE(logs_->Flush().ok());
  const auto page = ReadLog(logs_->path(LogKind::kSecurity), {.limit = 1000});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->events.size(), 61u);
  EXPECT_EQ(std::get<std::int64_t>(page->events.front().fields.back().value), 440);
}

TEST_F(LogsTest, LogsAreReadFilteredAndDownloaded) {
  const std::string token = SignIn("operator").access;
  Log(LogLevel::kInfo, "capture", "first thing", {{"interface", "eth0"}});
  Log(LogLevel::kError, "store", "second thing");
  const std::string all = Call("GET", "/api/v1/logs", token).body;
  EXPECT_THAT(all, HasSubstr("first thing"));
  EXPECT_THAT(all, HasSubstr("second thing"));
  EXPECT_THAT(Call("GET", "/api/v1/logs?level=warning", token).body, Not(HasSubstr("first")));
  EXPECT_THAT(Call("GET", "/api/v1/logs?component=capture", token).body, Not(HasSubstr("second")));
  EXPECT_THAT(Call("GET", "/api/v1/logs?text=ETH0", token).body, HasSubstr("first thing"));
  EXPECT_THAT(Call("GET", "/api/v1/logs?until=-1h", token).body, HasSubstr(R"("events":[])"));
  const Response download = Call("GET", "/api/v1/logs/download", token);
  ASSERT_EQ(download.status, 200);
  EXPECT_THAT(*download.file->Read(0, 1 << 20), HasSubstr("second thing\"}\n"));
  EXPECT_THAT(Call("GET", "/api/v1/logs/files", token).body, HasSubstr(R"("name":"security.log")"));
  for (const char* wrong : {"since=yesterday", "level=loud", "kind=audit", "limit=0", "cursor=x"}) {
    EXPECT_EQ(Call("GET", std::string("/api/v1/logs?") + wrong, token).status, 400) << wrong;
  }
}

TEST_F(LogsTest, RotationIsSetKeptAndDoneNow) {
  const std::string token = SignIn("admin").access;
  const std::string operators = SignIn("operator").access;
  Log(LogLevel::kInfo, "one");
  EXPECT_EQ(Call("PUT", "/api/v1/logs/rotation", operators, R"({"keep":3})").status, 403);
  Response response =
      Call("PUT", "/api/v1/logs/rotation", token, R"({"keep":3,"compression":"gzip"})");
  EXPECT_EQ(response.status, 200) << response.body;
  EXPECT_THAT(response.body, HasSubstr(R"("keep":3)"));
  EXPECT_THAT(response.body, HasSubstr(R"("max_bytes":16777216)"));
  EXPECT_EQ(Call("POST", "/api/v1/logs/rotate", token).status, 204);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/logs/server.log.000001.gz"));
  EXPECT_THAT(Call("GET", "/api/v1/logs", token).body, HasSubstr("one"));
  for (const char* wrong : {R"({"keep":0})", R"({"max_bytes":-5})", R"({"max_bytes":"x"})",
                            R"({"compression":"lzma"})", R"({"max_age_seconds":99999999999})"}) {
    EXPECT_EQ(Call("PUT", "/api/v1/logs/rotation", token, wrong).status, 400) << wrong;
  }
  // The next process has it, too.
  services_->logs = nullptr;
  services_->audit = nullptr;
  audit_.reset();
  logs_.reset();
  Attach();
  RestoreLogRotation(*services_);
  EXPECT_EQ(logs_->rotation().keep, 3u);
  EXPECT_EQ(logs_->rotation().compression, LogCompression::kGzip);
}

// Secrets through every route: none comes out in a file or an answer that shows logs.
TEST_F(LogsTest, CanarySecretsAreInNoOutput) {
  const std::string token = SignIn("admin").access;
  const std::string canary = "CANARY-0123456789";
  int calls = 0;
  for (const Route& route : AllRoutes()) {
    std::string path = route.path;
    if (const std::size_t at = path.find('{'); at != std::string::npos)
      path = path.substr(0, at) + "nobody";
    // Whatever has a secret's name in any body.
    std::string body = "{";
    for (const Field& field : route.fields) {
      if (field.type != FieldType::kText) continue;
      const bool secret = field.name.ends_with("password") || field.name.ends_with("token") ||
                          field.name.ends_with("passphrase");
      body += (body.size() > 1 ? ",\"" : "\"") + field.name + "\":\"" +
              (secret ? canary : std::string("admin")) + '"';
    }
    body = route.fields.empty() ? "" : body + "}";
    for (const std::string& bearer : {token, canary, std::string()}) {
      if (bearer == token && route.path == "/api/v1/logout") continue;
      if (bearer == token && route.path == "/api/v1/stream") continue;
      Call(route.method, path, bearer, body);
      ++calls;
    }
  }
  EXPECT_GT(calls, 100);
  Log(LogLevel::kError, "notify", "webhook failed", {{"url", Secret(canary)}});
  ASSERT_TRUE(logs_->Flush().ok());
  const std::string files = AllFiles();
  EXPECT_GT(files.size(), 10'000u);
  EXPECT_THAT(files, Not(HasSubstr(canary)));
  EXPECT_THAT(files, Not(HasSubstr(std::string(kPassword))));
  // Nor a signed token.
  EXPECT_THAT(files, Not(HasSubstr(token.substr(0, 40))));
}

}  // namespace
}  // namespace nta::server
