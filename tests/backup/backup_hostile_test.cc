// Restores of files that somebody prepared: all refused, the live database byte for byte as before.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>
#include <functional>

#include "backup/backup_fixture.h"
#include "backup/file.h"

namespace nta {
namespace {

// Backs up whatever bytes it is given as if they were a database.
class Impostor final : public BackupTarget {
 public:
  Impostor(std::string bytes, SnapshotSummary summary)
      : bytes_(std::move(bytes)), summary_(std::move(summary)) {}
  std::string_view kind() const override { return "sqlite"; }
  absl::StatusOr<std::uint64_t> EstimateBytes() const override { return bytes_.size(); }
  absl::StatusOr<SnapshotSummary> Snapshot(const std::string& path,
                                           const BackupControl&) const override {
    WriteWhole(path, bytes_);
    return summary_;
  }
  absl::StatusOr<SnapshotSummary> Check(const std::string&, const BackupControl&) const override {
    return summary_;
  }
  std::string StagingPath(std::string_view) const override { return {}; }
  absl::StatusOr<std::string> Replace(const std::string&, const BackupControl&) const override {
    return std::string();
  }

 private:
  const std::string bytes_;
  const SnapshotSummary summary_;
};

class BackupHostileTest : public BackupTest {
 protected:
  BackupHostileTest() {
    MakeDatabase(live(), 400);
    Sqlite(live()).Run("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode=DELETE");
    before_ = ReadWhole(live());
    names_before_ = NamesIn(directory_.string());
  }

  // A database that was good before `change`, as bytes.
  std::string Changed(const std::string& sql) {
    const std::string path = File("prepared.db");
    std::filesystem::remove(path);
    MakeDatabase(path, 500);
    {
      Sqlite database(path);
      database.Run("PRAGMA journal_mode=DELETE");
      database.Run(sql);
    }
    std::string bytes = ReadWhole(path);
    std::filesystem::remove(path);
    return bytes;
  }

  // Restores `bytes` as a backup that says of itself what it must; the answer must be a refusal
  // with a reason, and nothing may have changed.
  void ExpectRefused(const std::string& what, const std::string& bytes,
                     std::map<std::string, std::uint64_t> rows = {{"records", 500},
                                                                  {"settings", 1}}) {
    const Impostor impostor(
        bytes, {.application_id = kTestApplication, .schema_version = 2, .rows = std::move(rows)});
    const auto created = repository_->Create(impostor, Plain());
    ASSERT_TRUE(created.ok()) << what << created.status();
    const auto restored = repository_->Restore(created->name, Target(), {.time = kBackupTime});
    ASSERT_FALSE(restored.ok()) << what;
    EXPECT_FALSE(absl::IsInternal(restored.status())) << what << ": " << restored.status();
    EXPECT_GT(restored.status().message().size(), 45u) << what << ": " << restored.status();
    ExpectUntouched(what);
    EXPECT_FALSE(repository_->Get(created->name)->verified) << what;
    ASSERT_TRUE(repository_->Remove(created->name).ok());
    ++refused_;
  }

  void ExpectUntouched(const std::string& what) {
    ASSERT_TRUE(ReadWhole(live()) == before_) << what;
    ASSERT_EQ(NamesIn(directory_.string()), names_before_) << what;
  }

  std::string before_;
  std::vector<std::string> names_before_;
  std::optional<BackupRepository> repository_ = OpenRepository();
  int refused_ = 0;
};

TEST_F(BackupHostileTest, AGoodOneIsTaken) {
  const Impostor honest(Changed("SELECT 1"), {.application_id = kTestApplication,
                                              .schema_version = 2,
                                              .rows = {{"records", 500}, {"settings", 1}}});
  const auto created = repository_->Create(honest, Plain());
  const auto restored = repository_->Restore(created->name, Target(), {.time = kBackupTime});
  EXPECT_TRUE(restored.ok()) << restored.status();
  EXPECT_FALSE(ReadWhole(live()) == before_);
}

TEST_F(BackupHostileTest, TwoHundredHostileFilesAreRefusedAndTheLiveDatabaseIsAsBefore) {
  const std::string good = Changed("SELECT 1");
  const std::size_t page = 4096;
  ASSERT_GT(good.size(), 10 * page);

  ExpectRefused("empty", "");
  ExpectRefused("one byte", "S");
  ExpectRefused("text", std::string(5000, 'a'));
  ExpectRefused("longer than it says", good + std::string(page, '\0'));
  ExpectRefused("half a page more", good + std::string(page / 2, 'x'));
  for (std::size_t pages = 0; pages * page < good.size(); ++pages) {
    const std::string where = " at page " + std::to_string(pages);
    if (pages > 0) ExpectRefused("cut" + where, good.substr(0, pages * page));
    ExpectRefused("cut inside" + where, good.substr(0, pages * page + 1000));
    std::string zeros = good;
    zeros.replace(pages * page, page, page, '\0');
    ExpectRefused("zeroed" + where, zeros);
    std::string noise = good;
    for (std::size_t i = 0; i < page; ++i) {
      noise[pages * page + i] = static_cast<char>((i * 2654435761u) >> 7);
    }
    ExpectRefused("noise" + where, noise);
    if (pages + 1 < good.size() / page) {
      std::string swapped = good;
      std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(pages * page),
                       swapped.begin() + static_cast<std::ptrdiff_t>((pages + 1) * page),
                       swapped.begin() + static_cast<std::ptrdiff_t>((pages + 1) * page));
      ExpectRefused("swapped with the next" + where, swapped);
    }
  }
  for (const std::size_t at : {0, 16, 18, 19, 21, 22, 23, 28, 44, 56, 59, 80, 100, 103, 105}) {
    std::string header = good;
    header[at] = static_cast<char>(~header[at]);
    ExpectRefused("header byte " + std::to_string(at), header);
  }
  for (const char* sql : {
           "PRAGMA application_id=1",
           "PRAGMA application_id=0",
           "PRAGMA user_version=3",
           "PRAGMA user_version=2147483647",
           "PRAGMA user_version=0",
           "PRAGMA user_version=-1",
           "CREATE TRIGGER t AFTER INSERT ON records BEGIN DELETE FROM settings; END",
           "CREATE TRIGGER t BEFORE DELETE ON records BEGIN SELECT RAISE(IGNORE); END",
           "CREATE VIEW v AS SELECT * FROM records",
           "CREATE VIEW v AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT "
           "i FROM n",
           "CREATE VIRTUAL TABLE f USING fts5(body)",
           "CREATE VIRTUAL TABLE r USING rtree(id, a, b)",
           "create  virtual table f using fts4(body)",
           "DROP TABLE records",
           "DROP TABLE settings",
           "DELETE FROM records WHERE id = 7",
           "DELETE FROM settings",
           "INSERT INTO settings VALUES('more', '1')",
           "CREATE TABLE extra(x)",
           "ALTER TABLE records RENAME TO other",
           "CREATE TABLE deep(x CHECK(x > 1)); PRAGMA ignore_check_constraints=1; INSERT INTO deep "
           "VALUES(0)",
           "PRAGMA writable_schema=1; UPDATE sqlite_schema SET sql='nonsense' WHERE name='records'",
           "PRAGMA writable_schema=1; UPDATE sqlite_schema SET rootpage=99999 WHERE name='records'",
           "PRAGMA writable_schema=1; UPDATE sqlite_schema SET rootpage=1 WHERE name='records'",
           "PRAGMA writable_schema=1; UPDATE sqlite_schema SET type='trigger' WHERE "
           "name='settings'",
           "PRAGMA writable_schema=1; DELETE FROM sqlite_schema WHERE name='settings'",
           "PRAGMA writable_schema=1; UPDATE sqlite_schema SET rootpage=(SELECT rootpage FROM "
           "sqlite_schema WHERE name='records') WHERE name='settings'",
       }) {
    ExpectRefused(sql, Changed(sql));
  }
  TellFigure("refused", refused_);
  EXPECT_GE(refused_, 200);
}

TEST_F(BackupHostileTest, AFileThatChangesPlacesWithALinkIsNotFollowed) {
  // Whoever may write beside the database could plant names there; staging takes only new ones.
  const Impostor honest(Changed("SELECT 1"), {.application_id = kTestApplication,
                                              .schema_version = 2,
                                              .rows = {{"records", 500}, {"settings", 1}}});
  const auto created = repository_->Create(honest, Plain());
  WriteWhole(File("victim"), "untouched");
  ASSERT_EQ(symlink(File("victim").c_str(), (live() + "-restoring").c_str()), 0);
  ASSERT_EQ(symlink(File("victim").c_str(), (live() + "-previous").c_str()), 0);
  const auto restored = repository_->Restore(created->name, Target(), {.time = kBackupTime});
  EXPECT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(ReadWhole(File("victim")), "untouched");
}

}  // namespace
}  // namespace nta
