#include "nta/flow/flow_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

// A table with the verbs of these tests.
class Table {
 public:
  explicit Table(FlowTableOptions options = {}) : table_(FlowTable::Create(options).value()) {}

  void Add(const std::vector<Packet>& packets) { table_.Add(DecodeAll(packets), events_); }
  void Add(const DecodedPacket& packet) { table_.Add({&packet, 1}, events_); }
  void AdvanceTo(Timestamp now) {
    while (!table_.AdvanceTo(now, events_)) {
    }
  }
  void EndAll() {
    while (!table_.EndAll(events_)) {
    }
  }
  // Records that ended since the last call.
  std::vector<FlowRecord> Ended() {
    std::vector<FlowRecord> records;
    for (const FlowEvent& event : events_) {
      if (event.closes_record()) records.push_back(event.flow);
    }
    events_.clear();
    return records;
  }
  std::vector<FlowEvent> TakeEvents() { return std::exchange(events_, {}); }
  FlowTableStats Stats() const { return table_.Stats(); }
  FlowTable& table() { return table_; }

 private:
  FlowTable table_;
  std::vector<FlowEvent> events_;
};

DecodedPacket Datagram(Timestamp time, std::uint32_t host, std::uint16_t port = 53) {
  DecodedPacket packet;
  packet.time = time;
  packet.wire_bytes = 60;
  packet.ip_bytes = 46;
  packet.ip_version = 4;
  packet.protocol = kProtocolUdp;
  packet.has_ports = true;
  packet.source =
      IpAddress::V4(10, static_cast<std::uint8_t>(host >> 16), static_cast<std::uint8_t>(host >> 8),
                    static_cast<std::uint8_t>(host));
  packet.destination = IpAddress::V4(192, 0, 2, 1);
  packet.source_port = 1024;
  packet.destination_port = port;
  return packet;
}
DecodedPacket Reply(DecodedPacket packet, Timestamp time) {
  std::swap(packet.source, packet.destination);
  std::swap(packet.source_port, packet.destination_port);
  packet.time = time;
  return packet;
}
DecodedPacket Segment(Timestamp time, std::uint8_t flags, std::uint32_t host = 1) {
  DecodedPacket packet = Datagram(time, host, 80);
  packet.protocol = kProtocolTcp;
  packet.tcp_flags = flags;
  return packet;
}

const Conversation kWeb{.client = {IpAddress::V4(10, 0, 0, 1), 50000},
                        .server = {IpAddress::V4(192, 0, 2, 1), 80}};

TEST(FlowTable, CountsBothDirectionsOfASession) {
  Table table;
  table.Add(TcpSession(kWeb, 100, 1000));
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  const FlowRecord& flow = flows[0];
  EXPECT_EQ(flow.five_tuple().ToString(), "tcp 10.0.0.1:50000 -> 192.0.2.1:80");
  EXPECT_EQ(flow.first_seen, kWeb.start);
  EXPECT_EQ(flow.last_seen, kWeb.start + 6 * kWeb.step);
  EXPECT_EQ(flow.forward, (FlowDirection{4, 4 * 54 + 100, 4 * 40 + 100, 100,
                                         kTcpSyn | kTcpAck | kTcpPsh | kTcpFin}));
  EXPECT_EQ(flow.reverse, (FlowDirection{3, 3 * 54 + 1000, 3 * 40 + 1000, 1000,
                                         kTcpSyn | kTcpAck | kTcpPsh | kTcpFin}));
  EXPECT_EQ(flow.outcome, ContactOutcome::kAnswered);
  EXPECT_FALSE(flow.vlan);
}

TEST(FlowTable, SourceIsWhoSpokeFirstWhateverTheAddresses) {
  for (const bool low_first : {true, false}) {
    Table table;
    const DecodedPacket request = Datagram(At({}), 1);
    const DecodedPacket first = low_first ? request : Reply(request, At({}));
    table.Add(first);
    table.Add(Reply(first, At(seconds(1))));
    table.EndAll();
    EXPECT_EQ(table.Ended()[0].five_tuple(), first.five_tuple());
  }
}

TEST(FlowTable, HostThatTalksToItselfHasOneFlowPerPortPair) {
  Table table;
  DecodedPacket packet = Datagram(At({}), 1);
  packet.destination = packet.source;
  table.Add(packet);
  table.Add(Reply(packet, At(seconds(1))));
  packet.destination_port = packet.source_port;
  table.Add(packet);
  table.Add(Reply(packet, At(seconds(1))));
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[0].forward.packets, 1U);
  EXPECT_EQ(flows[0].reverse.packets, 1U);
  EXPECT_EQ(flows[1].forward.packets, 2U) << "equal ports give no direction";
}

TEST(FlowTable, VlanIsThatOfTheFirstPacket) {
  Table table;
  DecodedPacket packet = Datagram(At({}), 1);
  packet.has_vlan = true;
  packet.vlan = 0;
  table.Add(packet);
  packet.vlan = 7;
  table.Add(packet);
  table.EndAll();
  EXPECT_EQ(table.Ended()[0].vlan, 0) << "priority tag: id 0 is present, not absent";
}

TEST(FlowTable, IdleFlowEndsWhenTimePasses) {
  Table table({.idle_timeout = seconds(10)});
  table.Add(Datagram(At({}), 1));
  table.AdvanceTo(At(milliseconds(9999)));
  EXPECT_TRUE(table.Ended().empty());
  table.AdvanceTo(At(milliseconds(10200)));
  const auto events = table.TakeEvents();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].type, FlowEventType::kEnded);
  EXPECT_EQ(events[0].time, At(seconds(10))) << "the deadline, not the time at which it was seen";
  EXPECT_EQ(events[0].flow.end_reason, FlowEndReason::kIdleTimeout);
  EXPECT_EQ(events[0].flow.last_seen, At({}));
}

TEST(FlowTable, PacketOfAnotherFlowPassesTimeToo) {
  Table table({.idle_timeout = seconds(10)});
  table.Add(Datagram(At({}), 1));
  table.Add(Datagram(At(seconds(11)), 2));
  EXPECT_EQ(table.Ended().size(), 1U);
}

TEST(FlowTable, SilenceOfExactlyTheIdleTimeoutSplits) {
  for (const auto& [gap, flows] :
       {std::pair(Duration(seconds(10)) - Duration(1), 1), std::pair(Duration(seconds(10)), 2)}) {
    Table table({.idle_timeout = seconds(10)});
    table.Add(Datagram(At({}), 1));
    table.Add(Datagram(At(gap), 1));
    table.EndAll();
    EXPECT_EQ(table.Ended().size(), static_cast<std::size_t>(flows));
  }
}

TEST(FlowTable, LongFlowIsReportedAtTheActiveTimeoutAndGoesOn) {
  Table table({.idle_timeout = seconds(10), .active_timeout = seconds(30)});
  const DecodedPacket packet = Datagram(At({}), 1);
  table.Add(packet);
  table.Add(Reply(packet, At(seconds(5))));
  for (int second = 10; second <= 45; second += 5) {
    table.Add(Reply(packet, At(seconds(second))));
  }
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kActiveTimeout);
  EXPECT_EQ(flows[0].last_seen, At(seconds(25)));
  EXPECT_EQ(flows[1].first_seen, At(seconds(30)));
  EXPECT_EQ(flows[1].five_tuple(), packet.five_tuple()) << "the direction is kept";
  EXPECT_EQ(flows[1].forward.packets, 0U);
  EXPECT_EQ(flows[1].reverse.packets, 4U);
  EXPECT_EQ(flows[0].packets() + flows[1].packets(), 10U);
}

TEST(FlowTable, FlowThatFallsSilentAtItsActiveTimeoutIsReportedOnce) {
  Table table({.idle_timeout = seconds(10), .active_timeout = seconds(30)});
  for (int second = 0; second < 30; second += 5) table.Add(Datagram(At(seconds(second)), 1));
  table.AdvanceTo(At(hours(1)));
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kActiveTimeout);
  EXPECT_EQ(table.Stats().started, 1U);
  EXPECT_EQ(table.Stats().active, 0U);
}

TEST(FlowTable, ClosedSessionEndsAfterItsOwnTimeout) {
  Table table;
  table.Add(TcpSession(kWeb, 1, 1));
  table.AdvanceTo(kWeb.start + seconds(1));
  EXPECT_TRUE(table.Ended().empty());
  table.AdvanceTo(kWeb.start + seconds(3));
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kEndOfFlow);
  EXPECT_EQ(flows[0].packets(), 7U) << "the last acknowledgment belongs to it";
}

TEST(FlowTable, FinOfOneSideDoesNotClose) {
  Table table;
  table.Add(Segment(At({}), kTcpFin | kTcpAck));
  table.Add(Segment(At({}), kTcpFin | kTcpAck));
  table.AdvanceTo(At(seconds(60)));
  EXPECT_TRUE(table.Ended().empty());
}

TEST(FlowTable, ResetCloses) {
  Table table;
  table.Add(TcpRefused(kWeb));
  table.AdvanceTo(kWeb.start + seconds(5));
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kEndOfFlow);
  EXPECT_EQ(flows[0].outcome, ContactOutcome::kRefused);
}

TEST(FlowTable, NewSynOfAClosedSessionStartsTheNextAtOnce) {
  Table table;
  table.Add(TcpSession(kWeb, 1, 1));
  Conversation again = kWeb;
  again.start = kWeb.start + milliseconds(100);
  table.Add(TcpSession(again, 2, 2));
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kEndOfFlow);
  EXPECT_EQ(flows[0].packets(), 7U);
  EXPECT_EQ(flows[1].forward.payload_bytes, 2U);
}

TEST(FlowTable, TrafficAfterAResetIsStillReportedAtTheActiveTimeout) {
  // A forged RST must not hide a session for as long as it talks.
  Table table({.idle_timeout = seconds(10), .active_timeout = seconds(30)});
  table.Add(Segment(At({}), kTcpRst));
  for (int second = 1; second <= 100; ++second) table.Add(Segment(At(seconds(second)), kTcpAck));
  EXPECT_EQ(table.Ended().size(), 3U);
}

TEST(FlowTable, OutcomeTellsWhatBecameOfTheAttempt) {
  const auto outcome_of = [](std::vector<DecodedPacket> packets) {
    Table table;
    for (const DecodedPacket& packet : packets) table.Add(packet);
    table.EndAll();
    return table.Ended()[0].outcome;
  };
  const DecodedPacket syn = Segment(At({}), kTcpSyn);
  DecodedPacket syn_ack = Reply(syn, At({}));
  syn_ack.tcp_flags = kTcpSyn | kTcpAck;
  DecodedPacket reset = Reply(syn, At({}));
  reset.tcp_flags = kTcpRst | kTcpAck;
  const DecodedPacket ack = Segment(At({}), kTcpAck);
  EXPECT_EQ(outcome_of({syn}), ContactOutcome::kPending);
  EXPECT_EQ(outcome_of({syn, syn}), ContactOutcome::kPending);
  EXPECT_EQ(outcome_of({syn, syn_ack}), ContactOutcome::kAnswered);
  EXPECT_EQ(outcome_of({syn, reset}), ContactOutcome::kRefused);
  EXPECT_EQ(outcome_of({syn, syn_ack, reset}), ContactOutcome::kAnswered);
  EXPECT_EQ(outcome_of({ack}), ContactOutcome::kUnknown) << "the beginning was not seen";
  EXPECT_EQ(outcome_of({ack, Reply(ack, At({}))}), ContactOutcome::kUnknown);
  EXPECT_EQ(outcome_of({syn_ack}), ContactOutcome::kUnknown);
  const DecodedPacket datagram = Datagram(At({}), 1);
  EXPECT_EQ(outcome_of({datagram}), ContactOutcome::kPending);
  EXPECT_EQ(outcome_of({datagram, Reply(datagram, At({}))}), ContactOutcome::kAnswered);
}

// The outcome of a datagram after an ICMP error about it.
ContactOutcome OutcomeAfter(std::uint8_t type, std::uint8_t code, bool is_forward = true) {
  Table table;
  const Endpoint client{IpAddress::V4(10, 0, 0, 1), 5000};
  const Endpoint server{IpAddress::V4(192, 0, 2, 1), 53};
  const auto& from = is_forward ? client : server;
  const auto& to = is_forward ? server : client;
  table.Add({PacketBuilder().Ip(client.address, server.address).Udp(5000, 53).Build(),
             PacketBuilder()
                 .Ipv4("198.51.100.1", "10.0.0.1")
                 .Icmp(type, code)
                 .Quote(PacketBuilder().Ip(from.address, to.address).Udp(from.port, to.port))
                 .Build()});
  table.EndAll();
  for (const FlowRecord& flow : table.Ended()) {
    if (flow.protocol == kProtocolUdp) return flow.outcome;
  }
  return ContactOutcome::kUnknown;
}

TEST(FlowTable, IcmpErrorMakesTheQuotedAttemptUnreachable) {
  EXPECT_EQ(OutcomeAfter(3, 3), ContactOutcome::kUnreachable);
  EXPECT_EQ(OutcomeAfter(3, 1), ContactOutcome::kUnreachable);
  EXPECT_EQ(OutcomeAfter(11, 0), ContactOutcome::kUnreachable);
  EXPECT_EQ(OutcomeAfter(5, 1), ContactOutcome::kPending) << "a redirect";
  EXPECT_EQ(OutcomeAfter(3, 4), ContactOutcome::kPending) << "path MTU discovery";
  EXPECT_EQ(OutcomeAfter(3, 3, false), ContactOutcome::kPending) << "about the other direction";
}

TEST(FlowTable, QuotedPacketIsNoTraffic) {
  Table table;
  table.Add({PacketBuilder()
                 .Ipv4("198.51.100.1", "10.0.0.1")
                 .Icmp(3, 3)
                 .Quote(PacketBuilder().Ipv4("10.0.0.1", "192.0.2.1").Udp(1, 2))
                 .Build()});
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].protocol, kProtocolIcmp);
}

TEST(FlowTable, TellsStartsAndOutcomesWhenAsked) {
  Table table({.events = FlowEventSelection::kAll});
  table.Add(TcpHandshake(kWeb));
  table.EndAll();
  std::vector<FlowEventType> types;
  const auto events = table.TakeEvents();
  for (const FlowEvent& event : events) types.push_back(event.type);
  EXPECT_THAT(types,
              ElementsAre(FlowEventType::kStarted, FlowEventType::kUpdated, FlowEventType::kEnded));
  EXPECT_EQ(events[0].flow.packets(), 1U);
  EXPECT_EQ(events[0].flow.end_reason, FlowEndReason::kNone);
  EXPECT_EQ(events[1].flow.outcome, ContactOutcome::kAnswered);
  EXPECT_EQ(events[1].time, kWeb.start + kWeb.step);
}

TEST(FlowTable, IgnoresWhatCannotBeNamedAndCountsIt) {
  Table table;
  const Packet arp = PacketBuilder().Ethernet().Arp(1, "10.0.0.1", "10.0.0.2").Build();
  const Packet cut =
      PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Tcp(1, 2).Snap(36).Build();
  table.Add({arp, cut});
  EXPECT_EQ(table.Stats().ignored, 2U);
  EXPECT_EQ(table.Stats().packets, 0U);
  const Packet echo = PacketBuilder().Ethernet().Ipv4("10.0.0.1", "10.0.0.2").Icmp(8, 0).Build();
  const Packet later = PacketBuilder()
                           .Ethernet()
                           .Ipv4("10.0.0.1", "10.0.0.2", {.fragment_offset = 80, .protocol = 17})
                           .Payload(8)
                           .Build();
  table.Add({echo, later});
  EXPECT_EQ(table.Stats().packets, 2U);
  EXPECT_EQ(table.Stats().active, 2U);
}

TEST(FlowTable, AtTheCapTheOldestUnansweredFlowGoesFirst) {
  Table table({.max_flows = 4});
  for (std::uint32_t host = 0; host < 4; ++host) {
    const DecodedPacket packet = Datagram(At(seconds(host)), host);
    table.Add(packet);
    if (host == 0 || host == 2) table.Add(Reply(packet, At(seconds(host))));
  }
  table.Add(Datagram(At(seconds(10)), 100));
  table.Add(Datagram(At(seconds(11)), 101));
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[0].source.address, Datagram({}, 1).source);
  EXPECT_EQ(flows[1].source.address, Datagram({}, 3).source);
  EXPECT_EQ(flows[0].end_reason, FlowEndReason::kLackOfResources);
  EXPECT_EQ(table.Stats().evicted, 2U);
  EXPECT_EQ(table.Stats().evicted_answered, 0U);
  EXPECT_EQ(table.Stats().active, 4U);
}

TEST(FlowTable, WhenAllWereAnsweredTheQuietestGoes) {
  Table table({.max_flows = 4});
  for (std::uint32_t host = 0; host < 4; ++host) {
    const DecodedPacket packet = Datagram(At(seconds(host)), host);
    table.Add(packet);
    table.Add(Reply(packet, At(seconds(host))));
  }
  table.Add(Datagram(At(seconds(9)), 0));
  table.Add(Datagram(At(seconds(10)), 100));
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].source.address, Datagram({}, 1).source);
  EXPECT_EQ(table.Stats().evicted_answered, 1U);
}

TEST(FlowTable, FlowThatWasOverAnywayIsNotCountedAsEvicted) {
  Table table({.idle_timeout = milliseconds(1), .max_flows = 1});
  table.Add(Datagram(At({}), 1));
  table.Add(Datagram(At(milliseconds(2)), 2));
  EXPECT_EQ(table.Ended()[0].end_reason, FlowEndReason::kIdleTimeout);
  EXPECT_EQ(table.Stats().evicted, 0U);
}

TEST(FlowTable, RefusesOptionsOutOfRange) {
  const auto code = [](FlowTableOptions options) {
    return FlowTable::Create(options).status().code();
  };
  constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;
  EXPECT_EQ(code({.idle_timeout = Duration(0)}), kInvalid);
  EXPECT_EQ(code({.idle_timeout = Duration(-1)}), kInvalid);
  EXPECT_EQ(code({.idle_timeout = Duration(999'999)}), kInvalid);
  EXPECT_EQ(code({.active_timeout = hours(24) + Duration(1)}), kInvalid);
  EXPECT_EQ(code({.closed_timeout = Duration::max()}), kInvalid);
  EXPECT_EQ(code({.max_flows = 0}), kInvalid);
  EXPECT_EQ(code({.max_flows = 100'000'001}), kInvalid);
  EXPECT_EQ(code({.idle_timeout = milliseconds(1), .active_timeout = hours(24), .max_flows = 1}),
            absl::StatusCode::kOk);
}

TEST(FlowTable, EndsAtMostSoManyPerCallAndSaysWhenNoneIsLeft) {
  constexpr std::uint32_t kFlows = 40'000;
  for (const bool by_time : {true, false}) {
    // Until every deadline lies in the tick that just began, and long after.
    for (const Duration later :
         {Duration(milliseconds(1070)), Duration(milliseconds(1135)), Duration(hours(1000))}) {
      FlowTable table = FlowTable::Create({.idle_timeout = seconds(1)}).value();
      std::vector<FlowEvent> events;
      std::vector<DecodedPacket> packets;
      for (std::uint32_t host = 0; host < kFlows; ++host) packets.push_back(Datagram(At({}), host));
      table.Add(packets, events);
      std::size_t ended = 0;
      for (bool done = false; !done;) {
        events.clear();
        done = by_time ? table.AdvanceTo(At(later), events) : table.EndAll(events);
        EXPECT_LE(events.size(), FlowTable::kMaxEndedPerCall);
        ended += events.size();
      }
      if (ended == 0) continue;  // the tick has not passed yet
      EXPECT_EQ(ended, kFlows);
      EXPECT_EQ(table.Stats().active, 0U);
    }
  }
}

TEST(FlowTable, CatchesUpWithAFloodThatFallsDueAtOnce) {
  Table table({.idle_timeout = seconds(1)});
  for (std::uint32_t host = 0; host < 1000; ++host) table.Add(Datagram(At({}), host));
  // Fewer packets than flows, all within one tick: eight flows end for each.
  for (int i = 0; i < 126; ++i) table.Add(Datagram(At(seconds(10)), 5000));
  EXPECT_EQ(table.Ended().size(), 1000U);
}

TEST(FlowTable, EndAllLeavesAnEmptyTableThatGoesOn) {
  Table table;
  table.Add(Datagram(At({}), 1));
  table.EndAll();
  EXPECT_EQ(table.Ended()[0].end_reason, FlowEndReason::kForcedEnd);
  table.Add(Datagram(At(seconds(1)), 1));
  table.EndAll();
  EXPECT_EQ(table.Ended().size(), 1U);
  EXPECT_EQ(table.Stats().ended_forced, 2U);
}

TEST(FlowTable, EarlierTimeDoesNothing) {
  Table table({.idle_timeout = seconds(10)});
  table.Add(Datagram(At(seconds(100)), 1));
  table.AdvanceTo(At({}));
  table.AdvanceTo(Timestamp::min());
  EXPECT_TRUE(table.Ended().empty());
}

TEST(FlowTable, MovedTableKeepsItsFlows) {
  FlowTable table = FlowTable::Create().value();
  std::vector<FlowEvent> events;
  const DecodedPacket packet = Datagram(At({}), 1);
  table.Add({&packet, 1}, events);
  FlowTable moved = std::move(table);
  EXPECT_TRUE(moved.EndAll(events));
  EXPECT_EQ(events.size(), 1U);
}

TEST(FlowTable, FlowsSurviveEveryJumpOfTheClock) {
  // Each flow is one packet; whatever the times, each is reported once and lasts no negative time.
  const Timestamp times[] = {At({}),           At(hours(24 * 3650)),  At({}),
                             Timestamp(),      At(-hours(24 * 3650)), Timestamp::max(),
                             Timestamp::min(), At(seconds(1)),        kMaxPacketTime,
                             kMinPacketTime,   At(seconds(2))};
  Table table;
  for (std::uint32_t round = 0; round < 3; ++round) {
    for (const Timestamp time : times) {
      table.Add(Datagram(time, 7));
      table.Add(Datagram(time, round + 100));
      table.AdvanceTo(time);
    }
  }
  table.EndAll();
  std::uint64_t packets = 0;
  for (const FlowRecord& flow : table.Ended()) {
    EXPECT_GE(flow.last_seen, flow.first_seen);
    EXPECT_GE(flow.duration(), Duration(0));
    packets += flow.packets();
  }
  EXPECT_EQ(packets, 66U);
  EXPECT_EQ(table.Stats().started, table.Stats().ended);
  EXPECT_GT(table.Stats().time_backwards, 0U);
}

TEST(FlowTable, TimesBefore1970AreTimes) {
  Table table({.idle_timeout = seconds(10)});
  const Timestamp start{-hours(24 * 365)};
  table.Add(Datagram(start, 1));
  table.Add(Datagram(start + seconds(1), 1));
  EXPECT_EQ(table.Stats().time_backwards, 0U);
  table.AdvanceTo(start + seconds(12));
  ASSERT_EQ(table.Ended().size(), 1U);
}

TEST(FlowTable, LatePacketBelongsToItsFlow) {
  Table table;
  table.Add(Datagram(At(seconds(5)), 1));
  table.Add(Datagram(At(seconds(3)), 1));
  table.EndAll();
  const auto flows = table.Ended();
  ASSERT_EQ(flows.size(), 1U);
  EXPECT_EQ(flows[0].first_seen, At(seconds(3)));
  EXPECT_EQ(flows[0].last_seen, At(seconds(5)));
  EXPECT_EQ(table.Stats().time_backwards, 1U);
}

TEST(FlowTable, ThousandsOfPacketsOfOneTimeAreOneFlowEach) {
  Table table;
  for (std::uint32_t i = 0; i < 10'000; ++i) table.Add(Datagram(At({}), i % 100));
  table.EndAll();
  const auto flows = table.Ended();
  EXPECT_EQ(flows.size(), 100U);
  for (const FlowRecord& flow : flows) EXPECT_EQ(flow.forward.packets, 100U);
}

TEST(FlowRecord, NamesRoundTrip) {
  for (int i = 0; i <= 5; ++i) {
    const auto reason = static_cast<FlowEndReason>(i);
    EXPECT_EQ(ParseFlowEndReason(ToString(reason)).value(), reason);
  }
  EXPECT_EQ(ToString(FlowEndReason::kLackOfResources), "lack_of_resources");
  EXPECT_FALSE(ParseFlowEndReason("").ok());
  EXPECT_FALSE(ParseFlowEndReason("IDLE_TIMEOUT").ok());
  EXPECT_EQ(ToString(ContactOutcome::kUnreachable), "unreachable");
  EXPECT_EQ(ToString(FlowEventType::kStarted), "started");
}

}  // namespace
}  // namespace nta::test
