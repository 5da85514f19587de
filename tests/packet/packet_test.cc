#include "nta/packet/packet.h"

#include <gtest/gtest.h>

#include <type_traits>
#include <utility>
#include <vector>

namespace nta {
namespace {

// A view of a temporary packet would dangle, so it must not compile.
template <typename T>
concept HasViewOfTemporary = requires(T packet) {
  std::move(packet).view();
};
static_assert(!HasViewOfTemporary<Packet>);

TEST(Packet, KeepsItsBytesWhenTheCaptureBufferIsReused) {
  std::vector<std::uint8_t> buffer{1, 2, 3};
  PacketView view;
  view.wire_bytes = 100;
  view.interface_id = 7;
  view.link_type = LinkType::kRaw;
  view.time = Timestamp(Duration(5));
  view.bytes = buffer;
  const Packet packet(view);
  buffer.assign(3, 0xff);

  const PacketView kept = packet.view();
  EXPECT_EQ(std::vector<std::uint8_t>(kept.bytes.begin(), kept.bytes.end()),
            (std::vector<std::uint8_t>{1, 2, 3}));
  EXPECT_EQ(kept.wire_bytes, 100U);
  EXPECT_EQ(kept.interface_id, 7U);
  EXPECT_EQ(kept.link_type, LinkType::kRaw);
  EXPECT_EQ(kept.time, Timestamp(Duration(5)));
}

TEST(Packet, CopiesAndMovesOwnTheirBytes) {
  std::vector<std::uint8_t> buffer{9, 8};
  PacketView view;
  view.bytes = buffer;
  Packet original(view);
  const Packet copy = original;
  EXPECT_NE(copy.view().bytes.data(), original.view().bytes.data());
  const std::uint8_t* const data = original.view().bytes.data();
  const Packet moved = std::move(original);
  EXPECT_EQ(moved.view().bytes.data(), data);
  EXPECT_EQ(copy.view().bytes[0], 9);
}

TEST(Packet, IsEmptyByDefault) {
  const Packet packet;
  EXPECT_TRUE(packet.view().bytes.empty());
  EXPECT_EQ(packet.view().wire_bytes, 0U);
}

TEST(LinkType, HasANameOrItsNumber) {
  EXPECT_EQ(ToString(LinkType::kEthernet), "ethernet");
  EXPECT_EQ(ToString(LinkType::kLinuxSll2), "linux_sll2");
  EXPECT_EQ(ToString(LinkType::kNull), "null");
  EXPECT_EQ(ToString(static_cast<LinkType>(147)), "link_type_147");
  EXPECT_EQ(ToString(static_cast<LinkType>(65535)), "link_type_65535");
}

}  // namespace
}  // namespace nta
