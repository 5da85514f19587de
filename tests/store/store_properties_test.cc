// Properties that hold for whatever flows, intervals and filters: the parts are the whole, and
// every backend says the same.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "store/store_fixture.h"
#include "store/store_scenario.h"

namespace nta {
namespace {

using std::chrono::minutes;

constexpr std::uint64_t kMinutes = 3 * 24 * 60;

// Filters of every field that totals have a dimension for, and of some that they have not.
class RandomFilters {
 public:
  explicit RandomFilters(unsigned seed) : random_(seed) {}

  std::string Next(int depth = 2) {
    const std::size_t kind = Below(depth == 0 ? 1 : 4);
    if (kind == 1) return "(" + Next(depth - 1) + " and " + Next(depth - 1) + ")";
    if (kind == 2) return "(" + Next(depth - 1) + " or " + Next(depth - 1) + ")";
    if (kind == 3) return "not (" + Next(depth - 1) + ")";
    static const char* const kConditions[] = {"src=10.0.0.0/8",
                                              "dst=2001:db8::1",
                                              "host in (10.0.0.1,192.0.2.80)",
                                              "proto=tcp",
                                              "proto!=udp",
                                              "sport<7",
                                              "dport in (1,2)",
                                              "port=3",
                                              "vlan>=2048",
                                              "bytes>5k",
                                              "packets<10",
                                              "duration>90s",
                                              "app=tls",
                                              "app=unknown",
                                              "category=web",
                                              "category=unknown",
                                              "evidence=port",
                                              "evidence in (payload,name)",
                                              "name=*1.example",
                                              "server_name=host-7.example",
                                              "ja4=t13d*",
                                              "tcp_state=established",
                                              "end_reason=idle_timeout",
                                              "icmp_type>100"};
    return kConditions[Below(std::size(kConditions))];
  }
  std::uint64_t Below(std::uint64_t limit) { return random_() % limit; }

 private:
  std::mt19937_64 random_;
};

TrafficTotals operator+(const TrafficTotals& a, const TrafficTotals& b) {
  return {a.bytes + b.bytes, a.packets + b.packets, a.flows + b.flows};
}

std::string Words(const std::vector<TopRow>& rows) {
  std::string text;
  for (const TopRow& row : rows) {
    text += row.key + " " + std::to_string(row.totals.bytes) + " " +
            std::to_string(row.totals.packets) + " " + std::to_string(row.totals.flows) + " " +
            std::to_string(row.sent_bytes.value_or(0)) + " " +
            std::to_string(row.received_bytes.value_or(0)) + " " +
            std::to_string(row.guessed.value_or(TrafficTotals{}).bytes) + "\n";
  }
  return text;
}

std::string Words(const SeriesResult& series) {
  std::string text;
  for (const SeriesLine& line : series.lines) {
    text += line.key + ":";
    for (const auto& value : line.values) text += value ? " " + std::to_string(*value) : " -";
    for (const std::uint64_t value : line.guessed) text += " ~" + std::to_string(value);
    text += "\n";
  }
  return text;
}

class StoreProperties : public StoreTest {
 protected:
  StoreProperties() {
    RandomFlows random(91, kMinutes);
    for (int batch = 0; batch < 4; ++batch) {
      const std::vector<FlowRecord> flows = random.Take(450);
      EXPECT_TRUE(store_->Write(flows, {}).ok());
      if (twin_ != nullptr) {
        EXPECT_TRUE(twin_->Write(flows, {}).ok());
      }
    }
    EXPECT_TRUE(store_->RecordCapture(At(minutes(9)), {1'000, 7, 3, 1}).ok());
    if (twin_ != nullptr) {
      EXPECT_TRUE(twin_->RecordCapture(At(minutes(9)), {1'000, 7, 3, 1}).ok());
    }
  }

  // Whole minutes, as totals have them; now and then everything.
  TimeInterval NextInterval() {
    if (filters_.Below(8) == 0) return {};
    const Timestamp since = At(minutes(filters_.Below(kMinutes)) - minutes(30));
    return {since, since + minutes(1 + filters_.Below(kMinutes))};
  }
  TrafficTotals Raw(const TimeInterval& interval, const std::string& filter) {
    const auto top = store_->Top({.interval = interval, .filter = *FlowFilter::Parse(filter)});
    EXPECT_TRUE(top.ok()) << filter << ": " << top.status();
    if (!top.ok()) return {};
    EXPECT_EQ(top->source, QuerySource::kRaw) << filter;
    return top->total;
  }
  const std::uint64_t rounds_ = CountFrom("NTA_ROUNDS", 40);

  const std::unique_ptr<Store> store_ = OpenStore();
  // The same flows in a file, beside a store in PostgreSQL.
  const std::unique_ptr<Store> twin_ =
      is_postgres()
          ? *Store::Open({.path = directory_.File("twin.db"), .flows_per_block = kFlowsPerBlock})
          : nullptr;
  RandomFilters filters_{92};
};

TEST_F(StoreProperties, WhatAFilterSelectsAndWhatItDoesNotAreTheTotals) {
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    const TimeInterval interval = NextInterval();
    const std::string filter = filters_.Next();
    SCOPED_TRACE(filter);
    const auto all = store_->Top({.interval = interval});
    ASSERT_TRUE(all.ok()) << all.status();
    ASSERT_EQ(all->source, QuerySource::kRollup);
    EXPECT_EQ(Raw(interval, filter) + Raw(interval, "not (" + filter + ")"), all->total);
  }
}

TEST_F(StoreProperties, ARowOfTheTotalsIsWhatAFilterOfItsKeySelects) {
  const std::pair<TopDimension, const char*> kFields[] = {
      {TopDimension::kAddress, "host"},           {TopDimension::kSourceAddress, "src"},
      {TopDimension::kDestinationAddress, "dst"}, {TopDimension::kProtocol, "proto"},
      {TopDimension::kApplication, "app"},        {TopDimension::kCategory, "category"}};
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    const TimeInterval interval = NextInterval();
    const auto& [dimension, field] = kFields[round % std::size(kFields)];
    const auto top = store_->Top({.interval = interval,
                                  .dimension = dimension,
                                  .by = static_cast<Measure>(filters_.Below(3)),
                                  .limit = 1'000});
    ASSERT_TRUE(top.ok()) << top.status();
    ASSERT_EQ(top->source, QuerySource::kRollup);
    if (top->rows.empty()) continue;
    const TopRow& row = top->rows[filters_.Below(top->rows.size())];
    const std::string filter = std::string(field) + "=" + row.key;
    EXPECT_EQ(Raw(interval, filter), row.totals) << filter;
    if (row.guessed) {
      EXPECT_EQ(Raw(interval, filter + " and evidence=port"), *row.guessed) << filter;
    }
    if (top->other) {
      EXPECT_EQ(Raw(interval, std::string(field) + "=unknown"), *top->other) << field;
    }
  }
}

TEST_F(StoreProperties, ARowThatNoTotalsKeepIsWhatAFilterOfItsKeySelects) {
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    const TimeInterval interval = NextInterval();
    const auto dimension = round % 2 == 0 ? TopDimension::kServerName : TopDimension::kVlan;
    const auto top = store_->Top({.interval = interval,
                                  .dimension = dimension,
                                  .by = static_cast<Measure>(filters_.Below(3)),
                                  .limit = 1'000});
    ASSERT_TRUE(top.ok()) << top.status();
    ASSERT_EQ(top->source, QuerySource::kRaw);
    if (top->rows.empty()) continue;
    const TopRow& row = top->rows[filters_.Below(top->rows.size())];
    const std::string filter = std::string(ToString(dimension)) + "=" + row.key;
    EXPECT_EQ(Raw(interval, filter), row.totals) << filter;
  }
}

TEST_F(StoreProperties, TheStepsOfAFilterAndOfItsOppositeAreThoseOfTheTotals) {
  constexpr int kSteps[] = {1, 3, 15, 60, 90, 360, 1440};
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    SeriesQuery query{.interval = NextInterval(),
                      .step = minutes(kSteps[filters_.Below(std::size(kSteps))]),
                      .by = SeriesBy::kNone,
                      .measure = static_cast<Measure>(filters_.Below(3))};
    const std::string filter = filters_.Next();
    SCOPED_TRACE(filter);
    const auto all = store_->Series(query);
    query.filter = *FlowFilter::Parse(filter);
    const auto some = store_->Series(query);
    query.filter = *FlowFilter::Parse("not (" + filter + ")");
    const auto rest = store_->Series(query);
    ASSERT_TRUE(all.ok() && some.ok() && rest.ok()) << all.status() << some.status();
    ASSERT_EQ(all->source, QuerySource::kRollup);
    const auto value = [](const SeriesResult& series, std::size_t step) {
      if (series.lines.empty()) return std::uint64_t{0};
      return series.lines[0].values[step].value_or(0);
    };
    for (std::size_t step = 0; step < all->times.size(); ++step) {
      ASSERT_EQ(value(*some, step) + value(*rest, step), value(*all, step)) << step;
    }
  }
}

TEST_F(StoreProperties, BothBackendsSayTheSame) {
  if (twin_ == nullptr) GTEST_SKIP() << "skipped: PostgreSQL is compared with a file";
  for (std::uint64_t round = 0; round < rounds_; ++round) {
    const TimeInterval interval = NextInterval();
    const FlowFilter filter = round % 3 == 0 ? FlowFilter() : *FlowFilter::Parse(filters_.Next());
    TopQuery top{.interval = interval,
                 .dimension = static_cast<TopDimension>(filters_.Below(8)),
                 .by = static_cast<Measure>(filters_.Below(3)),
                 .limit = 1 + filters_.Below(50),
                 .filter = filter};
    const auto a = store_->Top(top);
    const auto b = twin_->Top(top);
    ASSERT_TRUE(a.ok() && b.ok()) << a.status() << b.status();
    EXPECT_EQ(Words(a->rows), Words(b->rows));
    EXPECT_EQ(a->total, b->total);
    EXPECT_EQ(a->other, b->other);
    EXPECT_EQ(a->source, b->source);
    EXPECT_EQ(a->capture, b->capture);
    SeriesQuery series{.interval = interval,
                       .step = minutes(60),
                       .by = static_cast<SeriesBy>(filters_.Below(4)),
                       .filter = filter};
    EXPECT_EQ(Words(*store_->Series(series)), Words(*twin_->Series(series)));
    const ConversationQuery pairs{.interval = interval, .limit = 20, .filter = filter};
    const auto c = store_->Conversations(pairs);
    const auto d = twin_->Conversations(pairs);
    ASSERT_TRUE(c.ok() && d.ok()) << c.status() << d.status();
    EXPECT_EQ(c->total, d->total);
    ASSERT_EQ(c->rows.size(), d->rows.size());
    for (std::size_t i = 0; i < c->rows.size(); ++i) {
      EXPECT_EQ(c->rows[i].a, d->rows[i].a);
      EXPECT_EQ(c->rows[i].b, d->rows[i].b);
      EXPECT_EQ(c->rows[i].totals, d->rows[i].totals);
      EXPECT_EQ(c->rows[i].flows_from_a, d->rows[i].flows_from_a);
    }
    const FlowQuery page{.interval = interval,
                         .filter = filter,
                         .order = static_cast<FlowOrder>(filters_.Below(4)),
                         .limit = 200};
    const auto e = store_->Flows(page);
    const auto f = twin_->Flows(page);
    ASSERT_TRUE(e.ok() && f.ok()) << e.status() << f.status();
    ASSERT_EQ(e->flows.size(), f->flows.size());
    for (std::size_t i = 0; i < e->flows.size(); ++i) EXPECT_EQ(e->flows[i].id, f->flows[i].id);
    EXPECT_EQ(Words(store_->Summary(interval)->top_sources),
              Words(twin_->Summary(interval)->top_sources));
  }
}

}  // namespace
}  // namespace nta
