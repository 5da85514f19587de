// A damaged store: put aside, and what can be read of it saved.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include "store/store_fixture.h"

namespace nta {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kPageBytes = 4'096;

class StoreSalvage : public StoreTest {
 protected:
  static std::string Contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::ostringstream contents;
    contents << file.rdbuf();
    return contents.str();
  }
  void Put(const std::string& contents) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      std::filesystem::remove(entry.path());
    }
    std::ofstream(path(), std::ios::binary) << contents;
  }
  StoreOptions Options() const {
    return {.path = path(), .flows_per_block = kFlowsPerBlock, .reserve_bytes = 0};
  }
};

TEST_F(StoreSalvage, LeavesAGoodStoreAlone) {
  ASSERT_TRUE(OpenStore()->Write(RandomFlows(101).Take(10), {}).ok());
  std::optional<SalvageReport> report;
  const auto store = Store::OpenOrSalvage(Options(), report);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_FALSE(report.has_value());
  EXPECT_EQ((*store)->Flows({})->flows.size(), 10u);
}

// All that is in the store, so that whatever page is damaged something can be missed.
void Fill(Store& store, std::uint64_t flows) {
  RandomFlows random(102);
  for (std::uint64_t i = 0; i < flows / 100; ++i) {
    ASSERT_TRUE(store.Write(random.Take(100), {}).ok());
  }
  std::vector<Alert> alerts(200);
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    alerts[i].id = "alert-" + std::to_string(i);
    alerts[i].time = At(std::chrono::seconds(i));
    alerts[i].evidence = {{"ports", std::int64_t{1}}};
    samples.push_back({"cpu.busy", At(std::chrono::seconds(i)), 0.5});
    ASSERT_TRUE(
        store.PutDocument({.kind = "rule", .id = std::to_string(i), .body = std::string(100, 'x')})
            .ok());
  }
  ASSERT_TRUE(store.Write({}, alerts).ok());
  ASSERT_TRUE(store.WriteSamples(samples).ok());
  ASSERT_TRUE(store.AddUser({.username = "mia", .password_hash = "x", .role = "admin"}).ok());
  ASSERT_TRUE(store.PutSetting("mark", "one").ok());
}

TEST_F(StoreSalvage, SavesWhatLiesOutsideAnyDamagedPage) {
  constexpr std::uint64_t kFlows = 6'000;
  {
    const auto store = OpenStore();
    Fill(*store, kFlows);
  }
  const std::string good = Contents(path());
  ASSERT_GT(good.size(), 50 * kPageBytes);
  const std::size_t pages = good.size() / kPageBytes;
  const std::size_t step = std::getenv("NTA_FULL") == nullptr ? 5 : 1;
  int damaged = 0;
  int unseen = 0;
  std::uint64_t least = kFlows;
  double longest = 0;
  for (std::size_t page = 0; page < pages; page += step) {
    SCOPED_TRACE("page " + std::to_string(page + 1) + " of " + std::to_string(pages));
    std::string bad = good;
    for (std::size_t i = 0; i < kPageBytes; ++i) {
      bad[page * kPageBytes + i] = static_cast<char>(i * 7 + 1);
    }
    Put(bad);
    std::optional<SalvageReport> report;
    const std::clock_t start = std::clock();
    const auto store = Store::OpenOrSalvage(Options(), report);
    ASSERT_TRUE(store.ok()) << store.status();
    // Of the processor: what others do with the disk is not ours.
    const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    EXPECT_LT(seconds, 5);
    longest = std::max(longest, seconds);
    if (!report) {
      // Nothing but what was deleted may be in a page that can be damaged unseen.
      ++unseen;
      EXPECT_EQ((*store)->Size()->flows, kFlows);
      continue;
    }
    ++damaged;
    EXPECT_THAT(report->quarantine, HasSubstr(".corrupt-1"));
    EXPECT_EQ(Contents(report->quarantine), bad) << "it is left as it is";
    EXPECT_EQ((*store)->Size()->flows, report->flows_saved);
    EXPECT_EQ((*store)->Top({})->total,
              (*store)->Top({.filter = *FlowFilter::Parse("bytes>=0")})->total);
    EXPECT_TRUE((*store)->Write(RandomFlows(103).Take(1), {}).ok());
    // A page has columns of a block, or of the ends of two.
    least = std::min(least, report->flows_saved);
    EXPECT_GE(report->flows_saved, (kFlows - 2 * 2 * kFlowsPerBlock) * 95 / 100);
    // A page has some seventy of these.
    EXPECT_GE(report->alerts_saved, 120u);
    EXPECT_GE(report->documents_saved, 150u);
    int accounts = static_cast<int>(report->users_saved);
    accounts += (*store)->GetSetting("mark").ok() ? 1 : 0;
    EXPECT_GE(accounts, 1);
  }
  printf(
      "%d damaged pages detected, %d without anything in them; %llu of %llu flows saved at the "
      "least, in %.2f s at the most\n",
      damaged, unseen, static_cast<unsigned long long>(least),
      static_cast<unsigned long long>(kFlows), longest);
  EXPECT_GT(damaged, 20);
}

// The service was killed before: part of what it has is in the log alone.
TEST_F(StoreSalvage, SavesWhatIsInTheLogAlone) {
  Fill(*OpenStore(), 2'000);
  std::string file;
  std::string log;
  {
    const auto store = OpenStore();
    RandomFlows random(104);
    for (int i = 0; i < 40; ++i) ASSERT_TRUE(store->Write(random.Take(100), {}).ok());
    file = Contents(path());
    log = Contents(path() + "-wal");
  }
  std::optional<SalvageReport> report;
  for (std::size_t page = 1; page < file.size() / kPageBytes && !report; ++page) {
    std::string bad = file;
    bad.replace(page * kPageBytes, kPageBytes, kPageBytes, 'x');
    Put(bad);
    std::ofstream(path() + "-wal", std::ios::binary) << log;
    ASSERT_TRUE(Store::OpenOrSalvage(Options(), report).ok());
  }
  ASSERT_TRUE(report.has_value());
  EXPECT_GE(report->flows_saved, 6'000 - 4 * kFlowsPerBlock);
}

TEST_F(StoreSalvage, StartsAnewWhenNothingCanBeRead) {
  Put(std::string(10'000, 'x'));
  for (int round = 1; round <= 2; ++round) {
    std::optional<SalvageReport> report;
    auto store = Store::OpenOrSalvage(Options(), report);
    ASSERT_TRUE(store.ok()) << store.status();
    ASSERT_TRUE(report.has_value());
    store->reset();
    EXPECT_EQ(report->flows_saved, 0u);
    EXPECT_THAT(report->reason, HasSubstr("not a SQLite database"));
    EXPECT_THAT(report->quarantine, HasSubstr(".corrupt-" + std::to_string(round)));
    EXPECT_EQ(std::filesystem::file_size(report->quarantine), 10'000u);
    std::ofstream(path(), std::ios::binary) << std::string(10'000, 'x');
    std::filesystem::remove(path() + "-wal");
    std::filesystem::remove(path() + "-shm");
  }
}

TEST_F(StoreSalvage, DoesNotTouchTheStoreOfANewerLibraryOrOfOthers) {
  Put("");
  { const auto store = OpenStore(); }
  std::string newer = Contents(path());
  newer[63] = 99;
  Put(newer);
  std::optional<SalvageReport> report;
  EXPECT_EQ(Store::OpenOrSalvage(Options(), report).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(report.has_value());
  EXPECT_EQ(Contents(path()), newer);
}

}  // namespace
}  // namespace nta
