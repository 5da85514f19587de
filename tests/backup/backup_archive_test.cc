// The bytes of a backup: what is damaged or hostile in them is told, in bounded time and memory.
#include <fcntl.h>

#include <cstdlib>

#include "backup/archive_reader.h"
#include "backup/archive_writer.h"
#include "backup/backup_file.h"
#include "backup/backup_fixture.h"
#include "backup/format.h"

namespace nta {
namespace {

using ::testing::HasSubstr;

class BackupArchiveTest : public BackupTest {
 protected:
  // A small backup, its bytes and where they are.
  void MakeSmall(BackupCompression compression) {
    MakeDatabase(live(), 5);
    CreateBackupOptions options = Plain();
    options.compression = compression;
    options.extras = {{"nta.toml", "listen = 1"}};
    name_ = repository_.Create(Target(), options)->name;
    path_ = *repository_.PathOf(name_);
    bytes_ = ReadWhole(path_);
  }

  absl::Status VerifyBytes(std::string_view bytes) {
    WriteWhole(path_, bytes);
    return repository_.Verify(name_, Target(), {.time = kBackupTime}).status();
  }

  const BackupRepository repository_ = OpenRepository();
  std::string name_;
  std::string path_;
  std::string bytes_;
};

TEST_F(BackupArchiveTest, EveryChangedByteIsFound) {
  for (const auto compression : {BackupCompression::kNone, BackupCompression::kZstd}) {
    MakeSmall(compression);
    ASSERT_TRUE(VerifyBytes(bytes_).ok());
    // All of them when asked for, else a few hundred.
    const std::size_t step =
        std::getenv("NTA_BACKUP_ROUNDS") != nullptr ? 1 : bytes_.size() / 300 + 1;
    for (std::size_t at = 0; at < bytes_.size();
         at += at < 600 ? std::min<std::size_t>(step, 5) : step) {
      std::string changed = bytes_;
      changed[at] ^= static_cast<char>(1 << at % 8);
      ASSERT_FALSE(VerifyBytes(changed).ok()) << "byte " << at << " of " << bytes_.size();
    }
    std::filesystem::remove(live());
  }
}

TEST_F(BackupArchiveTest, EveryTruncationAndEveryAdditionIsFound) {
  MakeSmall(BackupCompression::kZstd);
  const std::size_t step = bytes_.size() / 100 + 1;
  for (std::size_t size = 0; size < bytes_.size(); size += step) {
    ASSERT_FALSE(VerifyBytes(std::string_view(bytes_).substr(0, size)).ok()) << size;
  }
  EXPECT_FALSE(VerifyBytes(bytes_ + '\0').ok());
  EXPECT_FALSE(VerifyBytes(bytes_ + bytes_).ok());
  EXPECT_TRUE(VerifyBytes(bytes_).ok());
}

TEST_F(BackupArchiveTest, ANewerFormatIsToldApartFromAForeignFile) {
  MakeSmall(BackupCompression::kNone);
  std::string newer = bytes_;
  newer[7] = 2;
  const absl::Status status = VerifyBytes(newer);
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("newer"));
}

// Writes a backup whose parts are as a stranger would have them.
class Forger {
 public:
  explicit Forger(const std::string& path) : file_(*backup::CreateFile(AT_FDCWD, path)) {}

  backup::Header header{.time = kBackupTime,
                        .tool = "forger",
                        .kind = "sqlite",
                        .application_id = kTestApplication,
                        .schema_version = 2,
                        .content_bytes = 0,
                        .compression = BackupCompression::kZstd,
                        .encryption = {}};
  backup::Manifest manifest{
      .time = kBackupTime,
      .summary = {.application_id = kTestApplication, .schema_version = 2, .rows = {}},
      .parts = {}};

  // `write` gives what follows the manifest.
  template <typename Write>
  void Forge(const Write& write) {
    const std::string text = ToText(manifest);
    if (header.content_bytes == 0) {
      header.content_bytes = 4 + text.size() + 32;
      for (const backup::Part& part : manifest.parts) header.content_bytes += part.bytes;
    }
    auto writer = backup::ArchiveWriter::Start(file_.get(), header, "");
    ASSERT_TRUE(writer.ok());
    const backup::Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    ASSERT_TRUE(writer->Write(backup::EncodeCount(static_cast<std::uint32_t>(text.size()))).ok());
    ASSERT_TRUE(writer->Write(bytes).ok());
    ASSERT_TRUE(writer->Write(backup::HashOf(bytes)).ok());
    write(*writer);
    ASSERT_TRUE(writer->Finish().ok());
  }

 private:
  backup::Descriptor file_;
};

TEST_F(BackupArchiveTest, ABombIsStoppedBeforeItTakesTheDisk) {
  const std::string path = File("bomb");
  Forger forger(path);
  forger.manifest.parts = {{.name = "data", .bytes = std::uint64_t{2} << 30, .sha256 = {}}};
  forger.Forge([](backup::ArchiveWriter& writer) {
    const std::vector<std::uint8_t> zeros(1 << 20);
    for (int i = 0; i < 2048; ++i) ASSERT_TRUE(writer.Write(zeros).ok());
  });
  EXPECT_LT(std::filesystem::file_size(path), 1u << 20);
  const auto imported = repository_.Import(path);
  ASSERT_TRUE(imported.ok());
  std::uint64_t most = 0;
  const BackupControl control{.progress = [&](const BackupProgress& progress) {
    most = std::max(most, progress.done_bytes);
  }};
  const auto verified =
      repository_.Verify(imported->name, Target(), {.time = kBackupTime}, control);
  EXPECT_TRUE(absl::IsDataLoss(verified.status())) << verified.status();
  EXPECT_THAT(std::string(verified.status().message()), HasSubstr("swells"));
  EXPECT_LT(most, std::uint64_t{512} << 20);
}

TEST_F(BackupArchiveTest, ContentsBeyondTheCapAreRefusedUnread) {
  const std::string path = File("large");
  Forger forger(path);
  forger.header.content_bytes = std::uint64_t{1} << 60;
  forger.manifest.parts = {{.name = "data", .bytes = 1, .sha256 = {}}};
  forger.Forge([](backup::ArchiveWriter&) {});
  const auto imported = repository_.Import(path);
  const auto verified = repository_.Verify(imported->name, Target(), {.time = kBackupTime});
  EXPECT_TRUE(absl::IsResourceExhausted(verified.status())) << verified.status();
  const auto capped = repository_.Verify(
      imported->name, Target(), {.time = kBackupTime, .max_content_bytes = std::uint64_t{1} << 61});
  // Neither is there space for it.
  EXPECT_TRUE(absl::IsResourceExhausted(capped.status())) << capped.status();
}

TEST_F(BackupArchiveTest, AHeaderThatWantsTooMuchWorkForItsKeyIsRefused) {
  const std::string path = File("dear");
  {
    const backup::Descriptor file = *backup::CreateFile(AT_FDCWD, path);
    backup::Header header{
        .time = kBackupTime,
        .tool = "forger",
        .kind = "sqlite",
        .compression = BackupCompression::kNone,
        .encryption = backup::Encryption{.operations = 1'000'000,
                                         .memory_bytes = std::uint64_t{1} << 40,
                                         .salt = std::vector<std::uint8_t>(16),
                                         .stream_header = std::vector<std::uint8_t>(24)}};
    auto writer = backup::ArchiveWriter::Start(file.get(), header, "");
    ASSERT_TRUE(writer.ok() && writer->Finish().ok());
  }
  const auto imported = repository_.Import(path);
  ASSERT_TRUE(imported.ok()) << imported.status();
  const auto verified =
      repository_.Verify(imported->name, Target(), {.time = kBackupTime, .passphrase = "secret"});
  EXPECT_TRUE(absl::IsInvalidArgument(verified.status())) << verified.status();
}

TEST_F(BackupArchiveTest, APartThatIsNotWhatTheManifestSaysIsTold) {
  const std::string data(1000, 'x');
  const backup::Bytes bytes(reinterpret_cast<const std::uint8_t*>(data.data()), data.size());
  const auto verify = [&](const char* name, auto change) {
    Forger forger(File(name));
    forger.manifest.parts = {
        {.name = "data", .bytes = data.size(), .sha256 = backup::HashOf(bytes)}};
    change(forger);
    forger.Forge([&](backup::ArchiveWriter& writer) { ASSERT_TRUE(writer.Write(bytes).ok()); });
    const auto imported = repository_.Import(File(name));
    return std::string(
        repository_.Verify(imported->name, Target(), {.time = kBackupTime}).status().message());
  };
  EXPECT_THAT(verify("more", [](Forger& f) { f.manifest.parts[0].bytes -= 1; }), HasSubstr("data"));
  EXPECT_THAT(verify("less", [](Forger& f) { f.manifest.parts[0].bytes += 1; }),
              HasSubstr("too early"));
  EXPECT_THAT(verify("time", [](Forger& f) { f.header.time += std::chrono::seconds(1); }),
              HasSubstr("differ"));
  EXPECT_THAT(verify("kind", [](Forger& f) { f.header.kind = "postgresql"; }),
              HasSubstr("another kind"));
  EXPECT_THAT(verify("extra", [](Forger& f) { f.manifest.parts.push_back({.name = "../x"}); }),
              HasSubstr("manifest"));
  EXPECT_THAT(verify("twice",
                     [](Forger& f) {
                       f.manifest.parts.push_back({.name = "a"});
                       f.manifest.parts.push_back({.name = "a"});
                     }),
              HasSubstr("manifest"));
  // The forger's data, right in all but that it is no database.
  EXPECT_THAT(verify("right", [](Forger&) {}), HasSubstr("database in it"));
}

TEST(BackupName, SaysWhenInUtc) {
  EXPECT_THAT(backup::MakeName(kBackupTime), testing::StartsWith("20261122T080000Z-"));
  EXPECT_TRUE(backup::IsName(backup::MakeName(kBackupTime)));
  EXPECT_TRUE(backup::IsName(backup::MakeName(BackupTime{})));
  EXPECT_NE(backup::MakeName(kBackupTime), backup::MakeName(kBackupTime));
}

}  // namespace
}  // namespace nta
