#include "nta/log/log_reader.h"

#include "log_fixture.h"

namespace nta {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class LogReaderTest : public LogTest {
 protected:
  // 40 events over eleven files: two packed each way, the others not.
  void WriteMany() {
    auto sink = OpenSink({.keep = 100, .compression = LogCompression::kZstd});
    for (int i = 0; i < 40; ++i) {
      if (i > 0 && i % 4 == 0) {
        LogRotation rotation = sink->rotation();
        rotation.compression = i < 12   ? LogCompression::kGzip
                               : i < 24 ? LogCompression::kZstd
                                        : LogCompression::kNone;
        ASSERT_TRUE(sink->SetRotation(rotation).ok());
        ASSERT_TRUE(sink->RotateNow().ok());
      }
      LogEvent event = Event(std::to_string(i), i % 10 == 0 ? LogLevel::kError : LogLevel::kInfo,
                             i % 2 == 0 ? "store" : "store.writer");
      event.fields = {{"Parity", i % 2 == 0 ? "even" : "odd"}};
      ASSERT_TRUE(sink->Write(event).ok());
    }
  }
  static std::vector<std::string> Numbers(int first, int last) {
    std::vector<std::string> numbers;
    for (int i = first; first <= last ? i <= last : i >= last; i += first <= last ? 1 : -1) {
      numbers.push_back(std::to_string(i));
    }
    return numbers;
  }
};

TEST_F(LogReaderTest, PagesGoThroughAllFilesWhateverTheirSize) {
  WriteMany();
  for (std::size_t limit = 1; limit <= 41; ++limit) {
    EXPECT_EQ(Messages({.limit = limit}), Numbers(39, 0)) << limit;
    EXPECT_EQ(Messages({.order = LogOrder::kOldestFirst, .limit = limit}), Numbers(0, 39)) << limit;
  }
}

TEST_F(LogReaderTest, FiltersByTimeLevelComponentAndText) {
  WriteMany();
  const Timestamp start{std::chrono::seconds(1'800'000'001)};
  EXPECT_EQ(Messages({.since = start + std::chrono::seconds(10),
                      .until = start + std::chrono::seconds(20)}),
            Numbers(19, 10));
  EXPECT_THAT(Messages({.min_level = LogLevel::kError}), ElementsAre("30", "20", "10", "0"));
  EXPECT_EQ(Messages({.component = "store"}).size(), 40u);
  EXPECT_EQ(Messages({.component = "store.writer"}).size(), 20u);
  EXPECT_THAT(Messages({.component = "sto"}), IsEmpty());
  EXPECT_EQ(Messages({.text = "pARITY\":\"EVEN"}).size(), 20u);
  EXPECT_THAT(Messages({.text = "message\":\"17\""}), ElementsAre("17"));
}

TEST_F(LogReaderTest, APageStaysWhereItIsWhileTheLogGoesOn) {
  WriteMany();
  LogQuery query{.limit = 15};
  auto page = ReadLog(path(), query);
  ASSERT_TRUE(page.ok());
  auto sink = OpenSink({.keep = 100});
  ASSERT_TRUE(sink->Write(Event("new")).ok());
  ASSERT_TRUE(sink->RotateNow().ok());
  query.cursor = page->next_cursor;
  page = ReadLog(path(), query);
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->events.front().message, "24");
  EXPECT_EQ(page->events.back().message, "10");
}

TEST_F(LogReaderTest, EndsAPageWhenItHasReadEnough) {
  WriteMany();
  const auto page = ReadLog(path(), {.text = "nowhere", .max_scan_bytes = 1000});
  ASSERT_TRUE(page.ok());
  EXPECT_THAT(page->events, IsEmpty());
  EXPECT_FALSE(page->next_cursor.empty());
  EXPECT_THAT(Messages({.text = "nowhere", .max_scan_bytes = 1000}), IsEmpty());
  EXPECT_THAT(Messages({.text = ":\"17\"", .max_scan_bytes = 1000}), ElementsAre("17"));
}

TEST_F(LogReaderTest, PassesOverWhatItCannotRead) {
  WriteMany();
  std::ofstream(path(), std::ios::app) << "who wrote this?\n"
                                       << std::string(2'000'000, 'x') << "\n\n";
  std::ofstream(directory_ + "/server.log.000002.gz") << "no gzip";
  std::ofstream(directory_ + "/server.log.other") << "another file\n";
  auto sink = OpenSink({.keep = 100});
  ASSERT_TRUE(sink->Write(Event("last")).ok());
  std::ofstream(path(), std::ios::app) << R"({"time":"half a li)";
  const auto page = ReadLog(path(), {});
  ASSERT_TRUE(page.ok());
  EXPECT_EQ(page->events.front().message, "last");
  EXPECT_EQ(page->events.size(), 37u);
  EXPECT_EQ(page->unreadable, 3u);
}

TEST_F(LogReaderTest, AFileThatIsNoLogIsSaidToBeNone) {
  std::string capture("\xd4\xc3\xb2\xa1\x02\x00\x04\x00", 8);
  for (int i = 0; i < 100; ++i) capture += std::string("\x00\x01\n{\"\xff\n", 8);
  for (const std::string& foreign :
       {capture, std::string("Dear all,\n"), std::string(1'000'000, '\0')}) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << foreign;
    for (const LogOrder order : {LogOrder::kNewestFirst, LogOrder::kOldestFirst}) {
      const absl::Status refused = ReadLog(path(), {.order = order}).status();
      EXPECT_TRUE(absl::IsInvalidArgument(refused)) << refused;
      EXPECT_THAT(std::string(refused.message()), testing::HasSubstr("server.log\" is no log"));
    }
  }
  const absl::Status directory = ReadLog(directory_, {}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(directory)) << directory;
  EXPECT_THAT(std::string(directory.message()), testing::HasSubstr("not a regular file"));
  // Nothing yet, and a line that is being written, are no fault.
  for (const char* young : {"", R"({"time":"2027-01)"}) {
    std::ofstream(path(), std::ios::trunc) << young;
    EXPECT_TRUE(ReadLog(path(), {}).ok());
  }
}

TEST_F(LogReaderTest, ListsAndCopiesTheFilesUnpacked) {
  WriteMany();
  const auto files = ListLogFiles(path());
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 10u);
  EXPECT_EQ(files->front().name, "server.log.000001.gz");
  EXPECT_EQ(files->back().name, "server.log");
  EXPECT_EQ(files->back().number, 10u);
  std::size_t lines = 0;
  ASSERT_TRUE(CopyLog(path(), [&](const std::string& line) {
                EXPECT_THAT(line,
                            testing::HasSubstr("\"message\":\"" + std::to_string(lines) + '"'));
                ++lines;
                return absl::OkStatus();
              }).ok());
  EXPECT_EQ(lines, 40u);
}

TEST_F(LogReaderTest, RefusesWrongQueries) {
  EXPECT_TRUE(absl::IsNotFound(ReadLog(path(), {}).status()));
  WriteMany();
  EXPECT_TRUE(absl::IsInvalidArgument(ReadLog(path(), {.limit = 0}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(ReadLog(path(), {.limit = 10'001}).status()));
  for (const char* cursor : {"x", "1", "1-", "-1", "1-2-3", "99999999999999999999-1"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ReadLog(path(), {.cursor = cursor}).status())) << cursor;
  }
}

}  // namespace
}  // namespace nta
