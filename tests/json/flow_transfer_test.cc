#include "nta/json/flow_transfer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "nta/json/json.h"
#include "store/store_fixture.h"

namespace nta {
namespace {

using ::testing::HasSubstr;

class FlowTransfer : public StoreTest {
 protected:
  static std::unique_ptr<Store> Empty() { return *Store::Open({.path = ":memory:"}); }

  static std::string Export(const Store& store, const ExportOptions& options) {
    std::string text;
    const auto count = ExportFlows(store, options, [&](std::string_view piece) {
      text += piece;
      return absl::OkStatus();
    });
    EXPECT_TRUE(count.ok()) << count.status();
    return text;
  }

  // In pieces of seven bytes.
  static absl::StatusOr<ImportReport> Import(Store& store, ImportOptions options,
                                             std::string_view text) {
    return ImportFlows(store, options, [&]() -> absl::StatusOr<std::string> {
      const std::string piece(text.substr(0, 7));
      text.remove_prefix(piece.size());
      return piece;
    });
  }
};

TEST_F(FlowTransfer, ExportsAndImportsTheSameFlowsInBothFormats) {
  const auto from = OpenStore();
  ASSERT_TRUE(from->Write(RandomFlows(31).Take(700), {}).ok());
  for (const TransferFormat format : {TransferFormat::kCsv, TransferFormat::kJsonLines}) {
    const std::string text = Export(*from, {.format = format});
    const auto to = Empty();
    const auto report = Import(*to, {.format = format}, text);
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->wrong_lines, 0u) << report->errors.at(0).message;
    EXPECT_EQ(report->lines, 700u);
    EXPECT_EQ(report->flows, 700u);
    EXPECT_EQ(Export(*to, {.format = format}), text);
    EXPECT_EQ(to->Top({})->total, from->Top({})->total);
  }
}

TEST_F(FlowTransfer, ExportsWhatTheFilterAndTheIntervalSelect) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(32).Take(300), {}).ok());
  ExportOptions options{.interval = {At(std::chrono::minutes(10)), At(std::chrono::minutes(30))},
                        .where = *FlowFilter::Parse("proto=udp"),
                        .format = TransferFormat::kJsonLines};
  const std::string text = Export(*store, options);
  const auto page = store->Flows({.interval = options.interval,
                                  .filter = options.where,
                                  .order = FlowOrder::kOldestFirst,
                                  .limit = 1'000});
  std::string expected;
  for (const StoredFlow& stored : page->flows) expected += ToJson(stored.flow) + "\n";
  EXPECT_FALSE(expected.empty());
  EXPECT_EQ(text, expected);
}

TEST_F(FlowTransfer, StoresNothingWhenALineIsWrongAndNamesEachOfThem) {
  const auto from = OpenStore();
  ASSERT_TRUE(from->Write(RandomFlows(33).Take(50), {}).ok());
  std::string text = Export(*from, {.format = TransferFormat::kJsonLines});
  text = "{\"cats\":1}\n\n" + text + "not JSON\n";
  const auto to = Empty();
  auto report = Import(*to, {.format = TransferFormat::kJsonLines}, text);
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(report->flows, 0u);
  EXPECT_EQ(report->lines, 52u);
  EXPECT_EQ(report->wrong_lines, 2u);
  EXPECT_EQ(report->errors.at(0).line, 1u);
  EXPECT_EQ(report->errors.at(1).line, 53u);
  EXPECT_THAT(report->errors.at(1).message, HasSubstr("not JSON"));
  EXPECT_EQ(to->Size()->flows, 0u);
  report = Import(*to, {.format = TransferFormat::kJsonLines, .skip_wrong_lines = true}, text);
  EXPECT_EQ(report->flows, 50u);
  EXPECT_EQ(report->wrong_lines, 2u);
  EXPECT_EQ(to->Size()->flows, 50u);
}

TEST_F(FlowTransfer, LeavesNothingBehindWhenItIsStoppedOrItsSourceFails) {
  const auto from = OpenStore();
  ASSERT_TRUE(from->Write(RandomFlows(34).Take(20'000), {}).ok());
  const std::string text = Export(*from, {.format = TransferFormat::kCsv});
  const auto to = Empty();
  std::stop_source stop;
  ImportOptions options{.bytes = text.size()};
  options.stop = stop.get_token();
  options.progress = [&](double progress) {
    EXPECT_GT(progress, 0.0);
    stop.request_stop();
  };
  EXPECT_EQ(Import(*to, options, text).status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(to->Size()->flows, 0u);
  bool first = true;
  const auto broken = ImportFlows(*to, {}, [&]() -> absl::StatusOr<std::string> {
    if (!std::exchange(first, false)) return absl::UnavailableError("the disk is gone");
    return text.substr(0, text.size() / 2);
  });
  EXPECT_EQ(broken.status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(to->Size()->flows, 0u);
  EXPECT_EQ(Import(*to, {}, "cats\n1\n").status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(FlowTransfer, WritesAFileWhenItIsCompleteAndNeverOneOfTheStore) {
  const std::string path = directory_.File("own.db");
  const auto store = *Store::Open({.path = path});
  ASSERT_TRUE(store->Write(RandomFlows(33).Take(100), {}).ok());
  const std::string csv = directory_.File("flows.csv");
  EXPECT_EQ(*ExportFlowsToFile(*store, {}, csv), 100u);
  std::ifstream written(csv);
  const std::string text{std::istreambuf_iterator<char>(written), {}};
  EXPECT_EQ(text, Export(*store, {}));
  const std::string link = directory_.File("link.csv");
  std::filesystem::create_symlink(path, link);
  for (const std::string& own : {path, path + "-wal", path + "-reserve", link}) {
    EXPECT_TRUE(store->Owns(own)) << own;
    const auto refused = ExportFlowsToFile(*store, {}, own);
    EXPECT_TRUE(absl::IsInvalidArgument(refused.status())) << own << refused.status();
  }
  EXPECT_FALSE(store->Owns(csv));
  EXPECT_EQ(store->Size()->flows, 100u);
  EXPECT_TRUE(absl::IsNotFound(
      ExportFlowsToFile(*store, {}, directory_.File("missing/flows.csv")).status()));
  // What is begun is not left behind.
  std::stop_source stop;
  stop.request_stop();
  EXPECT_TRUE(absl::IsCancelled(
      ExportFlowsToFile(*store, {}, directory_.File("more.csv"), {.stop = stop.get_token()})
          .status()));
  for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
    EXPECT_EQ(entry.path().string().find("more.csv"), std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace nta
