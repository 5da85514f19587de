#include "nta/store/store_writer.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace nta
