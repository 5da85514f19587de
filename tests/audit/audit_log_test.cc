#include "nta/audit/audit_log.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <thread>

#include "audit_fixture.h"

namespace nta {
namespace {

using testing::HasSubstr;

class AuditLogTest : public AuditTest {
 protected:
  std::vector<AuditRecord> All() {
    std::vector<AuditRecord> records;
    EXPECT_TRUE(ExportAudit(directory_, {}, [&](const AuditRecord& record) {
                  records.push_back(record);
                  return absl::OkStatus();
                }).ok());
    return records;
  }
};

TEST_F(AuditLogTest, KeepsWhatIsAppendedOverRestarts) {
  std::vector<AuditEvent> events;
  for (int round = 0; round < 3; ++round) {
    auto log = Open();
    for (int i = 0; i < 5; ++i) {
      events.push_back(Event(i));
      ASSERT_TRUE(log->Append(events.back()).ok());
    }
  }
  const std::vector<AuditRecord> records = All();
  ASSERT_EQ(records.size(), 16u);
  EXPECT_EQ(records[0].event.act, kAuditSegmentAct);
  for (std::size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(records[i + 1].sequence, i + 2);
    EXPECT_EQ(records[i + 1].event, events[i]);
  }
  const AuditReport report = Verify();
  EXPECT_TRUE(report.ok()) << report.summary;
  EXPECT_EQ(report.records, 16u);
  EXPECT_EQ(report.authenticity, AuditAuthenticity::kProven);
  EXPECT_EQ(report.completeness, AuditCompleteness::kComplete);
}

TEST_F(AuditLogTest, TextsAreSpelledOutBoundedAndInOrder) {
  auto log = Open();
  AuditEvent event = Event(0);
  event.actor = std::string(1000, 'a');
  event.target = "x\ny\x1b[31m\xff\xE2\x80\xAE";
  event.details = {{"z", "1"}, {"a", "2"}, {"z", "3"}, {"", "4"}};
  for (int i = 0; i < 30; ++i) event.details.emplace_back("n" + std::to_string(10 + i), "v");
  ASSERT_TRUE(log->Append(event).ok());
  const AuditRecord record = All().back();
  EXPECT_LE(record.event.actor.size(), 128u);
  EXPECT_THAT(record.event.actor, HasSubstr("more bytes]"));
  EXPECT_EQ(record.event.target, "x\\x0ay\\x1b[31m\\xff\\u{202e}");
  ASSERT_EQ(record.event.details.size(), 16u);
  EXPECT_EQ(record.event.details[0], (std::pair<std::string, std::string>("a", "2")));
  EXPECT_TRUE(Verify().ok());
}

// 256 byte values in every text of a record: stored clean, and verified.
TEST_F(AuditLogTest, NoByteOfAnybodyBreaksARecord) {
  auto log = Open();
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text = "a" + std::string(1, static_cast<char>(byte)) + "b";
    AuditEvent event = Event(byte);
    event.actor = event.role = event.address = event.act = event.target = text;
    event.details = {{text, text}};
    ASSERT_TRUE(log->Append(event).ok());
  }
  EXPECT_TRUE(Verify().ok());
  for (const AuditRecord& record : All()) {
    std::string texts = record.event.actor + record.event.role + record.event.address +
                        record.event.act + record.event.target;
    for (const auto& [name, value] : record.event.details) texts += name + value;
    for (const char c : texts) {
      ASSERT_TRUE(c >= 0x20 && c < 0x7F);
    }
  }
}

TEST_F(AuditLogTest, RotationCarriesTheChain) {
  auto log = Open(4096);
  Append(*log, 100);
  ASSERT_TRUE(log->Rotate(Now()).ok());
  Append(*log, 1);
  const AuditReport report = Verify({log->Checkpoint(Now())});
  EXPECT_TRUE(report.ok()) << report.summary;
  EXPECT_GT(report.files, 5u);
  EXPECT_EQ(report.records, 101 + report.files);
  EXPECT_EQ(report.checkpoint_count, report.records);
  for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
    EXPECT_LE(entry.file_size(), 4096u);
    struct stat info {};
    ASSERT_EQ(stat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u) << entry.path();
  }
}

TEST_F(AuditLogTest, OldFilesMayBeMovedAway) {
  auto log = Open(4096);
  Append(*log, 100);
  std::filesystem::remove(SegmentPath(1));
  std::filesystem::remove(SegmentPath(2));
  const AuditReport report = Verify();
  EXPECT_TRUE(report.ok()) << report.summary;
  EXPECT_GT(report.first_sequence, 20u);
  EXPECT_EQ(report.authenticity, AuditAuthenticity::kProven);
  EXPECT_THAT(report.summary, HasSubstr("are not here"));
}

TEST_F(AuditLogTest, HasOneWriter) {
  auto log = Open();
  const auto second = AuditLog::Open({.directory = directory_}, Now());
  EXPECT_TRUE(absl::IsUnavailable(second.status())) << second.status();
}

TEST_F(AuditLogTest, ManyThreadsAppendWithoutMixing) {
  auto log = Open(8192);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 50; ++i) {
        AuditEvent event;
        event.actor = std::to_string(t);
        event.target = std::to_string(i);
        EXPECT_TRUE(log->Append(event).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(Verify().ok());
  std::map<std::string, int> next;
  for (const AuditRecord& record : All()) {
    if (record.event.act == kAuditSegmentAct) continue;
    EXPECT_EQ(record.event.target, std::to_string(next[record.event.actor]++));
  }
  for (int t = 0; t < 4; ++t) EXPECT_EQ(next[std::to_string(t)], 50);
}

TEST_F(AuditLogTest, ATornRecordIsRemovedAndToldOf) {
  auto log = Open();
  Append(*log, 3);
  log.reset();
  const std::string file = Read(SegmentPath(1));
  // Part of a record, zeros as a file system may leave after a power cut, noise.
  for (const std::string& tail : {file.substr(Starts(file)[2], 50), std::string(700, '\0'),
                                  std::string("noise"), std::string(1, '\x70')}) {
    Write(SegmentPath(1), Read(SegmentPath(1)) + tail);
    EXPECT_FALSE(Verify().ok());
    log = Open();
    EXPECT_EQ(All().back().event.act, kAuditRecoverAct);
    EXPECT_EQ(All().back().event.details.at(0).second, std::to_string(tail.size()));
    EXPECT_TRUE(Verify().ok()) << Verify().summary;
    EXPECT_EQ(log->State().damage, "");
    log.reset();
  }
}

TEST_F(AuditLogTest, AFullDiskRefusesTheRecordAndLeavesTheTrailGood) {
  auto log = Open();
  Append(*log, 3);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit full = before;
  full.rlim_cur = std::filesystem::file_size(SegmentPath(1)) + 50;
  setrlimit(RLIMIT_FSIZE, &full);
  EXPECT_FALSE(log->Append(Event(0)).ok());
  EXPECT_FALSE(log->Append(Event(0)).ok());
  EXPECT_FALSE(log->State().health.ok());
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_TRUE(Verify().ok()) << Verify().summary;
  ASSERT_TRUE(log->Append(Event(0)).ok());
  EXPECT_TRUE(log->State().health.ok());
  EXPECT_EQ(All().size(), 5u);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(AuditLogTest, ATrailThatLostItsEndGoesOnAndTheGapShows) {
  auto log = Open();
  Append(*log, 10);
  log.reset();
  const std::string file = Read(SegmentPath(1));
  Write(SegmentPath(1), file.substr(0, Starts(file)[7]));
  log = Open();
  ASSERT_NE(log, nullptr);
  EXPECT_THAT(log->State().damage, HasSubstr("does not hold record 11"));
  Append(*log, 3);
  const AuditReport report = Verify();
  EXPECT_EQ(report.integrity, AuditIntegrity::kDamaged);
  EXPECT_EQ(report.completeness, AuditCompleteness::kIncomplete);
  ASSERT_EQ(report.faults.size(), 1u);
  EXPECT_EQ(report.faults[0].sequence, 8u);
  EXPECT_THAT(report.faults[0].reason, HasSubstr("records 8 to 11 are missing"));
  EXPECT_EQ(report.last_sequence, 15u);
  // The old end is left as it was found.
  EXPECT_EQ(Read(SegmentPath(1)), file.substr(0, Starts(file)[7]));
}

TEST_F(AuditLogTest, AllFilesGoneIsNotANewBeginning) {
  auto log = Open();
  Append(*log, 10);
  log.reset();
  std::filesystem::remove(SegmentPath(1));
  EXPECT_EQ(Verify().completeness, AuditCompleteness::kIncomplete);
  log = Open();
  EXPECT_EQ(log->State().count, 12u);
  EXPECT_THAT(log->State().damage, HasSubstr("gone"));
}

TEST_F(AuditLogTest, WithoutItsKeyATrailIsNotGoneOnWith) {
  auto log = Open();
  Append(*log, 3);
  const std::string chain = log->State().chain;
  log.reset();
  std::filesystem::remove(directory_ + "/audit.key");
  const AuditLogOptions options{.directory = directory_, .verification_key_path = key_};
  EXPECT_TRUE(absl::IsFailedPrecondition(AuditLog::Open(options, Now()).status()));
  AuditLogOptions anew = options;
  anew.lost_key = LostAuditKey::kStartNewChain;
  const auto fresh = AuditLog::Open(anew, Now());
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_NE((*fresh)->State().chain, chain);
  EXPECT_TRUE(Verify().ok());
  // The old one is whole, and its key was put aside.
  const auto old = VerifyAudit(directory_ + "/chain-" + chain.substr(0, 8),
                               {.verification_key_path = key_ + "." + chain.substr(0, 8)});
  ASSERT_TRUE(old.ok()) << old.status();
  EXPECT_EQ(old->authenticity, AuditAuthenticity::kProven);
  EXPECT_EQ(old->records, 4u);
}

TEST_F(AuditLogTest, TakesNoKeyThatOthersMayRead) {
  Open();
  ASSERT_EQ(chmod((directory_ + "/audit.key").c_str(), 0640), 0);
  const auto log = AuditLog::Open({.directory = directory_}, Now());
  EXPECT_TRUE(absl::IsFailedPrecondition(log.status()));
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("chmod 600"));
}

TEST_F(AuditLogTest, RefusesWrongOptions) {
  EXPECT_TRUE(absl::IsInvalidArgument(AuditLog::Open({}, Now()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      AuditLog::Open({.directory = directory_, .max_segment_bytes = 5}, Now()).status()));
  EXPECT_TRUE(absl::IsNotFound(AuditLog::Open({.directory = base_ + "/a/b"}, Now()).status()));
  // A file that holds something else is not overwritten by a key.
  Write(key_, "precious");
  EXPECT_FALSE(
      AuditLog::Open({.directory = directory_, .verification_key_path = key_}, Now()).ok());
  EXPECT_EQ(Read(key_), "precious");
}

// Killed anywhere, within records and within rotations; 100 times with NTA_KILLS=100.
TEST_F(AuditLogTest, AKilledWriterLosesNoRecordThatWasAcknowledged) {
  const char* wanted = getenv("NTA_KILLS");
  const int kills = wanted != nullptr ? atoi(wanted) : 10;
  std::uint64_t acknowledged = 0;
  for (int round = 0; round < kills; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
      auto log = AuditLog::Open(
          {.directory = directory_, .verification_key_path = key_, .max_segment_bytes = 4096},
          Now());
      if (!log.ok()) _exit(1);
      for (int i = 0;; ++i) {
        const auto sequence = (*log)->Append(Event(i));
        if (!sequence.ok() || write(ends[1], &*sequence, 8) != 8) _exit(1);
      }
    }
    close(ends[1]);
    for (int i = 0; i < 20 + round % 17; ++i) {
      ASSERT_EQ(read(ends[0], &acknowledged, 8), 8);
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status));
    while (read(ends[0], &acknowledged, 8) == 8) {
    }
    close(ends[0]);
    auto log = Open(4096);
    ASSERT_NE(log, nullptr);
    EXPECT_EQ(log->State().damage, "");
    const AuditReport report = Verify();
    ASSERT_TRUE(report.ok()) << report.summary;
    ASSERT_GE(report.records, acknowledged);
    // One record more at the most, and the first of a file, and what the recovery says.
    ASSERT_LE(report.records, acknowledged + 3);
  }
}

}  // namespace
}  // namespace nta
