#include <gtest/gtest.h>

#include "store/store_fixture.h"

namespace nta {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

const FlowFilter kEveryFlow = *FlowFilter::Parse("bytes>=0");

class StoreRetention : public StoreTest {
 protected:
  std::uint64_t BytesOnDisk() {
    return is_postgres() ? OpenStore()->Size()->file_bytes : std::filesystem::file_size(path());
  }
};

TEST_F(StoreRetention, DeletesFlowsThatEndedBeforeAndKeepsTotalsTrue) {
  for (const Duration cut :
       {Duration(minutes(20)), Duration(minutes(20)) + Duration(12'345'678'901)}) {
    const auto store = *Store::Open({.path = ":memory:", .flows_per_block = 256});
    const std::vector<FlowRecord> flows = RandomFlows(21).Take(2'000);
    ASSERT_TRUE(store->Write(flows, {}).ok());
    std::uint64_t ended = 0;
    for (const FlowRecord& flow : flows) ended += flow.last_seen < At(cut) ? 1 : 0;
    const auto deleted = store->DeleteBefore(At(cut));
    ASSERT_TRUE(deleted.ok()) << deleted.status();
    EXPECT_EQ(*deleted, ended);
    EXPECT_GT(ended, 100u);
    const auto page = store->Flows({.limit = 10'000});
    EXPECT_EQ(page->flows.size(), flows.size() - ended);
    for (const StoredFlow& stored : page->flows) EXPECT_GE(stored.flow.last_seen, At(cut));
    for (const TopDimension dimension :
         {TopDimension::kAddress, TopDimension::kProtocol, TopDimension::kSourcePort}) {
      for (int minute = 0; minute < 60; minute += 3) {
        TopQuery query{.interval = {At(minutes(minute)), At(minutes(minute + 3))},
                       .dimension = dimension,
                       .limit = 1'000};
        const auto rollup = store->Top(query);
        query.filter = kEveryFlow;
        const auto raw = store->Top(query);
        EXPECT_EQ(rollup->total, raw->total) << minute;
        ASSERT_EQ(rollup->rows.size(), raw->rows.size());
        for (std::size_t i = 0; i < raw->rows.size(); ++i)
          EXPECT_EQ(rollup->rows[i].totals, raw->rows[i].totals);
      }
    }
  }
}

TEST_F(StoreRetention, DeletesInStepsAndGivesSpaceBack) {
  auto store = OpenStore();
  RandomFlows random(22);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(store->Write(random.Take(20'000), {}).ok());
  store.reset();
  const auto before = BytesOnDisk();
  store = OpenStore();
  EXPECT_EQ(*store->DeleteBefore(At(minutes(24 * 60))), 120'000u);
  EXPECT_EQ(store->Top({})->total, TrafficTotals{});
  EXPECT_EQ(store->Flows({})->flows.size(), 0u);
  // The file shrinks when the log reaches it, at the latest when the store closes.
  ASSERT_TRUE(store->Write(random.Take(1), {}).ok());
  EXPECT_EQ(store->Flows({})->flows.at(0).id, 120'001) << "ids are not used twice";
  store.reset();
  // PostgreSQL's own tables are never empty.
  EXPECT_LT(BytesOnDisk(), is_postgres() ? before / 2 : before / 10);
}

TEST_F(StoreRetention, DeletesAlertsAndWhatWasCaptured) {
  const auto store = OpenStore();
  std::vector<Alert> alerts(2);
  alerts[0].id = "old";
  alerts[0].time = At(seconds(59));
  alerts[0].evidence = {{"n", std::int64_t{1}}};
  alerts[1].id = "new";
  alerts[1].time = At(seconds(60));
  ASSERT_TRUE(store->Write({}, alerts).ok());
  ASSERT_TRUE(store->MarkCaptured({kEight, At(minutes(3))}).ok());
  EXPECT_EQ(*store->DeleteBefore(At(seconds(60))), 0u);
  EXPECT_EQ(store->Alerts({})->alerts.size(), 1u);
  EXPECT_EQ(store->Alerts({})->alerts[0].id, "new");
  const auto series = store->Series({.interval = {kEight, At(minutes(4))}, .by = SeriesBy::kNone});
  EXPECT_FALSE(series->lines.at(0).values[0].has_value()) << "what is gone is not silence";
  EXPECT_TRUE(series->lines.at(0).values[1].has_value());
  EXPECT_TRUE(series->lines.at(0).values[2].has_value());
  EXPECT_FALSE(series->lines.at(0).values[3].has_value());
}

TEST_F(StoreRetention, KeepsWhatThePolicySaysAndCutsAtWholeHours) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows;
  for (int hour = 0; hour < 48; ++hour) {
    flows.push_back(TcpFlow(At(std::chrono::hours(hour)), Duration(1), kClient, kServer));
  }
  Alert alert;
  alert.id = "old";
  alert.time = kEight;
  ASSERT_TRUE(store->Write(flows, {&alert, 1}).ok());
  const Timestamp now = At(std::chrono::hours(48) + minutes(30));
  const auto result = store->Retain({.flow_age = std::chrono::hours(10)}, now);
  ASSERT_TRUE(result.ok()) << result.status();
  // Flows of 08:00 two days on less ten hours and what is left of the hour stay.
  EXPECT_EQ(result->flows_deleted, 38u);
  EXPECT_EQ(result->alerts_deleted, 0u);
  EXPECT_FALSE(result->clock_jumped);
  EXPECT_EQ(store->Retain({.alert_age = std::chrono::hours(24)}, now)->alerts_deleted, 1u);
  EXPECT_EQ(store->Retain({.flow_age = minutes(59)}, now).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreRetention, AClockThatJumpsDoesNotEmptyTheStore) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows;
  for (int day = 0; day < 20; ++day) {
    flows.push_back(TcpFlow(At(std::chrono::hours(24 * day)), Duration(1), kClient, kServer));
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const RetentionPolicy policy{.flow_age = std::chrono::hours(24 * 10)};
  const Timestamp now = At(std::chrono::hours(24 * 19 + 1));
  EXPECT_EQ(store->Retain(policy, now)->flows_deleted, 10u);
  const auto jumped = store->Retain(policy, now + std::chrono::hours(24 * 3650));
  EXPECT_TRUE(jumped->clock_jumped);
  EXPECT_EQ(jumped->flows_deleted, 1u) << "one day's";
  EXPECT_EQ(store->Retain(policy, now - std::chrono::hours(24 * 3650))->flows_deleted, 0u);
  EXPECT_EQ(store->Retain(policy, now)->flows_deleted, 0u);
  EXPECT_EQ(store->Size()->flows, 9u);
}

TEST_F(StoreRetention, ShrinksByWholeDaysInPostgres) {
  if (!is_postgres()) GTEST_SKIP() << "a file shrinks by less, see below";
  auto store = OpenStore();
  for (int day = 0; day < 4; ++day) {
    RandomFlows random(24);
    std::vector<FlowRecord> flows = random.Take(2'000);
    for (FlowRecord& flow : flows) {
      flow.first_seen += std::chrono::days(day);
      flow.last_seen += std::chrono::days(day);
    }
    ASSERT_TRUE(store->Write(flows, {}).ok());
  }
  const StoreSize before = *store->Size();
  EXPECT_EQ(before.flows, 8'000u);
  const auto result = store->Retain({.max_bytes = before.file_bytes * 3 / 4}, At(minutes(0)));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GE(result->flows_deleted, 1'500u);
  EXPECT_LE(result->bytes_after, before.file_bytes * 3 / 4);
  EXPECT_EQ(store->Size()->flows, 8'000 - result->flows_deleted);
  const auto oldest = store->Flows({.order = FlowOrder::kOldestFirst, .limit = 1});
  EXPECT_GE(oldest->flows.at(0).flow.last_seen, At(std::chrono::hours(15)));
  // The newest day stays, however few bytes are asked for.
  ASSERT_TRUE(store->Retain({.max_bytes = 1}, At(minutes(0))).ok());
  EXPECT_GT(store->Size()->flows, 0u);
}

TEST_F(StoreRetention, ShrinksToTheBytesAskedFor) {
  if (is_postgres()) GTEST_SKIP() << "PostgreSQL shrinks by whole days, see above";
  auto store = OpenStore();
  RandomFlows random(23, 24 * 60);
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(store->Write(random.Take(2'000), {}).ok());
  const StoreSize before = *store->Size();
  EXPECT_EQ(before.flows, 40'000u);
  EXPECT_GT(before.log_bytes, 0u);
  const std::uint64_t most = (before.file_bytes - before.free_bytes) / 2;
  const auto result = store->Retain({.max_bytes = most}, At(minutes(0)));
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_GT(result->flows_deleted, 5'000u);
  EXPECT_LE(result->bytes_after, most);
  EXPECT_EQ(store->Size()->flows, 40'000 - result->flows_deleted);
  EXPECT_LE(BytesOnDisk(), most);
  // The oldest went.
  const auto oldest = store->Flows({.order = FlowOrder::kOldestFirst, .limit = 1});
  EXPECT_GT(oldest->flows.at(0).flow.last_seen, At(minutes(120)));
  TopQuery query{.limit = 1'000};
  const auto rollup = store->Top(query);
  query.filter = kEveryFlow;
  EXPECT_EQ(rollup->total, store->Top(query)->total);
}

}  // namespace
}  // namespace nta
