// Creating, listing, verifying, cancelling, importing.
#include "nta/backup/backup_repository.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "backup/backup_fixture.h"

namespace nta {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

using BackupRepositoryTest = BackupTest;

mode_t ModeOf(const std::string& path) {
  struct stat status {};
  EXPECT_EQ(stat(path.c_str(), &status), 0);
  return status.st_mode & 0777;
}

TEST_F(BackupRepositoryTest, ABackupHoldsWhatWasThereAndSaysSo) {
  MakeDatabase(live(), 1000);
  const BackupRepository repository = OpenRepository();
  CreateBackupOptions options{.time = kBackupTime};
  options.extras = {{"nta.toml", "listen = \"127.0.0.1:8080\"\n"}, {"empty", ""}};
  const auto created = repository.Create(Target(), options);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_THAT(created->name, testing::MatchesRegex("20261122T080000Z-[0-9a-f]{12}"));
  EXPECT_EQ(created->kind, "sqlite");
  EXPECT_EQ(created->schema_version, 2);
  EXPECT_EQ(created->time, kBackupTime);
  EXPECT_FALSE(created->verified);
  EXPECT_FALSE(created->is_encrypted);
  EXPECT_GT(created->content_bytes, 200'000u);

  const auto contents = repository.Verify(created->name, Target(), {.time = kBackupTime});
  ASSERT_TRUE(contents.ok()) << contents.status();
  EXPECT_EQ(contents->summary.rows.at("records"), 1000u);
  EXPECT_EQ(contents->summary.rows.at("settings"), 1u);
  EXPECT_EQ(contents->extras, options.extras);
}

TEST_F(BackupRepositoryTest, FilesAreForTheirOwnerOnlyWhateverTheMask) {
  MakeDatabase(live(), 10);
  const mode_t before = umask(0);
  const BackupRepository repository = OpenRepository();
  const auto created = repository.Create(Target(), Plain());
  ASSERT_TRUE(created.ok()) << created.status();
  ASSERT_TRUE(repository.Verify(created->name, Target(), {.time = kBackupTime}).ok());
  umask(before);
  EXPECT_EQ(ModeOf(File("backups")), 0700u);
  for (const std::string& name : NamesIn(File("backups"))) {
    EXPECT_EQ(ModeOf(File("backups/" + name)), 0600u) << name;
  }
}

TEST_F(BackupRepositoryTest, VerifiedIsWhatWasRestoredAndComparedAndNothingElse) {
  MakeDatabase(live(), 100);
  const BackupRepository repository = OpenRepository();
  const auto created = repository.Create(Target(), Plain());
  ASSERT_TRUE(created.ok());
  const BackupTime later = kBackupTime + std::chrono::hours(1);
  ASSERT_TRUE(repository.Verify(created->name, Target(), {.time = later}).ok());
  EXPECT_EQ(repository.Get(created->name)->verified, later);

  const std::string path = *repository.PathOf(created->name);
  std::string bytes = ReadWhole(path);
  bytes[bytes.size() / 2] ^= 1;
  WriteWhole(path, bytes);
  const auto again = repository.Verify(created->name, Target(), {.time = later});
  EXPECT_TRUE(absl::IsDataLoss(again.status())) << again.status();
  const auto info = repository.Get(created->name);
  EXPECT_FALSE(info->verified);
  EXPECT_THAT(info->problem, HasSubstr("damaged"));

  // A mark is about bytes: other bytes of another length do not inherit it.
  bytes[bytes.size() / 2] ^= 1;
  WriteWhole(path, bytes);
  ASSERT_TRUE(repository.Verify(created->name, Target(), {.time = later}).ok());
  WriteWhole(path, bytes + "x");
  EXPECT_FALSE(repository.Get(created->name)->verified);
}

TEST_F(BackupRepositoryTest, ListsNewestFirstAndNamesWhatCannotBeRead) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  for (const int hour : {2, 1, 3}) {
    CreateBackupOptions options = Plain();
    options.time = kBackupTime + std::chrono::hours(hour);
    ASSERT_TRUE(repository.Create(Target(), options).ok());
  }
  WriteWhole(File("backups/20261122T070000Z-0123456789ab.ntabackup"), "not one");
  WriteWhole(File("backups/notes.txt"), "left alone");
  const auto list = repository.List();
  ASSERT_TRUE(list.ok());
  ASSERT_THAT(*list, SizeIs(4));
  EXPECT_EQ((*list)[0].time, kBackupTime + std::chrono::hours(3));
  EXPECT_EQ((*list)[2].time, kBackupTime + std::chrono::hours(1));
  EXPECT_THAT((*list)[3].problem, HasSubstr("not a backup"));
}

TEST_F(BackupRepositoryTest, AnEncryptedBackupOpensWithItsPassphraseOnly) {
  MakeDatabase(live(), 50, "secretmark");
  const BackupRepository repository = OpenRepository();
  CreateBackupOptions options{.time = kBackupTime, .passphrase = "correct horse"};
  options.extras = {{"nta.toml", "secretextra"}};
  const auto created = repository.Create(Target(), options);
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_TRUE(created->is_encrypted);
  const std::string bytes = ReadWhole(*repository.PathOf(created->name));
  for (const char* inside : {"secretmark", "secretextra", "records", "nta.toml", "SQLite format"}) {
    EXPECT_EQ(bytes.find(inside), std::string::npos) << inside;
  }
  const auto verify = [&](std::string passphrase) {
    return repository
        .Verify(created->name, Target(), {.time = kBackupTime, .passphrase = std::move(passphrase)})
        .status();
  };
  EXPECT_TRUE(absl::IsUnauthenticated(verify("")));
  EXPECT_TRUE(absl::IsUnauthenticated(verify("correct hors")));
  // A wrong passphrase says nothing about the backup.
  EXPECT_EQ(repository.Get(created->name)->problem, "");
  EXPECT_TRUE(verify("correct horse").ok());
}

TEST_F(BackupRepositoryTest, APassphraseThatKeepsNobodyOutIsRefused) {
  MakeDatabase(live(), 50);
  const BackupRepository repository = OpenRepository();
  CreateBackupOptions options = Plain();
  // Characters count, not the bytes that they take.
  for (const char* one : {"x", "7 chars", "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f 12"}) {
    options.passphrase = one;
    const absl::Status refused = repository.Create(Target(), options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(refused)) << one;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("at least 8 characters"));
  }
  EXPECT_THAT(*repository.List(), IsEmpty());
  EXPECT_TRUE(CheckNewPassphrase("8 chars.").ok());
  EXPECT_TRUE(CheckNewPassphrase("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f 123").ok());
}

TEST_F(BackupRepositoryTest, AnEncryptedBackupCannotBeReplacedByOneInClear) {
  MakeDatabase(live(), 50);
  const BackupRepository repository = OpenRepository();
  const auto plain = repository.Create(Target(), Plain());
  ASSERT_TRUE(plain.ok());
  const auto verified =
      repository.Verify(plain->name, Target(), {.time = kBackupTime, .passphrase = "secret"});
  EXPECT_TRUE(absl::IsUnauthenticated(verified.status())) << verified.status();
}

TEST_F(BackupRepositoryTest, AnEncryptedBackupShowsEveryChange) {
  MakeDatabase(live(), 6000);
  const BackupRepository repository = OpenRepository();
  CreateBackupOptions options = Plain();
  options.passphrase = "a secret";
  const auto created = repository.Create(Target(), options);
  ASSERT_TRUE(created.ok());
  const std::string path = *repository.PathOf(created->name);
  const std::string bytes = ReadWhole(path);
  const std::size_t frames =
      12 + static_cast<unsigned char>(bytes[8]) + 256 * static_cast<unsigned char>(bytes[9]) + 32;
  // The header (a hash finds it), the length of a frame, the first frame, a later one, the end.
  for (const std::size_t at : {std::size_t{20}, frames, frames + 60, bytes.size() / 2,
                               bytes.size() - 40, bytes.size() - 1}) {
    std::string changed = bytes;
    changed[at] ^= 0x40;
    WriteWhole(path, changed);
    const auto result =
        repository.Verify(created->name, Target(), {.time = kBackupTime, .passphrase = "a secret"});
    EXPECT_FALSE(result.ok()) << at;
  }
  // Frames that change places: the second and the third are of the same length.
  std::string swapped = bytes;
  const std::size_t frame = (256 << 10) + 17 + 4;
  const std::size_t second = frames + frame;
  ASSERT_LT(second + 2 * frame, bytes.size());
  std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(second),
                   swapped.begin() + static_cast<std::ptrdiff_t>(second + frame),
                   swapped.begin() + static_cast<std::ptrdiff_t>(second + frame));
  ASSERT_NE(swapped, bytes);
  WriteWhole(path, swapped);
  const auto result =
      repository.Verify(created->name, Target(), {.time = kBackupTime, .passphrase = "a secret"});
  EXPECT_TRUE(absl::IsDataLoss(result.status())) << result.status();
}

TEST_F(BackupRepositoryTest, CancelAtAnyMomentLeavesNothingBehind) {
  MakeDatabase(live(), 5000);
  const std::string before = Dump(live());
  const BackupRepository repository = OpenRepository();
  int calls = 0;
  const BackupControl counting{.progress = [&](const BackupProgress&) { ++calls; }};
  const auto whole = repository.Create(Target(), Plain(), counting);
  ASSERT_TRUE(whole.ok());
  ASSERT_TRUE(repository.Verify(whole->name, Target(), {.time = kBackupTime}, counting).ok());
  ASSERT_TRUE(repository.Remove(whole->name).ok());
  ASSERT_GT(calls, 10);
  int cancelled = 0;
  for (int at = 1; at <= calls; ++at) {
    std::stop_source stop;
    int left = at;
    const BackupControl control{.stop = stop.get_token(), .progress = [&](const BackupProgress&) {
                                  if (--left == 0) stop.request_stop();
                                }};
    const auto created = repository.Create(Target(), Plain(), control);
    if (!created.ok()) {
      ++cancelled;
      EXPECT_TRUE(absl::IsCancelled(created.status())) << created.status();
      EXPECT_THAT(NamesIn(File("backups")), IsEmpty());
      continue;
    }
    const auto verified =
        repository.Verify(created->name, Target(), {.time = kBackupTime}, control);
    if (!verified.ok()) {
      ++cancelled;
      EXPECT_TRUE(absl::IsCancelled(verified.status())) << verified.status();
      EXPECT_THAT(NamesIn(File("backups")), ElementsAre(created->name + ".ntabackup"));
    }
    ASSERT_TRUE(repository.Remove(created->name).ok());
  }
  EXPECT_GT(cancelled, calls / 2);
  EXPECT_EQ(Dump(live()), before);
}

TEST_F(BackupRepositoryTest, NamesAreOursAndLeadNowhereElse) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  ASSERT_TRUE(repository.Create(Target(), Plain()).ok());
  WriteWhole(File("20261122T080000Z-0123456789ab.ntabackup"), "outside");
  std::vector<std::string> names = {"",
                                    ".",
                                    "..",
                                    "/",
                                    "../20261122T080000Z-0123456789ab",
                                    "20261122T080000Z-0123456789a/",
                                    "20261122T080000Z-0123456789AB",
                                    "20261122T080000Z-0123456789ag",
                                    "..%2f..%2fetc%2fpasswd",
                                    "20261122T080000Z_0123456789ab",
                                    "/dev/zero",
                                    "CON",
                                    "file:x",
                                    "\\\\host\\share",
                                    "~",
                                    "$HOME",
                                    std::string("20261122T080000Z-0123456789a\0", 29),
                                    std::string(4096, 'a'),
                                    "-rf",
                                    "*",
                                    "20261122T080000Z-0123456789ab.ntabackup",
                                    " 20261122T080000Z-0123456789ab"};
  for (const std::string& name : names) {
    EXPECT_TRUE(absl::IsInvalidArgument(repository.Get(name).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(repository.Remove(name))) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(repository.PathOf(name).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(repository.Verify(name, Target(), {}).status())) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(repository.Restore(name, Target(), {}).status())) << name;
  }
  EXPECT_TRUE(absl::IsNotFound(repository.Get("20261122T080000Z-0123456789ab").status()));
}

TEST_F(BackupRepositoryTest, LinksAreNotFollowed) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  const auto created = repository.Create(Target(), Plain());
  ASSERT_TRUE(created.ok());
  const std::string other = "20261122T090000Z-0123456789ab";
  ASSERT_EQ(symlink(repository.PathOf(created->name)->c_str(),
                    File("backups/" + other + ".ntabackup").c_str()),
            0);
  EXPECT_THAT(std::string(repository.Get(other).status().message()), HasSubstr("symbolic link"));
  // A verdict that leads elsewhere is replaced, not written through.
  WriteWhole(File("victim"), "untouched");
  ASSERT_EQ(symlink(File("victim").c_str(), File("backups/" + created->name + ".verdict").c_str()),
            0);
  ASSERT_TRUE(repository.Verify(created->name, Target(), {.time = kBackupTime}).ok());
  EXPECT_EQ(ReadWhole(File("victim")), "untouched");
  EXPECT_TRUE(repository.Get(created->name)->verified);

  ASSERT_EQ(symlink(File("backups").c_str(), File("link").c_str()), 0);
  EXPECT_TRUE(absl::IsFailedPrecondition(BackupRepository::Open(File("link")).status()));
  chmod(File("backups").c_str(), 0777);
  EXPECT_TRUE(absl::IsFailedPrecondition(BackupRepository::Open(File("backups")).status()));
}

TEST_F(BackupRepositoryTest, WhatKilledProcessesLeftGoesAtTheNextOpening) {
  std::filesystem::create_directory(File("backups"));
  std::filesystem::permissions(File("backups"), std::filesystem::perms::owner_all);
  std::filesystem::create_directory(File("backups/.work-0011223344556677"));
  WriteWhole(File("backups/.work-0011223344556677/data"), "half");
  WriteWhole(File("backups/.work-8899aabbccddeeff"), "half a verdict");
  OpenRepository();
  EXPECT_THAT(NamesIn(File("backups")), IsEmpty());
}

TEST_F(BackupRepositoryTest, WhatIsStillWorkedOnStays) {
  MakeDatabase(live(), 2000);
  const BackupRepository repository = OpenRepository();
  bool opened = false;
  const BackupControl control{.progress = [&](const BackupProgress&) {
    if (!std::exchange(opened, true)) OpenRepository();
  }};
  EXPECT_TRUE(repository.Create(Target(), Plain(), control).ok());
  EXPECT_TRUE(opened);
}

TEST_F(BackupRepositoryTest, DataThatShrinksLikeABombIsStoredAsItIs) {
  Sqlite(live()).Run("PRAGMA page_size=65536; VACUUM");
  MakeDatabase(live(), 10);
  Sqlite(live()).Run("INSERT INTO records VALUES(1000, 'zeros', zeroblob(60000000))");
  const BackupRepository repository = OpenRepository();
  const auto created = repository.Create(Target(), {.time = kBackupTime, .duty = 1});
  ASSERT_TRUE(created.ok()) << created.status();
  EXPECT_EQ(created->compression, BackupCompression::kNone);
  const auto verified = repository.Verify(created->name, Target(), {.time = kBackupTime});
  EXPECT_TRUE(verified.ok()) << verified.status();
}

TEST_F(BackupRepositoryTest, ImportsWhatAnotherRepositoryMade) {
  MakeDatabase(live(), 100);
  const BackupRepository there = OpenRepository("there");
  const auto created = there.Create(Target(), Plain());
  ASSERT_TRUE(created.ok());
  const BackupRepository here = OpenRepository("here");
  const auto imported = here.Import(*there.PathOf(created->name));
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(imported->time, kBackupTime);
  EXPECT_FALSE(imported->verified);
  // Twice is once.
  EXPECT_EQ(here.Import(*there.PathOf(created->name))->name, imported->name);
  EXPECT_THAT(*here.List(), SizeIs(1));
  EXPECT_TRUE(here.Verify(imported->name, Target(), {.time = kBackupTime}).ok());

  ASSERT_EQ(mkfifo(File("pipe").c_str(), 0600), 0);
  ASSERT_EQ(symlink(there.PathOf(created->name)->c_str(), File("link").c_str()), 0);
  for (const char* wrong : {"pipe", "link", "there"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(here.Import(File(wrong)).status())) << wrong;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(here.Import(live()).status()));
  EXPECT_TRUE(absl::IsNotFound(here.Import(File("missing")).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(here.Import("/dev/zero").status()));
  EXPECT_THAT(*here.List(), SizeIs(1));
}

TEST_F(BackupRepositoryTest, ImportsNothingThatIsNotWholeAndNeverCallsItTheSame) {
  MakeDatabase(live(), 100);
  const BackupRepository there = OpenRepository("there");
  const BackupRepository here = OpenRepository("here");
  const std::string path = *there.PathOf(there.Create(Target(), Plain())->name);
  const std::string bytes = ReadWhole(path);
  std::string flipped = bytes;
  flipped[flipped.size() / 2] ^= 1;
  const auto refuse_all = [&] {
    for (const std::string& wrong : {flipped, bytes.substr(0, bytes.size() / 2),
                                     bytes.substr(0, bytes.size() - 1), bytes + "x"}) {
      WriteWhole(File("wrong"), wrong);
      const auto imported = here.Import(File("wrong"));
      EXPECT_TRUE(absl::IsDataLoss(imported.status())) << imported.status();
    }
  };
  refuse_all();
  EXPECT_TRUE(here.List()->empty());
  const std::string name = here.Import(path)->name;
  ASSERT_TRUE(here.Verify(name, Target(), {.time = kBackupTime}).ok());
  refuse_all();
  EXPECT_THAT(*here.List(), SizeIs(1));

  // One that has rotted since it was verified does not stand for a sound one.
  WriteWhole(*here.PathOf(name), flipped);
  const auto sound = here.Import(path);
  ASSERT_TRUE(sound.ok()) << sound.status();
  EXPECT_NE(sound->name, name);
  EXPECT_TRUE(here.Verify(sound->name, Target(), {.time = kBackupTime}).ok());
}

TEST_F(BackupRepositoryTest, ForeignAndNewerDatabasesAreNotBackedUp) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  SqliteTargetOptions options = TargetOptions(live());
  options.max_schema_version = 1;
  const auto newer = repository.Create(SqliteTarget(options), Plain());
  EXPECT_TRUE(absl::IsFailedPrecondition(newer.status())) << newer.status();
  options.application_id = 1;
  const auto foreign = repository.Create(SqliteTarget(options), Plain());
  EXPECT_TRUE(absl::IsFailedPrecondition(foreign.status())) << foreign.status();
  options.path = File("missing.db");
  EXPECT_TRUE(absl::IsNotFound(repository.Create(SqliteTarget(options), Plain()).status()));
  EXPECT_THAT(NamesIn(File("backups")), IsEmpty());
}

TEST_F(BackupRepositoryTest, ExtrasHaveNamesOfFilesAndNothingMore) {
  MakeDatabase(live(), 10);
  const BackupRepository repository = OpenRepository();
  for (const char* name : {"", ".hidden", "a/b", "..", "data", "name with spaces"}) {
    CreateBackupOptions options = Plain();
    options.extras = {{name, "text"}};
    EXPECT_TRUE(absl::IsInvalidArgument(repository.Create(Target(), options).status())) << name;
  }
  CreateBackupOptions twice = Plain();
  twice.extras = {{"a", "1"}, {"a", "2"}};
  EXPECT_TRUE(absl::IsInvalidArgument(repository.Create(Target(), twice).status()));
  EXPECT_THAT(NamesIn(File("backups")), IsEmpty());
}

}  // namespace
}  // namespace nta
