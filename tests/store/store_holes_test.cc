// Space that deleted flows leave in the middle of the file is given back without moving the rest.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "store/fault_vfs.h"
#include "store/free_pages.h"
#include "store/operations.h"
#include "store/schema.h"
#include "store/store_scenario.h"

namespace nta {
namespace {

using std::chrono::seconds;
using store::Punched;

std::uint64_t OnDisk(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return 0;
  return static_cast<std::uint64_t>(status.st_blocks) * 512;
}

// The first answer of `sql`, from a connection of its own.
std::string Ask(const std::string& path, const char* sql) {
  sqlite3* database = nullptr;
  std::string answer = "no answer";
  if (sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr) == SQLITE_OK) {
    const auto take = [](void* to, int, char** values, char**) {
      *static_cast<std::string*>(to) = values[0] == nullptr ? "" : values[0];
      return 0;
    };
    sqlite3_exec(database, sql, take, &answer, nullptr);
  }
  sqlite3_close(database);
  return answer;
}

class StoreHoles : public StoreTest {
 protected:
  // Flows of an hour, in small blocks.
  void Fill(std::size_t flows) {
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE(store.ok()) << store.status();
    for (std::size_t i = 0; i < flows; i += 2'000) {
      ASSERT_TRUE((*store)->Write(random_.Take(2'000), {}).ok());
    }
  }
  // Deletes the flows of the first half and leaves their space free.
  std::unique_ptr<store::Connection> DeleteHalf() {
    auto connection = store::OpenForWriting(path(), false);
    EXPECT_TRUE(connection.ok()) << connection.status();
    const auto step = store::DeleteSome(**connection, At(std::chrono::minutes(30)), 1'000'000);
    EXPECT_TRUE(step.ok()) << step.status();
    return std::move(*connection);
  }

  RandomFlows random_{61};
};

TEST_F(StoreHoles, GiveBackWhatIsFreeAndAreUsedAgain) {
  const auto store = OpenStore();
  // Of two days, as they come: 500,000 that hardly get smaller.
  RandomFlows random(62);
  std::int64_t milliseconds = 0;
  const auto take = [&] {
    std::vector<FlowRecord> flows;
    for (int i = 0; i < 25'000; ++i) {
      const auto low = static_cast<std::uint8_t>(random.Below(256));
      flows.push_back(TcpFlow(At(std::chrono::milliseconds(milliseconds += 345)), seconds(2),
                              IpAddress::V4(10, 0, static_cast<std::uint8_t>(i), low), kServer));
      flows.back().source.port = static_cast<std::uint16_t>(random.Below(65'536));
      flows.back().forward.payload_bytes = random.Below(1'000'000'000'000);
      flows.back().reverse.payload_bytes = random.Below(1'000'000'000'000);
    }
    return flows;
  };
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->Write(take(), {}).ok());
  // All of it is in the file, not in the log.
  ASSERT_TRUE(store->Retain({}, At(std::chrono::hours(48))).ok());
  const StoreSize before = *store->Size();
  const std::uint64_t length = std::filesystem::file_size(path());
  ASSERT_NEAR(static_cast<double>(OnDisk(path())), static_cast<double>(before.file_bytes), 65'536);
  const auto deleted = store->DeleteBefore(At(std::chrono::hours(24)));
  ASSERT_TRUE(deleted.ok()) << deleted.status();
  ASSERT_GT(*deleted, 200'000u);
  const StoreSize after = *store->Size();
  ASSERT_GT(before.file_bytes - after.file_bytes, 6u << 20) << "more than is moved at once";
  EXPECT_LT(after.free_bytes, before.file_bytes / 100) << "nothing is left to give back";
  EXPECT_EQ(after.log_bytes, 0u);
  EXPECT_NEAR(static_cast<double>(OnDisk(path())), static_cast<double>(after.file_bytes), 65'536)
      << "as du tells";
  EXPECT_LT(std::filesystem::file_size(path()), length) << "and some as ls does";
  EXPECT_GT(std::filesystem::file_size(path()), after.file_bytes);
  EXPECT_EQ(Ask(path(), "PRAGMA integrity_check(1)"), "ok");
  const TrafficTotals total = store->Top({})->total;
  EXPECT_EQ(total.flows, 500'000u - *deleted);
  EXPECT_EQ(store->Top({.filter = *FlowFilter::Parse("bytes>=0")})->total, total);
  // New flows fill the holes before the file grows.
  const std::uint64_t shortened = std::filesystem::file_size(path());
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(store->Write(take(), {}).ok());
  ASSERT_TRUE(store->Retain({}, At(std::chrono::hours(48))).ok());
  EXPECT_LE(std::filesystem::file_size(path()), shortened);
  EXPECT_GT(store->Size()->file_bytes, after.file_bytes);
  EXPECT_EQ(Ask(path(), "PRAGMA integrity_check(1)"), "ok");
  // Run after run the file gets as short as what it has.
  std::uint64_t last = shortened;
  for (int i = 0; i < 20; ++i) {
    ASSERT_TRUE(store->Retain({}, At(std::chrono::hours(48))).ok());
    EXPECT_LE(std::filesystem::file_size(path()), last);
    last = std::filesystem::file_size(path());
  }
  EXPECT_EQ(Ask(path(), "PRAGMA freelist_count"), "0");
}

TEST_F(StoreHoles, TakeNoLockFromTheDatabase) {
  Fill(6'000);
  const auto connection = DeleteHalf();
  ASSERT_EQ(*store::PunchFreePages(*connection), Punched::kDone);
  ASSERT_LT(OnDisk(path()), std::filesystem::file_size(path()));
  // Who has the database open has a lock on these bytes of it.
  const pid_t child = fork();
  if (child == 0) {
    const int file = open(path().c_str(), O_RDWR | O_CLOEXEC);
    struct flock lock {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = 0x40000002;
    lock.l_len = 510;
    _exit(file >= 0 && fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK ? 0 : 1);
  }
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "another process could take the database for unused";
}

TEST_F(StoreHoles, WaitForWhoeverReadsWhatWasBefore) {
  Fill(6'000);
  sqlite3* reader = nullptr;
  ASSERT_EQ(sqlite3_open(path().c_str(), &reader), SQLITE_OK);
  const char* const kSum = "SELECT sum(length(data) + unicode(hex(data))) FROM flow_data";
  std::string sums[2];
  const auto take = [](void* to, int, char** values, char**) {
    *static_cast<std::string*>(to) = values[0];
    return 0;
  };
  sqlite3_exec(reader, "BEGIN", nullptr, nullptr, nullptr);
  ASSERT_EQ(sqlite3_exec(reader, kSum, take, &sums[0], nullptr), SQLITE_OK);
  const auto connection = DeleteHalf();
  EXPECT_EQ(*store::PunchFreePages(*connection), Punched::kLater);
  ASSERT_EQ(sqlite3_exec(reader, kSum, take, &sums[1], nullptr), SQLITE_OK);
  EXPECT_EQ(sums[0], sums[1]);
  sqlite3_exec(reader, "COMMIT", nullptr, nullptr, nullptr);
  // Who reads what is now is in nobody's way.
  sqlite3_exec(reader, "BEGIN", nullptr, nullptr, nullptr);
  ASSERT_EQ(sqlite3_exec(reader, kSum, take, &sums[0], nullptr), SQLITE_OK);
  EXPECT_EQ(*store::PunchFreePages(*connection), Punched::kDone);
  EXPECT_LT(OnDisk(path()), std::filesystem::file_size(path()));
  ASSERT_EQ(sqlite3_exec(reader, kSum, take, &sums[1], nullptr), SQLITE_OK);
  EXPECT_EQ(sums[0], sums[1]);
  sqlite3_close(reader);
}

TEST_F(StoreHoles, AreNotMadeWhereAnythingIsUsed) {
  Fill(6'000);
  DeleteHalf().reset();
  const auto number = [](const std::string& bytes, std::size_t at) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i)
      value = value << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return value;
  };
  std::ifstream in(path(), std::ios::binary);
  std::string file((std::istreambuf_iterator<char>(in)), {});
  in.close();
  const std::size_t list = (number(file, 32) - 1) * 4'096;
  ASSERT_GT(number(file, list + 4), 0u);
  // The list names page 3, which is a table; itself as the next one; too many; a page far outside.
  const std::pair<std::size_t, std::uint32_t> faults[] = {{list + 8, 3},
                                                          {list, number(file, 32)},
                                                          {list + 4, 1'023},
                                                          {list + 8, 0x7fffffff},
                                                          {36, number(file, 36) + 1}};
  for (const auto& [place, value] : faults) {
    std::string damaged = file;
    for (std::size_t i = 0; i < 4; ++i) {
      damaged[place + i] = static_cast<char>(value >> (24 - 8 * i));
    }
    const std::string name = directory_.File("damaged.db");
    std::ofstream(name, std::ios::binary) << damaged;
    auto connection = store::Connection::Open(name, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(connection.ok());
    const auto punched = store::PunchFreePages(**connection);
    EXPECT_TRUE(absl::IsDataLoss(punched.status())) << place << " " << punched.status();
    connection->reset();
    std::ifstream again(name, std::ios::binary);
    EXPECT_EQ(std::string((std::istreambuf_iterator<char>(again)), {}), damaged) << place;
  }
}

TEST_F(StoreHoles, FileThatCannotHaveThemIsShortened) {
  // A device that has no holes: what it says is what some file systems do.
  const store::FileRange range{.offset = 0, .size = 4'096};
  const absl::Status status = store::PunchHoles("/dev/null", std::span(&range, 1));
  EXPECT_FALSE(status.ok());
  const auto store = *Store::Open({.path = ":memory:", .flows_per_block = 256});
  ASSERT_TRUE(store->Write(random_.Take(20'000), {}).ok());
  const std::uint64_t before = store->Size()->file_bytes;
  ASSERT_TRUE(store->DeleteBefore(At(std::chrono::minutes(30))).ok());
  EXPECT_LT(store->Size()->file_bytes, before);
  EXPECT_EQ(store->Size()->free_bytes, 0u);
}

// From here on with the simulated disk.

// What a store holds after holes were made while everything else went on, as ContentsOf.
TEST_F(StoreHoles, PowerFailureWhileTheyAreMadeLosesNothing) {
  FaultVfs& vfs = FaultVfs::Install();
  vfs.StartRecording();
  std::vector<std::string> states;
  const auto note = [&] {
    auto store = Store::Open(Scenario::Options(path()));
    states.push_back(ContentsOf(**store));
  };
  Fill(6'000);
  note();
  const std::size_t first = vfs.events().size();
  {
    const auto connection = DeleteHalf();
    ASSERT_EQ(*store::PunchFreePages(*connection), Punched::kDone);
  }
  note();
  {
    auto store = Store::Open(Scenario::Options(path()));
    ASSERT_TRUE((*store)->Write(random_.Take(3'000), {}).ok());
    ASSERT_TRUE((*store)->DeleteBefore(At(std::chrono::minutes(40))).ok());
  }
  note();
  const std::vector<FaultVfs::Event> events = vfs.TakeRecord();
  std::size_t holes = 0;
  for (const auto& event : events) holes += event.action == FaultVfs::Action::kHole ? 1 : 0;
  ASSERT_GT(holes, 3u);
  RandomFlows random(63);
  const std::uint64_t cuts = CountFrom("NTA_POWER_CUTS", 100);
  for (std::uint64_t round = 0; round < cuts; ++round) {
    const std::size_t cut = first + round * (events.size() - first) / cuts;
    for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
      std::filesystem::remove(entry.path());
    }
    for (const auto& [name, contents] : FilesAfterPowerFailure(events, cut, random)) {
      std::ofstream(name, std::ios::binary) << contents;
    }
    {
      auto store = Store::Open(Scenario::Options(path()));
      ASSERT_TRUE(store.ok()) << "cut " << cut << ": " << store.status();
      // Totals and flows are read, and compared with each other.
      EXPECT_NE(ContentsOf(**store), "") << "cut " << cut;
      EXPECT_TRUE((*store)->Write(random.Take(300), {}).ok()) << "cut " << cut;
    }
    EXPECT_EQ(Ask(path(), "PRAGMA integrity_check(1)"), "ok") << "cut " << cut;
  }
}

TEST_F(StoreHoles, DiskThatFailsWhileTheyAreMadeIsToldAndLosesNothing) {
  FaultVfs& vfs = FaultVfs::Install();
  Fill(6'000);
  auto connection = DeleteHalf();
  std::string before;
  {
    auto store = Store::Open(Scenario::Options(path()));
    before = ContentsOf(**store);
  }
  std::uint64_t failed = 0;
  for (std::uint64_t number = 1; number < 1'000; ++number) {
    vfs.FailAt(number, FaultVfs::Fault::kIoError);
    const auto punched = store::PunchFreePages(*connection);
    vfs.Clear();
    EXPECT_TRUE(IsTyped(punched.status())) << number << " " << punched.status();
    if (!vfs.was_hit()) {
      EXPECT_EQ(*punched, Punched::kDone);
      break;
    }
    ++failed;
  }
  EXPECT_GT(failed, 5u);
  connection.reset();
  auto store = Store::Open(Scenario::Options(path()));
  EXPECT_EQ(ContentsOf(**store), before);
  store->reset();
  EXPECT_EQ(Ask(path(), "PRAGMA integrity_check(1)"), "ok");
}

}  // namespace
}  // namespace nta
