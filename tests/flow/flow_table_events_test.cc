// Directions that are mended, records that the active timeout closes, and what an inspector sees.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "nta/flow/flow_table.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kClient = "10.0.0.1";
constexpr std::string_view kServer = "10.0.0.2";

Packet FromClient(Duration time, std::uint8_t flags, std::size_t payload = 0) {
  return PacketBuilder()
      .Time(At(time))
      .Ethernet()
      .Ipv4(kClient, kServer)
      .Tcp(5000, 80, {.flags = flags})
      .Payload(payload)
      .Build();
}
Packet FromServer(Duration time, std::uint8_t flags, std::size_t payload = 0) {
  return PacketBuilder()
      .Time(At(time))
      .Ethernet()
      .Ipv4(kServer, kClient)
      .Tcp(80, 5000, {.flags = flags})
      .Payload(payload)
      .Build();
}

struct Table {
  explicit Table(FlowTableOptions options = {}) : table(FlowTable::Create(options).value()) {}

  std::vector<FlowEvent> Add(const std::vector<Packet>& packets) {
    std::vector<FlowEvent> events;
    table.Add(DecodeAll(packets), events);
    return events;
  }
  std::vector<FlowEvent> AdvanceTo(Duration time) {
    std::vector<FlowEvent> events;
    table.AdvanceTo(At(time), events);
    return events;
  }
  std::vector<FlowEvent> End() {
    std::vector<FlowEvent> events;
    while (!table.EndAll(events)) {
    }
    return events;
  }
  FlowTable table;
};

const Endpoint kClientEnd{Ip(kClient), 5000};

FlowRecord Record(const std::vector<Packet>& packets) {
  Table table;
  EXPECT_TRUE(table.Add(packets).empty());
  const std::vector<FlowEvent> events = table.End();
  EXPECT_EQ(events.size(), 1U);
  return events.at(0).flow;
}

TEST(FlowDirection, SynAckAsTheFirstPacketIsTheAnswerOfTheDestination) {
  const FlowRecord flow =
      Record({FromServer({}, kTcpSyn | kTcpAck), FromClient(milliseconds(1), kTcpAck)});
  EXPECT_EQ(flow.source, kClientEnd);
  EXPECT_EQ(flow.forward.packets, 1U);
  EXPECT_EQ(flow.reverse.packets, 1U);
  EXPECT_EQ(flow.reverse.tcp_flags, kTcpSyn | kTcpAck);
  EXPECT_EQ(flow.tcp_state, TcpState::kEstablished);
  EXPECT_EQ(flow.outcome, ContactOutcome::kUnknown);
}

TEST(FlowDirection, SynAckMendsWhatOnlyBareSegmentsOfItsSenderSuggested) {
  const FlowRecord flow =
      Record({FromServer({}, kTcpAck), FromServer(milliseconds(1), kTcpSyn | kTcpAck),
              FromClient(milliseconds(2), kTcpAck)});
  EXPECT_EQ(flow.source, kClientEnd);
  EXPECT_EQ(flow.forward.packets, 1U);
  EXPECT_EQ(flow.reverse.packets, 2U);
  EXPECT_EQ(flow.forward.tcp_flags, kTcpAck);
}

TEST(FlowDirection, SynAckMendsNothingThatIsKnown) {
  const Endpoint server{Ip(kServer), 80};
  EXPECT_EQ(
      Record({FromServer({}, kTcpSyn), FromServer(milliseconds(1), kTcpSyn | kTcpAck)}).source,
      server)
      << "it asked";
  EXPECT_EQ(
      Record({FromServer({}, kTcpAck, 5), FromServer(milliseconds(1), kTcpSyn | kTcpAck)}).source,
      server)
      << "it sent data";
  EXPECT_EQ(
      Record({FromServer({}, kTcpAck), FromServer(milliseconds(1), kTcpSyn | kTcpAck | kTcpRst)})
          .source,
      server)
      << "no SYN-ACK";
  EXPECT_EQ(
      Record({FromClient({}, kTcpSyn), FromServer(milliseconds(1), kTcpSyn | kTcpAck)}).source,
      kClientEnd);
}

TEST(FlowUpdates, ActiveTimeoutClosesARecordOfAFlowThatGoesOn) {
  Table table({.idle_timeout = seconds(4),
               .active_timeout = seconds(10),
               .events = FlowEventSelection::kAll});
  std::vector<FlowEvent> events;
  for (int second = 0; second <= 25; ++second) {
    for (FlowEvent& event : table.Add({FromClient(seconds(second), kTcpAck, 1)}))
      events.push_back(std::move(event));
  }
  for (FlowEvent& event : table.AdvanceTo(seconds(200))) events.push_back(std::move(event));
  ASSERT_EQ(events.size(), 6U);
  std::uint64_t packets = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(events[2 * i].type, FlowEventType::kStarted) << i;
    const FlowEvent& close = events[2 * i + 1];
    EXPECT_TRUE(close.closes_record());
    EXPECT_EQ(close.type, i < 2 ? FlowEventType::kUpdated : FlowEventType::kEnded);
    EXPECT_EQ(close.flow.end_reason,
              i < 2 ? FlowEndReason::kActiveTimeout : FlowEndReason::kIdleTimeout);
    EXPECT_EQ(close.flow.first_seen, events[2 * i].flow.first_seen);
    packets += close.flow.packets();
  }
  EXPECT_EQ(packets, 26U);
  EXPECT_EQ(table.table.Stats().active, 0U);
}

TEST(FlowUpdates, LongFlowsAreReportedWhileTheyLiveWithoutPackets) {
  Table table({.idle_timeout = seconds(60), .active_timeout = seconds(10)});
  table.Add({FromClient(seconds(0), kTcpAck)});
  const auto events = table.AdvanceTo(seconds(11));
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, FlowEventType::kUpdated);
  EXPECT_EQ(events[0].time, At(seconds(10)));
  EXPECT_TRUE(table.AdvanceTo(seconds(100)).empty()) << "there is no packet in the next record";
}

TEST(TcpStates, AreThoseOfTheFlowOverAllItsRecords) {
  Table table({.idle_timeout = seconds(60), .active_timeout = seconds(10)});
  const auto state_after = [&](std::vector<Packet> packets, int second) {
    const auto added = table.Add(packets);
    EXPECT_TRUE(added.empty());
    const auto events = table.AdvanceTo(seconds(second));
    EXPECT_EQ(events.size(), 1U) << second;
    return events.empty() ? TcpState::kNone : events[0].flow.tcp_state;
  };
  EXPECT_EQ(state_after({FromClient(seconds(0), kTcpSyn)}, 11), TcpState::kSynSent);
  EXPECT_EQ(state_after({FromServer(seconds(20), kTcpSyn | kTcpAck)}, 31), TcpState::kSynReceived);
  EXPECT_EQ(state_after({FromClient(seconds(40), kTcpAck)}, 51), TcpState::kEstablished);
  EXPECT_EQ(state_after({FromClient(seconds(60), kTcpAck, 9)}, 71), TcpState::kEstablished)
      << "though this record has no SYN";
  EXPECT_EQ(state_after({FromClient(seconds(80), kTcpFin | kTcpAck)}, 91), TcpState::kClosing);
  table.Add({FromServer(seconds(100), kTcpFin | kTcpAck)});
  const auto events = table.End();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].flow.tcp_state, TcpState::kClosed);
}

TEST(TcpStates, ResetFromEitherSideAndNoneForOthers) {
  EXPECT_EQ(Record({FromClient({}, kTcpSyn), FromServer({}, kTcpRst)}).tcp_state, TcpState::kReset);
  EXPECT_EQ(Record({FromClient({}, kTcpAck)}).tcp_state, TcpState::kMidstream);
  EXPECT_EQ(Record({PacketBuilder().Ipv4(kClient, kServer).Udp(1, 2).Build()}).tcp_state,
            TcpState::kNone);
}

// Wants `wanted` packets of each flow and remembers what it was told.
class FakeInspector final : public FlowInspector {
 public:
  InspectResult Inspect(FlowSlot slot, bool is_forward, const DecodedPacket& packet) override {
    Seen& seen = slots_[slot];
    ++seen.packets;
    log.push_back((is_forward ? '>' : '<') + std::to_string(packet.payload_bytes));
    return {.wants_more = seen.packets < wanted, .has_news = seen.packets == news_at};
  }
  void Establish(FlowSlot slot, bool is_forward, const DecodedPacket& packet) override {
    slots_[slot];
    EXPECT_TRUE(packet.payload.empty());
    log.push_back(is_forward ? ">established" : "<established");
  }
  void Describe(FlowSlot slot, bool was_inspected, FlowRecord& flow) override {
    EXPECT_EQ(was_inspected, slots_.contains(slot));
    flow.application = was_inspected ? Application::kHttp : Application::kUnknown;
    ++described;
  }
  void Finish(FlowSlot slot) override {
    EXPECT_EQ(slots_.erase(slot), 1U) << "a slot that was never shown";
    ++finished;
  }
  std::size_t live() const { return slots_.size(); }

  int wanted = 1;
  int news_at = 0;
  int described = 0;
  int finished = 0;
  std::vector<std::string> log;

 private:
  struct Seen {
    int packets = 0;
  };
  std::map<FlowSlot, Seen> slots_;
};

TEST(FlowInspection, ShowsPacketsWithPayloadUntilTheInspectorHasEnough) {
  Table table;
  FakeInspector inspector;
  inspector.wanted = 3;
  table.table.SetInspector(&inspector);
  table.Add({FromClient({}, kTcpSyn), FromServer({}, kTcpSyn | kTcpAck), FromClient({}, kTcpAck),
             FromClient({}, kTcpAck, 10), FromServer({}, kTcpAck), FromServer({}, kTcpAck, 20),
             Cut(FromServer({}, kTcpAck, 25), 54), FromClient({}, kTcpAck, 30),
             FromServer({}, kTcpAck, 40)});
  EXPECT_EQ(inspector.log, (std::vector<std::string>{"<established", ">10", "<20", ">30"}));
  EXPECT_EQ(inspector.described, 0);
  EXPECT_EQ(inspector.finished, 0);
  const auto events = table.End();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].flow.application, Application::kHttp);
  EXPECT_EQ(inspector.described, 1);
  EXPECT_EQ(inspector.finished, 1);
}

TEST(FlowInspection, ShowsTheSynAckOnceAndBeforeAnyPayload) {
  Table table;
  FakeInspector inspector;
  inspector.wanted = 3;
  table.table.SetInspector(&inspector);
  table.Add({FromServer({}, kTcpSyn | kTcpAck), FromServer({}, kTcpSyn | kTcpAck),
             FromClient({}, kTcpAck, 10), FromServer({}, kTcpSyn | kTcpAck)});
  EXPECT_EQ(inspector.log, (std::vector<std::string>{"<established", ">10"}));
  table.End();
  EXPECT_EQ(inspector.finished, 1);
}

TEST(FlowInspection, FlowsWithoutPayloadAreDescribedButNeverFinished) {
  Table table;
  FakeInspector inspector;
  table.table.SetInspector(&inspector);
  table.Add({FromClient({}, kTcpSyn)});
  EXPECT_EQ(table.End().at(0).flow.application, Application::kUnknown);
  EXPECT_EQ(inspector.described, 1);
  EXPECT_EQ(inspector.finished, 0);
}

TEST(FlowInspection, NewsBecomeAnUpdateForThoseWhoWantAllEvents) {
  for (const auto selection : {FlowEventSelection::kAll, FlowEventSelection::kRecords}) {
    Table table({.events = selection});
    FakeInspector inspector;
    inspector.wanted = 5;
    inspector.news_at = 2;
    table.table.SetInspector(&inspector);
    const auto events = table.Add(
        {FromClient({}, kTcpAck, 1), FromClient({}, kTcpAck, 2), FromClient({}, kTcpAck, 3)});
    if (selection == FlowEventSelection::kRecords) {
      EXPECT_TRUE(events.empty());
      continue;
    }
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].type, FlowEventType::kStarted);
    EXPECT_EQ(events[1].type, FlowEventType::kUpdated);
    EXPECT_FALSE(events[1].closes_record());
    EXPECT_EQ(events[1].flow.packets(), 2U);
    EXPECT_EQ(events[1].flow.application, Application::kHttp);
  }
}

TEST(FlowInspection, GoesOnInTheNextRecordOfALongFlow) {
  Table table({.idle_timeout = seconds(60), .active_timeout = seconds(10)});
  FakeInspector inspector;
  inspector.wanted = 2;
  table.table.SetInspector(&inspector);
  table.Add({FromClient(seconds(0), kTcpAck, 1)});
  EXPECT_EQ(table.AdvanceTo(seconds(11)).size(), 1U);
  EXPECT_EQ(inspector.finished, 0) << "the flow is not over";
  table.Add({FromClient(seconds(12), kTcpAck, 2), FromClient(seconds(13), kTcpAck, 3)});
  EXPECT_EQ(inspector.log, (std::vector<std::string>{">1", ">2"}));
  EXPECT_EQ(table.End().size(), 1U);
  EXPECT_EQ(inspector.described, 2);
  EXPECT_EQ(inspector.finished, 1);
}

TEST(FlowInspection, EveryShownFlowIsFinishedOnceHoweverSlotsAreReused) {
  Table table({.idle_timeout = seconds(5), .max_flows = 7});
  FakeInspector inspector;
  table.table.SetInspector(&inspector);
  std::size_t records = 0;
  for (int i = 0; i < 500; ++i) {
    const auto port = static_cast<std::uint16_t>(1 + i * 7 % 50);
    Packet packet = PacketBuilder()
                        .Time(At(milliseconds(i * 100)))
                        .Ethernet()
                        .Ipv4(kClient, kServer)
                        .Udp(port, 9)
                        .Payload(static_cast<std::size_t>(i % 3))
                        .Build();
    records += table.Add({packet}).size();
    ASSERT_LE(inspector.live(), 7U);
  }
  records += table.End().size();
  EXPECT_GT(table.table.Stats().evicted, 0U);
  EXPECT_EQ(inspector.live(), 0U);
  EXPECT_EQ(inspector.described, static_cast<int>(records));
  EXPECT_GT(inspector.finished, 100);
  EXPECT_LT(inspector.finished, static_cast<int>(records)) << "flows without payload are not shown";
}

}  // namespace
}  // namespace nta::test
