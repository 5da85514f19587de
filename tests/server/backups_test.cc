// Backups over the API: jobs, a restore under everybody's feet, and what becomes of sessions.
#include "operations/backups.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app_fixture.h"

namespace nta::server {
namespace {

using testing::HasSubstr;
using testing::Not;

class BackupsTest : public AppTest {
 protected:
  BackupsTest() {
    std::string name = (std::filesystem::temp_directory_path() / "nta_backups_XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) std::abort();
    directory_ = name;
    store_ = *Store::Open({.path = File("nta.db"), .reserve_bytes = 0});
    Restart(Generous());
    OpenBackups("");
    AddUser("root", "admin");
    AddUser("oscar", "operator");
    token_ = SignIn("root").access;
  }
  ~BackupsTest() override {
    services_ = nullptr;
    store_ = nullptr;
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }

  void OpenBackups(std::string passphrase) {
    auto backups = Backups::Open({.directory = File("backups"),
                                  .database = File("nta.db"),
                                  .passphrase = std::move(passphrase),
                                  .extras = {{"nta-server.toml", "listen = '127.0.0.1:0'\n"}}});
    ASSERT_TRUE(backups.ok()) << backups.status();
    services_->backups = *std::move(backups);
  }

  std::string File(std::string_view name) const { return (directory_ / name).string(); }

  // The end of the job that `response` began.
  Job Await(const Response& response) {
    EXPECT_EQ(response.status, 202) << response.body;
    const std::string id = TextMember(response.body, "id");
    while (services_->jobs.Find(id) && services_->jobs.Find(id)->state == JobState::kRunning) {
      std::this_thread::yield();
    }
    const auto job = services_->jobs.Find(id);
    return job ? *job : Job();
  }

  std::string Create(std::string_view body = "{}") {
    const Job job = Await(Call("POST", "/api/v1/backups", token_, body));
    EXPECT_EQ(job.state, JobState::kDone) << job.error;
    return TextMember(job.result, "name");
  }

  Response Restore(const std::string& name, std::string_view body = "{}") {
    return Call("POST", "/api/v1/backups/" + name + "/restore", token_, body);
  }

  void WriteFlow(int seconds) {
    FlowRecord flow;
    flow.first_seen = wall_ + std::chrono::seconds(seconds);
    flow.last_seen = flow.first_seen;
    flow.protocol = kProtocolTcp;
    flow.source = {IpAddress::V4(10, 0, 0, 1), 1};
    flow.destination = {IpAddress::V4(10, 0, 0, 2), 443};
    flow.forward = {.packets = 1, .wire_bytes = 100, .ip_bytes = 86};
    ASSERT_TRUE(store_->Write({&flow, 1}, {}).ok());
  }

  std::filesystem::path directory_;
  std::string token_;
};

TEST_F(BackupsTest, ABackupIsMadeAndVerifiedInOneJob) {
  const std::string name = Create();
  const Response list = Call("GET", "/api/v1/backups", token_);
  EXPECT_THAT(list.body, HasSubstr("\"name\":\"" + name + "\""));
  EXPECT_THAT(list.body, HasSubstr("\"verified\":\"2027-01-15T08:00:00"));
  EXPECT_EQ(Call("DELETE", "/api/v1/backups/" + name, token_).status, 204);
  EXPECT_EQ(Call("GET", "/api/v1/backups/" + name, token_).status, 404);
  EXPECT_EQ(Call("GET", "/api/v1/backups/..%2f..%2fetc%2fpasswd", token_).status, 404);
  EXPECT_EQ(Call("GET", "/api/v1/backups/nta.db", token_).status, 400);
}

TEST_F(BackupsTest, TheTwoAliasesDoTheSame) {
  const Job made = Await(Call("POST", "/api/backup/create", token_, R"({"verify":false})"));
  ASSERT_EQ(made.state, JobState::kDone) << made.error;
  EXPECT_THAT(made.result, HasSubstr(R"("verified":null)"));
  const std::string name = TextMember(made.result, "name");
  const Job restored =
      Await(Call("POST", "/api/backup/restore", token_, R"({"name":")" + name + "\"}"));
  EXPECT_EQ(restored.state, JobState::kDone) << restored.error;
  EXPECT_EQ(Call("POST", "/api/backup/restore", token_, "{}").status, 400);
  EXPECT_EQ(Call("POST", "/api/backup/restore", token_, R"({"name":"../../nta.db"})").status, 400);
}

TEST_F(BackupsTest, ARestoreBringsEverythingBackWhileOthersGoOn) {
  WriteFlow(1);
  ASSERT_TRUE(store_->PutSetting("mark", "before").ok());
  ASSERT_TRUE(
      store_->PutDocument({.kind = "rule", .id = "1", .body = "{}", .updated = wall_}).ok());
  const std::string name = Create();

  WriteFlow(2);
  ASSERT_TRUE(store_->PutSetting("mark", "after").ok());
  ASSERT_TRUE(store_->RemoveDocument("rule", "1").ok());
  std::atomic<int> failed = 0;
  std::atomic<int> asked = 0;
  std::atomic<int> told = 0;
  services_->after_restore.emplace_back([&] { ++told; });
  Job job;
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
      readers.emplace_back([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          if (Me(token_) != 200) ++failed;
          ++asked;
        }
      });
    }
    while (asked < 10) std::this_thread::yield();
    job = Await(Restore(name));
  }
  ASSERT_EQ(job.state, JobState::kDone) << job.error;
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(told, 1);
  EXPECT_EQ(*store_->GetSetting("mark"), "before");
  EXPECT_TRUE(store_->GetDocument("rule", "1").ok());
  EXPECT_EQ(store_->Flows({.interval = {Timestamp{}, wall_ + std::chrono::hours(1)}})->flows.size(),
            1u);
  EXPECT_TRUE(std::filesystem::exists(File("nta.db-previous")));
  EXPECT_THAT(Call("GET", "/api/v1/notices", token_).body, HasSubstr("backup.restored"));
  EXPECT_THAT(Call("GET", "/healthz").body, HasSubstr(R"("notices":["backup.restored"])"));
}

// What a person set, each through its own door, and how the server tells it back.
struct Setting {
  std::string method;
  std::string path;
  std::string before;
  std::string after;
  std::string read;  // where it is told
  std::string mark;  // what is told only of `before`
};

TEST_F(BackupsTest, WhatARestoreBringsBackIsInForceAtOnce) {
  ASSERT_TRUE(services_->notifications.Open(File("notify"), std::string(32, 'n')).ok());
  ASSERT_TRUE(services_->operations.AddJobs({}).ok());
  const auto hook = [](int port) {
    return R"({"kind":"syslog","name":"log-)" + std::to_string(port) +
           R"(","settings":{"host":"127.0.0.1","port":)" + std::to_string(port) + "}}";
  };
  const auto rule = [](const std::string& name) {
    return R"({"title":")" + name + R"(","expression":"count() > 5 in 1m"})";
  };
  const auto mute = [](const std::string& reason) {
    return R"({"reason":")" + reason + R"(","hosts":["192.0.2.1"]})";
  };
  const auto threshold = [](const std::string& name) {
    return R"({"thresholds":[{"name":")" + name +
           R"(","level":"warning","raise_at":0.5,"clear_at":0.4,"hold_seconds":0}]})";
  };
  const std::vector<Setting> settings = {
      {"POST", "/api/v1/alert-rules", rule("old rule"), rule("new rule"), "/api/v1/alert-rules",
       "old rule"},
      {"POST", "/api/v1/suppressions", mute("old mute"), mute("new mute"), "/api/v1/suppressions",
       "old mute"},
      {"PUT", "/api/v1/detectors/flood", R"({"enabled":false})", R"({"enabled":true})",
       "/api/v1/detectors", R"("enabled":false)"},
      {"POST", "/api/v1/notification-channels", hook(1514), hook(2514),
       "/api/v1/notification-channels", "log-1514"},
      {"POST", "/api/v1/firewall/block", R"({"address":"203.0.113.7"})",
       R"({"address":"203.0.113.8"})", "/api/v1/firewall/effect", "203.0.113.7"},
      {"PUT", "/api/v1/health/thresholds", threshold("cpu.usage"), threshold("swap.usage"),
       "/api/v1/health/thresholds", R"("thresholds":[{"name":"cpu.usage")"},
      {"PUT", "/api/v1/schedule/retention/timing", R"({"every_seconds":7200})",
       R"({"every_seconds":60})", "/api/v1/schedule", "every 2 h"},
      {"POST", "/api/v1/schedule/daily_summary/pause", "{}", "{}", "/api/v1/schedule",
       R"("paused":true)"},
      {"PUT", "/api/v1/settings/retention", R"({"flow_days":90})", R"({"flow_days":3650})",
       "/api/v1/settings/retention", R"("flow_days":90)"},
      {"PUT", "/api/v1/backup_policy", R"({"last":50})", R"({"last":60})", "/api/v1/backup_policy",
       R"("last":50)"},
  };
  const auto set = [&](const Setting& one, const std::string& body) {
    const Response answer = Call(one.method, one.path, token_, body);
    EXPECT_LT(answer.status, 300) << one.path << ": " << answer.body;
  };
  for (const Setting& one : settings) set(one, one.before);
  const std::string name = Create();
  // Everything else than before: what was there goes, what was not comes.
  ASSERT_TRUE(services_->firewall->Unblock(IpAddress::V4(203, 0, 113, 7)).ok());
  for (const StoredRule& old : services_->detection.Rules()) {
    ASSERT_TRUE(services_->detection.RemoveRule(old.rule.id).ok());
  }
  for (const StoredSuppression& old : services_->detection.Suppressions()) {
    ASSERT_TRUE(services_->detection.RemoveSuppression(old.suppression.id).ok());
  }
  for (const ChannelSetup& old : services_->notifications.Channels()) {
    ASSERT_TRUE(services_->notifications.RemoveChannel(old.id).ok());
  }
  for (const Setting& one : settings) {
    if (!one.path.ends_with("/pause")) set(one, one.after);
  }
  ASSERT_EQ(Call("POST", "/api/v1/schedule/daily_summary/resume", token_, "{}").status, 200);
  for (const Setting& one : settings) {
    EXPECT_THAT(Call("GET", one.read, token_).body, Not(HasSubstr(one.mark))) << one.read;
  }

  const Job restored = Await(Restore(name));
  ASSERT_EQ(restored.state, JobState::kDone) << restored.error;
  for (const Setting& one : settings) {
    EXPECT_THAT(Call("GET", one.read, token_).body, HasSubstr(one.mark)) << one.read;
  }
  const std::string rules = Call("GET", "/api/v1/alert-rules", token_).body;
  EXPECT_THAT(rules, Not(HasSubstr("new rule")));
  // Not only told but enforced: the old block is in the firewall again, the new one is not.
  const RuleSet in_force = (*services_->firewall->State()).in_force;
  const auto blocks = [&](const IpAddress& address) {
    for (const AddressSet& one : in_force.sets()) {
      for (const auto& element : one.elements) {
        if (element.prefix.Contains(address)) return true;
      }
    }
    return false;
  };
  EXPECT_TRUE(blocks(IpAddress::V4(203, 0, 113, 7)));
  EXPECT_FALSE(blocks(IpAddress::V4(203, 0, 113, 8)));
  // And it stays so: nothing of the time before the restore is written over it.
  services_->firewall->Tick();
  EXPECT_EQ(services_->firewall->Blocks().size(), 1u);
  EXPECT_TRUE(store_->GetDocument("firewall_block", "203.0.113.7").ok());
}

TEST_F(BackupsTest, ARestoreIsRefusedAtOnceWhileLongWorkRunsAndTheOtherWayRound) {
  const std::string name = Create();
  std::atomic<bool> go_on = false;
  const auto wait = [&](JobContext&) -> absl::StatusOr<std::string> {
    while (!go_on) std::this_thread::yield();
    return "";
  };
  const auto end = [&](const absl::StatusOr<std::string>& id) {
    ASSERT_TRUE(id.ok()) << id.status();
    go_on = true;
    while (services_->jobs.Find(*id)->state == JobState::kRunning) std::this_thread::yield();
    go_on = false;
  };
  const auto exporting = services_->jobs.Start({.kind = "export", .owner = "oscar"}, wait);
  const Response refused = Restore(name);
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, HasSubstr("an export is running, begun by oscar"));
  end(exporting);

  const auto restoring =
      services_->jobs.Start({.kind = "backup.restore", .owner = "root", .alone = true}, wait);
  const Response later = Call("POST", "/api/v1/exports", token_);
  EXPECT_EQ(later.status, 409);
  EXPECT_THAT(later.body, HasSubstr("a restore of a backup is running"));
  end(restoring);
  EXPECT_EQ(Await(Restore(name)).state, JobState::kDone);
}

TEST_F(BackupsTest, OneBackupIsMadeAtATimeWhoeverAsks) {
  std::atomic<int> asked = 0;
  absl::Status second;
  const BackupControl meanwhile{
      .stop = {}, .progress = [&](const BackupProgress&) {
        if (asked++ > 0) return;
        second = services_->backups->Make(*services_, {.time = wall_}, false, {}).status();
        EXPECT_EQ(Call("POST", "/api/v1/backups", token_, "{}").status, 409);
      }};
  ASSERT_TRUE(
      services_->backups->Make(*services_, {.time = wall_}, true, {.create = meanwhile}).ok());
  EXPECT_EQ(second.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(services_->backups->repository().List()->size(), 1u);
}

TEST_F(BackupsTest, ABackupThatWasNotVerifiedBecauseOfAStopIsRemoved) {
  std::stop_source stop;
  const MakeControl control{
      .create = {}, .verify = {.stop = stop.get_token(), .progress = [&](const BackupProgress&) {
                                 EXPECT_EQ(services_->backups->repository().List()->size(), 1u);
                                 stop.request_stop();
                               }}};
  const auto made = services_->backups->Make(*services_, {.time = wall_}, true, control);
  EXPECT_EQ(made.status().code(), absl::StatusCode::kCancelled) << made.status();
  EXPECT_TRUE(services_->backups->repository().List()->empty());
}

TEST_F(BackupsTest, SessionsGoOnForThoseWhoAreWhoTheyWere) {
  const std::string oscar = SignIn("oscar").access;
  const std::string name = Create();
  AddUser("new", "viewer");
  const std::string newcomer = SignIn("new").access;
  ASSERT_EQ(Call("PATCH", "/api/v1/users/oscar", token_, R"({"role":"viewer"})").status, 200);
  const std::string demoted = SignIn("oscar").access;
  ASSERT_EQ(Await(Restore(name)).state, JobState::kDone);
  EXPECT_EQ(Me(token_), 200);
  EXPECT_EQ(Me(newcomer), 401);
  // Neither the session that ended before the restore nor the one that began after the backup.
  EXPECT_EQ(Me(oscar), 401);
  EXPECT_EQ(Me(demoted), 401);
  EXPECT_EQ(Login("oscar").status, 200);
  EXPECT_EQ(Login("new").status, 401);
}

TEST_F(BackupsTest, SessionsOfTheBackupDoNotComeBackToLife) {
  const Tokens oscar = SignIn("oscar");
  services_->SaveSessions();
  const std::string name = Create();
  ASSERT_EQ(Call("POST", "/api/v1/logout", oscar.access, "{}").status, 204);
  ASSERT_EQ(Await(Restore(name)).state, JobState::kDone);
  EXPECT_EQ(Me(oscar.access), 401);
  // Not after a restart either.
  Restart(Generous());
  services_->sessions.Load(*store_->GetSetting(kSessionsSetting));
  EXPECT_EQ(Me(oscar.access), 401);
  EXPECT_EQ(Me(token_), 200);
}

TEST_F(BackupsTest, ABackupWithoutAnAdministratorIsNotRestoredOverALiveServer) {
  const std::string other = File("other.db");
  { ASSERT_TRUE((*Store::Open({.path = other, .reserve_bytes = 0}))->PutSetting("a", "b").ok()); }
  const auto target = StoreTarget({.directory = File("backups"), .database = other});
  ASSERT_TRUE(target.ok()) << target.status();
  const auto made = services_->backups->repository().Create(**target, {.time = wall_});
  ASSERT_TRUE(made.ok());
  const Job job = Await(Restore(made->name));
  EXPECT_EQ(job.state, JobState::kFailed);
  EXPECT_THAT(std::string(job.error.message()), HasSubstr("administrator"));
  EXPECT_EQ(Me(token_), 200);
  EXPECT_FALSE(std::filesystem::exists(File("nta.db-previous")));
}

TEST_F(BackupsTest, APassphraseIsTheRequestsOrTheServers) {
  const std::string name = Create(R"({"passphrase":"of the request"})");
  EXPECT_THAT(Call("GET", "/api/v1/backups/" + name, token_).body,
              HasSubstr(R"("encrypted":true)"));
  const std::string path = "/api/v1/backups/" + name + "/verify";
  EXPECT_EQ(Await(Call("POST", path, token_, "{}")).state, JobState::kFailed);
  EXPECT_EQ(Await(Call("POST", path, token_, R"({"passphrase":"of the request"})")).state,
            JobState::kDone);
  OpenBackups("of the server");
  const std::string own = Create();
  EXPECT_THAT(Call("GET", "/api/v1/backups/" + own, token_).body, HasSubstr(R"("encrypted":true)"));
  EXPECT_EQ(Await(Restore(own)).state, JobState::kDone);
}

TEST_F(BackupsTest, APassphraseThatKeepsNobodyOutIsRefusedAtOnce) {
  const Response refused = Call("POST", "/api/v1/backups", token_, R"({"passphrase":"7 chars"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("at least 8 characters"));
  EXPECT_THAT(Call("GET", "/api/v1/backups", token_).body, HasSubstr(R"("backups":[])"));
  std::ofstream(File("passphrase")) << "7 chars\n";
  chmod(File("passphrase").c_str(), 0600);
  const absl::Status file = ReadPassphraseFile(File("passphrase")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(file)) << file;
  EXPECT_THAT(std::string(file.message()), HasSubstr("at least 8 characters"));
}

TEST_F(BackupsTest, FilesGoOutAndComeIn) {
  const std::string name = Create();
  const Response file = Call("GET", "/api/v1/backups/" + name + "/file", token_);
  ASSERT_NE(file.file, nullptr);
  const std::string bytes = *file.file->Read(0, 64 << 20);
  ASSERT_EQ(Call("DELETE", "/api/v1/backups/" + name, token_).status, 204);

  const auto upload = [&](const std::string& body) {
    Request request;
    request.method = "POST";
    request.target = *ParseTarget("/api/v1/backups/upload");
    request.authorization = "Bearer " + token_;
    request.client = *IpAddress::Parse("192.0.2.1");
    request.upload = std::make_shared<BodyFile>(*BodyFile::Create(directory_.string()));
    EXPECT_TRUE(request.upload->Append(body).ok());
    return Send(std::move(request));
  };
  EXPECT_EQ(upload("not a backup").status, 400);
  std::string flipped = bytes;
  flipped[flipped.size() / 2] ^= 1;
  for (const std::string& wrong :
       {flipped, bytes.substr(0, bytes.size() / 2), bytes.substr(0, 60), bytes + "x"}) {
    const Response refused = upload(wrong);
    EXPECT_EQ(refused.status, 400) << refused.body;
    EXPECT_THAT(refused.body, HasSubstr("damaged"));
  }
  const Response taken = upload(bytes);
  ASSERT_EQ(taken.status, 201) << taken.body;
  EXPECT_EQ(upload(flipped).status, 400);
  EXPECT_EQ(Await(Restore(TextMember(taken.body, "name"))).state, JobState::kDone);
}

TEST_F(BackupsTest, ThePolicyPrunesAfterEachVerifiedBackup) {
  EXPECT_THAT(Call("GET", "/api/v1/backup_policy", token_).body, HasSubstr(R"("last":0)"));
  EXPECT_EQ(Call("PUT", "/api/v1/backup_policy", token_, R"({"last":-1})").status, 400);
  ASSERT_EQ(Call("PUT", "/api/v1/backup_policy", token_, R"({"last":2})").status, 200);
  for (int i = 0; i < 3; ++i) {
    Create();
    Pass(std::chrono::seconds(1));
  }
  EXPECT_EQ(services_->backups->repository().List()->size(), 2u);
  const Response plan =
      Call("POST", "/api/v1/backups/prune", token_, R"({"last":1,"dry_run":true})");
  EXPECT_THAT(plan.body, HasSubstr(R"("removed":[{)"));
  EXPECT_EQ(services_->backups->repository().List()->size(), 2u);
  ASSERT_EQ(Call("POST", "/api/v1/backups/prune", token_, R"({"last":1})").status, 200);
  EXPECT_EQ(services_->backups->repository().List()->size(), 1u);
}

TEST_F(BackupsTest, AJobThatIsCancelledLeavesNothing) {
  for (int i = 0; i < 200; ++i) WriteFlow(i);
  const Response begun = Call("POST", "/api/v1/backups", token_, "{}");
  ASSERT_EQ(begun.status, 202);
  const std::string id = TextMember(begun.body, "id");
  EXPECT_EQ(Call("DELETE", "/api/v1/jobs/" + id, token_).status, 204);
  const Job job = Await(begun);
  // It may have been faster.
  if (job.state != JobState::kDone) {
    EXPECT_EQ(job.state, JobState::kCancelled) << job.error;
    EXPECT_TRUE(services_->backups->repository().List()->empty());
  }
}

TEST_F(BackupsTest, AStoreInMemoryHasNoBackups) {
  services_->backups = nullptr;
  EXPECT_EQ(Call("GET", "/api/v1/backups", token_).status, 409);
  EXPECT_EQ(Call("POST", "/api/v1/backups", token_, "{}").status, 409);
}

TEST_F(BackupsTest, AnEmptyMachineBeginsWithABackup) {
  WriteFlow(1);
  const std::string name = Create();
  const BackupsOptions options{.directory = File("backups"), .database = File("fresh.db")};
  const auto restored = RestoreAtStart(options, name, wall_);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->contents.extras.at(0).name, "nta-server.toml");
  {
    const auto store = *Store::Open({.path = File("fresh.db"), .reserve_bytes = 0});
    EXPECT_EQ(store->Users()->size(), 2u);
    EXPECT_EQ(
        store->Flows({.interval = {Timestamp{}, wall_ + std::chrono::hours(1)}})->flows.size(), 1u);
  }
  // Where there is a database, a start never replaces it.
  EXPECT_EQ(RestoreAtStart(options, name, wall_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  // From a file of another machine.
  const BackupsOptions elsewhere{.directory = File("elsewhere"), .database = File("other.db")};
  const auto imported = RestoreAtStart(elsewhere, File("backups/" + name + ".ntabackup"), wall_);
  EXPECT_TRUE(imported.ok()) << imported.status();
}

TEST_F(BackupsTest, APassphraseFileIsForItsOwnerOnly) {
  std::ofstream(File("passphrase")) << "correct horse\nsecond line";
  chmod(File("passphrase").c_str(), 0600);
  EXPECT_EQ(*ReadPassphraseFile(File("passphrase")), "correct horse");
  chmod(File("passphrase").c_str(), 0640);
  EXPECT_EQ(ReadPassphraseFile(File("passphrase")).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(BackupsTest, ANoticeStaysUntilItIsDismissed) {
  services_->notices.Add("store.salvaged", "The database was damaged.", wall_);
  Restart(Generous());
  services_->notices.Load();
  services_->sessions.Load("");
  const std::string root = SignIn("root").access;
  const Response list = Call("GET", "/api/v1/notices", root);
  EXPECT_THAT(list.body, HasSubstr("The database was damaged."));
  const std::string path = "/api/v1/notices/" + TextMember(list.body, "id");
  EXPECT_EQ(Call("DELETE", path, SignIn("oscar").access).status, 403);
  EXPECT_EQ(Call("DELETE", path, root).status, 204);
  EXPECT_EQ(Call("DELETE", path, root).status, 404);
  EXPECT_THAT(Call("GET", "/healthz").body, Not(HasSubstr("notices")));
  services_->notices.Load();
  EXPECT_TRUE(services_->notices.List().empty());
}

}  // namespace
}  // namespace nta::server
