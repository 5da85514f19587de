// What somebody does to a trail, and whether it shows.
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "audit/audit_key.h"
#include "audit/chain.h"
#include "audit/record_codec.h"
#include "audit_fixture.h"

namespace nta {
namespace {

using testing::HasSubstr;

class AuditTamperTest : public AuditTest {
 protected:
  // One file of about `bytes`, closed.
  void MakeTrail(std::size_t bytes) {
    auto log = Open();
    for (int i = 0; log->State().segment_bytes < bytes; ++i) {
      ASSERT_TRUE(log->Append(Event(i)).ok());
    }
    checkpoint_ = log->Checkpoint(Now());
    log.reset();
    file_ = Read(SegmentPath(1));
    starts_ = Starts(file_);
  }

  std::string RecordBytes(std::size_t i) const {
    const std::size_t end = i + 1 < starts_.size() ? starts_[i + 1] : file_.size();
    return file_.substr(starts_[i], end - starts_[i]);
  }

  // The file put together of these records.
  void WriteRecords(const std::vector<std::size_t>& records) {
    std::string file = file_.substr(0, 8);
    for (const std::size_t i : records) file += RecordBytes(i);
    Write(SegmentPath(1), file);
  }

  std::vector<std::size_t> AllRecords() const {
    std::vector<std::size_t> all(starts_.size());
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    return all;
  }

  AuditCheckpoint checkpoint_;
  std::string file_;
  std::vector<std::size_t> starts_;
};

// Each byte of a file of 64 KiB, with NTA_FULL=1; every 16th without.
TEST_F(AuditTamperTest, EachChangedByteIsFoundInItsRecord) {
  MakeTrail(64 << 10);
  const std::size_t step = getenv("NTA_FULL") != nullptr ? 1 : 16;
  const int file = open(SegmentPath(1).c_str(), O_WRONLY);
  ASSERT_GE(file, 0);
  std::size_t found = 0;
  std::size_t tried = 0;
  for (std::size_t at = 0; at < (64u << 10); at += step, ++tried) {
    const char changed = static_cast<char>(file_[at] ^ (1 + static_cast<int>(at % 255)));
    ASSERT_EQ(pwrite(file, &changed, 1, static_cast<off_t>(at)), 1);
    const auto report = VerifyAudit(directory_, {.verification_key_path = key_});
    ASSERT_TRUE(report.ok());
    ASSERT_FALSE(report->ok()) << "byte " << at;
    ASSERT_FALSE(report->faults.empty());
    // The record that holds the byte; the mark at the front belongs to the first.
    const auto after = std::upper_bound(starts_.begin(), starts_.end(), at);
    const auto record =
        static_cast<std::uint64_t>(std::max<std::ptrdiff_t>(1, after - starts_.begin()));
    ASSERT_EQ(report->faults[0].sequence, record) << "byte " << at << ": " << report->summary;
    ++found;
    ASSERT_EQ(pwrite(file, &file_[at], 1, static_cast<off_t>(at)), 1);
  }
  close(file);
  printf("%zu of %zu changed bytes found\n", found, tried);
  EXPECT_TRUE(Verify().ok());
}

TEST_F(AuditTamperTest, EachDeletedRecordIsFound) {
  MakeTrail(16 << 10);
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    std::vector<std::size_t> records = AllRecords();
    records.erase(records.begin() + static_cast<std::ptrdiff_t>(i));
    WriteRecords(records);
    const AuditReport report = Verify({checkpoint_});
    ASSERT_FALSE(report.ok()) << i;
    ASSERT_EQ(report.faults[0].sequence, i + 1) << report.summary;
  }
}

TEST_F(AuditTamperTest, EachDoubledRecordIsFound) {
  MakeTrail(16 << 10);
  for (std::size_t i = 0; i < starts_.size(); ++i) {
    std::vector<std::size_t> records = AllRecords();
    records.insert(records.begin() + static_cast<std::ptrdiff_t>(i), i);
    WriteRecords(records);
    const AuditReport report = Verify();
    ASSERT_FALSE(report.ok()) << i;
    ASSERT_EQ(report.faults[0].sequence, i + 2) << report.summary;
  }
}

TEST_F(AuditTamperTest, EachSwapOfNeighboursIsFound) {
  MakeTrail(16 << 10);
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
    std::vector<std::size_t> records = AllRecords();
    std::swap(records[i], records[i + 1]);
    WriteRecords(records);
    const AuditReport report = Verify();
    ASSERT_FALSE(report.ok()) << i;
    ASSERT_EQ(report.faults[0].sequence, i + 1) << report.summary;
  }
}

// Cut off at every byte, with the key file gone, too: only the checkpoint knows.
TEST_F(AuditTamperTest, EachTruncationIsFoundAgainstTheCheckpoint) {
  MakeTrail(4 << 10);
  std::filesystem::rename(directory_ + "/audit.key", base_ + "/audit.key");
  for (std::size_t size = 0; size < file_.size(); ++size) {
    Write(SegmentPath(1), file_.substr(0, size));
    const AuditReport report = Verify({checkpoint_});
    ASSERT_FALSE(report.ok()) << size;
    ASSERT_EQ(report.completeness, AuditCompleteness::kIncomplete) << size;
  }
  std::filesystem::remove(SegmentPath(1));
  EXPECT_EQ(Verify({checkpoint_}).completeness, AuditCompleteness::kIncomplete);
  // Integrity and completeness are told apart: whole records cut off, and nobody to compare with.
  WriteRecords({0, 1, 2});
  const AuditReport unknown = Verify();
  EXPECT_EQ(unknown.integrity, AuditIntegrity::kIntact);
  EXPECT_EQ(unknown.completeness, AuditCompleteness::kUnknown);
  EXPECT_THAT(unknown.summary, HasSubstr("unknown without a checkpoint"));
  // The key file alone tells as well.
  std::filesystem::rename(base_ + "/audit.key", directory_ + "/audit.key");
  EXPECT_EQ(Verify().completeness, AuditCompleteness::kIncomplete);
  EXPECT_THAT(Verify().summary, HasSubstr("the key file says"));
}

// Somebody who has all that is on the machine today, the present key included, but not the
// verification key.
class Intruder {
 public:
  explicit Intruder(const std::string& directory)
      : directory_(directory), state_(*audit::ReadKeyState(directory)) {}

  // The file with record `i` changed and everything from there on hashed and sealed anew with
  // today's key; the key file fits.
  std::string Rewrite(const std::string& file, const std::vector<std::size_t>& starts,
                      std::size_t changed) {
    audit::Sha256 sha;
    audit::Digest previous{};
    std::string out = file.substr(0, 8);
    for (std::size_t i = 0; i < starts.size(); ++i) {
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(file.data()) + starts[i];
      audit::RawRecord raw;
      EXPECT_EQ(audit::ParseRecord({bytes, file.size() - starts[i]}, raw), audit::Parsed::kRecord);
      const AuditRecord record = audit::DecodeRecord(raw);
      AuditEvent event = record.event;
      if (i == changed) event.actor = "mallory";
      std::vector<std::uint8_t> body = audit::EncodeBody(raw.kind(), record.sequence, event);
      const audit::Digest digest = sha(previous, body);
      if (i < changed) {
        EXPECT_EQ(digest, raw.digest());
        audit::AppendTail(digest, raw.seal(), body);
      } else {
        audit::AppendTail(digest, state_.key.Seal(sha, digest), body);
        state_.key.Advance(sha);
      }
      previous = digest;
      out.append(reinterpret_cast<const char*>(body.data()), body.size());
    }
    state_.head = previous;
    state_.count = starts.size();
    return out;
  }
  void SaveKey() {
    auto key_file = audit::KeyFile::Open(directory_);
    ASSERT_TRUE(key_file.ok());
    // Both slots.
    ASSERT_TRUE(key_file->Save(state_).ok());
  }

 private:
  const std::string directory_;
  audit::KeyState state_;
};

TEST_F(AuditTamperTest, SealingAnewWithTodaysKeyIsFound) {
  MakeTrail(16 << 10);
  const std::string keys = Read(directory_ + "/audit.key");
  for (std::size_t changed = 0; changed < starts_.size(); ++changed) {
    Write(directory_ + "/audit.key", keys);
    Intruder intruder(directory_);
    Write(SegmentPath(1), intruder.Rewrite(file_, starts_, changed));
    intruder.SaveKey();
    const AuditReport report = Verify();
    ASSERT_EQ(report.authenticity, AuditAuthenticity::kForged) << changed;
    ASSERT_EQ(report.faults[0].sequence, changed + 1) << report.summary;
    // Without the verification key the hashes fit; a checkpoint still tells.
    const auto blind = VerifyAudit(directory_, {});
    ASSERT_EQ(blind->integrity, AuditIntegrity::kIntact);
    ASSERT_EQ(blind->authenticity, AuditAuthenticity::kNotProven);
    ASSERT_FALSE(VerifyAudit(directory_, {.checkpoints = {checkpoint_}})->ok());
  }
}

TEST_F(AuditTamperTest, AKeyFileMadeToFitATruncatedTrailIsFound) {
  MakeTrail(8 << 10);
  WriteRecords({0, 1, 2, 3, 4});
  audit::KeyState state = *audit::ReadKeyState(directory_);
  audit::RawRecord raw;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(file_.data()) + starts_[4];
  ASSERT_EQ(audit::ParseRecord({bytes, file_.size() - starts_[4]}, raw), audit::Parsed::kRecord);
  state.count = 5;
  state.head = raw.digest();
  Write(directory_ + "/audit.key", std::string(512, '\0'));
  ASSERT_TRUE(audit::KeyFile::Open(directory_)->Save(state).ok());
  EXPECT_FALSE(Verify().ok()) << Verify().summary;
}

// What cannot be found: all of it set back to an older copy, key file included, and no checkpoint
// that is newer. docs/logs_and_audit.md says so.
TEST_F(AuditTamperTest, SettingAllBackToAnOlderCopyShowsOnlyAgainstANewerCheckpoint) {
  auto log = Open();
  Append(*log, 10);
  const AuditCheckpoint older = log->Checkpoint(Now());
  log.reset();
  std::filesystem::copy(directory_, base_ + "/copy");
  log = Open();
  Append(*log, 10);
  const AuditCheckpoint newer = log->Checkpoint(Now());
  log.reset();
  std::filesystem::remove_all(directory_);
  std::filesystem::copy(base_ + "/copy", directory_);
  EXPECT_TRUE(Verify({older}).ok());
  EXPECT_EQ(Verify({older, newer}).completeness, AuditCompleteness::kIncomplete);
}

TEST_F(AuditTamperTest, TheSealOfACheckpointIsChecked) {
  MakeTrail(8 << 10);
  EXPECT_TRUE(Verify({checkpoint_}).ok());
  AuditCheckpoint forged = checkpoint_;
  forged.time += std::chrono::hours(1);
  EXPECT_FALSE(Verify({forged}).ok());
  forged = checkpoint_;
  forged.chain[0] = forged.chain[0] == 'a' ? 'b' : 'a';
  EXPECT_FALSE(Verify({forged}).ok());
}

TEST_F(AuditTamperTest, FilesThatWereRenamedLostOrMixedUpAreFound) {
  auto log = Open(4096);
  Append(*log, 60);
  log.reset();
  ASSERT_TRUE(Verify().ok());
  const std::string second = Read(SegmentPath(2));
  std::filesystem::remove(SegmentPath(2));
  AuditReport report = Verify();
  EXPECT_EQ(report.completeness, AuditCompleteness::kIncomplete);
  EXPECT_THAT(report.faults[0].reason, HasSubstr("are missing before this file"));
  Write(SegmentPath(2), Read(SegmentPath(3)));
  EXPECT_THAT(Verify().summary, HasSubstr("another name"));
  Write(SegmentPath(2), "");
  EXPECT_THAT(Verify().summary, HasSubstr("empty"));
  Write(SegmentPath(2), "SQLite format 3");
  EXPECT_THAT(Verify().summary, HasSubstr("does not begin as"));
  // A file of another trail.
  std::filesystem::rename(directory_, base_ + "/first");
  std::filesystem::rename(key_, base_ + "/first.key");
  log = Open(4096);
  Append(*log, 60);
  log.reset();
  std::filesystem::copy_file(SegmentPath(2), base_ + "/first/audit.000002.log",
                             std::filesystem::copy_options::overwrite_existing);
  const auto mixed = VerifyAudit(base_ + "/first", {.verification_key_path = base_ + "/first.key"});
  EXPECT_THAT(mixed->summary, HasSubstr("another trail"));
}

}  // namespace
}  // namespace nta
