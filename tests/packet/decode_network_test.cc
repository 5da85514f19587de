#include <gtest/gtest.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr std::string_view kA = "10.0.0.1";
constexpr std::string_view kB = "10.0.0.2";
constexpr std::string_view kA6 = "2001:db8::1";
constexpr std::string_view kB6 = "2001:db8::2";

TEST(DecodeIpv4, TellsItsFields) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv4(kA, kB, {.tos = 0xb8, .ttl = 17, .id = 4711})
                            .Udp(1, 2)
                            .Payload(3)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.ip_version, 4);
  EXPECT_EQ(decoded.traffic_class, 0xb8);
  EXPECT_EQ(decoded.hop_limit, 17);
  EXPECT_EQ(decoded.ip_bytes, 31U);
  EXPECT_EQ(decoded.fragment_id, 4711U);
  EXPECT_FALSE(decoded.is_fragment);
}

TEST(DecodeIpv4, OptionsOfEveryKindAndLengthArePassedOver) {
  // The decoder reads no options, so none of the 65,536 pairs may change what follows.
  PacketBuilder builder;
  builder.Ethernet().Ipv4(kA, kB, {.options = Bytes(40, 1)}).Tcp(1000, 80).Payload(5);
  const Packet packet = builder.Build();
  Bytes bytes(packet.view().bytes.begin(), packet.view().bytes.end());
  for (unsigned kind = 0; kind < 256; ++kind) {
    for (unsigned length = 0; length < 256; ++length) {
      bytes[34] = static_cast<std::uint8_t>(kind);
      bytes[35] = static_cast<std::uint8_t>(length);
      PacketView view = packet.view();
      view.bytes = bytes;
      const DecodedPacket decoded = Decode(view);
      ASSERT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << kind << ' ' << length;
      ASSERT_EQ(decoded.destination_port, 80);
      ASSERT_EQ(decoded.payload_bytes, 5U);
    }
  }
}

TEST(DecodeIpv4, LengthZeroIsThatOfTheFrame) {
  // As segmentation offload leaves it.
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv4(kA, kB, {.total_length = 0})
                            .Tcp(1, 2)
                            .Payload(60000)
                            .Snap(100)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_EQ(decoded.ip_bytes, 60040U);
  EXPECT_EQ(decoded.payload_bytes, 60000U);
}

TEST(DecodeIpv4, FirstFragmentHasPorts) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv4(kA, kB, {.id = 99, .more_fragments = true})
                            .Udp(53, 1024, 3000)
                            .Payload(1472)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_TRUE(decoded.is_fragment);
  EXPECT_FALSE(decoded.is_later_fragment);
  EXPECT_TRUE(decoded.more_fragments);
  EXPECT_EQ(decoded.fragment_id, 99U);
  EXPECT_EQ(decoded.fragment_offset, 0);
  EXPECT_TRUE(decoded.has_ports);
  EXPECT_EQ(decoded.payload_bytes, 1472U);
}

TEST(DecodeIpv4, LaterFragmentHasNoPorts) {
  const Packet packet =
      PacketBuilder()
          .Ethernet()
          .Ipv4(kA, kB, {.id = 99, .fragment_offset = 1480, .protocol = kProtocolUdp})
          .Payload(200)
          .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
  EXPECT_TRUE(decoded.is_fragment);
  EXPECT_TRUE(decoded.is_later_fragment);
  EXPECT_FALSE(decoded.more_fragments);
  EXPECT_EQ(decoded.fragment_offset, 1480);
  EXPECT_FALSE(decoded.has_ports);
  EXPECT_EQ(decoded.source_port, 0);
  EXPECT_EQ(decoded.payload_bytes, 200U);
}

TEST(DecodeIpv6, TellsItsFields) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv6(kA6, kB6, {.traffic_class = 0xb8, .hop_limit = 3})
                            .Tcp(1, 2)
                            .Payload(10)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.ip_version, 6);
  EXPECT_EQ(decoded.ether_type, 0x86dd);
  EXPECT_EQ(decoded.traffic_class, 0xb8);
  EXPECT_EQ(decoded.hop_limit, 3);
  EXPECT_EQ(decoded.ip_bytes, 70U) << "payload length + 40";
  EXPECT_EQ(decoded.source, Ip(kA6));
  EXPECT_EQ(decoded.destination, Ip(kB6));
  EXPECT_EQ(decoded.payload_bytes, 10U);
}

TEST(DecodeIpv6, ProtocolIsThatAfterTheExtensionHeaders) {
  for (const std::uint8_t type : std::initializer_list<std::uint8_t>{0, 43, 60, 139, 140}) {
    for (const int length : {0, 1, 7, 100, 255}) {
      const Packet packet = PacketBuilder()
                                .Ethernet()
                                .Ipv6(kA6, kB6)
                                .Extension(type, static_cast<std::uint8_t>(length))
                                .Udp(7, 9)
                                .Payload(4)
                                .Build();
      const DecodedPacket decoded = Decode(packet.view());
      ASSERT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << int{type} << ' ' << length;
      ASSERT_EQ(decoded.protocol, kProtocolUdp);
      ASSERT_EQ(decoded.destination_port, 9);
      ASSERT_EQ(decoded.payload_bytes, 4U);
    }
  }
}

TEST(DecodeIpv6, EveryExtensionTypeAndLengthEndsInsideThePacket) {
  for (unsigned type = 0; type < 256; ++type) {
    for (unsigned length = 0; length < 256; ++length) {
      PacketBuilder builder;
      builder.Ipv6(kA6, kB6, {.next_header = static_cast<std::uint8_t>(type)});
      const Packet packet =
          builder.Payload(Bytes{17, static_cast<std::uint8_t>(length), 0, 0, 0, 0, 0, 0})
              .Payload(120)
              .Build();
      const DecodedPacket decoded = Decode(packet.view());
      const auto bytes = packet.view().bytes;
      if (decoded.payload.empty()) continue;
      ASSERT_GE(decoded.payload.data(), bytes.data()) << type << ' ' << length;
      ASSERT_LE(decoded.payload.data() + decoded.payload.size(), bytes.data() + bytes.size());
      if (decoded.tunnels == 0) {
        ASSERT_LE(decoded.payload_bytes, 128U);
      }
    }
  }
}

TEST(DecodeIpv6, OnlyFirstFragmentHasPorts) {
  const Packet first =
      PacketBuilder().Ethernet().Ipv6(kA6, kB6).Fragment(77, 0, true).Udp(5, 6, 3000).Build();
  EXPECT_TRUE(Decode(first.view()).has_ports);
  EXPECT_TRUE(Decode(first.view()).is_fragment);
  EXPECT_EQ(Decode(first.view()).fragment_id, 77U);
  const Packet later =
      PacketBuilder().Ethernet().Ipv6(kA6, kB6).Fragment(77, 1448, false).Payload(50).Build();
  const DecodedPacket decoded = Decode(later.view());
  EXPECT_FALSE(decoded.has_ports);
  EXPECT_TRUE(decoded.is_later_fragment);
  EXPECT_EQ(decoded.fragment_offset, 1448);
  EXPECT_EQ(decoded.protocol, kProtocolUdp);
  EXPECT_EQ(decoded.payload_bytes, 50U);
}

TEST(DecodeIpv6, AtomicFragmentIsAWholeDatagram) {
  const Packet packet =
      PacketBuilder().Ethernet().Ipv6(kA6, kB6).Fragment(77, 0, false).Udp(5, 6).Build();
  EXPECT_FALSE(Decode(packet.view()).is_fragment);
  EXPECT_TRUE(Decode(packet.view()).has_ports);
}

TEST(DecodeIpv6, LengthZeroIsThatOfTheFrame) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv6(kA6, kB6, {.payload_length = 0})
                            .Udp(1, 2, 0)
                            .Payload(70000)
                            .Snap(200)
                            .Build();
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded) << ToString(decoded.reason);
  EXPECT_EQ(decoded.ip_bytes, 70048U);
  EXPECT_EQ(decoded.payload_bytes, 70000U);
}

TEST(DecodeAuthenticationHeader, IsLookedThroughInBothVersions) {
  const Packet v4 = PacketBuilder().Ipv4(kA, kB).AuthenticationHeader().Tcp(1, 2).Build();
  EXPECT_EQ(Decode(v4.view()).protocol, kProtocolTcp);
  const Packet v6 = PacketBuilder().Ipv6(kA6, kB6).AuthenticationHeader().Tcp(1, 2).Build();
  EXPECT_TRUE(Decode(v6.view()).has_ports);
}

TEST(DecodeIp, ProtocolsWithoutKnownTransportCountAllAfterTheIpHeader) {
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{2, 50, 89, 253, 59}) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB, {.protocol = protocol}).Payload(33).Build();
    const DecodedPacket decoded = Decode(packet.view());
    EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded);
    EXPECT_EQ(decoded.protocol, protocol);
    EXPECT_FALSE(decoded.has_ports);
    EXPECT_EQ(decoded.payload_bytes, 33U);
    EXPECT_EQ(decoded.payload.size(), 33U);
  }
}

TEST(DecodeIp, ExtensionHeaderNumbersMeanNothingInIpv4) {
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{0, 43, 44, 60}) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB, {.protocol = protocol}).Payload(33).Build();
    EXPECT_EQ(Decode(packet.view()).protocol, protocol);
    EXPECT_FALSE(Decode(packet.view()).is_fragment);
  }
}

}  // namespace
}  // namespace nta::test
