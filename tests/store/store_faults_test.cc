// Disks that fail, and memory that is not to be had: at each operation in turn.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <utility>

#include "store/fault_vfs.h"
#include "store/memory_fault.h"
#include "store/store_scenario.h"

namespace nta {
namespace {

class StoreFaults : public StoreTest {
 protected:
  explicit StoreFaults(Scenario::Size size = Scenario::Size::kFull) : scenario_(size) {}

  // Opens a store and takes every step, of which some may fail; answers how many did.
  // `is_begun` and `is_ended` are around what faults may hit.
  template <typename Begin, typename End>
  int Live(Begin is_begun, End is_ended) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      std::filesystem::remove(entry.path());
    }
    const std::vector<Scenario::Step>& steps = scenario_.steps();
    std::vector<absl::Status> done(steps.size(), absl::UnavailableError("not opened"));
    StoreOptions options = Scenario::Options(path());
    StoreOptions again = options;
    absl::Status opened;
    is_begun();
    {
      auto store = Store::Open(std::move(options));
      opened = store.status();
      for (std::size_t i = 0; i < done.size() && store.ok(); ++i) {
        if (i > 0 && i == scenario_.reopening()) {
          store->reset();
          store = Store::Open(std::move(again));
          opened.Update(store.status());
          if (!store.ok()) break;
        }
        done[i] = steps[i](**store);
      }
    }
    is_ended();
    EXPECT_TRUE(IsTyped(opened)) << opened;
    int failed = opened.ok() ? 0 : 1;
    for (const absl::Status& status : done) {
      EXPECT_TRUE(IsTyped(status)) << status;
      failed += status.ok() ? 0 : 1;
    }
    ExpectTheSame(done);
    return failed;
  }

  // What a store holds in which the steps that were done are taken and no others.
  const std::string& ExpectedOf(const std::vector<absl::Status>& done) {
    std::vector<bool> taken;
    for (const absl::Status& status : done) taken.push_back(status.ok());
    const auto [found, is_new] = known_.try_emplace(taken);
    if (is_new) found->second = ContentsOf(*ModelOf(done));
    return found->second;
  }
  std::unique_ptr<Store> ModelOf(const std::vector<absl::Status>& done) const {
    auto model = *Store::Open(Scenario::Options(":memory:"));
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i].ok()) continue;
      EXPECT_TRUE(scenario_.steps()[i](*model).ok());
    }
    return model;
  }

  // Whatever was done is there and nothing else, when the disk is well again: a step that failed
  // is taken again, and in the end everything is as if nothing had happened.
  void ExpectTheSame(const std::vector<absl::Status>& done) {
    const auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok()) << store.status();
    std::string failed = "failed steps:";
    for (std::size_t i = 0; i < done.size(); ++i) {
      if (!done[i].ok())
        failed += " " + std::to_string(i) + " (" + std::string(done[i].message()) + ")";
    }
    SCOPED_TRACE(failed);
    const std::string& expected = ExpectedOf(done);
    const std::string found = ContentsOf(**store);
    if (found != expected) {
      // When the disk fails as a transaction is synced, nobody can tell whether it is there: the
      // first that failed may be.
      const auto first =
          std::find_if(done.begin(), done.end(), [](const auto& one) { return !one.ok(); });
      if (first != done.end()) {
        std::vector<absl::Status> more = done;
        more[static_cast<std::size_t>(first - done.begin())] = absl::OkStatus();
        if (found == ExpectedOf(more)) return;
      }
    }
    if (found != expected && failed_deletion(done)) {
      const auto model = ModelOf(done);
      for (const std::size_t step : scenario_.deletions()) {
        if (done[step].ok()) continue;
        ASSERT_TRUE(scenario_.steps()[step](*model).ok());
        ASSERT_TRUE(scenario_.steps()[step](**store).ok());
      }
      EXPECT_EQ(ContentsOf(**store), ContentsOf(*model));
      return;
    }
    EXPECT_EQ(found, expected);
  }

 private:
  bool failed_deletion(const std::vector<absl::Status>& done) const {
    return std::any_of(scenario_.deletions().begin(), scenario_.deletions().end(),
                       [&](std::size_t step) { return !done[step].ok(); });
  }

  const Scenario scenario_;
  std::map<std::vector<bool>, std::string> known_;  // what is there when these steps were taken
};

class StoreDiskFaults : public StoreFaults,
                        public ::testing::WithParamInterface<std::pair<FaultVfs::Fault, bool>> {};
INSTANTIATE_TEST_SUITE_P(Faults, StoreDiskFaults,
                         ::testing::Values(std::pair{FaultVfs::Fault::kIoError, false},
                                           std::pair{FaultVfs::Fault::kIoError, true},
                                           std::pair{FaultVfs::Fault::kDiskFull, false},
                                           std::pair{FaultVfs::Fault::kDiskFull, true},
                                           std::pair{FaultVfs::Fault::kBusy, false}));

TEST_P(StoreDiskFaults, AnyOperationMayFailAndTheStoreStaysConsistent) {
  FaultVfs& vfs = FaultVfs::Install();
  const auto [fault, lasting] = GetParam();
  std::uint64_t operations = 0;
  ASSERT_EQ(Live([&] { vfs.FailAt(0, fault); }, [&] { operations = vfs.Clear(); }), 0);
  ASSERT_GT(operations, 20u);
  const std::uint64_t points = std::min(CountFrom("NTA_FAULT_POINTS", 40), operations);
  std::uint64_t told = 0;
  for (std::uint64_t i = 0; i < points && !HasFailure(); ++i) {
    const std::uint64_t number = 1 + i * operations / points;
    SCOPED_TRACE("operation " + std::to_string(number));
    told += Live([&] { vfs.FailAt(number, fault, lasting); }, [&] { vfs.Clear(); }) > 0 ? 1 : 0;
  }
  printf("%llu of %llu operations failed, %llu times somebody was told\n",
         static_cast<unsigned long long>(points), static_cast<unsigned long long>(operations),
         static_cast<unsigned long long>(told));
  // Who is refused a lock waits for it.
  EXPECT_GE(told, fault == FaultVfs::Fault::kBusy ? 0 : points / 4);
}

// Of SQLite or of the library, once or from then on: but not all of the library's, because a status
// needs memory.
class StoreMemoryFaults : public StoreFaults,
                          public ::testing::WithParamInterface<std::pair<bool, bool>> {
 protected:
  explicit StoreMemoryFaults(Scenario::Size size = Scenario::Size::kFull) : StoreFaults(size) {}
  void FailInTurn();
};
INSTANTIATE_TEST_SUITE_P(Faults, StoreMemoryFaults,
                         ::testing::Values(std::pair{false, false}, std::pair{false, true},
                                           std::pair{true, false}));

void StoreMemoryFaults::FailInTurn() {
  ASSERT_TRUE(InstallMemoryFaults());
  FaultVfs::Install();  // nobody waits for a real disk
  MemoryFault& memory_fault = MemoryFaultOfThread();
  const auto [ours, lasting] = GetParam();
  std::uint64_t allocations = 0;
  const auto end = [&] {
    memory_fault.armed = false;
    allocations = memory_fault.count;
  };
  const auto live = [&, ours = ours, lasting = lasting](std::uint64_t number) {
    return Live(
        [&] { memory_fault = {.armed = true, .ours = ours, .lasting = lasting, .number = number}; },
        end);
  };
  ASSERT_EQ(live(0), 0);
  const std::uint64_t all = allocations;
  ASSERT_GT(all, 100u);
  const std::uint64_t points = std::min(CountFrom("NTA_FAULT_POINTS", 40), all);
  std::uint64_t told = 0;
  for (std::uint64_t i = 0; i < points && !HasFailure(); ++i) {
    const std::uint64_t number = 1 + i * all / points;
    SCOPED_TRACE("allocation " + std::to_string(number));
    told += live(number) > 0 ? 1 : 0;
  }
  printf("%llu of %llu allocations failed, %llu times somebody was told\n",
         static_cast<unsigned long long>(points), static_cast<unsigned long long>(all),
         static_cast<unsigned long long>(told));
  // Sorting and hashing make do without some of ours.
  EXPECT_GT(told, ours ? 0 : points / 2);
}

class StoreSmallMemoryFaults : public StoreMemoryFaults {
 protected:
  StoreSmallMemoryFaults() : StoreMemoryFaults(Scenario::Size::kSmall) {}
};
INSTANTIATE_TEST_SUITE_P(Faults, StoreSmallMemoryFaults,
                         ::testing::Values(std::pair{false, false}, std::pair{false, true},
                                           std::pair{true, false}));

TEST_P(StoreMemoryFaults, AnyAllocationMayFailAndTheStoreStaysConsistent) { FailInTurn(); }
TEST_P(StoreSmallMemoryFaults, EachAllocationMayFailAndTheStoreStaysConsistent) { FailInTurn(); }

// Asks the virtual table by SQL; what came of it, and in `rows` what it answered.
int Ask(sqlite3* database, std::string& rows) {
  rows.clear();
  const auto add = [](void* out, int columns, char** values, char**) {
    for (int i = 0; i < columns; ++i) {
      // The answer is the test's: its memory is not at stake.
      const bool was_armed = std::exchange(MemoryFaultOfThread().armed, false);
      *static_cast<std::string*>(out) += std::string(values[i] == nullptr ? "-" : values[i]) + " ";
      MemoryFaultOfThread().armed = was_armed;
    }
    return 0;
  };
  return sqlite3_exec(database,
                      "SELECT count(*), sum(forward_packets), max(destination_address), "
                      "count(server_name), min(rowid) FROM flows WHERE source_address = '10.0.0.1' "
                      "AND protocol IN (6, 17) AND last_seen > 0",
                      add, &rows, nullptr);
}

class FlowsTableFaults : public StoreTest, public ::testing::WithParamInterface<bool> {};
INSTANTIATE_TEST_SUITE_P(Faults, FlowsTableFaults, ::testing::Bool());

TEST_P(FlowsTableFaults, AnyAllocationMayFailAndTheQueryTellsOrAnswers) {
  ASSERT_TRUE(InstallMemoryFaults());
  ASSERT_TRUE(OpenStore()->Write(RandomFlows(84).Take(700), {}).ok());
  MemoryFault& fault = MemoryFaultOfThread();
  const auto ask = [&](std::uint64_t number, std::string& rows) {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
    sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    EXPECT_EQ(sqlite3_load_extension(database, NTA_FLOWS_EXTENSION, nullptr, nullptr), SQLITE_OK);
    fault = {.armed = true, .ours = GetParam(), .number = number};
    const int result = Ask(database, rows);
    fault.armed = false;
    std::string again;
    EXPECT_EQ(Ask(database, again), SQLITE_OK) << sqlite3_errmsg(database);
    if (result == SQLITE_OK) {
      EXPECT_EQ(rows, again);
    }
    EXPECT_EQ(sqlite3_close(database), SQLITE_OK) << "nothing stays open";
    return result;
  };
  std::string expected;
  ASSERT_EQ(ask(0, expected), SQLITE_OK);
  const std::uint64_t all = fault.count;
  ASSERT_GT(all, 50u);
  const std::uint64_t points = std::min(CountFrom("NTA_FAULT_POINTS", 2'000), all);
  std::uint64_t told = 0;
  for (std::uint64_t i = 0; i < points && !HasFailure(); ++i) {
    SCOPED_TRACE("allocation " + std::to_string(1 + i * all / points));
    std::string rows;
    const int result = ask(1 + i * all / points, rows);
    if (result == SQLITE_OK) {
      EXPECT_EQ(rows, expected);
    } else {
      EXPECT_EQ(result & 0xff, SQLITE_NOMEM) << sqlite3_errstr(result);
      ++told;
    }
  }
  printf("%llu of %llu allocations failed, %llu times somebody was told\n",
         static_cast<unsigned long long>(points), static_cast<unsigned long long>(all),
         static_cast<unsigned long long>(told));
  EXPECT_GT(told, points / 2);
}

}  // namespace
}  // namespace nta
