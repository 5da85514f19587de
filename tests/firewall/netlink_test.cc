#include "firewall/netlink.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>

#include <random>

namespace nta::firewall {
namespace {

std::span<const std::uint8_t> Attributes(const NetlinkMessages& messages) {
  return messages.bytes().subspan(sizeof(nlmsghdr));
}

TEST(Netlink, WhatIsWrittenIsRead) {
  NetlinkMessages messages;
  messages.Begin(7, NLM_F_REQUEST, 9);
  messages.Text(1, "name");
  messages.Number32(2, 0x01020304);
  messages.Number64(3, 0x0102030405060708);
  const std::size_t nest = messages.OpenNest(4);
  messages.Number32(1, 5);
  messages.CloseNest(nest);
  messages.End();
  EXPECT_EQ(Text(Attributes(messages), 1), "name");
  EXPECT_EQ(Number32(Attributes(messages), 2), 0x01020304U);
  EXPECT_EQ(Number64(Attributes(messages), 3), 0x0102030405060708U);
  const auto inner = FindAttribute(Attributes(messages), 4);
  ASSERT_TRUE(inner);
  EXPECT_EQ(Number32(*inner, 1), 5U);
  EXPECT_EQ(FindAttribute(Attributes(messages), 5), std::nullopt);
  EXPECT_EQ(Number64(Attributes(messages), 2), 0U) << "too short";
  EXPECT_EQ(Text(Attributes(messages), 9), "");
}

TEST(Netlink, MalformedAttributesAreReadNoFurther) {
  std::mt19937 random(1);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> bytes(random() % 64);
    for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random() % 12);
    std::size_t read = 0;
    ForEachAttribute(bytes, [&](std::uint16_t, std::span<const std::uint8_t> value) {
      read += 4 + value.size();
      EXPECT_GE(value.data(), bytes.data());
      EXPECT_LE(value.data() + value.size(), bytes.data() + bytes.size());
    });
    EXPECT_LE(read, bytes.size());
    for (std::uint16_t type = 0; type < 12; ++type) {
      Text(bytes, type);
      Number32(bytes, type);
      Number64(bytes, type);
    }
  }
}

}  // namespace
}  // namespace nta::firewall
