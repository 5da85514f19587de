// What stands at the path of a store, and what becomes of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "store/store_fixture.h"

namespace nta {
namespace {

using ::testing::HasSubstr;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  contents << file.rdbuf();
  return contents.str();
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream(path, std::ios::binary) << contents;
}

void RunSql(const std::string& path, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &database), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, &error), SQLITE_OK) << error;
  sqlite3_close(database);
}

class StoreFile : public StoreTest {
 protected:
  // The refusal, after which the file must be as it was.
  absl::Status Refused(const std::string& file) {
    const std::string before = ReadFile(file);
    const auto store = Store::Open({.path = file});
    EXPECT_FALSE(store.ok());
    EXPECT_EQ(ReadFile(file), before) << "a refused file must stay as it is";
    EXPECT_THAT(std::string(store.status().message()), HasSubstr(file));
    return store.status();
  }
  void MakeStore() { ASSERT_TRUE(OpenStore()->Write(RandomFlows(41).Take(2'000), {}).ok()); }
};

TEST_F(StoreFile, IsReadableByItsOwnerOnly) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(42).Take(1), {}).ok());
  for (const char* suffix : {"", "-wal", "-shm"}) {
    struct stat status {};
    ASSERT_EQ(stat((path() + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(StoreFile, TellsItsApplicationAndVersion) {
  MakeStore();
  const std::string header = ReadFile(path()).substr(0, 100);
  EXPECT_EQ(header.substr(68, 4), "nta1");
  EXPECT_EQ(header.substr(60, 4), std::string("\0\0\0\4", 4));
}

TEST_F(StoreFile, PathsThatCannotBeStores) {
  EXPECT_EQ(Store::Open({.path = ""}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(Store::Open({.path = std::string("a\0b", 3)}).status().code(),
            absl::StatusCode::kInvalidArgument);
  const auto missing = Store::Open({.path = directory_.File("no/such/nta.db")});
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.status().message()), HasSubstr("no/such"));
  EXPECT_EQ(Store::Open({.path = directory_.File("")}).status().code(),
            absl::StatusCode::kInvalidArgument);
  ASSERT_EQ(mkfifo(directory_.File("fifo").c_str(), 0600), 0);
  EXPECT_EQ(Store::Open({.path = directory_.File("fifo")}).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(
      Store::Open({.path = path(), .query_timeout = std::chrono::milliseconds(0)}).status().code(),
      absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreFile, NamesThatMeanSomethingToSqliteAreNames) {
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(directory_.File(""));
  const auto store = Store::Open({.path = "file:x?mode=memory"});
  EXPECT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(std::filesystem::exists("file:x?mode=memory"));
  std::filesystem::current_path(here);
}

TEST_F(StoreFile, RefusesAFileWithoutPermission) {
  if (geteuid() == 0) GTEST_SKIP() << "SKIPPED: permissions do not bind root";
  MakeStore();
  ASSERT_EQ(chmod(path().c_str(), 0400), 0);
  EXPECT_EQ(Refused(path()).code(), absl::StatusCode::kPermissionDenied);
}

TEST_F(StoreFile, RefusesWhatIsNoDatabase) {
  for (const std::string& contents :
       {std::string("hello"), std::string(100'000, 'x'), std::string(4'096, '\0')}) {
    WriteFile(path(), contents);
    const absl::Status status = Refused(path());
    EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("left as it is"));
  }
}

TEST_F(StoreFile, TakesAnEmptyFileForANewStore) {
  WriteFile(path(), "");
  MakeStore();
  EXPECT_EQ(OpenStore()->Top({})->total.flows, 2'000u);
}

TEST_F(StoreFile, RefusesTheDatabaseOfAnotherProgram) {
  RunSql(path(), "CREATE TABLE flows(x); INSERT INTO flows VALUES(1)");
  EXPECT_EQ(Refused(path()).code(), absl::StatusCode::kFailedPrecondition);
  RunSql(path(), "PRAGMA journal_mode=WAL; INSERT INTO flows VALUES(2)");
  EXPECT_EQ(Refused(path()).code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(Refused(path()).message()), HasSubstr("belongs to another program"));
}

TEST_F(StoreFile, RefusesTheStoreOfANewerLibrary) {
  MakeStore();
  RunSql(path(), "PRAGMA user_version=5");
  const absl::Status status = Refused(path());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("newer libnta (format 5, this one knows up to 4)"));
}

TEST_F(StoreFile, MakesTheTotalsOfFormat3AnewFromTheFlows) {
  MakeStore();
  TopQuery query{.dimension = TopDimension::kCategory, .by = Measure::kFlows};
  const std::vector<TopRow> before = OpenStore()->Top(query)->rows;
  RunSql(path(),
         "UPDATE rollup_minute SET traffic = x'01'; UPDATE rollup_hour SET traffic = x'01';"
         "UPDATE rollup_quarter SET traffic = x'01'; UPDATE rollup_day SET traffic = x'01';"
         "DELETE FROM flow_column WHERE name = 'application_detail'; PRAGMA user_version=3");
  const auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  const auto after = store->Top(query);
  ASSERT_TRUE(after.ok()) << after.status();
  EXPECT_EQ(after->source, QuerySource::kRollup);
  ASSERT_EQ(after->rows.size(), before.size());
  for (std::size_t i = 0; i < before.size(); ++i) {
    EXPECT_EQ(after->rows[i].key, before[i].key);
    EXPECT_EQ(after->rows[i].totals, before[i].totals);
  }
  EXPECT_FALSE(before.empty());
}

TEST_F(StoreFile, RefusesTriggersViewsAndAlteredTables) {
  MakeStore();
  const std::string good = ReadFile(path());
  const std::pair<const char*, absl::StatusCode> changes[] = {
      {"CREATE TRIGGER t AFTER INSERT ON flow_block BEGIN DELETE FROM users; END",
       absl::StatusCode::kFailedPrecondition},
      {"CREATE VIEW v AS SELECT 1", absl::StatusCode::kFailedPrecondition},
      {"DROP TABLE rollup_hour", absl::StatusCode::kDataLoss},
      {"ALTER TABLE flow_block ADD COLUMN x INTEGER", absl::StatusCode::kDataLoss},
      {"DROP INDEX alerts_time", absl::StatusCode::kDataLoss},
  };
  for (const auto& [sql, code] : changes) {
    WriteFile(path(), good);
    RunSql(path(), sql);
    EXPECT_EQ(Refused(path()).code(), code) << sql;
  }
}

TEST_F(StoreFile, DamageIsDataLossAndNeverACrash) {
  MakeStore();
  const std::string good = ReadFile(path());
  RandomFlows random(43);
  int refused = 0;
  for (int round = 0; round < 60; ++round) {
    std::string bad = good;
    if (round % 3 == 0) {
      bad.resize(100 + random.Below(bad.size() - 100));
    } else {
      const std::size_t start = random.Below(bad.size() - 600);
      for (std::size_t i = start; i < start + 500; ++i)
        bad[i] = static_cast<char>(random.Below(256));
    }
    WriteFile(path(), bad);
    std::filesystem::remove(path() + "-wal");
    std::filesystem::remove(path() + "-shm");
    const auto store = Store::Open({.path = path()});
    // What opens must answer or tell; values inside a row may differ unseen.
    absl::Status status = store.status();
    if (store.ok()) status = (*store)->Flows({.limit = 10'000}).status();
    if (status.ok()) status = (*store)->Top({}).status();
    if (status.ok()) continue;
    ++refused;
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsFailedPrecondition(status)) << status;
  }
  EXPECT_GT(refused, 30);
}

TEST_F(StoreFile, IsExchangedUnderReadersAndAWriter) {
  const std::string other = directory_.File("other.db");
  {
    auto prepared = *Store::Open({.path = other, .reserve_bytes = 0});
    ASSERT_TRUE(prepared->PutSetting("mark", "other").ok());
  }
  auto store = OpenStore();
  ASSERT_TRUE(store->PutSetting("mark", "first").ok());
  std::atomic<int> strange = 0;
  std::atomic<int> writes = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&](std::stop_token stop) {
        while (!stop.stop_requested()) {
          const auto mark = store->GetSetting("mark");
          if (!mark.ok() || (*mark != "first" && *mark != "other")) ++strange;
        }
      });
    }
    threads.emplace_back([&](std::stop_token stop) {
      while (!stop.stop_requested()) {
        const FlowRecord flow = TcpFlow(kEight, std::chrono::seconds(1), kClient, kServer);
        if (!store->Write({&flow, 1}, {}).ok()) ++strange;
        ++writes;
      }
    });
    while (writes < 20) std::this_thread::yield();
    const absl::Status exchanged = store->Exchange(
        [&]() -> absl::Status {
          // Closed means closed: the log of the old file is gone.
          EXPECT_FALSE(std::filesystem::exists(path() + "-wal"));
          std::filesystem::rename(other, path());
          return absl::OkStatus();
        },
        [] { return absl::InternalError("not asked for"); });
    EXPECT_TRUE(exchanged.ok()) << exchanged;
    const int before = writes;
    while (writes < before + 20) std::this_thread::yield();
  }
  EXPECT_EQ(strange, 0);
  EXPECT_EQ(*store->GetSetting("mark"), "other");
}

TEST_F(StoreFile, AnExchangeThatFailsLeavesTheStoreAsItWas) {
  auto store = OpenStore();
  ASSERT_TRUE(store->PutSetting("mark", "first").ok());
  const absl::Status refused = store->Exchange([] { return absl::UnavailableError("no"); },
                                               [] { return absl::InternalError("not asked for"); });
  EXPECT_TRUE(absl::IsUnavailable(refused));
  EXPECT_EQ(*store->GetSetting("mark"), "first");

  // What is put there cannot be opened.
  const std::string kept = directory_.File("kept.db");
  const auto swap = [&]() -> absl::Status {
    std::filesystem::rename(path(), kept);
    std::ofstream(path()) << std::string(10'000, 'x');
    return absl::OkStatus();
  };
  const auto undo = [&]() -> absl::Status {
    std::filesystem::rename(kept, path());
    return absl::OkStatus();
  };
  EXPECT_TRUE(absl::IsDataLoss(store->Exchange(swap, undo)));
  EXPECT_EQ(*store->GetSetting("mark"), "first");
  EXPECT_TRUE(store->PutSetting("mark", "second").ok());

  // Nor can it be undone: every call says why, and none waits for ever.
  EXPECT_TRUE(
      absl::IsDataLoss(store->Exchange(swap, [] { return absl::UnavailableError("lost"); })));
  EXPECT_TRUE(absl::IsUnavailable(store->GetSetting("mark").status()));
  EXPECT_TRUE(absl::IsUnavailable(store->PutSetting("mark", "third")));
  // Until a file that can be opened is there.
  std::filesystem::remove(path());
  EXPECT_TRUE(store->Exchange(undo, undo).ok());
  EXPECT_EQ(*store->GetSetting("mark"), "second");
}

}  // namespace
}  // namespace nta
