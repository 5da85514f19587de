#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "store/store_fixture.h"

namespace nta {
namespace {

using ::testing::HasSubstr;

// Every page of a query, one after the other; `between` runs before each further page.
template <typename Between>
std::vector<StoredFlow> AllPages(const Store& store, FlowQuery query, Between between) {
  std::vector<StoredFlow> flows;
  while (true) {
    const auto page = store.Flows(query);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return flows;
    EXPECT_LE(page->flows.size(), query.limit);
    flows.insert(flows.end(), page->flows.begin(), page->flows.end());
    if (page->next_cursor.empty()) return flows;
    query.cursor = page->next_cursor;
    between();
  }
}

std::vector<StoredFlow> AllPages(const Store& store, const FlowQuery& query) {
  return AllPages(store, query, [] {});
}

class StoreFlows : public StoreTest {};

TEST_F(StoreFlows, GivesBackEveryFieldAfterReopening) {
  std::vector<FlowRecord> flows = RandomFlows(1).Take(500);
  flows[0].forward.wire_bytes = std::uint64_t{1} << 53;
  flows[1].vlan = std::nullopt;
  flows[2].vlan = 0;
  ASSERT_TRUE(OpenStore()->Write(flows, {}).ok());
  const auto page = OpenStore()->Flows({.limit = 1000});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->flows.size(), flows.size());
  EXPECT_EQ(page->next_cursor, "");
  for (const StoredFlow& stored : page->flows) {
    EXPECT_EQ(stored.flow, flows[static_cast<std::size_t>(stored.id - 1)]);
  }
}

TEST_F(StoreFlows, KeepsTimesBefore1970) {
  const FlowRecord flow = TcpFlow(Timestamp(std::chrono::hours(-100)) + Duration(7),
                                  std::chrono::seconds(90), kClient, kServer);
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  const auto page = store->Flows({.interval = {Timestamp::min(), Timestamp(Duration(0))}});
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->flows.size(), 1u);
  EXPECT_EQ(page->flows[0].flow, flow);
}

TEST_F(StoreFlows, IntervalIsOfLastSeenAndExcludesItsEnd) {
  const auto store = OpenStore();
  const FlowRecord flow =
      TcpFlow(At(std::chrono::seconds(0)), std::chrono::seconds(10), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  const auto count = [&](std::chrono::nanoseconds since, std::chrono::nanoseconds until) {
    return store->Flows({.interval = {At(since), At(until)}})->flows.size();
  };
  using std::chrono::seconds;
  EXPECT_EQ(count(seconds(10), seconds(11)), 1u);
  EXPECT_EQ(count(seconds(0), seconds(10)), 0u);
  EXPECT_EQ(count(seconds(0), seconds(10) + Duration(1)), 1u);
  EXPECT_EQ(count(seconds(10) + Duration(1), seconds(20)), 0u);
}

TEST_F(StoreFlows, OrdersAsAskedAndPagesWithoutGapsOrRepeats) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(2).Take(300), {}).ok());
  for (const FlowOrder order : {FlowOrder::kNewestFirst, FlowOrder::kOldestFirst,
                                FlowOrder::kMostBytes, FlowOrder::kMostPackets}) {
    FlowQuery query;
    query.order = order;
    query.limit = 7;
    const std::vector<StoredFlow> flows = AllPages(*store, query);
    ASSERT_EQ(flows.size(), 300u);
    const auto before = [order](const StoredFlow& a, const StoredFlow& b) {
      switch (order) {
        case FlowOrder::kNewestFirst:
          return a.flow.last_seen >= b.flow.last_seen;
        case FlowOrder::kOldestFirst:
          return a.flow.last_seen <= b.flow.last_seen;
        case FlowOrder::kMostBytes:
          return a.flow.wire_bytes() >= b.flow.wire_bytes();
        case FlowOrder::kMostPackets:
          return a.flow.packets() >= b.flow.packets();
      }
      return false;
    };
    std::set<std::int64_t> ids;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      ids.insert(flows[i].id);
      if (i > 0) {
        EXPECT_TRUE(before(flows[i - 1], flows[i]));
      }
    }
    EXPECT_EQ(ids.size(), 300u);
  }
}

TEST_F(StoreFlows, PagesAreNotShiftedByFlowsThatCome) {
  const auto store = OpenStore();
  RandomFlows random(3);
  ASSERT_TRUE(store->Write(random.Take(100), {}).ok());
  for (const FlowOrder order : {FlowOrder::kNewestFirst, FlowOrder::kMostBytes}) {
    const std::size_t there = AllPages(*store, {.order = order, .limit = 10'000}).size();
    const auto first_new = static_cast<std::int64_t>(there) + 1;
    const std::vector<StoredFlow> flows = AllPages(*store, {.order = order, .limit = 9}, [&] {
      EXPECT_TRUE(store->Write(random.Take(10), {}).ok());
    });
    std::multiset<std::int64_t> old_ids;
    std::set<std::int64_t> all_ids;
    for (const StoredFlow& stored : flows) {
      EXPECT_TRUE(all_ids.insert(stored.id).second) << "twice";
      if (stored.id < first_new) old_ids.insert(stored.id);
    }
    EXPECT_EQ(old_ids.size(), there) << "a flow that was there from the start was left out";
  }
}

TEST_F(StoreFlows, FiltersAsFlowFilterMatches) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows = RandomFlows(4).Take(2'000);
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const std::vector<std::string> terms{"src=10.0.0.0/8",
                                       "src=10.0.0.1",
                                       "dst!=10.0.0.1",
                                       "host=::ffff:10.0.0.1",
                                       "host=::/0",
                                       "host=0.0.0.0/0",
                                       "src=0.0.0.0/8",
                                       "src=a00::/8",
                                       "dst in (10.0.0.0/31,192.0.2.80,2001:db8::/127)",
                                       "src not in (2001:db8::1,10.0.1.0/24,::)",
                                       "sport=3",
                                       "dport!=2",
                                       "port in (1,2)",
                                       "port not in (1,2)",
                                       "port>15",
                                       "sport<=4",
                                       "proto=tcp",
                                       "proto not in (udp,icmp)",
                                       "vlan=5",
                                       "vlan!=5",
                                       "vlan<2000",
                                       "vlan>=2000",
                                       "vlan in (1,2,3)",
                                       "vlan not in (1,2,3)",
                                       "bytes>1e4",
                                       "bytes<=20000.5",
                                       "packets=7",
                                       "packets!=7",
                                       "packets>10.5",
                                       "duration=0",
                                       "duration>1m",
                                       "duration<0.5",
                                       "duration>=0.25us",
                                       "end_reason=idle_timeout",
                                       "end_reason in (none,forced_end)"};
  RandomFlows random(5);
  const auto term = [&] { return terms[random.Below(terms.size())]; };
  int distinctive = 0;
  for (int round = 0; round < 400; ++round) {
    std::string text = round < static_cast<int>(terms.size())
                           ? terms[static_cast<std::size_t>(round)]
                           : term() + (random.Below(2) == 0 ? " and " : " or ") + "not (" + term() +
                                 " or " + term() + " and " + term() + ")";
    const auto filter = FlowFilter::Parse(text);
    ASSERT_TRUE(filter.ok()) << text << ": " << filter.status();
    std::set<std::int64_t> expected;
    for (std::size_t i = 0; i < flows.size(); ++i) {
      if (filter->Matches(flows[i])) expected.insert(static_cast<std::int64_t>(i) + 1);
    }
    const auto page = store->Flows({.filter = *filter, .limit = 10'000});
    ASSERT_TRUE(page.ok()) << text << ": " << page.status();
    std::set<std::int64_t> found;
    for (const StoredFlow& stored : page->flows) found.insert(stored.id);
    EXPECT_EQ(found, expected) << text;
    distinctive += !expected.empty() && expected.size() < flows.size() ? 1 : 0;
  }
  EXPECT_GT(distinctive, 300);
}

TEST_F(StoreFlows, TakesFiltersAsLongAsTheGrammarAllows) {
  const auto store = OpenStore();
  const FlowRecord flow = TcpFlow(kEight, Duration(0), kClient, kServer);
  ASSERT_TRUE(store->Write({&flow, 1}, {}).ok());
  std::string list = "port in (443";
  while (list.size() < 4'080) list += ",1";
  std::string chain = "port=443";
  while (chain.size() < 4'060) chain += " or port=1";
  std::string networks = "host in (10.0.0.0/8";
  while (networks.size() < 4'080) networks += ",::/1";
  for (const std::string& text : {list + ")", chain, networks + ")"}) {
    const auto filter = FlowFilter::Parse(text);
    ASSERT_TRUE(filter.ok()) << filter.status();
    const auto page = store->Flows({.filter = *filter});
    ASSERT_TRUE(page.ok()) << page.status();
    EXPECT_EQ(page->flows.size(), 1u);
  }
}

TEST_F(StoreFlows, RefusesWrongQueries) {
  const auto store = OpenStore();
  ASSERT_TRUE(store->Write(RandomFlows(6).Take(20), {}).ok());
  const auto error = [&](const FlowQuery& query) {
    const auto page = store->Flows(query);
    EXPECT_EQ(page.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(page.status().message());
  };
  EXPECT_THAT(error({.limit = 0}), HasSubstr("limit must be from 1 to 10000"));
  EXPECT_THAT(error({.limit = 10'001}), HasSubstr("limit"));
  EXPECT_THAT(error({.interval = {At(Duration(1)), kEight}}), HasSubstr("ends before it begins"));
  const std::string newest = store->Flows({.limit = 5})->next_cursor;
  EXPECT_THAT(error({.order = FlowOrder::kMostBytes, .cursor = newest}), HasSubstr("cursor"));
  for (const std::string& cursor :
       {std::string("x"), std::string("n"), std::string("n1"), std::string("n1_"),
        std::string("n1_zz"), std::string("nx_31"), std::string("n1_3"), std::string("n1_31' OR 1"),
        std::string("n\0_31", 5), std::string("n99999999999999999999_31"),
        std::string("n1_7878")}) {
    EXPECT_THAT(error({.cursor = cursor}), HasSubstr("cursor")) << cursor;
  }
}

TEST_F(StoreFlows, RefusesAFlowItCannotKeepAndThenKeepsNothing) {
  const auto store = OpenStore();
  std::vector<FlowRecord> flows{TcpFlow(kEight, Duration(5), kClient, kServer),
                                TcpFlow(kEight, Duration(5), kClient, kServer)};
  const auto refused = [&](const FlowRecord& flow) {
    flows[1] = flow;
    const absl::Status status = store->Write(flows, {});
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr("flow 1: "));
    EXPECT_EQ(store->Flows({})->flows.size(), 0u);
  };
  FlowRecord flow = TcpFlow(kEight, Duration(-1), kClient, kServer);
  refused(flow);
  refused(TcpFlow(kEight, std::chrono::hours(7 * 24) + Duration(1), kClient, kServer));
  flow = TcpFlow(Timestamp::min(), Duration(0), kClient, kServer);
  refused(flow);
  flow.last_seen = Timestamp::max();
  refused(flow);
  refused(TcpFlow(Timestamp::max(), Duration(0), kClient, kServer));
  flow = TcpFlow(kEight, Duration(0), kClient, kServer);
  flow.reverse.payload_bytes = (std::uint64_t{1} << 53) + 1;
  refused(flow);
}

TEST_F(StoreFlows, WorksInMemory) {
  const auto store = Store::Open({.path = ":memory:"});
  ASSERT_TRUE(store.ok()) << store.status();
  const auto other = Store::Open({.path = ":memory:"});
  ASSERT_TRUE(other.ok());
  ASSERT_TRUE((*store)->Write(RandomFlows(7).Take(10), {}).ok());
  EXPECT_EQ((*store)->Flows({})->flows.size(), 10u);
  EXPECT_EQ((*other)->Flows({})->flows.size(), 0u);
  EXPECT_EQ((*store)->Top({})->total.flows, 10u);
  EXPECT_FALSE(std::filesystem::exists(":memory:"));
}

TEST_F(StoreFlows, GivesUpAQueryThatTakesTooLong) {
  ASSERT_TRUE(OpenStore()->Write(RandomFlows(8).Take(20'000), {}).ok());
  const auto store = OpenStore(std::chrono::milliseconds(1));
  const auto page = store->Flows(
      {.filter = *FlowFilter::Parse("packets=123456789"), .order = FlowOrder::kMostBytes});
  EXPECT_EQ(page.status().code(), absl::StatusCode::kDeadlineExceeded) << page.status();
  // The connection is good for the next query.
  EXPECT_TRUE(store->Flows({.limit = 1}, {.timeout = std::chrono::seconds(60)}).ok());
  EXPECT_TRUE(store->Write(RandomFlows(8).Take(40'000), {}).ok()) << "writes have no time limit";
}

TEST_F(StoreFlows, ScansWholeBlocksOfWhatMatches) {
  const auto store = OpenStore();
  const std::vector<FlowRecord> flows = RandomFlows(11).Take(3'000);
  ASSERT_TRUE(store->Write(flows, {}).ok());
  const TimeInterval interval{At(std::chrono::minutes(10)), At(std::chrono::minutes(30))};
  const FlowFilter filter = *FlowFilter::Parse("proto=tcp or proto=icmp");
  // Source, destination and their ports, protocol, type and packets of each.
  using Key = std::tuple<IpAddress, IpAddress, std::uint64_t, std::uint64_t, std::uint64_t,
                         std::uint64_t, std::uint64_t, std::uint64_t>;
  std::multiset<Key> expected;
  for (const FlowRecord& flow : flows) {
    if (flow.last_seen < interval.since || flow.last_seen >= interval.until) continue;
    if (!filter.Matches(flow)) continue;
    expected.emplace(flow.source.address, flow.destination.address, flow.source.port,
                     flow.destination.port, flow.protocol,
                     flow.icmp ? flow.icmp->type + std::uint64_t{1} : 0, flow.forward.packets,
                     flow.reverse.wire_bytes);
  }
  std::multiset<Key> scanned;
  const auto visit = [&](const StoredColumns& columns) {
    for (std::size_t i = 0; i < columns.selected.size(); ++i) {
      if (columns.selected[i] == 0) continue;
      scanned.emplace(columns.source_addresses[columns.source[i]],
                      columns.destination_addresses[columns.destination[i]], columns.source_port[i],
                      columns.destination_port[i], columns.protocol[i], columns.icmp_type[i],
                      columns.forward_packets[i], columns.reverse_bytes[i]);
    }
    return absl::OkStatus();
  };
  ASSERT_TRUE(store->ScanFlows(interval, filter, visit).ok());
  EXPECT_GT(expected.size(), 300U);
  EXPECT_EQ(scanned, expected);
  EXPECT_EQ(
      store->ScanFlows({}, {}, [](const StoredColumns&) { return absl::CancelledError("enough"); })
          .code(),
      absl::StatusCode::kCancelled);
}

}  // namespace
}  // namespace nta
