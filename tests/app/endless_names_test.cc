// Flows that never run out of names: memory must not follow them.
//
// NTA_ENDLESS_NAMES sets how many names each of them carries (20,000; the promise is for
// 10,000,000).
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "app/dns_builder.h"
#include "app/flow_talk.h"
#include "app/hello_builder.h"

namespace nta {
namespace {

using test::Bytes;
using test::FlowTalk;

std::uint32_t Count() {
  const char* text = std::getenv("NTA_ENDLESS_NAMES");
  return text == nullptr ? 20'000 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

// Of this process, as the system sees it.
std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

std::string NameNumber(std::uint32_t i) { return "n" + std::to_string(i) + ".endless.example.com"; }

IpAddress AddressNumber(std::uint32_t i) {
  const auto byte = [i](int shift) { return static_cast<std::uint8_t>(i >> shift); };
  return IpAddress::V4(static_cast<std::uint8_t>(10 + byte(24)), byte(16), byte(8), byte(0));
}

// Shows `count` names and checks that memory was reached at the tenth part of them, when every
// table had filled up.
template <typename Show>
void ExpectFlat(const char* what, ApplicationInspector& inspector, NameTable& names, Show show) {
  const std::uint32_t count = Count();
  std::size_t resident = 0;
  std::size_t own = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    show(i);
    if (i == count / 10) {
      resident = ResidentBytes();
      own = inspector.Stats().memory_bytes + names.Stats().memory_bytes;
    }
  }
  const std::size_t own_after = inspector.Stats().memory_bytes + names.Stats().memory_bytes;
  const std::size_t resident_after = ResidentBytes();
  std::printf(
      "%s: %u names, %zu KB resident after a tenth of them, %zu KB after all; own %zu KB, "
      "then %zu KB\n",
      what, count, resident >> 10, resident_after >> 10, own >> 10, own_after >> 10);
  EXPECT_LE(own_after, own + (std::size_t{64} << 10));
  EXPECT_LE(resident_after, resident + (std::size_t{2} << 20));
}

// At most this many names, so that also a short run fills the table.
constexpr NameTableOptions kFewNames{.max_names = 1024};

struct Inspection {
  NameTable names{kFewNames};
  ApplicationInspector inspector = ApplicationInspector::Create({}, &names).value();
};

DecodedPacket PacketOf(std::uint8_t protocol, std::uint16_t server_port, const Bytes& payload) {
  DecodedPacket packet;
  packet.time = Timestamp{std::chrono::hours(24 * 365 * 50)};
  packet.protocol = protocol;
  packet.has_ports = true;
  packet.source = IpAddress::V4(10, 0, 0, 1);
  packet.destination = IpAddress::V4(192, 0, 2, 1);
  packet.source_port = 50'000;
  packet.destination_port = server_port;
  packet.payload = payload;
  packet.payload_bytes = static_cast<std::uint32_t>(payload.size());
  return packet;
}

Bytes Answer(std::uint32_t i) {
  const IpAddress address = AddressNumber(i);
  const auto bytes = address.bytes();
  return test::DnsMessage({.flags = 0x8180,
                           .name = test::DnsNameBytes(NameNumber(i)),
                           .answers = {{.data = Bytes(bytes.begin(), bytes.end())}}});
}

TEST(EndlessNames, OneDnsFlowStaysFlat) {
  Inspection setup;
  ExpectFlat("one DNS flow", setup.inspector, setup.names, [&](std::uint32_t i) {
    const Bytes message = Answer(i);
    setup.inspector.Inspect(0, false, PacketOf(kProtocolUdp, 53, message));
  });
  setup.inspector.Finish(0);
  EXPECT_EQ(setup.inspector.Stats().metadata_bytes, 0u);
}

// The inspector stops looking at one flow early, so here it is a new flow for each 100 messages.
TEST(EndlessNames, DnsFlowsOneAfterTheOtherStayFlat) {
  Inspection setup;
  ExpectFlat("DNS flows", setup.inspector, setup.names, [&](std::uint32_t i) {
    const Bytes message = Answer(i);
    setup.inspector.Inspect(i / 100 % 16, false, PacketOf(kProtocolUdp, 53, message));
    if (i % 100 == 99) setup.inspector.Finish(i / 100 % 16);
  });
  EXPECT_LE(setup.names.Stats().names, 1024u);
  EXPECT_GT(setup.names.Stats().evicted, Count() / 2);
}

TEST(EndlessNames, HostsOfOneHttpConnectionStayFlat) {
  Inspection setup;
  DecodedPacket packet;
  std::uint32_t sequence = 1;
  ExpectFlat("one HTTP flow", setup.inspector, setup.names, [&](std::uint32_t i) {
    const Bytes request = test::ToBytes("GET /" + std::to_string(i) +
                                        " HTTP/1.1\r\nHost: " + NameNumber(i) + "\r\n\r\n");
    packet = PacketOf(kProtocolTcp, 80, request);
    packet.tcp_sequence = sequence;
    sequence += packet.payload_bytes;
    setup.inspector.Inspect(0, true, packet);
  });
  setup.inspector.Finish(0);
  EXPECT_EQ(setup.inspector.Stats().metadata_bytes, 0u);
}

TEST(EndlessNames, TlsFlowsWithOneNameEachStayFlat) {
  Inspection setup;
  ExpectFlat("TLS flows", setup.inspector, setup.names, [&](std::uint32_t i) {
    const Bytes hello = test::TlsClientHello(
        {.extensions = {test::ServerName(NameNumber(i)), {.type = static_cast<int>(i % 60'000)}}});
    DecodedPacket packet = PacketOf(kProtocolTcp, 443, hello);
    packet.destination = AddressNumber(i);
    setup.inspector.Inspect(i % 1000, true, packet);
    FlowRecord record;
    record.destination = {packet.destination, 443};
    record.protocol = kProtocolTcp;
    record.last_seen = packet.time;
    setup.inspector.Describe(i % 1000, true, record);
    setup.inspector.Finish(i % 1000);
  });
  EXPECT_EQ(setup.inspector.Stats().active, 0u);
  EXPECT_EQ(setup.inspector.Stats().metadata_bytes, 0u);
}

// A message that never ends on every one of many flows: what is kept of them is given back.
TEST(EndlessNames, MemoryOfUnfinishedFlowsIsReturnedWhenTheyEnd) {
  Inspection setup;
  const Bytes part = test::ToBytes("GET /unfinished?" + std::string(400, 'x'));
  const std::uint32_t flows = std::min<std::uint32_t>(Count(), 50'000);
  std::size_t first_peak = 0;
  for (int round = 0; round < 4; ++round) {
    for (FlowSlot slot = 0; slot < flows; ++slot) {
      setup.inspector.Inspect(slot, true, PacketOf(kProtocolTcp, 80, part));
    }
    const ApplicationInspectorStats stats = setup.inspector.Stats();
    EXPECT_EQ(stats.active, flows);
    EXPECT_GE(stats.buffered_bytes, flows * part.size());
    if (round == 0) first_peak = stats.memory_bytes;
    EXPECT_EQ(stats.memory_bytes, first_peak);
    for (FlowSlot slot = 0; slot < flows; ++slot) setup.inspector.Finish(slot);
    EXPECT_EQ(setup.inspector.Stats().active, 0u);
    EXPECT_EQ(setup.inspector.Stats().buffered_bytes, 0u);
    EXPECT_LE(setup.inspector.Stats().memory_bytes, first_peak - flows * part.size());
  }
}

}  // namespace
}  // namespace nta
