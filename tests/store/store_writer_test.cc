#include "nta/store/store_writer.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "store/store_fixture.h"

namespace nta {
namespace {

// Looks again and again until it holds; false after ten seconds.
template <typename Condition>
bool Eventually(Condition condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::yield();
  }
  return true;
}

class StoreWriterTest : public StoreTest {};

TEST_F(StoreWriterTest, WritesWhatIsAddedAndAtTheEndWhatIsLeft) {
  const auto store = OpenStore();
  StoreWriter writer(*store, {.interval = std::chrono::milliseconds(1)});
  RandomFlows random(31);
  Alert alert;
  alert.id = "a";
  {
    std::jthread thread([&](std::stop_token stop) { writer.Run(stop); });
    writer.Add(random.Take(10), {&alert, 1});
    EXPECT_TRUE(Eventually([&] { return writer.Stats().flows_written == 10; }));
    EXPECT_EQ(store->Flows({})->flows.size(), 10u);
    for (int i = 0; i < 50; ++i) writer.Add(random.Take(10), {});
  }
  const StoreWriterStats stats = writer.Stats();
  EXPECT_EQ(stats.flows_written, 510u);
  EXPECT_EQ(stats.alerts_written, 1u);
  EXPECT_EQ(stats.flows_dropped + stats.alerts_dropped, 0u);
  EXPECT_EQ(stats.queue, 0u);
  EXPECT_TRUE(stats.last_error.ok());
  EXPECT_EQ(store->Top({})->total.flows, 510u);
}

TEST_F(StoreWriterTest, StopsAtOnceHoweverLongTheInterval) {
  const auto store = OpenStore();
  StoreWriter writer(*store, {.interval = std::chrono::hours(1)});
  writer.Add(RandomFlows(32).Take(5), {});
  const auto start = std::chrono::steady_clock::now();
  {
    std::jthread thread([&](std::stop_token stop) { writer.Run(stop); });
  }
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
  EXPECT_EQ(writer.Stats().flows_written, 5u);
  // Stopped before it began, it still writes what is left.
  writer.Add(RandomFlows(33).Take(5), {});
  std::stop_source stopped;
  stopped.request_stop();
  writer.Run(stopped.get_token());
  EXPECT_EQ(writer.Stats().flows_written, 10u);
}

TEST_F(StoreWriterTest, DropsAndCountsWhatTheQueueCannotTake) {
  const auto store = OpenStore();
  StoreWriter writer(*store, {.max_queued_flows = 7, .max_queued_alerts = 1});
  writer.Add(RandomFlows(34).Take(10), std::vector<Alert>(3));
  StoreWriterStats stats = writer.Stats();
  EXPECT_EQ(stats.queue, 7u);
  EXPECT_EQ(stats.flows_dropped, 3u);
  EXPECT_EQ(stats.alerts_dropped, 2u);
  std::stop_source stopped;
  stopped.request_stop();
  writer.Run(stopped.get_token());
  EXPECT_EQ(writer.Stats().flows_written, 7u);
  EXPECT_EQ(writer.Stats().alerts_written, 1u);
}

TEST_F(StoreWriterTest, AFlowThatNoStoreKeepsDoesNotHoldUpTheOthers) {
  const auto store = OpenStore();
  StoreWriter writer(*store);
  std::vector<FlowRecord> flows = RandomFlows(35).Take(3);
  flows[1].last_seen = flows[1].first_seen - Duration(1);
  writer.Add(flows, {});
  std::stop_source stopped;
  stopped.request_stop();
  writer.Run(stopped.get_token());
  EXPECT_EQ(writer.Stats().flows_written, 2u);
  EXPECT_EQ(writer.Stats().flows_dropped, 1u);
}

TEST_F(StoreWriterTest, AFullQueueIsWrittenBeforeTheIntervalIsOver) {
  const auto store = OpenStore();
  StoreWriter writer(*store, {.max_queued_flows = 100, .interval = std::chrono::hours(1)});
  std::jthread thread([&](std::stop_token stop) { writer.Run(stop); });
  writer.Add(RandomFlows(36).Take(50), {});
  EXPECT_TRUE(Eventually([&] { return writer.Stats().flows_written == 50; }));
}

// An import would hold up capture for as long as it lasts.
TEST_F(StoreWriterTest, OthersWriteWhileAnImportIsUnderWay) {
  const auto store = OpenStore();
  RandomFlows random(93);
  int slices = 0;
  const auto next = [&]() -> absl::StatusOr<std::vector<FlowRecord>> {
    if (++slices > 10) return std::vector<FlowRecord>();
    EXPECT_TRUE(store->Write(random.Take(10), {}).ok());
    EXPECT_EQ(store->Size()->flows, static_cast<std::uint64_t>(slices) * 10) << "all or nothing";
    return random.Take(300);
  };
  const auto imported = store->Import(next);
  ASSERT_TRUE(imported.ok()) << imported.status();
  EXPECT_EQ(*imported, 3'000u);
  EXPECT_EQ(store->Size()->flows, 3'100u);
  for (const TopDimension dimension : {TopDimension::kAddress, TopDimension::kProtocol}) {
    TopQuery query{.dimension = dimension, .limit = 1'000};
    const auto rollup = store->Top(query);
    query.filter = *FlowFilter::Parse("bytes>=0");
    EXPECT_EQ(rollup->total, store->Top(query)->total);
  }
  // No id twice.
  std::set<std::int64_t> ids;
  const auto page = store->Flows({.limit = 10'000});
  for (const StoredFlow& flow : page->flows) ids.insert(flow.id);
  EXPECT_EQ(ids.size(), 3'100u);
}

TEST_F(StoreWriterTest, AnImportThatFailsLeavesNothing) {
  const auto store = OpenStore();
  RandomFlows random(94);
  int slices = 0;
  const auto next = [&]() -> absl::StatusOr<std::vector<FlowRecord>> {
    if (++slices == 5) return absl::CancelledError("no more");
    return random.Take(300);
  };
  EXPECT_TRUE(absl::IsCancelled(store->Import(next).status()));
  EXPECT_EQ(store->Size()->flows, 0u);
  for (const auto& entry : std::filesystem::directory_iterator(directory_.File(""))) {
    EXPECT_EQ(entry.path().string().find("scratch"), std::string::npos);
  }
}

TEST_F(StoreWriterTest, AWriteDoesNotWaitForEver) {
  if (is_postgres()) GTEST_SKIP() << "its writers wait for its own locks";
  const auto store = *Store::Open({.path = path(), .write_timeout = std::chrono::milliseconds(20)});
  const absl::Status exchanged = store->Exchange(
      [&]() -> absl::Status {
        EXPECT_TRUE(absl::IsUnavailable(store->PutSetting("mark", "one")));
        return absl::OkStatus();
      },
      [] { return absl::OkStatus(); });
  EXPECT_TRUE(exchanged.ok()) << exchanged;
  EXPECT_TRUE(store->PutSetting("mark", "one").ok());
}

TEST_F(StoreWriterTest, IsNotMadeWhenNobodyWantsItMade) {
  if (is_postgres()) GTEST_SKIP() << "a database is never made";
  EXPECT_TRUE(absl::IsNotFound(Store::Open({.path = path(), .create = false}).status()));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace nta
