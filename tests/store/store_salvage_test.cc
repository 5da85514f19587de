// A damaged store: put aside, and what can be read of it saved.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST_F(StoreSalvage, SavesWhatLiesOutsideAnyDamagedPage) {
  constexpr std::uint64_t kFlows = 6'000;
  {
    const auto store = OpenStore();
    RandomFlows random(102);
    for (std::uint64_t i = 0; i < kFlows / 100; ++i) {
      ASSERT_TRUE(store->Write(random.Take(100), {}).ok());
    }
    Alert alert;
    alert.id = "a";
    ASSERT_TRUE(store->Write({}, {&alert, 1}).ok());
    ASSERT_TRUE(store->AddUser({.username = "mia", .password_hash = "x", .role = "admin"}).ok());
  }
  const std::string good = Contents(path());
  ASSERT_GT(good.size(), 50 * kPageBytes);
  int damaged = 0;
  int saved_all_but_a_block = 0;
  // The first page has the schema; without it nothing is to be had.
  for (std::size_t page = 1; page < good.size() / kPageBytes; page += 3) {
    std::string bad = good;
    for (std::size_t i = 0; i < kPageBytes; ++i)
      bad[page * kPageBytes + i] = static_cast<char>(i * 7 + 1);
    Put(bad);
    std::optional<SalvageReport> report;
    const auto start = std::chrono::steady_clock::now();
    const auto store = Store::OpenOrSalvage(Options(), report);
    ASSERT_TRUE(store.ok()) << page << ": " << store.status();
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
    if (!report) continue;
    ++damaged;
    EXPECT_THAT(report->quarantine, HasSubstr(".corrupt-1"));
    EXPECT_TRUE(std::filesystem::exists(report->quarantine));
    EXPECT_EQ((*store)->Size()->flows, report->flows_saved);
    EXPECT_TRUE((*store)->Write(RandomFlows(103).Take(1), {}).ok());
    // A page has parts of the columns of a block or two. (Those of others hang on the few pages
    // that lead to more.)
    saved_all_but_a_block += report->flows_saved + 3 * kFlowsPerBlock >= kFlows ? 1 : 0;
  }
  EXPECT_GE(saved_all_but_a_block, damaged * 95 / 100) << damaged;
  EXPECT_GT(damaged, 20);
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
