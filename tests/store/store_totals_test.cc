// Totals per minute against what the flows themselves say, and both against a plain model.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "store/store_fixture.h"

namespace nta {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Matches every flow, but is not "everything": answered from the flows.
const FlowFilter kEveryFlow = *FlowFilter::Parse("bytes>=0");

constexpr TopDimension kDimensions[] = {
    TopDimension::kAddress,     TopDimension::kSourceAddress, TopDimension::kDestinationAddress,
    TopDimension::kProtocol,    TopDimension::kSourcePort,    TopDimension::kDestinationPort,
    TopDimension::kApplication, TopDimension::kCategory};
constexpr Measure kMeasures[] = {Measure::kBytes, Measure::kPackets, Measure::kFlows};

void ExpectSameRows(const std::vector<TopRow>& a, const std::vector<TopRow>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].key, b[i].key);
    EXPECT_EQ(a[i].totals, b[i].totals) << a[i].key;
    EXPECT_EQ(a[i].sent_bytes, b[i].sent_bytes) << a[i].key;
    EXPECT_EQ(a[i].received_bytes, b[i].received_bytes) << a[i].key;
    EXPECT_EQ(a[i].guessed, b[i].guessed) << a[i].key;
  }
}

class StoreTotals : public StoreTest {};

// Three minutes: addresses are added up per minute. An hour: they are not. Four days: hours,
// quarters of days and days answer.
class StoreTotalsOver : public StoreTest, public ::testing::WithParamInterface<std::uint64_t> {};
INSTANTIATE_TEST_SUITE_P(Times, StoreTotalsOver, ::testing::Values(3, 60, 4 * 24 * 60));

TEST_P(StoreTotalsOver, RollupsAndFlowsGiveTheSameTopForEveryDimensionMeasureAndInterval) {
  const auto store = OpenStore();
  RandomFlows random(11, GetParam());
  // In several batches, so that totals are added to and blocks have flows of two batches.
  for (int batch = 0; batch < 5; ++batch) ASSERT_TRUE(store->Write(random.Take(400), {}).ok());
  for (int round = 0; round < 40; ++round) {
    TimeInterval interval{At(minutes(random.Below(GetParam() + 60)) - minutes(10)), {}};
    interval.until = interval.since + minutes(random.Below(GetParam()));
    if (round == 0) interval = TimeInterval{};
    if (round == 1) interval = {Timestamp::min(), Timestamp::max()};
    for (const TopDimension dimension : kDimensions) {
      for (const Measure by : kMeasures) {
        TopQuery query{.interval = interval, .dimension = dimension, .by = by, .limit = 1'000};
        const auto rollup = store->Top(query);
        query.filter = kEveryFlow;
        const auto raw = store->Top(query);
        ASSERT_TRUE(rollup.ok() && raw.ok()) << rollup.status() << raw.status();
        EXPECT_EQ(rollup->source, QuerySource::kRollup);
        EXPECT_EQ(raw->source, QuerySource::kRaw);
        EXPECT_EQ(rollup->total, raw->total);
        EXPECT_EQ(rollup->other, raw->other);
        ExpectSameRows(rollup->rows, raw->rows);
      }
    }
  }
}

TEST_P(StoreTotalsOver, RollupsAndFlowsGiveTheSameSeries) {
  const auto store = OpenStore();
  RandomFlows random(12, GetParam());
  for (int batch = 0; batch < 3; ++batch) ASSERT_TRUE(store->Write(random.Take(500), {}).ok());
  for (int round = 0; round < 60; ++round) {
    SeriesQuery query;
    query.interval = {random.RandomTime(), {}};
    query.interval.until = query.interval.since + minutes(random.Below(30 + GetParam()));
    if (round == 0) query.interval = TimeInterval{};
    constexpr int kSteps[] = {1, 2, 5, 7, 60, 120, 360, 1440, 2880};
    query.step = minutes(kSteps[random.Below(std::size(kSteps))]);
    query.by = static_cast<SeriesBy>(random.Below(4));
    query.measure = kMeasures[random.Below(3)];
    if (random.Below(2) == 0) query.address = random.Next().source.address;
    const auto rollup = store->Series(query);
    query.filter = kEveryFlow;
    const auto raw = store->Series(query);
    ASSERT_TRUE(rollup.ok() && raw.ok()) << rollup.status() << raw.status();
    // Totals of addresses do not say what they were of.
    const bool from_totals = !query.address || query.by <= SeriesBy::kProtocol;
    EXPECT_EQ(rollup->source, from_totals ? QuerySource::kRollup : QuerySource::kRaw);
    EXPECT_EQ(raw->source, QuerySource::kRaw);
    EXPECT_EQ(rollup->times, raw->times);
    ASSERT_EQ(rollup->lines.size(), raw->lines.size());
    for (std::size_t i = 0; i < rollup->lines.size(); ++i) {
      EXPECT_EQ(rollup->lines[i].key, raw->lines[i].key);
      EXPECT_EQ(rollup->lines[i].values, raw->lines[i].values);
      EXPECT_EQ(rollup->lines[i].guessed, raw->lines[i].guessed);
    }
  }
}

// A flow of each evidence, all of one application, one of no application.
std::vector<FlowRecord> FlowsOfEachEvidence() {
  std::vector<FlowRecord> flows(5, TcpFlow(kEight, Duration(0), kClient, kServer));
  for (std::size_t i = 0; i < 4; ++i) {
    flows[i].application = Application::kTls;
    flows[i].category = i < 3 ? ApplicationCategory::kWeb : ApplicationCategory::kVideo;
    flows[i].evidence = static_cast<ApplicationEvidence>(i);
  }
  flows[4].category = ApplicationCategory::kVideo;
  flows[4].evidence = ApplicationEvidence::kName;
  return flows;
}

TEST_F(StoreTotals, SayWhatOfAnApplicationOrCategoryIsOnlyGuessed) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(FlowsOfEachEvidence(), {}).ok());
  for (const FlowFilter& filter : {FlowFilter(), kEveryFlow}) {
    const auto applications = store->Top(
        {.dimension = TopDimension::kApplication, .by = Measure::kFlows, .filter = filter});
    ASSERT_TRUE(applications.ok()) << applications.status();
    ASSERT_EQ(applications->rows.size(), 1u);
    EXPECT_EQ(applications->rows[0].key, "tls");
    EXPECT_EQ(applications->rows[0].totals.flows, 4u);
    EXPECT_EQ(applications->rows[0].guessed->flows, 1u);
    EXPECT_EQ(applications->other->flows, 1u);
    const auto categories =
        store->Top({.dimension = TopDimension::kCategory, .by = Measure::kFlows, .filter = filter});
    ASSERT_EQ(categories->rows.size(), 2u);
    EXPECT_EQ(categories->rows[0].key, "web");
    EXPECT_EQ(categories->rows[0].totals.flows, 3u);
    EXPECT_EQ(categories->rows[0].guessed->flows, 1u);
    EXPECT_EQ(categories->rows[1].key, "video");
    EXPECT_EQ(categories->rows[1].totals.flows, 2u);
    EXPECT_EQ(categories->rows[1].guessed->flows, 0u);
    EXPECT_EQ(categories->other->flows, 0u);
    const auto series = store->Series({.interval = {kEight, At(minutes(1))},
                                       .by = SeriesBy::kApplication,
                                       .measure = Measure::kFlows,
                                       .filter = filter});
    ASSERT_EQ(series->lines.size(), 2u);
    EXPECT_EQ(series->lines[0].key, "tls");
    EXPECT_THAT(series->lines[0].values, ElementsAre(std::uint64_t{4}));
    EXPECT_THAT(series->lines[0].guessed, ElementsAre(1u));
    EXPECT_EQ(series->lines[1].key, "unknown");
    EXPECT_THAT(series->lines[1].values, ElementsAre(std::uint64_t{1}));
    EXPECT_TRUE(series->lines[1].guessed.empty());
  }
}

// Numbers that a newer library gave names to are no names here.
TEST_F(StoreTotals, CountWhatHasNoNameHereAmongTheRest) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows = RandomFlows(19).Take(1'000);
  for (FlowRecord& flow : flows) {
    flow.application = static_cast<Application>(60'000);
    flow.category = static_cast<ApplicationCategory>(250);
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  for (const TopDimension dimension : {TopDimension::kApplication, TopDimension::kCategory}) {
    for (const FlowFilter& filter : {FlowFilter(), kEveryFlow}) {
      const auto top = store->Top({.dimension = dimension, .filter = filter});
      ASSERT_TRUE(top.ok()) << top.status();
      EXPECT_TRUE(top->rows.empty());
      EXPECT_EQ(top->other, top->total);
    }
  }
}

TEST_F(StoreTotals, APostgresDatabaseOfTheFirstFormatGetsTotalsAndColumns) {
  if (!is_postgres()) GTEST_SKIP() << "skipped: of databases in PostgreSQL only";
  const std::vector<FlowRecord> flows = RandomFlows(20).Take(1'000);
  ASSERT_TRUE(OpenStore()->Write(flows, {}).ok());
  const std::string age = "psql -q '" + path() +
                          "' -c \"SET search_path TO nta\" -c 'ALTER TABLE nta.flows DROP COLUMN "
                          "application_detail' -c \"UPDATE nta.rollup_hour SET traffic = '\\x01'\" "
                          "-c \"UPDATE nta.meta SET value = 1 WHERE name = 'schema_version'\"";
  ASSERT_EQ(std::system(age.c_str()), 0);
  const auto store = OpenStore();
  ASSERT_NE(store, nullptr);
  TopQuery query{.dimension = TopDimension::kCategory};
  const auto rollup = store->Top(query);
  ASSERT_TRUE(rollup.ok()) << rollup.status();
  query.filter = kEveryFlow;
  ExpectSameRows(rollup->rows, store->Top(query)->rows);
  FlowRecord flow = flows[0];
  FlowMetadata metadata;
  metadata.Set(MetadataField::kApplicationDetail, "example");
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  EXPECT_TRUE(store->Write({&flow, 1}, {}).ok());
}

TEST_F(StoreTotals, PortsThatAreNotTheServicesAreTheRest) {
  const auto store = OpenStore();
  // Twice 50000 -> 443, once 443 -> 443 and once the other way round.
  FlowRecord both = TcpFlow(kEight, Duration(0), kClient, kServer);
  both.source.port = 443;
  FlowRecord back = TcpFlow(kEight, Duration(0), kServer, kClient, 50'000);
  back.source.port = 443;
  const FlowRecord flow = TcpFlow(kEight, Duration(0), kClient, kServer);
  ASSERT_TRUE(store->Write(std::vector<FlowRecord>{flow, flow, both, back}, {}).ok());
  for (const FlowFilter& filter : {FlowFilter(), kEveryFlow}) {
    TopQuery query{.dimension = TopDimension::kDestinationPort, .filter = filter};
    const auto destination = store->Top(query);
    ASSERT_EQ(destination->rows.size(), 1u);
    EXPECT_EQ(destination->rows[0].key, "443");
    EXPECT_EQ(destination->rows[0].totals.flows, 3u);
    EXPECT_EQ(destination->other->flows, 1u);
    query.dimension = TopDimension::kSourcePort;
    const auto source = store->Top(query);
    ASSERT_EQ(source->rows.size(), 1u);
    EXPECT_EQ(source->rows[0].totals.flows, 2u);
    EXPECT_EQ(source->other->flows, 2u);
    query.dimension = TopDimension::kAddress;
    EXPECT_FALSE(store->Top(query)->other.has_value());
  }
}

TEST_F(StoreTotals, ConversationsAreOfPairsWhoeverBegan) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows{TcpFlow(kEight, Duration(0), kClient, kServer),
                                      TcpFlow(kEight, Duration(0), kServer, kClient, 22),
                                      TcpFlow(kEight, Duration(0), kClient, kClient)};
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const auto result = store->Conversations({});
  ASSERT_TRUE(result.ok()) << result.status();
  ASSERT_EQ(result->rows.size(), 2u);
  EXPECT_EQ(result->rows[0].a, kClient);
  EXPECT_EQ(result->rows[0].b, kServer);
  EXPECT_EQ(result->rows[0].totals, (TrafficTotals{20'000, 60, 2}));
  EXPECT_EQ(result->rows[0].bytes_from_a, 1'000u + 9'000u);
  EXPECT_EQ(result->rows[1].b, kClient);
  EXPECT_EQ(result->total, (TrafficTotals{30'000, 90, 3}));
  EXPECT_EQ(store->Conversations({.filter = *FlowFilter::Parse("dport=22")})->total.flows, 1u);
  EXPECT_EQ(store->Conversations({.limit = 0}).status().code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreTotals, AnswersSayWhatCaptureSawAndLost) {
  const auto store = OpenStore();
  const CaptureCounts first{100, 7, 3, 1};
  ASSERT_TRUE(store->RecordCapture(At(seconds(10)), first).ok());
  ASSERT_TRUE(store->RecordCapture(At(seconds(20)), first).ok());
  ASSERT_TRUE(store->RecordCapture(At(seconds(70)), {.packets_seen = 1}).ok());
  const TimeInterval minute{kEight, At(minutes(1))};
  const CaptureCounts twice{200, 14, 6, 2};
  EXPECT_EQ(store->Top({.interval = minute})->capture, twice);
  EXPECT_EQ(store->Top({.interval = minute, .filter = kEveryFlow})->capture, twice);
  EXPECT_EQ(store->Series({.interval = minute})->capture, twice);
  EXPECT_EQ(store->Conversations({.interval = minute})->capture, twice);
  EXPECT_EQ(store->Flows({.interval = minute})->capture, twice);
  EXPECT_EQ(store->Summary(minute)->capture, twice);
  EXPECT_EQ(store->Top({})->capture.packets_seen, 201u);
  ASSERT_TRUE(store->DeleteBefore(At(minutes(1))).ok());
  EXPECT_EQ(store->Top({})->capture.packets_seen, 1u);
  EXPECT_EQ(store->RecordCapture(kEight, {.packets_seen = ~std::uint64_t{0}}).code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreTotals, QueriesTellTheirProgressAndCanBeCancelled) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(17).Take(5'000), {}).ok());
  std::vector<double> fractions;
  QueryControl control;
  control.progress = [&](double fraction) { fractions.push_back(fraction); };
  ASSERT_TRUE(store->Top({.filter = kEveryFlow}, control).ok());
  ASSERT_GT(fractions.size(), 10u);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_GE(fractions.front(), 0.0);
  EXPECT_LT(fractions.back(), 1.0);
  std::stop_source stop;
  control.stop = stop.get_token();
  std::size_t calls = 0;
  control.progress = [&](double) {
    if (++calls == 3) stop.request_stop();
  };
  const auto cancelled = store->Top({.filter = kEveryFlow}, control);
  EXPECT_EQ(cancelled.status().code(), absl::StatusCode::kCancelled) << cancelled.status();
  EXPECT_LE(calls, 4u);
  EXPECT_TRUE(store->Top({.filter = kEveryFlow}).ok()) << "the next query is not cancelled";
}

TEST_F(StoreTotals, EveryCountIsThereExactlyOnce) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows = RandomFlows(13).Take(1'500);
  ASSERT_TRUE(store->Write(flows, {}).ok());
  TrafficTotals expected;
  std::map<std::string, TrafficTotals> by_address;
  const auto add = [](TrafficTotals& totals, const FlowRecord& flow) {
    totals.bytes += flow.wire_bytes();
    totals.packets += flow.packets();
    ++totals.flows;
  };
  for (const FlowRecord& flow : flows) {
    add(expected, flow);
    add(by_address[flow.source.address.ToString()], flow);
    if (flow.source.address != flow.destination.address) {
      add(by_address[flow.destination.address.ToString()], flow);
    }
  }
  const auto top = store->Top({.limit = 1'000});
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(top->total, expected);
  ASSERT_EQ(top->rows.size(), by_address.size());
  for (const TopRow& row : top->rows) EXPECT_EQ(row.totals, by_address[row.key]) << row.key;
  // The whole is the sum of any parts.
  TrafficTotals parts;
  for (int part = -10; part < 120; part += 13) {
    const auto piece = store->Top({.interval = {At(minutes(part)), At(minutes(part + 13))}});
    parts.bytes += piece->total.bytes;
    parts.packets += piece->total.packets;
    parts.flows += piece->total.flows;
  }
  EXPECT_EQ(parts, expected);
}

TEST_F(StoreTotals, RawPartsOfAMinuteAddUp) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows = RandomFlows(14).Take(300);
  ASSERT_TRUE(store->Write(flows, {}).ok());
  TrafficTotals parts;
  for (Timestamp since = At(minutes(-1)); since < At(minutes(120));
       since += Duration(17'123'456'789)) {
    const auto piece =
        store->Top({.interval = {since, since + Duration(17'123'456'789)}, .filter = kEveryFlow});
    ASSERT_TRUE(piece.ok());
    EXPECT_EQ(piece->interval.since, since) << "flows need no widening";
    parts.bytes += piece->total.bytes;
    parts.packets += piece->total.packets;
    parts.flows += piece->total.flows;
  }
  EXPECT_EQ(parts, store->Top({})->total);
}

TEST_F(StoreTotals, CountsRunAtAConstantRateAndTheFlowCountsWhereItEnds) {
  const auto store = OpenStore();
  // Half a minute, one minute and a quarter of a minute.
  const FlowRecord flow = TcpFlow(At(seconds(30)), seconds(105), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  const auto values = [&](Measure measure) {
    const auto series = store->Series(
        {.interval = {kEight, At(minutes(4))}, .by = SeriesBy::kNone, .measure = measure});
    EXPECT_TRUE(series.ok()) << series.status();
    return series->lines.at(0).values;
  };
  // 10,000 bytes and 30 packets: floor(c * 30/105), floor(c * 90/105) and all.
  EXPECT_THAT(values(Measure::kBytes),
              ElementsAre(std::uint64_t{285 + 2571}, std::uint64_t{572 + 5143},
                          std::uint64_t{143 + 1286}, std::nullopt));
  EXPECT_THAT(values(Measure::kPackets),
              ElementsAre(std::uint64_t{8}, std::uint64_t{17}, std::uint64_t{5}, std::nullopt));
  EXPECT_THAT(values(Measure::kFlows),
              ElementsAre(std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{1}, std::nullopt));
}

TEST_F(StoreTotals, TopTellsWhatAnAddressSentAndReceived) {
  const auto store = OpenStore();
  const FlowRecord flows[] = {TcpFlow(kEight, Duration(0), kClient, kServer),
                              TcpFlow(kEight, Duration(0), kServer, kServer)};
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const auto top = store->Top({.dimension = TopDimension::kAddress});
  ASSERT_TRUE(top.ok());
  EXPECT_EQ(top->total, (TrafficTotals{20'000, 60, 2}));
  ASSERT_EQ(top->rows.size(), 2u);
  EXPECT_EQ(top->rows[0].key, "192.0.2.80");
  EXPECT_EQ(top->rows[0].totals, (TrafficTotals{20'000, 60, 2})) << "a flow to itself counts once";
  EXPECT_EQ(top->rows[0].sent_bytes, 9'000u + 10'000u);
  EXPECT_EQ(top->rows[0].received_bytes, 1'000u + 10'000u);
  EXPECT_EQ(top->rows[1].key, "10.0.0.1");
  EXPECT_EQ(top->rows[1].sent_bytes, 1'000u);
  EXPECT_EQ(top->rows[1].received_bytes, 9'000u);
  EXPECT_FALSE(store->Top({.dimension = TopDimension::kProtocol})->rows[0].sent_bytes.has_value());
}

TEST_F(StoreTotals, TopIsWidenedToMinutesAndSaysSo) {
  const auto store = OpenStore();
  const FlowRecord flow = TcpFlow(At(seconds(50)), Duration(0), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  TopQuery query{.interval = {At(seconds(10)), At(seconds(20))}};
  const auto rollup = store->Top(query);
  EXPECT_EQ(rollup->interval.since, kEight);
  EXPECT_EQ(rollup->interval.until, At(minutes(1)));
  EXPECT_EQ(rollup->total.flows, 1u);
  query.filter = kEveryFlow;
  EXPECT_EQ(store->Top(query)->total.flows, 0u);
}

TEST_F(StoreTotals, ProtocolsWithoutPortsHaveNoPlaceAmongPorts) {
  const auto store = OpenStore();
  FlowRecord ping = TcpFlow(kEight, Duration(0), kClient, kServer);
  ping.protocol = kProtocolIcmp;
  ping.source.port = ping.destination.port = 0;
  const FlowRecord flows[] = {ping, TcpFlow(kEight, Duration(0), kClient, kServer, 80)};
  ASSERT_TRUE(store->Write(flows, {}).ok());
  for (const FlowFilter& filter : {FlowFilter(), kEveryFlow}) {
    const auto top = store->Top({.dimension = TopDimension::kDestinationPort, .filter = filter});
    ASSERT_EQ(top->rows.size(), 1u);
    EXPECT_EQ(top->rows[0].key, "80");
    EXPECT_EQ(top->total.flows, 2u);
  }
}

TEST_F(StoreTotals, SeriesTellsSilenceFromAbsence) {
  const auto store = OpenStore();
  const FlowRecord flow = TcpFlow(At(minutes(5)), Duration(0), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  ASSERT_TRUE(store->MarkCaptured({At(minutes(1)), At(minutes(2) + seconds(1))}).ok());
  SeriesQuery query{
      .interval = {kEight, At(minutes(7))}, .by = SeriesBy::kNone, .measure = Measure::kFlows};
  const std::optional<std::uint64_t> none;
  const std::optional<std::uint64_t> zero = 0;
  const std::optional<std::uint64_t> one = 1;
  EXPECT_THAT(store->Series(query)->lines.at(0).values,
              ElementsAre(none, zero, zero, none, none, one, none));
  query.filter = kEveryFlow;
  EXPECT_THAT(store->Series(query)->lines.at(0).values,
              ElementsAre(none, zero, zero, none, none, one, none));
  // Of another address there was silence while anything was captured.
  query.filter = FlowFilter();
  query.address = IpAddress::V4(203, 0, 113, 1);
  EXPECT_THAT(store->Series(query)->lines.at(0).values,
              ElementsAre(none, zero, zero, none, none, zero, none));
  query.address.reset();
  query.step = minutes(3);
  const auto steps = store->Series(query);
  EXPECT_EQ(steps->interval.since, kEight);
  EXPECT_EQ(steps->interval.until, At(minutes(9)));
  EXPECT_THAT(steps->lines.at(0).values, ElementsAre(zero, one, none));
  query.by = SeriesBy::kProtocol;
  EXPECT_EQ(store->Series(query)->lines.at(0).key, "tcp");
}

TEST_F(StoreTotals, CapturedMinutesMergeInAnyOrder) {
  const auto store = OpenStore();
  RandomFlows random(15);
  std::vector<bool> expected(60, false);
  for (int round = 0; round < 60; ++round) {
    const std::uint64_t since = random.Below(60);
    const std::uint64_t until = std::min<std::uint64_t>(60, since + random.Below(4));
    ASSERT_TRUE(store->MarkCaptured({At(minutes(since)), At(minutes(until))}).ok());
    for (std::uint64_t minute = since; minute < until; ++minute) expected[minute] = true;
    const auto series =
        store->Series({.interval = {kEight, At(minutes(60))}, .by = SeriesBy::kNone});
    ASSERT_TRUE(series.ok());
    for (std::size_t minute = 0; minute < 60; ++minute) {
      EXPECT_EQ(series->lines.at(0).values[minute].has_value(), expected[minute]) << minute;
    }
  }
}

TEST_F(StoreTotals, OpenIntervalOfASeriesIsThatOfWhatIsKept) {
  const auto store = OpenStore();
  EXPECT_EQ(store->Series({})->times.size(), 0u);
  const FlowRecord flow = TcpFlow(At(minutes(5)), minutes(2), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  const auto series = store->Series({});
  EXPECT_EQ(series->interval.since, At(minutes(5)));
  EXPECT_EQ(series->interval.until, At(minutes(8)));
  EXPECT_EQ(series->times.size(), 3u);
}

TEST_F(StoreTotals, RefusesWrongQueries) {
  const auto store = OpenStore();
  const auto series_error = [&](const SeriesQuery& query) {
    const auto result = store->Series(query);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(result.status().message());
  };
  const TimeInterval hour{kEight, At(minutes(60))};
  EXPECT_THAT(series_error({.interval = hour, .step = seconds(0)}), HasSubstr("multiple of 60"));
  EXPECT_THAT(series_error({.interval = hour, .step = seconds(90)}), HasSubstr("multiple of 60"));
  EXPECT_THAT(series_error({.interval = hour, .step = seconds(-60)}), HasSubstr("multiple of 60"));
  EXPECT_THAT(series_error({.interval = {Timestamp::min(), kEight}}),
              HasSubstr("at most 20000 steps"));
  EXPECT_THAT(series_error({.interval = {At(minutes(1)), kEight}}),
              HasSubstr("ends before it begins"));
  EXPECT_EQ(store->Top({.limit = 0}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->Top({.limit = 1'001}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->MarkCaptured({At(minutes(1)), kEight}).code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(store->Summary({At(minutes(1)), kEight}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(StoreTotals, SummaryIsTheSumOfItsTops) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(16).Take(500), {}).ok());
  const TimeInterval interval{At(minutes(3)), At(minutes(40))};
  const auto summary = store->Summary(interval);
  ASSERT_TRUE(summary.ok()) << summary.status();
  const auto top = [&](TopDimension dimension) {
    return *store->Top({.interval = interval, .dimension = dimension, .limit = 5});
  };
  EXPECT_EQ(summary->total, top(TopDimension::kProtocol).total);
  EXPECT_GT(summary->total.bytes, 0u);
  ExpectSameRows(summary->protocols, top(TopDimension::kProtocol).rows);
  ExpectSameRows(summary->top_sources, top(TopDimension::kSourceAddress).rows);
  ExpectSameRows(summary->top_destinations, top(TopDimension::kDestinationAddress).rows);
  ExpectSameRows(summary->top_destination_ports, top(TopDimension::kDestinationPort).rows);
  EXPECT_EQ(summary->top_sources.size(), 5u);
}

TEST_F(StoreTotals, ASummaryOfEverythingTellsTheIntervalThatIsKept) {
  const auto store = OpenStore();
  const auto nothing = store->Summary({});
  ASSERT_TRUE(nothing.ok()) << nothing.status();
  EXPECT_EQ(nothing->interval.since, nothing->interval.until);
  std::vector<FlowRecord> flows;
  for (int hour = 1; hour < 5; ++hour) {
    flows.push_back(
        TcpFlow(At(std::chrono::hours(hour) + seconds(90)), seconds(40), kClient, kServer));
  }
  Alert later;
  later.id = "later";
  later.time = At(std::chrono::hours(24));
  ASSERT_TRUE(store->Write(flows, {&later, 1}).ok());
  const auto expect = [&](const TimeInterval& asked, Timestamp since, Timestamp until,
                          std::uint64_t count) {
    const auto summary = store->Summary(asked);
    ASSERT_TRUE(summary.ok()) << summary.status();
    EXPECT_EQ(summary->interval.since, since);
    EXPECT_EQ(summary->interval.until, until);
    EXPECT_EQ(summary->total.flows, count);
  };
  expect({}, At(minutes(61)), At(minutes(243)), 4);
  EXPECT_EQ(store->Summary({})->alerts, 1u) << "whenever they were";
  ASSERT_TRUE(store->RecordCapture(At(std::chrono::hours(9)), {.packets_dropped = 7}).ok());
  EXPECT_EQ(store->Summary({})->capture.packets_dropped, 7u) << "whenever that was";
  expect({.since = At(minutes(120))}, At(minutes(120)), At(minutes(243)), 3);
  expect({.until = At(minutes(120))}, At(minutes(61)), At(minutes(120)), 1);
  // What was asked for is answered for, whatever is in it.
  expect({At(minutes(0)), At(minutes(30))}, At(minutes(0)), At(minutes(30)), 0);
  expect({.since = At(minutes(300))}, At(minutes(300)), At(minutes(300)), 0);
}

TEST_F(StoreTotals, TopNamesServersAndVlans) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows;
  for (int i = 0; i < 400; ++i) {  // in a block and in the tail
    FlowRecord flow = TcpFlow(At(seconds(i)), Duration(1), kClient, kServer);
    if (i % 4 != 0) {
      FlowMetadata metadata;
      metadata.Set(MetadataField::kServerName, i % 4 == 1 ? "one.example" : "two.example");
      flow.metadata = std::make_shared<FlowMetadata>(metadata);
    }
    if (i % 8 != 0) flow.vlan = static_cast<std::uint16_t>(i % 8 == 7 ? 0 : 4095);
    flows.push_back(flow);
  }
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const auto names = store->Top({.dimension = TopDimension::kServerName, .by = Measure::kFlows});
  ASSERT_TRUE(names.ok()) << names.status();
  EXPECT_EQ(names->source, QuerySource::kRaw);
  ASSERT_EQ(names->rows.size(), 2u);
  EXPECT_EQ(names->rows[0].key, "two.example");
  EXPECT_EQ(names->rows[0].totals.flows, 200u);
  EXPECT_EQ(names->rows[1].totals.flows, 100u);
  EXPECT_EQ(names->other->flows, 100u);
  EXPECT_FALSE(names->rows[0].sent_bytes.has_value());
  TopQuery query{.dimension = TopDimension::kVlan, .limit = 1};
  const auto vlans = store->Top(query);
  ASSERT_TRUE(vlans.ok()) << vlans.status();
  ASSERT_EQ(vlans->rows.size(), 1u);
  EXPECT_EQ(vlans->rows[0].key, "4095");
  EXPECT_EQ(vlans->rows[0].totals.flows, 300u);
  EXPECT_EQ(vlans->other->flows, 50u);
  query.filter = *FlowFilter::Parse("server_name=one.example");
  query.limit = 10;
  EXPECT_EQ(store->Top(query)->total.flows, 100u);
}

TEST(StoreNames, AreReadBack) {
  for (const TopDimension dimension : kDimensions)
    EXPECT_EQ(*ParseTopDimension(ToString(dimension)), dimension);
  EXPECT_EQ(*ParseTopDimension("server_name"), TopDimension::kServerName);
  EXPECT_EQ(*ParseTopDimension("vlan"), TopDimension::kVlan);
  for (const Measure measure : kMeasures) EXPECT_EQ(*ParseMeasure(ToString(measure)), measure);
  EXPECT_EQ(ToString(QuerySource::kRollup), "rollup");
  EXPECT_EQ(ToString(QuerySource::kRaw), "raw");
  EXPECT_THAT(std::string(ParseMeasure("octets").status().message()),
              HasSubstr("unknown measure \"octets\" (known: bytes, packets, flows)"));
  EXPECT_FALSE(ParseTopDimension("").ok());
}

}  // namespace
}  // namespace nta
