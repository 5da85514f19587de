// Every reason for which a packet counts as malformed, and what of it stays readable.
#include <gtest/gtest.h>
#include <pthread.h>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

constexpr std::string_view kA = "10.0.0.1";
constexpr std::string_view kB = "10.0.0.2";

void ExpectMalformed(const Packet& packet, DecodeReason reason, std::string_view what) {
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed) << what;
  EXPECT_EQ(decoded.reason, reason) << what << ": " << ToString(decoded.reason);
}

TEST(DecodeMalformed, LinkHeaderThatEndsEarly) {
  struct Header {
    LinkType link_type;
    std::size_t bytes;
  };
  for (const Header& header :
       {Header{LinkType::kEthernet, 14}, Header{LinkType::kNull, 4}, Header{LinkType::kLoop, 4},
        Header{LinkType::kLinuxSll, 16}, Header{LinkType::kLinuxSll2, 20},
        Header{LinkType::kCHdlc, 4}, Header{LinkType::kFddi, 13}, Header{LinkType::kSlip, 16},
        Header{LinkType::kPppEther, 6}, Header{LinkType::kIeee80211Prism, 144},
        Header{LinkType::kNflog, 8}, Header{LinkType::kPpi, 8},
        Header{LinkType::kIeee80211Radiotap, 8}, Header{LinkType::kIeee80211Avs, 8},
        Header{LinkType::kAtmRfc1483, 3}, Header{LinkType::kPpp, 1}}) {
    for (std::size_t size = 0; size < header.bytes; ++size) {
      const Packet packet = PacketBuilder().Payload(Bytes(size, 0)).Link(header.link_type).Build();
      const DecodedPacket decoded = Decode(packet.view());
      EXPECT_EQ(decoded.outcome, DecodeOutcome::kMalformed)
          << ToString(header.link_type) << ' ' << size;
      EXPECT_EQ(decoded.reason, DecodeReason::kTruncatedLink)
          << ToString(header.link_type) << ' ' << size;
    }
  }
}

TEST(DecodeMalformed, TagThatEndsEarlyKeepsTheMacs) {
  const Packet packet = PacketBuilder().Ethernet().Vlan(5).Snap(16).Build();
  ExpectMalformed(packet, DecodeReason::kTruncatedLink, "VLAN");
  EXPECT_TRUE(Decode(packet.view()).has_mac);
}

TEST(DecodeMalformed, NetworkHeaderThatEndsEarly) {
  const auto v4 = [](std::size_t captured) {
    return PacketBuilder().Ethernet().Ipv4(kA, kB).Udp(1, 2).Snap(14 + captured).Build();
  };
  const auto v6 = [](std::size_t captured) {
    return PacketBuilder().Ethernet().Ipv6("::1", "::2").Udp(1, 2).Snap(14 + captured).Build();
  };
  const auto arp = [](std::size_t captured) {
    return PacketBuilder().Ethernet().Arp(1, kA, kB).Snap(14 + captured).Build();
  };
  for (std::size_t i = 0; i < 20; ++i) {
    ExpectMalformed(v4(i), DecodeReason::kTruncatedNetwork, "IPv4");
    const Packet packet = v4(i);
    EXPECT_FALSE(Decode(packet.view()).has_ip());
  }
  for (std::size_t i = 0; i < 40; ++i) {
    ExpectMalformed(v6(i), DecodeReason::kTruncatedNetwork, "IPv6");
  }
  for (std::size_t i = 0; i < 28; ++i) {
    ExpectMalformed(arp(i), DecodeReason::kTruncatedNetwork, "ARP");
    const Packet packet = arp(i);
    EXPECT_FALSE(Decode(packet.view()).arp);
  }
}

TEST(DecodeMalformed, Ipv4OptionsThatEndEarlyKeepTheAddresses) {
  const Packet packet =
      PacketBuilder().Ethernet().Ipv4(kA, kB, {.options = Bytes(12, 1)}).Udp(1, 2).Snap(40).Build();
  ExpectMalformed(packet, DecodeReason::kTruncatedNetwork, "options");
  const DecodedPacket decoded = Decode(packet.view());
  EXPECT_EQ(decoded.source, Ip(kA));
  EXPECT_EQ(decoded.protocol, kProtocolUdp);
  EXPECT_FALSE(decoded.has_ports);
}

TEST(DecodeMalformed, TransportHeaderThatEndsBeforeThePorts) {
  for (const std::uint8_t protocol : std::initializer_list<std::uint8_t>{
           kProtocolTcp, kProtocolUdp, kProtocolUdpLite, kProtocolSctp, kProtocolDccp}) {
    for (std::size_t size = 0; size < 4; ++size) {
      const Packet packet =
          PacketBuilder().Ethernet().Ipv4(kA, kB, {.protocol = protocol}).Payload(size).Build();
      ExpectMalformed(packet, DecodeReason::kTruncatedTransport, ProtocolName(protocol));
      EXPECT_FALSE(Decode(packet.view()).has_ports);
      EXPECT_EQ(Decode(packet.view()).source, Ip(kA));
    }
  }
}

TEST(DecodeMalformed, TransportHeaderThatEndsByTheIpLengthKeepsItsPorts) {
  struct Case {
    std::uint8_t protocol;
    std::size_t header_bytes;
  };
  for (const Case& c : {Case{kProtocolTcp, 20}, Case{kProtocolUdp, 8}, Case{kProtocolSctp, 12},
                        Case{kProtocolDccp, 12}}) {
    for (std::size_t size = 4; size < c.header_bytes; ++size) {
      const Packet packet = PacketBuilder()
                                .Ethernet()
                                .Ipv4(kA, kB, {.protocol = c.protocol})
                                .Payload(size)
                                .Trailer(40)
                                .Build();
      ExpectMalformed(packet, DecodeReason::kTruncatedTransport, ProtocolName(c.protocol));
      EXPECT_TRUE(Decode(packet.view()).has_ports);
      EXPECT_EQ(Decode(packet.view()).payload_bytes, 0U);
    }
  }
}

TEST(DecodeMalformed, IcmpWithoutTypeAndCode) {
  for (std::size_t size = 0; size < 2; ++size) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB, {.protocol = kProtocolIcmp}).Payload(size).Build();
    ExpectMalformed(packet, DecodeReason::kTruncatedTransport, "ICMP");
    EXPECT_FALSE(Decode(packet.view()).has_icmp);
  }
}

TEST(DecodeMalformed, LinkHeadersThatContradictThemselves) {
  const auto frame = [](Bytes bytes, LinkType link_type) {
    bytes.resize(100);
    return PacketBuilder().Payload(bytes).Link(link_type).Build();
  };
  ExpectMalformed(frame({0x21, 0, 0, 0, 0, 50}, LinkType::kPppEther), DecodeReason::kBadLinkHeader,
                  "PPPoE version");
  ExpectMalformed(frame({0, 0, 7, 0}, LinkType::kIeee80211Radiotap), DecodeReason::kBadLinkHeader,
                  "radiotap length below its fixed part");
  ExpectMalformed(frame({0, 0, 8, 0, 0, 0, 0, 0x80}, LinkType::kIeee80211Radiotap),
                  DecodeReason::kBadLinkHeader, "radiotap bitmaps beyond its length");
  ExpectMalformed(frame({0, 0, 7, 0}, LinkType::kPpi), DecodeReason::kBadLinkHeader, "PPI length");
  ExpectMalformed(frame({0, 0, 8, 0, 192, 0, 0, 0}, LinkType::kPpi), DecodeReason::kBadLinkHeader,
                  "PPI in PPI");
  ExpectMalformed(frame({0, 0, 0, 0, 0, 0, 0, 7}, LinkType::kIeee80211Avs),
                  DecodeReason::kBadLinkHeader, "AVS length");
  ExpectMalformed(frame({2, 0, 0, 1, 3, 0, 9, 0}, LinkType::kNflog), DecodeReason::kBadLinkHeader,
                  "NFLOG attribute length");
  ExpectMalformed(frame({0, 0, 0, 0, 0, 0}, LinkType::kFrameRelay), DecodeReason::kBadLinkHeader,
                  "frame relay address that never ends");
  ExpectMalformed(frame({1, 0, 0, 0, 0, 0}, LinkType::kFrameRelay), DecodeReason::kBadLinkHeader,
                  "frame relay address of one byte");
}

TEST(DecodeMalformed, IpHeaderLengthBelowItsFixedPart) {
  for (std::uint8_t words = 0; words < 5; ++words) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB, {.header_words = words}).Udp(1, 2).Build();
    ExpectMalformed(packet, DecodeReason::kBadIpHeaderLength, "IHL");
    EXPECT_FALSE(Decode(packet.view()).has_ip());
  }
}

TEST(DecodeMalformed, IpTotalLengthBelowTheHeader) {
  for (std::uint16_t length = 1; length < 20; ++length) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB, {.total_length = length}).Udp(1, 2).Build();
    ExpectMalformed(packet, DecodeReason::kBadIpTotalLength, "total length");
    EXPECT_EQ(Decode(packet.view()).source, Ip(kA)) << "what came before is still valid";
  }
}

TEST(DecodeMalformed, IpLengthBeyondTheFrameKeepsThePorts) {
  const Packet v4 =
      PacketBuilder().Ethernet().Ipv4(kA, kB, {.total_length = 500}).Udp(1, 2, 480).Build();
  ExpectMalformed(v4, DecodeReason::kBadIpTotalLength, "IPv4");
  EXPECT_TRUE(Decode(v4.view()).has_ports);
  const Packet v6 =
      PacketBuilder().Ethernet().Ipv6("::1", "::2", {.payload_length = 500}).Udp(1, 2, 480).Build();
  ExpectMalformed(v6, DecodeReason::kBadIpTotalLength, "IPv6");
}

TEST(DecodeMalformed, IpLengthBeyondWhatWasCapturedIsNot) {
  const Packet packet =
      PacketBuilder().Ethernet().Ipv4(kA, kB).Udp(1, 2).Payload(1000).Snap(96).Build();
  EXPECT_EQ(Decode(packet.view()).outcome, DecodeOutcome::kDecoded);
}

TEST(DecodeMalformed, IpVersionThatDoesNotExist) {
  for (const int version : {0, 1, 2, 3, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15}) {
    const Packet packet = PacketBuilder()
                              .Ethernet()
                              .Ipv4(kA, kB, {.version = static_cast<std::uint8_t>(version)})
                              .Udp(1, 2)
                              .Build();
    ExpectMalformed(packet, DecodeReason::kBadIpVersion, std::to_string(version));
  }
}

TEST(DecodeMalformed, ExtensionHeaderLongerThanThePacket) {
  const Packet packet = PacketBuilder()
                            .Ethernet()
                            .Ipv6("::1", "::2")
                            .Extension(0, 0, 200)
                            .Udp(1, 2)
                            .Payload(50)
                            .Build();
  ExpectMalformed(packet, DecodeReason::kBadExtensionHeader, "hop-by-hop");
  const Packet header = PacketBuilder().Ethernet().Ipv4(kA, kB).AuthenticationHeader().Build();
  Bytes bytes(header.view().bytes.begin(), header.view().bytes.end());
  bytes[35] = 200;
  ExpectMalformed(WithBytes(header, bytes), DecodeReason::kBadExtensionHeader, "AH");
}

TEST(DecodeMalformed, ExtensionHeaderCutBySnapLengthIsTruncated) {
  ExpectMalformed(
      PacketBuilder().Ethernet().Ipv6("::1", "::2").Extension(0, 3).Udp(1, 2).Snap(70).Build(),
      DecodeReason::kTruncatedNetwork, "hop-by-hop");
  ExpectMalformed(
      PacketBuilder().Ethernet().Ipv4(kA, kB).AuthenticationHeader().Tcp(1, 2).Snap(50).Build(),
      DecodeReason::kTruncatedNetwork, "AH");
}

TEST(DecodeMalformed, TcpDataOffsetOutsideTheSegment) {
  for (const int words : {0, 1, 2, 3, 4, 15}) {
    const Packet packet = PacketBuilder()
                              .Ethernet()
                              .Ipv4(kA, kB)
                              .Tcp(1, 2, {.data_offset_words = static_cast<std::uint8_t>(words)})
                              .Payload(20)
                              .Build();
    ExpectMalformed(packet, DecodeReason::kBadTcpDataOffset, std::to_string(words));
    EXPECT_TRUE(Decode(packet.view()).is_tcp());
    EXPECT_EQ(Decode(packet.view()).payload_bytes, 20U);
  }
}

TEST(DecodeMalformed, UdpLengthOutsideThePacket) {
  for (const std::uint16_t length : std::initializer_list<std::uint16_t>{1, 7, 29, 65535}) {
    const Packet packet =
        PacketBuilder().Ethernet().Ipv4(kA, kB).Udp(1, 2, length).Payload(20).Build();
    ExpectMalformed(packet, DecodeReason::kBadUdpLength, std::to_string(length));
    EXPECT_TRUE(Decode(packet.view()).has_ports);
  }
}

TEST(DecodeMalformed, NshShorterThanItsFixedPart) {
  Bytes nsh(60, 0);
  nsh[1] = 1;
  nsh[3] = 1;
  PacketBuilder builder;
  builder.Ethernet().Payload(nsh);
  const Packet packet = builder.Build();
  Bytes bytes(packet.view().bytes.begin(), packet.view().bytes.end());
  bytes[12] = 0x89;
  bytes[13] = 0x4f;
  ExpectMalformed(WithBytes(packet, bytes), DecodeReason::kBadTunnelHeader, "NSH");
}

TEST(DecodeMalformed, MoreHeadersThanAllowed) {
  PacketBuilder builder;
  builder.Ethernet();
  for (int i = 0; i < 40; ++i) builder.Vlan(7);
  const Packet packet = builder.Ipv4(kA, kB).Udp(1, 2).Build();
  ExpectMalformed(packet, DecodeReason::kTooManyHeaders, "VLAN tags");
  EXPECT_EQ(Decode(packet.view()).vlan, 7);
  EXPECT_EQ(Decode(packet.view(), {.max_headers = 100}).outcome, DecodeOutcome::kDecoded);
}

TEST(DecodeMalformed, NestingOfAnyDepthEndsAtTheLimit) {
  using Nest = void (*)(PacketBuilder&);
  const Nest nests[] = {
      [](PacketBuilder& b) { b.Ipv4(kA, kB); },
      [](PacketBuilder& b) { b.Ipv6("::1", "::2"); },
      [](PacketBuilder& b) { b.Ipv4(kA, kB).Gre(); },
      [](PacketBuilder& b) { b.Ipv4(kA, kB).Gre().Ethernet(); },
      [](PacketBuilder& b) { b.Ipv4(kA, kB).Udp(1, 4789).Vxlan().Ethernet(); },
      [](PacketBuilder& b) { b.Ipv4(kA, kB).Udp(2152, 2152).GtpU(2); },
  };
  for (const Nest& nest : nests) {
    for (const int depth : {1, 2, 8, 31, 32, 33, 100}) {
      PacketBuilder builder;
      for (int i = 0; i < depth; ++i) nest(builder);
      const Packet packet = builder.Ipv4(kA, kB).Tcp(1, 2).Build();
      for (const DecodeView view : {DecodeView::kOuter, DecodeView::kInner}) {
        const DecodedPacket decoded = Decode(packet.view(), {.view = view});
        EXPECT_TRUE(decoded.has_ip()) << depth;
        if (decoded.outcome == DecodeOutcome::kMalformed) {
          EXPECT_EQ(decoded.reason, DecodeReason::kTooManyHeaders) << depth;
          EXPECT_GT(depth, 8);
        }
      }
    }
  }
}

TEST(DecodeMalformed, TagsAndExtensionHeadersOfDepth1000AreReadWithAHigherLimit) {
  for (const int depth : {1, 10, 100, 1000}) {
    PacketBuilder tags;
    PacketBuilder labels;
    PacketBuilder extensions;
    tags.Ethernet();
    labels.Ethernet();
    extensions.Ethernet().Ipv6("::1", "::2");
    for (int i = 0; i < depth; ++i) {
      tags.Vlan(1);
      labels.Mpls(5);
      extensions.Extension(60);
    }
    for (PacketBuilder* builder : {&tags, &labels}) builder->Ipv4(kA, kB);
    for (PacketBuilder* builder : {&tags, &labels, &extensions}) {
      const Packet packet = builder->Udp(1, 2).Build();
      EXPECT_TRUE(Decode(packet.view(), {.max_headers = 1100}).has_ports) << depth;
      const DecodedPacket bounded = Decode(packet.view());
      EXPECT_EQ(bounded.has_ports, depth < 32) << depth;
    }
  }
}

// IPv4 in IPv4, `depth` headers whose length 0 means the rest of the frame, around UDP.
Packet DeepTunnel(std::size_t depth) {
  constexpr std::uint8_t kIpInIp = 4;
  Bytes bytes = PacketBuilder().Ethernet().Ipv4(kA, kB).BuildBytes();
  const Bytes header(bytes.end() - 20, bytes.end());
  bytes.resize(14);
  for (std::size_t i = 0; i < depth; ++i) {
    bytes.insert(bytes.end(), header.begin(), header.end());
    std::uint8_t* const ip = bytes.data() + bytes.size() - 20;
    ip[2] = ip[3] = 0;
    ip[9] = i + 1 < depth ? kIpInIp : kProtocolUdp;
  }
  const Bytes udp{0, 7, 0, 9, 0, 8, 0, 0};
  bytes.insert(bytes.end(), udp.begin(), udp.end());
  return WithBytes(PacketBuilder().Ethernet().Build(), std::move(bytes));
}

struct SmallStackRun {
  Packet packet;
  int max_headers = 0;
  DecodedPacket decoded;
};

// Decodes in a thread that has 256 KiB of stack.
DecodedPacket DecodeOnSmallStack(Packet packet, int max_headers) {
  SmallStackRun run{std::move(packet), max_headers, {}};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  EXPECT_EQ(pthread_attr_setstacksize(&attributes, 256 << 10), 0);
  pthread_t thread{};
  EXPECT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  auto* const work = static_cast<SmallStackRun*>(argument);
                  work->decoded = Decode(work->packet.view(), {.max_headers = work->max_headers});
                  return nullptr;
                },
                &run),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
  run.decoded.payload = {};
  return run.decoded;
}

TEST(DecodeMalformed, TunnelsOfAnyDepthNeedNoStack) {
  for (const std::size_t depth : {1U, 20U, 100U, 1000U, 10'000U}) {
    const DecodedPacket deep = DecodeOnSmallStack(DeepTunnel(depth), 30'000);
    EXPECT_EQ(deep.outcome, DecodeOutcome::kDecoded) << depth;
    EXPECT_EQ(deep.destination_port, 9) << depth;
    const DecodedPacket bounded = DecodeOnSmallStack(DeepTunnel(depth), 32);
    EXPECT_TRUE(bounded.has_ip()) << depth;
    EXPECT_EQ(bounded.has_ports, depth < 32) << depth;
    EXPECT_EQ(bounded.reason == DecodeReason::kTooManyHeaders, depth >= 100) << depth;
  }
}

}  // namespace
}  // namespace nta::test
