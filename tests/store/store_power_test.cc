// Power failures: what was not synced is lost, in part and in any order.

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <set>

#include "store/fault_vfs.h"
#include "store/store_scenario.h"

namespace nta {
namespace {

std::string IntegrityOf(const std::string& path) {
  sqlite3* database = nullptr;
  std::string answer = "cannot be opened";
  if (sqlite3_open(path.c_str(), &database) == SQLITE_OK) {
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0];
      return 0;
    };
    sqlite3_exec(database, "PRAGMA integrity_check(1)", take, &answer, nullptr);
  }
  sqlite3_close(database);
  return answer;
}

class StorePower : public StoreTest {
 protected:
  // Empties the directory and puts these files there.
  void Put(const std::map<std::string, std::string>& files) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      std::filesystem::remove(entry.path());
    }
    for (const auto& [name, contents] : files) {
      std::ofstream(name, std::ios::binary) << contents;
    }
  }
};

// Each state is what the store holds after so many steps, each of which is one transaction for what
// can be seen.
TEST_F(StorePower, LosesNothingAcknowledgedAndDamagesNothing) {
  FaultVfs& vfs = FaultVfs::Install();
  std::vector<std::string> states;
  vfs.StartRecording();
  {
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok()) << store.status();
    vfs.Mark(0);
    states.push_back(ContentsOf(**store));
    const Scenario scenario;
    for (const Scenario::Step& step : scenario.steps()) {
      ASSERT_TRUE(step(**store).ok());
      vfs.Mark(static_cast<std::int64_t>(states.size()));
      states.push_back(ContentsOf(**store));
    }
  }
  const std::vector<FaultVfs::Event> events = vfs.TakeRecord();
  ASSERT_GT(events.size(), 300u);

  RandomFlows random(78);
  const std::uint64_t cuts = CountFrom("NTA_POWER_CUTS", 100);
  std::uint64_t one_more = 0;
  for (std::uint64_t round = 0; round < cuts; ++round) {
    const std::size_t cut = round * events.size() / cuts;
    std::int64_t done = -1;
    for (std::size_t i = 0; i < cut; ++i) {
      if (events[i].action == FaultVfs::Action::kMark) done = events[i].offset;
    }
    Put(FilesAfterPowerFailure(events, cut, random));
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok()) << "cut " << cut << ": " << store.status();
    const std::string found = ContentsOf(**store);
    const auto at_least = static_cast<std::size_t>(std::max<std::int64_t>(done, 0));
    const bool is_next = at_least + 1 < states.size() && found == states[at_least + 1];
    one_more += is_next && found != states[at_least] ? 1 : 0;
    EXPECT_TRUE(found == states[at_least] || is_next)
        << "cut " << cut << " after step " << done << "\nfound " << found << "\nnot   "
        << states[at_least];
    EXPECT_TRUE((*store)->Write(RandomFlows(79).Take(300), {}).ok()) << "cut " << cut;
    store->reset();
    EXPECT_EQ(IntegrityOf(path()), "ok") << "cut " << cut;
  }
  RecordProperty("one_more", static_cast<int>(one_more));
  printf("%llu cuts among %zu operations, %llu with the step under way done\n",
         static_cast<unsigned long long>(cuts), events.size(),
         static_cast<unsigned long long>(one_more));
}

// The test above is worth nothing when the simulated disk loses nothing.
TEST_F(StorePower, ASimulatedDiskLosesWhatIsNotSynced) {
  const FaultVfs::Action write = FaultVfs::Action::kWrite;
  const std::vector<FaultVfs::Event> events = {
      {.action = FaultVfs::Action::kCreate, .file = "a"},
      {.action = write, .file = "a", .offset = 0, .data = std::string(1'024, 'x')},
      {.action = FaultVfs::Action::kSync, .file = "a"},
      {.action = write, .file = "a", .offset = 0, .data = std::string(1'024, 'y')},
      {.action = FaultVfs::Action::kTruncate, .file = "a", .offset = 600},
      {.action = FaultVfs::Action::kDelete, .file = "a"}};
  RandomFlows random(80);
  std::set<std::string> outcomes[7];
  for (std::size_t cut = 0; cut <= events.size(); ++cut) {
    for (int round = 0; round < 200; ++round) {
      const auto files = FilesAfterPowerFailure(events, cut, random);
      outcomes[cut].insert(files.empty() ? "gone" : files.at("a"));
    }
  }
  EXPECT_EQ(outcomes[0].size(), 1u);
  EXPECT_TRUE(outcomes[2].contains("gone"));
  EXPECT_GT(outcomes[2].size(), 3u) << "torn";
  EXPECT_EQ(outcomes[3], std::set<std::string>{std::string(1'024, 'x')});
  EXPECT_TRUE(outcomes[4].contains(std::string(1'024, 'x')));
  EXPECT_TRUE(outcomes[4].contains(std::string(1'024, 'y')));
  EXPECT_TRUE(outcomes[4].contains(std::string(512, 'x') + std::string(512, 'y')))
      << "in any order";
  EXPECT_TRUE(outcomes[5].contains(std::string(600, 'x')));
  EXPECT_TRUE(outcomes[6].contains("gone"));
  EXPECT_TRUE(outcomes[6].contains(std::string(600, 'y')));
}

}  // namespace
}  // namespace nta
