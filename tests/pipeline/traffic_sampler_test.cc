#include "nta/pipeline/traffic_sampler.h"

#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

using std::chrono::seconds;

class SamplerTest : public ::testing::Test {
 protected:
  explicit SamplerTest(TrafficSamplerOptions options = {}) : sampler_(options) {}

  DecodedPacket Decoded(Timestamp time, const IpAddress& source, std::uint32_t bytes,
                        std::uint8_t protocol = kProtocolUdp) {
    DecodedPacket packet;
    packet.time = time;
    packet.wire_bytes = bytes;
    packet.ip_version = 4;
    packet.protocol = protocol;
    packet.source = source;
    packet.destination = Ip("192.0.2.1");
    return packet;
  }
  // One batch at one time.
  void Observe(std::vector<DecodedPacket> packets, Timestamp time) {
    Batch batch;
    batch.decoded = packets;
    batch.time = time;
    sampler_.Observe(batch, stats_);
  }
  void Packet(Duration time, std::string_view source = "10.0.0.1", std::uint32_t bytes = 100,
              std::uint8_t protocol = kProtocolUdp) {
    Observe({Decoded(At(time), Ip(source), bytes, protocol)}, At(time));
  }

  TrafficSampler sampler_;
  PipelineStats stats_;
};

TEST_F(SamplerTest, SecondIsCompleteWhenABatchReachesBeyondIt) {
  Packet(seconds(0));
  Packet(std::chrono::milliseconds(999));
  EXPECT_TRUE(sampler_.Samples(Timestamp::min()).empty());
  Packet(seconds(1));
  const auto samples = sampler_.Samples(Timestamp::min());
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].time, At({}));
  EXPECT_EQ(samples[0].packets, 2U);
  EXPECT_EQ(samples[0].wire_bytes, 200U);
}

TEST_F(SamplerTest, SilentLinkCompletesSecondsByTheTimeOfItsBatches) {
  Packet(seconds(0));
  Observe({}, At(seconds(3)));
  EXPECT_EQ(sampler_.Samples(Timestamp::min()).size(), 3U);
}

TEST_F(SamplerTest, CountsByProtocol) {
  Packet(seconds(0), "10.0.0.1", 1, kProtocolTcp);
  Packet(seconds(0), "10.0.0.1", 2, kProtocolUdp);
  Packet(seconds(0), "10.0.0.1", 4, kProtocolIcmp);
  Packet(seconds(0), "10.0.0.1", 8, kProtocolIcmpV6);
  Packet(seconds(0), "10.0.0.1", 16, kProtocolGre);
  DecodedPacket arp;
  arp.time = At({});
  arp.wire_bytes = 32;
  Observe({arp}, At(seconds(2)));
  const TrafficSample sample = sampler_.Samples(Timestamp::min())[0];
  EXPECT_EQ(sample.tcp.wire_bytes, 1U);
  EXPECT_EQ(sample.udp.wire_bytes, 2U);
  EXPECT_EQ(sample.icmp.wire_bytes, 12U);
  EXPECT_EQ(sample.icmp.packets, 2U);
  EXPECT_EQ(sample.other.wire_bytes, 48U);
  EXPECT_EQ(sample.wire_bytes, 63U);
}

TEST_F(SamplerTest, GapsBecomeZeroSamples) {
  Packet(seconds(0));
  Packet(seconds(5));
  Packet(seconds(6));
  const auto samples = sampler_.Samples(Timestamp::min());
  ASSERT_EQ(samples.size(), 6U);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    EXPECT_EQ(samples[i].time, At(seconds(i)));
    EXPECT_EQ(samples[i].packets, i == 0 || i == 5 ? 1U : 0U);
  }
  EXPECT_EQ(sampler_.Samples(At(seconds(4))).size(), 2U);
  EXPECT_TRUE(sampler_.Samples(At(seconds(100))).empty());
}

TEST_F(SamplerTest, JumpOfYearsKeepsOnlyWhatIsKept) {
  Packet(seconds(0));
  Packet(std::chrono::years(50));
  EXPECT_EQ(sampler_.Samples(Timestamp::min()).size(), 3600U);
  Observe({Decoded(kMaxPacketTime, Ip("10.0.0.1"), 1)}, kMaxPacketTime);
  EXPECT_EQ(sampler_.Samples(Timestamp::min()).size(), 3600U);
}

TEST_F(SamplerTest, LatePacketCountsInTheCurrentSecond) {
  Packet(seconds(10));
  Packet(seconds(3));
  Packet(seconds(11));
  const auto samples = sampler_.Samples(Timestamp::min());
  ASSERT_EQ(samples.size(), 1U);
  EXPECT_EQ(samples[0].packets, 2U);
}

TEST_F(SamplerTest, FlowsAndDropsAddUpToTheirTotals) {
  for (int second = 0; second < 10; ++second) {
    stats_.flow_table.started += 3;
    stats_.flow_table.ended += 2;
    stats_.flow_table.active = stats_.flow_table.started - stats_.flow_table.ended;
    stats_.ledger.dropped += 5;
    Packet(seconds(second));
  }
  Observe({}, At(seconds(12)));
  TrafficSample sum;
  for (const TrafficSample& sample : sampler_.Samples(Timestamp::min())) {
    sum.flows_started += sample.flows_started;
    sum.flows_ended += sample.flows_ended;
    sum.dropped += sample.dropped;
  }
  EXPECT_EQ(sum.flows_started, 30U);
  EXPECT_EQ(sum.flows_ended, 20U);
  EXPECT_EQ(sum.dropped, 50U);
  EXPECT_EQ(sampler_.Samples(Timestamp::min()).back().flows_active, 10U);
}

TEST_F(SamplerTest, TalkersAreOrderedByBytesOfBothDirections) {
  Packet(seconds(0), "10.0.0.1", 100);
  Packet(seconds(0), "10.0.0.2", 300);
  const auto talkers = sampler_.TopTalkers(2);
  ASSERT_EQ(talkers.size(), 2U);
  EXPECT_EQ(talkers[0].address, Ip("192.0.2.1"));
  EXPECT_EQ(talkers[0].received_wire_bytes, 400U);
  EXPECT_EQ(talkers[0].sent_wire_bytes, 0U);
  EXPECT_EQ(talkers[0].packets, 2U);
  EXPECT_EQ(talkers[1].address, Ip("10.0.0.2"));
  EXPECT_EQ(talkers[1].wire_bytes, 300U);
  EXPECT_TRUE(sampler_.TopTalkers(0).empty());
  EXPECT_EQ(sampler_.TopTalkers(100).size(), 3U);
}

TEST_F(SamplerTest, TalkersOfMoreThanAMinuteAgoAreForgotten) {
  Packet(seconds(0), "10.0.0.1");
  Packet(seconds(59), "10.0.0.2");
  EXPECT_EQ(sampler_.TopTalkers(10).size(), 3U);
  Packet(seconds(75), "10.0.0.3");
  for (const Talker& talker : sampler_.TopTalkers(10)) EXPECT_NE(talker.address, Ip("10.0.0.1"));
}

class SmallSamplerTest : public SamplerTest {
 protected:
  SmallSamplerTest() : SamplerTest({.max_samples = 3, .max_addresses = 64}) {}
};

TEST_F(SmallSamplerTest, KeepsTheLatestSamples) {
  for (int second = 0; second < 10; ++second) Packet(seconds(second));
  const auto samples = sampler_.Samples(Timestamp::min());
  ASSERT_EQ(samples.size(), 3U);
  EXPECT_EQ(samples[0].time, At(seconds(6)));
}

TEST_F(SmallSamplerTest, HeavyTalkerSurvivesAFloodOfAddresses) {
  for (std::uint32_t i = 0; i < 20'000; ++i) {
    const IpAddress source =
        IpAddress::V4(10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
    Observe({Decoded(At({}), source, 60), Decoded(At({}), Ip("172.16.0.1"), 1500)}, At({}));
  }
  const auto talkers = sampler_.TopTalkers(1000);
  EXPECT_LE(talkers.size(), 64U);
  ASSERT_GE(talkers.size(), 2U);
  EXPECT_EQ(talkers[1].address, Ip("172.16.0.1"));
  EXPECT_EQ(talkers[1].wire_bytes, 20'000U * 1500);
}

TEST(TrafficSampler, NoAddressesAtAllIsNoCrash) {
  TrafficSampler sampler({.max_samples = 0, .max_addresses = 0});
  DecodedPacket packet;
  packet.ip_version = 4;
  packet.source = Ip("10.0.0.1");
  Batch batch;
  batch.decoded = {&packet, 1};
  sampler.Observe(batch, {});
  packet.time = At({});
  sampler.Observe(batch, {});
  EXPECT_TRUE(sampler.Samples(Timestamp::min()).empty());
  EXPECT_LE(sampler.TopTalkers(10).size(), 2U);
}

}  // namespace
}  // namespace nta::test
