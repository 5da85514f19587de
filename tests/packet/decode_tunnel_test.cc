#include <gtest/gtest.h>

#include <set>
#include <string>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr DecodeOptions kInner{.view = DecodeView::kInner};
constexpr std::string_view kOuterSource = "10.0.0.1";
constexpr std::string_view kOuterDestination = "10.0.0.2";
constexpr std::string_view kInnerSource = "192.168.1.1";

PacketBuilder V4() { return PacketBuilder().Ethernet().Ipv4(kOuterSource, kOuterDestination); }
PacketBuilder Inside(PacketBuilder outer) {
  return outer.Ipv4(kInnerSource, "192.168.1.2").Tcp(40000, 443).Payload(12);
}
std::uint16_t Bits(Tunnel tunnel) { return static_cast<std::uint16_t>(tunnel); }

TEST(DecodeTunnel, OuterViewLooksThroughWhatHasNoTransportHeader) {
  const std::set<std::string_view> looked_through{
      "ipip",     "4in6",     "gre",      "gre all fields", "gre ethernet",
      "erspan 1", "erspan 2", "erspan 3", "etherip",        "mpls in ip"};
  std::size_t seen = 0;
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    if (!looked_through.contains(kind.name)) continue;
    ++seen;
    for (const DecodeView view : {DecodeView::kOuter, DecodeView::kInner}) {
      const DecodedPacket decoded = Decode(kind.packet.view(), {.view = view});
      EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << kind.name;
      EXPECT_EQ(decoded.source, Ip(kInnerSource)) << kind.name;
      EXPECT_EQ(decoded.destination_port, 443) << kind.name;
      EXPECT_EQ(decoded.payload_bytes, 12U) << kind.name;
      EXPECT_EQ(decoded.ip_bytes, 52U) << kind.name;
      EXPECT_EQ(decoded.wire_bytes, kind.packet.view().bytes.size()) << kind.name;
      EXPECT_NE(kind.name == "etherip", decoded.tunnels != 0) << kind.name;
    }
  }
  EXPECT_EQ(seen, looked_through.size());
}

TEST(DecodeTunnel, UdpTunnelsAreUdpFlowsOutsideAndTheirContentInside) {
  const std::set<std::string_view> over_udp{"vxlan", "vxlan gpe",        "geneve",
                                            "gtp-u", "gtp-u extensions", "l2tp"};
  std::size_t seen = 0;
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    if (!over_udp.contains(kind.name)) continue;
    ++seen;
    const DecodedPacket outer = Decode(kind.packet.view());
    EXPECT_EQ(outer.protocol, kProtocolUdp) << kind.name;
    EXPECT_EQ(outer.source, Ip(kOuterSource)) << kind.name;
    EXPECT_EQ(outer.tunnels, 0) << kind.name;
    const DecodedPacket inner = Decode(kind.packet.view(), kInner);
    EXPECT_EQ(inner.outcome, DecodeOutcome::kDecoded) << kind.name;
    EXPECT_EQ(inner.protocol, kProtocolTcp) << kind.name;
    EXPECT_EQ(inner.source, Ip(kInnerSource)) << kind.name;
    EXPECT_EQ(inner.source_port, 40000) << kind.name;
    EXPECT_EQ(inner.payload_bytes, 12U) << kind.name;
    EXPECT_NE(inner.tunnels, 0) << kind.name;
  }
  EXPECT_EQ(seen, over_udp.size());
}

TEST(DecodeTunnel, TeredoCarriesIpv6BehindItsOptionalHeaders) {
  for (const bool has_headers : {false, true}) {
    PacketBuilder builder = V4().Udp(50000, 3544);
    if (has_headers) builder.TeredoAuthentication().TeredoOrigin();
    const Packet packet = builder.Ipv6("2001::1", "2001::2").Tcp(7, 8).Build();
    const DecodedPacket inner = Decode(packet.view(), kInner);
    EXPECT_EQ(inner.ip_version, 6);
    EXPECT_EQ(inner.destination_port, 8);
    EXPECT_EQ(inner.tunnels, Bits(Tunnel::kTeredo));
    EXPECT_EQ(Decode(packet.view()).destination_port, 3544);
  }
}

TEST(DecodeTunnel, NamesEveryTunnelOnTheWay) {
  const Packet packet =
      Inside(V4().Gre().Ipv4("10.1.0.1", "10.1.0.2").Udp(50000, 4789).Vxlan().Ethernet()).Build();
  EXPECT_EQ(Decode(packet.view()).tunnels, Bits(Tunnel::kGre));
  EXPECT_EQ(Decode(packet.view()).source, Ip("10.1.0.1"));
  EXPECT_EQ(Decode(packet.view(), kInner).tunnels, Bits(Tunnel::kGre) | Bits(Tunnel::kVxlan));
  EXPECT_EQ(Decode(packet.view(), kInner).source, Ip(kInnerSource));
  const Packet erspan = Inside(V4().Gre({.sequence = true}).Erspan2().Ethernet()).Build();
  EXPECT_EQ(Decode(erspan.view()).tunnels, Bits(Tunnel::kGre) | Bits(Tunnel::kErspan));
}

TEST(DecodeTunnel, UnknownContentLeavesTheOuterPacket) {
  const Packet gre = V4().Gre().Payload(30).Build();
  const DecodedPacket decoded = Decode(gre.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.protocol, kProtocolGre);
  EXPECT_EQ(decoded.source, Ip(kOuterSource));
  EXPECT_EQ(decoded.ether_type, 0x0800);
}

TEST(DecodeTunnel, ArpInsideBelongsToTheOuterPacket) {
  const Packet packet = V4().Gre().Ethernet().Arp(1, "192.168.1.1", "192.168.1.2").Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.protocol, kProtocolGre);
  EXPECT_EQ(decoded.source, Ip(kOuterSource));
  EXPECT_EQ(decoded.ether_type, 0x0800) << "of the counted network header";
}

TEST(DecodeTunnel, UnreadableContentIsMalformedButCountsAsTheOuterPacket) {
  const Packet packet = V4().Gre({.protocol = 0x0800}).Payload(Bytes(40, 0x99)).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed);
  EXPECT_EQ(decoded.reason, DecodeReason::kBadIpVersion);
  EXPECT_EQ(decoded.protocol, kProtocolGre);
  EXPECT_EQ(decoded.destination, Ip(kOuterDestination));
}

TEST(DecodeTunnel, PortsOfTheOuterPacketNeverBelongToTheInnerOne) {
  // The inner TCP header ends before its ports.
  PacketBuilder builder = V4().Udp(50000, 4789).Vxlan().Ethernet();
  builder.Ipv4(kInnerSource, "192.168.1.2", {.protocol = kProtocolTcp}).Payload(2);
  const Packet packet = builder.Build();
  const DecodedPacket decoded = Decode(packet.view(), kInner);
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed);
  EXPECT_EQ(decoded.reason, DecodeReason::kTruncatedTransport);
  EXPECT_EQ(decoded.source, Ip(kInnerSource));
  EXPECT_EQ(decoded.protocol, kProtocolTcp);
  EXPECT_FALSE(decoded.has_ports);
  EXPECT_EQ(decoded.source_port, 0);
  EXPECT_EQ(decoded.payload_bytes, 2U);
}

TEST(DecodeTunnel, PortsOfTheOuterPacketNeverBelongToAnInnerFragment) {
  PacketBuilder builder = V4().Udp(50000, 4789).Vxlan().Ethernet();
  builder.Ipv6("::1", "::2", {.next_header = 44}).Payload(4);
  const Packet packet = builder.Build();
  const DecodedPacket decoded = Decode(packet.view(), kInner);
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed);
  EXPECT_FALSE(decoded.has_ports);
  EXPECT_EQ(decoded.payload_bytes, 4U);
}

TEST(DecodeTunnel, FirstFragmentOfATunnelIsNotMalformed) {
  // 1,400 bytes of an inner packet of 3,000: the rest comes in later fragments of the outer one.
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv4(kOuterSource, kOuterDestination, {.more_fragments = true})
                            .Ipv4(kInnerSource, "192.168.1.2", {.total_length = 3000})
                            .Tcp(40000, 443)
                            .Payload(1360)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << ToString(decoded.reason);
  EXPECT_EQ(decoded.source, Ip(kInnerSource));
  EXPECT_EQ(decoded.destination_port, 443);
}

TEST(DecodeTunnel, TrafficOnATunnelsPortThatIsNoTunnelStaysUdp) {
  for (const std::uint16_t port :
       std::initializer_list<std::uint16_t>{4789, 6081, 2152, 3544, 1701, 8472}) {
    const Packet packet = V4().Udp(50000, port).Payload(Bytes(40, 0)).Build();
    const DecodedPacket decoded = Decode(packet.view(), kInner);
    EXPECT_EQ(decoded.protocol, kProtocolUdp) << port;
    EXPECT_EQ(decoded.destination_port, port);
    EXPECT_EQ(decoded.source, Ip(kOuterSource));
  }
}

TEST(DecodeTunnel, ShortPayloadOnATunnelsPortIsMalformedButKeepsItsPorts) {
  for (const std::uint16_t port : std::initializer_list<std::uint16_t>{4789, 6081, 2152, 1701}) {
    const Packet packet = V4().Udp(50000, port).Payload(3).Build();
    const DecodedPacket decoded = Decode(packet.view(), kInner);
    EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed) << port;
    EXPECT_EQ(decoded.reason, DecodeReason::kBadTunnelHeader) << port;
    EXPECT_EQ(decoded.destination_port, port);
    EXPECT_EQ(Decode(packet.view()).outcome, DecodeOutcome::kDecoded) << "outer view";
  }
}

TEST(DecodeTunnel, EveryGeneveOptionLengthStaysInside) {
  for (unsigned words = 0; words < 64; ++words) {
    PacketBuilder builder = V4().Udp(1, 6081);
    builder.Payload(Bytes{static_cast<std::uint8_t>(words), 0, 0x65, 0x58, 0, 0, 1, 0});
    const Packet packet = Inside(builder.Ethernet()).Build();
    const DecodedPacket decoded = Decode(packet.view(), kInner);
    EXPECT_EQ(decoded.has_ports, true) << words;
  }
}

TEST(DecodeTunnel, EveryGtpExtensionLengthEndsTheWalk) {
  for (unsigned length = 0; length < 256; ++length) {
    PacketBuilder builder = V4().Udp(2152, 2152);
    builder.Payload(Bytes{0x34, 255, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0x85});
    const Packet packet = builder.Payload(Bytes(600, static_cast<std::uint8_t>(length))).Build();
    const DecodedPacket decoded = Decode(packet.view(), kInner);
    EXPECT_EQ(decoded.source_port, 2152) << length;
  }
}

}  // namespace
}  // namespace nta::test
