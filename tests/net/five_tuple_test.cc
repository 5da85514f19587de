#include "nta/net/five_tuple.h"

#include <gtest/gtest.h>

#include <set>

namespace nta {
namespace {

TEST(Protocol, EveryNumberRoundTripsThroughItsName) {
  std::set<std::string> names;
  for (int number = 0; number < 256; ++number) {
    const std::string name = ProtocolName(static_cast<std::uint8_t>(number));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(ParseProtocol(name).value(), number);
    EXPECT_EQ(ParseProtocol(std::to_string(number)).value(), number);
  }
  EXPECT_EQ(ProtocolName(kProtocolTcp), "tcp");
  EXPECT_EQ(ProtocolName(kProtocolIcmpV6), "icmpv6");
  EXPECT_EQ(ProtocolName(253), "253");
}

TEST(Protocol, RefusesWhatIsNone) {
  for (const std::string_view text :
       {"", "256", "-1", "tcpp", "6 ", " 6", "6.0", "0x6", "99999999999"}) {
    EXPECT_EQ(ParseProtocol(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(FiveTuple, WritesPortsSoThatIpv6StaysReadable) {
  FiveTuple tuple{.source = {IpAddress::V4(192, 0, 2, 1), 50000},
                  .destination = {IpAddress::V4(198, 51, 100, 2), 443},
                  .protocol = kProtocolTcp};
  EXPECT_EQ(tuple.ToString(), "tcp 192.0.2.1:50000 -> 198.51.100.2:443");
  tuple.destination.address = IpAddress::Parse("2001:db8::1").value();
  EXPECT_EQ(tuple.destination.ToString(), "[2001:db8::1]:443");
}

TEST(FiveTuple, ReversedSwapsTheEndpointsOnly) {
  const FiveTuple tuple{.source = {IpAddress::V4(1, 1, 1, 1), 1},
                        .destination = {IpAddress::V4(2, 2, 2, 2), 2},
                        .protocol = kProtocolUdp};
  EXPECT_EQ(tuple.Reversed().source, tuple.destination);
  EXPECT_EQ(tuple.Reversed().protocol, kProtocolUdp);
  EXPECT_EQ(tuple.Reversed().Reversed(), tuple);
  EXPECT_NE(tuple.Reversed(), tuple);
}

}  // namespace
}  // namespace nta
