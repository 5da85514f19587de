// A database in PostgreSQL as the target of backups. Needs a server: tests/store/with_postgres.sh.
#include <cstdlib>
#include <string>
#include <thread>

#include "backup/backup_fixture.h"
#include "backup/child.h"
#include "backup/postgres_programs.h"
#include "nta/backup/postgres_target.h"

namespace nta {
namespace {

using backup::ParsePostgresUrl;
using backup::PostgresPrograms;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kVersion = "SELECT value FROM nta.meta WHERE name = 'schema_version'";

TEST(PostgresUrl, KeepsThePasswordApart) {
  const auto url =
      ParsePostgresUrl("postgresql://nta:s%40crt@db.example:5433/traffic?sslmode=require");
  ASSERT_TRUE(url.ok()) << url.status();
  EXPECT_EQ(url->password, "s@crt");
  EXPECT_EQ(url->Shown(url->database), "postgresql://nta@db.example:5433/traffic?sslmode=require");
  EXPECT_THAT(url->Full("x"), HasSubstr("password=%73%40%63%72%74"));
  const auto query = ParsePostgresUrl("postgres://nta@/traffic?password=secret&host=/run/pg");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(query->password, "secret");
  EXPECT_EQ(query->Shown("other"), "postgresql://nta@/other?host=/run/pg");
  EXPECT_FALSE(ParsePostgresUrl("file:///x").ok());
  EXPECT_FALSE(ParsePostgresUrl("postgresql://host/").ok());
}

TEST(Child, TellsWhyItFailedAndEndsWhenAsked) {
  std::string said;
  EXPECT_TRUE(backup::RunChild({.program = "/bin/echo",
                                .arguments = {"a b", "$HOME;`id`"},
                                .output = [&](std::string_view piece) { said += piece; }},
                               {})
                  .ok());
  EXPECT_EQ(said, "a b $HOME;`id`\n");  // no shell has seen it
  const absl::Status failed =
      backup::RunChild({.program = "/bin/ls", .arguments = {"/nothing/there"}}, {});
  EXPECT_THAT(std::string(failed.message()), HasSubstr("ls: "));
  EXPECT_FALSE(backup::RunChild({.program = "/nothing/there"}, {}).ok());
  std::stop_source stop;
  std::jthread asks([&] { stop.request_stop(); });
  EXPECT_EQ(
      backup::RunChild({.program = "/bin/sleep", .arguments = {"600"}}, stop.get_token()).code(),
      absl::StatusCode::kCancelled);
}

class BackupPostgresTest : public BackupTest {
 protected:
  void SetUp() override {
    const char* const url = std::getenv("NTA_TEST_POSTGRES");
    if (url == nullptr) GTEST_SKIP() << "NTA_TEST_POSTGRES names no server";
    url_ = url;
    std::filesystem::create_directory(File("stage"));
    Sql("DROP SCHEMA IF EXISTS nta CASCADE; DROP SCHEMA IF EXISTS nta_previous CASCADE; "
        "CREATE SCHEMA nta; CREATE TABLE nta.meta(name text PRIMARY KEY, value bigint NOT NULL); "
        "INSERT INTO nta.meta VALUES('schema_version', 1); "
        "CREATE TABLE nta.flows(id bigint, day int, note text) PARTITION BY LIST(day); "
        "CREATE TABLE nta.flows_1 PARTITION OF nta.flows FOR VALUES IN (1); "
        "CREATE INDEX flows_by_id ON nta.flows(id); "
        "INSERT INTO nta.flows SELECT i, 1, repeat(E'tab\\tline\\n\\\\.', 3) FROM "
        "generate_series(1, 1000) i");
  }

  PostgresPrograms Programs() const {
    const auto url = *ParsePostgresUrl(url_);
    return PostgresPrograms(*backup::FindPostgresPrograms(""), url, url.database);
  }
  std::vector<std::string> Sql(const std::string& sql) const {
    const auto lines = Programs().Ask(sql, {});
    EXPECT_TRUE(lines.ok()) << lines.status();
    return lines.ok() ? *lines : std::vector<std::string>();
  }
  PostgresTarget Postgres(std::function<absl::Status(const std::string&)> check = {}) const {
    return *PostgresTarget::Create({.url = url_,
                                    .schema = "nta",
                                    .version_query = std::string(kVersion),
                                    .application_id = kTestApplication,
                                    .max_schema_version = 1,
                                    .staging_directory = File("stage"),
                                    .check = std::move(check)});
  }
  std::string Content() const {
    return Sql("SELECT count(*), sum(hashtext(f::text)) FROM nta.flows f").front();
  }
  std::vector<std::string> Databases() const {
    return Sql("SELECT datname FROM pg_database WHERE datname LIKE 'nta_scratch%'");
  }

  std::string url_;
};

TEST_F(BackupPostgresTest, ABackupIsProvenInAScratchDatabaseAndTakesThePlaceOfWhatIsThere) {
  const BackupRepository repository = OpenRepository();
  const std::string before = Content();
  const auto made = repository.Create(Postgres(), Plain());
  ASSERT_TRUE(made.ok()) << made.status();
  EXPECT_EQ(made->kind, "postgresql");
  const auto proven = repository.Verify(made->name, Postgres(), {.time = kBackupTime});
  ASSERT_TRUE(proven.ok()) << proven.status();
  EXPECT_EQ(proven->summary.rows.at("flows_1"), 1000u);
  EXPECT_EQ(proven->summary.rows.at("meta"), 1u);

  Sql("DELETE FROM nta.flows WHERE id > 10; INSERT INTO nta.flows VALUES(5000, 1, 'new')");
  const std::string after = Content();
  const auto restored = repository.Restore(made->name, Postgres(), {.time = kBackupTime});
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Content(), before);
  EXPECT_EQ(restored->previous, "schema nta_previous");
  EXPECT_EQ(Sql("SELECT count(*), sum(hashtext(f::text)) FROM nta_previous.flows f").front(),
            after);
  // Once more: the previous one is replaced, and nothing else is left.
  ASSERT_TRUE(repository.Restore(made->name, Postgres(), {.time = kBackupTime}).ok());
  EXPECT_EQ(Sql("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'nta%' ORDER BY 1"),
            (std::vector<std::string>{"nta", "nta_previous"}));
  EXPECT_TRUE(Databases().empty());
  EXPECT_TRUE(NamesIn(File("stage")).empty());
}

TEST_F(BackupPostgresTest, ASchemaThatWasNeverOursIsReplacedOnlyWhenThatIsSaid) {
  const BackupRepository repository = OpenRepository();
  const auto made = repository.Create(Postgres(), Plain());
  ASSERT_TRUE(made.ok()) << made.status();
  Sql("DROP SCHEMA nta CASCADE; CREATE SCHEMA nta; CREATE TABLE nta.notes(text text)");
  const absl::Status refused =
      repository.Restore(made->name, Postgres(), {.time = kBackupTime}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
  EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("no store of ours"));
  EXPECT_EQ(Sql("SELECT count(*) FROM nta.notes").front(), "0");
  const PostgresTarget anyway = *PostgresTarget::Create({.url = url_,
                                                         .schema = "nta",
                                                         .version_query = std::string(kVersion),
                                                         .application_id = kTestApplication,
                                                         .max_schema_version = 1,
                                                         .replace_foreign = true,
                                                         .staging_directory = File("stage")});
  ASSERT_TRUE(repository.Restore(made->name, anyway, {.time = kBackupTime}).ok());
  // An empty schema, or none, is nobody's.
  Sql("DROP SCHEMA nta CASCADE; CREATE SCHEMA nta");
  EXPECT_TRUE(repository.Restore(made->name, Postgres(), {.time = kBackupTime}).ok());
  Sql("DROP SCHEMA nta CASCADE");
  EXPECT_TRUE(repository.Restore(made->name, Postgres(), {.time = kBackupTime}).ok());
}

TEST_F(BackupPostgresTest, EveryBackupIsOfOneMomentWhileOthersWrite) {
  const BackupRepository repository = OpenRepository();
  Sql("CREATE TABLE nta.sums(id bigint PRIMARY KEY, total bigint)");
  std::jthread writer([this](std::stop_token stop) {
    for (int id = 1; !stop.stop_requested(); ++id) {
      Sql("INSERT INTO nta.sums SELECT " + std::to_string(id) + ", coalesce(max(total), 0) + " +
          std::to_string(id) + " FROM nta.sums");
    }
  });
  for (int round = 0; round < Rounds(2); ++round) {
    const auto made = repository.Create(Postgres(), Plain());
    ASSERT_TRUE(made.ok()) << made.status();
    std::string sums;
    const auto look = [&](const std::string& url) {
      const auto parsed = *ParsePostgresUrl(url);
      const auto lines =
          PostgresPrograms(*backup::FindPostgresPrograms(""), parsed, parsed.database)
              .Ask(
                  "SELECT count(*) = coalesce(max(id), 0) AND coalesce(max(total), 0) = "
                  "coalesce(max(id) * (max(id) + 1) / 2, 0) FROM nta.sums",
                  {});
      if (lines.ok() && !lines->empty()) sums = lines->front();
      return lines.status();
    };
    const auto proven = repository.Verify(made->name, Postgres(look), {.time = kBackupTime});
    ASSERT_TRUE(proven.ok()) << proven.status();
    EXPECT_EQ(sums, "t");
  }
}

TEST_F(BackupPostgresTest, WhatDoesNotBelongThereIsRefusedAndTheLiveDataUntouched) {
  const BackupRepository repository = OpenRepository();
  Sql("CREATE FUNCTION nta.act() RETURNS int LANGUAGE sql AS 'SELECT 1'");
  const auto hostile = repository.Create(Postgres(), Plain());
  ASSERT_TRUE(hostile.ok()) << hostile.status();
  Sql("DROP FUNCTION nta.act(); UPDATE nta.meta SET value = 2");
  EXPECT_EQ(repository.Create(Postgres(), Plain()).status().code(),
            absl::StatusCode::kFailedPrecondition);  // newer than this library
  Sql("UPDATE nta.meta SET value = 1");
  const std::string before = Content();
  const auto refused = repository.Restore(hostile->name, Postgres(), {.time = kBackupTime});
  EXPECT_EQ(refused.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("FUNCTION nta act"));
  // A backup of another kind of store.
  MakeDatabase(live(), 10);
  const auto other = repository.Create(Target(), Plain());
  EXPECT_FALSE(repository.Restore(other->name, Postgres(), {.time = kBackupTime}).ok());
  const auto failing = Postgres([](const std::string&) { return absl::DataLossError("no store"); });
  EXPECT_FALSE(repository.Restore(hostile->name, failing, {.time = kBackupTime}).ok());
  EXPECT_EQ(Content(), before);
  EXPECT_TRUE(Databases().empty());
}

TEST_F(BackupPostgresTest, AStopLeavesNothingBehind) {
  const BackupRepository repository = OpenRepository();
  std::stop_source stop;
  const BackupControl control{.stop = stop.get_token(),
                              .progress = [&](const BackupProgress&) { stop.request_stop(); }};
  EXPECT_EQ(repository.Create(Postgres(), Plain(), control).status().code(),
            absl::StatusCode::kCancelled);
  EXPECT_TRUE(repository.List()->empty());
}

TEST_F(BackupPostgresTest, ThePasswordIsInNoErrorAndOnNoCommandLine) {
  auto url = *ParsePostgresUrl(url_);
  PostgresTarget target =
      *PostgresTarget::Create({.url = "postgresql://nta:canary-pw@/nothing_there" + url.rest,
                               .schema = "nta",
                               .version_query = std::string(kVersion),
                               .application_id = kTestApplication,
                               .max_schema_version = 1,
                               .staging_directory = File("stage")});
  const auto failed = OpenRepository().Create(target, Plain());
  ASSERT_FALSE(failed.ok());
  EXPECT_THAT(std::string(failed.status().message()), Not(HasSubstr("canary-pw")));
}

}  // namespace
}  // namespace nta
