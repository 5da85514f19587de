#include <gtest/gtest.h>

#include "nta/store/incidents.h"
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

// One every minute from eight on, each with evidence.
std::vector<Alert> AlertsByTheMinute(int count) {
  std::vector<Alert> alerts(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    Alert& alert = alerts[static_cast<std::size_t>(i)];
    alert.id = "port-scan-" + std::to_string(100'000 + i);
    alert.time = At(minutes(i));
    alert.summary = std::string(200, 's');
    alert.evidence = {{"ports", std::int64_t{i}}};
  }
  return alerts;
}

std::vector<Sample> SamplesByTheMinute(int count) {
  std::vector<Sample> samples;
  for (int i = 0; i < count; ++i) {
    for (const char* name : {"cpu.busy", "disk./.free_bytes", "store.file_bytes"}) {
      samples.push_back({.name = name, .time = At(minutes(i)), .value = i + 0.5});
    }
  }
  return samples;
}

TEST_F(StoreRetention, TellsWhatEachKindTakes) {
  const auto store = OpenStore();
  const StoreUsage empty = *store->Usage();
  EXPECT_EQ(empty.flows.count + empty.alerts.count + empty.samples.count + empty.incidents.count,
            0u);
  ASSERT_TRUE(store->Write(RandomFlows(31).Take(5'000), {}).ok());
  const StoreUsage flows = *store->Usage();
  EXPECT_EQ(flows.flows.count, 5'000u);
  EXPECT_GT(flows.flows.bytes, empty.flows.bytes + 5'000 * 10);
  EXPECT_EQ(flows.alerts, empty.alerts);
  EXPECT_EQ(flows.other_bytes, empty.other_bytes);
  ASSERT_TRUE(store->Write({}, AlertsByTheMinute(1'000)).ok());
  ASSERT_TRUE(store->WriteSamples(SamplesByTheMinute(2'000)).ok());
  Incidents incidents(*store);
  const auto incident = incidents.Create({.title = "Scan"}, {.author = "ana", .time = kEight});
  const std::string file(300'000, 'x');
  ASSERT_TRUE(
      incidents.AddEvidence(incident->id, {.name = "file"}, file, {.author = "ana", .time = kEight})
          .ok());
  const StoreUsage all = *store->Usage();
  EXPECT_EQ(all.flows.count, 5'000u);
  EXPECT_EQ(all.alerts.count, 1'000u);
  EXPECT_GT(all.alerts.bytes, 1'000u * 250);
  EXPECT_EQ(all.samples.count, 6'000u);
  EXPECT_GT(all.samples.bytes, 6'000u * 16);
  EXPECT_EQ(all.incidents.count, 1u);
  EXPECT_GT(all.incidents.bytes, 400'000u) << "as base64";
  EXPECT_LT(all.incidents.bytes, 410'000u);
  if (is_postgres()) return;  // compresses what it keeps
  const StoreSize size = *store->Size();
  const std::uint64_t sum = all.flows.bytes + all.alerts.bytes + all.samples.bytes +
                            all.incidents.bytes + all.other_bytes;
  EXPECT_LE(sum, size.file_bytes - size.free_bytes);
  EXPECT_GT(sum, (size.file_bytes - size.free_bytes) * 9 / 10) << "the rest is room in pages";
}

TEST_F(StoreRetention, KeepsEachKindWithinItsBytes) {
  auto store = OpenStore();
  RandomFlows random(32, 24 * 60);
  for (int i = 0; i < 5; ++i) {
    std::vector<FlowRecord> flows = random.Take(2'000);
    // Days, because PostgreSQL deletes by the day.
    for (FlowRecord& flow : flows) {
      flow.first_seen += std::chrono::days(i);
      flow.last_seen += std::chrono::days(i);
    }
    ASSERT_TRUE(store->Write(flows, {}).ok());
  }
  ASSERT_TRUE(store->Write({}, AlertsByTheMinute(4'000)).ok());
  ASSERT_TRUE(store->WriteSamples(SamplesByTheMinute(5'000)).ok());
  const StoreUsage before = *store->Usage();
  const RetentionPolicy policy{.flow_bytes = before.flows.bytes * 3 / 4,
                               .alert_bytes = before.alerts.bytes / 2,
                               .sample_bytes = before.samples.bytes / 3};
  const Timestamp now = At(std::chrono::days(6));
  const auto preview = store->PreviewRetain(policy, now);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_EQ(preview->flows + preview->alerts + preview->samples, 0u) << "nothing by age";
  const auto result = store->Retain(policy, now);
  ASSERT_TRUE(result.ok()) << result.status();
  const StoreUsage after = *store->Usage();
  EXPECT_LE(after.flows.bytes, *policy.flow_bytes);
  EXPECT_LE(after.alerts.bytes, *policy.alert_bytes);
  EXPECT_LE(after.samples.bytes, *policy.sample_bytes);
  EXPECT_EQ(after.flows.count, before.flows.count - result->flows_deleted);
  EXPECT_EQ(after.alerts.count, before.alerts.count - result->alerts_deleted);
  EXPECT_EQ(after.samples.count, before.samples.count - result->samples_deleted);
  // Not more than it takes, and as was told.
  EXPECT_GT(after.flows.count, before.flows.count / 3);
  EXPECT_NEAR(static_cast<double>(after.alerts.count), 2'000, 400);
  EXPECT_NEAR(static_cast<double>(after.samples.count), 5'000, 1'000);
  EXPECT_NEAR(static_cast<double>(preview->alerts_by_bytes),
              static_cast<double>(result->alerts_deleted), 400);
  EXPECT_NEAR(static_cast<double>(preview->samples_by_bytes),
              static_cast<double>(result->samples_deleted), 1'000);
  EXPECT_GT(preview->flows_by_bytes, 1'000u);
  EXPECT_LT(result->bytes_after, result->bytes_before) << "the space is given back";
  // The oldest went: the last ones are there without a gap.
  const auto alerts = store->Alerts({.limit = 10'000})->alerts;
  EXPECT_EQ(alerts.front().id, "port-scan-103999");
  EXPECT_EQ(alerts.front().time - alerts.back().time, minutes(static_cast<int>(alerts.size()) - 1));
  EXPECT_EQ(alerts.back().evidence.size(), 1u);
  const auto lines = store->Samples({.names = {"cpu.busy"}});
  EXPECT_EQ(lines->front().points.back().time, At(minutes(4'999)));
  // A second run finds nothing to do.
  const auto again = store->Retain(policy, now);
  EXPECT_EQ(again->flows_deleted + again->alerts_deleted + again->samples_deleted, 0u);
}

TEST_F(StoreRetention, ForgetsIncidentsThatEnded) {
  const auto store = OpenStore();
  Incidents incidents(*store);
  std::vector<std::string> ids;
  for (int day = 0; day < 6; ++day) {
    const IncidentActor actor{.author = "ana", .time = At(std::chrono::days(day))};
    const auto made = incidents.Create({.title = "Day " + std::to_string(day)}, actor);
    ids.push_back(made->id);
    ASSERT_TRUE(
        incidents.AddEvidence(made->id, {.name = "file"}, std::string(90'000, 'x'), actor).ok());
    if (day == 0) continue;  // stays open
    const auto present = incidents.Get(made->id);
    ASSERT_TRUE(
        incidents.Change(made->id, present->version, {.state = IncidentState::kClosed}, actor)
            .ok());
  }
  // Written, so that the clock of retention has something to go by.
  ASSERT_TRUE(
      store->Write({{TcpFlow(At(std::chrono::days(6)), Duration(1), kClient, kServer)}}, {}).ok());
  const Timestamp now = At(std::chrono::days(6));
  RetentionPolicy policy{.incident_age = std::chrono::days(4)};
  EXPECT_EQ(store->PreviewRetain(policy, now)->incidents, 1u);
  EXPECT_EQ(store->Retain(policy, now)->incidents_deleted, 1u);
  EXPECT_TRUE(absl::IsNotFound(incidents.Get(ids[1]).status()));
  // 120 kB each, as base64.
  policy = {.incident_age = std::chrono::days(3), .incident_bytes = 300'000};
  const auto preview = store->PreviewRetain(policy, now);
  EXPECT_EQ(preview->incidents, 1u);
  EXPECT_EQ(preview->incidents_by_bytes, 2u);
  const auto result = store->Retain(policy, now);
  EXPECT_EQ(result->incidents_deleted, 3u);
  EXPECT_LE(store->Usage()->incidents.bytes, 300'000u);
  EXPECT_EQ(store->Documents({.kind = "incident_evidence"})->documents.size(), 2u);
  // One that nobody closed stays, however few bytes are asked for.
  EXPECT_EQ(store->Retain({.incident_bytes = 1}, now)->incidents_deleted, 1u);
  EXPECT_TRUE(incidents.Get(ids[0]).ok());
}

TEST_F(StoreRetention, TellsBeforehandWhatAgeDeletes) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows;
  for (int hour = 0; hour < 48; ++hour) {
    flows.push_back(TcpFlow(At(std::chrono::hours(hour)), Duration(1), kClient, kServer));
  }
  ASSERT_TRUE(store->Write(flows, AlertsByTheMinute(600)).ok());
  ASSERT_TRUE(store->WriteSamples(SamplesByTheMinute(600)).ok());
  const Timestamp now = At(std::chrono::hours(48) + minutes(30));
  const RetentionPolicy policy{.flow_age = std::chrono::hours(10),
                               .alert_age = std::chrono::hours(45),
                               .sample_age = std::chrono::hours(47),
                               .max_bytes = 1};
  const auto preview = store->PreviewRetain(policy, now);
  ASSERT_TRUE(preview.ok()) << preview.status();
  EXPECT_TRUE(preview->over_max_bytes);
  EXPECT_GT(preview->excess_bytes, 10'000u);
  EXPECT_EQ(preview->flows_by_size, 48u);
  RetentionPolicy ages = policy;
  ages.max_bytes.reset();
  const auto result = store->Retain(ages, now);
  EXPECT_EQ(preview->flows, result->flows_deleted);
  EXPECT_EQ(preview->alerts, result->alerts_deleted);
  EXPECT_EQ(preview->samples, result->samples_deleted);
  EXPECT_EQ(result->flows_deleted, 38u);
  EXPECT_EQ(result->alerts_deleted, 210u);
  EXPECT_EQ(result->samples_deleted, 270u);
  EXPECT_EQ(store->PreviewRetain({.flow_age = minutes(59)}, now).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace nta
