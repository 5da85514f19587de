#include "traffic/flow_scan.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace nta::server {
namespace {

using namespace std::chrono_literals;

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

FlowRecord Over(FlowRecord flow, Duration from, Duration until) {
  flow.first_seen = kStart + from;
  flow.last_seen = kStart + until;
  return flow;
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
