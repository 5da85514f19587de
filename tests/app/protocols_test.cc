// What holds for every protocol: it is recognised, read, told from all others, and nothing that it
// may carry harms.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "app/parsers.h"
#include "app/samples.h"
#include "support/counting_allocator.h"

namespace nta {
namespace {

using internal::Parser;
using internal::Payload;
using internal::Verdict;
using test::AllSamples;
using test::FlowTalk;
using test::Sample;
using test::Turn;

class EveryProtocol : public testing::TestWithParam<Sample> {};

std::string TestName(const testing::TestParamInfo<Sample>& sample) {
  std::string name;
  for (const char c : sample.param.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) name += c;
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(Samples, EveryProtocol, testing::ValuesIn(AllSamples()), TestName);

// Datagrams come whole.
std::vector<Sample> Streams() {
  std::vector<Sample> samples = AllSamples();
  std::erase_if(samples, [](const Sample& sample) { return sample.protocol != kProtocolTcp; });
  return samples;
}

class EveryStream : public testing::TestWithParam<Sample> {};

INSTANTIATE_TEST_SUITE_P(Samples, EveryStream, testing::ValuesIn(Streams()), TestName);

void ExpectAllRead(const Sample& sample, FlowTalk& talk) {
  const FlowRecord record = talk.Record();
  EXPECT_EQ(ToString(record.application), ToString(sample.application));
  EXPECT_EQ(record.evidence, ApplicationEvidence::kPayload);
  for (const auto& [field, value] : sample.metadata) {
    EXPECT_EQ(talk.Get(field), value) << ToString(field);
  }
}

TEST_P(EveryProtocol, IsRecognisedAndRead) {
  const Sample& sample = GetParam();
  FlowTalk talk(test::OptionsFor(sample));
  test::Play(sample, talk);
  ExpectAllRead(sample, talk);
}

TEST_P(EveryStream, IsReadByteByByte) {
  const Sample& sample = GetParam();
  test::TalkOptions options = test::OptionsFor(sample);
  options.inspector.max_packets = 1000;
  FlowTalk talk(options);
  std::size_t bytes = 0;
  for (const Turn& turn : sample.turns) bytes += turn.bytes.size();
  // Large ones in parts that keep within the bound of packets.
  const std::size_t step = bytes / 900 + 1;
  bool wants_more = true;
  for (const Turn& turn : sample.turns) {
    for (std::size_t at = 0; at < turn.bytes.size() && wants_more; at += step) {
      const std::size_t size = std::min(step, turn.bytes.size() - at);
      const auto part = std::span(turn.bytes).subspan(at, size);
      wants_more = turn.is_client ? talk.Client(part) : talk.Server(part);
    }
  }
  ExpectAllRead(sample, talk);
}

TEST_P(EveryProtocol, TruncatedAnywhereItIsItselfOrNothing) {
  const Sample& sample = GetParam();
  const test::Bytes& first = sample.turns[0].bytes;
  for (std::size_t size = 1; size < first.size(); ++size) {
    FlowTalk talk(test::OptionsFor(sample));
    const bool is_client = sample.turns[0].is_client;
    talk.Cut(is_client, std::span(first).first(size), static_cast<std::uint32_t>(first.size()));
    const FlowRecord record = talk.Record();
    if (record.evidence != ApplicationEvidence::kPayload) continue;
    const bool is_its_frame = record.application == Application::kNetbios;  // SMB's, on port 139
    EXPECT_TRUE(record.application == sample.application || is_its_frame ||
                record.application == Application::kRpc)
        << ToString(record.application) << " at " << size;
  }
}

TEST_P(EveryProtocol, IsNoOther) {
  const Sample& sample = GetParam();
  const auto parsers =
      sample.protocol == kProtocolTcp ? internal::TcpParsers() : internal::UdpParsers();
  const Turn& first = sample.turns[0];
  DecodedPacket packet;
  packet.protocol = sample.protocol;
  packet.has_ports = true;
  packet.source_port = first.is_client ? 41000 : sample.server_port;
  packet.destination_port = first.is_client ? sample.server_port : 41000;
  packet.payload_bytes = static_cast<std::uint32_t>(first.bytes.size());
  const Payload payload{first.bytes, packet, first.is_client, true, false, {}, {}};
  for (const Parser* parser : parsers) {
    if (!parser->first_bytes.Contains(first.bytes[0])) continue;
    if (parser->match(payload) != Verdict::kYes) continue;
    const bool is_family =
        (sample.application == Application::kNfs && parser->application == Application::kRpc) ||
        (sample.application == Application::kSmb && parser->application == Application::kNetbios);
    EXPECT_TRUE(parser->application == sample.application || is_family)
        << ToString(parser->application);
  }
}

TEST_P(EveryProtocol, KeepsNoSecret) {
  const Sample& sample = GetParam();
  FlowTalk talk(test::OptionsFor(sample));
  test::Play(sample, talk);
  const FlowRecord record = talk.Record();
  if (record.metadata == nullptr) return;
  const std::string encoded = test::Base64(test::kCanary).substr(0, 12);
  for (const FlowMetadata::Entry& entry : record.metadata->entries()) {
    EXPECT_EQ(entry.value.find(test::kCanary), std::string::npos) << ToString(entry.field);
    EXPECT_EQ(entry.value.find(encoded), std::string::npos) << ToString(entry.field);
  }
}

TEST_P(EveryProtocol, IsLookedForWithoutAllocations) {
  const Sample& sample = GetParam();
  const auto parsers =
      sample.protocol == kProtocolTcp ? internal::TcpParsers() : internal::UdpParsers();
  DecodedPacket packet;
  packet.protocol = sample.protocol;
  packet.has_ports = true;
  packet.source_port = 41000;
  packet.destination_port = sample.server_port;
  for (const Turn& turn : sample.turns) {
    packet.payload_bytes = static_cast<std::uint32_t>(turn.bytes.size());
    const Payload payload{turn.bytes, packet, turn.is_client, true, false, {}, {}};
    for (const Parser* parser : parsers) {
      const test::AllocationCount count;
      parser->match(payload);
      EXPECT_EQ(count.allocations(), 0u) << ToString(parser->application);
    }
  }
}

// Lengths are where parsers break: every place gets the extremes, in a heap block that ends where
// the message does.
TEST_P(EveryProtocol, SurvivesHostileLengths) {
  const Sample& sample = GetParam();
  for (std::size_t turn = 0; turn < sample.turns.size(); ++turn) {
    const std::size_t end = std::min<std::size_t>(sample.turns[turn].bytes.size(), 160);
    for (std::size_t at = 0; at < end; ++at) {
      for (const std::uint8_t value : test::Hex("00 01 7F 80 84 FF")) {
        Sample broken = sample;
        test::Bytes& bytes = broken.turns[turn].bytes;
        bytes[at] = value;
        if (at + 1 < bytes.size() && value != 0x01) bytes[at + 1] = value;
        FlowTalk talk(test::OptionsFor(sample));
        test::Play(broken, talk);
        EXPECT_LE(talk.inspector().Stats().memory_bytes, std::size_t{1} << 20);
      }
    }
  }
}

// The dispatch by first bytes leaves nobody out who would have said something.
void ExpectAllAsked(const internal::ParserTable& table, std::span<const Parser* const> parsers,
                    const Payload& payload) {
  const std::uint64_t candidates = table.CandidatesFor(payload.bytes);
  for (std::size_t i = 0; i < parsers.size(); ++i) {
    if ((candidates >> i & 1) != 0 || !parsers[i]->first_bytes.Contains(payload.bytes[0])) continue;
    EXPECT_EQ(parsers[i]->match(payload), Verdict::kNo) << ToString(parsers[i]->application);
  }
}

TEST_P(EveryProtocol, IsAskedWhateverItsFirstBytesAre) {
  const Sample& sample = GetParam();
  const auto parsers =
      sample.protocol == kProtocolTcp ? internal::TcpParsers() : internal::UdpParsers();
  const internal::ParserTable table(parsers);
  DecodedPacket packet;
  packet.protocol = sample.protocol;
  packet.has_ports = true;
  packet.source_port = 41000;
  packet.destination_port = sample.server_port;
  for (const Turn& turn : sample.turns) {
    test::Bytes bytes = turn.bytes;
    packet.payload_bytes = static_cast<std::uint32_t>(bytes.size());
    const Payload payload{bytes, packet, turn.is_client, true, false, {}, {}};
    ExpectAllAsked(table, parsers, payload);
    for (std::size_t at = 0; at < std::min<std::size_t>(bytes.size(), 6); ++at) {
      const std::uint8_t kept = bytes[at];
      for (int value = 0; value < 256; ++value) {
        bytes[at] = static_cast<std::uint8_t>(value);
        ExpectAllAsked(table, parsers, payload);
      }
      bytes[at] = kept;
    }
  }
}

TEST(AllParsers, RandomBytesAreNothing) {
  std::mt19937 random(7);  // NOLINT: the same bytes each time
  int claimed = 0;
  constexpr int kFlows = 20'000;
  for (int i = 0; i < kFlows; ++i) {
    test::Bytes bytes(20 + random() % 200);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random());
    FlowTalk talk({.protocol = i % 2 == 0 ? kProtocolTcp : kProtocolUdp,
                   .client_port = 41000,
                   .server_port = 40000});
    talk.Client(bytes);
    if (talk.Record().evidence == ApplicationEvidence::kPayload) ++claimed;
  }
  EXPECT_LE(claimed, kFlows / 2000);
}

}  // namespace
}  // namespace nta
