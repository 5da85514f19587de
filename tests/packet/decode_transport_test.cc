#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr std::string_view kA = "10.0.0.1";
constexpr std::string_view kB = "10.0.0.2";

PacketBuilder V4() { return PacketBuilder().Ethernet().Ipv4(kA, kB); }

TEST(DecodeTcp, TellsItsFields) {
  const Packet packet = V4().Tcp(1234, 443,
                                 {.flags = kTcpSyn | kTcpEce | kTcpCwr,
                                  .sequence = 0xdeadbeef,
                                  .acknowledgment = 0x01020304,
                                  .window = 512,
                                  .options = {2, 4, 5, 180, 1, 3, 3, 7}})
                            .Payload(3)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_TRUE(decoded.is_tcp());
  EXPECT_EQ(decoded.tcp_flags, kTcpSyn | kTcpEce | kTcpCwr);
  EXPECT_EQ(decoded.tcp_sequence, 0xdeadbeefU);
  EXPECT_EQ(decoded.tcp_acknowledgment, 0x01020304U);
  EXPECT_EQ(decoded.tcp_window, 512);
  EXPECT_EQ(decoded.payload_bytes, 3U);
  EXPECT_EQ(decoded.five_tuple().ToString(), "tcp 10.0.0.1:1234 -> 10.0.0.2:443");
}

TEST(DecodeTcp, OptionsOfEveryKindAndLengthArePassedOver) {
  const Packet packet = V4().Tcp(1000, 80, {.options = Bytes(40, 1)}).Payload(5).Build();
  Bytes bytes(packet.view().bytes.begin(), packet.view().bytes.end());
  for (unsigned kind = 0; kind < 256; ++kind) {
    for (unsigned length = 0; length < 256; ++length) {
      bytes[54] = static_cast<std::uint8_t>(kind);
      bytes[55] = static_cast<std::uint8_t>(length);
      PacketView view = packet.view();
      view.bytes = bytes;
      const DecodedPacket decoded = Decode(view);
      ASSERT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
      ASSERT_EQ(decoded.payload_bytes, 5U);
    }
  }
}

TEST(DecodeTcp, CutBySnapLengthKeepsPortsAndThenFlags) {
  PacketBuilder builder = V4().Tcp(1234, 443, {.flags = kTcpSyn});
  builder.Payload(100);
  const Packet first = builder.Snap(38).Build();
  const DecodedPacket ports = Decode(first.view());
  EXPECT_EQ(ports.outcome, DecodeOutcome::kDecoded);
  EXPECT_TRUE(ports.has_ports);
  EXPECT_EQ(ports.tcp_flags, 0);
  const Packet longer = builder.Snap(48).Build();
  const DecodedPacket flags = Decode(longer.view());
  EXPECT_EQ(flags.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(flags.tcp_flags, kTcpSyn);
  EXPECT_TRUE(flags.payload.empty());
}

TEST(DecodeUdp, LengthFieldEndsThePayload) {
  const Packet packet = V4().Udp(1, 2, 12).Payload(50).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.payload_bytes, 4U);
  EXPECT_EQ(decoded.payload.size(), 4U);
}

TEST(DecodeUdp, LengthZeroIsThatOfThePacket) {
  const Packet packet = V4().Udp(1, 2, 0).Payload(50).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.payload_bytes, 50U);
}

TEST(DecodeUdpLite, LengthFieldIsNotALength) {
  const Packet packet = V4().UdpLite(7, 8).Payload(50).Build();
  Bytes bytes(packet.view().bytes.begin(), packet.view().bytes.end());
  bytes[38] = 0xff;  // a checksum coverage beyond the packet
  const Packet changed = WithBytes(packet, bytes);
  const DecodedPacket decoded = Decode(changed.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_TRUE(decoded.has_ports);
  EXPECT_EQ(decoded.destination_port, 8);
  EXPECT_EQ(decoded.payload_bytes, 50U);
}

TEST(DecodeSctpAndDccp, HavePorts) {
  const Packet sctp = V4().Sctp(5000, 36412).Payload(20).Build();
  EXPECT_EQ(Decode(sctp.view()).protocol, kProtocolSctp);
  EXPECT_EQ(Decode(sctp.view()).destination_port, 36412);
  EXPECT_EQ(Decode(sctp.view()).payload_bytes, 20U);
  EXPECT_FALSE(Decode(sctp.view()).is_tcp());
  const Packet dccp = V4().Dccp(5000, 5001).Payload(20).Build();
  EXPECT_EQ(Decode(dccp.view()).destination_port, 5001);
  EXPECT_EQ(Decode(dccp.view()).payload_bytes, 20U);
}

TEST(DecodeIcmp, TellsTypeAndCode) {
  const Packet packet = V4().Icmp(8, 0).Payload(56).Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_TRUE(decoded.has_icmp);
  EXPECT_EQ(decoded.icmp_type, 8);
  EXPECT_EQ(decoded.icmp_code, 0);
  EXPECT_FALSE(decoded.has_ports);
  EXPECT_FALSE(decoded.quoted);
  EXPECT_EQ(decoded.payload_bytes, 56U);
}

TEST(DecodeIcmp, ErrorsQuoteThePacketTheyAreAbout) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{3, 4, 5, 11, 12}) {
    const Packet packet =
        V4().Icmp(type, 1).Quote(PacketBuilder().Ipv4(kB, "10.0.0.3").Udp(53, 999)).Build();
    const DecodedPacket decoded = Decode(packet.view());
    ASSERT_TRUE(decoded.quoted) << int{type};
    EXPECT_EQ(decoded.quoted->ToString(), "udp 10.0.0.2:53 -> 10.0.0.3:999");
    EXPECT_EQ(decoded.protocol, kProtocolIcmp) << "the quoted packet is no traffic of its own";
    EXPECT_EQ(decoded.source, Ip(kA));
    EXPECT_FALSE(decoded.has_ports);
  }
}

TEST(DecodeIcmp, QuoteWithoutPortsStaysWithout) {
  const Packet echo = V4().Icmp(11, 0).Quote(PacketBuilder().Ipv4(kB, kA).Icmp(8, 0)).Build();
  ASSERT_TRUE(Decode(echo.view()).quoted);
  EXPECT_EQ(Decode(echo.view()).quoted->source.port, 0);
}

TEST(DecodeIcmp, QuotedLaterFragmentHasNoReadablePorts) {
  const Packet packet =
      V4().Icmp(11, 1)
          .Quote(PacketBuilder()
                     .Ipv4(kB, kA, {.fragment_offset = 1480, .protocol = kProtocolUdp})
                     .Payload(16))
          .Build();
  EXPECT_FALSE(Decode(packet.view()).quoted);
}

TEST(DecodeIcmp, QuoteCutBeforeThePortsIsLeftOut) {
  PacketBuilder builder = V4().Icmp(3, 3).Quote(PacketBuilder().Ipv4(kB, kA).Udp(53, 999));
  for (std::size_t captured = 42; captured < 66; ++captured) {
    const Packet packet = builder.Snap(captured).Build();
    EXPECT_FALSE(Decode(packet.view()).quoted) << captured;
  }
  const Packet packet = builder.Snap(66).Build();
  EXPECT_TRUE(Decode(packet.view()).quoted);
}

TEST(DecodeIcmpV6, OnlyTypesBelow128Quote) {
  const auto build = [](std::uint8_t type) {
    return PacketBuilder()
        .Ethernet()
        .Ipv6("::1", "::2")
        .IcmpV6(type, 0)
        .Quote(PacketBuilder().Ipv6("::2", "::3").Tcp(443, 999))
        .Build();
  };
  for (const int type : {1, 2, 3, 4, 127}) {
    const Packet packet = build(static_cast<std::uint8_t>(type));
    ASSERT_TRUE(Decode(packet.view()).quoted) << type;
    EXPECT_EQ(Decode(packet.view()).quoted->ToString(), "tcp [::2]:443 -> [::3]:999");
  }
  for (const int type : {128, 135, 255}) {
    const Packet packet = build(static_cast<std::uint8_t>(type));
    EXPECT_FALSE(Decode(packet.view()).quoted) << type;
    EXPECT_EQ(Decode(packet.view()).icmp_type, type);
  }
}

}  // namespace
}  // namespace nta::test
