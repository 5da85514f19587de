#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr std::string_view kA = "10.0.0.1";
constexpr std::string_view kB = "10.0.0.2";

std::uint16_t Bits(Tunnel tunnel) { return static_cast<std::uint16_t>(tunnel); }

// The link kinds of EveryKindOfPacket all carry the same TCP segment.
class DecodeLink : public ::testing::TestWithParam<NamedPacket> {};

TEST_P(DecodeLink, FindsTheSegment) {
  const Packet& packet = GetParam().packet;
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.reason, DecodeReason::kNone);
  EXPECT_EQ(decoded.ip_version, 4);
  EXPECT_EQ(decoded.protocol, kProtocolTcp);
  EXPECT_EQ(decoded.source, Ip(kA));
  EXPECT_EQ(decoded.destination, Ip(kB));
  ASSERT_TRUE(decoded.has_ports);
  EXPECT_EQ(decoded.source_port, 1000);
  EXPECT_EQ(decoded.destination_port, 80);
  EXPECT_EQ(decoded.payload_bytes, 30U);
  ASSERT_EQ(decoded.payload.size(), 30U);
  EXPECT_EQ(decoded.payload[0], 'a');
  EXPECT_EQ(decoded.ip_bytes, 70U);
  EXPECT_EQ(decoded.wire_bytes, packet.view().bytes.size());
  EXPECT_EQ(decoded.captured_bytes, packet.view().bytes.size());
  EXPECT_FALSE(decoded.truncated);
  EXPECT_FALSE(decoded.is_fragment);
}

std::vector<NamedPacket> LinkKinds() {
  std::vector<NamedPacket> kinds;
  for (NamedPacket& kind : EveryKindOfPacket()) {
    if (kind.name == "arp") break;  // the first that is no link kind
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

INSTANTIATE_TEST_SUITE_P(Kinds, DecodeLink, ::testing::ValuesIn(LinkKinds()), [](const auto& test) {
  std::string name(test.param.name);
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

TEST(DecodeEthernet, TellsMacsAndEtherType) {
  const Packet packet = PacketBuilder()
                            .Ethernet("02:00:00:00:00:0a", "02:00:00:00:00:0b")
                            .Ipv4(kA, kB)
                            .Udp(1, 2)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  ASSERT_TRUE(decoded.has_mac);
  EXPECT_EQ(decoded.source_mac.ToString(), "02:00:00:00:00:0a");
  EXPECT_EQ(decoded.destination_mac.ToString(), "02:00:00:00:00:0b");
  EXPECT_EQ(decoded.ether_type, 0x0800);
  EXPECT_FALSE(decoded.has_vlan);
  EXPECT_EQ(decoded.tunnels, 0);
}

TEST(DecodeEthernet, CarriesTimeLengthsAndInterfaceOver) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv4(kA, kB)
                            .Udp(1, 2)
                            .Payload(100)
                            .Time(At(std::chrono::seconds(3)))
                            .Interface(5)
                            .Snap(60)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.time, At(std::chrono::seconds(3)));
  EXPECT_EQ(decoded.interface_id, 5U);
  EXPECT_EQ(decoded.wire_bytes, 142U);
  EXPECT_EQ(decoded.captured_bytes, 60U);
  EXPECT_TRUE(decoded.truncated);
  EXPECT_EQ(decoded.payload_bytes, 100U) << "payload_bytes is by the IP length";
  EXPECT_EQ(decoded.payload.size(), 18U) << "payload is what was captured";
}

TEST(DecodeEthernet, PaddingIsNotPayload) {
  const Packet packet = PacketBuilder().Ethernet().Ipv4(kA, kB).Udp(1, 2).Trailer(18).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.wire_bytes, 60U);
  EXPECT_EQ(decoded.payload_bytes, 0U);
  EXPECT_TRUE(decoded.payload.empty());
}

TEST(DecodeEthernet, UnknownEtherTypeIsUnsupported) {
  const Packet packet = PacketBuilder().Ethernet().Payload(46).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kUnsupported);
  EXPECT_EQ(decoded.reason, DecodeReason::kUnknownEtherType);
  EXPECT_EQ(decoded.ether_type, 0x88b5);
  EXPECT_TRUE(decoded.has_mac);
  EXPECT_FALSE(decoded.has_ip());
}

TEST(DecodeEthernet, LengthFieldIsNoEtherType) {
  const Packet ip = PacketBuilder().Ethernet8023().Llc(6, 6).Ipv4(kA, kB).Udp(1, 2).Build();
  EXPECT_EQ(Decode(ip.view()).ether_type, 0);
  const Packet spanning_tree = PacketBuilder().Ethernet8023().Llc(0x42, 0x42).Payload(35).Build();
  const DecodedPacket decoded = Decode(spanning_tree.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kUnsupported);
  EXPECT_EQ(decoded.reason, DecodeReason::kUnknownLlc);
  EXPECT_EQ(decoded.ether_type, 0);
}

TEST(DecodeEthernet, LengthFieldEndsThePacket) {
  PacketBuilder builder;
  builder.Ethernet8023().LlcSnap().Ipv4(kA, kB, {.total_length = 0}).Udp(1, 2).Payload(5);
  const Packet packet = builder.Trailer(9).Build();
  EXPECT_EQ(Decode(packet.view()).ip_bytes, 33U)
      << "a length of 0 is what the frame holds, without its padding";
}

TEST(DecodeVlan, OutermostIdCounts) {
  const Packet packet =
      PacketBuilder().Ethernet().Vlan(100, 0x88a8).Vlan(42).Ipv4(kA, kB).Udp(1, 2).Build();
  const DecodedPacket decoded = Decode(packet.view());
  ASSERT_TRUE(decoded.has_vlan);
  EXPECT_EQ(decoded.vlan, 100);
  EXPECT_EQ(decoded.ether_type, 0x0800);
}

TEST(DecodeVlan, PriorityBitsAreNoPartOfTheId) {
  for (const std::uint16_t tag_protocol :
       std::initializer_list<std::uint16_t>{0x8100, 0x88a8, 0x9100, 0x9200}) {
    const Packet packet =
        PacketBuilder().Ethernet().Vlan(0xefff, tag_protocol).Ipv4(kA, kB).Udp(1, 2).Build();
    EXPECT_EQ(Decode(packet.view()).vlan, 0x0fff);
  }
}

TEST(DecodeSnap, ForeignOrganisationIsUnsupported) {
  const Packet cisco =
      PacketBuilder().Ethernet8023().LlcSnap(0x00000c).Ipv4(kA, kB).Udp(1, 2).Build();
  EXPECT_EQ(Decode(cisco.view()).reason, DecodeReason::kUnknownLlc);
  const Packet bridged =
      PacketBuilder().Ethernet8023().LlcSnap(0x0000f8).Ipv4(kA, kB).Udp(1, 2).Build();
  EXPECT_TRUE(Decode(bridged.view()).has_ip());
}

TEST(DecodePpp, OtherProtocolsAreUnsupported) {
  const Packet lcp = PacketBuilder().Ppp().Payload(10).Build();
  EXPECT_EQ(Decode(lcp.view()).outcome, DecodeOutcome::kUnsupported);
  EXPECT_EQ(Decode(lcp.view()).reason, DecodeReason::kUnknownPppProtocol);
}

TEST(DecodePppoe, TellsTheTunnelAndStopsAtItsLength) {
  PacketBuilder builder;
  builder.Ethernet().PppoeSession().Ppp().Ipv4(kA, kB, {.total_length = 0}).Udp(1, 2).Payload(4);
  const Packet packet = builder.Trailer(20).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.tunnels, Bits(Tunnel::kPppoe));
  EXPECT_EQ(decoded.ip_bytes, 32U);
}

TEST(DecodePppoe, SnapLengthDoesNotStretchItsLength) {
  PacketBuilder builder;
  builder.Ethernet().PppoeSession().Ppp().Ipv4(kA, kB, {.total_length = 100}).Udp(1, 2);
  // The IP header claims 100 bytes where the session header says 30; the rest is padding.
  const Packet packet = builder.Trailer(200).Snap(60).Build();
  EXPECT_EQ(Decode(packet.view()).reason, DecodeReason::kBadIpTotalLength);
}

TEST(DecodeMpls, TellsTheTunnel) {
  const Packet packet = PacketBuilder().Ethernet().Mpls(3).Ipv6("::1", "::2").Udp(1, 2).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.tunnels, Bits(Tunnel::kMpls));
  EXPECT_EQ(decoded.ip_version, 6);
}

TEST(DecodeNull, KnowsEveryAddressFamilyInBothByteOrders) {
  for (const std::uint32_t family : {10U, 24U, 28U, 30U}) {
    for (const bool big_endian : {false, true}) {
      const Packet packet =
          PacketBuilder().Null(family, big_endian).Ipv6("::1", "::2").Udp(1, 2).Build();
      EXPECT_EQ(Decode(packet.view()).ip_version, 6) << family;
    }
  }
}

TEST(DecodeNull, UnknownFamilyIsUnsupported) {
  for (const std::uint32_t family : {7U, 1500U, 0x01020304U, 0x04010000U}) {
    const Packet packet = PacketBuilder().Null(family).Ipv4(kA, kB).Udp(1, 2).Build();
    const DecodedPacket decoded = Decode(packet.view());
    EXPECT_EQ(decoded.outcome, DecodeOutcome::kUnsupported) << family;
    EXPECT_FALSE(decoded.has_ip()) << family;
  }
}

TEST(DecodeNflog, FindsALargePayloadInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    const Packet packet =
        PacketBuilder().Nflog(big_endian).Ipv4(kA, kB).Udp(1, 2).Payload(9000).Build();
    const DecodedPacket decoded = Decode(packet.view());
    EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << ToString(decoded.reason);
    EXPECT_EQ(decoded.payload.size(), 9000U) << big_endian;
  }
}

TEST(DecodeSll, CarriesEthernetHeadersTypesAndLlc) {
  const Packet vlan = PacketBuilder().LinuxSll().Vlan(5).Ipv4(kA, kB).Udp(1, 2).Build();
  EXPECT_EQ(Decode(vlan.view()).vlan, 5);
  EXPECT_FALSE(Decode(vlan.view()).has_mac);
  const Packet arp = PacketBuilder().LinuxSll2().Arp(2, kA, kB).Build();
  ASSERT_TRUE(Decode(arp.view()).arp);
}

TEST(DecodeArp, TellsWhoAsksForWhom) {
  const Packet packet = PacketBuilder().Ethernet().Arp(1, kA, kB).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.ether_type, 0x0806);
  EXPECT_FALSE(decoded.has_ip());
  ASSERT_TRUE(decoded.arp);
  EXPECT_EQ(decoded.arp->operation, 1);
  EXPECT_EQ(decoded.arp->sender, Ip(kA));
  EXPECT_EQ(decoded.arp->target, Ip(kB));
  EXPECT_EQ(decoded.arp->sender_mac.ToString(), "02:00:00:00:00:01");
  EXPECT_EQ(decoded.arp->target_mac, MacAddress{});
}

TEST(DecodeWireless, TellsTheMacsOfEachDirection) {
  // Addresses 1, 2, 3 end in 1, 2, 3; 4 is present when both bits are set.
  struct Case {
    std::uint8_t flags;
    std::string_view source;
    std::string_view destination;
  };
  for (const Case& c : {Case{0, "02:00:00:00:00:02", "02:00:00:00:00:01"},
                        Case{1, "02:00:00:00:00:02", "02:00:00:00:00:03"},
                        Case{2, "02:00:00:00:00:03", "02:00:00:00:00:01"},
                        Case{3, "02:00:00:00:00:04", "02:00:00:00:00:03"}}) {
    const Packet packet =
        PacketBuilder().Ieee80211(c.flags).LlcSnap().Ipv4(kA, kB).Udp(1, 2).Build();
    const DecodedPacket decoded = Decode(packet.view());
    EXPECT_EQ(decoded.source_mac.ToString(), c.source) << int{c.flags};
    EXPECT_EQ(decoded.destination_mac.ToString(), c.destination) << int{c.flags};
  }
}

TEST(DecodeWireless, EncryptedAndManagementFramesAreUnsupported) {
  const Packet encrypted = PacketBuilder().Ieee80211(0x41).LlcSnap().Ipv4(kA, kB).Udp(1, 2).Build();
  EXPECT_EQ(Decode(encrypted.view()).reason, DecodeReason::kNonDataFrame);
  Bytes beacon(40, 0);
  beacon[0] = 0x80;
  const Packet management = PacketBuilder().Payload(beacon).Link(LinkType::kIeee80211).Build();
  EXPECT_EQ(Decode(management.view()).outcome, DecodeOutcome::kUnsupported);
  EXPECT_EQ(Decode(management.view()).reason, DecodeReason::kNonDataFrame);
}

TEST(DecodeWireless, ChecksumAtTheEndIsNoPayload) {
  PacketBuilder builder;
  builder.Radiotap(true).Ieee80211(2).LlcSnap().Ipv4(kA, kB, {.total_length = 0}).Udp(1, 2);
  const Packet packet = builder.Build();
  EXPECT_EQ(Decode(packet.view()).ip_bytes, 28U);
}

TEST(DecodeLinkType, UnknownOneIsUnsupported) {
  const Packet packet = PacketBuilder().Payload(100).Link(static_cast<LinkType>(147)).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kUnsupported);
  EXPECT_EQ(decoded.reason, DecodeReason::kUnknownLinkType);
  EXPECT_EQ(decoded.captured_bytes, 100U);
}

TEST(UnsupportedName, TellsNumberAndNameOfWhatIsNotRead) {
  const auto name = [](const Packet& packet) { return UnsupportedName(Decode(packet.view())); };
  EXPECT_EQ(name(PacketBuilder().Ethernet().Payload(46).Build()), "ethertype 0x88b5");
  EXPECT_EQ(name(PacketBuilder().Payload(9).Link(static_cast<LinkType>(147)).Build()),
            "link_type 147");
  EXPECT_EQ(name(PacketBuilder().Ethernet8023().Llc(0xfe, 0xfe).Payload(35).Build()),
            "llc 0xfefe (osi)");
  EXPECT_EQ(name(PacketBuilder().Ieee80211(0x40).Payload(30).Build()),
            "frame control 0x0840 (encrypted_data)");
  Bytes ppp = PacketBuilder().PppHdlc().Payload(10).BuildBytes();
  ppp[2] = 0xc0;
  ppp[3] = 0x21;
  const Packet lcp = WithBytes(PacketBuilder().PppHdlc().Payload(10).Build(), ppp);
  EXPECT_EQ(name(lcp), "ppp 0xc021 (lcp)");
  EXPECT_EQ(name(PacketBuilder().Ethernet().Ipv4(kA, kB).Udp(1, 2).Build()), "");
}

TEST(DecodeReason, EachHasItsOwnName) {
  std::vector<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(DecodeReason::kNonDataFrame); ++i) {
    const std::string_view name = ToString(static_cast<DecodeReason>(i));
    EXPECT_NE(name, "unknown");
    EXPECT_THAT(names, ::testing::Not(::testing::Contains(name)));
    names.push_back(name);
  }
}

}  // namespace
}  // namespace nta::test
