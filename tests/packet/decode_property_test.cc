// Properties of Decode over every kind of packet, damaged in every way, and over noise.
#include <gtest/gtest.h>

#include <random>

#include "support/packet_builder.h"

namespace nta::test {
namespace {

// Bytes whose end is the end of the allocation, so that a sanitizer sees a read beyond it.
class ExactBytes {
 public:
  explicit ExactBytes(std::span<const std::uint8_t> bytes)
      : size_(bytes.size()), data_(new std::uint8_t[bytes.size()]) {
    std::copy(bytes.begin(), bytes.end(), data_.get());
  }
  std::span<const std::uint8_t> span() const { return {data_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::uint8_t[]> data_;
};

bool IsMalformedReason(DecodeReason reason) {
  return reason != DecodeReason::kNone && reason < DecodeReason::kUnknownLinkType;
}

void CheckOutcome(const DecodedPacket& decoded) {
  switch (decoded.outcome) {
    case DecodeOutcome::kDecoded:
      ASSERT_EQ(decoded.reason, DecodeReason::kNone);
      break;
    case DecodeOutcome::kMalformed:
      ASSERT_TRUE(IsMalformedReason(decoded.reason)) << ToString(decoded.reason);
      break;
    case DecodeOutcome::kUnsupported:
      ASSERT_GE(decoded.reason, DecodeReason::kUnknownLinkType) << ToString(decoded.reason);
      ASSERT_FALSE(decoded.has_ip());
      break;
  }
}

void CheckPayload(const DecodedPacket& decoded, std::span<const std::uint8_t> bytes) {
  if (decoded.payload.empty()) return;
  ASSERT_GE(decoded.payload.data(), bytes.data());
  ASSERT_LE(decoded.payload.data() + decoded.payload.size(), bytes.data() + bytes.size());
  ASSERT_LE(decoded.payload.size(), decoded.payload_bytes);
  ASSERT_LE(decoded.payload_bytes, decoded.ip_bytes);
}

// What holds for the result of any bytes at all.
void CheckInvariants(const PacketView& view, const DecodedPacket& decoded) {
  CheckOutcome(decoded);
  CheckPayload(decoded, view.bytes);
  ASSERT_EQ(decoded.wire_bytes, view.wire_bytes);
  ASSERT_EQ(decoded.captured_bytes, view.bytes.size());
  ASSERT_EQ(decoded.truncated, view.wire_bytes > view.bytes.size());
  ASSERT_TRUE(decoded.ip_version == 0 || decoded.ip_version == 4 || decoded.ip_version == 6);
  if (decoded.has_ip()) {
    ASSERT_EQ(decoded.source.version(), decoded.ip_version);
    ASSERT_EQ(decoded.destination.version(), decoded.ip_version);
  } else {
    ASSERT_FALSE(decoded.has_ports || decoded.has_icmp || decoded.is_fragment);
    ASSERT_EQ(decoded.source, IpAddress());
    ASSERT_TRUE(decoded.payload.empty());
  }
  if (!decoded.has_ports) {
    ASSERT_EQ(decoded.source_port, 0);
    ASSERT_EQ(decoded.destination_port, 0);
    ASSERT_FALSE(decoded.is_tcp());
  }
  if (decoded.is_later_fragment) {
    ASSERT_TRUE(decoded.is_fragment);
    ASSERT_FALSE(decoded.has_ports);
    ASSERT_NE(decoded.fragment_offset, 0);
  }
  if (decoded.quoted) {
    ASSERT_TRUE(decoded.has_icmp);
  }
  ASSERT_LE(decoded.vlan, 4095);
}

void CheckAllViews(std::span<const std::uint8_t> bytes, LinkType link_type,
                   std::uint32_t wire_bytes) {
  const ExactBytes exact(bytes);
  PacketView view;
  view.link_type = link_type;
  view.wire_bytes = wire_bytes;
  view.bytes = exact.span();
  for (const DecodeView decode_view : {DecodeView::kOuter, DecodeView::kInner}) {
    for (const int max_headers : {32, 3}) {
      const DecodeOptions options{.view = decode_view, .max_headers = max_headers};
      CheckInvariants(view, Decode(view, options));
      if (::testing::Test::HasFatalFailure()) return;
    }
  }
}

TEST(DecodeProperty, EveryKindOfPacketIsDecodedInBothViews) {
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    for (const DecodeView view : {DecodeView::kOuter, DecodeView::kInner}) {
      const DecodedPacket decoded = Decode(kind.packet.view(), {.view = view});
      EXPECT_EQ(decoded.outcome, DecodeOutcome::kDecoded)
          << kind.name << ": " << ToString(decoded.reason);
      EXPECT_TRUE(decoded.has_ip() || decoded.arp) << kind.name;
      SCOPED_TRACE(kind.name);
      CheckInvariants(kind.packet.view(), decoded);
    }
  }
}

TEST(DecodeProperty, SnapLengthOnlyTakesKnowledgeAway) {
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    SCOPED_TRACE(kind.name);
    const PacketView whole = kind.packet.view();
    bool had_ip = false;
    bool had_ports = false;
    std::size_t had_payload = 0;
    for (std::size_t captured = 0; captured <= 256; ++captured) {
      const ExactBytes bytes(whole.bytes.first(std::min(captured, whole.bytes.size())));
      PacketView view = whole;
      view.bytes = bytes.span();
      const DecodedPacket decoded = Decode(view);
      CheckInvariants(view, decoded);
      ASSERT_FALSE(HasFatalFailure()) << captured;
      ASSERT_TRUE(decoded.has_ip() || !had_ip) << captured;
      had_ip = decoded.has_ip();
      // A tunnel counts as its outer packet until the inner header is there.
      if (decoded.source == Decode(whole).source) {
        ASSERT_TRUE(decoded.has_ports || !had_ports) << captured;
        had_ports = decoded.has_ports;
        if (decoded.has_ports) {
          ASSERT_GE(decoded.payload.size(), had_payload) << captured;
          had_payload = decoded.payload.size();
          ASSERT_EQ(decoded.five_tuple(), Decode(whole).five_tuple()) << captured;
        }
      }
    }
  }
}

TEST(DecodeProperty, EveryByteMayHaveEveryValue) {
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    SCOPED_TRACE(kind.name);
    const PacketView view = kind.packet.view();
    Bytes bytes(view.bytes.begin(), view.bytes.end());
    for (std::size_t i = 0; i < std::min<std::size_t>(bytes.size(), 100); ++i) {
      const std::uint8_t original = bytes[i];
      for (int value = 0; value < 256; value += 5) {
        bytes[i] = static_cast<std::uint8_t>(value);
        CheckAllViews(bytes, view.link_type, view.wire_bytes);
        ASSERT_FALSE(HasFatalFailure()) << "byte " << i << " = " << value;
      }
      bytes[i] = original;
    }
  }
}

TEST(DecodeProperty, RandomlyDamagedPacketsKeepTheInvariants) {
  std::mt19937_64 random(20260101);
  const std::vector<NamedPacket> kinds = EveryKindOfPacket();
  for (int round = 0; round < 30'000; ++round) {
    const NamedPacket& kind = kinds[random() % kinds.size()];
    const PacketView view = kind.packet.view();
    Bytes bytes(view.bytes.begin(), view.bytes.end());
    for (std::size_t i = 0; i < 1 + random() % 8; ++i) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 2 == 0) bytes.resize(random() % (bytes.size() + 1));
    if (random() % 4 == 0) bytes.insert(bytes.end(), random() % 50, 0);
    CheckAllViews(bytes, view.link_type, static_cast<std::uint32_t>(view.wire_bytes));
    ASSERT_FALSE(HasFatalFailure()) << kind.name << ", round " << round;
  }
}

TEST(DecodeProperty, NoiseOfEveryLinkTypeKeepsTheInvariants) {
  std::mt19937_64 random(7);
  for (int link_type = 0; link_type < 300; ++link_type) {
    for (int round = 0; round < 120; ++round) {
      Bytes bytes(random() % 200);
      for (std::uint8_t& byte : bytes) {
        // Small values make plausible lengths and types.
        byte = static_cast<std::uint8_t>(random() % (round % 2 == 0 ? 256 : 8));
      }
      CheckAllViews(bytes, static_cast<LinkType>(link_type),
                    static_cast<std::uint32_t>(bytes.size() + (round % 3 == 0 ? 1000 : 0)));
      ASSERT_FALSE(HasFatalFailure()) << link_type;
    }
  }
}

TEST(DecodeProperty, ResultDependsOnTheBytesOnly) {
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    const Packet copy = kind.packet;
    const DecodedPacket a = Decode(kind.packet.view());
    const DecodedPacket b = Decode(copy.view());
    EXPECT_EQ(a.five_tuple(), b.five_tuple()) << kind.name;
    EXPECT_EQ(a.payload_bytes, b.payload_bytes) << kind.name;
    EXPECT_EQ(a.tunnels, b.tunnels) << kind.name;
  }
}

TEST(DecodeProperty, NoHeaderLimitIsExceeded) {
  // Whatever the limit, the walk ends; with none left it reads nothing.
  for (const NamedPacket& kind : EveryKindOfPacket()) {
    for (const int limit : {-1, 0, 1, 2, 5}) {
      const DecodedPacket decoded = Decode(kind.packet.view(), {.max_headers = limit});
      CheckInvariants(kind.packet.view(), decoded);
      ASSERT_FALSE(HasFatalFailure()) << kind.name << ' ' << limit;
      if (limit <= 0) {
        ASSERT_EQ(decoded.reason, DecodeReason::kTooManyHeaders);
      }
    }
  }
}

TEST(DecodeProperty, TimesAtTheEndsOfTheRangeSubtract) {
  Packet packet = PacketBuilder().Ipv4("10.0.0.1", "10.0.0.2").Udp(1, 2).Build();
  PacketView first = packet.view();
  first.time = Timestamp::min();
  PacketView last = packet.view();
  last.time = Timestamp::max();
  EXPECT_GT(Decode(last).time - Decode(first).time, Duration(0));
}

}  // namespace
}  // namespace nta::test
