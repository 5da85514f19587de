#include "nta/net/ip_address.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <unordered_set>
#include <vector>

namespace nta {
namespace {

IpAddress Ip(std::string_view text) { return IpAddress::Parse(text).value(); }
IpPrefix Prefix(std::string_view text) { return IpPrefix::Parse(text).value(); }

TEST(IpAddress, WritesRfc5952) {
  // Section 4 of the RFC, rule by rule.
  const std::pair<std::string_view, std::string_view> cases[] = {
      {"2001:0db8:0000:0000:0000:0000:0002:0001", "2001:db8::2:1"},
      {"2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
      {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
      {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
      {"2001:DB8::A", "2001:db8::a"},
      {"::FFFF:192.0.2.1", "::ffff:192.0.2.1"},
      {"0:0:0:0:0:0:0:0", "::"},
      {"::1", "::1"},
      {"fe80::", "fe80::"},
      {"192.0.2.1", "192.0.2.1"},
      {"0.0.0.0", "0.0.0.0"},
      {"255.255.255.255", "255.255.255.255"},
  };
  for (const auto& [text, canonical] : cases) EXPECT_EQ(Ip(text).ToString(), canonical);
}

TEST(IpAddress, RefusesWhatIsNoAddress) {
  for (const std::string_view text :
       {"",           " ",         "1.2.3",    "1.2.3.4.5",         "999.999.999.999",
        "1.2.3.256",  "01.2.3.4",  "1.2.3.04", "1.2.3.4 ",          " 1.2.3.4",
        "1.2.3.4/8",  "0x1.2.3.4", ":::",      "1::2::3",           "12345::",
        "fe80::1%lo", "[::1]",     "::g",      "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7",
        "localhost",  "1.2.3.4:80"}) {
    const auto address = IpAddress::Parse(text);
    ASSERT_FALSE(address.ok()) << text;
    EXPECT_EQ(address.status().code(), absl::StatusCode::kInvalidArgument);
  }
  EXPECT_FALSE(IpAddress::Parse(std::string_view("1.2.3.4\0", 8)).ok());
  EXPECT_FALSE(IpAddress::Parse(std::string_view("::1\0.evil", 9)).ok());
  EXPECT_LT(IpAddress::Parse(std::string(1'000'000, '1')).status().message().size(), 200U)
      << "an error does not repeat a megabyte";
}

TEST(IpAddress, MappedAddressStaysIpv6) {
  const IpAddress mapped = Ip("::ffff:192.0.2.1");
  EXPECT_EQ(mapped.version(), 6);
  EXPECT_NE(mapped, Ip("192.0.2.1"));
}

TEST(IpAddress, GivesItsBytesInNetworkOrder) {
  EXPECT_EQ(Ip("1.2.3.4").bytes().size(), 4U);
  EXPECT_EQ(Ip("1.2.3.4").bytes()[0], 1);
  EXPECT_EQ(Ip("1.2.3.4").padded_bytes()[4], 0);
  EXPECT_EQ(Ip("::5").bytes().size(), 16U);
  EXPECT_EQ(Ip("::5").bytes()[15], 5);
  EXPECT_EQ(IpAddress(), Ip("0.0.0.0"));
}

TEST(IpAddress, RoundTripsThroughText) {
  for (const std::string_view text : {"10.1.2.3", "2001:db8::1:0:0:1", "::", "::ffff:1.2.3.4"}) {
    EXPECT_EQ(Ip(Ip(text).ToString()), Ip(text));
  }
}

TEST(IpAddress, OrdersVersion4FirstThenByValue) {
  std::vector<IpAddress> addresses{Ip("::"), Ip("10.0.0.2"), Ip("ff::"), Ip("9.255.255.255"),
                                   Ip("10.0.0.1")};
  std::sort(addresses.begin(), addresses.end());
  std::vector<std::string> texts;
  for (const IpAddress& address : addresses) texts.push_back(address.ToString());
  EXPECT_EQ(texts,
            (std::vector<std::string>{"9.255.255.255", "10.0.0.1", "10.0.0.2", "::", "ff::"}));
}

TEST(IpAddress, HashesByValue) {
  std::unordered_set<IpAddress> set{Ip("1.2.3.4"), Ip("1.2.3.4"), Ip("::1"), Ip("0.0.0.0"),
                                    Ip("::")};
  EXPECT_EQ(set.size(), 4U);
}

TEST(IpAddress, KnowsItsScope) {
  for (const std::string_view text : {"127.0.0.1", "127.255.0.9", "::1"}) {
    EXPECT_TRUE(Ip(text).is_loopback()) << text;
  }
  for (const std::string_view text : {"224.0.0.1", "239.1.1.1", "ff02::1"}) {
    EXPECT_TRUE(Ip(text).is_multicast()) << text;
  }
  for (const std::string_view text :
       {"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.1.1", "fc00::1",
        "fdff::1", "fe80::1", "febf::1", "::1"}) {
    EXPECT_TRUE(Ip(text).is_private()) << text;
  }
  for (const std::string_view text : {"11.0.0.1", "172.15.0.1", "172.32.0.1", "192.169.0.1",
                                      "8.8.8.8", "fec0::1", "fbff::1", "2001:db8::1", "::2"}) {
    EXPECT_FALSE(Ip(text).is_private()) << text;
    EXPECT_FALSE(Ip(text).is_loopback()) << text;
    EXPECT_FALSE(Ip(text).is_multicast()) << text;
  }
}

TEST(IpPrefix, ContainsExactlyItsAddressesAtEveryLength) {
  for (const std::string_view text : {"170.85.204.51", "2001:db8:aaaa:5555:cccc:3333:f0f0:f0f"}) {
    const IpAddress address = Ip(text);
    const int width = address.is_v4() ? 32 : 128;
    for (int length = 0; length <= width; ++length) {
      const IpPrefix prefix = IpPrefix::Create(address, length).value();
      EXPECT_TRUE(prefix.Contains(address));
      EXPECT_TRUE(prefix.Contains(prefix.address()));
      EXPECT_TRUE(prefix.Contains(prefix.Last()));
      for (int bit = 0; bit < width; ++bit) {
        auto bytes = address.padded_bytes();
        bytes[static_cast<std::size_t>(bit / 8)] ^= static_cast<std::uint8_t>(0x80 >> bit % 8);
        const IpAddress other =
            address.is_v4() ? IpAddress::V4(std::span(bytes).first<4>()) : IpAddress::V6(bytes);
        EXPECT_EQ(prefix.Contains(other), bit >= length) << length << ' ' << bit;
      }
    }
  }
}

TEST(IpPrefix, NeverContainsTheOtherVersion) {
  EXPECT_FALSE(Prefix("0.0.0.0/0").Contains(Ip("::")));
  EXPECT_FALSE(Prefix("::/0").Contains(Ip("0.0.0.0")));
  EXPECT_TRUE(Prefix("0.0.0.0/0").Contains(Ip("255.255.255.255")));
}

TEST(IpPrefix, ParsesAndWrites) {
  EXPECT_EQ(Prefix("10.0.0.0/8").ToString(), "10.0.0.0/8");
  EXPECT_EQ(Prefix("192.0.2.7").ToString(), "192.0.2.7/32");
  EXPECT_EQ(Prefix("2001:db8::1").ToString(), "2001:db8::1/128");
  EXPECT_EQ(Prefix("10.0.0.0/8").Last(), Ip("10.255.255.255"));
  EXPECT_EQ(IpPrefix().ToString(), "0.0.0.0/0");
}

TEST(IpPrefix, RefusesBitsAfterItsLengthAndSaysWhatIsMeant) {
  const auto prefix = IpPrefix::Parse("10.1.2.3/8");
  ASSERT_FALSE(prefix.ok());
  EXPECT_NE(std::string(prefix.status().message()).find("10.0.0.0/8"), std::string::npos);
}

TEST(IpPrefix, RefusesWhatIsNoPrefix) {
  for (const std::string_view text :
       {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
        "10.0.0.0/8/8", "::/129", "10.0.0.0/a", "10.0.0.0/99999999999999999999", "10.0.0/8",
        "0.0.0.0/-0"}) {
    EXPECT_EQ(IpPrefix::Parse(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(IpPrefix::Create(Ip("1.2.3.4"), -1).ok());
  EXPECT_FALSE(IpPrefix::Create(Ip("1.2.3.4"), 33).ok());
  EXPECT_FALSE(IpPrefix::Create(Ip("::"), 129).ok());
}

}  // namespace
}  // namespace nta
