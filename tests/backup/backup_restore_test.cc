// Restores: over running, crashed, damaged and missing databases, and killed at any moment.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <thread>

#include "backup/backup_fixture.h"
#include "backup/sqlite_swap.h"

namespace nta {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;

class BackupRestoreTest : public BackupTest {
 protected:
  // A backup of `rows` rows with the mark "saved"; its dump is saved_.
  void MakeBackup(int rows) {
    MakeDatabase(File("saved.db"), rows, "saved");
    saved_ = Dump(File("saved.db"));
    const auto created = repository_.Create(SqliteTarget(TargetOptions(File("saved.db"))), Plain());
    ASSERT_TRUE(created.ok()) << created.status();
    name_ = created->name;
  }

  absl::StatusOr<RestoreResult> Restore(const BackupTarget& target) {
    return repository_.Restore(name_, target, {.time = kBackupTime});
  }

  // Writes to the live database in a process that is killed, so that a log with rows in it is left.
  void CrashWithLog(int rows) {
    const pid_t child = fork();
    if (child == 0) {
      sqlite3* database = nullptr;
      sqlite3_open(live().c_str(), &database);
      sqlite3_exec(database, "PRAGMA wal_autocheckpoint=0", nullptr, nullptr, nullptr);
      const std::string sql =
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE "
          "i < " +
          std::to_string(rows) +
          ") INSERT INTO records(mark, value) SELECT 'crashed', "
          "randomblob(300) FROM n; UPDATE records SET mark = 'crashed'";
      sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_GT(std::filesystem::file_size(live() + "-wal"), 1000u);
  }

  const BackupRepository repository_ = OpenRepository();
  std::string name_;
  std::string saved_;
};

TEST_F(BackupRestoreTest, TakesThePlaceOfWhatWasThereAndKeepsIt) {
  MakeBackup(300);
  MakeDatabase(live(), 100, "live");
  const std::string before = Dump(live());
  const auto restored = Restore(Target());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Dump(live()), saved_);
  EXPECT_EQ(restored->previous, live() + "-previous");
  EXPECT_EQ(Dump(restored->previous), before);
  EXPECT_TRUE(restored->backup.verified);
  EXPECT_EQ(RecoverRestore(live()).value(), RestoreRecovery::kNothing);
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, MakesTheDatabaseOfAnEmptyMachine) {
  MakeBackup(300);
  const auto restored = Restore(Target());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->previous, "");
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, ACrashedDatabaseAndItsLogNeverMeetTheRestoredOne) {
  MakeBackup(500);
  const int rounds = Rounds(10);
  for (int round = 0; round < rounds; ++round) {
    std::filesystem::remove(live());
    MakeDatabase(live(), 200, "live");
    CrashWithLog(200 + round);
    const auto restored = Restore(Target());
    ASSERT_TRUE(restored.ok()) << restored.status();
    ASSERT_EQ(Dump(live()), saved_) << round;
    // What the log held is in what was kept.
    ASSERT_THAT(Dump(restored->previous), HasSubstr("crashed")) << round;
  }
  TellFigure("exact", rounds);
}

// What the original did: the file is copied over the database of a crashed process.
TEST_F(BackupRestoreTest, CopyingOverACrashedDatabaseIsTheMistakeThatThisAvoids) {
  MakeBackup(500);
  Sqlite(File("saved.db")).Run("PRAGMA wal_checkpoint(TRUNCATE)");
  int exact = 0;
  const int rounds = Rounds(10);
  for (int round = 0; round < rounds; ++round) {
    for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(live() + suffix);
    MakeDatabase(live(), 200, "live");
    CrashWithLog(200 + round);
    WriteWhole(live(), ReadWhole(File("saved.db")));
    if (Dump(live()) == saved_) ++exact;
  }
  TellFigure("exact_by_copying", exact);
  EXPECT_LT(exact, rounds);
}

TEST_F(BackupRestoreTest, ADamagedDatabaseIsReplacedAndKeptWithItsLog) {
  MakeBackup(300);
  // What it is and whose it is can be read; nothing else of it is left.
  std::string damaged(100'000, 'x');
  damaged.replace(0, 16, "SQLite format 3\0", 16);
  damaged.replace(68, 4, "test");
  WriteWhole(live(), damaged);
  WriteWhole(live() + "-wal", "what is left of a log");
  const auto restored = Restore(Target());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Dump(live()), saved_);
  EXPECT_TRUE(ReadWhole(restored->previous) == damaged);
  EXPECT_EQ(ReadWhole(restored->previous + "-wal"), "what is left of a log");
}

TEST_F(BackupRestoreTest, WhatWasNeverOursIsReplacedOnlyWhenThatIsSaid) {
  MakeBackup(300);
  SqliteTargetOptions anyway = TargetOptions(live());
  anyway.replace_foreign = true;
  const auto expect_refused = [&](const char* reason) {
    const auto names = NamesIn(directory_.string());
    bool began = false;
    const auto restored =
        repository_.Restore(name_, Target(), {.time = kBackupTime},
                            {.progress = [&](const BackupProgress&) { began = true; }});
    EXPECT_TRUE(absl::IsFailedPrecondition(restored.status())) << restored.status();
    EXPECT_THAT(std::string(restored.status().message()), HasSubstr(reason));
    EXPECT_FALSE(began);
    EXPECT_EQ(NamesIn(directory_.string()), names);
  };
  for (const std::string& foreign :
       {std::string(100'000, 'x'), std::string("a letter"), std::string("SQLite format 3\0", 16)}) {
    WriteWhole(live(), foreign);
    expect_refused("it is no SQLite database");
    EXPECT_TRUE(ReadWhole(live()) == foreign);
    const auto restored = Restore(SqliteTarget(anyway));
    ASSERT_TRUE(restored.ok()) << restored.status();
    EXPECT_EQ(Dump(live()), saved_);
    EXPECT_TRUE(ReadWhole(restored->previous) == foreign);
  }
  std::filesystem::remove(live());
  std::filesystem::remove(live() + "-previous");
  Sqlite(live()).Run("PRAGMA application_id=7; CREATE TABLE notes(text TEXT)");
  const std::string notes = ReadWhole(live());
  expect_refused("it is a database of another program");
  EXPECT_TRUE(ReadWhole(live()) == notes);
  EXPECT_TRUE(Restore(SqliteTarget(anyway)).ok());
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, NothingButAFileIsEverReplaced) {
  MakeBackup(300);
  SqliteTargetOptions anyway = TargetOptions(live());
  anyway.replace_foreign = true;
  std::filesystem::create_directory(live());
  WriteWhole(live() + "/kept", "kept");
  for (const SqliteTargetOptions& options : {TargetOptions(live()), anyway}) {
    const absl::Status refused = Restore(SqliteTarget(options)).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(refused)) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("live.db\": it is a directory"));
  }
  EXPECT_EQ(ReadWhole(live() + "/kept"), "kept");
  std::filesystem::remove_all(live());
  ASSERT_EQ(mkfifo(live().c_str(), 0600), 0);
  EXPECT_THAT(std::string(Restore(SqliteTarget(anyway)).status().message()),
              HasSubstr("it is not a regular file"));
}

// A young database is in its log only, and so is what it says of itself.
TEST_F(BackupRestoreTest, ADatabaseThatIsStillInItsLogIsKnown) {
  MakeBackup(300);
  const pid_t child = fork();
  if (child == 0) {
    sqlite3* database = nullptr;
    sqlite3_open(live().c_str(), &database);
    const std::string sql =
        "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; BEGIN; PRAGMA application_id=" +
        std::to_string(kTestApplication) + "; CREATE TABLE records(mark TEXT); COMMIT";
    sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_GT(std::filesystem::file_size(live() + "-wal"), 1000u);
  ASSERT_EQ(ReadWhole(live()).find("test"), std::string::npos);
  const auto restored = Restore(Target());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, AnEmptyFileIsNoDatabaseYet) {
  MakeBackup(300);
  WriteWhole(live(), "");
  const auto restored = Restore(Target());
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, ALogWithoutItsDatabaseIsNotTakenForThatOfTheRestoredOne) {
  MakeBackup(300);
  MakeDatabase(live(), 200, "live");
  CrashWithLog(300);
  std::filesystem::remove(live());
  ASSERT_TRUE(Restore(Target()).ok());
  EXPECT_EQ(Dump(live()), saved_);
}

TEST_F(BackupRestoreTest, WhileAnotherHasItOpenNothingIsTouched) {
  MakeBackup(300);
  MakeDatabase(live(), 100, "live");
  Sqlite other(live());
  const std::string before = other.Ask("SELECT count(*), min(mark) FROM records");
  const auto restored = Restore(Target());
  EXPECT_TRUE(absl::IsUnavailable(restored.status())) << restored.status();
  EXPECT_THAT(std::string(restored.status().message()), HasSubstr("another process"));
  EXPECT_EQ(other.Ask("SELECT count(*), min(mark) FROM records"), before);
  EXPECT_EQ(NamesIn(directory_.string()).size(), 5u);  // live.db, -wal, -shm; saved.db; backups
}

TEST_F(BackupRestoreTest, WhatTheProgramRefusesIsNotSwappedIn) {
  MakeBackup(300);
  MakeDatabase(live(), 100, "live");
  const std::string before = Dump(live());
  SqliteTargetOptions options = TargetOptions(live());
  options.check = [](const std::string&) {
    return absl::FailedPreconditionError("the program would not open it");
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(Restore(SqliteTarget(options)).status()));
  options.check = nullptr;
  options.prepare = [](const std::string&) { return absl::UnavailableError("not now"); };
  EXPECT_TRUE(absl::IsUnavailable(Restore(SqliteTarget(options)).status()));
  EXPECT_EQ(Dump(live()), before);
  EXPECT_EQ(NamesIn(directory_.string()).size(), 3u);
}

TEST_F(BackupRestoreTest, WhatCannotBeOpenedAfterTheSwapIsPutBack) {
  MakeBackup(300);
  SqliteTargetOptions options = TargetOptions(live());
  int opened = 0;
  options.while_closed = [&](const auto& swap, const auto& undo) -> absl::Status {
    EXPECT_TRUE(swap().ok());
    EXPECT_EQ(Dump(live()), saved_);
    ++opened;
    EXPECT_TRUE(undo().ok());
    return absl::UnavailableError("it could not be opened");
  };
  // Where there was nothing, there is nothing again.
  EXPECT_TRUE(absl::IsUnavailable(Restore(SqliteTarget(options)).status()));
  EXPECT_FALSE(std::filesystem::exists(live()));
  MakeDatabase(live(), 100, "live");
  const std::string before = Dump(live());
  EXPECT_TRUE(absl::IsUnavailable(Restore(SqliteTarget(options)).status()));
  EXPECT_EQ(Dump(live()), before);
  EXPECT_EQ(opened, 2);
  EXPECT_FALSE(std::filesystem::exists(live() + "-restoring"));
}

TEST_F(BackupRestoreTest, PrepareHasTheLastWord) {
  MakeBackup(300);
  SqliteTargetOptions options = TargetOptions(live());
  options.prepare = [](const std::string& staged) {
    Sqlite(staged).Run("PRAGMA journal_mode=WAL; UPDATE settings SET value = 'prepared'");
    return absl::OkStatus();
  };
  ASSERT_TRUE(Restore(SqliteTarget(options)).ok());
  EXPECT_EQ(Sqlite(live()).Ask("SELECT value FROM settings"), "prepared|\n");
}

TEST_F(BackupRestoreTest, OneRestoreAtATime) {
  MakeBackup(300);
  MakeDatabase(live(), 100, "live");
  SqliteTargetOptions options = TargetOptions(live());
  options.prepare = [&](const std::string&) {
    EXPECT_TRUE(absl::IsUnavailable(Restore(Target()).status()));
    EXPECT_TRUE(absl::IsUnavailable(RecoverRestore(live()).status()));
    return absl::OkStatus();
  };
  EXPECT_TRUE(Restore(SqliteTarget(options)).ok());
  EXPECT_EQ(Dump(live()), saved_);
}

// Each state that a kill can leave between two steps of the swap, made by hand.
TEST_F(BackupRestoreTest, EachStepOfAnInterruptedSwapIsRolledBackOrCompleted) {
  MakeDatabase(live(), 50, "live");
  Sqlite(live()).Run("PRAGMA journal_mode=DELETE");
  const std::string before = Dump(live());
  const std::string staged = live() + "-restore-0123456789ab";
  const auto begin = [&] {
    WriteWhole(staged, "staged");
    WriteWhole(live() + "-restoring", "live.db-restore-0123456789ab");
  };
  const auto expect_rolled_back = [&] {
    const auto recovered = RecoverRestore(live());
    ASSERT_TRUE(recovered.ok());
    EXPECT_EQ(*recovered, RestoreRecovery::kRolledBack);
    EXPECT_EQ(Dump(live()), before);
    EXPECT_THAT(NamesIn(directory_.string()), testing::ElementsAre("backups", "live.db"));
  };
  begin();
  expect_rolled_back();

  begin();
  std::filesystem::create_hard_link(live(), live() + "-previous");
  expect_rolled_back();

  // On a file system without links.
  begin();
  std::filesystem::rename(live(), live() + "-previous");
  expect_rolled_back();

  // A damaged database, whose log could not be brought into it.
  begin();
  std::filesystem::create_hard_link(live(), live() + "-previous");
  WriteWhole(live() + "-previous-wal", "log");
  ASSERT_EQ(*RecoverRestore(live()), RestoreRecovery::kRolledBack);
  EXPECT_EQ(ReadWhole(live() + "-wal"), "log");
  std::filesystem::remove(live() + "-wal");
  begin();
  std::filesystem::create_hard_link(live(), live() + "-previous");
  WriteWhole(live() + "-wal", "log");
  ASSERT_EQ(*RecoverRestore(live()), RestoreRecovery::kRolledBack);
  EXPECT_EQ(ReadWhole(live() + "-wal"), "log");
  std::filesystem::remove(live() + "-wal");

  begin();
  std::filesystem::rename(live(), live() + "-previous");
  std::filesystem::rename(staged, live());
  EXPECT_EQ(*RecoverRestore(live()), RestoreRecovery::kCompleted);
  EXPECT_EQ(ReadWhole(live()), "staged");
  EXPECT_EQ(Dump(live() + "-previous"), before);
  EXPECT_EQ(*RecoverRestore(live()), RestoreRecovery::kNothing);
}

TEST_F(BackupRestoreTest, WhatIsBeingRestoredIsNotSweptAway) {
  MakeBackup(3000);
  MakeDatabase(live(), 100, "live");
  int swept = 0;
  const BackupControl control{.progress = [&](const BackupProgress& progress) {
    if (progress.phase == BackupPhase::kUnpack || progress.phase == BackupPhase::kCheck) {
      EXPECT_EQ(*RecoverRestore(live()), RestoreRecovery::kNothing);
      ++swept;
    }
  }};
  EXPECT_TRUE(repository_.Restore(name_, Target(), {.time = kBackupTime}, control).ok());
  EXPECT_GT(swept, 0);
  EXPECT_EQ(Dump(live()), saved_);
}

struct Outcomes {
  int before = 0;
  int after = 0;
};

// When to kill: at random moments of the time that the work takes, which follows that of a machine
// that becomes busy or idle meanwhile.
class Moments {
 public:
  Moments(std::chrono::microseconds time, unsigned seed)
      : microseconds_(static_cast<double>(time.count()) * 3 / 2), random_(seed) {}

  std::chrono::microseconds Next() {
    return std::chrono::microseconds(static_cast<std::int64_t>(
        std::uniform_real_distribution<double>(0, microseconds_)(random_)));
  }
  void Saw(bool it_was_done) { microseconds_ *= it_was_done ? 1 / kStep : kStep; }

 private:
  static constexpr double kStep = 1.2;

  double microseconds_;
  std::mt19937 random_;
};

// Runs `work` in a process that is killed after `delay`.
template <typename Work>
void KillAfter(std::chrono::microseconds delay, const Work& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  const auto deadline = std::chrono::steady_clock::now() + delay;
  while (std::chrono::steady_clock::now() < deadline) {
    usleep(50);
  }
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
}

// Of `work` in a process of its own.
template <typename Work>
std::chrono::microseconds TimeOf(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               start);
}

TEST_F(BackupRestoreTest, KilledInsideARestoreItIsExactlyOldOrExactlyNew) {
  MakeBackup(500);
  MakeDatabase(File("template.db"), 300, "live");
  const std::string before = Dump(File("template.db"));
  const std::string bytes = ReadWhole(File("template.db"));
  const auto prepare = [&] {
    for (const char* suffix : {"-wal", "-shm", "-previous"}) {
      std::filesystem::remove(live() + suffix);
    }
    WriteWhole(live(), bytes);
  };
  prepare();
  Moments moments(TimeOf([&] { static_cast<void>(Restore(Target())); }), 20261122);
  Outcomes outcomes;
  const int rounds = Rounds(20);
  for (int round = 0; round < rounds; ++round) {
    prepare();
    KillAfter(moments.Next(), [&] { static_cast<void>(Restore(Target())); });
    ASSERT_TRUE(RecoverRestore(live()).ok());
    const std::string found = Dump(live());
    ASSERT_THAT(found, AnyOf(before, saved_)) << round;
    (found == before ? outcomes.before : outcomes.after)++;
    moments.Saw(found != before);
    for (const std::string& name : NamesIn(directory_.string())) {
      ASSERT_THAT(name, Not(HasSubstr("-restor"))) << round;
    }
  }
  TellFigure("exactly_old", outcomes.before);
  TellFigure("exactly_new", outcomes.after);
  EXPECT_GE(outcomes.before, rounds / 10);
  EXPECT_GE(outcomes.after, rounds / 10);
}

TEST_F(BackupRestoreTest, KilledInsideABackupItIsThereInFullOrNotAtAll) {
  MakeDatabase(live(), 2000, "live");
  const std::string before = Dump(live());
  Moments moments(
      TimeOf([&] {
        ASSERT_TRUE(repository_.Remove(repository_.Create(Target(), Plain())->name).ok());
      }),
      11);
  Outcomes outcomes;
  const int rounds = Rounds(20);
  for (int round = 0; round < rounds; ++round) {
    KillAfter(moments.Next(), [&] { static_cast<void>(repository_.Create(Target(), Plain())); });
    const BackupRepository reopened = OpenRepository();
    const auto list = reopened.List();
    ASSERT_LE(list->size(), 1u);
    (list->empty() ? outcomes.before : outcomes.after)++;
    moments.Saw(!list->empty());
    for (const BackupInfo& info : *list) {
      const auto verified = reopened.Verify(info.name, Target(), {.time = kBackupTime});
      ASSERT_TRUE(verified.ok()) << verified.status();
      ASSERT_TRUE(reopened.Remove(info.name).ok());
    }
    ASSERT_TRUE(NamesIn(File("backups")).empty()) << round;
  }
  EXPECT_EQ(Dump(live()), before);
  TellFigure("none", outcomes.before);
  TellFigure("in_full", outcomes.after);
  EXPECT_GE(outcomes.before, rounds / 10);
  EXPECT_GE(outcomes.after, rounds / 10);
}

}  // namespace
}  // namespace nta
