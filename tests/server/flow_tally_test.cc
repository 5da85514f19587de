#include "traffic/flow_tally.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "traffic/flow_scan.h"
#include "traffic/host_tally.h"

namespace nta::server {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

constexpr Timestamp kStart{std::chrono::seconds(1'800'000'000)};  // at a full minute

IpAddress Address(std::string_view text) { return *IpAddress::Parse(text); }

FlowRecord Flow(std::string_view source, std::string_view destination, std::uint64_t forward,
                std::uint64_t reverse) {
  FlowRecord flow;
  flow.first_seen = kStart;
  flow.last_seen = kStart + 10s;
  flow.protocol = 6;
  flow.source = {Address(source), 40'000};
  flow.destination = {Address(destination), 443};
  flow.forward.packets = 1;
  flow.forward.wire_bytes = forward;
  flow.reverse.packets = 1;
  flow.reverse.wire_bytes = reverse;
  return flow;
}

FlowRecord Named(FlowRecord flow, Application application, MetadataField field,
                 std::string_view name) {
  flow.application = application;
  FlowMetadata metadata = flow.metadata == nullptr ? FlowMetadata() : *flow.metadata;
  metadata.Set(field, name);
  flow.metadata = std::make_shared<FlowMetadata>(metadata);
  return flow;
}

FlowRecord Over(FlowRecord flow, Duration from, Duration until) {
  flow.first_seen = kStart + from;
  flow.last_seen = kStart + until;
  return flow;
}

std::vector<std::string> Keys(const std::vector<KeyTotals>& rows) {
  std::vector<std::string> keys;
  for (const KeyTotals& row : rows) keys.push_back(row.key);
  return keys;
}

TEST(KeyTally, OrdersByTheMeasureAndThenByKey) {
  KeyTally tally;
  tally.Add("dns", Flow("10.0.0.1", "10.0.0.2", 5, 0));
  tally.Add("tls", Flow("10.0.0.1", "10.0.0.2", 100, 0));
  tally.Add("dns", Flow("10.0.0.1", "10.0.0.2", 5, 0));
  tally.Add("arp", Flow("10.0.0.1", "10.0.0.2", 10, 0));
  EXPECT_THAT(Keys(tally.Rows(Measure::kBytes, 9)), ElementsAre("tls", "arp", "dns"));
  EXPECT_THAT(Keys(tally.Rows(Measure::kFlows, 9)), ElementsAre("dns", "arp", "tls"));
  EXPECT_THAT(Keys(tally.Rows(Measure::kBytes, 1)), ElementsAre("tls"));
}

TEST(KeyTally, CountsWhatHasNoKeyInTheTotalOnly) {
  KeyTally tally;
  tally.Add("", Flow("10.0.0.1", "10.0.0.2", 7, 3));
  tally.Add("tls", Flow("10.0.0.1", "10.0.0.2", 1, 0));
  EXPECT_EQ(tally.total(), (TrafficTotals{.bytes = 11, .packets = 4, .flows = 2}));
  EXPECT_EQ(tally.without_key(), (TrafficTotals{.bytes = 10, .packets = 2, .flows = 1}));
  EXPECT_THAT(Keys(tally.Rows(Measure::kBytes, 9)), ElementsAre("tls"));
}

TEST(PairTally, KeepsWhoSpokeFirstApart) {
  PairTally tally;
  tally.Add(Flow("10.0.0.1", "10.0.0.2", 100, 10));
  tally.Add(Flow("10.0.0.2", "10.0.0.1", 30, 3));
  tally.Add(Flow("10.0.0.1", "10.0.0.2", 1, 0));
  const auto rows = tally.Rows(Measure::kBytes, 9);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].source, Address("10.0.0.1"));
  EXPECT_EQ(rows[0].forward_bytes, 101U);
  EXPECT_EQ(rows[0].reverse_bytes, 10U);
  EXPECT_EQ(rows[0].totals.flows, 2U);
  EXPECT_EQ(rows[1].source, Address("10.0.0.2"));
  EXPECT_EQ(tally.total().bytes, 144U);
}

TEST(PairTally, NamesAnAddressByItsLatestName) {
  PairTally tally;
  const FlowRecord flow = Flow("10.0.0.1", "10.0.0.2", 1, 0);
  tally.Add(Named(flow, Application::kTls, MetadataField::kDestinationName, "new.example"));
  tally.Add(Named(flow, Application::kTls, MetadataField::kDestinationName, "old.example"));
  EXPECT_EQ(tally.Rows(Measure::kBytes, 1)[0].destination_name, "new.example");
  EXPECT_EQ(tally.Rows(Measure::kBytes, 1)[0].source_name, "");
}

TEST(HostTally, TellsSentFromReceivedOnEitherSide) {
  HostTally host(Address("10.0.0.1"));
  host.Add(Flow("10.0.0.1", "10.0.0.2", 100, 7));
  host.Add(Flow("10.0.0.3", "10.0.0.1", 20, 3));
  EXPECT_EQ(host.sent_bytes(), 103U);
  EXPECT_EQ(host.received_bytes(), 27U);
  EXPECT_EQ(host.ports().total().flows, 1U);
  EXPECT_EQ(host.served_ports().total().flows, 1U);
  EXPECT_EQ(host.peers().total().bytes, 130U);
}

TEST(HostTally, KeepsSinceWhenAndUntilWhenANameWasSeen) {
  HostTally host(Address("10.0.0.2"));
  const FlowRecord flow = Named(Flow("10.0.0.1", "10.0.0.2", 1, 0), Application::kTls,
                                MetadataField::kServerName, "www.example.com");
  host.Add(Over(flow, 100s, 110s));
  host.Add(Over(flow, 20s, 30s));
  host.Add(
      Named(Over(flow, 0s, 5s), Application::kTls, MetadataField::kDestinationName, "web.lan"));
  const auto names = host.Names();
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0].name, "web.lan");
  EXPECT_EQ(names[0].origin, NameOrigin::kKnownAs);
  EXPECT_EQ(names[1].name, "www.example.com");
  EXPECT_EQ(names[1].origin, NameOrigin::kAskedFor);
  EXPECT_EQ(names[1].first_seen, kStart);
  EXPECT_EQ(names[1].last_seen, kStart + 110s);
}

TEST(HostTally, DoesNotTakeANameThatADnsServerWasAskedAboutForItsOwn) {
  HostTally host(Address("10.0.0.2"));
  host.Add(Named(Flow("10.0.0.1", "10.0.0.2", 1, 0), Application::kDns, MetadataField::kServerName,
                 "elsewhere.example"));
  EXPECT_TRUE(host.Names().empty());
}

TEST(HostTally, KeepsABoundedNumberOfNames) {
  HostTally host(Address("10.0.0.2"));
  for (int i = 0; i < 1000; ++i) {
    host.Add(Named(Flow("10.0.0.1", "10.0.0.2", 1, 0), Application::kTls,
                   MetadataField::kServerName, std::to_string(i) + ".example"));
  }
  EXPECT_EQ(host.Names().size(), HostTally::kMaxNames);
}

class ScanTest : public testing::Test {
 protected:
  void Write(int flows) {
    std::vector<FlowRecord> records;
    for (int i = 0; i < flows; ++i) {
      records.push_back(Over(Flow("10.0.0.1", "10.0.0.2", 10, 0), i * 1s, i * 1s + 500ms));
    }
    ASSERT_TRUE(store_->Write(records, {}).ok());
  }
  std::unique_ptr<Store> store_ = *Store::Open({.path = ":memory:"});
};

TEST_F(ScanTest, VisitsEveryFlowOverManyPages) {
  Write(12'000);
  std::size_t visited = 0;
  const auto scan = ScanFlows(*store_, {}, [&](const StoredFlow&) { ++visited; });
  ASSERT_TRUE(scan.ok()) << scan.status();
  EXPECT_EQ(visited, 12'000U);
  EXPECT_EQ(scan->examined, 12'000U);
  EXPECT_TRUE(scan->complete);
}

TEST_F(ScanTest, StopsAtItsLimitAndSaysSo) {
  Write(100);
  std::vector<Timestamp> times;
  const auto scan =
      ScanFlows(*store_, {}, [&](const StoredFlow& flow) { times.push_back(flow.flow.last_seen); },
                {.max_flows = 60});
  ASSERT_TRUE(scan.ok()) << scan.status();
  EXPECT_FALSE(scan->complete);
  ASSERT_EQ(times.size(), 60U);
  EXPECT_EQ(times.front(), kStart + 99s + 500ms);  // the newest are the ones examined
  EXPECT_TRUE(ScanFlows(*store_, {}, [](const StoredFlow&) {}, {.max_flows = 100})->complete);
}

}  // namespace
}  // namespace nta::server
