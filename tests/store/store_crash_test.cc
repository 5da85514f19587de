// Killed processes, full disks, many threads.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <thread>

#include "nta/store/store_writer.h"
#include "store/store_scenario.h"

namespace nta {
namespace {

class StoreCrash : public StoreTest {};

// Writes batches of 100 flows into `path` and tells each on `acknowledged`, until it is killed.
[[noreturn]] void WriteUntilKilled(const std::string& path, int acknowledged) {
  // Small blocks, so that many of the points are within sealing one.
  auto store = Store::Open({.path = path, .flows_per_block = 256, .reserve_bytes = 0});
  if (!store.ok()) _exit(1);
  RandomFlows random(static_cast<unsigned>(getpid()));
  while ((*store)->Write(random.Take(100), {}).ok()) {
    if (write(acknowledged, "x", 1) != 1) break;
  }
  _exit(1);
}

TEST_F(StoreCrash, KilledWriterLosesNothingThatWasAcknowledged) {
  OpenStore();
  std::uint64_t acknowledged = 0;
  const std::uint64_t rounds = CountFrom("NTA_KILLS", 40);
  RandomFlows random(62);
  for (std::uint64_t round = 0; round < rounds; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) WriteUntilKilled(path(), pipe_ends[1]);
    close(pipe_ends[1]);
    char byte = 0;
    const std::uint64_t wait_for = 1 + random.Below(8);
    for (std::uint64_t i = 0; i < wait_for; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &byte, 1), 1) << "the writer failed";
    }
    acknowledged += wait_for;
    // Anywhere within the batch that comes next.
    usleep(static_cast<useconds_t>(random.Below(1'500)));
    ASSERT_EQ(kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    // What was acknowledged between our last look and the kill.
    while (read(pipe_ends[0], &byte, 1) == 1) ++acknowledged;
    close(pipe_ends[0]);
    const auto opening = std::chrono::steady_clock::now();
    const auto store = OpenStore();
    ASSERT_NE(store, nullptr);
    EXPECT_LT(std::chrono::steady_clock::now() - opening, std::chrono::seconds(1));
    const std::uint64_t flows = store->Top({})->total.flows;
    EXPECT_GE(flows, acknowledged * 100);
    // At most the one batch more that was committed and not yet acknowledged, and no half of one.
    EXPECT_LE(flows, (acknowledged + 1) * 100);
    EXPECT_EQ(flows % 100, 0u);
    if (round % 10 == 0) {
      EXPECT_EQ(store->Top({.filter = *FlowFilter::Parse("bytes>=0")})->total,
                store->Top({})->total);
    }
    acknowledged = flows / 100;
  }
}

// A file system of 4 MiB in a mount namespace of our own. Runs `body` in a child process, which
// answers how many of its checks failed; 100 says that it may not mount.
int OnSmallDisk(const std::string& directory, int (*body)(const std::string& directory)) {
  const pid_t child = fork();
  if (child == 0) {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) _exit(100);
    // Nothing of it may be seen outside; without this a shared mount would be.
    if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) _exit(100);
    if (mount("tmpfs", directory.c_str(), "tmpfs", 0, "size=4m") != 0) _exit(100);
    _exit(body(directory));
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 101;
}

int FillTheDisk(const std::string& directory) {
  int failures = 0;
  const auto check = [&failures](bool holds, const char* what) {
    if (!holds) {
      ++failures;
      fprintf(stderr, "failed: %s\n", what);
    }
  };
  auto store = Store::Open({.path = directory + "/nta.db"});
  if (!store.ok()) return 50;
  RandomFlows random(51);
  std::uint64_t written = 0;
  absl::Status status;
  while (status.ok() && written < 1'000'000) {
    status = (*store)->Write(random.Take(500), {});
    if (status.ok()) written += 500;
  }
  fprintf(stderr, "%s\n", status.ToString().c_str());
  check(absl::IsResourceExhausted(status), "a full disk is ResourceExhausted");
  check(written > 0, "something fit");
  const auto total = (*store)->Top({});
  check(total.ok() && total->total.flows == written, "nothing lost, nothing half written");
  // A writer keeps what it could not write and goes on when there is space again.
  StoreWriter writer(**store, {.max_queued_flows = 20'000});
  writer.Add(random.Take(15'000), {});
  std::stop_source stopped;
  stopped.request_stop();
  writer.Run(stopped.get_token());
  check(absl::IsResourceExhausted(writer.Stats().last_error), "the writer tells");
  check(writer.Stats().queue == 15'000, "the writer keeps its queue");
  if (mount("tmpfs", directory.c_str(), "tmpfs", MS_REMOUNT, "size=64m") != 0) return 51;
  writer.Run(stopped.get_token());
  check(writer.Stats().last_error.ok(), "the writer recovers");
  check(writer.Stats().queue == 0 && writer.Stats().flows_written == 15'000,
        "the queue is written");
  const auto again = (*store)->Top({});
  check(again.ok() && again->total.flows == written + 15'000, "everything is there");
  store->reset();
  const auto reopened = Store::Open({.path = directory + "/nta.db"});
  check(reopened.ok() && (*reopened)->Top({})->total.flows == written + 15'000,
        "also after reopening");
  return failures;
}

// Fills the disk to the last byte, with another file, too; then only retention may help.
int FillTheDiskAndClean(const std::string& directory) {
  int failures = 0;
  const auto check = [&failures](bool holds, const char* what) {
    if (!holds) {
      ++failures;
      fprintf(stderr, "failed: %s\n", what);
    }
  };
  if (mount("tmpfs", directory.c_str(), "tmpfs", MS_REMOUNT, "size=48m") != 0) return 51;
  auto store = Store::Open(
      {.path = directory + "/nta.db", .flows_per_block = 4'096, .reserve_bytes = 8 << 20});
  if (!store.ok()) return 50;
  const std::string reserve = directory + "/nta.db-reserve";
  check(std::filesystem::exists(reserve), "there is a reserve");
  RandomFlows random(52, 48 * 60);
  absl::Status status;
  while (status.ok()) status = (*store)->Write(random.Take(2'000), {});
  check(absl::IsResourceExhausted(status), "a full disk is ResourceExhausted");
  {
    FILE* filler = fopen((directory + "/filler").c_str(), "wb");
    const std::string block(4'096, 'x');
    while (fwrite(block.data(), 1, block.size(), filler) == block.size() && fflush(filler) == 0) {
    }
    fclose(filler);
  }
  const std::uint64_t before = (*store)->Size()->flows;
  const auto result =
      (*store)->Retain({.flow_age = std::chrono::hours(24)}, At(std::chrono::hours(48)));
  fprintf(stderr, "%s\n", result.status().ToString().c_str());
  check(result.ok(), "retention works on a full disk");
  check(result.ok() && result->flows_deleted > before / 3, "it deletes what is old");
  check((*store)->Write(random.Take(2'000), {}).ok(), "and there is space again");
  check(std::filesystem::exists(reserve), "the reserve is there again");
  TopQuery query;
  const auto rollup = (*store)->Top(query);
  query.filter = *FlowFilter::Parse("bytes>=0");
  check(rollup.ok() && rollup->total == (*store)->Top(query)->total, "totals are true");
  return failures;
}

// All of it is in the log, beside a database of next to nothing.
int FillASmallDiskAndShrink(const std::string& directory) {
  if (mount("tmpfs", directory.c_str(), "tmpfs", MS_REMOUNT, "size=12m") != 0) return 51;
  auto store = Store::Open({.path = directory + "/nta.db"});
  if (!store.ok()) return 50;
  RandomFlows random(53);
  absl::Status status;
  while (status.ok()) status = (*store)->Write(random.Take(500), {});
  if (!absl::IsResourceExhausted(status)) return 1;
  if ((*store)->Size()->log_bytes < 2 << 20) return 2;
  const auto result = (*store)->Retain({.max_bytes = 1 << 20}, At(std::chrono::hours(48)));
  fprintf(stderr, "%s\n", result.status().ToString().c_str());
  if (!result.ok() || result->flows_deleted == 0) return 3;
  if (result->bytes_after > 1 << 20 || (*store)->Size()->log_bytes > 0) return 4;
  if (!std::filesystem::exists(directory + "/nta.db-reserve")) return 5;
  return (*store)->Write(random.Take(2'000), {}).ok() ? 0 : 6;
}

TEST_F(StoreCrash, RetentionWorksOnAFullDiskWhoseDataAreAllInTheLog) {
  const int result = OnSmallDisk(directory_.File(""), &FillASmallDiskAndShrink);
  if (result == 100) GTEST_SKIP() << "SKIPPED: not permitted to mount a small file system";
  EXPECT_EQ(result, 0);
}

TEST_F(StoreCrash, FullDiskIsToldAndLosesNothing) {
  const int result = OnSmallDisk(directory_.File(""), &FillTheDisk);
  if (result == 100) GTEST_SKIP() << "SKIPPED: not permitted to mount a small file system";
  EXPECT_EQ(result, 0);
}

TEST_F(StoreCrash, EightReadersBesideAWriterAndADeleterAlwaysSeeWholeBatches) {
  const auto store = OpenStore();
  std::atomic<bool> stop = false;
  std::atomic<int> answers = 0;
  const auto read = [&](unsigned seed) {
    RandomFlows random(seed);
    while (!stop) {
      const auto top = store->Top({.dimension = TopDimension::kProtocol, .limit = 1'000});
      ASSERT_TRUE(top.ok()) << top.status();
      std::uint64_t flows = 0;
      for (const TopRow& row : top->rows) flows += row.totals.flows;
      EXPECT_EQ(flows, top->total.flows) << "total and rows are of one moment";
      EXPECT_EQ(flows % 50, 0u) << "half a batch";
      const auto page = store->Flows({.limit = 1 + random.Below(20)});
      EXPECT_TRUE(page.ok()) << page.status();
      EXPECT_TRUE(store->Series({.step = std::chrono::minutes(5)}).ok());
      EXPECT_TRUE(store->Alerts({}).ok());
      ++answers;
    }
  };
  std::vector<std::jthread> readers;
  for (unsigned i = 0; i < 8; ++i) readers.emplace_back(read, i);
  StoreWriter writer(*store);
  std::jthread writer_thread([&](std::stop_token token) { writer.Run(token); });
  RandomFlows random(61);
  for (int i = 0; i < 60; ++i) {
    Alert alert;
    alert.id = std::to_string(i % 10);
    EXPECT_TRUE(store->Write(random.Take(50), {&alert, 1}).ok());
    EXPECT_TRUE(
        store->MarkCaptured({At(std::chrono::minutes(i)), At(std::chrono::minutes(i + 1))}).ok());
    // Before everything: takes the writer's turn and deletes nothing.
    const auto deleted = store->DeleteBefore(At(-std::chrono::hours(24)));
    ASSERT_TRUE(deleted.ok()) << deleted.status();
    EXPECT_EQ(*deleted, 0u);
  }
  stop = true;
  readers.clear();
  EXPECT_GT(answers, 8);
  EXPECT_EQ(store->Top({})->total.flows, 3'000u);
}

TEST_F(StoreCrash, ReadersWithoutPauseDoNotLetTheLogGrow) {
  const auto store = OpenStore();
  std::atomic<bool> stop = false;
  const auto read = [&] {
    while (!stop) EXPECT_TRUE(store->Alerts({.limit = 3}).ok());
  };
  std::vector<std::jthread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back(read);
  constexpr std::uint64_t kMebibyte = 1 << 20;
  std::uint64_t greatest = 0;
  for (int i = 0; i < 150; ++i) {
    Alert alert;
    alert.id = std::to_string(i % 4);
    alert.summary = std::string(kMebibyte, static_cast<char>('a' + i % 26));
    EXPECT_TRUE(store->Write({}, {&alert, 1}).ok());
    greatest = std::max(greatest, store->Size()->log_bytes);
  }
  stop = true;
  readers.clear();
  EXPECT_LT(greatest, 70 * kMebibyte);
}

TEST_F(StoreCrash, RetentionWorksOnAFullDisk) {
  const int result = OnSmallDisk(directory_.File(""), &FillTheDiskAndClean);
  if (result == 100) GTEST_SKIP() << "SKIPPED: not permitted to mount a small file system";
  EXPECT_EQ(result, 0);
}

TEST_F(StoreCrash, TwoStoresMayWriteToOneFile) {
  const auto first = OpenStore();
  const auto second = OpenStore();
  const auto write = [](Store& store, unsigned seed) {
    RandomFlows random(seed);
    for (int i = 0; i < 20; ++i) EXPECT_TRUE(store.Write(random.Take(20), {}).ok());
  };
  {
    std::jthread a(write, std::ref(*first), 71);
    std::jthread b(write, std::ref(*second), 72);
  }
  EXPECT_EQ(first->Top({})->total.flows, 800u);
  EXPECT_EQ(second->Flows({.limit = 10'000})->flows.size(), 800u);
}

}  // namespace
}  // namespace nta
