// Killed inside a migration, inside retention, inside an import: exactly old or exactly new.

#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "store/fault_vfs.h"
#include "store/store_scenario.h"
#include "store/version_1.h"

namespace nta {
namespace {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

class StoreKill : public StoreTest {
 protected:
  void Put(const std::string& contents) {
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      std::filesystem::remove(entry.path());
    }
    std::ofstream(path(), std::ios::binary) << contents;
  }

  // Does `act` in a child that is killed at the operation `number` of its disk; false when it ended
  // before.
  bool IsKilled(std::uint64_t number, const std::function<absl::Status()>& act) {
    const pid_t child = fork();
    if (child == 0) {
      FaultVfs::Install().FailAt(number, FaultVfs::Fault::kKill);
      _exit(act().ok() ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) || WEXITSTATUS(status) == 0);
    return WIFSIGNALED(status);
  }

  struct Outcomes {
    std::uint64_t old = 0;
    std::uint64_t changed = 0;
  };
  // Kills `act` at points all over it, on a copy of `before` each time; `look` says whether the
  // store is as before (0), as after (1) or neither (-1).
  Outcomes Kill(const std::string& before, const std::function<absl::Status()>& act,
                const std::function<int()>& look) {
    Put(before);
    FaultVfs& vfs = FaultVfs::Install();
    vfs.FailAt(0, FaultVfs::Fault::kIoError);
    EXPECT_TRUE(act().ok());
    const std::uint64_t operations = vfs.Clear();
    const std::uint64_t kills = CountFrom("NTA_KILLS", 20);
    Outcomes outcomes;
    for (std::uint64_t i = 0; i < kills; ++i) {
      Put(before);
      const std::uint64_t number = 1 + i * operations / kills;
      EXPECT_TRUE(IsKilled(number, act)) << number << " of " << operations;
      const int state = look();
      EXPECT_NE(state, -1) << "killed at operation " << number << " of " << operations;
      ++(state == 1 ? outcomes.changed : outcomes.old);
    }
    printf("%llu kills over %llu operations: %llu old, %llu new\n",
           static_cast<unsigned long long>(kills), static_cast<unsigned long long>(operations),
           static_cast<unsigned long long>(outcomes.old),
           static_cast<unsigned long long>(outcomes.changed));
    return outcomes;
  }

  // What a store with this file holds.
  std::string Contents() {
    const auto opening = std::chrono::steady_clock::now();
    const auto store = Store::Open(Scenario::Options(path()));
    EXPECT_LT(std::chrono::steady_clock::now() - opening, std::chrono::seconds(1));
    if (!store.ok()) ADD_FAILURE() << store.status();
    return store.ok() ? ContentsOf(**store) : "";
  }
};

std::int64_t VersionOf(const std::string& path) {
  sqlite3* database = nullptr;
  std::int64_t version = -1;
  if (sqlite3_open(path.c_str(), &database) == SQLITE_OK) {
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::int64_t*>(to) = std::strtoll(values[0], nullptr, 10);
      return 0;
    };
    sqlite3_exec(database, "PRAGMA user_version", take, &version, nullptr);
  }
  sqlite3_close(database);
  return version;
}

TEST_F(StoreKill, AMigrationIsDoneOrNotBegun) {
  Put("");
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &database), SQLITE_OK);
  // The migration of fewer flows is as good.
  std::string sql = kVersion1;
  sql.replace(sql.find("i < 40004"), 9, "i < 2004 ");
  ASSERT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(database);
  const std::string before = ReadFile(path());
  const auto migrate = [this] { return Store::Open(Scenario::Options(path())).status(); };
  const Outcomes outcomes = Kill(before, migrate, [this] {
    const std::int64_t version = VersionOf(path());
    const auto store = Store::Open(Scenario::Options(path()));
    if (!store.ok() || (*store)->Top({})->total.flows != 2'001) return -1;
    if ((*store)->GetUser("mia")->role != "admin") return -1;
    return version == Store::Format().schema_version ? 1 : version == 1 ? 0 : -1;
  });
  EXPECT_GE(outcomes.old, 1u);
  EXPECT_GE(outcomes.changed, 1u);
}

TEST_F(StoreKill, RetentionIsDoneOrNotBegun) {
  {
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok());
    RandomFlows random(81, 180);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE((*store)->Write(random.Take(300), {}).ok());
  }
  const std::string before = ReadFile(path());
  const auto retain = [this]() -> absl::Status {
    const auto store = Store::Open(Scenario::Options(path()));
    if (!store.ok()) return store.status();
    return (*store)
        ->Retain({.flow_age = std::chrono::hours(1)}, At(std::chrono::minutes(150)))
        .status();
  };
  const std::string old = Contents();
  ASSERT_TRUE(retain().ok());
  const std::string changed = Contents();
  ASSERT_NE(old, changed);
  const Outcomes outcomes = Kill(before, retain, [&] {
    const std::string found = Contents();
    return found == old ? 0 : found == changed ? 1 : -1;
  });
  EXPECT_GE(outcomes.old, 1u);
  EXPECT_GE(outcomes.changed, 1u);
}

TEST_F(StoreKill, AnImportIsDoneOrNotBegun) {
  {
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->Write(RandomFlows(82).Take(300), {}).ok());
  }
  const std::string before = ReadFile(path());
  const auto import = [this]() -> absl::Status {
    const auto store = Store::Open(Scenario::Options(path()));
    if (!store.ok()) return store.status();
    RandomFlows random(83);
    int slices = 10;
    const auto next = [&]() -> absl::StatusOr<std::vector<FlowRecord>> {
      return slices-- > 0 ? random.Take(200) : std::vector<FlowRecord>();
    };
    return (*store)->Import(next).status();
  };
  const std::string old = Contents();
  ASSERT_TRUE(import().ok());
  const std::string changed = Contents();
  const Outcomes outcomes = Kill(before, import, [&] {
    const std::string found = Contents();
    // Nothing of it is left beside the store.
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      if (entry.path().string().find("scratch") != std::string::npos) return -1;
    }
    return found == old ? 0 : found == changed ? 1 : -1;
  });
  EXPECT_GE(outcomes.old, 1u);
  EXPECT_GE(outcomes.changed, 1u);
}

}  // namespace
}  // namespace nta
