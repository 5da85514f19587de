#include "nta/audit/audit_verify.h"

#include "audit_fixture.h"

namespace nta {
namespace {

using testing::HasSubstr;

using AuditVerifyTest = AuditTest;

TEST_F(AuditVerifyTest, SaysInWordsWhatItFound) {
  auto log = Open();
  Append(*log, 5);
  const AuditCheckpoint checkpoint = log->Checkpoint(Now());
  EXPECT_EQ(Verify({checkpoint}).summary,
            "6 records in 1 file as they were written; every seal fits the verification key; none "
            "was cut off (checkpoint at record 6)");
  const auto blind = VerifyAudit(directory_, {});
  EXPECT_THAT(blind->summary, HasSubstr("seals not checked"));
  EXPECT_EQ(blind->authenticity, AuditAuthenticity::kNotProven);
  EXPECT_TRUE(blind->ok());
}

TEST_F(AuditVerifyTest, FindsTheKeyInTheDirectory) {
  auto log = AuditLog::Open({.directory = directory_}, Now());
  ASSERT_TRUE(log.ok());
  EXPECT_EQ(VerifyAudit(directory_, {})->authenticity, AuditAuthenticity::kProven);
}

TEST_F(AuditVerifyTest, TakesNoNoticeOfWhatFollowsTheCountAskedFor) {
  auto log = Open(4096);
  Append(*log, 60);
  const AuditLogState state = log->State();
  std::ofstream(SegmentPath(static_cast<int>(state.segment)), std::ios::app) << "being written";
  EXPECT_FALSE(Verify().ok());
  const auto report =
      VerifyAudit(directory_, {.verification_key_path = key_, .count = state.count});
  EXPECT_TRUE(report->ok()) << report->summary;
  EXPECT_EQ(report->records, state.count);
  EXPECT_EQ(VerifyAudit(directory_, {.count = 10})->records, 10u);
}

TEST_F(AuditVerifyTest, NamesWhatItCannotUse) {
  EXPECT_TRUE(absl::IsNotFound(VerifyAudit(base_ + "/none", {}).status()));
  EXPECT_TRUE(absl::IsNotFound(VerifyAudit(base_, {}).status()));
  auto log = Open();
  EXPECT_TRUE(absl::IsFailedPrecondition(
      VerifyAudit(directory_, {.verification_key_path = base_ + "/none"}).status()));
  for (const char* text : {"", "nta-audit-verification-key 1 chain=00 key=00\n", "x\n"}) {
    Write(base_ + "/bad.key", text);
    EXPECT_TRUE(absl::IsFailedPrecondition(
        VerifyAudit(directory_, {.verification_key_path = base_ + "/bad.key"}).status()));
  }
}

TEST_F(AuditVerifyTest, AnotherTrailsKeyDoesNotFit) {
  Open();
  std::filesystem::rename(key_, base_ + "/old.key");
  std::filesystem::rename(directory_, base_ + "/old");
  Open();
  const auto report = VerifyAudit(directory_, {.verification_key_path = base_ + "/old.key"});
  ASSERT_TRUE(report.ok());
  EXPECT_FALSE(report->ok());
}

TEST_F(AuditVerifyTest, CheckpointsGoThroughTextFilesAndSyslogLines) {
  auto log = Open();
  Append(*log, 3);
  const AuditCheckpoint checkpoint = log->Checkpoint(Now());
  const std::string line = ToString(checkpoint);
  EXPECT_EQ(*ParseAuditCheckpoint(line), checkpoint);
  EXPECT_EQ(*ParseAuditCheckpoint("<86>1 2027-01-15T08:00:00Z h nta 1 audit - " + line + "\n"),
            checkpoint);
  EXPECT_EQ(*ParseAuditCheckpoint(R"({"message":")" + line + R"("})"), checkpoint);
  for (std::size_t size = 0; size < line.size(); ++size) {
    EXPECT_FALSE(ParseAuditCheckpoint(line.substr(0, size)).ok()) << size;
  }
  const std::string path = base_ + "/checkpoints.txt";
  Write(path, "notes of mine\n");
  ASSERT_TRUE(AppendAuditCheckpoint(path, checkpoint).ok());
  Append(*log, 1);
  ASSERT_TRUE(AppendAuditCheckpoint(path, log->Checkpoint(Now())).ok());
  const auto read = ReadAuditCheckpoints(path);
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->size(), 2u);
  const AuditReport report = Verify(*read);
  EXPECT_TRUE(report.ok()) << report.summary;
  EXPECT_EQ(report.checkpoint_count, 5u);
  EXPECT_TRUE(absl::IsNotFound(ReadAuditCheckpoints(base_ + "/none").status()));
}

// Whatever stands in the files, the verifier ends and says no.
TEST_F(AuditVerifyTest, SurvivesFilesOfNoise) {
  auto log = Open();
  Append(*log, 20);
  log.reset();
  const std::string good = Read(SegmentPath(1));
  std::uint32_t state = 7;
  const auto next = [&state] { return state = state * 1664525 + 1013904223; };
  for (int round = 0; round < 2000; ++round) {
    std::string bad = good.substr(0, next() % (good.size() + 1));
    const std::size_t changes = 1 + next() % 20;
    for (std::size_t i = 0; i < changes && !bad.empty(); ++i) {
      bad[next() % bad.size()] = static_cast<char>(next() >> 24);
    }
    if (next() % 2 == 0) bad.append(next() % 100, static_cast<char>(next() >> 24));
    if (bad == good) continue;
    Write(SegmentPath(1), bad);
    ASSERT_FALSE(Verify().ok());
    const auto page = ReadAudit(directory_, {});
    ASSERT_TRUE(page.ok()) << page.status();
  }
}

}  // namespace
}  // namespace nta
