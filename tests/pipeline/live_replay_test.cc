// What was metered live is found again, bit for bit, when its recording is replayed.
#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>

#include "capture/capture_file.h"
#include "nta/capture/live_capture.h"
#include "nta/capture/pcap_file_reader.h"
#include "nta/capture/pcap_file_writer.h"
#include "nta/capture/pcapng_file_writer.h"
#include "nta/pipeline/parallel_meter.h"
#include "nta/pipeline/pipeline.h"
#include "support/network_namespace.h"
#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::milliseconds;

void Append(std::vector<Packet>& packets, const std::vector<Packet>& more) {
  packets.insert(packets.end(), more.begin(), more.end());
}

// TCP answered and refused, UDP, ICMP and its errors, IPv6, VLANs, fragments, junk.
std::vector<Packet> Traffic(std::uint16_t first_port) {
  std::vector<Packet> packets;
  for (std::uint16_t i = 0; i < 40; ++i) {
    const auto port = static_cast<std::uint16_t>(first_port + i);
    const bool is_ipv6 = i % 4 == 3;
    const Conversation conversation{
        .client = {Ip(is_ipv6 ? "2001:db8::1" : "10.0.0.1"), port},
        .server = {Ip(is_ipv6 ? "2001:db8::2" : "10.0.0.2"), 80},
    };
    Append(packets, TcpSession(conversation, 100 + i, 1000));
    Append(packets, TcpRefused({.client = conversation.client,
                                .server = {conversation.server.address, 81}}));
    Append(packets,
           UdpExchange({.client = conversation.client, .server = {conversation.server.address, 53}},
                       40, 200));
    const auto ping = [&](std::uint8_t type, const char* from, const char* to) {
      return PacketBuilder().Ethernet().Ipv4(from, to).Icmp(type, 0).Payload(56).Build();
    };
    packets.push_back(ping(8, "10.0.0.1", "10.0.0.2"));
    packets.push_back(ping(0, "10.0.0.2", "10.0.0.1"));
    packets.push_back(PacketBuilder()
                          .Ethernet()
                          .Vlan(static_cast<std::uint16_t>(100 + i))
                          .Ipv4("10.1.0.1", "10.1.0.2")
                          .Udp(port, 123)
                          .Payload(48)
                          .Build());
    const auto fragment = [&](std::uint16_t offset, bool more) {
      const Ipv4Fields fields{.id = port, .more_fragments = more, .fragment_offset = offset};
      PacketBuilder builder;
      builder.Ethernet().Ipv4("10.2.0.1", "10.2.0.2", fields);
      if (offset == 0) builder.Udp(port, 5000, 808);
      return builder.Payload(offset == 0 ? 392 : 400).Build();
    };
    packets.push_back(fragment(0, true));
    packets.push_back(fragment(400, false));
  }
  Append(packets, {PacketBuilder().Ethernet().Arp(1, "10.0.0.1", "10.0.0.2").Build()});
  return packets;
}

using Key = std::tuple<Timestamp, Timestamp, std::uint8_t, Endpoint, Endpoint>;

Key KeyOf(const FlowRecord& flow) {
  return {flow.first_seen, flow.last_seen, flow.protocol, flow.source, flow.destination};
}

// Which flow ends first is another question: live, silence ends flows, too.
void Sort(std::vector<FlowRecord>& flows) {
  std::sort(flows.begin(), flows.end(),
            [](const FlowRecord& a, const FlowRecord& b) { return KeyOf(a) < KeyOf(b); });
}

PipelineOptions Options() {
  PipelineOptions options;
  options.flow_table.idle_timeout = milliseconds(150);
  options.flow_table.closed_timeout = milliseconds(50);
  options.flow_table.statistics.emplace();
  // So that silence ends flows while the capture runs, but not before the ring was read.
  options.lateness = milliseconds(200);
  return options;
}

struct Metered {
  std::vector<FlowRecord> flows;
  PipelineStats stats;
};

Metered Replay(const std::string& path) {
  auto reader = PcapFileReader::Open(path);
  EXPECT_TRUE(reader.ok()) << reader.status();
  Metered metered;
  if (!reader.ok()) return metered;
  Pipeline pipeline(**reader, Options());
  const absl::Status status = pipeline.Run([&](const Batch& batch) {
    metered.flows.insert(metered.flows.end(), batch.flows.begin(), batch.flows.end());
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  metered.stats = pipeline.Stats();
  Sort(metered.flows);
  return metered;
}

// Meters `interface` while writing down every packet, and calls `act` when the link was silent.
// Ends when `act` has nothing more to do.
Metered MeterAndRecord(PacketSource& source, const std::function<bool()>& act,
                       const std::function<void(const PacketView&)>& record) {
  Metered metered;
  Pipeline pipeline(source, Options());
  Batch batch;
  bool has_stopped = false;
  while (true) {
    const auto result = pipeline.Step(batch);
    EXPECT_TRUE(result.ok()) << result.status();
    if (!result.ok()) break;
    for (const PacketView& packet : batch.packets) record(packet);
    metered.flows.insert(metered.flows.end(), batch.flows.begin(), batch.flows.end());
    if (*result == StepResult::kEnd) break;
    if (batch.packets.empty() && !has_stopped && !act()) {
      pipeline.Stop();
      has_stopped = true;
    }
  }
  metered.stats = pipeline.Stats();
  Sort(metered.flows);
  return metered;
}

TEST(LiveIsReplay, RecordingGivesTheSameFlowsBitForBit) {
  InNamespace([] {
    if (!MakeVethPair("left", "right")) GTEST_SKIP();
    auto capture = LiveCapture::Open("right", {.timeout = milliseconds(50)});
    ASSERT_TRUE(capture.ok()) << capture.status();
    const TemporaryFile pcap;
    const TemporaryFile pcapng;
    auto pcap_writer = PcapFileWriter::Create(pcap.path());
    auto pcapng_writer = PcapngFileWriter::Create(
        pcapng.path(), {.interfaces = (*capture)->Interfaces(), .compression = Compression::kZstd});
    ASSERT_TRUE(pcap_writer.ok() && pcapng_writer.ok());

    // Traffic, silence that ends its flows, more of it with flows old and new, silence, and a last
    // flow: what ended by silence while capturing has ended by that packet's time when replayed.
    std::size_t sent = 0;
    const RawSender sender("left");
    const auto send = [&](const Packet& packet) {
      EXPECT_TRUE(sender.Send(packet.view().bytes));
      ++sent;
    };
    constexpr int kSilentReads = 12;
    int step = 0;
    const auto act = [&] {
      if (step % kSilentReads != 0) return ++step, true;
      const int round = step++ / kSilentReads;
      if (round < 2) {
        const auto first_port = static_cast<std::uint16_t>(40'000 + 10 * round);
        for (const Packet& packet : Traffic(first_port)) send(packet);
        return true;
      }
      const Packet last = PacketBuilder().Ethernet().Ipv4("10.8.0.1", "10.8.0.2").Udp(1, 2).Build();
      // Each packet ends a few flows.
      for (int i = 0; round == 2 && i < 500; ++i) send(last);
      step = 3 * kSilentReads;
      return round == 2;
    };
    const Metered live = MeterAndRecord(**capture, act, [&](const PacketView& packet) {
      EXPECT_TRUE(pcap_writer->Write(packet).ok());
      EXPECT_TRUE(pcapng_writer->Write(packet).ok());
    });
    ASSERT_TRUE(pcap_writer->Close().ok());
    ASSERT_TRUE(pcapng_writer->Close().ok());

    EXPECT_EQ(live.stats.capture.dropped(), 0U);
    EXPECT_GE(live.stats.ledger.decoded, sent) << "everything that was sent";
    EXPECT_GT(live.flows.size(), 300U);
    EXPECT_GT(live.stats.flow_table.ended_idle, 100U) << "silence ended some";
    const auto vlan = std::count_if(live.flows.begin(), live.flows.end(),
                                    [](const FlowRecord& flow) { return flow.vlan.has_value(); });
    EXPECT_GE(vlan, 80) << "tags survive";
    for (const TemporaryFile* file : {&pcap, &pcapng}) {
      const Metered replayed = Replay(file->path());
      EXPECT_EQ(replayed.stats.ledger, live.stats.ledger);
      EXPECT_EQ(replayed.stats.decode_reasons, live.stats.decode_reasons);
      ASSERT_EQ(replayed.flows.size(), live.flows.size());
      for (std::size_t i = 0; i < live.flows.size(); ++i) {
        EXPECT_TRUE(replayed.flows[i] == live.flows[i]) << i;
      }
    }
  });
}

// A source of the packets that a test made.
class Recorded final : public PacketSource {
 public:
  explicit Recorded(std::vector<Packet> packets) : packets_(std::move(packets)) {}
  absl::StatusOr<ReadResult> Read(PacketBatch& batch) override {
    batch.clear();
    while (next_ < packets_.size() && batch.size() < 64) batch.push_back(packets_[next_++].view());
    return batch.empty() ? ReadResult::kEnd : ReadResult::kPackets;
  }
  CaptureStats Stats() const override { return {}; }
  bool is_live() const override { return false; }
  std::string name() const override { return "recorded"; }

 private:
  std::vector<Packet> packets_;
  std::size_t next_ = 0;
};

Packet At(const Packet& packet, Timestamp time) {
  PacketView view = packet.view();
  view.time = time;
  return Packet(view);
}

struct ClockCase {
  std::string_view name;
  std::function<Timestamp(std::size_t)> time;  // of packet i
  bool goes_back = true;
};

TEST(ClockOfACapture, HoweverWrongNoFlowLastsLessThanNothingAndNoneIsKept) {
  const Timestamp start = test::At({});
  const auto years = [](int count) { return std::chrono::hours(24 * 365) * count; };
  const auto shuffled = [&](std::size_t i) { return start + milliseconds(i * 7919 % 100'003); };
  const ClockCase cases[] = {
      {"shuffled", shuffled},
      {"backwards", [&](std::size_t i) { return start - milliseconds(i); }},
      {"years ahead now and then",
       [&](std::size_t i) {
         return start + milliseconds(i) + (i % 50 == 49 ? years(10) : years(0));
       }},
      {"years back now and then",
       [&](std::size_t i) {
         return start + milliseconds(i) - (i % 50 == 49 ? years(10) : years(0));
       }},
      {"years ahead for good",
       [&](std::size_t i) { return start + milliseconds(i) + (i < 300 ? years(0) : years(80)); },
       false},
      {"all at one time", [&](std::size_t) { return start; }, false},
      {"all at 0", [&](std::size_t) { return Timestamp(); }, false},
      {"from one end of time to the other",
       [&](std::size_t i) { return i % 2 == 0 ? Timestamp::min() : Timestamp::max(); }},
  };
  const std::vector<Packet> traffic = Traffic(40'000);
  // After the damage the capture goes on as it should, for longer than any timeout.
  const std::vector<Packet> after =
      TcpSession({.client = {Ip("10.9.0.1"), 1}, .server = {Ip("10.9.0.2"), 2}}, 1, 1);
  for (const ClockCase& c : cases) {
    std::vector<Packet> packets;
    for (std::size_t i = 0; i < traffic.size(); ++i) packets.push_back(At(traffic[i], c.time(i)));
    for (int i = 0; i < 200; ++i) {
      packets.push_back(At(after[0], start + std::chrono::seconds(1000 + i)));
    }
    const std::size_t total = packets.size();
    Recorded source(std::move(packets));
    PipelineOptions options;
    options.flow_table.idle_timeout = std::chrono::seconds(30);
    Pipeline pipeline(source, options);
    std::uint64_t counted = 0;
    std::size_t most_at_the_end = 0;
    Batch batch;
    while (true) {
      const auto result = pipeline.Step(batch);
      ASSERT_TRUE(result.ok()) << result.status();
      for (const FlowRecord& flow : batch.flows) {
        EXPECT_GE(flow.duration(), Duration::zero()) << c.name;
        counted += flow.packets();
      }
      if (*result == StepResult::kEnd) break;
      if (!batch.packets.empty()) most_at_the_end = pipeline.Stats().flow_table.active;
    }
    const FlowTableStats stats = pipeline.Stats().flow_table;
    EXPECT_EQ(counted, stats.packets) << c.name << ": every packet is in one record";
    EXPECT_EQ(stats.packets + stats.ignored, total) << c.name;
    EXPECT_EQ(stats.active, 0U) << c.name;
    EXPECT_LE(most_at_the_end, 1U) << c.name << ": only the last flow was left to be ended";
    if (c.goes_back) {
      EXPECT_GT(stats.time_backwards, 0U) << c.name << " is flagged";
    }
  }
}

}  // namespace
}  // namespace nta::test
