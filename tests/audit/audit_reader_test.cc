#include "nta/audit/audit_reader.h"

#include "audit_fixture.h"

namespace nta {
namespace {

class AuditReaderTest : public AuditTest {
 protected:
  void MakeTrail() {
    auto log = Open(4096);
    Append(*log, 60);
  }
  std::vector<AuditRecord> All(AuditQuery query) {
    std::vector<AuditRecord> records;
    while (true) {
      auto page = ReadAudit(directory_, query);
      EXPECT_TRUE(page.ok()) << page.status();
      if (!page.ok()) return records;
      EXPECT_LE(page->records.size(), query.limit);
      for (AuditRecord& record : page->records) records.push_back(std::move(record));
      if (page->next_cursor.empty()) return records;
      query.cursor = page->next_cursor;
    }
  }
};

TEST_F(AuditReaderTest, PagesFromTheNewestThroughAllFiles) {
  MakeTrail();
  const std::size_t count = All({.limit = 10'000}).size();
  EXPECT_GT(count, 62u);
  for (const std::size_t limit : {1u, 2u, 7u, 63u}) {
    const std::vector<AuditRecord> records = All({.limit = limit});
    ASSERT_EQ(records.size(), count);
    for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(records[i].sequence, count - i);
  }
}

TEST_F(AuditReaderTest, FiltersByTimeActorActOutcomeAndText) {
  MakeTrail();
  EXPECT_EQ(All({.actor = "alice"}).size(), 20u);
  EXPECT_EQ(All({.actor = "ali"}).size(), 0u);
  EXPECT_EQ(All({.act = "user"}).size(), 30u);
  EXPECT_EQ(All({.act = "user.create"}).size(), 30u);
  EXPECT_EQ(All({.act = "use"}).size(), 0u);
  EXPECT_EQ(All({.actor = "alice", .act = "user", .outcome = AuditOutcome::kBegun}).size(), 5u);
  EXPECT_EQ(All({.text = "TARGET-17"}).size(), 1u);
  EXPECT_EQ(All({.text = "192.0.2.5"}).size(), 11u);
  const std::vector<AuditRecord> all = All({.actor = "bob"});
  const Timestamp middle = all[20].event.time;
  EXPECT_EQ(All({.since = middle, .actor = "bob"}).size(), 21u);
  EXPECT_EQ(All({.until = middle, .actor = "bob"}).size(), 19u);
}

TEST_F(AuditReaderTest, ExportsOldestFirst) {
  MakeTrail();
  std::uint64_t last = 0;
  ASSERT_TRUE(ExportAudit(directory_, {.act = "user"}, [&](const AuditRecord& record) {
                EXPECT_GT(record.sequence, last);
                last = record.sequence;
                return absl::OkStatus();
              }).ok());
  EXPECT_GT(last, 0u);
  const absl::Status stopped = ExportAudit(
      directory_, {}, [](const AuditRecord&) { return absl::CancelledError("enough"); });
  EXPECT_EQ(stopped.code(), absl::StatusCode::kCancelled);
}

TEST_F(AuditReaderTest, ReadsAroundDamage) {
  MakeTrail();
  const std::size_t count = All({.limit = 10'000}).size();
  std::string file = Read(SegmentPath(2));
  const std::vector<std::size_t> starts = Starts(file);
  file[starts[3] + 4] = 99;
  Write(SegmentPath(2), file);
  const auto page = ReadAudit(directory_, {.limit = 10'000});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->unreadable, 1u);
  EXPECT_EQ(page->records.size(), count - 4);
  EXPECT_TRUE(absl::IsDataLoss(
      ExportAudit(directory_, {}, [](const AuditRecord&) { return absl::OkStatus(); })));
}

TEST_F(AuditReaderTest, ReadsWhileARecordIsBeingWritten) {
  auto log = Open();
  Append(*log, 5);
  const std::string file = Read(SegmentPath(1));
  Write(SegmentPath(1), file + file.substr(Starts(file)[1], 60));
  const auto page = ReadAudit(directory_, {});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->records.size(), 6u);
  EXPECT_EQ(page->unreadable, 0u);
}

TEST_F(AuditReaderTest, RefusesWrongQueries) {
  EXPECT_TRUE(absl::IsNotFound(ReadAudit(directory_, {}).status()));
  MakeTrail();
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAudit(directory_, {.limit = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadAudit(directory_, {.limit = 10'001}).status()));
  for (const char* cursor : {"x", "1", "-", "1-x", "1-2-3"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadAudit(directory_, {.cursor = cursor}).status()));
  }
}

}  // namespace
}  // namespace nta
