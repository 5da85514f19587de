#include "nta/pipeline/pipeline.h"

#include <gtest/gtest.h>

#include <deque>

#include "nta/capture/pcap_file_reader.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Hands out what a test wrote down, burst by burst.
class ScriptedSource final : public PacketSource {
 public:
  ScriptedSource& Packets(std::vector<Packet> packets) {
    steps_.push_back({ReadResult::kPackets, std::move(packets), {}});
    return *this;
  }
  ScriptedSource& Silence() {
    steps_.push_back({ReadResult::kTimeout, {}, {}});
    return *this;
  }
  ScriptedSource& Fails(absl::Status error) {
    steps_.push_back({ReadResult::kEnd, {}, std::move(error)});
    return *this;
  }
  ScriptedSource& Live() {
    is_live_ = true;
    return *this;
  }
  ScriptedSource& Drops(std::uint64_t dropped, std::uint64_t filtered) {
    stats_.dropped_buffer = dropped;
    stats_.filtered = filtered;
    return *this;
  }

  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    ++reads_;
    if (steps_.empty()) return ReadResult::kEnd;
    current_ = std::move(steps_.front());
    steps_.pop_front();
    if (!current_.error.ok()) return current_.error;
    for (const Packet& packet : current_.packets) batch.push_back(packet.view());
    stats_.received += batch.size();
    return current_.result;
  }
  CaptureStats Stats() const override { return stats_; }
  bool is_live() const override { return is_live_; }
  std::string name() const override { return "script"; }
  int reads() const { return reads_; }

 private:
  struct Turn {
    ReadResult result = ReadResult::kEnd;
    std::vector<Packet> packets;
    absl::Status error;
  };
  std::deque<Turn> steps_;
  Turn current_;
  CaptureStats stats_;
  bool is_live_ = false;
  int reads_ = 0;
};

// Counts what it is told.
class CountingDetector final : public Detector {
 public:
  std::string_view name() const override { return "counting"; }
  void Observe(const FlowEvent& event, std::vector<Alert>& alerts) override {
    ++events[static_cast<std::size_t>(event.type)];
    EXPECT_EQ(finished, 0);
    if (event.type == FlowEventType::kStarted) alerts.emplace_back();
  }
  void AdvanceTo(Timestamp now, std::vector<Alert>&) override {
    EXPECT_GE(now, time);
    time = now;
  }
  void Finish(std::vector<Alert>& alerts) override {
    ++finished;
    alerts.emplace_back();
  }
  std::size_t memory_bytes() const override { return 0; }
  std::string Save() const override { return {}; }
  absl::Status Load(std::string_view) override { return absl::OkStatus(); }

  int events[3] = {};
  int finished = 0;
  Timestamp time = Timestamp::min();
};

std::vector<Packet> Session(std::uint16_t port, Duration start = {}) {
  return TcpSession(
      {.client = {Ip("10.0.0.1"), port}, .server = {Ip("10.0.0.2"), 80}, .start = At(start)}, 10,
      20);
}

std::vector<FlowRecord> RunAll(Pipeline& pipeline, absl::Status* status = nullptr) {
  std::vector<FlowRecord> flows;
  const absl::Status result = pipeline.Run([&](const Batch& batch) {
    flows.insert(flows.end(), batch.flows.begin(), batch.flows.end());
    EXPECT_EQ(batch.packets.size(), batch.decoded.size());
    EXPECT_TRUE(pipeline.Stats().ledger.Balances());
    return absl::OkStatus();
  });
  if (status != nullptr) {
    *status = result;
  } else {
    EXPECT_TRUE(result.ok()) << result;
  }
  return flows;
}

TEST(Pipeline, TurnsPacketsIntoFlows) {
  ScriptedSource source;
  source.Packets(Session(1000)).Silence().Packets(Session(1001));
  Pipeline pipeline(source);
  const auto flows = RunAll(pipeline);
  ASSERT_EQ(flows.size(), 2U);
  EXPECT_EQ(flows[0].packets(), 7U);
  EXPECT_EQ(pipeline.Stats().flow_table.active, 0U);
}

TEST(Pipeline, LedgerHoldsEveryPacketOnce) {
  ScriptedSource source;
  source.Packets(Session(1000))
      .Packets({PacketBuilder().Ethernet().Snap(5).Build(),
                PacketBuilder().Ethernet().Payload(46).Build(),
                PacketBuilder().Payload(4).Link(static_cast<LinkType>(147)).Build(),
                PacketBuilder().Ethernet().Arp(1, "10.0.0.1", "10.0.0.2").Build()})
      .Drops(3, 2);
  Pipeline pipeline(source);
  RunAll(pipeline);
  const PipelineStats stats = pipeline.Stats();
  EXPECT_EQ(stats.ledger, (PacketLedger{.received = 16,
                                        .decoded = 8,
                                        .malformed = 1,
                                        .unsupported = 2,
                                        .filtered = 2,
                                        .dropped = 3}));
  EXPECT_TRUE(stats.ledger.Balances());
  EXPECT_EQ(stats.decode_reasons,
            (std::map<std::string, std::uint64_t>{
                {"truncated_link", 1}, {"unknown_ether_type", 1}, {"unknown_link_type", 1}}));
  EXPECT_EQ(stats.unsupported,
            (std::map<std::string, std::uint64_t>{{"ethertype 0x88b5", 1}, {"link_type 147", 1}}));
  EXPECT_EQ(stats.capture.dropped_buffer, 3U);
}

TEST(Pipeline, CountsWhatIsNotReadByName) {
  const auto of_ether_type = [](std::uint16_t type) {
    Bytes frame = PacketBuilder().Ethernet().Payload(46).BuildBytes();
    frame[12] = static_cast<std::uint8_t>(type >> 8);
    frame[13] = static_cast<std::uint8_t>(type);
    return WithBytes(PacketBuilder().Ethernet().Build(), std::move(frame));
  };
  const auto of_protocol = [](std::uint8_t protocol) {
    return PacketBuilder()
        .Ethernet()
        .Ipv4("10.0.0.1", "10.0.0.2", {.protocol = protocol})
        .Payload(20)
        .Build();
  };
  std::vector<Packet> packets;
  for (int i = 0; i < 3; ++i) packets.push_back(of_ether_type(0x88cc));
  packets.push_back(PacketBuilder().Ethernet8023().Llc(0x42, 0x42).Payload(35).Build());
  packets.push_back(PacketBuilder().Ieee80211(0x41).Payload(30).Build());
  packets.push_back(of_protocol(2));
  packets.push_back(of_protocol(50));
  packets.push_back(of_protocol(50));
  // More numbers than are kept apart.
  for (std::uint16_t type = 0; type < 100; ++type) {
    packets.push_back(of_ether_type(static_cast<std::uint16_t>(0xa000 + type)));
  }
  ScriptedSource source;
  source.Packets(std::move(packets));
  Pipeline pipeline(source);
  RunAll(pipeline);
  auto unsupported = pipeline.Stats().unsupported;
  EXPECT_EQ(unsupported["ethertype 0x88cc (lldp)"], 3U);
  EXPECT_EQ(unsupported["llc 0x4242 (stp)"], 1U);
  EXPECT_EQ(unsupported["frame control 0x0841 (encrypted_data)"], 1U);
  EXPECT_EQ(unsupported["ip protocol 2 (igmp)"], 1U);
  EXPECT_EQ(unsupported["ip protocol 50 (esp)"], 2U);
  EXPECT_EQ(unsupported["ethertype 0xa000"], 1U);
  EXPECT_EQ(unsupported["other"], 39U);
  EXPECT_EQ(pipeline.Stats().ledger.unsupported, 105U);
  EXPECT_EQ(pipeline.Stats().ledger.decoded, 3U);
}

TEST(Pipeline, LedgerOfEveryKindOfPacketBalances) {
  std::vector<Packet> packets;
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    for (std::size_t captured = 0; captured < 120; captured += 3)
      packets.push_back(Cut(kind.packet, captured));
  }
  const std::size_t count = packets.size();
  ScriptedSource source;
  source.Packets(std::move(packets));
  Pipeline pipeline(source);
  std::uint64_t counted = 0;
  for (const FlowRecord& flow : RunAll(pipeline)) counted += flow.packets();
  const PipelineStats stats = pipeline.Stats();
  EXPECT_EQ(stats.ledger.received, count);
  EXPECT_TRUE(stats.ledger.Balances());
  EXPECT_EQ(stats.flow_table.packets + stats.flow_table.ignored, count);
  EXPECT_EQ(stats.flow_table.packets, counted);
}

TEST(Pipeline, ErrorOfTheSourceComesAfterEverythingSeen) {
  ScriptedSource source;
  source.Packets(Session(1000)).Fails(absl::DataLossError("cut"));
  Pipeline pipeline(source);
  absl::Status status;
  EXPECT_EQ(RunAll(pipeline, &status).size(), 1U);
  EXPECT_EQ(status, absl::DataLossError("cut"));
  Batch batch;
  EXPECT_EQ(*pipeline.Step(batch), StepResult::kEnd);
  EXPECT_EQ(source.reads(), 2) << "a failed source is not read again";
}

TEST(Pipeline, OptionsOutOfRangeShowInTheFirstStep) {
  ScriptedSource source;
  Pipeline pipeline(source, {.flow_table = {.max_flows = 0}});
  Batch batch;
  EXPECT_EQ(pipeline.Step(batch).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(*pipeline.Step(batch), StepResult::kEnd);
  EXPECT_EQ(source.reads(), 0);
}

TEST(Pipeline, StopEndsAllFlowsWithoutReadingOn) {
  ScriptedSource source;
  source.Packets(Session(1000)).Packets(Session(1001));
  Pipeline pipeline(source);
  Batch batch;
  ASSERT_EQ(*pipeline.Step(batch), StepResult::kMore);
  pipeline.Stop();
  std::size_t flows = 0;
  for (StepResult result = StepResult::kMore; result != StepResult::kEnd;) {
    result = *pipeline.Step(batch);
    flows += batch.flows.size();
  }
  EXPECT_EQ(flows, 1U);
  EXPECT_EQ(source.reads(), 1);
}

TEST(Pipeline, StopBeforeTheFirstStepEnds) {
  ScriptedSource source;
  source.Packets(Session(1000));
  Pipeline pipeline(source);
  pipeline.Stop();
  Batch batch;
  EXPECT_EQ(*pipeline.Step(batch), StepResult::kEnd);
  EXPECT_EQ(source.reads(), 0);
}

TEST(Pipeline, RunObeysAStopToken) {
  ScriptedSource source;
  source.Live();
  for (std::uint16_t port = 0; port < 100; ++port) source.Packets(Session(port));
  Pipeline pipeline(source);
  std::stop_source stop;
  std::size_t flows = 0;
  EXPECT_TRUE(pipeline
                  .Run(
                      [&](const Batch& batch) {
                        flows += batch.flows.size();
                        if (source.reads() == 3) stop.request_stop();
                        return absl::OkStatus();
                      },
                      stop.get_token())
                  .ok());
  EXPECT_EQ(source.reads(), 3);
  EXPECT_EQ(flows, 3U);
}

TEST(Pipeline, ErrorOfTheSinkEndsTheRunAtOnce) {
  ScriptedSource source;
  source.Packets(Session(1000)).Packets(Session(1001));
  Pipeline pipeline(source);
  int calls = 0;
  const absl::Status status = pipeline.Run([&](const Batch&) {
    ++calls;
    return absl::UnavailableError("full");
  });
  EXPECT_EQ(status, absl::UnavailableError("full"));
  EXPECT_EQ(calls, 1);
  EXPECT_EQ(source.reads(), 1);
}

TEST(Pipeline, FlowsOfASilentLiveSourceExpireByTheClock) {
  ScriptedSource source;
  source.Live().Packets(Session(1000)).Silence().Silence().Silence();
  Timestamp now = At(seconds(1));
  Pipeline pipeline(source, {.clock = [&now] { return now; }, .lateness = seconds(1)});
  Batch batch;
  ASSERT_TRUE(pipeline.Step(batch).ok());
  ASSERT_TRUE(pipeline.Step(batch).ok());
  EXPECT_TRUE(batch.flows.empty());
  now = At(milliseconds(2900));
  ASSERT_TRUE(pipeline.Step(batch).ok());
  EXPECT_TRUE(batch.flows.empty()) << "packets may still be on their way";
  now = At(seconds(4));
  ASSERT_TRUE(pipeline.Step(batch).ok());
  ASSERT_EQ(batch.flows.size(), 1U);
  EXPECT_EQ(batch.flows[0].end_reason, FlowEndReason::kEndOfFlow);
  EXPECT_EQ(batch.time, At(seconds(3)));
}

TEST(Pipeline, SilenceOfARecordedSourceIsNotTime) {
  ScriptedSource source;
  source.Packets(Session(1000)).Silence();
  Pipeline pipeline(source, {.clock = [] { return At(hours(1000)); }});
  Batch batch;
  ASSERT_TRUE(pipeline.Step(batch).ok());
  ASSERT_TRUE(pipeline.Step(batch).ok());
  EXPECT_TRUE(batch.flows.empty());
}

TEST(Pipeline, DetectorsSeeEveryEventAndOneEnd) {
  ScriptedSource source;
  source.Packets(Session(1000)).Packets(Session(1001, seconds(1)));
  CountingDetector detector;
  Pipeline pipeline(source);
  pipeline.AddDetector(detector);
  std::size_t alerts = 0;
  EXPECT_TRUE(pipeline
                  .Run([&](const Batch& batch) {
                    alerts += batch.alerts.size();
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(detector.events[0], 2);
  EXPECT_EQ(detector.events[1], 2) << "answered";
  EXPECT_EQ(detector.events[2], 2);
  EXPECT_EQ(detector.finished, 1);
  EXPECT_EQ(alerts, 3U);
  EXPECT_EQ(pipeline.Stats().alerts, 3U);
}

TEST(Pipeline, DetectorsFinishWhenTheSourceFails) {
  ScriptedSource source;
  source.Packets(Session(1000)).Fails(absl::DataLossError("cut"));
  CountingDetector detector;
  Pipeline pipeline(source);
  pipeline.AddDetector(detector);
  absl::Status status;
  RunAll(pipeline, &status);
  EXPECT_EQ(detector.finished, 1);
  EXPECT_FALSE(status.ok());
}

TEST(Pipeline, ManyFlowsAreReleasedInBoundedSteps) {
  ScriptedSource source;
  std::vector<Packet> packets;
  for (std::uint32_t i = 0; i < 40'000; ++i) {
    const IpAddress client =
        IpAddress::V4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    packets.push_back(PacketBuilder()
                          .Ip(client, Ip("10.0.0.2"))
                          .Udp(static_cast<std::uint16_t>(i >> 15), 53)
                          .Build());
  }
  source.Packets(std::move(packets));
  Pipeline pipeline(source);
  std::size_t flows = 0;
  EXPECT_TRUE(pipeline
                  .Run([&](const Batch& batch) {
                    EXPECT_LE(batch.flows.size(), 4 * FlowTable::kMaxEndedPerCall);
                    flows += batch.flows.size();
                    return absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(flows, 40'000U);
}

std::vector<FlowRecord> FragmentedFlows(Defragment defragment) {
  ScriptedSource source;
  source.Packets(
      {PacketBuilder()
           .Ipv4("10.0.0.1", "10.0.0.2", {.more_fragments = true})
           .Udp(53, 999, 4000)
           .Payload(64)
           .Build(),
       PacketBuilder()
           .Ipv4("10.0.0.1", "10.0.0.2", {.fragment_offset = 72, .protocol = 17})
           .Payload(64)
           .Build(),
       PacketBuilder()
           .Ipv4("10.0.0.1", "10.0.0.2", {.id = 7, .fragment_offset = 72, .protocol = 17})
           .Payload(64)
           .Build()});
  Pipeline pipeline(source, {.defragment = defragment});
  auto flows = RunAll(pipeline);
  EXPECT_EQ(pipeline.Stats().ledger.received, 3U);
  EXPECT_EQ(pipeline.Stats().ledger.decoded, 3U);
  return flows;
}

TEST(Pipeline, LaterFragmentsCountWithTheirFirstOrNowhere) {
  const auto with_ports = FragmentedFlows(Defragment::kPorts);
  ASSERT_EQ(with_ports.size(), 2U);
  EXPECT_EQ(with_ports[0].packets(), 2U);
  EXPECT_EQ(with_ports[1].source.port, 0);
  const auto off = FragmentedFlows(Defragment::kOff);
  ASSERT_EQ(off.size(), 1U);
  EXPECT_EQ(off[0].packets(), 1U);
}

TEST(Pipeline, EventsOfStartsComeOnlyWithDetectors) {
  ScriptedSource source;
  source.Packets(Session(1000));
  Pipeline pipeline(source);
  EXPECT_TRUE(pipeline
                  .Run([](const Batch& batch) {
                    for (const FlowEvent& event : batch.events) EXPECT_TRUE(event.closes_record());
                    return absl::OkStatus();
                  })
                  .ok());
}

TEST(Pipeline, SampleCaptureGivesTheSameFlowsTwice) {
  std::vector<std::vector<FlowRecord>> runs;
  for (int i = 0; i < 2; ++i) {
    auto reader = PcapFileReader::Open(std::string(NTA_TEST_DATA_DIR) + "/sample.pcap");
    ASSERT_TRUE(reader.ok());
    Pipeline pipeline(**reader);
    runs.push_back(RunAll(pipeline));
    EXPECT_EQ(pipeline.Stats().ledger.malformed, 0U);
  }
  EXPECT_FALSE(runs[0].empty());
  EXPECT_EQ(runs[0], runs[1]);
}

}  // namespace
}  // namespace nta::test
